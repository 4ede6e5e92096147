"""Terms of the liabilities to numbers: the border where units, dates and codes of a deal are fixed (loans: loans.tape).

One `DealInputs` holds what every scenario of a rate path shares.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine import dates, ratings
from engine.assumptions import AS_IT_IS, Assumptions, Proxy, RatePath
from engine.bought import UNRATED, Mix
from engine.contributions import by_date
from engine.curve_shapes import Interpolation
from engine.curves import Curve, FixingTable, fixing_table
from engine.deal_inputs import DealInputs, Exchange, Strategy
from engine.lanes import Bucket
from engine.loans.events import Events
from engine.loans.tape import Opening
from engine.pool import Pool
from engine.refinancing import Refinancing
from engine.structure import ReinvestmentTerms, Structure, opening_cash
from engine.terms import REVOLVER_FUNDING, Book
from engine.waterfall.document import ClassTerms, Document, class_id

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TENORS = (0, 1, 3, 6, 12)
"""Months of the projected indices; 0 is overnight, which rates in arrears compound."""

_FAR = 50 * 365
"""Days to which a flat curve is drawn."""

_BASES = {"ALL PRINCIPAL": "all", "UNSCHEDULED PRINCIPAL": "unscheduled"}

EquityFlows = tuple[tuple[dt.date, float], ...]
"""Flows of the subordinated notes up to the analysis date, the purchase negative."""


def pack_curve(book: Book, structure: Structure, shift: float, path: RatePath = AS_IT_IS) -> Curve:
    """The deal's curve; without one, flat at the current index.

    Raises ValueError for an interpolation that is not known.
    """
    known = [str(shape) for shape in Interpolation]
    if path.interpolation not in known:
        raise ValueError(f"There is no interpolation {path.interpolation!r}; known are {', '.join(known)}.")
    if book.reference.curve:
        shape = Interpolation(path.interpolation)
        curve = Curve.of_nodes(structure.analysis, book.reference.curve, shift, interpolation=shape)
    else:
        curve = Curve.flat(structure.analysis, structure.current_index, shift)
        if path.key_shifts:  # keys move zero rates up to the last node only
            curve = replace(curve, days=np.append(curve.days, _FAR), zeros=np.append(curve.zeros, curve.zeros))
    return curve.shifted(dict(path.key_shifts)) if path.key_shifts else curve


def pack_fixings(book: Book, curve: Curve, structure: Structure, path: RatePath = AS_IT_IS) -> FixingTable:
    """Fixings from the analysis date (or the first determination) to the last payment date; known ones as they were."""
    analysis = dates.serial(structure.analysis)
    first = min(analysis, dates.serial(structure.schedule[0].determination or structure.analysis))
    table = fixing_table(curve, first, dates.serial(structure.schedule[-1].payment), TENORS)
    if path.forwards:
        table = table.given([dates.serial(day) for day, _ in path.forwards], [rate for _, rate in path.forwards])
    if path.floored:
        table = table.floored()
    return table.with_history(book.reference.fixings, analysis)


def check_events(events: Events, held: Collection[str], analysis: dt.date) -> None:
    """Raises ValueError for an event of an asset that is not held, or on a day that is past."""
    kinds = {"sales": events.sales, "draws": events.draws, "maturities": events.maturities, "deferrals": events.pik}
    for kind, by_id in kinds.items():
        if unknown := sorted(set(by_id or {}) - set(held)):
            raise ValueError(f"The deal holds no asset {unknown[0]}; take it out of the {kind}, or correct its id.")
    days = [(asset_id, "sale", sale.day) for asset_id, sale in (events.sales or {}).items()]
    days += [(asset_id, "draw", day) for asset_id, rows in (events.draws or {}).items() for day, _ in rows]
    for asset_id, what, day in days:
        if day <= analysis:
            raise ValueError(
                f"The {what} of {asset_id} is on {day.isoformat()}; choose a day after the analysis date "
                f"{analysis.isoformat()}."
            )


def payment_days(structure: Structure) -> Ints:
    return dates.serials(row.payment for row in structure.schedule)


def collection_ends(structure: Structure) -> Ints:
    return dates.serials(row.collection_end or row.payment for row in structure.schedule)


def redemption_row(structure: Structure, assumptions: Assumptions) -> int:
    """Row of the payment date on which the pool is sold by assumption (the last at the latest).

    Raises ValueError for a call date outside the run.
    """
    days = payment_days(structure)
    if assumptions.call_date is None:
        return days.size - 1
    last = structure.schedule[-1].payment
    if not structure.analysis < assumptions.call_date <= last:
        raise ValueError(
            f"Redemption from {assumptions.call_date.isoformat()} is not possible; choose a day after the analysis "
            f"date {structure.analysis.isoformat()} and not after the last payment date {last.isoformat()}."
        )
    return min(days.size - 1, int(np.searchsorted(days, dates.serial(assumptions.call_date))))


def pack_inputs(
    book: Book,
    document: Document,
    structure: Structure,
    table: FixingTable,
    opening: Opening,
    equity_flows: EquityFlows,
    recovery_lag_months: float,
    buys: Sequence[Proxy] = (),
    refinancing: Refinancing | None = None,
    mix: Mix = UNRATED,
) -> DealInputs:
    """The liabilities under a rate path.

    table    projected fixings
    opening  balances of the pool at the analysis date
    recovery_lag_months  of what reinvestment buys;  buys: what it buys, the deal's own terms where empty;  mix: what
             becomes of these by their ratings
    refinancing  new notes for old ones. Raises ValueError for a class or a day of it that cannot be
    """
    deal = book.deal
    exchange = None if refinancing is None else pack_exchange(book, document, structure, refinancing)
    if refinancing is not None:
        document, structure = refinanced(document, structure, refinancing)
    ids = tuple(class_id(t.name) for t in deal.tranches)
    days, before = payment_days(structure), dates.serial(structure.accrual_start)
    starts = np.concatenate([[before], days[:-1]])
    row = table.row(structure.months_between)
    fixed_on = dates.serials(r.determination or r.payment for r in structure.schedule)
    index = _fixings(table, row, fixed_on)
    index[0] = structure.current_index
    coupon, accrual, deferrable = _classes(book, document, structure, starts, days, index)
    fee_fraction, fee_interest = _fees(structure, starts, days, index)
    in_hand = opening_cash(deal, {a.number for a in document.accounts})
    first_basis = opening.performing + opening.defaulted + in_hand[1]
    grown = sum(a * (1.0 + structure.hurdle) ** ((before - dates.serial(d)) / 365.0) for d, a in equity_flows)
    effective = int(np.searchsorted(days, dates.serial(structure.effective)))
    terms: ReinvestmentTerms = structure.reinvestment
    own = Proxy(1.0, terms.spread, terms.floor, max(terms.maturity_months, 1.0))
    return DealInputs(
        days=days,
        before=before,
        index=index,
        class_ids=ids,
        original=np.array([t.original_balance for t in deal.tranches], dtype=np.float64),
        balance=np.array([t.current_balance for t in deal.tranches], dtype=np.float64),
        deferred=np.array([t.deferred_balance for t in deal.tranches], dtype=np.float64),
        coupon=coupon,
        accrual=accrual,
        deferrable=deferrable,
        scheduled=_scheduled(book, document, structure),
        fee_percent=np.array([t.percent for t in structure.fees], dtype=np.float64),
        fee_fixed=np.array([t.fixed for t in structure.fees], dtype=np.float64),
        fee_basis=tuple(t.basis for t in structure.fees),
        fee_fraction=fee_fraction,
        fee_interest=fee_interest,
        fee_unpaid=np.array([t.unpaid for t in structure.fees], dtype=np.float64),
        fee_senior=senior_fees(document),
        opening_basis=first_basis if structure.opening_fee_basis is None else structure.opening_fee_basis,
        cap_fraction=_fractions(starts, days, dates.ACT_360),
        triggers=_triggers(structure, days),
        tests_from=effective,
        ic_from=max(effective, _second_payment(structure)),
        reinvesting=days <= dates.serial(structure.reinvestment_end),
        callable=_callable(structure, days),
        policy_base=(_BASES.get(terms.pre_base, "none"), _BASES.get(terms.post_base, "none")),
        policy_share=(terms.pre_share, terms.post_share),
        strategies=tuple(
            _strategy(proxy, structure, table, starts, days, mix, place) for place, proxy in enumerate(buys or [own])
        ),
        recovery_lag=round(recovery_lag_months / structure.months_between),
        hurdle=structure.hurdle,
        manager_share=structure.manager_share,
        hurdle_value=float(grown),
        equity_invested=-sum(a for _, a in equity_flows if a < 0),
        equity_received=float(sum(a for _, a in equity_flows if a > 0)),
        accelerated=structure.in_default,
        interest=in_hand[0],
        principal=in_hand[1],
        purchased_interest=structure.purchased_interest,
        funding=_funding(book, document),
        performing=opening.performing,
        defaulted=opening.defaulted,
        carrying=opening.carrying,
        marked=opening.marked,
        haircut=opening.haircut,
        ccc_limit=structure.ccc_limit,
        idle_yield=_idle_yield(structure, starts, days, index),
        dates=_dates(structure),
        inputs=structure.inputs,
        accounts={a.id: _account(book, a.number) for a in document.accounts},
        contributed=by_date(structure.contributed, days.size),
        exchange=exchange,
    )


def pack_exchange(book: Book, document: Document, structure: Structure, terms: Refinancing) -> Exchange:
    """A refinancing by rows and classes.

    Raises ValueError for a class that the deal has not or that cannot be refinanced, a day outside the run, before the
    end of the non-call period, or on which nothing follows.
    """
    ids = [class_id(t.name) for t in book.deal.tranches]
    debts = [c.id for c in document.classes if c.kind == "debt" and c.id in ids]
    if unknown := [name for name, _ in terms.margins if name not in debts]:
        raise ValueError(f"Class {unknown[0]} cannot be refinanced; {book.deal.name} has {', '.join(debts)}.")
    row = int(np.searchsorted(payment_days(structure), dates.serial(terms.on)))
    after, last = structure.no_call or structure.analysis, structure.schedule[-1].payment
    if terms.on < structure.analysis or row >= len(structure.schedule) - 1:
        raise ValueError(
            f"A refinancing on {terms.on.isoformat()} is not possible; choose a payment date after the analysis date "
            f"{structure.analysis.isoformat()} and before the last one, {last.isoformat()}."
        )
    if structure.schedule[row].payment < after:
        raise ValueError(
            f"A refinancing on {terms.on.isoformat()} is not possible: the notes cannot be called before "
            f"{after.isoformat()}. Choose a later payment date."
        )
    margins, balances = dict(terms.margins), dict(terms.balances)
    return Exchange(
        row=row,
        classes=np.array([c in margins for c in ids], dtype=np.bool_),
        balance=np.array([balances.get(c, np.nan) for c in ids], dtype=np.float64),
        costs=terms.costs,
        by_holders=terms.by_holders,
    )


def refinanced(document: Document, structure: Structure, terms: Refinancing) -> tuple[Document, Structure]:
    """Margins, non-call and reinvestment period as they are with the new notes (the day is checked already)."""
    rows = payment_days(structure)
    day = structure.schedule[int(np.searchsorted(rows, dates.serial(terms.on)))].payment
    margins = dict(terms.margins)
    classes = tuple(
        replace(c, step_ups=(*(s for s in c.step_ups if s[0] < day), (day, margins[c.id]))) if c.id in margins else c
        for c in document.classes
    )
    end = structure.reinvestment_end if terms.reinvest_to is None else terms.reinvest_to
    no_call = structure.no_call if terms.no_call is None else max(terms.no_call, structure.no_call or terms.no_call)
    return replace(document, classes=classes), replace(structure, reinvestment_end=end, no_call=no_call)


def _fixings(table: FixingTable, row: int, days: Ints) -> Floats:
    """float64[n]: the fixing on each day, the first or last where the day is outside the table."""
    return table.rates[row, np.clip(days - table.first_day, 0, table.rates.shape[1] - 1)].copy()


def _fractions(starts: Ints, days: Ints, day_count: int) -> Floats:
    return _fractions_of(starts.tobytes(), days.tobytes(), day_count)


@lru_cache(maxsize=256)
def _fractions_of(starts: bytes, days: bytes, day_count: int) -> Floats:
    """Year fractions of one schedule: every class and fee asks for them, and every refinancing anew."""
    pairs = zip(np.frombuffer(starts, np.int64), np.frombuffer(days, np.int64), strict=True)
    made = np.array([dates.year_fraction(a, b, day_count) for a, b in pairs])
    made.flags.writeable = False
    return made


def _classes(
    book: Book, document: Document, structure: Structure, starts: Ints, days: Ints, index: Floats
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Coupon and accrual float64[n_dates, n_classes], and the rule by which each class defers."""
    terms = {c.id: c for c in document.classes}
    coupon, accrual = (np.zeros((days.size, len(book.deal.tranches))) for _ in range(2))
    rules = []
    for place, tranche in enumerate(book.deal.tranches):
        of = terms[class_id(tranche.name)]
        rules.append(of.deferrable or ("always" if tranche.deferrable else "never"))
        if of.kind == "equity":
            continue
        margin = _margins(of, tranche.spread or 0.0, starts)
        fixed = (tranche.coupon_type or "").strip().casefold() == "fixed"
        floor = -np.inf if of.index_floor is None else of.index_floor
        cap = np.inf if of.index_cap is None else of.index_cap
        coupon[:, place] = margin if fixed else np.clip(index, floor, cap) + margin
        accrual[:, place] = np.maximum(coupon[:, place], 0.0) * _fractions(
            starts, days, dates.day_count_code(tranche.day_count)
        )
    return coupon, accrual, tuple(rules)


def _margins(of: ClassTerms, margin: float, starts: Ints) -> Floats:
    """float64[n_dates]: the margin of each period, stepped up from the accrual start on or after the step's day."""
    made = np.full(starts.size, margin)
    for day, stepped in of.step_ups:
        made[starts >= dates.serial(day)] = stepped
    return made


def _scheduled(book: Book, document: Document, structure: Structure) -> Floats:
    kinds = {c.id: c.kind for c in document.classes}
    over = structure.class_x_periods
    return np.array(
        [
            t.original_balance / over if over and kinds[class_id(t.name)] == "class_x" else 0.0
            for t in book.deal.tranches
        ],
        dtype=np.float64,
    )


def _fees(structure: Structure, starts: Ints, days: Ints, index: Floats) -> tuple[Floats, Floats]:
    """Year fractions and interest on what is unpaid, float64[n_dates, n_fees]."""
    fractions = np.empty((days.size, len(structure.fees)))
    interest = np.zeros_like(fractions)
    for place, fee in enumerate(structure.fees):
        fractions[:, place] = _fractions(starts, days, fee.day_count)
        if fee.bears_interest:
            interest[:, place] = (index + fee.interest_spread) * fractions[:, place]
    return fractions, interest


def senior_fees(document: Document) -> NDArray[np.bool_]:
    """Fees of the interest waterfall before its first coverage test: they rank before the notes."""
    interest = next((w for w in document.waterfalls.values() if w.source == "interest"), None)
    steps = interest.steps if interest is not None else ()
    first_test = next((i for i, s in enumerate(steps) if s.type == "cure"), len(steps))
    before = {fee for step in steps[:first_test] for fee in step.ids("fees")}
    return np.array([f.id in before for f in document.fees], dtype=np.bool_)


def _triggers(structure: Structure, days: Ints) -> Floats:
    made = np.empty((days.size, len(structure.triggers)))
    for place, schedule in enumerate(structure.triggers):
        made[:, place] = schedule[0][1]
        for day, trigger in schedule[1:]:
            made[days >= dates.serial(day), place] = trigger
    return made


def _second_payment(structure: Structure) -> int:
    """Row of the deal's second payment date: interest coverage is tested from it on (spec 6.6)."""
    return 1 if structure.accrual_start == structure.closing else 0


def _callable(structure: Structure, days: Ints) -> NDArray[np.bool_]:
    if structure.no_call is None:
        return np.ones(days.size, dtype=np.bool_)
    return np.asarray(days >= dates.serial(structure.no_call))


def _strategy(
    proxy: Proxy, structure: Structure, table: FixingTable, starts: Ints, days: Ints, mix: Mix, place: int
) -> Strategy:
    """What is bought: it resets on the payment date before, accrues 30/360 (case REI-1)."""
    rates = mix.of[place] if mix.of else 0
    lag = mix.rows[rates].lag
    index = _fixings(table, table.row(structure.months_between), starts)
    return Strategy(
        share=proxy.share,
        coupon=np.maximum(index, proxy.floor) + proxy.spread,
        fraction=_fractions(starts, days, dates.THIRTY_360),
        periods=max(1, round(proxy.months / structure.months_between)),
        rates=rates,
        lag=None if lag is None else round(lag / structure.months_between),
        low=bool(mix.low) and mix.low[place],
    )


def _idle_yield(structure: Structure, starts: Ints, days: Ints, index: Floats) -> Floats:
    if structure.idle_spread is None:
        return np.zeros(days.size)
    return np.maximum(index + structure.idle_spread, 0.0) * _fractions(starts, days, dates.ACT_360)


def _dates(structure: Structure) -> dict[str, int]:
    named = {
        "analysis": structure.analysis,
        "closing": structure.closing,
        "effective": structure.effective,
        "no_call": structure.no_call or structure.closing,
        "reinvestment_end": structure.reinvestment_end,
        "stated_maturity": structure.stated_maturity,
    }
    return {name: dates.serial(day) for name, day in named.items()}


def _funding(book: Book, document: Document) -> float:
    """Cash of the revolver funding account, where the waterfall does not use it itself."""
    used = {account.number for account in document.accounts}
    return 0.0 if REVOLVER_FUNDING in used else max(_account(book, REVOLVER_FUNDING), 0.0)


def _account(book: Book, number: int | None) -> float:
    if number is None:
        return 0.0
    account = book.deal.account(number)
    return account.interest + account.principal


def sale_prices(pool: Pool, structure: Structure) -> Floats:
    """float64[n]: price of each asset at redemption, share of par: by its S&P rating where the deal says (D-06)."""
    made = np.full(len(pool), structure.sale_price)
    rank = pool.numbers("sp_issuer_rating")
    for group, price in structure.sale_prices.items():
        first, last = _GROUP_RANKS[group]
        made[(rank >= first) & (rank <= last)] = price
    return made


def haircuts(pool: Pool, structure: Structure, amended: Mapping[str, dt.date] | None = None) -> Floats:
    """float64[n]: share of each performing balance that coverage tests leave out, the largest that applies (6.6).

    Discount obligations are carried at their price, long-dated ones at what the deal allows, deferring ones at the
    lower of price and recovery; each only where the deal has the parameter.

    amended  maturities that are no longer those of the asset master, by asset id
    """
    price = np.nan_to_num(pool.numbers("market_value") / 100.0, nan=1.0)
    made = np.zeros(len(pool))
    if structure.discount_threshold is not None:
        made = np.where(price < structure.discount_threshold, np.maximum(made, 1.0 - price), made)
    if structure.long_dated_haircut is not None:
        due = [(amended or {}).get(a.asset_id, a.maturity) for a in pool.assets]
        late = np.array([day is not None and day > structure.stated_maturity for day in due])
        made = np.where(late, np.maximum(made, structure.long_dated_haircut), made)
    if structure.deferring_at_recovery:
        recovery = np.nan_to_num(pool.numbers("moodys_recovery_rate"), nan=0.0)
        carried = np.minimum(price, recovery)
        made = np.where(pool.flags("piking"), np.maximum(made, 1.0 - carried), made)
    return np.clip(made, 0.0, 1.0)


def pack_bucket(pool: Pool, left_out: Floats | None = None, bought: float | None = None) -> tuple[Ints, Bucket]:
    """The CCC (S&P) and Caa (Moody's) sets, highest price first; a missing price counts as par.

    left_out  float64[n]: haircuts that an asset bears already; the excess bears only what is beyond (lowest-of rule)
    bought    price, share of par, of what reinvestment buys of such assets: a watched balance after those of the pool,
              in both sets; None: it buys none
    Returns the rows of the assets to watch, and the sets in terms of these.
    """
    price = np.nan_to_num(pool.numbers("market_value") / 100.0, nan=1.0)
    beyond = price if left_out is None else np.minimum(price + left_out, 1.0)
    rated = [_below_b3(pool, name) for name in ("sp_issuer_rating", "moodys_rating")]
    watched = np.flatnonzero(rated[0] | rated[1])
    sides = []
    for chosen in rated:
        rows = np.flatnonzero(chosen)
        columns, prices, order = np.searchsorted(watched, rows), beyond[rows], price[rows]
        if bought is not None:
            columns, prices = np.append(columns, watched.size), np.append(prices, bought)
            order = np.append(order, bought)
        falling = np.argsort(-order, kind="stable")
        sides.append((columns[falling], prices[falling]))
    width = max(1, *(columns.size for columns, _ in sides))
    loans, by_price = np.full((2, width), -1, dtype=np.int64), np.ones((2, width))
    for row, (columns, prices) in enumerate(sides):
        loans[row, : columns.size], by_price[row, : columns.size] = columns, prices
    return watched, Bucket(loans, by_price)


def _below_b3(pool: Pool, name: str) -> NDArray[np.bool_]:
    """bool[n]: performing assets whose rating of this field is CCC+ or Caa1, or lower."""
    return np.asarray((pool.numbers(name) > ratings.MOODYS_RANK["B3"]) & ~pool.flags("defaulted"))


def _group_ranks() -> dict[str, tuple[int, int]]:
    """First and last rank of each rating group."""
    rank = ratings.SP_RANK
    return {
        "AAA": (rank["AAA"], rank["AAA"]),
        "AA": (rank["AA+"], rank["AA-"]),
        "A": (rank["A+"], rank["A-"]),
        "BBB": (rank["BBB+"], rank["BBB-"]),
        "BB": (rank["BB+"], rank["BB-"]),
        "B": (rank["B+"], rank["B-"]),
        "CCC": (rank["CCC+"], rank["D"]),
    }


_GROUP_RANKS = _group_ranks()
