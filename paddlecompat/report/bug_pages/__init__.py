"""The ledger of bugs: its entries, their scripts, and the picture of them all."""
