"""One file per step, named by number and what it does."""
