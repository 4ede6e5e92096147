"""Outcomes as shapes as well as colours: ● pass, ▲ near, ◆ fails but maintained, ■ fail, ○ not known."""

from __future__ import annotations

import math
from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from clo_desktop.look import theme
from clo_desktop.look.tokens import Tokens


class Outcome(StrEnum):
    """How a test stands. NEAR passes with little room; MAINTAINED fails, but is not worse than its baseline; UNKNOWN
    could not be computed."""

    PASS = "pass"
    NEAR = "near"
    MAINTAINED = "maintained"
    FAIL = "fail"
    UNKNOWN = "unknown"


GLYPHS = {
    Outcome.PASS: "●",
    Outcome.NEAR: "▲",
    Outcome.MAINTAINED: "◆",
    Outcome.FAIL: "■",
    Outcome.UNKNOWN: "○",
}


def outcome_of(word: object) -> Outcome:
    """The outcome a word names, in any case; also "passed", "warning", "failing", "breach"; else UNKNOWN."""
    text = str(word or "").strip().casefold()
    for outcome, words in (
        (Outcome.PASS, ("pass", "ok", "satisfied")),
        (Outcome.NEAR, ("near", "warn", "look")),
        (Outcome.MAINTAINED, ("maintain",)),
        (Outcome.FAIL, ("fail", "breach", "bad")),
    ):
        if text.startswith(words):
            return outcome
    return Outcome.UNKNOWN


def shape_colour(outcome: Outcome, tokens: Tokens) -> str:
    """The colour of an outcome's shape."""
    return {
        Outcome.PASS: tokens.muted,
        Outcome.NEAR: tokens.amber,
        Outcome.MAINTAINED: tokens.amber,
        Outcome.FAIL: tokens.failure,
    }.get(outcome, tokens.muted)


def word_colour(outcome: Outcome, tokens: Tokens) -> str:
    """The colour of an outcome's words: plain text for a pass."""
    return {
        Outcome.PASS: tokens.text,
        Outcome.NEAR: tokens.attention,
        Outcome.MAINTAINED: tokens.attention,
        Outcome.FAIL: tokens.failure,
    }.get(outcome, tokens.muted)


def draw(painter: QPainter, box: QRectF, outcome: Outcome, tokens: Tokens) -> None:
    """Draw the shape of an outcome into the middle of a square box."""
    colour = QColor(shape_colour(outcome, tokens))
    middle, half = box.center(), min(box.width(), box.height()) / 2
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    if outcome is Outcome.PASS:
        painter.drawEllipse(middle, half * 0.8, half * 0.8)
    elif outcome is Outcome.NEAR:
        low = half * math.sqrt(3) / 2
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(middle.x(), middle.y() - low),
                    QPointF(middle.x() + half, middle.y() + low),
                    QPointF(middle.x() - half, middle.y() + low),
                ]
            )
        )
    elif outcome is Outcome.MAINTAINED:
        corners = ((0.0, -half), (half, 0.0), (0.0, half), (-half, 0.0))
        painter.drawPolygon(QPolygonF([QPointF(middle.x() + x, middle.y() + y) for x, y in corners]))
    elif outcome is Outcome.FAIL:
        side = half * 1.5
        painter.drawRect(QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.2))
        painter.drawEllipse(middle, half * 0.7, half * 0.7)
    painter.restore()


def icon(outcome: Outcome, size: int = 16) -> QIcon:
    """The shape as an icon in the colours of the theme in use."""
    pixmap = QPixmap(QSize(size * 2, size * 2))
    pixmap.setDevicePixelRatio(2.0)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw(painter, QRectF(2, 2, size - 4, size - 4), outcome, theme.current())
    painter.end()
    return QIcon(pixmap)
