"""Health: whether all is well, a line for each thing looked at, every quarter of a minute."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look.formats import Show
from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.words import WrappedLabel
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import health
from clo_desktop.work.desk import Desk
from clo_desktop.work.health import Health
from clo_desktop.work.session import Session
from engine.asset import Kind

EVERY: Final = 15_000
"""ms between two looks, while the pane is in sight or a metrics file is kept."""

_COLUMNS: Final = (
    Column("name", "What", Kind.TEXT.value, widest=160),
    Column("state", "State", Show.OUTCOME.value, tip="● ok, ▲ look at it, ■ bad"),
    Column("value", "Value", Kind.TEXT.value, widest=440),
    Column("says", "What to do", Kind.TEXT.value),
)
_HEADS: Final = {
    health.OK: "All is well.",
    health.LOOK: "Something is worth a look.",
    health.BAD: "Something is wrong.",
}

_log = logging.getLogger(__name__)


def lines_frame(found: Health | None) -> Frame:
    """The lines as a table, in their order."""
    lines = found.lines if found is not None else ()
    names = ("name", "state", "value", "says")
    return Frame(_COLUMNS, {name: [getattr(line, name) for line in lines] for name in names}, key="name")


class HealthPane(QWidget):
    """The lines; `metrics` is the folder of the metrics file, None where none is kept."""

    def __init__(self, session: Session, metrics: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._metrics = metrics
        self._failing = False
        self.table = FrameTable(lines_frame(None), name="Health", frozen=1, footer=False)
        self.table.set_empty("Open a workspace from the File menu; its health will stand here.")
        self.head = WrappedLabel()
        self.head.setAccessibleName("Whether all is well")
        self.again = QPushButton("Look again")
        self.again.clicked.connect(self.look)
        stacked(self, strip(self.head, self.again), self.table)
        self.setFocusProxy(self.table)
        self._beat = QTimer(self)
        self._beat.setInterval(EVERY)
        self._beat.timeout.connect(self._tick)
        session.opened.connect(self._begin)
        session.leaving.connect(lambda _desk: self._beat.stop())
        if session.desk is not None:
            self._begin()

    def set_metrics(self, folder: Path | None) -> None:
        """Another folder for the metrics file, None for none; written at once."""
        self._metrics, self._failing = folder, False
        self.look()

    def _begin(self) -> None:
        self._beat.start()
        self.look()

    def _tick(self) -> None:
        if self._metrics is not None or not self.visibleRegion().isEmpty():
            self.look()

    def look(self) -> None:
        """Looks in the database lane."""
        if self._session.desk is None:
            return
        metrics = self._metrics

        def work(desk: Desk, _report: Progress) -> tuple[Health, str]:
            found = health.look(desk)
            try:
                if metrics is not None:
                    health.write_metrics(found, metrics)
            except Refused as refused:
                return found, refused.message
            return found, ""

        self._session.ask("Health", work, self._show, quiet=True)

    def _show(self, looked: tuple[Health, str]) -> None:
        found, failing = looked
        self.table.set_frame(lines_frame(found))
        self.table.stretch_column("says")
        self.head.setText(" ".join(words for words in (_HEADS[found.worst], failing) if words))
        if failing and not self._failing:
            _log.warning("%s", failing)  # once, not every quarter of a minute
        self._failing = bool(failing)
