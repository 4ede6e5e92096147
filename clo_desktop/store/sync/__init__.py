"""Deals of a shared server in a file of one's own: copied for offline work, changed, brought together again."""
