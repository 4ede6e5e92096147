"""How a cell is painted: alignment, missing dash, outcome shapes, cushion bars, marks."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPen, QPolygon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from clo_desktop.look import formats, icons, theme
from clo_desktop.look.formats import Show
from clo_desktop.look.icons import Outcome
from clo_desktop.look.series import blend
from clo_desktop.look.tokens import ROW, Tokens
from clo_desktop.look.words import as_text
from clo_desktop.tables.frame import Frame, Mark
from clo_desktop.tables.model import FrameModel
from engine.asset import Kind

PAD: Final = 6  # px left and right of a cell's text
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT: Final = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

CUSHION_NEAR: Final = 0.02  # share of the limit below which a cushion is near, where no outcome column says
CUSHION_FULL: Final = 0.25  # share of the limit at which the bar ends
_REMEMBERED: Final = 20_000  # elided texts
_CUSHION_WIDTH: Final = 56  # px for the figure beside the bar


@dataclass(frozen=True, slots=True)
class Inks:
    """The colours of a theme, made once."""

    tokens: Tokens
    surface: QColor
    selection: QColor
    text: QColor
    muted: QColor
    line: QColor
    accent: QColor
    amber: QColor
    failure: QColor
    fail_fill: QColor
    track: QColor

    @classmethod
    def of(cls, tokens: Tokens) -> Inks:
        return cls(
            tokens,
            *(
                QColor(c)
                for c in (tokens.surface, tokens.selection, tokens.text, tokens.muted, tokens.line, tokens.accent)
            ),
            *(
                QColor(c)
                for c in (tokens.amber, tokens.failure, tokens.fail_fill, blend(tokens.surface, tokens.muted, 0.25))
            ),
        )


class CellPainter:
    """Paints one cell of a frame; shared by the delegate and the frozen columns."""

    def __init__(self) -> None:
        self._inks = Inks.of(theme.current())
        self._elided: dict[tuple[str, int], str] = {}
        self._digit = 0

    @property
    def inks(self) -> Inks:
        tokens = theme.current()
        if self._inks.tokens is not tokens:
            self._inks = Inks.of(tokens)
        return self._inks

    def paint(
        self,
        painter: QPainter,
        rect: QRect,
        metrics: QFontMetrics,
        frame: Frame,
        row: int,
        column: int,
        selected: bool,
        current: bool,
    ) -> None:
        inks = self.inks
        self._digit = self._digit or metrics.horizontalAdvance("0")
        kind = frame.columns[column].kind
        mark = frame.mark(row, column) if frame.marks else Mark.NONE
        if selected:
            painter.fillRect(rect, inks.selection)
        elif mark is Mark.BAD:
            painter.fillRect(rect, inks.fail_fill)
        painter.setPen(inks.line)
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        inner = rect.adjusted(PAD, 0, -PAD, 0)
        if kind == Show.OUTCOME:
            self._outcome(painter, inner, metrics, frame.value(row, column))
        elif kind == Show.CUSHION:
            self._cushion(painter, inner, frame, row, column)
        else:
            self._text(painter, inner, metrics, frame, row, column, kind, mark)
        if mark is not Mark.NONE:
            self._corner(painter, rect, mark)
        if current:
            painter.setPen(QPen(inks.accent, 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def _text(
        self,
        painter: QPainter,
        rect: QRect,
        metrics: QFontMetrics,
        frame: Frame,
        row: int,
        column: int,
        kind: str,
        mark: Mark,
    ) -> None:
        text = frame.text(row, column)
        quiet = text == formats.MISSING or (kind == Kind.FLAG and text == "No")
        painter.setPen(self._inks.muted if quiet else self._inks.text)
        number = formats.is_number(kind)
        if number:
            # part of a number would read as another number
            room = rect.width() + PAD
            if len(text) * self._digit > room and metrics.horizontalAdvance(text) > room:
                text = "#" * max(1, rect.width() // max(1, metrics.horizontalAdvance("#")))
        else:
            text = self._fitting(text, metrics, rect.width())
        if mark is Mark.STALE:
            painter.save()
            font = QFont(painter.font())
            font.setItalic(True)
            painter.setFont(font)
            painter.drawText(rect, _RIGHT if number else _LEFT, text)
            painter.restore()
            return
        painter.drawText(rect, _RIGHT if number else _LEFT, text)

    def _fitting(self, text: str, metrics: QFontMetrics, width: int) -> str:
        """The text, elided where it is too wide; remembered, as few texts fill many cells."""
        known = self._elided.get((text, width))
        if known is None:
            if len(self._elided) > _REMEMBERED:
                self._elided.clear()
            known = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
            self._elided[text, width] = known
        return known

    def forget(self) -> None:
        """The font may have changed."""
        self._elided.clear()
        self._digit = 0

    def _outcome(self, painter: QPainter, rect: QRect, metrics: QFontMetrics, value: object) -> None:
        if isinstance(value, str) and not value.strip():  # there is nothing to test
            return
        tokens = self.inks.tokens
        outcome = icons.outcome_of(value)
        side = 10
        box = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        icons.draw(painter, box, outcome, tokens)
        painter.setPen(QColor(icons.word_colour(outcome, tokens)))
        words = rect.adjusted(side + PAD, 0, 0, 0)
        text = formats.text(Show.OUTCOME, value)
        painter.drawText(words, _LEFT, metrics.elidedText(text, Qt.TextElideMode.ElideRight, words.width()))

    def _cushion(self, painter: QPainter, rect: QRect, frame: Frame, row: int, column: int) -> None:
        """The room left as a bar from the limit (the upright line): to the right it passes, to the left it fails."""
        inks = self.inks
        value = frame.value(row, column)
        outcome = self._outcome_of_row(frame, row, value)
        figure = QRect(rect.left(), rect.top(), _CUSHION_WIDTH, rect.height())
        painter.setPen(inks.muted if value is None else QColor(icons.word_colour(outcome, inks.tokens)))
        painter.drawText(figure, _RIGHT, formats.text(Show.CUSHION, value))
        track = QRect(figure.right() + PAD, rect.top() + 6, rect.right() - figure.right() - PAD, rect.height() - 12)
        if track.width() < 24:
            return
        limit = track.left() + track.width() // 4
        painter.fillRect(track, inks.track)
        if value is not None:
            room = (track.right() + 1 - limit) if value >= 0 else (limit - track.left())
            full = CUSHION_FULL if value >= 0 else CUSHION_FULL / 3
            length = max(2, round(min(abs(value) / full, 1.0) * room))
            colour = QColor(icons.shape_colour(outcome, inks.tokens))
            bar = QRect(limit if value >= 0 else limit - length, track.top(), length, track.height())
            painter.fillRect(bar, colour)
            if abs(value) > full:
                self._beyond(painter, bar, value > 0)
        painter.fillRect(QRect(limit - 1, track.top() - 3, 2, track.height() + 6), inks.text)

    def _beyond(self, painter: QPainter, bar: QRect, right: bool) -> None:
        """Two slits at the end of a bar that goes on beyond the scale."""
        for step in (4, 8):
            x = bar.right() - step if right else bar.left() + step
            painter.fillRect(QRect(x, bar.top(), 2, bar.height()), self.inks.track)

    @staticmethod
    def _outcome_of_row(frame: Frame, row: int, value: float | None) -> Outcome:
        for i, column in enumerate(frame.columns):
            if column.kind == Show.OUTCOME:
                return icons.outcome_of(frame.value(row, i))
        if value is None:
            return Outcome.UNKNOWN
        return Outcome.FAIL if value < 0 else Outcome.NEAR if value < CUSHION_NEAR else Outcome.PASS

    def _corner(self, painter: QPainter, rect: QRect, mark: Mark) -> None:
        inks = self.inks
        colour = {
            Mark.STALE: inks.muted,
            Mark.ODD: inks.amber,
            Mark.BAD: inks.failure,
            Mark.CHANGED: inks.accent,
        }[mark]
        side = 7
        at = rect.topLeft() if mark is Mark.CHANGED else rect.topRight() + QPoint(1, 0)
        over = side if mark is Mark.CHANGED else -side
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygon([at, at + QPoint(over, 0), at + QPoint(0, side)]))
        painter.restore()


class CellDelegate(QStyledItemDelegate):
    """Paints cells of a FrameModel and makes their editors.

    tip  further words of a cell for its tool tip, by key and column name; "" for none
    """

    def __init__(self, cells: CellPainter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cells = cells
        self.tip: Callable[[Hashable, str], str] | None = None

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        model = index.model()
        if not isinstance(model, FrameModel):
            return
        state = option.state
        self._cells.paint(
            painter,
            option.rect,
            option.fontMetrics,
            model.frame,
            int(model.rows[index.row()]),
            index.column(),
            bool(state & QStyle.StateFlag.State_Selected),
            bool(state & QStyle.StateFlag.State_HasFocus),
        )

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        """The whole text of a cell that shows only a part of it, and what there is to say of the cell."""
        model = index.model()
        if event.type() != QEvent.Type.ToolTip or not isinstance(model, FrameModel):
            return super().helpEvent(event, view, option, index)
        text = model.frame.text(int(model.rows[index.row()]), index.column())
        room = view.visualRect(index).width() - 2 * PAD
        hidden = view.fontMetrics().horizontalAdvance(text) > room
        more = self.tip(model.key_at(index.row()), model.frame.columns[index.column()].name) if self.tip else ""
        told = "\n".join(filter(None, (text if hidden else "", more)))
        QToolTip.showText(event.globalPos(), as_text(told) if told else "", view)
        return True

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(80, ROW)

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setFrame(False)
        editor.setTextMargins(PAD - 2, 0, PAD - 2, 0)
        editor.setAlignment(Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole)))
        editor.setAccessibleName(str(index.data(Qt.ItemDataRole.AccessibleTextRole)))
        return editor
