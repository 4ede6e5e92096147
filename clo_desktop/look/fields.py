"""Fields to type into: numbers with one decimal sign, a wheel that only turns the field one is in, and secrets."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QComboBox, QDateEdit, QDoubleSpinBox, QLineEdit, QWidget


class NumberField(QDoubleSpinBox):
    """A number with its unit. The decimal sign is a dot; a comma is read as one and never as grouping.

    `3,5` is 3.5, and `1,000` in a field of two decimals is refused rather than read as one or as a thousand.
    """

    def __init__(self, name: str, low: float, high: float, unit: str, step: float, decimals: int) -> None:
        super().__init__()
        self.setLocale(QLocale.c())
        self.setRange(low, high)
        self.setDecimals(decimals)
        self.setSingleStep(step)
        self.setSuffix(f" {unit}")
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        return super().validate(text.replace(",", "."), at)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace(",", "."))

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel(self, event, super().wheelEvent)

    @property
    def typed(self) -> float:
        """What stands in the field, though it was not left yet; the value where that is no number so far."""
        text = self.lineEdit().text()
        state = self.validate(text, 0)[0]
        return self.valueFromText(text) if state == QValidator.State.Acceptable else self.value()

    @property
    def half(self) -> float:
        """Half a unit of the last decimal: what differs by less shows the same."""
        return 0.5 * 10.0 ** -self.decimals()


class DateField(QDateEdit):
    """A date as 2028-06-30."""

    def __init__(self, name: str, day: QDate) -> None:
        super().__init__(day)
        self.setLocale(QLocale.c())
        self.setDisplayFormat("yyyy-MM-dd")
        self.setCalendarPopup(True)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel(self, event, super().wheelEvent)


class Choice(QComboBox):
    """A list to choose from, as wide as its widest item."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        _wheel(self, event, super().wheelEvent)


def _wheel(field: QWidget, event: QWheelEvent, turn: Callable[[QWheelEvent], None]) -> None:
    """Turns the field one is in; elsewhere the wheel scrolls what is around the field."""
    if field.hasFocus():
        turn(event)
    else:
        event.ignore()


class SecretField(QLineEdit):
    """A password, whose letters show as dots; no input method learns it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhNoAutoUppercase
            | Qt.InputMethodHint.ImhNoPredictiveText
        )

    def show_letters(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
