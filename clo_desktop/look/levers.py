"""A figure set by a slider or typed beside it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from clo_desktop.look.fields import NumberField
from clo_desktop.look.tokens import GRID

_FIELD: Final = 104  # px


class _Slider(QSlider):
    """A slider that the wheel only turns while it has the keyboard; elsewhere the wheel scrolls."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class Lever(QWidget):
    """A slider over the usual range of a figure and a field for all it may be; both show the same value.

    moved  somebody changed the value; `set_value` does not say so
    """

    moved = Signal()

    def __init__(
        self,
        name: str,
        unit: str,
        usual: tuple[float, float],
        allowed: tuple[float, float],
        step: float,
        decimals: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._step = step
        self.field = NumberField(name, *allowed, unit, step, decimals)
        self.field.setFixedWidth(_FIELD)
        self.slider = _Slider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(f"{name}, slider")
        self.slider.setRange(round(usual[0] / step), round(usual[1] / step))
        self.slider.setPageStep(max(1, (self.slider.maximum() - self.slider.minimum()) // 10))
        self.slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.slider, 1)
        row.addWidget(self.field)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(self._slid)
        self.field.valueChanged.connect(self._typed)

    @property
    def value(self) -> float:
        return self.field.value()

    def set_value(self, value: float) -> None:
        """Shows a value; nobody is told."""
        for widget in (self.slider, self.field):
            widget.blockSignals(True)
        self.field.setValue(value)
        self.slider.setValue(round(value / self._step))
        for widget in (self.slider, self.field):
            widget.blockSignals(False)

    def _slid(self, at: int) -> None:
        self.field.blockSignals(True)
        self.field.setValue(at * self._step)
        self.field.blockSignals(False)
        self.moved.emit()

    def _typed(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(value / self._step))
        self.slider.blockSignals(False)
        self.moved.emit()
