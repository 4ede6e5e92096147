"""The deal rail: one line a deal with its worst outcome by shape, its smallest cushion, and the age of its data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from clo_desktop.look import formats, icons, theme
from clo_desktop.look.words import as_text
from clo_desktop.tables.empty import EmptyState
from clo_desktop.work.session import Session
from clo_desktop.work.standing import DealState, relative_cushion

_NAME = Qt.ItemDataRole.UserRole
_OPEN = Qt.ItemDataRole.UserRole + 1


def rail_line(state: DealState, today: dt.date) -> str:
    """The second line of a deal: how many tests fail or the smallest cushion, age of the data, the tightest test."""
    age = ""
    if state.as_of is not None:
        days = (today - state.as_of).days
        age = f" · {formats.text('count', days)} d old" if days > 0 else " · today"
    named = f" · {state.tightest.name}" if state.tightest is not None else ""
    if state.failing:
        return f"{state.failing} test{' fails' if state.failing == 1 else 's fail'}{age}{named}"
    if state.tightest is not None:
        return f"{formats.with_unit('cushion', relative_cushion(state.tightest))} room{age}{named}"
    return age.removeprefix(" · ")


class _RailDelegate(QStyledItemDelegate):
    """Two lines a deal. The open deal has a bar and bold words; the frame and fill are only where the keyboard is."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        tokens = theme.current()
        marked = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        opened = bool(index.data(_OPEN))
        painter.save()
        filled = marked and (focused or opened)  # a mark without the keyboard would look like the open deal
        painter.fillRect(option.rect, QColor(tokens.selection if filled else tokens.surface))
        if opened:
            painter.fillRect(QRect(option.rect.topLeft(), QSize(4, option.rect.height())), QColor(tokens.accent))
        if focused:
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        room = option.rect.adjusted(12, 4, -6, -4)
        icon = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(icon, QIcon):
            icon.paint(painter, QRect(room.left(), room.top(), 14, room.height()))
        room.setLeft(room.left() + 22)
        name, _, line = str(index.data(Qt.ItemDataRole.DisplayRole)).partition("\n")
        font = QFont(option.font)
        font.setBold(opened)
        upper, lower = QRect(room), QRect(room)
        upper.setHeight(room.height() // 2)
        lower.setTop(upper.bottom() + 1)
        for words, place, face, ink in ((name, upper, font, tokens.text), (line, lower, option.font, tokens.muted)):
            painter.setFont(face)
            painter.setPen(QColor(ink))
            shown = QFontMetrics(face).elidedText(words, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.restore()


class DealsPane(QWidget):
    """The list of deals; Enter or a click opens one, Delete asks to delete it."""

    def __init__(
        self,
        session: Session,
        ask_import: Callable[[], None],
        ask_delete: Callable[[str], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._ask_delete = ask_delete
        self.list = QListWidget()
        self.list.setAccessibleName("Deals")
        self.list.setIconSize(QSize(14, 14))
        self.list.setItemDelegate(_RailDelegate(self.list))
        self.list.setMinimumWidth(120)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(False)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemActivated.connect(self._open)
        self.list.itemClicked.connect(self._open)
        empty = EmptyState("No deal yet. Import the workbook of one.", "Import…", ask_import)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(empty)
        self._layers.addWidget(self.list)
        self.setFocusProxy(self.list)
        session.deals_changed.connect(self.refresh)
        session.book_changed.connect(self._opened)
        theme.watcher().changed.connect(self.refresh)

    def refresh(self, *_: object) -> None:
        """Shows the deals anew; the current one stays current."""
        at_hand = self.list.currentItem()
        current = self._session.deal if at_hand is None else at_hand.data(_NAME)
        today = dt.date.today()
        at = self.list.verticalScrollBar().value()
        self.list.blockSignals(True)
        self.list.clear()
        for state in self._session.deals:
            item = QListWidgetItem(
                icons.icon(icons.outcome_of(state.worst or "")), f"{state.name}\n{rail_line(state, today)}"
            )
            item.setData(_NAME, state.name)
            item.setData(_OPEN, state.name == self._session.deal)
            item.setSizeHint(QSize(0, 46))
            par = f"{formats.text('money', state.par)} {state.currency}"
            tightest = f"; tightest test: {state.tightest.name}" if state.tightest is not None else ""
            if state.name == self._session.deal:
                item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, "open")
            item.setToolTip(
                as_text(
                    f"{state.name}: {state.holdings} positions, par {par}, "
                    f"as of {state.as_of or formats.MISSING}{tightest}"
                )
            )
            self.list.addItem(item)
            if state.name == current:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self.list.verticalScrollBar().setValue(at)
        self._layers.setCurrentIndex(1 if self._session.deals else 0)

    def _opened(self, _book: object) -> None:
        """Another deal was opened: it becomes the current one."""
        self.list.setCurrentRow(-1)
        self.refresh()

    def _open(self, item: QListWidgetItem) -> None:
        name = item.data(_NAME)
        if name != self._session.deal:
            self._session.choose(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.list.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None:
            self._ask_delete(item.data(_NAME))
            return
        super().keyPressEvent(event)
