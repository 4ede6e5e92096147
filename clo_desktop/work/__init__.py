"""What runs in the background and what is open: no widgets."""
