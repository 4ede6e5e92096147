"""A deal's results as a fresh Excel report: tests, classes, cash flows, collections, the waterfall and its steps.

True numbers with units in the headers, frozen headings, filters on; opened, it sums without clean-up.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import xlsxwriter
from numpy.typing import NDArray

from clo_desktop.sheets.outputs import sheets_of
from engine import cash
from engine.compliance import Compliance
from engine.loans.columns import FLOW_NAMES
from engine.loans.vectors import ruled
from engine.outputs import Table
from engine.projection import Projection
from engine.tables import cash_columns, flow_columns
from engine.waterfall.document import class_id
from engine.waterfall.listing import condition, definitions, lines, rules, title
from engine.waterfall.trace import step_words

_OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd"}
_FORMATS: Final = {
    "text": {},
    "date": {"num_format": "yyyy-mm-dd", "align": "left"},
    "money": {"num_format": "#,##0.00;[Red]-#,##0.00"},
    "percent": {"num_format": "0.000%"},
    "ratio": {"num_format": "0.00%"},
    "number": {"num_format": "#,##0.000"},
    "count": {"num_format": "0"},
}
_KIND_FORMATS: Final = {"share": "percent", "ratio": "ratio", "years": "number", "factor": "number", "score": "number"}

Cell = str | float | dt.date | None
Floats = NDArray[np.float64]


class _Report:
    """One workbook with the formats that its sheets share."""

    def __init__(self, path: Path, currency: str) -> None:
        self.units = {"money": f" ({currency})", "percent": " (%)", "ratio": " (%)"}
        self.book = xlsxwriter.Workbook(str(path), _OPTIONS)
        self.formats = {name: self.book.add_format(spec) for name, spec in _FORMATS.items()}
        self.head = self.book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.title = self.book.add_format({"bold": True, "font_size": 14})

    def put(self, sheet: Any, row: int, column: int, value: Cell, form: str) -> None:
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return  # missing is an empty cell, never zero
        if isinstance(value, dt.date):
            sheet.write_datetime(row, column, value, self.formats["date"])
        elif isinstance(value, str):
            sheet.write_string(row, column, value, self.formats["text"])
        else:
            sheet.write_number(row, column, value, self.formats[form])

    def table(
        self, name: str, title: str, heads: Sequence[str], forms: Sequence[str], rows: Iterable[Sequence[Cell]]
    ) -> None:
        """A sheet with a title, a frozen header with filter, and rows; columns wide enough for their figures."""
        sheet = self.book.add_worksheet(name)
        sheet.write_string(0, 0, title, self.title)
        for column, (head, form) in enumerate(zip(heads, forms, strict=True)):
            sheet.write_string(2, column, head + self.units.get(form, ""), self.head)
        count = 0
        widest = [8] * len(heads)
        for count, values in enumerate(rows, start=1):
            for column, (value, form) in enumerate(zip(values, forms, strict=True)):
                self.put(sheet, 2 + count, column, value, form)
                if isinstance(value, str):
                    widest[column] = min(max(widest[column], len(value)), 60)
        for column, form in enumerate(forms):
            sheet.set_column(column, column, {"money": 18, "date": 12}.get(form, max(11, widest[column] + 1)))
        sheet.freeze_panes(3, 1)
        sheet.autofilter(2, 0, 2 + max(count, 1), len(heads) - 1)


def write_report(path: Path, tests: Compliance, flows: Projection, tables: Sequence[Table] = ()) -> None:
    """Writes the report of one deal, and `tables` as further sheets; the folder exists.

    Raises OSError where the file cannot be written.
    """
    report = _Report(path, flows.currency)
    _summary(report, tests, flows)
    _tests(report, tests)
    _classes(report, flows)
    _cash(report, flows)
    _coverage(report, flows)
    _collections(report, flows)
    _waterfall(report, flows)
    _steps(report, flows)
    for sheet in sheets_of(tables, [s.get_name() for s in report.book.worksheets()]):
        report.table(*sheet)
    try:
        report.book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(str(error)) from error


_RATES: Final = (
    ("cpr", "CPR (a year)", "percent"),
    ("cdr", "CDR (a year)", "percent"),
    ("severity", "Severity", "percent"),
    ("lag", "Recovery lag (months)", "count"),
)


def _rate(flows: Projection, name: str, label: str, form: str) -> tuple[str, Cell, str]:
    """A rate of the run, or that rules of all assets stand in for it."""
    return (label, "by rules", "text") if name in ruled(flows.assumptions.rules) else (label, flows.rates[name], form)


def _summary(report: _Report, tests: Compliance, flows: Projection) -> None:
    sheet = report.book.add_worksheet("Summary")
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 24)
    sheet.write_string(0, 0, f"{tests.deal}", report.title)
    irr = flows.equity_irr
    rows: list[tuple[str, Cell, str]] = [
        ("As of", tests.as_of, "date"),
        (f"Collateral principal amount ({flows.currency})", tests.collateral_principal_amount, "money"),
        (f"Performing par ({flows.currency})", tests.performing_par, "money"),
        (f"Principal cash ({flows.currency})", tests.cash, "money"),
        ("Tests evaluated", float(len(tests.results)), "count"),
        ("Tests that fail", float(sum(r.outcome.value == "fail" for r in tests.results)), "count"),
        ("Compliance readings", tests.readings.name, "text"),
        ("Priority of payments", flows.document.title, "text"),
        *(_rate(flows, *told) for told in _RATES),
        (f"Subordinated notes, all distributions ({flows.currency})", float(flows.paid(flows.equity).sum()), "money"),
        ("Subordinated notes, IRR since purchase", irr, "percent"),
        (f"Sources, all dates ({flows.currency})", float(flows.sources.sum()), "money"),
        (f"Uses, all dates ({flows.currency})", float(flows.uses.sum()), "money"),
    ]
    rows += [("Assumed term", text, "text") for text in flows.assumed]
    rows += [("Note", text, "text") for text in (*tests.notes, *flows.structure.notes)]
    for row, (label, value, form) in enumerate(rows, start=2):
        sheet.write_string(row, 0, label)
        report.put(sheet, row, 1, value, form)


def _tests(report: _Report, tests: Compliance) -> None:
    heads = ("Number", "Test", "Direction", "Result", "Limit", "Cushion", "Outcome", "Numerator", "Denominator")
    sheet_rows = [
        (
            float(r.number),
            r.name,
            r.direction,
            None if r.empty else r.result,
            r.threshold,
            None if r.empty else r.cushion,
            "not applicable" if r.empty else r.outcome.value,
            r.numerator,
            r.denominator,
            r.limit_source,
            r.comment,
        )
        for r in tests.results
    ]
    forms = ("count", "text", "text", "number", "number", "number", "text", "money", "money", "text", "text")
    report.table("Compliance", f"Tests of {tests.deal}", (*heads, "Limit from", "Comment"), forms, sheet_rows)
    sheet = report.book.get_worksheet_by_name("Compliance")
    for row, r in enumerate(tests.results, start=3):  # the unit differs by row
        for column, value in ((4, r.threshold),) if r.empty else ((3, r.result), (4, r.threshold), (5, r.cushion)):
            report.put(sheet, row, column, float(value), _KIND_FORMATS[r.kind])


def _by_date(flows: Projection, columns: Sequence[Floats]) -> Iterable[Sequence[Cell]]:
    """A row a payment date: the date, then each column's figure."""
    for i, day in enumerate(flows.payment_dates):
        yield [day, *(float(column[i]) for column in columns)]


def _classes(report: _Report, flows: Projection) -> None:
    r = flows.result
    heads = ["Payment date"]
    columns: list[Floats] = []
    for k, tranche in enumerate(flows.tranches):
        for what, values in (
            ("interest", r.interest),
            ("deferred paid", r.deferred_paid),
            ("principal", r.principal),
            ("deferred", r.deferred),
            ("balance", r.balance),
        ):
            heads.append(f"{tranche.name} {what}")
            columns.append(values[:, k])
    rows = _by_date(flows, columns)
    report.table("Classes", f"Classes of {flows.deal}", heads, ["date", *["money"] * len(columns)], rows)


def _cash(report: _Report, flows: Projection) -> None:
    r = flows.result
    shown = cash_columns(flows.document)
    more = [f"{fee.name} paid" for fee in flows.structure.fees]
    more += [f"Account {account.id.replace('_', ' ')}" for account in flows.document.accounts]
    heads = ["Payment date", *(cash.CASH_NAMES[k] for k in shown), *more]
    forms = ["date", *("percent" if k == cash.INDEX else "money" for k in shown), *["money"] * len(more)]
    rows = _by_date(flows, [*r.cash.T[list(shown)], *r.fee_paid.T, *r.accounts.T])
    report.table("Sources and uses", f"Sources and uses of {flows.deal}", heads, forms, rows)


def _coverage(report: _Report, flows: Projection) -> None:
    r = flows.result
    heads, forms = ["Payment date"], ["date"]
    columns: list[Floats] = []
    for k, test in enumerate(flows.document.tests):
        heads += [f"{test.id} ratio", f"{test.id} trigger", f"{test.id} numerator", f"{test.id} denominator"]
        columns += [r.ratio[:, k], r.trigger[:, k], r.numerator[:, k], r.denominator[:, k]]
        forms += ["ratio", "ratio", "money", "money"]
    rows = _by_date(flows, columns)
    report.table("Coverage tests", f"Coverage tests of {flows.deal}", heads, forms, rows)


def _collections(report: _Report, flows: Projection) -> None:
    shown = list(flow_columns(flows))
    names = [FLOW_NAMES[k] for k in shown]
    heads = ["Payment date", *names, *(f"Reinvested: {name.lower()}" for name in names)]
    rows = _by_date(flows, [*flows.collateral.T[shown], *flows.result.reinvested_flows.T[shown]])
    forms = ["date", *["money"] * (len(heads) - 1)]
    report.table("Collections", f"Collections of {flows.deal} by collection period", heads, forms, rows)


def _steps(report: _Report, flows: Projection) -> None:
    document = flows.document
    ids = [class_id(t.name) for t in flows.tranches]
    titles = {name: title(document, name) for name in document.waterfalls}
    words = [
        (titles[c.waterfall], c.letter, step_words(c.step, document, ids), condition(c.step.when))
        for c in flows.clauses
    ]

    def rows() -> Iterable[Sequence[Cell]]:
        for i, day in enumerate(flows.payment_dates):
            for s, (clause, said) in enumerate(zip(flows.clauses, words, strict=True)):
                due, paid, short, after = (float(x) for x in flows.result.log[i, s])
                if not math.isnan(due):
                    yield [day, said[0], float(clause.number + 1), *said[1:], after + paid, due, paid, short, after]

    heads = ("Payment date", "Waterfall", "Step", "Clause", "What", "Applies")
    figures = ("Cash before", "Due", "Paid", "Short", "Cash after")
    forms = ("date", "text", "count", "text", "text", "text", *["money"] * len(figures))
    report.table("Waterfall steps", f"Steps of the waterfall of {flows.deal}", (*heads, *figures), forms, rows())


def _waterfall(report: _Report, flows: Projection) -> None:
    """The priority of payments as a numbered list."""
    document = flows.document

    def rows() -> Iterable[Sequence[Cell]]:
        yield from (("Definitions", "", line, "") for line in definitions(document))
        yield from (("On each payment date", f"{n}", line, "") for n, line in enumerate(rules(document), start=1))
        for line in lines(document):
            yield title(document, line.clause.waterfall), line.clause.letter, line.text, line.when

    heads, forms = ("Waterfall", "Clause", "What", "Applies"), ("text", "text", "text", "text")
    report.table("Priority of payments", document.title, heads, forms, rows())
