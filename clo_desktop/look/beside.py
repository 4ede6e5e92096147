"""Entries of a list with muted words at their right edge: a key, what a value is."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from clo_desktop.look import theme

BESIDE: Final = Qt.ItemDataRole.UserRole + 1
"""Role of the words at the right edge."""


class BesideDelegate(QStyledItemDelegate):
    """What stands beside the words (a key, what an entry is) at the right edge."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        beside = str(index.data(BESIDE) or "")
        room = option.rect.adjusted(0, 0, -8, 0)
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(theme.colour("on_accent" if chosen else "muted"))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), beside)
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        taken = option.fontMetrics.horizontalAdvance(str(index.data(BESIDE) or "")) + 32
        option.text = option.fontMetrics.elidedText(
            str(index.data() or ""), Qt.TextElideMode.ElideRight, option.rect.width() - taken
        )
