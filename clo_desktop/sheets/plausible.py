"""Values that are well-formed and hardly true: warned about, and imported as they are (spec D18)."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from clo_desktop.figures import percent
from clo_desktop.sheets.assets import AssetRow
from clo_desktop.sheets.findings import Findings
from engine.asset import COLUMN_BY_NAME
from engine.ratings import NOT_RATED

LOWEST_PRICE: Final = 5.0  # percent of par; at or below it is implausible
HIGHEST_PRICE: Final = 150.0
FARTHEST_FROM_PEERS: Final = 25.0  # points
FEWEST_PEERS: Final = 5
HIGHEST_SPREAD: Final = 0.20


def letter_group(rating: str | None) -> str | None:
    """The rating without its number, such as Baa for Baa2; None without a rating."""
    if rating is None or rating == NOT_RATED:
        return None
    return rating.rstrip("123")


def check_plausible(rows: Mapping[str, AssetRow], held: Collection[str], sheet: str, findings: Findings) -> None:
    """Warn about prices outside 5 to 150 or far from the held assets of like rating, and about spreads over 20 %."""
    medians = _peer_medians(rows, held)
    price_header = COLUMN_BY_NAME["market_value"].header
    spread_header = COLUMN_BY_NAME["coupon_spread"].header
    for entry in rows.values():
        price = entry.asset.market_value
        doubt = "" if price is None else _price_doubt(price, letter_group(entry.asset.moodys_rating), medians)
        if doubt:
            findings.warn(sheet, entry.row, entry.columns["market_value"], price_header, price, doubt)
        spread = entry.asset.coupon_spread
        if spread is not None and spread > HIGHEST_SPREAD:
            findings.warn(
                sheet, entry.row, entry.columns["coupon_spread"], spread_header, spread,
                f"A spread of {percent(spread)} is implausible: check it.",
            )  # fmt: skip


def _is_possible(price: float) -> bool:
    return LOWEST_PRICE < price <= HIGHEST_PRICE


def _peer_medians(rows: Mapping[str, AssetRow], held: Collection[str]) -> dict[str, float]:
    peers: defaultdict[str, list[float]] = defaultdict(list)
    for asset_id in held:
        entry = rows.get(asset_id)
        if entry is None or entry.asset.market_value is None:
            continue
        group = letter_group(entry.asset.moodys_rating)
        if group is not None and _is_possible(entry.asset.market_value):
            peers[group].append(entry.asset.market_value)
    return {group: statistics.median(prices) for group, prices in peers.items() if len(prices) >= FEWEST_PEERS}


def _price_doubt(price: float, group: str | None, medians: Mapping[str, float]) -> str:
    if not _is_possible(price):
        return f"A price of {price:g} is implausible (5 to 150 is usual): correct it before trading the asset."
    median = medians.get(group or "")
    if median is not None and abs(price - median) > FARTHEST_FROM_PEERS:
        return (
            f"A price of {price:g} is more than {FARTHEST_FROM_PEERS:g} points from the median {median:g} "
            f"of the held assets rated {group}: check it before trading the asset."
        )
    return ""
