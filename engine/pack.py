"""Terms to arrays: the one border where units, shapes and codes are fixed.

Prices of assets become shares of par, dates serials, missing values what the formula needs (said where it happens).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine import dates, ratings
from engine import projection_kernel as pk
from engine.asset import Asset
from engine.assumptions import Assumptions
from engine.collateral import Market, Tape
from engine.curves import Curve, FixingTable, fixing_table
from engine.pool import Pool
from engine.structure import ReinvestmentTerms, Structure, opening_cash
from engine.terms import Book, Sink
from engine.waterfall import kernel as wf
from engine.waterfall.schema import Document, class_id

Floats = NDArray[np.float64]

_BASES = {"ALL PRINCIPAL": pk.ALL_PRINCIPAL, "UNSCHEDULED PRINCIPAL": pk.UNSCHEDULED_PRINCIPAL}
_TEST_TYPES = {"oc": wf.OC, "ic": wf.IC, "diversion": wf.DIVERSION, "eod": wf.EOD}


def pack_curve(book: Book, structure: Structure, shift: float) -> Curve:
    """The deal's curve; without one, flat at the current index."""
    if book.reference.curve:
        return Curve.of_nodes(structure.analysis, book.reference.curve, shift)
    return Curve.flat(structure.analysis, structure.current_index, shift)


def pack_market(curve: Curve, structure: Structure, rates: tuple[float, float, float]) -> tuple[Market, FixingTable]:
    """Fixings from the analysis date to the last payment date, calendar, and the vectors cpr, cdr, severity."""
    first = dates.serial(min(structure.analysis, structure.schedule[0].determination or structure.analysis))
    table = fixing_table(curve, first, dates.serial(structure.schedule[-1].payment))
    market = Market(
        vectors=np.array(rates, dtype=np.float64).reshape(3, 1),
        vector_size=np.ones(3, dtype=np.int64),
        fixings=table.rates,
        fixings_from=table.first_day,
        closed=structure.calendar.closed,
        closed_from=structure.calendar.closed_from,
    )
    return market, table


def pack_tape(pool: Pool, book: Book, structure: Structure, table: FixingTable, lag_months: float) -> Tape:
    """The pool as the kernel's arrays.

    Missing: a coupon is index + spread; a price of a loan in default is its recovery rate; a first payment date counts
    back from maturity; a dated date is one period before. Raises ValueError for an asset without maturity.
    """
    n = len(pool)
    is_float = pool.texts("coupon_type") != "FIXED"
    spread = np.nan_to_num(pool.numbers("coupon_spread")) + np.nan_to_num(pool.numbers("credit_spread_adjustment"))
    floor = np.nan_to_num(pool.numbers("index_floor"), nan=0.0)
    cap = pool.numbers("index_cap")
    cap = np.where(np.isnan(cap) | (cap <= 0.0), np.inf, cap)
    coupon = pool.numbers("coupon")
    running = np.minimum(np.maximum(structure.current_index, floor), cap) + spread
    price = pool.numbers("market_value") / 100.0
    mark = np.where(np.isnan(price), np.nan_to_num(pool.numbers("moodys_recovery_rate"), nan=0.0), price)
    months = np.empty(n, dtype=np.int64)
    anchor, dated, maturity = (np.empty(n, dtype=np.int64) for _ in range(3))
    convention, index_row = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    last_sink: dict[str, dt.date] = {}
    for sink in book.reference.sinks:
        last_sink[sink.asset_id] = max(sink.date, last_sink.get(sink.asset_id, sink.date))
    for i, asset in enumerate(pool.assets):
        if asset.maturity is None:
            raise ValueError(f"{asset.asset_id} has no maturity; enter it in All Assets.")
        months[i] = 12 // (asset.payment_frequency or 4)
        convention[i] = dates.convention_code(asset.business_day_convention)
        anchor[i], dated[i] = _anchor(asset, asset.maturity, int(months[i]), structure.analysis)
        final = max(asset.maturity, last_sink.get(asset.asset_id, asset.maturity))
        maturity[i] = dates.roll(
            dates.serial(final), convention[i], structure.calendar.closed, structure.calendar.closed_from
        )
        index_row[i] = table.row(_tenor(asset.index_name, int(months[i])))
    start, days, shares = _sinks(pool, book.reference.sinks, convention, structure)
    scheduled = np.array(["SCHEDUL" in text for text in pool.texts("amortization_type")], dtype=np.bool_)
    return Tape(
        par=pool.par.copy(),
        coupon=np.where(np.isnan(coupon), running, coupon),
        spread=spread,
        floor=floor,
        cap=cap,
        is_float=np.asarray(is_float, dtype=np.bool_),
        index_row=index_row,
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
        capitalises=pool.flags("piking").copy(),
        defaulted=pool.flags("defaulted").copy(),
        mark=mark,
        lag=np.rint(lag_months / months).astype(np.int64),
        cpr=np.zeros(n, dtype=np.int64),
        cdr=np.ones(n, dtype=np.int64),
        severity=np.full(n, 2, dtype=np.int64),
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


def _tenor(index_name: str | None, months: int) -> int:
    """Months of the index a loan resets on: "1M Term SOFR" is 1; otherwise the payment period."""
    match = re.match(r"\s*(\d+)\s*-?\s*M", index_name or "", re.IGNORECASE)
    return int(match.group(1)) if match else months


def _sinks(
    pool: Pool, sinks: tuple[Sink, ...], convention: NDArray[np.int64], structure: Structure
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Sink tables as slices: day on a business day, share of the balance left (spec 2.4)."""
    by_asset: dict[str, list[Sink]] = {}
    for sink in sinks:
        by_asset.setdefault(sink.asset_id, []).append(sink)
    start = np.zeros(len(pool) + 1, dtype=np.int64)
    days: list[int] = []
    shares: list[float] = []
    calendar = structure.calendar
    for i, asset in enumerate(pool.assets):
        rows = sorted(by_asset.get(asset.asset_id, []), key=lambda s: s.date)
        left = sum(s.amount for s in rows)
        for row in rows:
            days.append(dates.roll(dates.serial(row.date), convention[i], calendar.closed, calendar.closed_from))
            shares.append(row.amount / left if left > 0 else 1.0)
            left -= row.amount
        start[i + 1] = len(days)
    return start, np.array(days, dtype=np.int64), np.array(shares, dtype=np.float64)


def pack_schedule(structure: Structure, assumptions: Assumptions) -> pk.Schedule:
    payment = dates.serials(row.payment for row in structure.schedule)
    redemption = payment.size - 1
    if assumptions.call_date is not None:
        last = structure.schedule[-1].payment
        if not structure.analysis < assumptions.call_date <= last:
            raise ValueError(
                f"Redemption from {assumptions.call_date.isoformat()} is not possible; choose a day after the analysis "
                f"date {structure.analysis.isoformat()} and not after the last payment date {last.isoformat()}."
            )
        redemption = min(redemption, int(np.searchsorted(payment, dates.serial(assumptions.call_date))))
    return pk.Schedule(
        payment=payment,
        determination=dates.serials(row.determination or row.payment for row in structure.schedule),
        end=dates.serials(row.collection_end or row.payment for row in structure.schedule),
        accrual_start=dates.serial(structure.accrual_start),
        redemption=redemption,
        reinvest_until=dates.serial(structure.reinvestment_end) if assumptions.reinvest else 0,
        tests_from=dates.serial(structure.effective),
        accelerated=structure.in_default,
    )


def pack_notes(book: Book, document: Document, structure: Structure) -> pk.Notes:
    tranches = book.deal.tranches
    kinds = {c.id: c.kind for c in document.classes}
    order = [step.ids("classes") for step in document.sections["nps"] if step.type == "pay_principal"]
    rank = {name: place for place, group in enumerate(order) for name in group}
    ids = [class_id(t.name) for t in tranches]
    fixed = [(t.coupon_type or "").strip().casefold() == "fixed" for t in tranches]
    x_payment = [
        t.original_balance / structure.class_x_periods if kinds[i] == "class_x" and structure.class_x_periods else 0.0
        for i, t in zip(ids, tranches, strict=True)
    ]
    return pk.Notes(
        balance=np.array([t.current_balance for t in tranches], dtype=np.float64),
        deferred=np.array([t.deferred_balance for t in tranches], dtype=np.float64),
        margin=np.array([t.spread or 0.0 for t in tranches], dtype=np.float64),
        is_fixed=np.array(fixed, dtype=np.bool_),
        deferrable=np.array([bool(t.deferrable) for t in tranches], dtype=np.bool_),
        is_equity=np.array([kinds[i] == "equity" for i in ids], dtype=np.bool_),
        day_count=np.array([dates.day_count_code(t.day_count) for t in tranches], dtype=np.int64),
        rank=np.array([rank.get(i, -1) for i in ids], dtype=np.int64),
        scheduled=np.array(x_payment, dtype=np.float64),
    )


def pack_fees(structure: Structure, document: Document, opening_basis: float) -> pk.Fees:
    terms = structure.fees
    # fees of the interest waterfall before its first coverage test rank before the notes
    steps = document.sections["interest"]
    first_test = next((i for i, s in enumerate(steps) if s.type == "cure"), len(steps))
    before = {fee for step in steps[:first_test] for fee in step.ids("fees")}
    return pk.Fees(
        percent=np.array([t.percent for t in terms], dtype=np.float64),
        fixed=np.array([t.fixed for t in terms], dtype=np.float64),
        average=np.array([t.average for t in terms], dtype=np.bool_),
        day_count=np.array([t.day_count for t in terms], dtype=np.int64),
        unpaid=np.array([t.unpaid for t in terms], dtype=np.float64),
        bears_interest=np.array([t.bears_interest for t in terms], dtype=np.bool_),
        interest_spread=np.array([t.interest_spread for t in terms], dtype=np.float64),
        senior=np.array([fee in before for fee in document.fees], dtype=np.bool_),
        capped=np.array([fee in document.capped for fee in document.fees], dtype=np.bool_),
        cap_fixed=structure.cap_fixed,
        cap_percent=structure.cap_percent,
        opening_basis=opening_basis if structure.opening_fee_basis is None else structure.opening_fee_basis,
    )


def pack_tests(document: Document, structure: Structure, ids: tuple[str, ...]) -> pk.Tests:
    return pk.Tests(
        type=np.array([_TEST_TYPES[t.type] for t in document.tests], dtype=np.int64),
        trigger=np.array(structure.triggers, dtype=np.float64),
        covered=np.array([[i in t.classes for i in ids] for t in document.tests], dtype=np.bool_).reshape(-1, len(ids)),
    )


def pack_policy(
    structure: Structure,
    assumptions: Assumptions,
    rates: Mapping[str, float],
    table: FixingTable,
    equity_flows: tuple[tuple[dt.date, float], ...],
) -> pk.Policy:
    """rates: cpr, cdr, severity, lag of the pool. equity_flows: up to the analysis date, purchase negative.

    What is bought follows the assumptions asked for, else the deal's reinvestment inputs, else the pool.
    """
    terms: ReinvestmentTerms = structure.reinvestment

    def bought(name: str) -> float:
        own: float | None = getattr(terms, name)
        return rates[name] if own is None or getattr(assumptions, name) is not None else own

    start = dates.serial(structure.closing)
    grown = sum(
        amount * (1.0 + structure.hurdle) ** ((start - dates.serial(day)) / 365.0) for day, amount in equity_flows
    )
    price = assumptions.sale_price / 100.0 if assumptions.sale_price is not None else structure.sale_price
    return pk.Policy(
        pre_base=_BASES.get(terms.pre_base, pk.NO_PRINCIPAL) if assumptions.reinvest else pk.NO_PRINCIPAL,
        pre_share=terms.pre_share,
        post_base=_BASES.get(terms.post_base, pk.NO_PRINCIPAL) if assumptions.reinvest else pk.NO_PRINCIPAL,
        post_share=terms.post_share,
        price=terms.price,
        spread=terms.spread,
        floor=terms.floor,
        index_row=table.row(structure.months_between),
        periods=max(1, round(terms.maturity_months / structure.months_between)),
        cpr=bought("cpr"),
        cdr=bought("cdr"),
        severity=bought("severity"),
        lag=round(bought("lag") / structure.months_between),
        sale_price=price,
        hurdle=structure.hurdle,
        manager_share=structure.manager_share,
        hurdle_value=grown,
        hurdle_day=start,
    )


def pack_opening(book: Book, tape: Tape, structure: Structure) -> pk.Opening:
    interest, principal = opening_cash(book.deal)
    return pk.Opening(
        interest=interest,
        principal=principal,
        performing=float(tape.par[~tape.defaulted].sum()),
        defaulted=float(tape.par[tape.defaulted].sum()),
        carrying=float((tape.par * tape.mark)[tape.defaulted].sum()),
        current_index=structure.current_index,
        ccc_limit=structure.ccc_limit,
    )


def pack_bucket(pool: Pool) -> pk.Bucket:
    """The CCC (S&P) and Caa (Moody's) sets, highest price first; a missing price counts as par."""
    lowest = ratings.MOODYS_RANK["B3"]
    price = np.nan_to_num(pool.numbers("market_value") / 100.0, nan=1.0)
    sides = []
    for name in ("sp_issuer_rating", "moodys_rating"):
        rank = pool.numbers(name)
        chosen = np.flatnonzero((rank > lowest) & ~pool.flags("defaulted"))
        sides.append(chosen[np.argsort(-price[chosen], kind="stable")])
    width = max(1, *(side.size for side in sides))
    loans, prices = np.full((2, width), -1, dtype=np.int64), np.ones((2, width))
    for row, side in enumerate(sides):
        loans[row, : side.size], prices[row, : side.size] = side, price[side]
    return pk.Bucket(loans, prices)
