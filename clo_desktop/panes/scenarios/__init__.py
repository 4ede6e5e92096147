"""The Scenarios pane: levers on the left, what they do on the right.

levers     the assumptions under the hand
tab        what every study has in common
live       class cash flows, coverage ratios and returns as the levers move
values     what classes and equity are worth, quoted as one likes
prices     price against yield of a class over scenarios
grid       two parameters as a heat map
breaks     break-even default rates of all classes, as a table and as curves
tornado    one parameter at a time
assets     the deal without each asset
renewal    hold, refinance, reset, call
compare    up to four scenarios side by side
pane       all of it
"""

from clo_desktop.panes.scenarios.pane import ScenariosPane

__all__ = ["ScenariosPane"]
