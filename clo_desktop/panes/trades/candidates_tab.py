"""What one more million does, asset by asset, and the candidates ranked by the objective."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.formats import Show
from clo_desktop.panes.trades.errand_bar import ErrandBar
from clo_desktop.panes.trades.frames import FIGURES, small, stopping
from clo_desktop.progress import Progress
from clo_desktop.tables.filter_edit import FilterEdit
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.completing import Completer
from clo_desktop.work.pad import Pad
from clo_desktop.work.pad_rows import Row, amount
from clo_desktop.work.trading import issue_of, weights_of_text
from engine import trades
from engine.asset import Asset, Kind
from engine.trades import HIGHEST_PAR, MILLION, Marginal, Ranking, Side, Trader
from resources import library

_SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
_COMMON: Final = (
    Column("asset_id", "Asset", Kind.ID.value),
    Column("issue", "Issue", Kind.TEXT.value),
    Column("breaks", "Breaks", Kind.TEXT.value, tip="Tests that the trade by itself breaks, or makes worse"),
    Column("held", "Held", Kind.MONEY.value),
    Column("par", "Par traded", Kind.MONEY.value, total=Total.NONE),
    Column("price", "Price", Kind.PRICE.value),
)
_TERMS: Final = (
    Column("moodys", "Moody's", Kind.MOODYS.value),
    Column("sp", "S&P", Kind.SP.value),
    Column("spread", "Spread", Kind.RATE.value),
    Column("life", "Average life", Kind.YEARS.value),
    Column("maturity", "Maturity", Kind.DATE.value),
    Column("industry", "Industry", Kind.TEXT.value),
)
_NOTHING: Final = "\u00a0"


def amount_of(text: str) -> float:
    """A size as it is typed; a million for a blank. Raises Refused with the remedy."""
    try:
        found = amount(text)
    except ValueError as error:
        raise Refused(str(error)) from error
    found = MILLION if found is None else found
    if not 0.0 < found <= HIGHEST_PAR:
        raise Refused("This size cannot be traded; write an amount such as 1000000, 2.5m or 250k.")
    return found


def _broken(breaks: tuple[int, ...], worsens: tuple[int, ...]) -> str:
    """What is broken; a blank that is not missing where nothing is."""
    return stopping(breaks, worsens) or _NOTHING


def _terms(assets: list[Asset]) -> dict[str, list[Any]]:
    return {
        "asset_id": [a.asset_id for a in assets],
        "issue": [issue_of(a) for a in assets],
        "moodys": [a.moodys_rating for a in assets],
        "sp": [a.sp_issuer_rating for a in assets],
        "spread": [a.coupon_spread for a in assets],
        "life": [a.wal for a in assets],
        "maturity": [a.maturity for a in assets],
        "industry": [a.moodys_industry for a in assets],
    }


def _held(trader: Trader, assets: list[Asset]) -> list[float]:
    return [float(trader.par[trader.place(a.asset_id)]) for a in assets]


def marginal_frame(trader: Trader | None, found: Marginal | None, currency: str = "") -> tuple[Frame, dict[str, Any]]:
    """The table of one more (or less) million of every asset, and its column sets."""
    figures = [(n, t, k) for n, t, k in FIGURES if found is not None and n in found.figures]
    names = {} if trader is None else {n: s.definition for n, s in trader.standings.items()}
    tests = [(n, names[n]) for n in (found.tests if found is not None else ()) if n in names]
    moved = [Column(f"d_{n}", f"{t}, change", small(k), total=Total.NONE) for n, t, k in figures]
    quality = Column("quality", "Quality, change", Show.SMALL.value, tip="See the objective in the manual")
    each = [
        Column(f"t_{n}", f"{n} {d.name}, change", small(d.kind), total=Total.NONE, tip="Change of the test's result")
        for n, d in tests
    ]
    columns = (*_COMMON, *moved, quality, *_TERMS, *each)
    if trader is None or found is None:
        frame = Frame(columns, {c.name: [] for c in columns}, key="asset_id")
    else:
        assets = list(found.assets)
        data: dict[str, Any] = {
            **_terms(assets),
            "breaks": [_broken(b := found.broken(i), trader.failing_among(b)) for i in range(len(assets))],
            "held": _held(trader, assets),
            "par": found.par,
            "price": found.price,
            "quality": found.quality,
            **{f"d_{n}": found.figures[n] for n, _, _ in figures},
            **{f"t_{n}": found.changes[:, found.tests.index(n)] for n, _ in tests},
        }
        frame = Frame(columns, data, key="asset_id", currency=currency)
    own = [c.name for c in (*_COMMON, *moved, quality, *_TERMS)]
    sets = {"Figures": own, "Every test": ["asset_id", "issue", "breaks", *(c.name for c in each)]}
    return frame, {**sets, "All": [c.name for c in columns]}


def ranking_frame(trader: Trader | None, found: Ranking | None, currency: str = "") -> Frame:
    """The candidates, the best first."""
    weights = found.weights if found is not None else {}
    names = {} if trader is None else {n: s.definition for n, s in trader.standings.items()}
    moved = [
        Column(f"t_{n}", f"{n} {names[n].name}, change", small(names[n].kind), total=Total.NONE)
        for n in weights
        if n in names
    ]
    columns = (
        Column("place", "Place", Kind.COUNT.value),
        *_COMMON[:2],
        Column("score", "Score", Show.SMALL.value, total=Total.NONE, tip="Change of the quality by the trade"),
        *_COMMON[2:],
        *moved,
        *_TERMS,
    )
    rows = list(found.rows) if found is not None else []
    data: dict[str, Any] = {
        **_terms([r.asset for r in rows]),
        "place": [float(i) for i in range(1, len(rows) + 1)],
        "score": [r.score for r in rows],
        "breaks": [_broken(r.breaks, r.worsens) for r in rows],
        "held": [r.held for r in rows],
        "par": [r.par for r in rows],
        "price": [r.price for r in rows],
        **{f"t_{n}": [r.changes[n] for r in rows] for n in weights if n in names},
    }
    return Frame(columns, data, key="asset_id", currency=currency)


class _Candidates(QWidget):
    """A table of assets; Enter on one puts the trade into the pad. taken carries its row."""

    taken = Signal(object)

    def __init__(self, pad: Pad, table: FrameTable, bar: ErrandBar) -> None:
        super().__init__()
        self.pad, self.table, self.bar = pad, table, bar
        self._side, self._currency = Side.BUY, ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(table, 1)
        table.row_activated.connect(self._take)

    def _take(self, key: object) -> None:
        row = self.table.frame.row_of(str(key))
        if row >= 0:
            par, price = (float(self.table.frame.array(name)[row]) for name in ("par", "price"))
            self.taken.emit(Row(self._side.value.capitalize(), str(key), f"{par:,.12g}", f"{price:.10g}"))

    def set_currency(self, currency: str) -> None:
        self._currency = currency


class MarginalTab(_Candidates):
    """One more, or less, of every asset held or in the master list."""

    def __init__(self, pad: Pad) -> None:
        self.side = Choice("Side")
        self.side.addItems(["Buy", "Sell"])
        self.size_field = QLineEdit("1,000,000")
        self.size_field.setAccessibleName("Size of each trade")
        self.size_field.setFixedWidth(110)
        frame, sets = marginal_frame(None, None)
        table = FrameTable(frame, name="Effect of one trade of each asset", frozen=2, footer=False, sets=sets)
        table.set_empty("What one more million of each asset does to every test and figure.", "Reckon", self.run)
        super().__init__(
            pad, table, ErrandBar(pad, "Reckon", [("Side", self.side), ("Size", self.size_field)], self.run)
        )
        self.side.activated.connect(lambda _index: self.run())
        self.size_field.returnPressed.connect(self.run)
        self.setFocusProxy(self.side)

    def run(self) -> None:
        """Reckons the table anew, of the deal as it is: without the trades of the pad."""
        side = _SIDES[self.side.currentText()]
        try:
            size = amount_of(self.size_field.text())
        except Refused as refused:
            self.bar.say(refused.message)
            return

        def work(trader: Trader, report: Progress) -> tuple[Trader, Marginal]:
            report(0.1, "Trading each asset by itself")
            return trader, trades.marginal(trader, side, size)

        def done(found: tuple[Trader, Marginal]) -> None:
            self._side = side
            frame, sets = marginal_frame(*found, self._currency)
            first = frame.columns != self.table.frame.columns
            self.table.set_frame(frame)
            self.table.set_column_sets(sets)
            if first:
                self.table.show_set("Figures")
                self.table.fit_columns()
            count = formats.counted(len(frame), "asset")
            kept = sum(1 for i in range(len(frame)) if not found[1].broken(i))
            unbroken = "1 breaks" if kept == 1 else f"{formats.figure(kept, 0)} break"
            self.bar.say(
                f"{count} with a price of its own, each traded by itself: {unbroken} no test. "
                "Enter puts a trade into the pad."
            )

        self.bar.run("Effect of one trade of each asset", lambda _desk, trader, _report: trader, work, done)

    def clear(self) -> None:
        """Another deal: what is shown is not of it."""
        self.bar.drop()
        frame, sets = marginal_frame(None, None)
        self.table.set_frame(frame)
        self.table.set_column_sets(sets)


class RankingTab(_Candidates):
    """Candidates by their true marginal effect on the objective."""

    def __init__(self, pad: Pad) -> None:
        self.side = Choice("Side")
        self.side.addItems(["Buy", "Sell"])
        self.size_field = QLineEdit("1,000,000")
        self.size_field.setAccessibleName("Size of each trade")
        self.size_field.setFixedWidth(110)
        self.weights = QLineEdit()
        self.weights.setAccessibleName("Weights of the tests")
        self.weights.setPlaceholderText("the deal's own, or 32=0.6, 36=0.3")
        self.weights.setToolTip("Test=weight, with commas between; blank takes the weights of the deal")
        self.where = FilterEdit("Filter of the candidates")
        self.where.setPlaceholderText("all, or such as wal < 5 and moodys_rating >= B2")
        table = FrameTable(ranking_frame(None, None), name="Ranked candidates", frozen=3, footer=False)
        table.set_empty("The candidates by what a trade of each does to the objective.", "Rank", self.run)
        fields: list[tuple[str, QWidget]] = [
            ("Side", self.side),
            ("Size", self.size_field),
            ("Weights", self.weights),
            ("Filter", self.where),
        ]
        super().__init__(pad, table, ErrandBar(pad, "Rank", fields, self.run))
        for field in (self.size_field, self.weights, self.where):
            field.returnPressed.connect(self.run)
        self.side.activated.connect(lambda _index: self.run())
        self.setFocusProxy(self.side)

    def offer(self, trader: Trader | None) -> None:
        """What the filter completes."""
        self.where.set_source(None if trader is None else Completer(trader.pool, library.catalogue().sets))

    def run(self) -> None:
        """Ranks anew, on the deal as it is."""
        side = _SIDES[self.side.currentText()]
        where = self.where.text().strip()
        try:
            size = amount_of(self.size_field.text())
            weights = weights_of_text(self.weights.text()) if self.weights.text().strip() else None
        except (Refused, ValueError) as error:
            self.bar.say(_sentence(str(error)))
            return

        def work(trader: Trader, report: Progress) -> tuple[Trader, Ranking]:
            report(0.1, "Trading each candidate by itself")
            try:
                return trader, trades.rank(trader, side, weights, where=where, size=size)
            except ValueError as error:
                raise Refused(str(error)) from error

        def done(found: tuple[Trader, Ranking]) -> None:
            self._side = side
            frame = ranking_frame(*found, self._currency)
            other = frame.columns != self.table.frame.columns
            self.table.set_frame(frame)
            if other:
                self.table.fit_columns()
            weighed = ", ".join(f"{n}={w:g}" for n, w in found[1].weights.items())
            self.bar.say(
                f"{formats.counted(len(frame), 'candidate')}; quality of the deal "
                f"{formats.figure(found[1].quality, 4)} under weights {weighed}. Those that break no test stand first. "
                "Enter puts a trade into the pad."
                if len(frame)
                else "No asset is a candidate: none has a sound price and is within the filter."
            )

        self.bar.run("Ranking", lambda _desk, trader, _report: trader, work, done)

    def clear(self) -> None:
        """Another deal: what is shown is not of it."""
        self.bar.drop()
        self.table.set_frame(ranking_frame(None, None))


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
