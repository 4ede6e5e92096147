"""The pool of the demo deal: every facility with an id, its par, and the flags that depend on the whole pool."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.asset import Asset
from engine.terms import Holding, Sink
from resources.demo import calendar as days
from resources.demo.draw import Draw
from resources.demo.facilities import Facility, Lien, make_facilities
from resources.demo.loans import SP_COV_LITE, can_be_cov_lite, make_asset, quarterly_amortisation
from resources.demo.obligors import make_obligors
from resources.demo.rated import gap_of, rate

TARGET_PAR: Final = 500_000_000.0
_HELD_PAR: Final = 495_900_000.0  # the rest is cash
_LOT: Final = 250_000.0
COV_LITE_SHARE: Final = 0.6515  # of the collateral principal amount: a hair above its limit of 65 %


@dataclass(frozen=True, slots=True)
class Made:
    """A pool: the asset master, what of it is held, amortisation tables, and cash received but not yet paid out."""

    assets: tuple[Asset, ...]
    holdings: tuple[Holding, ...]
    sinks: tuple[Sink, ...]
    principal_cash: float
    interest_cash: float
    unfunded: float


def make_pool(seed: int) -> Made:
    facilities = make_facilities(seed, *make_obligors(seed))
    facilities.sort(key=lambda f: (f.obligor.name, f.tranche))
    draw = Draw(seed, 3)
    gaps: dict[str, int] = {}
    for obligor in sorted({f.obligor.ticker: f.obligor for f in facilities}.values(), key=lambda o: o.ticker):
        liens = frozenset(f.lien for f in facilities if f.obligor is obligor)
        gaps[obligor.ticker] = gap_of(draw, obligor, liens)
    number = 100
    assets = []
    for facility in facilities:
        number += draw.whole(1, 9)
        rated = rate(facility, gaps[facility.obligor.ticker], draw)
        assets.append(make_asset(f"HBR{number:06d}", facility, rated, draw))
    pars = _pars(facilities, assets)
    held = [(a, par) for a, par in zip(assets, pars, strict=True) if par]
    cash = round(TARGET_PAR - sum(pars), 2)
    performing = TARGET_PAR - sum(par for a, par in held if a.defaulted)
    lite = _cov_lite(Draw(seed, 4), facilities, assets, pars, COV_LITE_SHARE * performing)
    assets = [replace(a, cov_lite=True, sp_priority_category=SP_COV_LITE) if a.asset_id in lite else a for a in assets]
    return Made(
        assets=tuple(assets),
        holdings=tuple(Holding(a.asset_id, par) for a, par in held),
        sinks=tuple(
            sink
            for f, a, par in zip(facilities, assets, pars, strict=True)
            if f.lien is Lien.TERM_A
            for sink in _sinks(a, par)
        ),
        principal_cash=cash,
        interest_cash=round(sum(_interest(a, par) for a, par in held), 2),
        unfunded=sum(a.unfunded_amount or 0.0 for a, _ in held),
    )


def _pars(facilities: Sequence[Facility], assets: Sequence[Asset]) -> list[float]:
    """Par of each facility in the deal: whole lots bought, less what they have amortised since.

    The scale that brings the pool to its size is found by halving.
    """
    left = [_left(f, a) for f, a in zip(facilities, assets, strict=True)]

    def scaled(scale: float) -> list[float]:
        lots = [
            f.fixed if f.fixed is not None else max(2, round(f.weight * scale / _LOT)) * _LOT if f.weight else 0.0
            for f in facilities
        ]
        return [round(lot * share, 2) for lot, share in zip(lots, left, strict=True)]

    low, high = 0.0, 2e7
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(scaled(middle)) < _HELD_PAR else (low, middle)
    return scaled(low)


def _left(facility: Facility, asset: Asset) -> float:
    """Share of the bought par that is still outstanding: bought when the deal closed, or when the loan was made."""
    assert asset.issue_date is not None
    day, paid = max(asset.issue_date, days.CLOSING), 0
    while (day := days.add_months(day, 3)) <= days.ANALYSIS:
        paid += 1
    return 1 - quarterly_amortisation(facility.lien) * paid


def _cov_lite(
    draw: Draw, facilities: Sequence[Facility], assets: Sequence[Asset], pars: Sequence[float], target: float
) -> frozenset[str]:
    """Ids of the cov-lite assets: about two thirds of all, held ones with a par as near to `target` as lots allow."""
    able = [i for i, f in enumerate(facilities) if can_be_cov_lite(f)]
    offered = [i for i in able if not pars[i]]
    chosen = {i for i in offered if draw.share() < 0.65}
    total, waiting = 0.0, draw.shuffled([i for i in able if pars[i]])
    while waiting and total + pars[waiting[0]] < target - 1_000_000:
        total += pars[waiting[0]]
        chosen.add(waiting.pop(0))
    if waiting:
        chosen.add(min(waiting, key=lambda i: abs(target - total - pars[i])))
    return frozenset(assets[i].asset_id for i in chosen)


def _interest_dates(asset: Asset) -> Iterator[dt.date]:
    """Interest dates before they are rolled to business days, from the first one to the last before maturity."""
    assert asset.first_payment_date is not None
    assert asset.payment_frequency is not None
    assert asset.maturity is not None
    step, k = 12 // asset.payment_frequency, 0
    while (day := days.add_months(asset.first_payment_date, k * step, month_end=bool(asset.payment_eom))) < (
        asset.maturity
    ):
        yield day
        k += 1


def _interest(asset: Asset, par: float) -> float:
    """Interest received from the end of the last collection period to the analysis date."""
    assert asset.issue_date is not None
    assert asset.payment_frequency is not None
    assert asset.coupon is not None
    if asset.defaulted or asset.piking:
        return 0.0
    begin = next(row.collection_begin for row in days.schedule() if row.payment > days.ANALYSIS)
    assert begin is not None
    received, before = 0.0, asset.issue_date
    for day in map(days.modified_following, _interest_dates(asset)):
        if begin < day <= days.ANALYSIS:
            year = 1 / asset.payment_frequency if asset.day_count == "30/360" else (day - before).days / 360
            received += par * asset.coupon * year
        before = day
    return received


def _sinks(asset: Asset, par: float) -> list[Sink]:
    """Amortisation of a term loan A: 1.25 % of today's par a quarter, the rest at maturity; amounts of the holding."""
    assert asset.maturity is not None
    amount = round(par * quarterly_amortisation(Lien.TERM_A), 2)
    coming = [day for day in _interest_dates(asset) if day > days.ANALYSIS]
    balloon = round(par - amount * len(coming), 2)
    return [*(Sink(asset.asset_id, day, amount) for day in coming), Sink(asset.asset_id, asset.maturity, balloon)]
