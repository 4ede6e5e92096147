"""Why an asset is rated as it is: the rule path behind a rating or recovery rate, in words. No Qt."""

from __future__ import annotations

from typing import Final

from engine.asset import Asset
from engine.compliance import Compliance
from engine.compliance.inspector import Line, inspected

_WHAT: Final = {
    "moodys_rating": "Moody's rating",
    "moodys_dpr": "Moody's default probability rating",
    "moodys_rating_warf": "Moody's WARF rating",
    "moodys_recovery_rate": "Moody's recovery",
    "sp_issuer_rating": "S&P rating",
    "sp_facility_rating": "S&P rating",
    "sp_recovery_rating": "S&P recovery",
}
"""Which line of the inspector speaks about a column."""

EXPLAINED: Final = tuple(_WHAT)
"""Columns of the asset master whose values have a rule path."""


class RatingPaths:
    """Rule paths of the assets of a deal under its rules; each asset is looked at once."""

    def __init__(self, done: Compliance | None) -> None:
        self._done = done
        self._lines: dict[str, dict[str, Line]] = {}

    def words(self, asset: Asset, column: str) -> str:
        """`Moody's WARF rating: the rules give B2 (issuer B1, negative outlook -1: B2), as stored`; "" for others."""
        what = _WHAT.get(column)
        if what is None or self._done is None or self._done.plan is None:
            return ""
        if asset.asset_id not in self._lines:
            lines = inspected(asset, self._done.plan.basis)
            self._lines[asset.asset_id] = {line.what: line for line in lines}
        line = self._lines[asset.asset_id].get(what)
        return "" if line is None else told(line)


def told(line: Line) -> str:
    """A line of the inspector as a sentence without its full stop."""
    if line.derived is None:
        rules = f"the rules give nothing ({line.path})" if line.path else "the rules give nothing"
    else:
        rules = f"the rules give {_value(line.derived)} ({line.path})"
    if line.stored is None:
        return f"{line.what}: {rules}"
    if line.agrees:
        return f"{line.what}: {rules}, as stored"
    return f"{line.what}: {_value(line.stored)} is stored and counts; {rules}"


def _value(value: str | float) -> str:
    return f"{value * 100:.4g} %" if isinstance(value, float) else value
