"""The desk: one open store and the verbs of a portfolio manager. The window and the command line share it. No Qt."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from clo_desktop.faults import Fault, Refused, Severity
from clo_desktop.progress import Progress, silent
from clo_desktop.sheets.read import Reading, read_book
from clo_desktop.sheets.safety import name_fault
from clo_desktop.sheets.write import write_book
from clo_desktop.store import DealSummary, ImportRecord, Store, open_store
from engine import study
from engine.assumptions import Assumptions
from engine.compliance import Compliance
from engine.projection import Projection, choose_document
from engine.terms import Book, CurveNode
from engine.waterfall import Document
from resources import library

T = TypeVar("T")

_KEPT_BOOKS: Final = 12


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import. `imported` is False when a fault is an error: then nothing was written."""

    deal: str
    imported: bool
    assets: int
    holdings: int
    par: float
    principal_cash: float
    faults: tuple[Fault, ...]
    file_name: str
    path: Path | None = None

    @property
    def errors(self) -> int:
        return sum(f.severity is Severity.ERROR for f in self.faults)

    @property
    def warnings(self) -> int:
        return len(self.faults) - self.errors


@contextmanager
def _refusing() -> Iterator[None]:
    """The engine's complaints about terms become refusals with the same sentence."""
    try:
        yield
    except ValueError as error:
        raise Refused(str(error), code="terms") from error


class Desk:
    """An open store with its verbs. Not thread-safe: the window calls it from its lanes, one at a time each.

    where  file or SQLAlchemy URL of the store. Raises Refused where it cannot be opened.
    """

    def __init__(self, where: str | Path) -> None:
        self.store: Store = open_store(where)
        self._books: dict[str, Book] = {}

    def close(self) -> None:
        self.store.close()

    def deals(self) -> tuple[DealSummary, ...]:
        return self.store.deals()

    def book(self, deal: str) -> Book:
        """The deal with its assets; kept until it changes. Raises Refused for an unknown deal."""
        book = self._books.get(deal)
        if book is None:
            book = self.store.load(deal)
            if len(self._books) >= _KEPT_BOOKS:
                self._books.pop(next(iter(self._books)))
            self._books[deal] = book
        return book

    def import_file(self, path: Path, deal: str, report: Progress = silent) -> Imported:
        """Reads a workbook and stores it as `deal`, replacing what has that name; one transaction.

        Raises Refused for what is no workbook, Cancelled when `report` says so; then nothing was written.
        """
        fault = name_fault(deal.strip())
        if fault:
            raise Refused(fault)
        reading = read_book(path, deal.strip(), report=_part(report, 0.0, 0.85))
        if reading.book is None:
            return _outcome(deal.strip(), reading, path, imported=False)
        report(0.9, "Storing")
        outcome = _outcome(deal.strip(), reading, path, imported=True)
        outcome = replace(outcome, faults=(*outcome.faults, *self._changes_elsewhere(reading.book)))
        record = ImportRecord(
            deal=outcome.deal,
            file_name=reading.file_name,
            sha256=reading.sha256,
            imported_at=dt.datetime.now(dt.UTC),
            assets=outcome.assets,
            holdings=outcome.holdings,
            par=outcome.par,
            warnings=outcome.warnings,
        )
        self.store.save(reading.book, record)
        self._books.clear()  # the asset master is shared: other deals may have changed too
        report(1.0, "Done")
        return outcome

    def _changes_elsewhere(self, book: Book) -> Iterator[Fault]:
        """A warning for each other deal that holds assets which this book changes: the asset master is shared."""
        for other in self.deals():
            if other.name == book.deal.name:
                continue
            held = self.book(other.name)
            changed = [
                h.asset_id
                for h in held.deal.holdings
                if h.asset_id in book.assets and book.assets[h.asset_id] != held.assets[h.asset_id]
            ]
            if changed:
                some = ", ".join(changed[:3]) + (", …" if len(changed) > 3 else "")
                yield Fault(
                    Severity.WARNING,
                    "All Assets",
                    "",
                    "",
                    str(len(changed)),
                    f"{other.name} holds assets that this import changes ({some}): the asset master is shared by all "
                    f"deals, look at {other.name} too.",
                    changed[0],
                )

    def export_file(self, deal: str, path: Path) -> None:
        """Writes the deal in the workbook layout. Raises Refused where the file cannot be written."""
        book = self.book(deal)
        self._check_target(path)
        _writing(path, lambda: write_book(book, path))

    def _check_target(self, path: Path) -> None:
        """Only workbooks are written, never over the workspace."""
        if path.suffix.lower() != ".xlsx":
            raise Refused(f"{path.name} is no name of a workbook; let it end with .xlsx.", code="file")
        if path.resolve() == Path(self.store.name).resolve():
            raise Refused(f"{path.name} is the open workspace; choose another name.", code="file")
        if not path.absolute().parent.is_dir():
            raise Refused(f"There is no folder {path.absolute().parent}; make it or choose another.", code="file")

    def report_file(
        self, deal: str, path: Path, assumptions: Assumptions | None = None, *, curve: Path | None = None
    ) -> None:
        """Writes the deal's tests and cash flows as an Excel report."""
        from clo_desktop.sheets.report import write_report  # xlsxwriter is only needed here

        self._check_target(path)
        tests, flows = self.comply(deal), self.project(deal, assumptions, curve=curve)
        _writing(path, lambda: write_report(path, tests, flows))

    def delete(self, deal: str) -> None:
        self.store.delete(deal)
        self._books.pop(deal, None)

    def waterfall(self, deal: str) -> Document:
        """The priority of payments of a deal."""
        book = self.book(deal)
        with _refusing():
            return choose_document(book, library.waterfalls())

    def comply(self, deal: str) -> Compliance:
        """All tests of the deal."""
        return comply_with(self.book(deal))

    def project(
        self, deal: str, assumptions: Assumptions | None = None, *, curve: Path | None = None, report: Progress = silent
    ) -> Projection:
        """Cash flows of the deal to redemption; `curve` is a CSV that replaces the deal's zero curve."""
        book = self.book(deal)
        if curve is not None:
            book = replace(book, reference=replace(book.reference, curve=read_curve(curve)))
        return project_with(book, assumptions, report)


def comply_with(book: Book) -> Compliance:
    """All tests of a deal in hand. Raises Refused for terms that cannot be read."""
    with _refusing():
        return study.comply(book, library.catalogue())


def project_with(book: Book, assumptions: Assumptions | None = None, report: Progress = silent) -> Projection:
    """Cash flows of a deal in hand. Raises Refused for terms that are missing, Cancelled when `report` says so."""
    with _refusing():
        return study.project(book, library.waterfalls(), library.assumed_terms(), assumptions, report)


def _outcome(deal: str, reading: Reading, path: Path, *, imported: bool) -> Imported:
    book = reading.book
    return Imported(
        deal=deal,
        imported=imported,
        assets=len(book.assets) if book else 0,
        holdings=len(book.deal.holdings) if book else 0,
        par=book.deal.par if book else 0.0,
        principal_cash=book.deal.principal_cash if book else 0.0,
        faults=reading.faults,
        file_name=reading.file_name,
        path=path,
    )


def _part(report: Progress, low: float, high: float) -> Progress:
    return lambda fraction, what: report(low + (high - low) * fraction, what)


def _writing(path: Path, write: Callable[[], T]) -> T:
    try:
        return write()
    except OSError as error:
        raise Refused(
            f"{path} cannot be written ({error.strerror or error}); close it elsewhere or choose another place.",
            code="file",
        ) from error


def read_curve(path: Path) -> tuple[CurveNode, ...]:
    """Zero rates from a CSV with columns tenor_months (or months) and rate (fraction). Raises Refused with the line.

    A column `curve` is allowed; then the rows of its first name are taken.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"The curve {path} cannot be read ({error.strerror}); check its name.", code="file") from error
    except UnicodeDecodeError as error:
        raise Refused(f"The curve {path} is no text; save it as CSV in UTF-8.", code="file") from error
    reader = csv.DictReader(text.splitlines())
    rows = [(reader.line_num, row) for row in reader]  # blank lines are passed over but counted
    chosen = rows[0][1].get("curve") if rows else None
    nodes: list[CurveNode] = []
    for line, row in rows:
        if row.get("curve") != chosen:
            continue
        try:
            months = float(row.get("tenor_months") or row["months"])
            rate = float(row["rate"])
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(
                f"{path.name} line {line}: a curve needs the columns tenor_months and rate (0.05 is 5 %).", code="curve"
            ) from error
        if not (0 < months <= 600 and -0.05 < rate < 1.0):
            raise Refused(f"{path.name} line {line}: {months:g} months at {rate:g}; write 5 % as 0.05.", code="curve")
        if any(node.months == months for node in nodes):
            raise Refused(f"{path.name} line {line}: {months:g} months is there twice; keep one.", code="curve")
        nodes.append(CurveNode(months, rate))
    if not nodes:
        raise Refused(f"{path.name} holds no curve; it needs the columns tenor_months and rate.", code="curve")
    return tuple(nodes)
