"""Stored changes of the open deal that can be undone: cells, own tests, decisions about doubts; and the inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from clo_desktop.figures import percent
from clo_desktop.work import cells, judging
from clo_desktop.work.session import Session
from engine.compliance import own
from engine.compliance.inbox import Finding, decide, withdraw
from engine.compliance.matrix import MATRIX
from engine.terms import Book, Deal
from resources import library


@dataclass(frozen=True, slots=True)
class _Step:
    """What was done, and the deal before and after it."""

    name: str
    before: Book
    after: Book


class Edits(QObject):
    """Changes the open deal through the session; every change is stored at once and can be undone.

    changed  what can be undone or redone changed
    found    the inbox of the open deal was read anew (None: no deal is open)
    """

    changed = Signal()
    found = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self.findings: tuple[Finding, ...] | None = None
        session.book_changed.connect(self._forget)
        session.compliance_changed.connect(self._read_inbox)

    # -- what can be undone -------------------------------------------------------------------------------------------

    @property
    def undo_name(self) -> str:
        """What would be undone; "" where there is nothing."""
        return self._done[-1].name if self._done else ""

    @property
    def redo_name(self) -> str:
        return self._undone[-1].name if self._undone else ""

    def undo(self) -> None:
        """Stores what was changed last as it was before; what others changed since stays."""
        if not self._done:
            self._session.said.emit("There is nothing more to undo since the deal was opened.")
            return
        step = self._done.pop()
        self._undone.append(step)
        self._put_back(f"Undo {step.name}", step.after, step.before, f"Undone: {step.name}.")

    def redo(self) -> None:
        """Does again what was undone last."""
        if not self._undone:
            self._session.said.emit("There is nothing to redo.")
            return
        step = self._undone.pop()
        self._done.append(step)
        self._put_back(f"Redo {step.name}", step.before, step.after, f"Done again: {step.name}.")

    def _put_back(self, name: str, now: Book, wanted: Book, words: str) -> None:
        self.changed.emit()
        self._session.restore(name, now, wanted, lambda _before, _after: self._session.said.emit(words))

    def _do(self, name: str, how: Callable[[Deal], Deal]) -> None:
        self._do_book(name, lambda book: replace(book, deal=how(book.deal)))

    def _do_book(self, name: str, how: Callable[[Book], Book]) -> None:
        def then(before: Book, after: Book) -> None:
            self._done.append(_Step(name, before, after))
            self._undone.clear()
            self.changed.emit()
            self._session.said.emit(f"Stored: {name}.")

        self._session.change(name, how, then)

    # -- cells of positions -------------------------------------------------------------------------------------------

    def type(self, typed: Sequence[cells.Typed]) -> None:
        """Stores what was typed or pasted into cells of positions, as one step."""
        self._do_book(cells.words(typed), lambda book: cells.with_cells(book, typed))

    # -- tests of one's own -------------------------------------------------------------------------------------------

    def write_test(self, number: int | None, name: str, direction: str, limit: float, text: str) -> None:
        """Stores a test of one's own; `number` None: a new one. See engine/compliance/own.py for the text."""
        sets = library.catalogue().sets

        def how(deal: Deal) -> Deal:
            if number is None:
                return own.with_test(deal, name, direction, limit, text, sets=sets)[0]
            return own.changed_test(deal, number, name, direction, limit, text, sets=sets)

        self._do(f"{'new test' if number is None else f'test {number}'}, {name.strip()}", how)

    def remove_test(self, number: int, name: str) -> None:
        """Takes a test of one's own out of the deal."""
        self._do(f"remove test {number}, {name}", lambda deal: own.without_test(deal, number))

    # -- the quality matrix -------------------------------------------------------------------------------------------

    def elect(self, spread: float, diversity: float, table: str | None) -> None:
        """Elects a point of the quality matrix; `table`: and takes this reference table as the deal's matrix.

        spread  fraction a year; diversity  score
        """
        labels: dict[str, str | float] = {"Matrix Spread": spread, "Matrix Diversity": diversity}
        if table is not None:
            labels[MATRIX] = table
        wanted = {label.casefold() for label in labels}

        def how(deal: Deal) -> Deal:
            others = tuple(pair for pair in deal.quality_inputs if pair[0].strip().casefold() not in wanted)
            return replace(deal, quality_inputs=(*others, *labels.items()))

        self._do(f"elect spread {percent(spread)}, diversity {diversity:g}", how)

    # -- the inbox ----------------------------------------------------------------------------------------------------

    @property
    def open_count(self) -> int:
        """Doubts nobody has decided about."""
        return sum(not f.decided for f in self.findings or ())

    def decide(self, findings: Sequence[Finding], word: str) -> None:
        """Stores one decision about all these doubts."""
        about = findings[0].key if len(findings) == 1 else f"{len(findings)} findings"
        self._do(f"{about}: {word}", lambda deal: _all(deal, findings, lambda d, f: decide(d, f, word)))

    def reopen(self, findings: Iterable[Finding]) -> None:
        """Takes the decisions about these back."""
        decided = [f for f in findings if f.decided]
        about = decided[0].key if len(decided) == 1 else f"{len(decided)} findings"
        self._do(f"{about}: open again", lambda deal: _all(deal, decided, withdraw))

    def _forget(self, _book: object) -> None:
        self._done.clear()
        self._undone.clear()
        self.findings = None
        self.changed.emit()
        self.found.emit(None)

    def _read_inbox(self, done: object) -> None:
        if done is None or self._session.book is None:
            return

        def read(findings: tuple[Finding, ...]) -> None:
            self.findings = findings
            self.found.emit(findings)

        self._session.look(f"Inbox of {self._session.deal}", judging.inbox_of, read)


def _all(deal: Deal, findings: Iterable[Finding], how: Callable[[Deal, Finding], Deal]) -> Deal:
    for finding in findings:
        deal = how(deal, finding)
    return deal
