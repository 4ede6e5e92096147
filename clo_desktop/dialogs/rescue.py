"""Asks what is to become of changes that a window had not stored when it died."""

from __future__ import annotations

import datetime as dt
import html

from PySide6.QtWidgets import QMessageBox, QWidget

from clo_desktop.look.formats import counted
from clo_desktop.look.words import as_text
from clo_desktop.work.unsaved import Found, Unsaved


def ask_rescue(unsaved: Unsaved, found: Found, parent: QWidget) -> QMessageBox:
    """Restore, discard, or leave it for the next start (Escape)."""
    count = len(found.changes)
    of = f" of {found.deal}" if found.deal else ""
    verb = "was" if count == 1 else "were"
    said = f"{counted(count, 'unsaved change')}{of} from {_when(found.at)} {verb} found:"
    box = QMessageBox(QMessageBox.Icon.Question, "Unsaved changes", as_text(said), parent=parent)
    box.setInformativeText("<br>".join(html.escape(f"• {words}") for words in found.words))
    restore = box.addButton("Restore", QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
    later = box.addButton("Ask next time", QMessageBox.ButtonRole.RejectRole)
    restore.setToolTip("Puts everything back where it was being typed; nothing is run or stored for it")
    discard.setToolTip("Removes what was kept; it cannot be brought back")
    later.setToolTip("Leaves it where it is, and asks again at the next start")
    box.setDefaultButton(restore)
    box.setEscapeButton(later)

    def pressed(button: object) -> None:
        if button is restore:
            unsaved.restore(found)
        elif button is discard:
            unsaved.discard(found)

    box.buttonClicked.connect(pressed)
    box.setModal(True)
    box.open()
    return box


def _when(at: dt.datetime) -> str:
    """The time; the day too where it was another."""
    local = at.astimezone()
    return f"{local:%H:%M}" if local.date() == dt.datetime.now().date() else f"{local:%Y-%m-%d %H:%M}"
