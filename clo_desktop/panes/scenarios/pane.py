"""The Scenarios pane: the study in sight follows the levers, the last wish wins."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.sight import Sighted
from clo_desktop.look.words import Tabs
from clo_desktop.panes.scenarios.assets import AssetsTab
from clo_desktop.panes.scenarios.breaks import BreaksTab
from clo_desktop.panes.scenarios.compare import CompareTab
from clo_desktop.panes.scenarios.grid import GridTab
from clo_desktop.panes.scenarios.levers import LEVERS, LeverPanel
from clo_desktop.panes.scenarios.library import LibraryTab
from clo_desktop.panes.scenarios.live import LiveTab
from clo_desktop.panes.scenarios.prices import PricesTab
from clo_desktop.panes.scenarios.renewal import RenewalTab
from clo_desktop.panes.scenarios.tab import Tab
from clo_desktop.panes.scenarios.tornado import TornadoTab
from clo_desktop.panes.scenarios.values import ValuesTab
from clo_desktop.progress import Progress
from clo_desktop.tables.empty import RunFirst
from clo_desktop.work import scenario_library as library
from clo_desktop.work.latest import Latest
from clo_desktop.work.scenario import scenario_of_text
from clo_desktop.work.scenario_library import Entry
from clo_desktop.work.scenario_written import text_of
from clo_desktop.work.session import Session, Timed
from clo_desktop.work.unsaved import Change
from engine.assumptions import Assumptions
from engine.model import Model
from engine.terms import Book

_MOST_RESULTS: Final = 64


class ScenariosPane(Sighted):
    """Levers left; right a tab a study. What is out of sight is run once it comes into sight."""

    def __init__(self, session: Session, ask_run: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._book: Book | None = None
        self._results: dict[Hashable, Any] = {}  # of this deal, by study (with its controls) and assumptions
        self._known = False  # the levers stand at the deal's own
        self.latest = Latest(session.lanes, "Study scenarios", self)
        self.levers = LeverPanel()
        self.live, self.grid, self.breaks = LiveTab(), GridTab(), BreaksTab()
        self.tornado, self.assets, self.compare = TornadoTab(), AssetsTab(), CompareTab()
        self.values, self.prices, self.renewal = ValuesTab(), PricesTab(), RenewalTab()
        self.studies: tuple[Tab, ...] = (
            self.live,
            self.values,
            self.prices,
            self.grid,
            self.breaks,
            self.tornado,
            self.assets,
            self.renewal,
            self.compare,
        )
        self._stale = set(self.studies)
        self.tabs = Tabs()
        for tab in self.studies:
            self.tabs.addTab(tab, tab.title)
        self.library = LibraryTab(session, lambda title: text_of(self.levers.assumptions(), title))
        self.tabs.addTab(self.library, self.library.title)
        split = QSplitter()
        split.addWidget(self.levers)
        split.addWidget(self.tabs)
        split.setStretchFactor(1, 1)
        split.setSizes([290, 900])
        inside = QWidget()
        row = QHBoxLayout(inside)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(split)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(RunFirst(session, "There is nothing to move yet. Open a deal and run it.", ask_run))
        self._layers.addWidget(inside)
        self.setFocusProxy(self.levers)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(0)
        self._pause.timeout.connect(self._ask)
        self.came.connect(self._pause.start)
        session.book_changed.connect(self._deal_changed)
        session.edited.connect(self._edited)
        session.projection_changed.connect(self._projected)
        session.edited.connect(lambda _book: self._results.clear())
        self.levers.moved.connect(self._moved)
        self.levers.keep_asked.connect(self.keep)
        self.levers.forget_asked.connect(self.forget)
        self.tabs.currentChanged.connect(lambda _index: self._pause.start())
        self.latest.refused.connect(self.levers.state.setText)
        self.latest.stopped.connect(self._stopped)
        self.grid.picked.connect(self._put)
        self.assets.asset_wanted.connect(session.asset_wanted)
        self.library.opened.connect(self.open_scenario)
        self.library.run.connect(self._run_scenario)
        for tab in self.studies:
            tab.changed.connect(self._controls_changed)

    @property
    def idle(self) -> bool:
        """Whether what is in sight is what was asked for."""
        return self.latest.idle and not self._pause.isActive()

    # -- the deal -------------------------------------------------------------------------------------------------

    def _deal_changed(self, book: Book | None) -> None:
        self._book, self._known = book, False
        self._results.clear()
        self.latest.drop()
        self.compare.kept.clear()
        self._stale = set(self.studies)
        self.levers.kept.setText("")
        self._layers.setCurrentIndex(0)

    def _edited(self, book: Book) -> None:
        """The deal is another: what is in sight is studied anew, the levers stay."""
        self._book = book
        self._stale = set(self.studies)
        if self._known:
            self._prepare()

    def _projected(self, timed: Timed | None) -> None:
        """The first projection of a deal says what its own assumptions are."""
        if timed is None or self._known or self._book is None:
            return
        flows = timed.projection
        if flows.assumptions != Assumptions():
            return
        own = {name: float(flows.rates[name]) for name in ("cdr", "cpr", "severity", "lag")}
        self.levers.take_own(
            {**own, "rate_shift": 0.0, "sale_price": flows.sale_price, "price_shock": 0.0, "downgrade": 0.0}
        )
        self.live.take_own(flows.equity_irr)
        self._known = True
        self._layers.setCurrentIndex(1)
        self._stale = set(self.studies)
        self._prepare()

    def _prepare(self) -> None:
        """The lists of classes and tests; the model is there already, so this takes no time."""
        desk, book = self._session.desk, self._book
        if desk is None or book is None:
            return

        def work(report: Progress) -> Model:
            with desk.ready(book.deal.name) as model:
                return model

        def done(model: Model) -> None:
            if self._book is book:
                for tab in self.studies:
                    tab.take_model(model)
                self._pause.start()

        self.latest.ask(work, done)

    # -- studies --------------------------------------------------------------------------------------------------

    def _moved(self) -> None:
        self.compare.now = self.levers.words()
        self._stale = set(self.studies)
        self._ask()

    def _controls_changed(self) -> None:
        self._stale |= {tab for tab in self.studies if tab is self.sender()}
        self._ask()

    def _ask(self) -> None:
        """Runs the study in sight, where what it shows is not of these levers."""
        tab, desk, book = self.tabs.currentWidget(), self._session.desk, self._book
        if not isinstance(tab, Tab) or tab not in self._stale or not self._known or not self.in_sight:
            return
        if desk is None or book is None:
            return
        try:
            study, assumptions = tab.study(), self.levers.assumptions()
        except ValueError as error:
            self.levers.state.setText(str(error))
            return
        self._stale.discard(tab)
        key = (study, assumptions)
        kept = self._results.get(key)
        if kept is not None:
            self.latest.drop()
            tab.show_result(kept, book.deal.currency)
            self.levers.state.setText(f"{tab.title}: as asked before.")
            return

        def work(report: Progress) -> tuple[Any, float]:
            started = time.perf_counter()
            with desk.ready(book.deal.name) as model:
                result = study(model, assumptions, report)
            return result, time.perf_counter() - started

        def done(answer: tuple[Any, float]) -> None:
            if self._book is book:
                result, seconds = answer
                self._keep_result(key, result)
                tab.show_result(result, book.deal.currency)
                self.levers.state.setText(f"{tab.title}: {formats.figure(seconds * 1000.0, 0)} ms.")

        try:
            self.latest.ask(work, done)
        except Refused as refused:
            self.levers.state.setText(refused.message)

    def _keep_result(self, key: Hashable, result: Any) -> None:
        """Keeps what was asked for last, so that asking again is answered at once."""
        self._results[key] = result
        while len(self._results) > _MOST_RESULTS:
            self._results.pop(next(iter(self._results)))

    def _stopped(self) -> None:
        """Somebody cancelled the study: what is shown is older than the levers; it runs again when it is next seen."""
        tab = self.tabs.currentWidget()
        if isinstance(tab, Tab):
            self._stale.add(tab)
        self.levers.state.setText("Cancelled: the figures shown are of before. Move a lever to run again.")

    def _put(self, said: dict[str, float]) -> None:
        """A cell of the grid was picked: the levers go there, as far as there are levers for it."""
        named = {"shift": "rate_shift"}
        found = {named.get(name, name): value for name, value in said.items()}
        if "recovery" in found:
            found["severity"] = 1.0 - found["recovery"]
        known = {kind.field for kind in LEVERS}
        self.levers.put({name: value for name, value in found.items() if name in known})
        self.tabs.setCurrentWidget(self.live)

    # -- the library ------------------------------------------------------------------------------------------------

    def open_scenario(self, entry: Entry) -> None:
        """Puts the levers to a scenario of the library, with what of it has no lever beneath them."""
        try:
            asked = library.scenario(entry).assumptions
        except Refused as refused:
            self.levers.state.setText(refused.message)
            return
        self.levers.take_scenario(entry.name, asked)
        self.library.took(entry)

    def _run_scenario(self, entry: Entry) -> None:
        try:
            self._session.scenario_wanted.emit(library.scenario(entry))
        except Refused as refused:
            self.levers.state.setText(refused.message)

    def for_pack(self) -> list[tuple[str, str]]:
        """Name and text of each scenario that is kept, and of the levers, for a pack. Raises Refused."""
        asked = [(kept.words, kept.assumptions) for kept in self.compare.kept]
        if self._known and all(one != self.levers.assumptions() for _, one in asked):
            asked.append((self.levers.words(), self.levers.assumptions()))
        return [(words, text_of(one, words)) for words, one in asked]

    # -- comparison -----------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Keeps the scenario of the levers beside the others."""
        try:
            kept = self.compare.keep(self.levers.words(), self.levers.assumptions())
        except ValueError as error:
            self.levers.state.setText(str(error))
            return
        if not kept:
            self.levers.state.setText("Four scenarios are kept, or this one is; press Forget kept to make room.")
            return
        self._compared()

    def forget(self) -> None:
        """Nothing is kept any more."""
        self.compare.kept.clear()
        self._compared()

    def _compared(self) -> None:
        self.levers.kept.setText(f"Kept for comparison\n{self.compare.words()}" if self.compare.kept else "")
        self._stale.add(self.compare)
        self._ask()

    # -- what is not stored -------------------------------------------------------------------------------------------

    def unsaved(self) -> Change | None:
        """Where the levers stand, and what is kept for comparison."""
        levers = self.levers.unsaved() if self._known else None
        if levers is None and not self.compare.kept:
            return None
        said = [f"levers at {self.levers.words()}"] if levers is not None else []
        count = len(self.compare.kept)
        said += [f"{formats.counted(count, 'scenario')} kept for comparison"] if count else []
        return Change(
            f"Scenarios: {', '.join(said)}",
            {"levers": levers, "compared": [[one.words, text_of(one.assumptions)] for one in self.compare.kept]},
        )

    def restore(self, kept: dict[str, Any]) -> None:
        """Puts levers and comparison to what `unsaved` gave. Raises ValueError or Refused."""
        compared = [(words, scenario_of_text(text, words).assumptions) for words, text in kept["compared"]]
        for words, assumptions in compared:
            self.compare.keep(words, assumptions)
        if kept["levers"] is not None:
            self.levers.restore(kept["levers"])
        if compared:
            self._compared()

    @property
    def ready(self) -> bool:
        """Whether the levers stand at the deal's own, so that they can be moved."""
        return self._known

    # -- in and out of sight --------------------------------------------------------------------------------------

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._pause.stop()
