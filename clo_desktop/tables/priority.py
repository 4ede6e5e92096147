"""A priority of payments as a numbered list to read, search and copy."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QPushButton, QTextBrowser, QWidget

from clo_desktop.look import theme
from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.outcome import spelled_in
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import ElidedLabel
from engine.waterfall import Document
from engine.waterfall.listing import definitions, lines, listing, rules, title

_MARK: Final = 5 * GRID  # px from a clause's letter to its words


class PriorityList(QWidget):
    """The document's definitions, what runs when, and every clause with its letter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self.title = ElidedLabel()
        self.copy_button = QPushButton("Copy list")
        self.copy_button.setToolTip("Puts the whole list on the clipboard as text")
        self.copy_button.clicked.connect(self.copy_all)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Priority of payments")
        self.text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.text.setTabChangesFocus(True)
        keys = Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | keys)
        self.text.document().setDocumentMargin(2 * GRID)
        self.text.document().setDefaultTextOption(_wrapping())
        stacked(self, strip(self.title, self.copy_button), self.text)
        self.setFocusProxy(self.text)
        theme.watcher().changed.connect(self._write)

    def set_document(self, document: Document) -> None:
        """Another document; the same one keeps its place."""
        if document is self._document:
            return
        self._document = document
        self.title.setText(document.title)
        self.text.verticalScrollBar().setValue(0)
        self._write()

    def copy_all(self) -> None:
        if self._document is not None:
            QGuiApplication.clipboard().setText(listing(self._document))

    def _write(self) -> None:
        document = self._document
        if document is None:
            return
        bar = self.text.verticalScrollBar()
        place = bar.value()
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        cursor.beginEditBlock()
        defined = definitions(document)
        if defined:
            self._head(cursor, "Definitions")
        for text in defined:
            name, _, said = text.partition(": ")
            self._clause(cursor, f"{spelled_in(name)}: ", spelled_in(said), 0)
        self._head(cursor, "On each payment date")
        for number, text in enumerate(rules(document), start=1):
            self._clause(cursor, f"{number}.\t", text, 0)
        last = ""
        for line in lines(document):
            clause = line.clause
            if clause.waterfall != last:
                self._head(cursor, title(document, clause.waterfall))
                last = clause.waterfall
            when = f", {line.when}" if line.when else ""
            self._clause(cursor, f"({clause.mark})\t", spelled_in(line.text), clause.depth, spelled_in(when))
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        bar.setValue(place)

    def _head(self, cursor: QTextCursor, text: str) -> None:
        block = QTextBlockFormat()
        block.setTopMargin(0 if cursor.atStart() else 2 * GRID)
        block.setBottomMargin(GRID // 2)
        self._block(cursor, block)
        cursor.insertText(text, _format("text", QFont.Weight.DemiBold))

    def _clause(self, cursor: QTextCursor, mark: str, text: str, depth: int, when: str = "") -> None:
        block = QTextBlockFormat()
        block.setLeftMargin(_MARK * (depth + 1))
        block.setTextIndent(-_MARK)
        block.setTabPositions([QTextOption.Tab(_MARK, QTextOption.TabType.LeftTab)])
        block.setBottomMargin(2)
        self._block(cursor, block)
        cursor.insertText(mark, _format("muted"))
        cursor.insertText(text, _format("text"))
        cursor.insertText(when, _format("muted"))

    def _block(self, cursor: QTextCursor, block: QTextBlockFormat) -> None:
        if cursor.atStart():
            cursor.setBlockFormat(block)
        else:
            cursor.insertBlock(block)


def _wrapping() -> QTextOption:
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    return option


def _format(colour: str, weight: QFont.Weight = QFont.Weight.Normal) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(QColor(theme.colour(colour)))
    made.setFontWeight(weight)
    return made
