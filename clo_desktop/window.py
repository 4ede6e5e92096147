"""The main window: the deal rail, the panes as docks, menus from the commands, the status bar."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QByteArray, QChildEvent, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QFileDialog,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QTabBar,
    QTabWidget,
    QWidget,
)

from clo_desktop import __version__
from clo_desktop.commands import COMMANDS, MENUS
from clo_desktop.dialogs.clash import ClashDialog
from clo_desktop.dialogs.courier import Courier
from clo_desktop.dialogs.doorman import Doorman
from clo_desktop.dialogs.entries import of_commands, of_session
from clo_desktop.dialogs.gatekeeper import Gatekeeper
from clo_desktop.dialogs.limits import Limits
from clo_desktop.dialogs.metrics_settings import MetricsSettingsDialog
from clo_desktop.dialogs.own_test import OwnTestDialog
from clo_desktop.dialogs.palette import Palette
from clo_desktop.dialogs.porter import Porter
from clo_desktop.dialogs.registrar import Registrar
from clo_desktop.dialogs.rescue import ask_rescue
from clo_desktop.faults import Refused
from clo_desktop.look import formats, theme
from clo_desktop.look.banner import Banner
from clo_desktop.look.formats import counted
from clo_desktop.look.permits import NEEDS, Permitted
from clo_desktop.look.status import StatusBar
from clo_desktop.look.words import ElidedLabel, as_text
from clo_desktop.panes.audit import AuditPane
from clo_desktop.panes.cashflows import CashFlowsPane
from clo_desktop.panes.collateral import CollateralPane
from clo_desktop.panes.compliance import CompliancePane
from clo_desktop.panes.deals import DealsPane
from clo_desktop.panes.health import HealthPane
from clo_desktop.panes.imports import ImportsPane
from clo_desktop.panes.inbox import InboxPane
from clo_desktop.panes.matrix import MatrixPane
from clo_desktop.panes.run import RunPane
from clo_desktop.panes.scenarios import ScenariosPane
from clo_desktop.panes.trades import TradesPane
from clo_desktop.panes.users import UsersPane
from clo_desktop.panes.waterfall import WaterfallPane
from clo_desktop.settings import Settings
from clo_desktop.tables.tabbing import next_in_sight
from clo_desktop.tables.view import FrameTable
from clo_desktop.unsaved_sources import sources
from clo_desktop.work import contract, health, rights
from clo_desktop.work.changing import Clash
from clo_desktop.work.desk import Imported
from clo_desktop.work.edits import Edits
from clo_desktop.work.judging import own_tests_of
from clo_desktop.work.register import Register
from clo_desktop.work.session import Session, Timed
from clo_desktop.work.unsaved import Unsaved
from clo_desktop.work.watch import Watch

_LAYOUT_VERSION: Final = 5
_log = logging.getLogger(__name__)
_LONG: Final = 1.0  # seconds after which work shows its progress in the status bar


class Window(QMainWindow):
    """One session in a window. `keep` is called with the settings when the window closes."""

    def __init__(self, session: Session, settings: Settings, keep: Callable[[Settings], object]) -> None:
        super().__init__()
        self.session = session
        self._settings = settings
        self._keep = keep
        self.setWindowTitle("CLO Desktop")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.porter = Porter(session, self._guarded, lambda: self.scenarios.for_pack(), self)
        ask_import = Permitted(session.seat, rights.IMPORT, self._guarded(self.porter.ask_import))
        self.deals = DealsPane(session, ask_import, self._guarded_of(self.ask_delete))
        self.edits = Edits(session, self)
        self.collateral = CollateralPane(session, self.edits, ask_import)
        self.compliance = CompliancePane(session, self.edits, ask_import, self._guarded_test)
        self.inbox = InboxPane(session, self.edits, ask_import)
        self.matrix = MatrixPane(session, self.edits, ask_import)
        self.trades = TradesPane(session, ask_import)
        self.run_pane = RunPane(session)
        self.cash_flows = CashFlowsPane(session, self.run_pane.run)
        self.waterfall = WaterfallPane(session, self.run_pane.run)
        self.scenarios = ScenariosPane(session, self.run_pane.run)
        self.imports = ImportsPane(session, ask_import)
        self.audit = AuditPane(session, ask_import)
        self.health = HealthPane(session, health.metrics_folder(settings.metrics_folder))
        self.register = Register(session, self)
        self.registrar = Registrar(session, self.register, self)
        acts = {name: self._guarded_of(act) for name, act in self.registrar.acts().items()}
        self.users = UsersPane(session, self.register, acts)
        self.watch = Watch(session, self)
        self.docks = {
            "deals": self._dock("deals", "Deals", self.deals),
            "collateral": self._dock("collateral", "Collateral", self.collateral),
            "compliance": self._dock("compliance", "Compliance", self.compliance),
            "inbox": self._dock("inbox", "Inbox", self.inbox),
            "matrix": self._dock("matrix", "Quality matrix", self.matrix),
            "trades": self._dock("trades", "Trades", self.trades),
            "cashflows": self._dock("cashflows", "Cash flows", self.cash_flows),
            "waterfall": self._dock("waterfall", "Waterfall", self.waterfall),
            "scenarios": self._dock("scenarios", "Scenarios", self.scenarios),
            "run": self._dock("run", "Run", self.run_pane),
            "imports": self._dock("imports", "Import report", self.imports),
            "audit": self._dock("audit", "Audit", self.audit),
            "health": self._dock("health", "Health", self.health),
            "users": self._dock("users", "Users", self.users),
        }
        self.banner = Banner(self)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.banner)
        self.doorman = Doorman(session, self.banner, lambda: self._settings.left_plain, self._leave_plain, self)
        self.gate = Gatekeeper(
            session, self.register, self.doorman.keeper, lambda: self._settings, self._remember, self
        )
        self.courier = Courier(session, self.watch, self.gate, self)
        self.actions_by_id: dict[str, QAction] = {}
        self._make_menus()
        self._make_status_bar()
        centre = QWidget()
        centre.hide()
        self.setCentralWidget(centre)
        self._lay_out()
        self._restore()
        self.unsaved = Unsaved(session, sources(self), self)
        self.limits = Limits(session, self.actions_by_id, self.docks["users"], self)
        self._connect()

    # -- making -------------------------------------------------------------------------------------------------------

    def _dock(self, name: str, title: str, pane: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(pane)
        dock.setAccessibleName(title)
        return dock

    def _lay_out(self) -> None:
        """The docks in their places: deals left, panes as tabs in the middle, Run right.

        Built anew rather than restored: Qt leaves tab bars without panes behind when docks were moved in between.
        """
        for dock in self.docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.docks["deals"])
        self.splitDockWidget(self.docks["deals"], self.docks["collateral"], Qt.Orientation.Horizontal)
        self.splitDockWidget(self.docks["collateral"], self.docks["run"], Qt.Orientation.Horizontal)
        for name in (
            "compliance",
            "inbox",
            "matrix",
            "trades",
            "cashflows",
            "waterfall",
            "scenarios",
            "imports",
            "audit",
            "health",
            "users",
        ):
            self.tabifyDockWidget(self.docks["collateral"], self.docks[name])
        for name, dock in self.docks.items():
            dock.setVisible(name != "users" or self.register.is_mine)
        self.docks["collateral"].raise_()
        sides = [self.docks["deals"], self.docks["collateral"], self.docks["run"]]
        self.resizeDocks(sides, [240, 1000, 330], Qt.Orientation.Horizontal)

    def _make_menus(self) -> None:
        acts = self._acts()
        menus = {name: self.menuBar().addMenu(name) for name in MENUS}
        themes = QActionGroup(self)
        for command in COMMANDS:
            action = QAction(command.text, self)
            action.setShortcuts([QKeySequence(k) for k in command.keys])
            action.setStatusTip(command.tip)
            action.setToolTip(command.tip)
            action.setProperty(NEEDS, command.needs)
            action.triggered.connect(self._guarded(acts[command.id]))
            if command.id.startswith("theme."):
                action.setCheckable(True)
                action.setChecked(command.id == f"theme.{self._settings.theme}")
                themes.addAction(action)
            elif command.id == "dense":
                action.setCheckable(True)
                action.setChecked(self._settings.density == "compact")
            menu = menus[command.menu]
            if command.ruled:
                menu.addSeparator()
            menu.addAction(action)
            self.actions_by_id[command.id] = action

    def _acts(self) -> dict[str, Callable[[], object]]:
        """What each command does."""
        return {
            "import": self.porter.ask_import,
            "export": self.porter.ask_export,
            "report": self.porter.ask_report,
            "tables": self.porter.ask_tables,
            "pack": self.porter.ask_pack,
            "unpack": self.porter.ask_unpack,
            "scenario.import": self.porter.ask_scenarios,
            "former.import": self.porter.ask_former,
            "open": self.ask_workspace,
            "own": self.doorman.own,
            "backup": self.doorman.back_up,
            "restore": self.doorman.ask_restore,
            "encryption": self.doorman.ask_encryption,
            "recovery": self.doorman.ask_recovery_key,
            "demo": self.porter.import_demo,
            "server": self.gate.ask_server,
            "offline": self.courier.ask_take,
            "synchronise": self.courier.ask_synchronise,
            "signout": self.gate.sign_out,
            "password": self.gate.change_password,
            "lock": self.gate.lock_now,
            "lock.after": self.gate.ask_lock,
            "quit": self.close,
            **{f"pane.{name}": self._goer(name) for name in self.docks},
            **{f"theme.{s}": self._themer(s) for s in theme.SCHEMES},
            "dense": lambda: self.set_dense(self.actions_by_id["dense"].isChecked()),
            "layout": self._lay_out,
            "test": lambda: self.write_test(None),
            "snapshot": self.compliance.take_snapshot,
            "delete": lambda: self.ask_delete(self.session.deal or ""),
            **{f"trade.{name}": self._in_trades(act) for name, act in self.trades.acts().items()},
            "run": self.run_pane.run,
            "cancel": self.session.lanes.cancel_all,
            "metrics": self.ask_metrics,
            "palette": self.show_palette,
            "about": self.show_about,
        }

    def _in_trades(self, act: Callable[[], object]) -> Callable[[], None]:
        """The act of the trade pad, with the pad in sight."""

        def call() -> None:
            self.go_to("trades")
            act()

        return call

    def _guarded(self, act: Callable[[], object]) -> Callable[[], None]:
        """The act; what it refuses is said. A locked window does nothing."""
        guarded = self._guarded_of(lambda _nothing: act())
        return lambda: guarded(None)

    def _guarded_of(self, act: Callable[[Any], object]) -> Callable[[Any], None]:
        """As `_guarded`, of an act that is told something."""

        def call(told: Any) -> None:
            if self.gate.is_locked:
                return
            try:
                act(told)
            except Refused as refused:
                self.say_refused(refused.message)

        return call

    def _remember(self, settings: Settings) -> None:
        self._settings = settings

    def _make_status_bar(self) -> None:
        bar = StatusBar(self)
        self.setStatusBar(bar)
        self.saved = ElidedLabel()
        self.saved.setAccessibleName("Where the data are")
        self.timing = QLabel("")
        self.timing.setAccessibleName("How long the last computation took")
        self.selected = ElidedLabel()
        self.selected.setAccessibleName("What is selected")
        self.work = ElidedLabel()
        self.work.setAccessibleName("What is under way")
        self.work_bar = QProgressBar()
        self.work_bar.setAccessibleName("Progress of what is under way")
        self.work_bar.setRange(0, 1000)
        self.work_bar.setFixedWidth(120)
        self.work_bar.setTextVisible(False)
        self.work_cancel = QPushButton("Cancel")
        self.work_cancel.setAccessibleName("Cancel what is under way")
        self.work_cancel.clicked.connect(self.session.lanes.cancel_all)
        for widget in (self.work, self.work_bar, self.work_cancel):
            bar.addWidget(widget)
            widget.hide()
        bar.add_labels(self.selected, self.timing, self.saved)

    def _connect(self) -> None:
        session = self.session
        self.porter.unreadable.connect(self._unreadable)
        session.said.connect(lambda text: self.statusBar().showMessage(text, 8000))
        session.refused.connect(self.say_refused)
        session.imported.connect(self._imported)
        session.book_changed.connect(self._book_changed)
        self.unsaved.found.connect(
            lambda found: self.gate.curtain.after(partial(ask_rescue, self.unsaved, found, self))
        )
        session.clashed.connect(lambda clash: self.gate.curtain.after(partial(self.ask_whose, clash)))
        session.seat.changed.connect(self._show_saved)
        session.seat.signed_out.connect(self.imports.clear)
        self.gate.locked.connect(self._show_title)
        self.watch.reached.connect(self._show_saved)
        self.watch.waits.connect(self._show_saved)
        session.projection_changed.connect(self._projected)
        session.members_wanted.connect(lambda test: self.go_to("collateral") if test is not None else None)
        session.asset_wanted.connect(lambda _asset: self.go_to("collateral"))
        session.history_wanted.connect(lambda _asset, _column: self.go_to("audit"))
        session.payment_wanted.connect(lambda _day, _class: self.go_to("waterfall"))
        session.lanes.changed.connect(self._show_work)
        self.edits.found.connect(self._inbox_read)
        self.collateral.summary.connect(self.selected.setText)
        self.docks["health"].visibilityChanged.connect(lambda seen: self.health.look() if seen else None)
        self.set_dense(self._settings.density == "compact")

    # -- what commands do ---------------------------------------------------------------------------------------------

    def _goer(self, name: str) -> Callable[[], None]:
        return lambda: self.go_to(name)

    def go_to(self, name: str) -> None:
        """Shows a pane and gives it the keyboard."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        pane = dock.widget()
        if pane is not None:
            pane.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _themer(self, scheme: theme.Scheme) -> Callable[[], None]:
        return lambda: self.set_theme(scheme)

    def set_theme(self, scheme: theme.Scheme) -> None:
        """Dresses the application and remembers it."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, scheme)
        self._settings = replace(self._settings, theme=scheme)
        self.actions_by_id[f"theme.{scheme}"].setChecked(True)

    def set_dense(self, dense: bool) -> None:
        """Lower rows in every table."""
        for table in self.findChildren(FrameTable):
            table.set_dense(dense)
        self.matrix.grid.set_dense(dense)
        self.trades.list.set_dense(dense)
        self._settings = replace(self._settings, density="compact" if dense else "comfortable")

    def ask_workspace(self) -> None:
        """Asks for another workspace file and opens it; a new name makes a new one."""
        file, _ = QFileDialog.getSaveFileName(
            self,
            "Open workspace",
            self.session.where,
            "Workspaces (*.clo);;All files (*)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if file:
            self.doorman.open(Path(file))

    def _leave_plain(self, where: str) -> None:
        self._settings = replace(self._settings, left_plain=where)

    def ask_delete(self, deal: str) -> None:
        """Deletes a deal when that is confirmed."""
        if not deal:
            raise Refused("No deal is open; choose one in the deal list first.")
        self.session.seat.check(rights.WRITE, deal)
        question = (
            f"Delete {deal} from the workspace, with its snapshots and stored ideas? Its assets stay in the master; "
            "the deal itself cannot be brought back."
        )
        if QMessageBox.question(self, "Delete deal", as_text(question)) == QMessageBox.StandardButton.Yes:
            self.session.delete(deal)

    def write_test(self, number: int | None) -> OwnTestDialog:
        """Opens the window in which tests of one's own are written, for a new one (None) or for that number."""
        self.porter.needed_deal()
        self.session.seat.check(rights.WRITE)
        book = self.session.book
        assert book is not None
        dialog = OwnTestDialog(book, own_tests_of(book.deal), self.edits.write_test, self.edits.remove_test, self)
        dialog.show_test(number)
        self.session.book_changed.connect(dialog.reject)  # it writes into the deal that is open
        dialog.show()
        return dialog

    def _guarded_test(self, number: int | None) -> None:
        self._guarded(lambda: self.write_test(number))()

    def show_palette(self) -> Palette:
        """Opens the command palette over the window."""
        acts = {name: action.trigger for name, action in self.actions_by_id.items()}
        entries = [*of_commands(acts), *of_session(self.session, self._go_to_test)]
        palette = Palette(entries, self)
        place = self.mapToGlobal(self.rect().topLeft())
        palette.move(place.x() + (self.width() - palette.width()) // 2, place.y() + 60)
        palette.show()
        palette.field.setFocus()
        return palette

    def ask_metrics(self) -> MetricsSettingsDialog:
        """Asks where the metrics file is kept."""

        def take(folder: str | None) -> None:
            self._settings = replace(self._settings, metrics_folder=folder)
            self.health.set_metrics(health.metrics_folder(folder))

        dialog = MetricsSettingsDialog(self._settings.metrics_folder, take, self)
        dialog.open()
        return dialog

    def _go_to_test(self, number: int) -> None:
        self.go_to("compliance")
        self.compliance.reveal(number)

    def show_about(self) -> None:
        QMessageBox.about(
            self,
            "About CLO Desktop",
            f"CLO Desktop {__version__}\nWorkspace: {self.session.where}\nApache License 2.0",
        )

    def say_refused(self, sentence: str) -> None:
        """A refusal that must be read; offscreen tests and scripts read the status bar."""
        self.gate.curtain.after(partial(self._show_refused, sentence))

    def _show_refused(self, sentence: str) -> None:
        self.statusBar().showMessage(sentence, 20_000)
        box = QMessageBox(
            QMessageBox.Icon.Warning,
            "CLO Desktop",
            as_text(formats.in_words(sentence)),
            QMessageBox.StandardButton.Ok,
            self,
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()  # not exec: nothing waits for it

    # -- what the session says ----------------------------------------------------------------------------------------

    def _unreadable(self, path: Path, deal: str, sentence: str) -> None:
        self.imports.show_refused(path, deal, sentence)
        self.docks["imports"].setWindowTitle("Import report (1)")
        self.go_to("imports")

    def _imported(self, outcome: Imported) -> None:
        if outcome.errors or outcome.warnings:
            self.docks["imports"].setWindowTitle(f"Import report ({outcome.errors + outcome.warnings})")
        else:
            self.docks["imports"].setWindowTitle("Import report")
        if not outcome.imported:
            self.go_to("imports")
        word = "imported" if outcome.imported else "not imported"
        self.statusBar().showMessage(
            f"{outcome.file_name} was {word}: {outcome.errors} errors, {outcome.warnings} warnings.", 12_000
        )

    def ask_whose(self, clash: Clash) -> ClashDialog:
        """Someone else changed the same cells: whose values are kept. Until then nothing of the change is stored."""
        book = self.session.book
        dialog = ClashDialog(clash.clashing, book.deal.currency if book is not None else "", self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.session.settle(clash, dialog.choices))
        dialog.rejected.connect(self.session.reread)
        dialog.open()
        return dialog

    def _book_changed(self, _book: object) -> None:
        deal = self.session.deal
        self._show_title()
        self._show_saved()
        if deal is not None:
            self._settings = replace(self._settings, last_deal=deal)

    def _show_title(self, *_: object) -> None:
        """The open deal, unless the window is locked: titles are seen too."""
        deal = self.session.deal
        if self.gate.is_locked:
            self.setWindowTitle("Locked – CLO Desktop")
        else:
            self.setWindowTitle(f"{deal} – CLO Desktop" if deal else "CLO Desktop")
            self.watch.look()

    def _show_saved(self, *_: object) -> None:
        """Where what was changed is safe: on this computer, or on the server."""
        watch = self.watch
        told = contract.words(self.session, answers=watch.answers, waiting=watch.waiting, refused=watch.refused)
        self.saved.setText(told.words)
        self.saved.setToolTip(as_text(told.tip))

    def _inbox_read(self, _findings: object) -> None:
        """How many doubts are open stands in the title of the inbox."""
        count = self.edits.open_count
        self.docks["inbox"].setWindowTitle(f"Inbox ({count})" if count else "Inbox")

    def _projected(self, timed: Timed | None) -> None:
        self.timing.setText("" if timed is None else f"engine {formats.figure(timed.seconds * 1000, 0)} ms")

    def _show_work(self) -> None:
        """Progress of what has been under way for more than a second."""
        task = next((t for t in self.session.lanes.under_way if t.elapsed > _LONG), None)
        for widget in (self.work, self.work_bar, self.work_cancel):
            widget.setVisible(task is not None)
        if task is not None:
            left = task.seconds_left
            self.work.setText(f"{task.name}: {task.what}" + ("" if left is None else f", about {left:.0f} s left"))
            self.work_bar.setValue(round(task.fraction * 1000))

    # -- the window itself --------------------------------------------------------------------------------------------

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab does not go to panes behind another tab."""
        start = self.focusWidget()
        found = next_in_sight(start, forward) if start is not None else None
        if found is None:
            return super().focusNextPrevChild(forward)
        found.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
        return True

    def childEvent(self, event: QChildEvent) -> None:
        """Tabs of panes keep their whole names in a narrow window, and scroll."""
        super().childEvent(event)
        if event.polished() and isinstance(bar := event.child(), QTabBar):
            bar.setElideMode(Qt.TextElideMode.ElideNone)
            bar.setUsesScrollButtons(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(u.toLocalFile().lower().endswith(".xlsx") for u in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.toLocalFile().lower().endswith(".xlsx"):
                # after the drop: what they were dragged from waits for its end
                QTimer.singleShot(0, self._guarded(partial(self.porter.import_named, Path(url.toLocalFile()))))

    def createPopupMenu(self) -> QMenu | None:
        """No menu on the tool bar area: the View menu has the panes."""
        return None

    def _restore(self) -> None:
        self.resize(1500, 900)
        geometry, _, state = (self._settings.window_layout or "").partition("|")
        if state:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
            self.restoreState(QByteArray.fromBase64(state.encode()), _LAYOUT_VERSION)
            self.banner.hide()  # what it said was of another time

    def _may_close(self) -> bool:
        """Whether the window may close: ideas that could not be stored are not lost unasked."""
        shelf = self.trades.pad.shelf
        if not shelf.failing or not shelf.unsaved:
            return True
        question = (
            f"{counted(shelf.unsaved, 'idea')} could not be stored: {shelf.failing} Close all the same? They are tried "
            "once more; where that fails too they stay on this computer and are offered at the next start."
        )
        return QMessageBox.question(self, "CLO Desktop", as_text(question)) == QMessageBox.StandardButton.Yes

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close():
            event.ignore()
            return
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        state = bytes(self.saveState(_LAYOUT_VERSION).toBase64().data()).decode()
        self._settings = replace(self._settings, window_layout=f"{geometry}|{state}")
        try:
            self._keep(self._settings)
        except OSError as error:
            _log.warning("The settings cannot be kept: %s.", error)
        self.gate.close()
        self.watch.stop()
        self.session.close()
        self.unsaved.close()
        super().closeEvent(event)
