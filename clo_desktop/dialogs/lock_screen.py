"""What is seen of a locked window: nothing of a deal, and a field for the password."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clo_desktop.look.fields import SecretField
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import AttentionLabel, WrappedLabel


class LockScreen(QWidget):
    """Covers a window from edge to edge until it is hidden.

    ask   gets the password that was typed ("" where none is needed); leave  signs out instead
    """

    def __init__(self, window: QWidget, ask: Callable[[str], object], leave: Callable[[], object]) -> None:
        super().__init__(window)
        self._ask = ask
        self.setAutoFillBackground(True)
        self.setObjectName("lock")
        self.setAccessibleName("Locked")
        head = QLabel("Locked")
        font = head.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setBold(True)
        head.setFont(font)
        self.why = WrappedLabel()
        self.who = WrappedLabel()
        self.password = SecretField("Password")
        self.password.returnPressed.connect(self._press)
        self.label = QLabel("&Password")
        self.label.setBuddy(self.password)
        self.fault = AttentionLabel()
        self.fault.setAccessibleName("What is wrong")
        self.button = QPushButton("Unlock")
        self.button.clicked.connect(self._press)
        self.leaving = QPushButton("Sign out")
        self.leaving.clicked.connect(leave)
        inside = QWidget()
        inside.setFixedWidth(440)
        column = QVBoxLayout(inside)
        column.setSpacing(GRID + GRID // 2)
        column.addWidget(head)
        column.addWidget(self.why)
        column.addWidget(self.who)
        fields = QHBoxLayout()
        fields.addWidget(self.label)
        fields.addWidget(self.password, 1)
        column.addLayout(fields)
        column.addWidget(self.fault)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.leaving)
        buttons.addWidget(self.button)
        column.addLayout(buttons)
        layout = QGridLayout(self)
        layout.addWidget(inside, 1, 1)
        for outer in (0, 2):
            layout.setRowStretch(outer, 1)
            layout.setColumnStretch(outer, 1)
        window.installEventFilter(self)
        self.hide()

    def cover(self, why: str, who: str, *, needs_password: bool, may_leave: bool) -> None:
        """Shows itself over everything, with the keyboard."""
        self.why.setText(f"{why} What you were doing is kept.")
        self.who.setText(who)
        for widget in (self.password, self.label):
            widget.setVisible(needs_password)
        self.leaving.setVisible(may_leave)
        self.password.clear()
        self.set_busy(False)
        self.say("")
        self._fit()
        self.show()
        self.raise_()
        (self.password if needs_password else self.button).setFocus(Qt.FocusReason.OtherFocusReason)

    def say(self, sentence: str) -> None:
        """What was wrong with the password."""
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))
        self.set_busy(False)
        self.password.selectAll()
        self.password.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_busy(self, busy: bool) -> None:
        self.button.setEnabled(not busy)
        self.password.setEnabled(not busy)
        self.button.setText("Checking…" if busy else "Unlock")

    def _press(self) -> None:
        if self.password.isVisible() and not self.password.text():
            self.say("Type your password.")
            return
        self.fault.setText("")
        self.set_busy(True)
        self._ask(self.password.text())

    def _fit(self) -> None:
        window = self.parentWidget()
        if window is not None:
            self.setGeometry(window.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self._fit()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.accept()  # no key reaches what is behind
