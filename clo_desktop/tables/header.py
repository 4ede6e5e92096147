"""The header: titles with units on up to two lines, sort arrows, and the filter row below them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QHeaderView, QLineEdit, QTableView, QToolTip, QWidget

from clo_desktop.look import formats, theme
from clo_desktop.tables.delegates import PAD
from clo_desktop.tables.frame import RATINGS, Column
from clo_desktop.tables.model import FrameModel, SortKey
from clo_desktop.tables.query import is_text
from engine.asset import Kind

FILTER_HEIGHT: Final = 24
_ARROW: Final = 14  # px kept for the sort arrow and its place
_MOST_LINES: Final = 2  # of a title


def _words(title: str) -> list[str]:
    """The words of a title; its unit in brackets is one."""
    head, bracket, unit = title.rpartition(" (")
    return [*head.split(" "), f"({unit}"] if bracket else title.split(" ")


def wrap(text: str, metrics: QFontMetrics, width: int) -> list[str]:
    """A title on at most two lines of a width, the last one elided."""
    if metrics.horizontalAdvance(text) <= width:
        return [text]
    words = _words(text)
    first = words[0]
    used = 1
    while used < len(words) and metrics.horizontalAdvance(f"{first} {words[used]}") <= width:
        first += " " + words[used]
        used += 1
    rest = " ".join(words[used:])
    lines = [first, rest] if rest else [first]
    return [
        # eliding reckons in fractions of a pixel and would shorten what just fits
        line
        if metrics.horizontalAdvance(line) <= width
        else metrics.elidedText(line, Qt.TextElideMode.ElideRight, width)
        for line in lines
    ]


def filter_help(column: Column) -> str:
    """What may be typed into the filter of a column."""
    if column.kind in RATINGS:
        what = ">=B3 for B3 or better, B..CCC, B for the whole letter, =Caa1, NR"
    elif column.kind == Kind.DATE:
        what = "2028, >2028-06, 2027..2029, <=2028-06-30"
    elif column.kind == Kind.FLAG:
        what = "yes or no"
    elif formats.is_number(column.kind):
        what = ">5, <=98.5, 80..90, =100"
        if column.kind == Kind.MONEY:
            what += "; 5m is five million"
        elif column.kind in formats.PERCENT:
            what += ", in percent"
    else:
        what = "a part of the text, =whole text, !=not this"
    if is_text(column):
        return f"{what}; - for missing; several as a,b or a or b (a comma with a blank after it is part of the text)"
    return f"{what}; - for missing; several with a comma and a blank, or with or"


class FilterEdit(QLineEdit):
    """One cell of the filter row. Enter and Down go to the table, Esc clears or goes there, Tab along the row."""

    left = Signal()

    def __init__(self, header: FilterHeader, name: str) -> None:
        super().__init__(header)
        self.header = header
        self.name = name
        self.setTextMargins(PAD - 4, 0, PAD - 4, 0)
        self.fault = ""
        self.help = ""

    def describe(self, column: Column) -> None:
        self.help = filter_help(column)
        self.setAccessibleName(f"Filter {column.title}")
        self.setToolTip(self.fault or self.help)

    def show_fault(self, fault: str) -> None:
        """Amber with what is wrong as tool tip; an empty text is no fault."""
        self.fault = fault
        self.setToolTip(fault or self.help)
        self.setAccessibleDescription(fault)
        self.dress()

    def dress(self) -> None:
        tokens = theme.current()
        fill = tokens.warn_fill if self.fault else tokens.surface
        edge = tokens.amber if self.fault else fill
        # with a style sheet on the application a palette of its own is ignored
        self.setStyleSheet(
            f"QLineEdit {{ background: {fill}; color: {tokens.text}; border: 1px solid {edge}; }}"
            f"QLineEdit:focus {{ border-color: {tokens.amber if self.fault else tokens.accent}; }}"
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """The next column as it is seen, also where it must be scrolled into sight; past the ends out of the row."""
        return self.header.step(self.name, forward) or super().focusNextPrevChild(forward)


class _FrozenHeader(QWidget):
    """The header of the frozen columns, over the scrolled ones; the mouse goes through to the header."""

    def __init__(self, header: FilterHeader) -> None:
        super().__init__(header)
        self._header = header
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._header.font())
        self._header.paint_frozen(painter)


class FilterHeader(QHeaderView):
    """Horizontal header of a FrameModel.

    filter_typed  (column name, text) whenever a filter changes
    sort_asked    (column name, add) by a click; `add` with Shift
    """

    filter_typed = Signal(str, str)
    sort_asked = Signal(str, bool)
    left = Signal()

    def __init__(self, table: QTableView, frozen: Callable[[], list[int]], *, filters: bool) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self._frozen = frozen
        self._filters = filters
        self._edits: dict[str, FilterEdit] = {}
        self._texts: dict[str, str] = {}
        self._faults: dict[str, str] = {}
        self._placing = False
        self._shift: int | None = None
        self._strip = _FrozenHeader(self)
        self.step: Callable[[str, bool], bool] = lambda name, forward: False  # goes to a neighbour's filter cell
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(32)
        self.setAccessibleName("Column headers")
        self.sectionClicked.connect(self._clicked)
        self._dress()
        for changed in (self.sectionResized, self.sectionMoved, self.geometriesChanged, self.sectionCountChanged):
            changed.connect(self._place_soon)

    # -- sizes ---------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.title_height() + (FILTER_HEIGHT if self._filters else 0))

    def title_height(self) -> int:
        """Two lines where a title needs them, else one."""
        metrics = self.fontMetrics()
        lines = 1
        model = self.model()
        if model is not None:
            for logical in range(self.count()):
                if not self.isSectionHidden(logical) and len(self._lines(logical, metrics)) > 1:
                    lines = _MOST_LINES
                    break
        return lines * metrics.height() + 8

    def _lines(self, logical: int, metrics: QFontMetrics) -> list[str]:
        title = str(self.model().headerData(logical, Qt.Orientation.Horizontal))
        width = self.sectionSize(logical) - 2 * PAD
        return wrap(title, metrics, width - (_ARROW if self._place_in_sort(logical) else 0))

    def width_for(self, logical: int) -> int:
        """Width at which the title fits on two lines, with room for the arrow."""
        metrics = self.fontMetrics()
        words = _words(str(self.model().headerData(logical, Qt.Orientation.Horizontal)))
        best = min(
            max(metrics.horizontalAdvance(" ".join(words[:i])), metrics.horizontalAdvance(" ".join(words[i:])))
            for i in range(1, len(words) + 1)
        )
        return best + 2 * PAD + _ARROW + 2

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place()

    # -- painting ------------------------------------------------------------------------------------------------

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        tokens = theme.current()
        metrics = self.fontMetrics()
        painter.fillRect(rect, QColor(tokens.header))
        height = self.height() - (FILTER_HEIGHT if self._filters else 0)
        model = self.model()
        if not isinstance(model, FrameModel) or logical >= model.columnCount():
            return
        column = model.frame.columns[logical]
        place = self._place_in_sort(logical)
        area = QRect(rect.left() + PAD, rect.top(), rect.width() - 2 * PAD, height)
        if place:
            self._arrow(painter, area, model.sort_keys, place)
            area.setRight(area.right() - _ARROW)
        lines = self._lines(logical, metrics)
        painter.setPen(QColor(tokens.text if column.name not in self._texts else tokens.accent))
        side = Qt.AlignmentFlag.AlignRight if formats.is_number(column.kind) else Qt.AlignmentFlag.AlignLeft
        top = area.top() + (height - len(lines) * metrics.height()) - 4
        for line in lines:
            painter.drawText(QRect(area.left(), top, area.width(), metrics.height()), int(side), line)
            top += metrics.height()
        painter.setPen(QColor(tokens.line))
        painter.drawLine(rect.topRight(), rect.bottomRight())
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())

    def _place_in_sort(self, logical: int) -> int:
        """1 for the first sort key, 2 for the second..., 0 where the column is none."""
        model = self.model()
        if not isinstance(model, FrameModel) or logical >= len(model.frame.columns):
            return 0
        names = [key.column for key in model.sort_keys]
        name = model.frame.columns[logical].name
        return names.index(name) + 1 if name in names else 0

    def _arrow(self, painter: QPainter, area: QRect, keys: tuple[SortKey, ...], place: int) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(theme.current().accent)
        x = area.right() - 4.0
        y = area.bottom() - 4 - self.fontMetrics().height() / 2
        tip = 3.0 if keys[place - 1].descending else -3.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(x - 4, y - tip), QPointF(x + 4, y - tip), QPointF(x, y + tip)]))
        if len(keys) > 1:
            font = painter.font()
            font.setPointSizeF(font.pointSizeF() * 0.7)
            painter.setFont(font)
            painter.setPen(colour)
            box = QRect(int(x) - 8, int(y) - 18, 16, 14)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom), str(place))
        painter.restore()

    def paint_frozen(self, painter: QPainter) -> None:
        x = 0
        for logical in self._frozen():
            width = self.sectionSize(logical)
            painter.save()
            self.paintSection(painter, QRect(x, 0, width, self.height()), logical)
            painter.restore()
            x += width
        if x:
            painter.setPen(QColor(theme.current().muted))
            painter.drawLine(x - 1, 0, x - 1, self.height())

    # -- the filter row ------------------------------------------------------------------------------------------

    def _place_soon(self, *_: object) -> None:
        """Once for all columns that change in this turn of the event loop."""
        if not self._placing:
            self._placing = True
            QTimer.singleShot(0, self, self.place)

    def place(self, *_: object) -> None:
        """Put the filter cells under their columns; those out of sight are hidden."""
        self._placing = False
        model = self.model()
        frozen = self._frozen()
        frozen_width = sum(self.sectionSize(c) for c in frozen)
        self._strip.setGeometry(0, 0, frozen_width, self.height())
        self._strip.setVisible(frozen_width > 0)
        self._strip.update()
        if not self._filters or not isinstance(model, FrameModel):
            return
        top = self.height() - FILTER_HEIGHT
        seen: set[str] = set()
        x = 0
        for logical in frozen:
            self._put(model, logical, x, top, seen)
            x += self.sectionSize(logical)
        order = (self.logicalIndex(visual) for visual in range(self.count()))
        shown = [c for c in order if not self.isSectionHidden(c) and c < len(model.frame.columns)]
        for logical in shown[len(frozen) :]:
            x = self.sectionViewportPosition(logical)
            if x + self.sectionSize(logical) > frozen_width and x < self.width():
                self._put(model, logical, x, top, seen)
        self._strip.raise_()
        for logical in frozen:
            self._edits[model.frame.columns[logical].name].raise_()
        first = model.frame.columns[shown[0]].name if shown else ""
        for name, edit in self._edits.items():
            edit.setPlaceholderText("Filter" if name == first else "")
            if name not in seen:
                edit.hide()

    def _put(self, model: FrameModel, logical: int, x: int, top: int, seen: set[str]) -> None:
        column = model.frame.columns[logical]
        edit = self._edits.get(column.name) or self._make(column)
        edit.setGeometry(x, top, self.sectionSize(logical) - 1, FILTER_HEIGHT - 1)
        edit.show()
        seen.add(column.name)

    def _make(self, column: Column) -> FilterEdit:
        edit = FilterEdit(self, column.name)
        edit.describe(column)
        edit.setText(self._texts.get(column.name, ""))
        edit.show_fault(self._faults.get(column.name, ""))
        edit.textChanged.connect(lambda text, name=column.name: self._typed(name, text))
        edit.left.connect(self.left)
        self._edits[column.name] = edit
        return edit

    def _typed(self, name: str, text: str) -> None:
        if text:
            self._texts[name] = text
        else:
            self._texts.pop(name, None)
        self.filter_typed.emit(name, text)
        self.viewport().update()

    def filter_texts(self) -> dict[str, str]:
        """What is typed, by column name."""
        return dict(self._texts)

    def set_filter_text(self, name: str, text: str) -> None:
        edit = self._edits.get(name)
        if edit is not None:
            edit.setText(text)
        elif text != self._texts.get(name, ""):
            self._typed(name, text)

    def show_fault(self, name: str, fault: str) -> None:
        if fault:
            self._faults[name] = fault
        else:
            self._faults.pop(name, None)
        edit = self._edits.get(name)
        if edit is not None:
            edit.show_fault(fault)

    @property
    def has_filters(self) -> bool:
        return self._filters

    def fault(self, name: str) -> str:
        """What is wrong with the filter of a column; empty where nothing is."""
        return self._faults.get(name, "")

    def filter_cell(self, name: str) -> FilterEdit | None:
        """The filter cell of a column, where it is in sight."""
        edit = self._edits.get(name)
        return edit if edit is not None and not edit.isHidden() else None

    def cells(self) -> list[FilterEdit]:
        """The filter cells in sight, from left to right."""
        return sorted((e for e in self._edits.values() if not e.isHidden()), key=lambda e: e.x())

    def forget(self, names: set[str]) -> None:
        """Drop what belongs to columns that are gone."""
        for name in names:
            self._texts.pop(name, None)
            self._faults.pop(name, None)
            edit = self._edits.pop(name, None)
            if edit is not None:
                edit.deleteLater()

    def redress(self) -> None:
        """The theme changed."""
        self._dress()
        for edit in self._edits.values():
            edit.dress()
        self.viewport().update()
        self._strip.update()

    def _dress(self) -> None:
        palette = QPalette(self.palette())
        for role in (QPalette.ColorRole.Window, QPalette.ColorRole.Button, QPalette.ColorRole.Base):
            palette.setColor(role, QColor(theme.current().header))
        self.setPalette(palette)

    # -- the mouse: over frozen columns the header behaves as if it were not scrolled --------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            logical = self.column_at(event.pos().x())
            tip = self.model().headerData(logical, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
            QToolTip.showText(event.globalPos(), str(tip or ""), self)
            return True
        if isinstance(event, QMouseEvent):
            over = event.position().x() < self._strip.width() and not self._strip.isHidden()
            if event.type() == QEvent.Type.MouseButtonPress:
                self._shift = self.offset() if over else 0
            shift = self._shift if self._shift is not None else (self.offset() if over else 0)
            if event.type() == QEvent.Type.MouseButtonRelease:
                self._shift = None
            if shift:
                moved = QMouseEvent(
                    event.type(),
                    event.position() - QPointF(shift, 0),
                    event.scenePosition(),
                    event.globalPosition(),
                    event.button(),
                    event.buttons(),
                    event.modifiers(),
                )
                return super().viewportEvent(moved)
        return super().viewportEvent(event)

    def column_at(self, x: int) -> int:
        """Logical column under a position, -1 where there is none."""
        return self.logicalIndexAt(x - self.offset() if x < self._strip.width() else x)

    def _clicked(self, logical: int) -> None:
        model = self.model()
        if isinstance(model, FrameModel):
            add = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.sort_asked.emit(model.frame.columns[logical].name, add)
