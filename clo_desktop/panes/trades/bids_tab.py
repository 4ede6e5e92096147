"""A pasted bid list against every deal: what fits, what it breaks, up to which size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.panes.trades.errand_bar import ErrandBar
from clo_desktop.panes.trades.frames import FIGURES, small, stopping
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.desk import Desk
from clo_desktop.work.pad import Pad
from clo_desktop.work.pad_rows import Row
from clo_desktop.work.trading import issue_of
from engine import trades
from engine.asset import Kind
from engine.trades import Fit, Line, Side, Trader

_SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
_MATRIX, _LINES = "Names by deals", "Every name in every deal"
_EXAMPLE: Final = (
    "Paste a list, a name a line with size and price behind it:\nHBR000109  2.5mm  98.5-99\nAcme Holdings  1mm"
)
Found = Mapping[str, Sequence[Fit]]

_LINE_COLUMNS: Final = (
    Column("key", "Line in deal", Kind.ID.value),
    Column("row", "Line", Kind.COUNT.value, total=Total.NONE),
    Column("text", "List", Kind.TEXT.value),
    Column("asset_id", "Asset", Kind.ID.value),
    Column("issue", "Issue", Kind.TEXT.value),
    Column("deal", "Deal", Kind.TEXT.value),
    Column("fits", "Fits", Kind.TEXT.value),
    Column("par", "Par", Kind.MONEY.value, total=Total.NONE),
    Column("price", "Price", Kind.PRICE.value, total=Total.NONE),
    Column(
        "breaks",
        "Breaks",
        Kind.TEXT.value,
        tip="Tests that the trade of this size breaks, or makes worse",
    ),
    Column("largest", "Largest size", Kind.MONEY.value, total=Total.NONE, tip="That breaks no test"),
    Column("stopped", "Stopped by", Kind.TEXT.value, tip="The tests that one unit more breaks"),
    Column("affordable", "Cash pays for", Kind.MONEY.value, total=Total.NONE, tip="Par that cash in hand pays for"),
    *(
        Column(f"d_{n}", f"{t}, change", small(k), total=Total.NONE)
        for n, t, k in FIGURES
        if n in ("spread", "factor", "recovery", "wal", "diversity", "quality")
    ),
    Column("problem", "To mend", Kind.TEXT.value),
)
_NOTHING: Final = "\u00a0"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or _NOTHING


def _fit_words(fit: Fit) -> str:
    if fit.fits is None:
        return "? not judged"
    return "✓ fits" if fit.fits else "✕ worsens" if fit.breaks == fit.worsens else "✕ breaks"


def _broken(fit: Fit) -> str:
    """The tests that stop it, without the sign."""
    return stopping(fit.breaks, fit.worsens).removeprefix("✕ ") or _NOTHING


def _short_par(par: float) -> str:
    return f"{formats.figure(par / 1e6, 2)}m"


def cell_words(fit: Fit) -> str:
    """One name in one deal: whether it fits, what it breaks, the largest size in millions."""
    if fit.fits is None or fit.largest is None:
        return f"? {fit.problem}"
    broken = "✓ fits" if fit.fits else stopping(fit.breaks, fit.worsens)
    return f"{broken}, {f'up to {_short_par(fit.largest.par)}' if fit.largest.par else 'no size passes'}"


def lines_frame(found: Found, currency: str = "") -> Frame:
    """Every name in every deal, a row each."""
    rows = [(deal, fit) for deal, fits in found.items() for fit in fits]
    data: dict[str, list[Any]] = {
        "key": [f"{f.line.row} {deal}" for deal, f in rows],
        "row": [float(f.line.row) for _, f in rows],
        "text": [f.line.text for _, f in rows],
        "asset_id": [f.line.asset.asset_id if f.line.asset else None for _, f in rows],
        "issue": [issue_of(f.line.asset) if f.line.asset else None for _, f in rows],
        "deal": [deal for deal, _ in rows],
        "fits": [_fit_words(f) for _, f in rows],
        "par": [f.par or None for _, f in rows],
        "price": [f.price for _, f in rows],
        "breaks": [_broken(f) for _, f in rows],
        "largest": [None if f.largest is None else f.largest.par for _, f in rows],
        "stopped": [_NOTHING if f.largest is None else _numbers(f.largest.stopped_by) for _, f in rows],
        "affordable": [f.affordable for _, f in rows],
        "problem": [f.problem or _NOTHING for _, f in rows],
    }
    for column in _LINE_COLUMNS:
        if column.name.startswith("d_"):
            data[column.name] = [f.changes.get(column.name[2:]) for _, f in rows]
    return Frame(_LINE_COLUMNS, data, key="key", currency=currency)


def matrix_frame(found: Found, currency: str = "") -> Frame:
    """Names down, deals across."""
    deals = list(found)
    first: Sequence[Fit] = found[deals[0]] if deals else ()
    columns = (
        Column("key", "Line in deal", Kind.ID.value),
        Column("row", "Line", Kind.COUNT.value, total=Total.NONE),
        Column("text", "List", Kind.TEXT.value),
        Column("issue", "Issue", Kind.TEXT.value),
        Column("count", "Fits in deals", Kind.COUNT.value, total=Total.NONE),
        *(Column(f"deal {i}", deal, Kind.TEXT.value) for i, deal in enumerate(deals)),
    )
    data: dict[str, list[Any]] = {
        "key": [f"{f.line.row} {deals[0]}" for f in first],
        "row": [float(f.line.row) for f in first],
        "text": [f.line.text for f in first],
        "issue": [issue_of(f.line.asset) if f.line.asset else None for f in first],
        "count": [float(sum(bool(found[d][i].fits) for d in deals)) for i in range(len(first))],
        **{f"deal {i}": [cell_words(f) for f in found[deal]] for i, deal in enumerate(deals)},
    }
    return Frame(columns, data, key="key", currency=currency)


class BidsTab(QWidget):
    """The list above, the answer below; Enter on a row puts the trade into the pad. taken carries its row."""

    taken = Signal(object)

    def __init__(self, pad: Pad) -> None:
        super().__init__()
        self._found: Found = {}
        self._side = Side.BUY
        self._currency = ""
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(_EXAMPLE)
        self.text.setAccessibleName("Bid list")
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.side = Choice("Side")
        self.side.addItems(["Buy", "Sell"])
        self.shown = Choice("What is shown")
        self.shown.addItems([_MATRIX, _LINES])
        self.bar = ErrandBar(pad, "Judge in every deal", [("Side", self.side), ("Show", self.shown)], self.run)
        self.table = FrameTable(matrix_frame({}), name="Bid list against deals", frozen=2, footer=False)
        self.table.set_empty("Paste a list above: every name is judged in every deal of the workspace.")
        below = QWidget()
        inside = QVBoxLayout(below)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self.bar)
        inside.addWidget(self.table, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.text)
        split.addWidget(below)
        split.setStretchFactor(1, 1)
        split.setSizes([130, 1000])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(split)
        self.setFocusProxy(self.text)
        self.shown.activated.connect(lambda _index: self._fill())
        self.side.activated.connect(lambda _index: self.run() if self._found else None)
        self.table.row_activated.connect(self._take)

    def set_currency(self, currency: str) -> None:
        self._currency = currency

    def run(self) -> None:
        """Judges the list in every deal."""
        text, side = self.text.toPlainText(), _SIDES[self.side.currentText()]

        def gather(desk: Desk, _trader: Trader, report: Progress) -> tuple[dict[str, Trader], tuple[Line, ...]]:
            lines = trades.read_lines(text, desk.master().values())
            if not lines:
                raise Refused("The list holds no names; paste one a line, with its size and price behind it.")
            names = [d.name for d in desk.deals()]
            made = {}
            for i, name in enumerate(names):
                report(i / len(names), f"Making {name} ready")
                made[name] = desk.trader(name)
            return made, lines

        def work(got: tuple[dict[str, Trader], tuple[Line, ...]], report: Progress) -> Found:
            traders, lines = got
            made: dict[str, Sequence[Fit]] = {}
            for i, (name, trader) in enumerate(traders.items()):
                report(i / len(traders), f"Judging in {name}")
                made[name] = trades.fit(trader, lines, side)
            return made

        def done(found: Found) -> None:
            self._found, self._side = found, side
            self._fill()
            names = len(next(iter(found.values()), ()))
            fitting = sum(bool(f.fits) for fits in found.values() for f in fits)
            wrong = len({f.line.row for fits in found.values() for f in fits if f.line.asset is None})
            said = "it says" if wrong == 1 else "they say"
            unknown = f" {formats.counted(wrong, 'line')} could not be read; {said} why." if wrong else ""
            self.bar.say(
                f"{formats.counted(names, 'name')} in {formats.counted(len(found), 'deal')}: "
                f"{fitting} of {names * len(found)} fit.{unknown} Enter puts a name into the pad."
            )

        self.bar.run("Bid list", gather, work, done)

    def _fill(self) -> None:
        make = matrix_frame if self.shown.currentText() == _MATRIX else lines_frame
        frame = make(self._found, self._currency)
        other = [c.name for c in frame.columns] != self.table.visible_columns()
        self.table.set_frame(frame)
        if other:
            self.table.show_columns([c.name for c in frame.columns if c.name != "key"])
            self.table.fit_columns()

    def _take(self, key: object) -> None:
        row = str(key).partition(" ")[0]
        fits = [f for some in self._found.values() for f in some if str(f.line.row) == row and f.line.asset]
        if not fits:
            return
        fit = next((f for f in fits if f.fits is not None), fits[0])
        asset = fit.line.asset
        assert asset is not None
        par = fit.line.size or fit.par or 1e6
        price = "" if fit.price is None else f"{fit.price:.10g}"
        self.taken.emit(Row(self._side.value.capitalize(), asset.asset_id, f"{par:,.12g}", price))

    def clear(self) -> None:
        """Another deal is open; the list stays, its answer is of all deals and stays too."""
        self.bar.drop()
