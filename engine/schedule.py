"""The payment dates of a deal and the collection periods between them (spec 9.1)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from engine import dates
from engine.blanks import StructureError, whole_number
from engine.terms import Deal, Labelled, PaymentDate, lookup, number


def months_after(day: dt.date, months: int) -> dt.date:
    return dates.from_serial(dates.add_months(dates.serial(day), months, False))


def accrual_start(deal: Deal, analysis: dt.date, closing: dt.date, first: dt.date) -> dt.date:
    """The last payment date before the run; closing where there was none."""
    last = lookup(deal.current_dates, "Last Payment Date")
    if isinstance(last, dt.date) and last < first:
        return max(last, closing)
    return max([closing, *(row.payment for row in deal.schedule if row.payment <= analysis)])


def payment_dates(
    deal: Deal, analysis: dt.date, maturity: dt.date, months: int, calendar: dates.Calendar
) -> tuple[PaymentDate, ...]:
    """Payment dates after the analysis date; the deal's own list, gaps computed (spec 9.1, case CAL-1).

    maturity  stated maturity;  months  between payments. Raises StructureError where there is nothing to count from.
    """
    lag = whole_number(deal, "Determination Date", 8)
    fixing_lag = whole_number(deal, "Interest Determination Date", 2)
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
        while (unadjusted := _on_day(months_after(first.replace(day=1), k * months), day)) <= maturity:
            payments.append(calendar.roll(unadjusted, convention))
            k += 1
        if payments and calendar.roll(maturity, convention) > payments[-1]:
            payments.append(calendar.roll(maturity, convention))  # a maturity off the cycle is a payment date too
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


def extended(deal: Deal, maturity: dt.date, later: int, months: int, calendar: dates.Calendar) -> Deal:
    """The deal with a stated maturity `later` months on, and payment dates up to it.

    maturity  as it is;  months  between payments
    """
    moved = months_after(maturity, later)
    named: Labelled = tuple((k, v) for k, v in deal.dates if k.strip().casefold() != "stated maturity")
    rows = list(deal.schedule)
    if rows:
        convention = str(lookup(deal.dates, "Business Day Convention") or "Following")
        day = int(number(deal.dates, "Payment Day") or rows[-1].payment.day)
        # the last date may stand in the month after its own: a holiday rolled it
        last = rows[-1].payment if rows[-1].payment.day >= day else months_after(rows[-1].payment, -1)
        first, k = last.replace(day=1), 1
        while (unadjusted := _on_day(months_after(first, k * months), day)) <= moved:
            rows.append(PaymentDate(calendar.roll(unadjusted, convention)))
            k += 1
        if calendar.roll(moved, convention) > rows[-1].payment:
            rows.append(PaymentDate(calendar.roll(moved, convention)))
    return replace(deal, dates=(*named, ("Stated Maturity", moved)), schedule=tuple(rows))
