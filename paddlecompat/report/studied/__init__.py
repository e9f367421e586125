"""Pages on what was learnt beside the cells: advice, mutants, speed, and what went wrong."""
