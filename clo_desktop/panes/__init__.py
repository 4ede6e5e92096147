"""One file per pane. Panes know the session and the toolkit, never each other."""
