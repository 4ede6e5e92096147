"""What the command palette finds: every command, the deals, and the tests and positions of the open deal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from clo_desktop.commands import COMMANDS
from clo_desktop.dialogs.palette import Entry
from clo_desktop.look.formats import MISSING
from clo_desktop.work.session import Session


def of_commands(acts: Mapping[str, Callable[[], object]]) -> Iterator[Entry]:
    """Every command with its key; `acts` by the command's id."""
    for command in COMMANDS:
        yield Entry(command.words, command.keys[0] if command.keys else "", command.aliases, acts[command.id])


def of_session(session: Session, go_to_test: Callable[[int], None]) -> Iterator[Entry]:
    """The deals; tests and positions of the open deal are found only by typing."""
    for deal in session.deals:
        yield Entry(deal.name, "open deal", (), partial(session.choose, deal.name))
    if session.compliance is not None:
        for result in session.compliance.results:
            words = f"{result.number} {result.name}"
            yield Entry(words, "test", (), partial(go_to_test, result.number), late=True)
    if session.book is not None:
        for asset, _par in session.book.positions():
            words = f"{asset.issuer_name or MISSING} {asset.tranche or ''}".rstrip()
            act = partial(session.asset_wanted.emit, asset.asset_id)
            yield Entry(words, asset.asset_id, (asset.asset_id,), act, late=True)
