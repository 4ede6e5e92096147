"""Colours of series, heat and classes: Okabe-Ito, cividis, and one hue from senior to junior. No Qt."""

from __future__ import annotations

import colorsys
from typing import Final

OKABE_ITO: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442", "#000000")
"""The eight colours that everyone can tell apart, the readable ones first."""

EQUITY: Final = "#E69F00"
"""Equity stands apart from the blues of the notes."""

_CIVIDIS: Final = (
    *("#00204D", "#00336F", "#39486B", "#575C6D", "#707173"),
    *("#8A8779", "#A69D75", "#C4B56C", "#E4CF5B", "#FFEA46"),
)
_NOTES_HUE: Final = 0.575


def series(count: int, *, dark: bool = False) -> list[str]:
    """Colours of `count` series. Black turns white on dark; yellow is too pale for a white ground and comes last."""
    order = [c if c != "#000000" else ("#FFFFFF" if dark else "#000000") for c in OKABE_ITO]
    if not dark:
        order[6], order[7] = order[7], order[6]
    return [order[i % len(order)] for i in range(count)]


def heat(fraction: float) -> str:
    """The cividis colour at 0 (low, dark blue) to 1 (high, yellow); outside it stays at the end."""
    place = min(max(fraction, 0.0), 1.0) * (len(_CIVIDIS) - 1)
    low = min(int(place), len(_CIVIDIS) - 2)
    return blend(_CIVIDIS[low], _CIVIDIS[low + 1], place - low)


def classes(equity: list[bool], *, dark: bool = False) -> list[str]:
    """Colours of the classes from senior to junior: one hue, dark to light; equity (True) apart."""
    notes = equity.count(False)
    first, last = (0.36, 0.84) if dark else (0.24, 0.80)
    colours: list[str] = []
    place = 0
    for is_equity in equity:
        if is_equity:
            colours.append(EQUITY)
            continue
        share = place / (notes - 1) if notes > 1 else 0.3
        lightness = first + (last - first) * share
        colours.append(_hex(*colorsys.hls_to_rgb(_NOTES_HUE, lightness, 0.75 - 0.15 * share)))
        place += 1
    return colours


def blend(one: str, other: str, share: float) -> str:
    """The colour `share` (0 to 1) of the way from one to the other."""
    pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
    return _hex(*((a + (b - a) * share) / 255 for a, b in pairs))


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(c * 255):02X}" for c in (red, green, blue))
