"""What the status bar promises about changes: where they are safe, and what still waits. No Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from clo_desktop.store.server.signing import is_server, server_name

if TYPE_CHECKING:
    from clo_desktop.work.session import Session


class Promise(NamedTuple):
    """A few words for the status bar, and the whole of it for the tip."""

    words: str
    tip: str


def words(session: Session, *, answers: bool = True, waiting: int = 0, refused: int = 0) -> Promise:
    """Where what was changed is safe.

    answers  whether the shared server does;  waiting  changes that are kept on this computer and not on the server yet
    refused  of these, the ones the server refused
    """
    where = session.where
    if not where:
        return Promise("Nothing is open", "File > Open workspace or File > Open server opens something.")
    if not is_server(where):
        if session.reading_only:
            return Promise(f"Read only · {Path(where).name}", f"{session.reading_only}.")
        if waiting:
            return Promise(
                f"Saved on this computer, {waiting} waiting · {Path(where).name}",
                f"{where}: {_changes(waiting)} of offline copies not on the server yet; File > Synchronise sends them.",
            )
        return Promise(f"Saved on this computer · {Path(where).name}", where)
    name, person = server_name(where), session.seat.person
    who = f"{person.email} is signed in to {name} as {person.role}." if person is not None else name
    if answers and not waiting:
        return Promise(f"Saved · {name}", f"{who} Every change is stored on the server as soon as it is made.")
    if refused:
        return Promise(
            f"{refused} not sent · {name}",
            f"{who} {_changes(refused)} refused by it, kept on this computer; File > Synchronise says why.",
        )
    if answers:
        return Promise(
            f"Not sent yet, {waiting} waiting · {name}",
            f"{who} What waits is safe on this computer; File > Synchronise shows it.",
        )
    if waiting:
        return Promise(
            f"Offline, {waiting} waiting · {name}",
            f"{who} It does not answer: {_changes(waiting)} safe on this computer, sent as soon as it does.",
        )
    return Promise(
        f"Offline · {name}",
        f"{who} It does not answer: what is open can be read and changed; changes wait on this computer.",
    )


def _changes(count: int) -> str:
    return "1 change is" if count == 1 else f"{count} changes are"
