"""Colour tokens of the three themes and the few sizes everything is laid out with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GRID: Final = 8  # px: paddings and gaps are multiples (or halves) of it
ROW: Final = 22  # px: height of a table row
DENSE_ROW: Final = 18  # px: height of a table row in dense mode


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as #RRGGBB. Every text colour is at least 4.5:1 on `window`, `surface` and `selection`.

    window     behind panes                     surface    tables, charts, editors
    line       grid lines and borders           text       words and figures
    edge       frames of fields and boxes to tick, 3:1 on `window`
    muted      secondary words, missing values  accent     links, focus, the current thing
    amber      shapes and bars that are near    attention  words that are near (darker than amber where that must be)
    failure    words, shapes and bars that fail
    header     table headers and footers        selection  behind selected cells
    on_accent  words on accent                  warn_fill, fail_fill  behind an editor or cell with something wrong
    """

    name: str
    dark: bool
    window: str
    surface: str
    line: str
    edge: str
    text: str
    muted: str
    accent: str
    amber: str
    attention: str
    failure: str
    header: str
    selection: str
    on_accent: str
    warn_fill: str
    fail_fill: str


LIGHT: Final = Tokens(
    name="light",
    dark=False,
    window="#F6F7F9",
    surface="#FFFFFF",
    line="#D9DEE5",
    edge="#7E8894",
    text="#1B2430",
    muted="#5B6775",
    accent="#1F5FBF",
    amber="#B26A00",
    attention="#8A5200",
    failure="#B3261E",
    header="#EFF1F4",
    selection="#DCE8F9",
    on_accent="#FFFFFF",
    warn_fill="#FFF1D6",
    fail_fill="#FCE4E2",
)

DARK: Final = Tokens(
    name="dark",
    dark=True,
    window="#14181D",
    surface="#1B2026",
    line="#2D343D",
    edge="#76828F",
    text="#E6EAF0",
    muted="#97A3B2",
    accent="#6EA8FF",
    amber="#F0B34D",
    attention="#F0B34D",
    failure="#FF8A80",
    header="#20262D",
    selection="#22365A",
    on_accent="#0B1420",
    warn_fill="#463412",
    fail_fill="#4A2220",
)

CONTRAST: Final = Tokens(
    name="contrast",
    dark=True,
    window="#000000",
    surface="#000000",
    line="#B8B8B8",
    edge="#B8B8B8",
    text="#FFFFFF",
    muted="#E0E0E0",
    accent="#FFE14D",
    amber="#FFC04D",
    attention="#FFC04D",
    failure="#FF9C94",
    header="#1A1A1A",
    selection="#00398F",
    on_accent="#000000",
    warn_fill="#4D3800",
    fail_fill="#5C1510",
)

THEMES: Final[dict[str, Tokens]] = {t.name: t for t in (LIGHT, DARK, CONTRAST)}


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, of #RRGGBB (WCAG 2.1)."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21, of two colours (WCAG 2.1)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
