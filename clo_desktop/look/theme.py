"""The theme: Fusion with a palette of our own tokens.

There is no style sheet on the application: with one, a change of theme would polish every widget anew, one by one.
"""

from __future__ import annotations

from typing import Final, Literal

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

from clo_desktop.look import series
from clo_desktop.look.tokens import CONTRAST, DARK, LIGHT, THEMES, Tokens

Scheme = Literal["system", "light", "dark", "contrast"]
SCHEMES: Final[tuple[Scheme, ...]] = ("system", "light", "dark", "contrast")

_EDGED: Final = (
    "QAbstractSpinBox",
    "QCheckBox",
    "QComboBox",
    "QLineEdit",
    "QProgressBar",
    "QPushButton",
    "QRadioButton",
)
_SMALLEST, _LARGEST = 10.0, 11.0  # points


class Watcher(QObject):
    """Says when the theme changed; `changed` carries the new tokens."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.tokens = LIGHT
        self.scheme: Scheme = "light"
        self.following = False

    def follow_system(self) -> None:
        app = QApplication.instance()
        if self.scheme == "system" and isinstance(app, QApplication):
            apply(app, "system")


_watcher: Watcher | None = None


def watcher() -> Watcher:
    """The one object that says when the theme changed: `watcher().changed.connect(self.recolour)`."""
    global _watcher
    if _watcher is None:
        _watcher = Watcher()
    return _watcher


def current() -> Tokens:
    """The tokens in use."""
    return watcher().tokens


def apply(app: QApplication, scheme: Scheme) -> Tokens:
    """Dress the whole application in a theme; "system" follows the desktop's scheme, also when that changes later."""
    watch = watcher()
    watch.scheme = scheme
    if not watch.following:
        app.styleHints().colorSchemeChanged.connect(watch.follow_system)
        watch.following = True
    tokens = system_tokens(app) if scheme == "system" else THEMES[scheme]
    if app.style().name().casefold() != "fusion":
        app.setStyle("Fusion")
    font = _font(app.font())
    if font != app.font():
        app.setFont(font)
    watch.tokens = tokens
    app.setPalette(palette(tokens))
    for kind in _EDGED:
        app.setPalette(edged(tokens), kind)  # type: ignore[arg-type]  # the stub says bytes, the call takes only str
    QToolTip.setPalette(palette(tokens))
    QCoreApplication.sendPostedEvents(None, QEvent.Type.ApplicationPaletteChange.value)  # widgets have it at once
    watch.changed.emit(tokens)
    return tokens


def colour(name: str) -> QColor:
    """The QColor of a token in use: `colour("muted")`."""
    return QColor(getattr(current(), name))


def system_tokens(app: QApplication) -> Tokens:
    """What the desktop asks for: high contrast before dark before light."""
    hints = app.styleHints()
    if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
        return CONTRAST
    return DARK if hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT


def _font(font: QFont) -> QFont:
    """The system's font between 10 and 11 points, its figures all of one width."""
    wanted = QFont(font)
    if font.pointSizeF() > 0:
        wanted.setPointSizeF(min(max(font.pointSizeF(), _SMALLEST), _LARGEST))
    wanted.setFeature(QFont.Tag("tnum"), 1)
    return wanted


def palette(tokens: Tokens) -> QPalette:
    """All roles of a palette from the tokens; what is disabled is between its colour and the window."""
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.header,
        role.Text: tokens.text,
        role.PlaceholderText: tokens.muted,
        role.Button: tokens.header,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.failure,
        role.ToolTipBase: tokens.surface,
        role.ToolTipText: tokens.text,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.Light: series.blend(tokens.line, tokens.surface, 0.5),
        role.Midlight: series.blend(tokens.line, tokens.surface, 0.3),
        role.Mid: tokens.line,
        role.Dark: series.blend(tokens.line, tokens.text, 0.3),
        role.Shadow: series.blend(tokens.line, tokens.text, 0.5),
    }
    made = QPalette()
    for which, value in colours.items():
        made.setColor(which, QColor(value))
    faded = QColor(series.blend(tokens.muted, tokens.window, 0.35))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, faded)
    made.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tokens.line))
    return made


def edged(tokens: Tokens) -> QPalette:
    """The palette of what one types into or ticks: Fusion draws its frame 1.4 times darker than the window colour.

    On a dark window that frame would not be seen; here it is the token `edge`, 3:1 on every ground.
    """
    made = palette(tokens)
    made.setColor(QPalette.ColorRole.Window, QColor(tokens.edge).lighter(140))
    return made
