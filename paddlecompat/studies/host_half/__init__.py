"""What a GPU build's host half does on the made-up driver, where no kernel needs to run."""
