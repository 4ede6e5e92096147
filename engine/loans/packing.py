"""Assets to the arrays of a tape: units fixed, what is missing filled by what the formulas need (spec: engine 1.1, 2).

Prices of assets become shares of par, dates serials, names of indices rows of the fixing table.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.asset import Asset
from engine.curves import FixingTable, index_label
from engine.loans.events import NO_EVENTS, Events, PikWindow
from engine.loans.tape import NEVER, Tape
from engine.pool import Pool
from engine.terms import Book, Sink

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOOKBACK: Final = 5
"""Business days that a rate compounded in arrears looks back where its name does not say (the loan market's)."""


class LoanTerms(Protocol):
    """What the packer takes from engine.structure.Structure."""

    @property
    def current_index(self) -> float: ...

    @property
    def analysis(self) -> dt.date: ...

    @property
    def calendar(self) -> dates.Calendar: ...

    @property
    def amortisation(self) -> float: ...


def pack_tape(
    pool: Pool,
    book: Book,
    structure: LoanTerms,
    table: FixingTable,
    lag_months: float | Floats,
    events: Events = NO_EVENTS,
    *,
    liquidation: Floats | None = None,
    haircut: Floats | None = None,
    pik_haircut: float = 1.0,
) -> Tape:
    """The pool as the kernels' arrays, with one constant prepayment rate, default rate and severity in rows 0, 1, 2
    (`vectors.assign` gives others).

    lag_months   of all assets or float64[n]
    liquidation  float64[n] prices of performing assets at a sale, share of par (None: par)
    haircut      float64[n] shares of performing balances that coverage tests leave out (None: nothing)
    pik_haircut  share of capitalised interest that coverage tests leave out

    Missing: a coupon is index + spread; a price of a loan in default is its recovery rate; a first payment date counts
    back from maturity; a dated date is one period before. Raises ValueError for an asset without maturity.
    """
    n = len(pool)
    spread = np.nan_to_num(pool.numbers("coupon_spread")) + np.nan_to_num(pool.numbers("credit_spread_adjustment"))
    floor = np.nan_to_num(pool.numbers("index_floor"), nan=0.0)
    cap = pool.numbers("index_cap")
    cap = np.where(np.isnan(cap) | (cap <= 0.0), np.inf, cap)
    coupon = pool.numbers("coupon")
    price = pool.numbers("market_value") / 100.0
    months, convention, index_row, lookback, anchor, dated, maturity = (np.empty(n, dtype=np.int64) for _ in range(7))
    in_arrears = np.zeros(n, dtype=np.bool_)
    pik_share, pik_from, pik_until = np.zeros(n), np.full(n, -NEVER), np.full(n, NEVER)
    sale_day, sale_price = np.full(n, NEVER), np.ones(n)
    last_sink: dict[str, dt.date] = {}
    for sink in book.reference.sinks:
        last_sink[sink.asset_id] = max(sink.date, last_sink.get(sink.asset_id, sink.date))
    calendar = structure.calendar
    for i, asset in enumerate(pool.assets):
        amended = (events.maturities or {}).get(asset.asset_id)
        final = amended or asset.maturity
        if final is None:
            raise ValueError(f"{asset.asset_id} has no maturity; enter it in All Assets.")
        if amended is None:
            final = max(final, last_sink.get(asset.asset_id, final))
        months[i] = 12 // (asset.payment_frequency or 4)
        convention[i] = dates.convention_code(asset.business_day_convention)
        anchor[i], dated[i] = _anchor(asset, asset.maturity or final, int(months[i]), structure.analysis)
        maturity[i] = dates.roll(dates.serial(final), convention[i], calendar.closed, calendar.closed_from)
        tenor, in_arrears[i], lookback[i] = index_terms(asset.index_name, int(months[i]))
        index_row[i] = table.row(tenor)
        window = (events.pik or {}).get(asset.asset_id, PikWindow() if asset.piking else None)
        if window is not None:
            pik_share[i] = window.share
            pik_from[i] = -NEVER if window.begin is None else dates.serial(window.begin)
            pik_until[i] = NEVER if window.end is None else dates.serial(window.end)
        sale = (events.sales or {}).get(asset.asset_id)
        if sale is not None:
            sale_day[i], sale_price[i] = dates.serial(sale.day), sale.price
    running = np.minimum(np.maximum(_running_index(pool, book, structure, dated, months, anchor), floor), cap) + spread
    start, days, shares = _sinks(pool, book.reference.sinks, convention, calendar)
    draw_start, draw_day, draw_amount = _draws(pool, events, structure.analysis)
    lags = np.broadcast_to(np.asarray(lag_months, dtype=np.float64), n)
    scheduled = np.array(["SCHEDUL" in text for text in pool.texts("amortization_type")], dtype=np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(pool.par > 0.0, np.nan_to_num(pool.numbers("pik_amount")) / pool.par, 0.0)
    return Tape(
        par=pool.par.copy(),
        coupon=np.where(np.isnan(coupon), running, coupon),
        spread=spread,
        floor=floor,
        cap=cap,
        is_float=np.asarray(pool.texts("coupon_type") != "FIXED", dtype=np.bool_),
        index_row=index_row,
        in_arrears=in_arrears,
        lookback=lookback,
        months=months,
        anchor=anchor,
        dated=dated,
        maturity=maturity,
        month_end=pool.flags("payment_eom").copy(),
        convention=convention,
        day_count=np.array([dates.day_count_code(a.day_count) for a in pool.assets], dtype=np.int64),
        amortisation=np.where(scheduled, structure.amortisation, 0.0),
        sink_start=start,
        sink_day=days,
        sink_share=shares,
        pik_share=pik_share,
        pik_from=pik_from,
        pik_until=pik_until,
        pik_part=np.clip(part, 0.0, 1.0),
        defaulted=pool.flags("defaulted").copy(),
        mark=np.where(np.isnan(price), np.nan_to_num(pool.numbers("moodys_recovery_rate"), nan=0.0), price),
        lag=np.rint(lags / months).astype(np.int64),
        lag_months=np.rint(lags).astype(np.int64),
        unfunded=np.nan_to_num(pool.numbers("unfunded_amount")),
        commitment_fee=np.nan_to_num(pool.numbers("commitment_fee")),
        draw_start=draw_start,
        draw_day=draw_day,
        draw_amount=draw_amount,
        sale_day=sale_day,
        sale_price=sale_price,
        liquidation=np.ones(n) if liquidation is None else np.array(liquidation, dtype=np.float64),
        haircut=np.zeros(n) if haircut is None else np.array(haircut, dtype=np.float64),
        pik_haircut=np.maximum(pik_haircut, np.zeros(n) if haircut is None else haircut),
        cpr=np.zeros(n, dtype=np.int64),
        cdr=np.ones(n, dtype=np.int64),
        severity=np.full(n, 2, dtype=np.int64),
        vector_size=np.ones(3, dtype=np.int64),
        vector_step=np.zeros(3, dtype=np.int64),
        vector_from_age=np.zeros(3, dtype=np.bool_),
        vector_absolute=np.zeros(3, dtype=np.bool_),
    )


def _anchor(asset: Asset, maturity: dt.date, months: int, analysis: dt.date) -> tuple[int, int]:
    """First payment date and start of the first accrual, as serials."""
    if asset.first_payment_date is not None:
        first = dates.serial(asset.first_payment_date)
    else:
        first, k = dates.serial(maturity), 1
        while first > dates.serial(analysis):
            first = dates.add_months(dates.serial(maturity), -k * months, False)
            k += 1
        first = dates.add_months(first, months, False)
    before = dates.add_months(first, -months, False)
    dated = before if asset.dated_date is None else min(dates.serial(asset.dated_date), first)
    return first, dated


def index_terms(index_name: str | None, months: int) -> tuple[int, bool, int]:
    """Tenor in months, whether compounded in arrears, and its lookback in business days.

    "1M Term SOFR" is one month; "SOFR compounded in arrears, 5 day lookback" has tenor 0; without a tenor in the name,
    the payment period.
    """
    name = index_name or ""
    if re.search(r"arrears|compounded|daily", name, re.IGNORECASE):
        back = re.search(r"(\d+)\s*-?\s*(?:business\s*)?(?:days?|D|BD)\b", name, re.IGNORECASE)
        return 0, True, int(back.group(1)) if back else LOOKBACK
    _, tenor = index_label(name)
    return tenor or months, False, 0


def _running_index(pool: Pool, book: Book, structure: LoanTerms, dated: Ints, months: Ints, anchor: Ints) -> Floats:
    """The index of each running period: its fixing where the book has it, else the deal's current index."""
    index = np.full(len(pool), structure.current_index, dtype=np.float64)
    known = {(index_label(f.index), dates.serial(f.date)): f.rate for f in book.reference.fixings}
    if not known:
        return index
    today = dates.serial(structure.analysis)
    for i, asset in enumerate(pool.assets):
        if asset.index_name is None:
            continue
        name = index_label(asset.index_name)
        start, k = int(dated[i]), 0
        while (day := dates.add_months(anchor[i], k * months[i], False)) <= today:
            start, k = day, k + 1
        # a fixing on a closed day is that of the last day before it, at most a week old
        found = next((known[name, start - back] for back in range(8) if (name, start - back) in known), None)
        if found is not None:
            index[i] = found
    return index


def _sinks(
    pool: Pool, sinks: tuple[Sink, ...], convention: Ints, calendar: dates.Calendar
) -> tuple[Ints, Ints, Floats]:
    """Sink tables as slices: day on a business day, share of the balance left (spec 2.4)."""
    by_asset: dict[str, list[Sink]] = {}
    for sink in sinks:
        by_asset.setdefault(sink.asset_id, []).append(sink)
    start = np.zeros(len(pool) + 1, dtype=np.int64)
    days: list[int] = []
    shares: list[float] = []
    for i, asset in enumerate(pool.assets):
        rows = sorted(by_asset.get(asset.asset_id, []), key=lambda s: s.date)
        left = sum(s.amount for s in rows)
        for row in rows:
            days.append(dates.roll(dates.serial(row.date), convention[i], calendar.closed, calendar.closed_from))
            shares.append(row.amount / left if left > 0 else 1.0)
            left -= row.amount
        start[i + 1] = len(days)
    return start, np.array(days, dtype=np.int64), np.array(shares, dtype=np.float64)


def _draws(pool: Pool, events: Events, analysis: dt.date) -> tuple[Ints, Ints, Floats]:
    """Draws as slices, in the order of their days, cut where the commitment ends."""
    start = np.zeros(len(pool) + 1, dtype=np.int64)
    days: list[int] = []
    amounts: list[float] = []
    usual = dates.add_months(dates.serial(analysis), events.draw_months, False)
    for i, asset in enumerate(pool.assets):
        left = asset.unfunded_amount or 0.0
        listed = (events.draws or {}).get(asset.asset_id)
        rows = [(usual, left * events.draw_share)] if listed is None else [(dates.serial(d), a) for d, a in listed]
        for day, wanted in sorted(rows):
            amount = min(wanted, left)
            if amount > 0.0:
                days.append(day)
                amounts.append(amount)
                left -= amount
        start[i + 1] = len(days)
    return start, np.array(days, dtype=np.int64), np.array(amounts, dtype=np.float64)
