"""Shocks to the pool before it is projected: prices cut and ratings lowered, of every asset or by kind of asset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine import ratings
from engine.asset import COLUMNS, Asset, Kind
from engine.assumptions import Assumptions, check_shock
from engine.filter import parse
from engine.pool import Pool
from engine.ratings import scales
from engine.terms import Book

WORST: Final = 21
"""The rank below which a performing asset is not lowered: C; a default is no downgrade."""

_RATED: Final = tuple((c.name, c.kind) for c in COLUMNS if c.kind in (Kind.MOODYS, Kind.SP))
_SCALES: Final = {Kind.MOODYS: scales.MOODYS, Kind.SP: scales.SP}


@dataclass(frozen=True, slots=True)
class Shock:
    """What happens at once to the assets that a filter chooses ("": all); filters read the pool as it is today.

    price    relative change of the market value (-0.2 is 20 % lower); an asset without a price keeps none
    notches  by which every rating is lowered, at most to C; what is not rated stays so
    """

    where: str = ""
    price: float = 0.0
    notches: int = 0

    def __post_init__(self) -> None:
        check_shock(self.price, self.notches)


Key = tuple[float, int, tuple[Shock, ...]]
"""What of a scenario shocks the pool."""

UNSHOCKED: Final[Key] = (0.0, 0, ())


def shocks_of(assumptions: Assumptions) -> Key:
    """The shock of every asset, and those by kind of asset."""
    return assumptions.price_shock, assumptions.downgrade, assumptions.shocks


def stressed(book: Book, key: Key) -> Book:
    """The book with its held assets as the shocks leave them; all shocks that choose an asset add up.

    Prices are multiplied one after the other, notches are added. Raises FilterError for a filter that cannot be read.
    """
    price, notches, by_kind = key
    held = tuple(dict.fromkeys(h.asset_id for h in book.deal.holdings))
    pool = Pool((book.assets[asset_id], 1.0) for asset_id in held)
    factors, steps = [1.0 + price] * len(held), [notches] * len(held)
    for shock in by_kind:
        for place in parse(shock.where).chosen(pool, f"The shock “{shock.where}”").nonzero()[0].tolist():
            factors[place] *= 1.0 + shock.price
            steps[place] += shock.notches
    changed = {
        asset_id: _shocked(book.assets[asset_id], factor, down)
        for asset_id, factor, down in zip(held, factors, steps, strict=True)
    }
    return replace(book, assets={**book.assets, **changed})


def _shocked(asset: Asset, factor: float, notches: int) -> Asset:
    new: dict[str, Any] = {}
    if asset.market_value is not None and factor != 1.0:
        new["market_value"] = asset.market_value * factor
    if notches:
        for name, kind in _RATED:
            if (rating := getattr(asset, name)) is not None:
                new[name] = _lowered(rating, notches, _SCALES[kind])
    return replace(asset, **new) if new else asset


def _lowered(rating: str, notches: int, scale: Sequence[str]) -> str:
    place = ratings.rank(rating)
    return rating if place is None or place >= WORST else scale[min(place + notches, WORST) - 1]
