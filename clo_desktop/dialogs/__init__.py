"""Small windows: the command palette, the name of a deal to import."""
