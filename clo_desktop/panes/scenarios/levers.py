"""The assumptions under the hand: a lever for each, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.flow import Flow
from clo_desktop.look.layouts import scrolled
from clo_desktop.look.levers import Lever
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.work import scenario_over
from clo_desktop.work.comparison import MOST
from clo_desktop.work.scenario import scenario_of_text
from clo_desktop.work.scenario_written import text_of
from engine.assumptions import Assumptions


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a lever sets: the field of `Assumptions`, its words, and what one of its units is in the engine's."""

    field: str
    title: str
    short: str
    unit: str
    usual: tuple[float, float]
    allowed: tuple[float, float]
    step: float
    decimals: int
    scale: float = 1.0
    tip: str = ""


LEVERS: Final = (
    _Kind("cdr", "Default rate (CDR)", "CDR", "%", (0.0, 30.0), (0.0, 100.0), 0.1, 2, 100.0, "A year"),
    _Kind("cpr", "Prepayment rate (CPR)", "CPR", "%", (0.0, 60.0), (0.0, 100.0), 0.5, 2, 100.0, "A year"),
    _Kind("severity", "Loss severity", "severity", "%", (0.0, 100.0), (0.0, 100.0), 1.0, 1, 100.0, "Of a default"),
    _Kind("lag", "Recovery lag", "lag", "months", (0.0, 36.0), (0.0, 120.0), 1.0, 0, 1.0, "Default to recovery"),
    _Kind("rate_shift", "Shift of the curve", "curve", "bp", (-300.0, 300.0), (-1000.0, 1000.0), 5.0, 0, 1e4),
    _Kind(
        "sale_price",
        "Sale price at redemption",
        "sale at",
        "%",
        (50.0, 110.0),
        (2.0, 200.0),
        0.5,
        2,
        1.0,
        "Percent of par; of what is left at redemption or at the end",
    ),
    _Kind("price_shock", "Price shock", "prices", "%", (-50.0, 0.0), (-100.0, 100.0), 1.0, 1, 100.0, "Of every asset"),
    _Kind("downgrade", "Downgrade", "downgrade", "notches", (0.0, 6.0), (0.0, 20.0), 1.0, 0, 1.0, "Of every rating"),
)


class LeverPanel(QWidget):
    """Levers with buttons to put them back, and to keep a scenario for comparison.

    moved          somebody changed what is assumed
    keep_asked     keep what is assumed beside the others;  forget_asked: forget all that was kept
    """

    moved = Signal()
    keep_asked = Signal()
    forget_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._deal: dict[str, float] = {}  # the deal's own, in the engine's units
        self._own: dict[str, float] = {}  # the same under the scenario that is open
        self._base = Assumptions()  # the scenario that is open, whatever of it has no lever too
        self._name = ""
        self.levers: dict[str, Lever] = {}
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID // 2)
        for kind in LEVERS:
            lever = Lever(kind.title, kind.unit, kind.usual, kind.allowed, kind.step, kind.decimals)
            lever.setToolTip(kind.tip)
            label = QLabel(kind.title)
            label.setBuddy(lever.slider)
            column.addWidget(label)
            column.addWidget(lever)
            column.addSpacing(GRID // 2)
            lever.moved.connect(self._told)
            self.levers[kind.field] = lever
        self.reinvest = QCheckBox("Reinvest as the deal allows")
        self.reinvest.setChecked(True)
        self.reinvest.toggled.connect(self._told)
        column.addWidget(self.reinvest)
        self.reset_button = QPushButton("Deal's own")
        self.reset_button.setToolTip("All levers back to the assumptions of the deal")
        self.reset_button.clicked.connect(self.reset)
        self.keep_button = QPushButton("Keep")
        self.keep_button.setToolTip(f"Keep this scenario for comparison, up to {MOST}")
        self.keep_button.clicked.connect(self.keep_asked)
        self.forget_button = QPushButton("Forget kept")
        self.forget_button.setToolTip("Take all kept scenarios out of the comparison")
        self.forget_button.clicked.connect(self.forget_asked)
        buttons = Flow()
        for button in (self.reset_button, self.keep_button, self.forget_button):
            buttons.addWidget(button)
        column.addSpacing(GRID // 2)
        column.addLayout(buttons)
        self.ruled = WrappedLabel()
        self.ruled.setAccessibleName("Levers and the rules of the scenario")
        self.ruled.hide()
        self.moved.connect(self._tell_rules)
        self.state = WrappedLabel()
        self.state.setAccessibleName("State of the study")
        self.kept = WrappedLabel()
        self.kept.setAccessibleName("Kept scenarios")
        column.addWidget(self.ruled)
        column.addWidget(self.state)
        column.addWidget(self.kept)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolled(inside))
        self.setMinimumWidth(220)
        self.setFocusProxy(self.levers["cdr"])

    def _told(self, *_: object) -> None:
        self.moved.emit()

    # -- what is assumed ------------------------------------------------------------------------------------------

    def take_own(self, own: dict[str, float]) -> None:
        """The deal's own figures by field, in the engine's units; all levers go there, no scenario is open."""
        self._deal = dict(own)
        self._take("", Assumptions())

    def take_scenario(self, name: str, asked: Assumptions) -> None:
        """All levers to what a scenario says, and beneath them the rest of it: rules, rate path, events."""
        self._take(name, asked)
        self.moved.emit()

    def _take(self, name: str, asked: Assumptions) -> None:
        self._name, self._base = name, asked
        said = {kind.field: getattr(asked, kind.field) for kind in LEVERS}
        self._own = {of: own if said[of] is None else float(said[of]) for of, own in self._deal.items()}
        for kind in LEVERS:
            self.levers[kind.field].set_value(self._own[kind.field] * kind.scale)
        self.reinvest.blockSignals(True)
        self.reinvest.setChecked(asked.reinvest)
        self.reinvest.blockSignals(False)
        self._tell_rules()

    def _tell_rules(self) -> None:
        """Which levers say nothing because rules do, and which go before them."""
        words = scenario_over.told(self._base, self._moved(), "lever")
        self.ruled.setText(words)
        self.ruled.setVisible(bool(words))

    def reset(self) -> None:
        """All levers back to the deal's own; no scenario is open."""
        if self._deal:
            self.take_own(self._deal)
            self.moved.emit()

    def put(self, said: dict[str, float]) -> None:
        """Some levers to values in the engine's units."""
        for kind in LEVERS:
            if kind.field in said:
                self.levers[kind.field].set_value(said[kind.field] * kind.scale)
        self.moved.emit()

    def _moved(self) -> dict[str, float]:
        """What differs from the deal's own by more than the fields show, in the engine's units."""
        found = {}
        for kind in LEVERS:
            lever = self.levers[kind.field]
            own = self._own.get(kind.field)
            if own is None or abs(own * kind.scale - lever.value) > lever.field.half * 1.001:
                found[kind.field] = lever.value / kind.scale
        return found

    def assumptions(self) -> Assumptions:
        """The scenario; what was not moved is left to what is open, or to the deal, and what was goes before the rules
        of what is open. Raises ValueError for what is no assumption.
        """
        said: dict[str, Any] = dict(self._moved())
        if "downgrade" in said:
            said["downgrade"] = round(said["downgrade"])
        return scenario_over.over(self._base, {**said, "reinvest": self.reinvest.isChecked()})

    def unsaved(self) -> dict[str, Any] | None:
        """What the levers say that the deal does not, also what is typed and not yet left; None for nothing.

        Raises Refused for what cannot be written down.
        """
        typed = {kind.field: self.levers[kind.field].field.typed for kind in LEVERS}
        same = all(
            abs(self._own.get(kind.field, 0.0) * kind.scale - typed[kind.field])
            <= self.levers[kind.field].field.half * 1.001
            for kind in LEVERS
        )
        if same and not self._name and self.reinvest.isChecked() == self._base.reinvest:
            return None
        base = text_of(self._base) if self._base != Assumptions() else ""
        return {"name": self._name, "base": base, "levers": typed, "reinvest": self.reinvest.isChecked()}

    def restore(self, kept: dict[str, Any]) -> None:
        """Puts the levers to what `unsaved` gave. Raises ValueError or Refused."""
        base = scenario_of_text(kept["base"], kept["name"]).assumptions if kept["base"] else Assumptions()
        values = {kind.field: float(kept["levers"][kind.field]) for kind in LEVERS}
        self._take(str(kept["name"]), base)
        for kind in LEVERS:
            self.levers[kind.field].set_value(values[kind.field])
        self.reinvest.blockSignals(True)
        self.reinvest.setChecked(bool(kept["reinvest"]))
        self.reinvest.blockSignals(False)
        self.moved.emit()

    def words(self) -> str:
        """What is open and what was moved, in short: "CDR 5 %, lag 12 months"; the deal's own where nothing was."""
        moved = self._moved()
        parts = [self._name] if self._name else []
        parts += [
            f"{kind.short} {formats.figure(moved[kind.field] * kind.scale, kind.decimals)} {kind.unit}"
            for kind in LEVERS
            if kind.field in moved
        ]
        if self.reinvest.isChecked() != self._base.reinvest:
            parts.append("no reinvestment" if self._base.reinvest else "reinvestment")
        return ", ".join(parts) or "Deal's own"
