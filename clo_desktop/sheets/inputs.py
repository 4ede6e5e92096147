"""The sheet "<deal> Inputs": the deal's collateral, accounts, tests, notes, dates and fees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from clo_desktop.sheets import parse
from clo_desktop.sheets.blocks import Block, locate
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Area, Cell, Sheet, address
from clo_desktop.sheets.labels import read_labels
from clo_desktop.sheets.layout import (
    ACCOUNTS,
    CASH_FLOW,
    CLO_INPUTS,
    COLLATERAL,
    CURRENCY,
    DATES,
    DEAL_DATES,
    FEES,
    FORMS,
    INDEX,
    LIABILITIES,
    LIMITS,
    OBJECTIVE,
    QUALITY,
    SCHEDULE,
    SUBORDINATED,
)
from clo_desktop.sheets.liabilities import read_tranches
from clo_desktop.sheets.parse import Parsed
from engine.terms import ACCOUNT_NAMES, Account, Fee, Labelled, ObjectiveWeight, PaymentDate, TestLimit, lookup

FURTHER_TESTS: Final = 101
"""Tests beyond the 54 of the managers' workbook begin here: to 199 the catalogue's, from 201 a deal's own."""

SHARE_TESTS: Final = frozenset(range(1, 35)) - {12}
"""Tests whose limit is a share or a rate: a limit above 1 was typed in percent."""

TEST_NUMBERS: Final = range(1, 55)
DIRECTIONS: Final = (("MIN", ("minimum",)), ("MAX", ("maximum",)))
FEE_BASES: Final = (("BEGINNING", ()), ("AVERAGE", ()))


@dataclass(frozen=True, slots=True)
class Lot:
    """One row of the collateral: where its id stands (row and column from 0) and its par."""

    row: int
    id_column: int
    par_column: int
    par: float


Lots = dict[str, list[Lot]]
"""The lots by asset id, in the order in which the ids first appear."""


@dataclass(slots=True)
class Inputs:
    """What a deal's sheet says. `fields` are fields of `Deal`; `currency` is None where the sheet names none."""

    fields: dict[str, Any] = field(default_factory=dict)
    lots: Lots = field(default_factory=dict)
    currency: str | None = None

    @property
    def analysis_date(self) -> dt.date | None:
        value = lookup(self.fields.get(DATES.key, ()), "Analysis date")
        return value if isinstance(value, dt.date) else None


def read_inputs(sheet: Sheet, areas: Mapping[str, Area], date1904: bool, findings: Findings) -> Inputs:
    """The deal's sheet; ids are not yet checked against the asset master."""
    blocks = locate(sheet, areas)
    reader = _Reader(sheet, date1904, findings)
    inputs = Inputs()
    for form in FORMS:
        block = blocks.get(form.key)
        if block is None:
            _report_absent(sheet, form.titles[0], findings, is_needed=form is COLLATERAL)
            continue
        _report_beyond_range(sheet, block, findings)
        if form is COLLATERAL:
            inputs.lots = reader.lots(block)
        elif form is INDEX:
            rates = read_labels(sheet, block, date1904, findings)
            inputs.fields |= {"original_index": _rate(rates, "original"), "current_index": _rate(rates, "current")}
        elif form is LIABILITIES:
            inputs.fields[form.key] = read_tranches(sheet, block, findings)
        elif form in (DATES, QUALITY, CASH_FLOW, CLO_INPUTS, DEAL_DATES):
            inputs.fields[form.key] = read_labels(sheet, block, date1904, findings)
        else:
            inputs.fields[form.key] = reader.table(block)
    currency = lookup(inputs.fields.get("clo_inputs", ()), CURRENCY)
    if isinstance(currency, str):
        inputs.currency = currency.upper()
        inputs.fields["clo_inputs"] = tuple(
            (label, value) for label, value in inputs.fields["clo_inputs"] if label.casefold() != CURRENCY.casefold()
        )
    return inputs


def _rate(rates: Labelled, which: str) -> float | None:
    for label, value in rates:
        if label.casefold().startswith(which) and isinstance(value, float):
            return value
    return None


def _report_absent(sheet: Sheet, title: str, findings: Findings, *, is_needed: bool) -> None:
    if is_needed:
        findings.error(
            sheet.name, -1, -1, title, None,
            f"The block “{title}” was not found: add its title and headers, or name its range DealCollateral.",
        )  # fmt: skip
    else:
        findings.warn(
            sheet.name, -1, -1, title, None,
            f"The block “{title}” was not found, its values stay missing: add its title and headers if it is needed.",
        )  # fmt: skip


def _report_beyond_range(sheet: Sheet, block: Block, findings: Findings) -> None:
    if block.range_end is None or block.form is LIABILITIES:
        return
    for row in block.rows(sheet):
        if row >= block.range_end:
            at = min(block.columns.values())
            findings.warn(
                sheet.name, row, at, block.form.titles[0], sheet.at(row, at),
                f"From here on the rows lie below the named range {block.form.ranges[0]}; "
                "they were read as part of it: extend the range.",
            )  # fmt: skip
            return


class _Reader:
    """Reads the tables of one deal's sheet."""

    def __init__(self, sheet: Sheet, date1904: bool, findings: Findings) -> None:
        self._sheet = sheet
        self._date1904 = date1904
        self._findings = findings
        self._rows: dict[str, Callable[[_Row], Any]] = {
            ACCOUNTS.key: self._account,
            LIMITS.key: self._limit,
            OBJECTIVE.key: self._weight,
            SUBORDINATED.key: self._payment,
            SCHEDULE.key: self._payment_date,
            FEES.key: self._fee,
        }

    def table(self, block: Block) -> tuple[Any, ...]:
        """The records of a table; rows with an error are left out."""
        read = self._rows[block.form.key]
        records = [read(_Row(self, block, row)) for row in block.rows(self._sheet)]
        key = "number" if block.form in (ACCOUNTS, LIMITS, OBJECTIVE) else ""
        if key:
            self._report_twice(block, key)
        return tuple(r for r in records if r is not None)

    def _report_twice(self, block: Block, key: str) -> None:
        at = block.columns.get(key, -1)
        seen: dict[Cell, int] = {}
        for row in block.rows(self._sheet):
            cell = self._sheet.at(row, at)
            if cell is not None and cell in seen:
                self._findings.error(
                    self._sheet.name, row, at, block.form.titles[0], cell,
                    f"The number is already in {address(seen[cell], at)}: delete one of the rows.",
                )  # fmt: skip
            seen.setdefault(cell, row)

    def lots(self, block: Block) -> Lots:
        """The holdings by canonical id, with the cells of their par; faults are noted."""
        ids, pars = block.columns["asset_id"], block.columns.get("par", block.columns["asset_id"])
        area = Area(block.first, min(ids, pars), block.end - 1, max(ids, pars))
        self._findings.warn_merged(self._sheet, area, f"the block “{block.form.titles[0]}”")
        lots: Lots = {}
        rows = 0
        for number in block.rows(self._sheet):
            row = _Row(self, block, number)
            asset_id = row.get("asset_id", parse.identifier)
            par = row.get("par", _money)
            id_failed, par_failed = row.failed("asset_id"), row.failed("par")
            if not isinstance(asset_id, str):
                if not id_failed and not _is_zero(row.cell("par")):
                    row.error("asset_id", "The row has a par amount but no id: type the id or clear the row.")
                    rows += 1
                continue
            rows += 1
            self._findings.name_row(self._sheet.name, number, frozenset(block.columns.values()), asset_id)
            if not isinstance(par, float):
                if not par_failed:
                    row.error("par", f"{asset_id} has no par amount: type it or clear the row.")
                continue
            if par == 0:
                row.warn("par", f"{asset_id} is held with a par of 0: type the par or clear the row.")
            same_id = lots.setdefault(asset_id, [])
            same_id.append(Lot(number, block.columns["asset_id"], block.columns["par"], par))
            if len(same_id) > 1:
                cells = ", ".join(address(lot.row, lot.par_column) for lot in same_id)
                row.warn("asset_id", f"{asset_id} is held in several lots, which were added up ({cells}).")
        if not rows:
            title = block.form.titles[0]
            self._findings.warn(
                self._sheet.name, block.top, min(block.columns.values()), title, None,
                f"The deal holds nothing, the block “{title}” has no rows: type the ids and par amounts below its "
                "headers.",
            )  # fmt: skip
        return lots

    def _account(self, row: _Row) -> Account | None:
        number = row.get("number", lambda cell: parse.count(cell, ()))
        name = row.get("name", parse.text)
        amounts = [row.amount("interest"), row.amount("principal")]
        if not isinstance(number, int):
            row.missing("number", "the account's number")
            return None
        if number not in ACCOUNT_NAMES:
            row.warn("number", f"Account {number} is not known (1 to 9 are): check the number.")
        return Account(number, str(name or ACCOUNT_NAMES.get(number, "")), *amounts)

    def _limit(self, row: _Row) -> TestLimit | None:
        number = row.get("number", lambda cell: parse.count(cell, ()))
        name = row.get("name", parse.text)
        direction = row.get("direction", lambda cell: parse.choice(cell, DIRECTIONS))
        rule = parse.LIMIT if number in SHARE_TESTS else parse.ANY
        threshold, override = (row.get(key, lambda cell: parse.number(cell, rule)) for key in ("threshold", "override"))
        previous = row.get("previous", _any)
        if not isinstance(number, int):
            row.missing("number", "the number of the test")
            return None
        if not _is_test(number):
            row.warn(
                "number", f"Test {number} is not in the catalogue (1 to 54) and will not be run: check the number."
            )
        if not isinstance(direction, str):
            row.missing("direction", "Min or Max")
            return None
        return TestLimit(number, str(name or ""), direction, threshold, override, previous)

    def _weight(self, row: _Row) -> ObjectiveWeight | None:
        number = row.get("number", lambda cell: parse.count(cell, ()))
        name = row.get("name", parse.text)
        result, weight = row.get("result", _any), row.get("weight", _any)
        if not isinstance(number, int):
            row.missing("number", "the number of the test")
            return None
        if not _is_test(number):
            row.warn("number", f"Test {number} is not in the catalogue (1 to 54): check the number.")
        return ObjectiveWeight(number, str(name or ""), result, weight)

    def _payment(self, row: _Row) -> tuple[dt.date, float | None] | None:
        # what the holders paid for the notes is negative
        date, amount = row.date("date"), row.get("amount", _balance)
        if date is None:
            row.missing("date", "the date of the payment")
            return None
        return date, amount

    def _payment_date(self, row: _Row) -> PaymentDate | None:
        payment = row.date("payment")
        others = [row.date(key) for key in ("determination", "collection_begin", "collection_end")]
        if payment is None:
            row.missing("payment", "the payment date")
            return None
        return PaymentDate(payment, *others)

    def _fee(self, row: _Row) -> Fee | None:
        name = row.get("name", parse.text)
        fee = Fee(
            str(name or ""),
            basis=row.get("basis", lambda cell: parse.choice(cell, FEE_BASES)),
            unpaid=row.get("unpaid", _money),
            fixed_amount=row.get("fixed_amount", _money),
            day_count=row.get("day_count", parse.text),
            percentage=row.get("percentage", _rate_cell),
            interest_on_unpaid=row.get("interest_on_unpaid", parse.flag),
            interest_spread=row.get("interest_spread", _rate_cell),
        )
        if not name:
            row.missing("name", "the fee's name")
            return None
        return fee

    def parse_date(self, cell: Cell) -> Parsed:
        return parse.date(cell, date1904=self._date1904)

    def found(self, sheet_row: int, at: int, header: str, parsed: Parsed) -> object:
        return self._findings.take(parsed, self._sheet.name, sheet_row, at, header, self._sheet.at(sheet_row, at))

    def at(self, row: int, column: int) -> Cell:
        return self._sheet.at(row, column)


@dataclass(slots=True)
class _Row:
    """One row of a table; remembers which of its cells had an error, so that none is reported twice."""

    reader: _Reader
    block: Block
    row: int
    _failed: set[str] = field(default_factory=set)

    def cell(self, key: str) -> Cell:
        at = self.block.columns.get(key)
        return None if at is None else self.reader.at(self.row, at)

    def get(self, key: str, read: Callable[[Cell], Parsed]) -> Any:
        """The parsed cell of a column; None where it is missing, has an error or has no column."""
        if key not in self.block.columns:
            return None
        parsed = read(self.cell(key))
        if parsed.failed:
            self._failed.add(key)
        return self._note(key, parsed)

    def amount(self, key: str) -> float:
        """A balance; a blank is read as zero, which is said."""
        value = self.get(key, _balance)
        if value is None and not self.failed(key):
            self.warn(key, "The balance is blank and was read as zero: type the balance.")
        return value if isinstance(value, float) else 0.0

    def date(self, key: str) -> dt.date | None:
        value = self.get(key, self.reader.parse_date)
        return value if isinstance(value, dt.date) else None

    def failed(self, key: str) -> bool:
        return key in self._failed

    def missing(self, key: str, what: str) -> None:
        """An error that says that the row lacks `what`, unless the cell was reported already."""
        if not self.failed(key):
            self.error(key, f"The row lacks {what}: fill it in or clear the row.")

    def error(self, key: str, message: str) -> None:
        self._note(key, parse.failed(message))

    def warn(self, key: str, message: str) -> None:
        self._note(key, parse.warned(None, message))

    def _note(self, key: str, parsed: Parsed) -> object:
        header = next(h.header for h in self.block.form.headings if h.key == key)
        at = self.block.columns.get(key, min(self.block.columns.values()))
        return self.reader.found(self.row, at, header, parsed)


def _money(cell: Cell) -> Parsed:
    return parse.number(cell, parse.MONEY)


def _balance(cell: Cell) -> Parsed:
    return parse.number(cell, parse.BALANCE)


def _any(cell: Cell) -> Parsed:
    return parse.number(cell, parse.ANY)


def _rate_cell(cell: Cell) -> Parsed:
    return parse.number(cell, parse.RATE)


def _is_zero(cell: Cell) -> bool:
    return isinstance(cell, float) and cell == 0


def _is_test(number: int) -> bool:
    return number in TEST_NUMBERS or number >= FURTHER_TESTS
