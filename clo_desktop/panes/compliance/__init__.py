"""The tests of a deal: outcomes and cushions, how each came about, the rows behind it and its trend."""

from clo_desktop.panes.compliance.pane import CompliancePane

__all__ = ["CompliancePane"]
