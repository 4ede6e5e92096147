"""The deal's terms ready to project: read from its blocks, blanks filled from assumed terms, each filling named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine import calendars, dates
from engine.terms import COLLECTION, INTEREST_RESERVE, RAMP_UP, Book, Deal, Fee, PaymentDate, lookup, number
from engine.waterfall.schema import Document, TestTerms, class_id


class StructureError(ValueError):
    """The deal lacks what a projection cannot do without; the text says what and where to enter it."""


@dataclass(frozen=True, slots=True)
class FeeTerms:
    name: str
    percent: float
    fixed: float
    average: bool
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
    """Everything of the liabilities that a run needs. Money in the deal's currency; shares and rates as fractions."""

    analysis: dt.date
    closing: dt.date
    accrual_start: dt.date
    stated_maturity: dt.date
    effective: dt.date
    reinvestment_end: dt.date
    months_between: int
    schedule: tuple[PaymentDate, ...]
    fees: tuple[FeeTerms, ...]
    triggers: tuple[float, ...]
    cap_fixed: float
    cap_percent: float
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
    amortisation: float
    current_index: float
    opening_fee_basis: float | None
    in_default: bool
    calendar: dates.Calendar
    assumed: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader:
    """Reads terms of a deal; what it had to assume is kept in `assumed`."""

    deal: Deal
    defaults: Mapping[str, Any]
    assumed: list[str] = field(default_factory=list)

    def number(self, blocks: tuple[str, ...], label: str, default: float, unit: str = "") -> float:
        """The number beside `label` in the first block that has it, else `default`, noted."""
        for block in blocks:
            found = number(getattr(self.deal, block), label)
            if found is not None:
                return found
        self.assumed.append(f"{label} {_shown(default, unit)}")
        return default

    def text(self, label: str, default: str) -> str:
        found = lookup(self.deal.cash_flow_inputs, label)
        if found is None:
            self.assumed.append(f"{label} {default}")
            return default
        return str(found).strip().upper()

    def date(self, label: str, default: dt.date) -> dt.date:
        found = self.deal.date(label)
        if found is not None:
            return found
        self.assumed.append(f"{label} {default.isoformat()}")
        return default


def _shown(value: float, unit: str) -> str:
    return f"{value * 100:.4g} %" if unit == "%" else f"{value:,.10g}{unit}"


def read_structure(book: Book, document: Document, defaults: Mapping[str, Any]) -> Structure:
    """The structure of a deal under a waterfall document.

    defaults  the assumed terms (resources/assumed_terms.yaml). Raises StructureError for what cannot be assumed.
    """
    deal = book.deal
    reader = _Reader(deal, defaults)
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
    months = _whole(deal, "Months Between Payments", 3)
    if months not in (1, 2, 3, 4, 6, 12):
        raise StructureError(f"Months Between Payments of {deal.name} are {months}; 1, 2, 3, 4, 6 or 12 divide a year.")
    schedule = _schedule(deal, analysis, maturity, months, calendar)
    effective = reader.date("Effective Date", _months_after(closing, int(defaults["months_to_effective"])))
    years_on = _months_after(closing, 12 * int(defaults["reinvestment_years"]))
    last_purchase = next((row.payment for row in schedule if row.payment >= years_on), schedule[-1].payment)
    reinvestment_end = reader.date("Reinvestment End Date", last_purchase)
    fees = tuple(_fee(deal, name, reader) for name in document.fees.values())
    index = deal.current_index if deal.current_index is not None else number(deal.quality_inputs, "Current LIBOR")
    if index is None:
        raise StructureError(f"{deal.name} has no Current Libor Rate; enter it under LIBOR.")
    incentive = defaults["incentive_fee"]
    flows = defaults["collateral"]
    cap_fixed = number(deal.clo_inputs, "Senior Expense Cap Fixed") if document.capped else None
    cap_percent = number(deal.clo_inputs, "Senior Expense Cap Percent") if document.capped else None
    structure = Structure(
        analysis=analysis,
        closing=closing,
        accrual_start=_accrual_start(deal, analysis, closing, schedule[0].payment),
        stated_maturity=maturity,
        effective=effective,
        reinvestment_end=reinvestment_end,
        months_between=months,
        schedule=schedule,
        fees=fees,
        triggers=tuple(_trigger(deal, test, reader) for test in document.tests),
        cap_fixed=float("inf") if cap_fixed is None and cap_percent is None else cap_fixed or 0.0,
        cap_percent=cap_percent or 0.0,
        hurdle=reader.number(("clo_inputs",), "Incentive Management Fee Hurdle", incentive["hurdle"], "%"),
        manager_share=reader.number(("clo_inputs",), "Incentive Management Fee", incentive["share"], "%"),
        equity_purchase_price=reader.number(
            ("clo_inputs",), "Equity Purchase Price", defaults["equity_purchase_price"], "%"
        ),
        ccc_limit=reader.number(("clo_inputs",), "CCC Asset Haircut Percent", defaults["ccc_excess_threshold"], "%"),
        class_x_periods=_class_x_periods(deal, reader),
        reinvestment=_reinvestment(reader),
        cpr=_rate(book, reader, "Collateral CPR", "prepay", flows["cpr"]),
        cdr=_rate(book, reader, "Collateral CDR", "default", flows["cdr"]),
        severity=_rate(book, reader, "Collateral Severity", "severity", flows["severity"]),
        lag=_rate(book, reader, "Collateral Lag (months)", "lag", flows["lag"], ""),
        sale_price=reader.number(("cash_flow_inputs",), "Liquidation Price", flows["sale_price"], "%"),
        amortisation=float(defaults["collateral_amortisation"]),
        current_index=index,
        opening_fee_basis=number(deal.clo_inputs, "Beg Fee Basis"),
        in_default=lookup(deal.clo_inputs, "Event of Default") in (True, "TRUE", "Yes", "YES", 1.0),
        calendar=calendar,
        assumed=(),
    )
    notes = []
    tabled = {sink.asset_id for sink in book.reference.sinks}
    without = sum(
        asset.asset_id not in tabled and "SCHEDUL" in (asset.amortization_type or "").upper()
        for asset, _ in book.positions()
    )
    if without:
        share = _shown(structure.amortisation, "%")
        notes.append(f"{without} assets without a table of scheduled amortisation repay {share} of par a year.")
    other = [a.name for a in deal.accounts if a.number not in (COLLECTION, RAMP_UP, INTEREST_RESERVE) and a.principal]
    if other:
        notes.append(f"Balances of the accounts {', '.join(other)} are not used by this waterfall.")
    return replace(structure, assumed=tuple(reader.assumed), notes=tuple(notes))


def _months_after(day: dt.date, months: int) -> dt.date:
    return dates.from_serial(dates.add_months(dates.serial(day), months, False))


def _accrual_start(deal: Deal, analysis: dt.date, closing: dt.date, first: dt.date) -> dt.date:
    """The last payment date before the run; closing where there was none."""
    last = lookup(deal.current_dates, "Last Payment Date")
    if isinstance(last, dt.date) and last < first:
        return max(last, closing)
    return max([closing, *(row.payment for row in deal.schedule if row.payment <= analysis)])


def _whole(deal: Deal, label: str, usual: int) -> int:
    """A whole number of the "Deal Dates" block; zero is zero."""
    found = number(deal.dates, label)
    return usual if found is None else int(found)


def _schedule(
    deal: Deal, analysis: dt.date, maturity: dt.date, months: int, calendar: dates.Calendar
) -> tuple[PaymentDate, ...]:
    """Payment dates after the analysis date; the deal's own list, gaps computed (spec 9.1, case CAL-1)."""
    lag = _whole(deal, "Determination Date", 8)
    fixing_lag = _whole(deal, "Interest Determination Date", 2)
    convention = str(lookup(deal.dates, "Business Day Convention") or "Following")
    closing = deal.date("Closing Date")
    if deal.schedule:
        payments = [row.payment for row in deal.schedule]
    else:
        first = deal.date("First Payment Date")
        if first is None:
            raise StructureError(f"{deal.name} has neither Payment Dates nor a First Payment Date under Deal Dates.")
        day = int(number(deal.dates, "Payment Day") or first.day)
        payments, k = [], 0
        while (unadjusted := _on_day(_months_after(first.replace(day=1), k * months), day)) <= maturity:
            payments.append(calendar.roll(unadjusted, convention))
            k += 1
    given = {row.payment: row for row in deal.schedule}
    rows: list[PaymentDate] = []
    for i, payment in enumerate(payments):
        row = given.get(payment, PaymentDate(payment))
        end = row.collection_end or calendar.business_days_before(payment, lag)
        previous = payments[i - 1] if i else None
        begin = row.collection_begin or (rows[-1].collection_end if rows else closing)
        fixing = row.determination or (
            calendar.business_days_before(previous, fixing_lag) if previous else closing or begin
        )
        rows.append(PaymentDate(payment, fixing, begin, end))
    kept = tuple(row for row in rows if row.payment > analysis)
    if not kept:
        raise StructureError(f"{deal.name} has no payment date after the analysis date {analysis.isoformat()}.")
    return kept


def _on_day(month: dt.date, day: int) -> dt.date:
    return month.replace(day=min(day, int(dates.days_in_month(month.year, month.month))))


def _fee(deal: Deal, name: str, reader: _Reader) -> FeeTerms:
    given = next((f for f in deal.fees if f.name.strip().casefold() == name.casefold()), Fee(name))
    if given.percentage is None and given.fixed_amount is None:
        terms = reader.defaults["fees"].get(name)
        if terms is None:
            terms = {"percentage": 0.0, "fixed_amount": 0.0}
        given = Fee(name, unpaid=given.unpaid, **{k: v for k, v in terms.items() if k != "name"})
        reader.assumed.append(
            f"{name} {_shown(given.percentage or 0.0, '%')} and {_shown(given.fixed_amount or 0.0, '')} a year"
        )
    return FeeTerms(
        name=name,
        percent=given.percentage or 0.0,
        fixed=given.fixed_amount or 0.0,
        average=(given.basis or "").strip().upper() == "AVERAGE",
        day_count=dates.day_count_code(given.day_count),
        unpaid=given.unpaid or 0.0,
        bears_interest=bool(given.interest_on_unpaid),
        interest_spread=given.interest_spread or 0.0,
    )


def _trigger(deal: Deal, test: TestTerms, reader: _Reader) -> float:
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


def _class_x_periods(deal: Deal, reader: _Reader) -> int:
    if not any(class_id(t.name) == "X" for t in deal.tranches):
        return 0
    return int(reader.number(("clo_inputs",), "Class X Amortisation Periods", reader.defaults["class_x_periods"]))


def _reinvestment(reader: _Reader) -> ReinvestmentTerms:
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
        cpr=number(flows, "Reinvestment CPR"),
        cdr=number(flows, "Reinvestment CDR"),
        severity=next((x for w in _SEVERITY_LABELS if (x := number(flows, w)) is not None), None),
        lag=number(flows, "Reinvestment Lag"),
    )


_SEVERITY_LABELS: Final = ("Reinvestment Severity", "Reinverstment Severity")
"""The managers' workbook has the second spelling."""


def _rate(book: Book, reader: _Reader, label: str, cell: str, default: float, unit: str = "%") -> float:
    """The pool-wide assumption (the table's last ALL row), else the assumed one."""
    for row in reversed(book.reference.assumptions):
        value = getattr(row, cell)
        if row.target.strip().upper() != "ALL" or value is None:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        reader.assumed.append(f"{label} {_shown(default, unit)} instead of the vector {value}, which is not used yet")
        return default
    reader.assumed.append(f"{label} {_shown(default, unit)}")
    return default


def opening_cash(deal: Deal) -> tuple[float, float]:
    """Interest and principal in hand at the start: collection, ramp-up principal, interest reserve (spec 1.4, 9.3)."""
    collection = deal.account(COLLECTION)
    interest = collection.interest + deal.account(INTEREST_RESERVE).principal
    return interest, collection.principal + deal.account(RAMP_UP).principal
