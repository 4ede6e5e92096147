"""The workspace file on this computer: what is checked before it is opened, its key, who writes it, its backups."""
