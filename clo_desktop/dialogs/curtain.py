"""Takes everything of a deal out of sight while a window is locked, and puts it back as it was."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QDockWidget, QMainWindow, QToolTip, QWidget

from clo_desktop.dialogs.lock_screen import LockScreen


class Curtain(QObject):
    """Of one window, its floating panes and its dialogs. Nothing of them is closed: what was typed stays."""

    def __init__(self, window: QMainWindow, screen: LockScreen) -> None:
        super().__init__(window)
        self._window = window
        self._screen = screen
        self._panes: list[QWidget] = []
        self._windows: list[QWidget] = []
        self._later: list[Callable[[], object]] = []
        self.is_drawn = False

    def draw(self, why: str, who: str, *, needs_password: bool, may_leave: bool) -> None:
        """Covers everything."""
        self.is_drawn = True
        popup = QApplication.activePopupWidget()
        while popup is not None and popup.close():
            popup = QApplication.activePopupWidget()
        QToolTip.hideText()
        self._windows = [w for w in QApplication.topLevelWidgets() if w.isVisible() and self._is_ours(w)]
        for shown in self._windows:
            shown.hide()
        found = (dock.widget() for dock in self._window.findChildren(QDockWidget))
        self._panes = [pane for pane in found if pane is not None and not pane.isHidden()]
        for pane in self._panes:
            pane.hide()
        self._window.menuBar().setEnabled(False)
        self._window.activateWindow()  # the keyboard may have been in a dialog
        self._window.statusBar().hide()
        self._screen.cover(why, who, needs_password=needs_password, may_leave=may_leave)
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def open(self) -> None:
        """Shows everything again, then does what had to wait."""
        self.is_drawn = False
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        self._screen.hide()
        self._window.menuBar().setEnabled(True)
        self._window.statusBar().show()
        for pane in self._panes:
            pane.show()
        for shown in self._windows:
            if isinstance(shown, QDialog) and shown.isModal():
                shown.open()
            else:
                shown.show()
        later, self._panes, self._windows, self._later = self._later, [], [], []
        for act in later:
            QTimer.singleShot(0, self, act)

    def drop(self) -> None:
        """What was out of sight is not to come back: whoever left it there has signed out."""
        for shown in self._windows:
            if isinstance(shown, QDialog):
                shown.reject()
        self._windows = [w for w in self._windows if not isinstance(w, QDialog)]
        self._later = []

    def after(self, act: Callable[[], object]) -> None:
        """Does something now, or once the curtain is open again."""
        if self.is_drawn:
            self._later.append(act)
        else:
            act()

    def _is_ours(self, widget: QWidget) -> bool:
        above = widget.parent()
        while above is not None and above is not self._window:
            above = above.parent()
        return above is self._window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """What opens itself meanwhile waits too."""
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            widget = watched
            if self._is_ours(widget) and widget not in self._windows:
                self._windows.append(widget)
                QTimer.singleShot(0, widget, widget.hide)
        return False
