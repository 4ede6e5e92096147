"""CLO Desktop: the portfolio manager's cockpit for collateralized loan obligations."""

__version__ = "0.1.0"
