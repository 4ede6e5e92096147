"""The trade pad: hypothetical trades, ideas side by side, rankings, bid lists."""

from clo_desktop.panes.trades.pane import TradesPane

__all__ = ["TradesPane"]
