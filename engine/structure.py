"""The deal's terms ready to project: read from its blocks, what is blank filled from assumed terms (`blanks`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from engine import calendars, dates
from engine.blanks import (
    Reader,
    figure,
    first_given,
    pool_rate,
    says_yes,
    shown,
    tabled,
    vector_notes,
    whole_number,
)
from engine.blanks import StructureError as StructureError
from engine.contributions import PutIn, read_contributions
from engine.schedule import accrual_start, months_after, payment_dates
from engine.terms import COLLECTION, INTEREST_RESERVE, RAMP_UP, REVOLVER_FUNDING, Book, Deal, Fee, PaymentDate, number
from engine.waterfall.document import Document, FeeClause, TestTerms, class_id


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """A fee of the deal; basis begin, average, end, performing or none."""

    name: str
    percent: float
    fixed: float
    basis: str
    day_count: int
    unpaid: float
    bears_interest: bool
    interest_spread: float


@dataclass(frozen=True, slots=True)
class ReinvestmentTerms:
    """Bases are ALL PRINCIPAL, UNSCHEDULED PRINCIPAL or anything else for none; price a share of par.

    cpr, cdr, severity, lag of what is bought; None: as the pool.
    """

    pre_base: str
    pre_share: float
    post_base: str
    post_share: float
    spread: float
    floor: float
    maturity_months: float
    price: float
    cpr: float | None
    cdr: float | None
    severity: float | None
    lag: float | None


@dataclass(frozen=True, slots=True)
class Structure:
    """Everything of the liabilities that a run needs. Money in the deal's currency; shares and rates as fractions.

    triggers    of each test: (date from which it holds, ratio), rising
    inputs      figures of the document, by id
    call_below  equity distribution (share of its original balance) under which the deal is called
    clean_up    share of the par at the start under which the deal is called
    idle_spread  over the index, that idle cash earns; None: nothing
    discount_threshold, long_dated_haircut, deferring_at_recovery  what coverage tests carry below par (`pack.haircuts`)
    contributed  what holders put in: id of the contribution, row of the payment date, amount
    sale_prices  of performing assets at redemption, by rating group, share of par; sale_price of all others
    """

    analysis: dt.date
    closing: dt.date
    accrual_start: dt.date
    stated_maturity: dt.date
    effective: dt.date
    reinvestment_end: dt.date
    months_between: int
    schedule: tuple[PaymentDate, ...]
    fees: tuple[FeeTerms, ...]
    triggers: tuple[tuple[tuple[dt.date, float], ...], ...]
    inputs: Mapping[str, float]
    no_call: dt.date | None
    call_below: float | None
    clean_up: float | None
    purchased_interest: float
    idle_spread: float | None
    discount_threshold: float | None
    long_dated_haircut: float | None
    deferring_at_recovery: bool
    hurdle: float
    manager_share: float
    equity_purchase_price: float
    ccc_limit: float
    class_x_periods: int
    reinvestment: ReinvestmentTerms
    cpr: float
    cdr: float
    severity: float
    lag: float
    sale_price: float
    sale_prices: Mapping[str, float]
    amortisation: float
    current_index: float
    opening_fee_basis: float | None
    in_default: bool
    calendar: dates.Calendar
    contributed: tuple[PutIn, ...]
    assumed: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_structure(book: Book, document: Document, defaults: Mapping[str, Any]) -> Structure:
    """The structure of a deal under a waterfall document.

    defaults  the assumed terms (resources/assumed_terms.yaml). Raises StructureError for what cannot be assumed.
    """
    deal = book.deal
    reader = Reader(deal, defaults)
    analysis = deal.analysis_date
    if analysis is None:
        raise StructureError(f"{deal.name} has no Analysis date; enter it under Current Period Dates.")
    if not deal.tranches:
        raise StructureError(f"{deal.name} has no classes; enter them under Liabilities.")
    closing = deal.date("Closing Date") or analysis
    maturity = deal.date("Stated Maturity") or (deal.schedule[-1].payment if deal.schedule else None)
    if maturity is None:
        raise StructureError(f"{deal.name} has no Stated Maturity; enter it under Deal Dates.")
    holidays = book.reference.holidays or calendars.us_holidays(analysis.year - 1, maturity.year + 1)
    calendar = dates.Calendar(holidays)
    months = whole_number(deal, "Months Between Payments", 3)
    if months not in (1, 2, 3, 4, 6, 12):
        raise StructureError(f"Months Between Payments of {deal.name} are {months}; 1, 2, 3, 4, 6 or 12 divide a year.")
    schedule = payment_dates(deal, analysis, maturity, months, calendar)
    effective = reader.date("Effective Date", months_after(closing, int(defaults["months_to_effective"])))
    years_on = months_after(closing, 12 * int(defaults["reinvestment_years"]))
    last_purchase = next((row.payment for row in schedule if row.payment >= years_on), schedule[-1].payment)
    reinvestment_end = reader.date("Reinvestment End Date", last_purchase)
    fees = tuple(_fee(deal, fee, reader) for fee in document.fees)
    index = deal.current_index if deal.current_index is not None else number(deal.quality_inputs, "Current LIBOR")
    if index is None:
        raise StructureError(f"{deal.name} has no Current Libor Rate; enter it under LIBOR.")
    accrues_from = accrual_start(deal, analysis, closing, schedule[0].payment)
    contributed, left_out = read_contributions(deal, document, schedule, accrues_from)
    incentive = defaults["incentive_fee"]
    flows = defaults["collateral"]
    structure = Structure(
        analysis=analysis,
        closing=closing,
        accrual_start=accrues_from,
        stated_maturity=maturity,
        effective=effective,
        reinvestment_end=reinvestment_end,
        months_between=months,
        schedule=schedule,
        fees=fees,
        triggers=tuple(_trigger(deal, test, reader) for test in document.tests),
        inputs={i.id: figure(deal, i.label, i.default) for i in document.inputs},
        no_call=deal.date("No Call Date"),
        call_below=number(deal.cash_flow_inputs, "Call when Quarterly Sub Dist <"),
        clean_up=number(deal.clo_inputs, "Clean-Up Call Percent"),
        purchased_interest=figure(deal, "Purchase Finance Accrued Interest", 0.0),
        idle_spread=number(deal.clo_inputs, "Eligible Investments Spread"),
        discount_threshold=number(deal.clo_inputs, "Discount Obligation Threshold"),
        long_dated_haircut=number(deal.clo_inputs, "Long-Dated Haircut"),
        deferring_at_recovery=says_yes(deal, "Deferring Obligations At Recovery"),
        hurdle=reader.number(("clo_inputs",), "Incentive Management Fee Hurdle", incentive["hurdle"], "%"),
        manager_share=reader.number(("clo_inputs",), "Incentive Management Fee", incentive["share"], "%"),
        equity_purchase_price=reader.number(
            ("clo_inputs",), "Equity Purchase Price", defaults["equity_purchase_price"], "%"
        ),
        ccc_limit=reader.number(("clo_inputs",), "CCC Asset Haircut Percent", defaults["ccc_excess_threshold"], "%"),
        class_x_periods=_class_x_periods(deal, reader),
        reinvestment=_reinvestment(book, reader),
        cpr=pool_rate(book, reader, "Collateral CPR", "prepay", flows["cpr"]),
        cdr=pool_rate(book, reader, "Collateral CDR", "default", flows["cdr"]),
        severity=pool_rate(book, reader, "Collateral Severity", "severity", flows["severity"]),
        lag=pool_rate(book, reader, "Collateral Lag (months)", "lag", flows["lag"], ""),
        sale_price=reader.number(("cash_flow_inputs",), "Liquidation Price", flows["sale_price"], "%"),
        sale_prices={
            group: price
            for group in SALE_GROUPS
            if (price := number(deal.cash_flow_inputs, f"{group} Liquidation Price")) is not None
        },
        amortisation=float(defaults["collateral_amortisation"]),
        current_index=index,
        opening_fee_basis=number(deal.clo_inputs, "Beg Fee Basis"),
        in_default=says_yes(deal, "Event of Default"),
        calendar=calendar,
        contributed=contributed,
        assumed=(),
    )
    notes = []
    tabled = {sink.asset_id for sink in book.reference.sinks}
    without = sum(
        asset.asset_id not in tabled and "SCHEDUL" in (asset.amortization_type or "").upper()
        for asset, _ in book.positions()
    )
    if without:
        share = shown(structure.amortisation, "%")
        notes.append(f"{without} assets without a table of scheduled amortisation repay {share} of par a year.")
    notes += [*vector_notes(book), *left_out]
    used = {COLLECTION, RAMP_UP, INTEREST_RESERVE, REVOLVER_FUNDING, *(a.number for a in document.accounts)}
    other = [a.name for a in deal.accounts if a.number not in used and a.principal]
    if other:
        notes.append(f"Balances of the accounts {', '.join(other)} are not used by this waterfall.")
    return replace(structure, assumed=tuple(reader.assumed), notes=tuple(notes))


def _fee(deal: Deal, clause: FeeClause, reader: Reader) -> FeeTerms:
    name = clause.name
    given = next((f for f in deal.fees if f.name.strip().casefold() == name.casefold()), Fee(name))
    if given.percentage is None and given.fixed_amount is None:
        terms = reader.defaults["fees"].get(name)
        if terms is None:
            terms = {"percentage": 0.0, "fixed_amount": 0.0}
        given = Fee(name, unpaid=given.unpaid, **{k: v for k, v in terms.items() if k != "name"})
        reader.assumed.append(
            f"{name} {shown(given.percentage or 0.0, '%')} and {shown(given.fixed_amount or 0.0, '')} a year"
        )
    return FeeTerms(
        name=name,
        percent=given.percentage or 0.0,
        fixed=given.fixed_amount or 0.0,
        basis=clause.basis or ("average" if (given.basis or "").strip().upper() == "AVERAGE" else "begin"),
        day_count=dates.day_count_code(given.day_count),
        unpaid=given.unpaid or 0.0,
        bears_interest=bool(given.interest_on_unpaid),
        interest_spread=given.interest_spread or 0.0,
    )


def _trigger(deal: Deal, test: TestTerms, reader: Reader) -> tuple[tuple[dt.date, float], ...]:
    if isinstance(test.trigger, tuple):
        return test.trigger
    return ((dt.date.min, _constant_trigger(deal, test, reader)),)


def _constant_trigger(deal: Deal, test: TestTerms, reader: Reader) -> float:
    if isinstance(test.trigger, float | int):
        return float(test.trigger)
    if isinstance(test.trigger, str):
        kind = "interest_diversion_trigger" if test.type == "diversion" else "event_of_default_trigger"
        return reader.number(("clo_inputs",), test.trigger, reader.defaults[kind])
    tranche = next((t for t in deal.tranches if class_id(t.name) == test.of), None)
    found = None if tranche is None else (tranche.ic_trigger if test.type == "ic" else tranche.oc_trigger)
    if found is None:
        what = "IC Test" if test.type == "ic" else "OC Test"
        raise StructureError(f"Class {test.of} has no {what} trigger; enter it under Liabilities.")
    return found


def _class_x_periods(deal: Deal, reader: Reader) -> int:
    if not any(class_id(t.name) == "X" for t in deal.tranches):
        return 0
    return int(reader.number(("clo_inputs",), "Class X Amortisation Periods", reader.defaults["class_x_periods"]))


def _reinvestment(book: Book, reader: Reader) -> ReinvestmentTerms:
    d = reader.defaults["reinvestment"]
    block, flows = ("cash_flow_inputs",), reader.deal.cash_flow_inputs
    return ReinvestmentTerms(
        pre_base=reader.text("Pre Reinvestment Type", d["pre_base"]),
        pre_share=reader.number(block, "Pre Reinvestment %", d["pre_share"], "%"),
        post_base=reader.text("Post Reinvestment", d["post_base"]),
        post_share=reader.number(block, "Post Reinvestment%", d["post_share"], "%"),
        spread=reader.number(block, "Reinvestment Spread", d["spread"], "%"),
        floor=reader.number(block, "Reinvestment Floor", d["floor"], "%"),
        maturity_months=reader.number(block, "Reinvestment Maturity", d["maturity_months"], " months"),
        price=reader.number(block, "Reinvestment Price", d["price"], "%"),
        cpr=first_given(tabled(book, "REINVEST", "prepay"), number(flows, "Reinvestment CPR")),
        cdr=first_given(tabled(book, "REINVEST", "default"), number(flows, "Reinvestment CDR")),
        severity=first_given(tabled(book, "REINVEST", "severity"), *(number(flows, w) for w in _SEVERITY_LABELS)),
        lag=first_given(tabled(book, "REINVEST", "lag"), number(flows, "Reinvestment Lag")),
    )


SALE_GROUPS: Final = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")
"""Rating groups that a deal may give liquidation prices for; CCC is everything below B."""

_SEVERITY_LABELS: Final = ("Reinvestment Severity", "Reinverstment Severity")
"""The managers' workbook has the second spelling."""


def opening_cash(deal: Deal, used: Collection[int | None] = ()) -> tuple[float, float]:
    """Interest and principal in hand at the start: collection, ramp-up principal, interest reserve (spec 1.4, 9.3).

    used  numbers of accounts that the waterfall draws on itself: they stay what they are
    """
    collection = deal.account(COLLECTION)
    reserve = 0.0 if INTEREST_RESERVE in used else deal.account(INTEREST_RESERVE).principal
    ramp_up = 0.0 if RAMP_UP in used else deal.account(RAMP_UP).principal
    return collection.interest + reserve, collection.principal + ramp_up
