"""The desk: one open store and the verbs of a portfolio manager. The window and the command line share it. No Qt."""

from __future__ import annotations

import csv
import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from clo_desktop.faults import Fault, Refused, Severity
from clo_desktop.progress import Progress, silent
from clo_desktop.sheets.read import Reading, read_book
from clo_desktop.sheets.safety import name_fault
from clo_desktop.sheets.write import write_book
from clo_desktop.store import DealSummary, ImportRecord, Snapshot, Store, open_store
from clo_desktop.store.local.manner import AS_NAMED, Manner
from clo_desktop.store.merge import NO_CHOICES, Choices, merge
from clo_desktop.store.sync.copies import NOWHERE, Mark
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.work import waterfalls
from clo_desktop.work.history import AHEAD, Taken, snapshot_of
from engine import study
from engine.asset import Asset
from engine.assumptions import Assumptions
from engine.compliance import Compliance
from engine.model import Model
from engine.outputs import Table, asset_table, bucket_table, deal_tables, spread_table
from engine.projection import Projection
from engine.studies import forward
from engine.terms import Book, CurveNode, Deal
from engine.trades import Trader
from engine.waterfall import Document
from resources import library

if TYPE_CHECKING:
    from clo_desktop.store.sync.syncing import Outcome
    from clo_desktop.work.unsent import Unsent

T = TypeVar("T")

_KEPT_BOOKS: Final = 12
_KEPT_MODELS: Final = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import. `imported` is False when a fault is an error: then nothing was written.

    snapshot  of the deal's tests, which was stored with it; None where there is none (a fault says why)
    """

    deal: str
    imported: bool
    assets: int
    holdings: int
    par: float
    principal_cash: float
    faults: tuple[Fault, ...]
    file_name: str
    path: Path | None = None
    snapshot: Taken | None = None

    @property
    def errors(self) -> int:
        return sum(f.severity is Severity.ERROR for f in self.faults)

    @property
    def warnings(self) -> int:
        return len(self.faults) - self.errors


@contextmanager
def refusing() -> Iterator[None]:
    """The engine's complaints about terms become refusals with the same sentence."""
    try:
        yield
    except ValueError as error:
        raise Refused(str(error), code="terms") from error


class Desk:
    """An open store with its verbs. Not thread-safe: the window calls it from its lanes, one at a time each.

    where  file or SQLAlchemy URL of the store; manner  how a file is opened. Raises Refused where it cannot be.
    """

    def __init__(self, where: str | Path, manner: Manner | None = None) -> None:
        self.store: Store = open_store(where, manner=manner or AS_NAMED)
        self.unsent: Unsent | None = None
        """Where edits are kept while a server does not answer; None for a file, and where they are refused then."""
        self._marks: dict[str, Mark] = {}  # of the books that were read from a server
        self._books: dict[str, Book] = {}
        self._models: list[Model] = []
        self.model_hits = self.model_misses = 0
        self._master: Mapping[str, Asset] | None = None
        self._traders: dict[str, tuple[Trader, tuple[Asset, ...], Trader]] = {}  # without and with new assets

    def close(self) -> None:
        if self.unsent is not None:
            self.unsent.close()
        self.store.close()

    def keep_unsent(self, folder: Path) -> None:
        """Keep edits in a file of `folder` while the server does not answer, and take up those that wait there."""
        from clo_desktop.work.unsent import Unsent  # a file needs none

        self.unsent = Unsent(StoreServer(self.store), folder)
        self.unsent.recover()

    def deals(self) -> tuple[DealSummary, ...]:
        return self.store.deals()

    def book(self, deal: str) -> Book:
        """The deal with its assets; kept until it changes. Raises Refused for an unknown deal."""
        book = self._books.get(deal)
        if book is None:
            book = self._read(deal)
            if len(self._books) >= _KEPT_BOOKS:
                self._books.pop(next(iter(self._books)))
            self._books[deal] = book
        return book

    def _read(self, deal: str) -> Book:
        if self.unsent is None:
            return self.store.load(deal)
        if self.unsent.holds(deal):
            return self.unsent.book(deal)
        stored = StoreServer(self.store).load(deal)
        if stored is None:
            return self.store.load(deal)  # which says what there is
        self._marks[deal] = stored.mark
        return stored.book

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
        snapshot, lacking = _snapshot(reading.book)
        outcome = replace(outcome, faults=(*outcome.faults, *self._changes_elsewhere(reading.book), *lacking))
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
        replaced = self._save(reading.book, record, snapshot)
        outcome = replace(outcome, snapshot=None if snapshot is None else Taken(snapshot, replaced))
        report(1.0, "Done")
        return outcome

    def add(self, book: Book) -> tuple[Fault, ...]:
        """Stores a deal in hand under its own name; gives the warnings of other deals whose assets it changes.

        Raises Refused where a deal of that name is there already, or its name cannot be one; then nothing was written.
        """
        name = book.deal.name
        if fault := name_fault(name):
            raise Refused(fault)
        if any(deal.name == name for deal in self.deals()):
            raise Refused(f"There is a deal {name} already; give this one another name, or delete that.", code="deal")
        faults = tuple(self._changes_elsewhere(book))
        self._save(book)
        return faults

    def _save(
        self, book: Book, record: ImportRecord | None = None, snapshot: Snapshot | None = None
    ) -> dt.datetime | None:
        """Stores a book; when the snapshot of its date was taken that `snapshot` replaces, if there was one."""
        replaced = self.store.save(book, record, snapshot)
        self.forget()
        return replaced

    def forget(self) -> None:
        """Nothing read before holds any more: the asset master is shared, other deals may have changed too."""
        self._books.clear()
        self._master = None
        self._models.clear()

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
        asked = assumptions or Assumptions()
        tests = self.comply(deal)
        with self.ready(deal, curve=curve) as model:
            flows = model.run(asked)
            of_assets = (asset_table(model, asked), spread_table(model), bucket_table(model))
            tables = (*deal_tables(model, flows), *of_assets)
        _writing(path, lambda: write_report(path, tests, flows, tables))

    def delete(self, deal: str) -> None:
        self.store.delete(deal)
        self._books.pop(deal, None)

    def change(self, deal: str, how: Callable[[Deal], Deal]) -> Book:
        """Stores the deal's inputs as `how` makes them, in one transaction, and gives the new book.

        Raises Refused where `how` raises ValueError, or where the changed inputs cannot be read; then nothing
        was changed.
        """
        book = self.book(deal)
        with refusing():
            return self.edit(book, replace(book, deal=how(book.deal)))

    def edit(self, base: Book, mine: Book, choices: Choices = NO_CHOICES) -> Book:
        """Stores what was changed from `base` to `mine`, on top of what others stored meanwhile; the book then.

        Raises Clashing with the cells that others changed too, where `choices` do not say whose to keep; Refused where
        the changed inputs cannot be read. Then nothing was changed.
        """
        with refusing():
            study.comply(mine, library.catalogue())
        stored, is_kept_here = self._store(base, mine, choices)
        kept = mine if stored == mine else stored
        if kept.assets != base.assets:  # the asset master is shared: other deals may have changed too
            if not is_kept_here:
                self._books.clear()
                self._master = None
            elif self._master is not None:  # nothing can be read anew
                self._master = {**self._master, **kept.assets}
        self._books[base.deal.name] = kept
        return kept

    def _store(self, base: Book, mine: Book, choices: Choices) -> tuple[Book, bool]:
        """The book as it is stored, and whether that is on this computer, to be sent later."""
        deal, unsent = base.deal.name, self.unsent
        if unsent is None:
            return self.store.edit(base, mine, choices), False
        if unsent.holds(deal):
            return unsent.edit(base, mine, choices), True
        op_id, sent = str(uuid.uuid4()), False
        if not unsent.away:
            try:
                return self.store.edit(base, mine, choices, op_id), False
            except Refused as refused:
                if not unsent.is_away(refused):
                    raise
                unsent.away = sent = True
        known = self._books.get(deal, base)
        joined = merge(base, mine, known, choices)
        unsent.keep(known, self._marks.get(deal, NOWHERE), joined, op_id, sent=sent)
        return joined, True

    def send_unsent(
        self,
        deals: Iterable[str] | None = None,
        choices: Choices = NO_CHOICES,
        *,
        again: bool = False,
        report: Progress = silent,
    ) -> tuple[Outcome, ...]:
        """Send the edits that wait on this computer; what came of each deal. Raises Refused as `Unsent.send`."""
        if self.unsent is None or not self.unsent.waiting:
            return ()
        held = self.unsent.deals
        try:
            outcomes = self.unsent.send(deals, choices, again=again, report=report)
        except Refused:
            for deal in held:  # some of it may be there
                self._books.pop(deal, None)
            raise
        self.forget()
        return outcomes

    def drop_unsent(self, deal: str) -> int:
        """Forget the edits of a deal that wait on this computer; how many."""
        dropped = self.unsent.drop(deal) if self.unsent is not None else 0
        self.forget()
        return dropped

    def fresh(self, deal: str) -> Book:
        """The deal as it is stored now, whoever changed it."""
        self._books.pop(deal, None)
        return self.book(deal)

    def master(self) -> Mapping[str, Asset]:
        """The whole asset master of the store; kept until an import changes it."""
        if self._master is None:
            self._master = self.store.assets()
        return self._master

    def trader(self, deal: str, others: Iterable[Asset] = ()) -> Trader:
        """The deal ready for hypothetical trades in the asset master and in `others`; kept until it changes.

        Raises Refused for inputs of the deal that cannot be read.
        """
        book, further = self.book(deal), tuple(others)
        kept = self._traders.get(deal)
        if kept is not None and kept[0].book is book and kept[1] == further:
            return kept[2]
        with refusing():
            plain = kept[0] if kept is not None and kept[0].book is book else None
            if plain is None:
                plain = study.trader(book, library.catalogue(), self.master().values())
            made = plain.extended(further)
        if len(self._traders) >= _KEPT_BOOKS:
            self._traders.pop(next(iter(self._traders)))
        self._traders[deal] = (plain, further, made)
        return made

    def waterfall(self, deal: str) -> Document:
        """The priority of payments of a deal."""
        book = self.book(deal)
        with refusing():
            return waterfalls.known().of(book)

    def comply(self, deal: str) -> Compliance:
        """All tests of the deal."""
        return comply_with(self.book(deal))

    def project(
        self,
        deal: str,
        assumptions: Assumptions | None = None,
        *,
        curve: Path | None = None,
        waterfall: str | None = None,
        report: Progress = silent,
    ) -> Projection:
        """Cash flows of the deal to redemption.

        curve      a CSV that replaces the deal's zero curve
        waterfall  name of one to run instead of the deal's own; Refused where it does not fit the deal's classes
        """
        book = self.book(deal)
        with refusing():
            report(0.0, "Reading terms")
            model = self._model(book, waterfall) if curve is None else _ready(_under(book, curve), waterfall)
            return model.run(assumptions or Assumptions(), report)

    def project_book(self, book: Book, assumptions: Assumptions | None = None, report: Progress = silent) -> Projection:
        """Cash flows of a deal in hand. Raises Refused for terms that are missing, Cancelled when `report` says so.

        What does not depend on the assumptions is kept with the book: another run of it takes milliseconds.
        """
        with refusing():
            report(0.0, "Reading terms")
            return self._model(book).run(assumptions or Assumptions(), report)

    @contextmanager
    def ready(self, deal: str, *, curve: Path | None = None) -> Iterator[Model]:
        """The deal made ready for runs, under its own curve or that of a CSV; what the engine misses is refused."""
        book = self.book(deal)
        with refusing():
            yield self._model(book) if curve is None else _ready(_under(book, curve))

    def asset_flows(self, book: Book, asset_id: str, assumptions: Assumptions) -> Table:
        """Cash flows of one asset of a deal in hand. Raises Refused for terms that are missing."""
        with refusing():
            return asset_table(self._model(book), assumptions, asset_id)

    def tables_of(self, book: Book, flows: Projection) -> tuple[Table, ...]:
        """Every table of a run of a deal in hand. Raises as `asset_flows`."""
        with refusing():
            return deal_tables(self._model(book), flows)

    def spreads_of(self, book: Book) -> dict[str, float]:
        """Z-spreads of a deal in hand by asset id, a year; assets without one are left out. Raises as `asset_flows`."""
        with refusing():
            model = self._model(book)
            found = zip(model.pool.assets, model.z_spreads().tolist(), strict=True)
        return {asset.asset_id: spread for asset, spread in found if spread == spread}

    def tests_ahead(self, book: Book) -> tuple[Snapshot, ...]:
        """All tests of a deal in hand at its next collection ends, as the loans are due (`forward.as_due`).

        Raises Refused for terms that are missing or cannot be read.
        """
        with refusing():
            coming = forward.as_due(self._model(book))
        return tuple(snapshot_of(then, comply_with(then), AHEAD) for then in coming)

    def _model(self, book: Book, waterfall: str | None = None) -> Model:
        """The deal made ready for runs; a book is never changed, so its identity says whether it is the same."""
        document = waterfalls.known().of(book, waterfall)
        found = next((m for m in self._models if m.book is book and m.document is document), None)
        if found is None:
            self.model_misses += 1
            found = Model(book, document, library.assumed_terms())
        else:
            self.model_hits += 1
        self._models = [found, *(m for m in self._models if m is not found)][:_KEPT_MODELS]
        return found


def comply_with(book: Book) -> Compliance:
    """All tests of a deal in hand. Raises Refused for terms that cannot be read."""
    with refusing():
        return study.comply(book, library.catalogue())


def project_with(book: Book, assumptions: Assumptions | None = None, report: Progress = silent) -> Projection:
    """As `Desk.project_book`, made ready anew and with nothing kept."""
    with refusing():
        report(0.0, "Reading terms")
        return _ready(book).run(assumptions or Assumptions(), report)


def _ready(book: Book, waterfall: str | None = None) -> Model:
    return Model(book, waterfalls.known().of(book, waterfall), library.assumed_terms())


def _under(book: Book, curve: Path) -> Book:
    """The deal under the curve of a CSV."""
    return replace(book, reference=replace(book.reference, curve=read_curve(curve)))


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


def _snapshot(book: Book) -> tuple[Snapshot | None, tuple[Fault, ...]]:
    """The snapshot that goes with an import, or why there is none: the deal is imported all the same."""
    if not book.deal.limits:
        return None, ()
    try:
        return snapshot_of(book, comply_with(book), "import"), ()
    except Refused as refused:
        why = f"No snapshot of the tests was stored: {refused.message}"
        return None, (Fault(Severity.WARNING, f"{book.deal.name} Inputs", "", "", "", why),)


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
