"""What a rating does to the assets that reinvestment buys: rules choose them, and low ones count in the CCC excess.

An asset of the mix stands before the rules as one bought on the analysis date. What is bought is pooled by strategy, so
vectors count from the analysis date, never by the age of a lot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import ratings
from engine.asset import Asset
from engine.assumptions import Proxy
from engine.dates import days_360
from engine.filter import parse
from engine.loans.vectors import ASSET_PERIOD, RULED, Rule, Vector
from engine.pool import Pool
from engine.schedule import months_after

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOODYS: Final = (
    "moodys_rating",
    "moodys_dpr",
    "moodys_rating_warf",
    "moodys_facility_rating",
    "moodys_issuer_rating",
)
_SP: Final = ("sp_issuer_rating", "sp_facility_rating")
_RATES: Final = {"cpr": "prepayment rate", "cdr": "default rate", "severity": "severity"}
_FIRST: Final = -1_000_000
"""Days before any date: the first entry of a vector holds before its start too."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What rules and ratings make of the assets that reinvestment buys.

    rows   what rules say of rates (their filter is left blank), each once; the first says nothing: rates of the run
    of     row of each asset, in the order of the scenario's; (): the deal's own asset, of the first row
    low    whether each counts in the CCC excess
    price  share of par at which they are bought, where one of them counts; None: none does
    notes  what of the rules cannot be used as it stands, in words
    """

    rows: tuple[Rule, ...] = (Rule(),)
    of: tuple[int, ...] = ()
    low: tuple[bool, ...] = ()
    price: float | None = None
    notes: tuple[str, ...] = ()


UNRATED: Final = Mix()


def is_rated(buys: Sequence[Proxy]) -> bool:
    return any(proxy.rating for proxy in buys)


def mix_of(
    buys: Sequence[Proxy], rules: Sequence[Rule], price: float, analysis: dt.date, last: dt.date, months: int
) -> Mix:
    """What becomes of the assets to buy. Without a rating they take the rates of the run, whatever the rules say.

    price  share of par;  last: the day on which the deal ends;  months between its payments
    Raises FilterError for a rule that cannot be read.
    """
    if not is_rated(buys):
        return UNRATED
    rows, of, notes = [Rule()], [], dict[str, None]()
    for proxy in buys:
        said = Rule()
        if proxy.rating:
            pool = Pool([(stand_in(proxy, price, analysis, last, months), 1.0)])
            chosen = [rule for rule in rules if not rule.where.strip() or parse(rule.where).mask(pool)[0]]
            for rule in chosen:
                usable, words = _usable(rule)
                given: dict[str, Any] = {name: v for name in RULED if (v := getattr(usable, name)) is not None}
                said = replace(said, **given)
                notes.update(dict.fromkeys(words))
        if said not in rows:
            rows.append(said)
        of.append(rows.index(said))
    low = tuple(bool(proxy.rating) and ratings.is_caa(proxy.rating) for proxy in buys)
    return Mix(tuple(rows), tuple(of), low, price if any(low) else None, tuple(notes))


def stand_in(proxy: Proxy, price: float, analysis: dt.date, last: dt.date, months: int) -> Asset:
    """The asset that filters see: rated alike by both agencies, bought on the analysis date at the price of the run."""
    rated: dict[str, Any] = {
        **dict.fromkeys(_MOODYS, proxy.rating),
        **dict.fromkeys(_SP, ratings.as_sp(proxy.rating)),
    }
    return Asset(
        asset_id="reinvestment",
        issuer_id="reinvestment",
        bond_loan="LOAN",
        coupon_type="FLOAT",
        payment_frequency=12 // months,
        coupon_spread=proxy.spread,
        index_floor=proxy.floor,
        maturity=min(months_after(analysis, round(proxy.months)), last),
        market_value=round(price * 100.0, 9),
        defaulted=False,
        **rated,
    )


def _usable(rule: Rule) -> tuple[Rule, list[str]]:
    """What of a rule can be said of assets that are pooled, and in words what cannot."""
    notes, named = [], f"“{rule.where.strip()}”" if rule.where.strip() else "of all assets"
    for name, word in _RATES.items():
        vector = getattr(rule, name)
        if isinstance(vector, Vector) and vector.absolute:
            notes.append(
                f"The rule {named} gives its {word} as shares of an opening balance, which what reinvestment buys has "
                "not: there it says none."
            )
            rule = replace(rule, **{name: None})  # type: ignore[arg-type]
        elif isinstance(vector, Vector) and vector.from_age:
            notes.append(
                f"The rule {named} gives its {word} by the age of a loan; what reinvestment buys is pooled, and takes "
                "it from the analysis date on."
            )
            rule = replace(rule, **{name: replace(vector, from_age=False)})  # type: ignore[arg-type]
    return rule, notes


# --- rates by payment date -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """The periods between payment dates.

    analysis  serial of the analysis date;  starts int64[n_dates] serials;  days int64[n_dates] 30/360
    months    between payments
    """

    analysis: int
    starts: Ints
    days: Ints
    months: int

    @property
    def begun(self) -> Ints:
        """int64[n_dates]: 30/360 days from the analysis date to the start of each, negative before it."""
        at = self.analysis
        return np.array(
            [days_360(at, d) if d >= at else -days_360(d, at) for d in self.starts.tolist()], dtype=np.int64
        )


def period_rates(said: float | Vector | None, annual: Floats, periods: Periods) -> Floats:
    """float64[n_dates, W]: probability of each period; `annual` float64[W] where a rule says nothing.

    1 - (1-r)^(days360/360); of a vector with a step, day by day of the 30/360 calendar as for loans (case RATE-1).
    """
    if not isinstance(said, Vector):
        rates = annual if said is None else np.full(annual.size, said)
        lengths, places = np.unique(periods.days, return_inverse=True)
        return np.asarray((1.0 - (1.0 - rates[None, :]) ** (lengths[:, None] / 360.0))[places.reshape(-1)])
    values = np.array(said.annual(periods.months))
    if said.step == ASSET_PERIOD:
        survival = (1.0 - values[_entries(said, periods)]) ** (periods.days / 360.0)
    else:
        edges = np.arange(values.size + 1) * 30 * said.step
        edges[0], edges[-1] = _FIRST, -_FIRST
        begin = periods.begun[:, None]
        end = begin + periods.days[:, None]
        within = np.clip(np.minimum(end, edges[None, 1:]) - np.maximum(begin, edges[None, :-1]), 0, None)
        survival = np.prod((1.0 - values[None, :]) ** (within / 360.0), axis=1)
    return np.repeat((1.0 - survival)[:, None], annual.size, axis=1)


def shares(said: float | Vector | None, share: Floats, periods: Periods) -> Floats:
    """float64[n_dates, W]: a severity in each period, that of the period's start; `share` where a rule says nothing."""
    n = periods.days.size
    if isinstance(said, Vector):
        return np.repeat(np.array(said.values)[_entries(said, periods)][:, None], share.size, axis=1)
    return np.broadcast_to(share if said is None else np.full(share.size, said), (n, share.size))


def _entries(vector: Vector, periods: Periods) -> Ints:
    """int64[n_dates]: the entry that holds at the start of each period; without a step, one a payment date."""
    count = np.arange(periods.days.size) if vector.step == ASSET_PERIOD else periods.begun // (30 * vector.step)
    return np.clip(count, 0, len(vector.values) - 1)
