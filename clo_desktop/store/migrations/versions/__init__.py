"""One file for each format the store has had."""
