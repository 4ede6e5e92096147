"""What the window asks about offline work: deals to take along, bringing them back, whose values are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from clo_desktop import paths
from clo_desktop.dialogs.clash import ClashDialog
from clo_desktop.dialogs.encryption import EncryptionDialog
from clo_desktop.dialogs.gatekeeper import Gatekeeper
from clo_desktop.dialogs.passphrase import UnlockDialog
from clo_desktop.dialogs.recovery_key import RecoveryKeyDialog
from clo_desktop.dialogs.synchronise import SynchroniseDialog
from clo_desktop.dialogs.take_along import TakeAlongDialog
from clo_desktop.faults import Refused
from clo_desktop.look.formats import counted
from clo_desktop.look.words import as_text
from clo_desktop.store.local.manner import Manner
from clo_desktop.store.merge import Choices
from clo_desktop.store.sync.syncing import Outcome
from clo_desktop.work.offline import Offline, TakenAlong
from clo_desktop.work.session import WINDOW, Session
from clo_desktop.work.watch import Watch


class Courier(QObject):
    """Carries deals between a server and this computer, for a window."""

    def __init__(self, session: Session, watch: Watch, gate: Gatekeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._gate, self._window = session, gate, parent
        self.offline = Offline(session, self)
        self._asked: set[str] = set()  # deals whose clash is on the screen, or was put off
        self._told: set[str] = set()  # refusals of the server that were said
        self._open: SynchroniseDialog | None = None
        watch.sent.connect(self._sent)
        self.offline.changed.connect(watch.count)
        self.offline.changed.connect(watch.look)  # what was sent by hand shows that the server is there
        session.leaving.connect(self._forget)

    def _forget(self, _desk: object) -> None:
        self._asked.clear()
        self._told.clear()

    # -- taking along -------------------------------------------------------------------------------------------------

    def ask_take(self) -> TakeAlongDialog:
        """Asks which deals of the server to copy into which file."""
        who = self._session.seat.membership
        if who is None:
            raise Refused("Deals are taken along from a shared server; open one with File > Open server first.")
        deals = [deal.name for deal in self._session.deals]
        if not deals:
            raise Refused(f"There is no deal for you on {who.name}; ask an administrator to assign one to you.")
        database = who.name.rpartition("/")[2] or "server"
        file = paths.default_workspace().with_name(f"offline {database}.clo")
        dialog = TakeAlongDialog(who.name, deals, self._session.deal, file, self._begin, self._window)
        dialog.open()
        return dialog

    def _begin(self, deals: Sequence[str], file: Path, dialog: TakeAlongDialog) -> None:
        if file.exists():
            self._take(deals, file, dialog, Manner())
            return
        protection = EncryptionDialog(file, True, dialog)
        self._gate.wallet.why_not(protection.take_keyring, protection)
        protection.accepted.connect(
            lambda: self._take(deals, file, dialog, Manner(encrypt=protection.encrypt, secret=protection.secret))
        )
        protection.open()

    def _take(self, deals: Sequence[str], file: Path, dialog: TakeAlongDialog, manner: Manner) -> None:
        def done(taken: TakenAlong) -> None:
            dialog.done_well()
            self._gate.curtain.after(partial(self._taken, taken, manner))

        def failed(refused: Refused | None) -> None:
            dialog.refuse(refused)
            if refused is not None and refused.code in ("no-key", "key"):
                wrong = refused.message if refused.code == "key" else ""
                self._gate.curtain.after(partial(self._ask_key, deals, file, dialog, wrong))

        dialog.doing(self.offline.take(deals, file, manner, done, failed))

    def _ask_key(self, deals: Sequence[str], file: Path, dialog: TakeAlongDialog, wrong: str) -> None:
        asking = UnlockDialog(file, wrong, dialog)
        self._gate.wallet.why_not(asking.take_keyring, asking)
        asking.restoring.hide()
        asking.accepted.connect(
            lambda: self._take(deals, file, dialog, Manner(secret=asking.secret, keep=asking.keeping.isChecked()))
        )
        asking.open()

    def _taken(self, taken: TakenAlong, manner: Manner) -> None:
        """The deals are there: they can be opened at once; a new key is shown first."""
        names = [outcome.deal for outcome in taken.outcomes]
        told = f"{counted(len(names), 'deal')} can be worked on without the server, in {taken.file}."
        box = QMessageBox(QMessageBox.Icon.Information, "Take deals along", as_text(told), parent=self._window)
        opening = box.addButton("Open the copy", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Stay on the server", QMessageBox.ButtonRole.RejectRole)

        def pressed(button: object) -> None:
            if button is opening:
                first = self._session.deal if self._session.deal in names else names[0]
                secret = manner.secret
                self._session.open(taken.file, lambda: self._session.choose(first), replace(WINDOW, secret=secret))

        box.buttonClicked.connect(pressed)
        box.open()
        if taken.recovery_key:
            RecoveryKeyDialog(taken.file, taken.recovery_key, self._window).open()

    # -- bringing together --------------------------------------------------------------------------------------------

    def ask_synchronise(self) -> SynchroniseDialog:
        """Shows what waits, and synchronises when that is wanted."""
        desk = self._session.open_desk()
        if desk.store.is_server and desk.unsent is None:
            raise Refused("Edits go straight to this server; nothing waits on this computer.")
        acts: dict[str, Callable[[Any], object]] = {
            "now": self._now,
            "look": self._look,
            "drop": self._ask_drop,
            "give": self._give,
        }
        dialog = SynchroniseDialog(acts, self._window)
        self._open = dialog

        def show() -> None:
            dialog.show_lines(self.offline.lines)

        def gone() -> None:
            self._open = None
            self.offline.changed.disconnect(show)
            self.offline.hang_up()

        self.offline.changed.connect(show)
        dialog.finished.connect(gone)
        self.offline.read()
        dialog.open()
        return dialog

    def _signed_in(self, then: Callable[[], object]) -> None:
        """Does something with the server, once somebody is signed in there."""
        if self.offline.is_signed_in:
            then()
            return
        server = next((line.server for line in self.offline.lines if line.server), "")
        self._gate.ask_beside(server, self.offline.sign_in, then)

    def _now(self, dialog: SynchroniseDialog) -> None:
        self._asked.clear()
        self._signed_in(lambda: self._synchronise(dialog))

    def _synchronise(self, dialog: SynchroniseDialog, deal: str = "", choices: Choices | None = None) -> None:
        def done(outcomes: tuple[Outcome, ...]) -> None:
            self._tell(dialog, outcomes)

        wanted = [deal] if deal else None
        dialog.doing(self.offline.synchronise(done, partial(_failed, dialog), wanted, choices or {}))

    def _look(self, dialog: SynchroniseDialog) -> None:
        self._signed_in(lambda: dialog.doing(self.offline.compare(lambda: dialog.say(""), partial(_failed, dialog))))

    def _give(self, deal: str) -> None:
        dialog = self._open
        if dialog is None:
            return

        def give() -> None:
            dialog.doing(self.offline.give(deal, lambda told: self._tell(dialog, told), partial(_failed, dialog)))

        self._signed_in(give)

    def _ask_drop(self, deal: str) -> None:
        question = f"Drop the changes of {deal} that were not sent? They cannot be brought back."
        box = QMessageBox(
            QMessageBox.Icon.Warning, "Drop changes", as_text(question), parent=self._open or self._window
        )
        yes = box.addButton("Drop changes", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(lambda button: self.offline.drop(deal) if button is yes else None)
        box.open()

    def _tell(self, dialog: SynchroniseDialog, outcomes: Sequence[Outcome]) -> None:
        said = [*(_said(outcome) for outcome in outcomes), self.offline.scenarios]
        words = " ".join(filter(None, said)) or "There was nothing to do."
        if any(outcome.waiting or outcome.gone for outcome in outcomes):
            dialog.fail(words, dialog.table)
        else:
            dialog.say(words)
        self._ask_whose(outcomes)

    # -- what came of it ----------------------------------------------------------------------------------------------

    def _sent(self, outcomes: tuple[Outcome, ...]) -> None:
        """Edits that had waited for the server were sent by themselves."""
        for outcome in outcomes:
            if outcome.clashing is None:
                self._asked.discard(outcome.deal)
            for reason in outcome.refused:
                if reason not in self._told:
                    self._told.add(reason)
                    self._session.refused.emit(
                        f"A change of {outcome.deal} was not sent. {reason} It is kept on this computer; File > "
                        "Synchronise shows it."
                    )
        sent = sum(outcome.sent for outcome in outcomes)
        if sent:
            self._session.said.emit(f"{counted(sent, 'change')} that waited {'is' if sent == 1 else 'are'} sent.")
        self._gate.curtain.after(partial(self._ask_whose, outcomes))

    def _ask_whose(self, outcomes: Sequence[Outcome]) -> None:
        """Asks about deals in which both changed the same cells, one after the other; none of it is lost meanwhile."""
        for outcome in outcomes:
            if outcome.clashing is not None and outcome.deal not in self._asked:
                self._asked.add(outcome.deal)
                self._ask_one(outcome)

    def _ask_one(self, outcome: Outcome) -> ClashDialog | None:
        assert outcome.clashing is not None
        book, deal = self._session.book, outcome.deal
        currency = book.deal.currency if book is not None else ""
        dialog = ClashDialog(outcome.clashing, currency, self._open or self._window, waits=True)

        def chosen() -> None:
            self._asked.discard(deal)
            if self._open is not None:
                self._synchronise(self._open, deal, dialog.choices)
            else:
                self.offline.synchronise(self._sent, self._not_sent, [deal], dialog.choices)

        dialog.accepted.connect(chosen)
        dialog.open()
        return dialog

    def _not_sent(self, refused: Refused | None) -> None:
        if refused is not None:
            self._session.said.emit(f"Not sent yet: {refused.message}")


def _failed(dialog: SynchroniseDialog, refused: Refused | None) -> None:
    dialog.fail(refused.message if refused is not None else "Cancelled; what was not sent waits on.", dialog.table)


def _said(outcome: Outcome) -> str:
    """What came of one deal, as a sentence."""
    if outcome.clashing is not None:
        return f"{outcome.deal}: {counted(len(outcome.clashing.clashes), 'cell')} to choose."
    if outcome.gone and not outcome.waiting:
        return outcome.gone
    parts = [f"{outcome.sent} sent" if outcome.sent else "", "others’ changes came in" if outcome.pulled else ""]
    parts.append(f"{outcome.waiting} not sent" if outcome.waiting else "")
    return f"{outcome.deal}: {', '.join(filter(None, parts)) or 'up to date'}."
