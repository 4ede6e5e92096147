"""The verb about offline copies of deals of a shared server: sync pull, push, status, give, drop."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from clo_desktop.cli.common import Add, Answer, open_desk, workspace_file
from clo_desktop.cli.passwords import own_option, own_password
from clo_desktop.faults import Refused
from clo_desktop.figures import counted
from clo_desktop.progress import Progress

if TYPE_CHECKING:
    from clo_desktop.store.sync.copies import Operation
    from clo_desktop.store.sync.libraries import Exchanged
    from clo_desktop.store.sync.shelf import FileShelf, Standing
    from clo_desktop.store.sync.syncing import Outcome, Syncing


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    sync = add("sync", _sync, "Copy deals of a shared server into a workspace file, and send back what was changed.")
    sync.add_argument(
        "what",
        choices=list(_ACTS),
        help="pull: make offline copies of deals or bring them up to date; push: send your changes and bring the "
        "copies "
        "up to date; status: what waits to be sent (asks no server); give: put a deal of your own on the server; drop: "
        "discard changes that were not sent",
    )
    which = sync.add_mutually_exclusive_group()
    which.add_argument("--deal", metavar="NAME", help="one deal")
    which.add_argument(
        "--all",
        action="store_true",
        help="with pull: every deal you may read; with push: every deal you have a copy of",
    )
    sync.add_argument(
        "--server",
        metavar="URL",
        help="with pull, push and give: the shared server, postgresql://you%%40firm.com@host/name",
    )
    sync.add_argument(
        "--keep",
        choices=["mine", "theirs"],
        help="with push: whose values to keep where both changed the same cells (default: none, they wait)",
    )
    own_option(sync)


def _sync(options: argparse.Namespace) -> Answer:
    return _ACTS[options.what](options)


def _status(options: argparse.Namespace) -> Answer:
    with _shelf(options) as shelf:
        found = [s for s in shelf.standings() if options.deal in (None, s.deal)]
    words = "\n".join(_standing_words(s) for s in found)
    return Answer(
        {
            "waiting": sum(len(s.waiting) - len(s.refused) for s in found),
            "refused": sum(len(s.refused) for s in found),
            "oldest": min((op.made_at.isoformat() for s in found for op in s.waiting), default=None),
            "copies": [_standing(s) for s in found],
        },
        words or "There are no offline copies; `clo sync pull --deal NAME --server URL` makes one.",
    )


def _pull(options: argparse.Namespace) -> Answer:
    with _syncing(options, may_make=True) as syncing:
        return _outcomes(syncing.pull(_wanted(options), _telling(options)), syncing.exchange(push=False))


def _push(options: argparse.Namespace) -> Answer:
    from clo_desktop.store.merge import NO_CHOICES, Always, Side

    choices = Always(Side(options.keep)) if options.keep else NO_CHOICES
    with _syncing(options) as syncing:
        outcomes = syncing.sync(_wanted(options), choices, again=True, report=_telling(options))
        return _outcomes(outcomes, syncing.exchange())


def _give(options: argparse.Namespace) -> Answer:
    with _syncing(options) as syncing:
        return _outcomes([syncing.give(_named(options))])


def _drop(options: argparse.Namespace) -> Answer:
    deal = _named(options)
    with _shelf(options) as shelf:
        dropped = shelf.drop(deal)
    changes = "1 change was" if dropped == 1 else f"{dropped} changes were"
    return Answer(
        {"deal": deal, "dropped": dropped},
        f"{changes} discarded; {deal} is as it was when it was last brought up to date.",
    )


_ACTS: Final = {"pull": _pull, "push": _push, "status": _status, "give": _give, "drop": _drop}


def _wanted(options: argparse.Namespace) -> list[str] | None:
    """The deals that were named; None for all. Raises Refused where neither was said."""
    if options.all:
        return None
    return [_named(options)]


def _named(options: argparse.Namespace) -> str:
    if not options.deal:
        raise Refused(f"`clo sync {options.what}` needs --deal NAME (pull and push take --all, too).", code="usage")
    return str(options.deal)


@contextmanager
def _shelf(options: argparse.Namespace, *, may_make: bool = False) -> Iterator[FileShelf]:
    from clo_desktop.store.sync.shelf import FileShelf

    desk = open_desk(options, may_make=may_make)
    try:
        yield FileShelf(desk.store)
    finally:
        desk.close()


@contextmanager
def _syncing(options: argparse.Namespace, *, may_make: bool = False) -> Iterator[Syncing]:
    from clo_desktop.store import open_store
    from clo_desktop.store.connection import address
    from clo_desktop.store.sync.server import StoreServer
    from clo_desktop.store.sync.syncing import Syncing, no_deal

    if not options.server or "://" not in options.server:
        raise Refused(
            f"`clo sync {options.what}` needs --server postgresql://you%40firm.com@host/name.", code="address"
        )
    url = address(options.server)
    if url.get_backend_name() != "postgresql" or not url.username:
        raise Refused("Name the server and yourself: --server postgresql://you%40firm.com@host/name.", code="address")
    own = own_password(options, url)
    where = url.set(password=own).render_as_string(hide_password=False)
    with open_store(where) as store:
        server = StoreServer(store)
        new = may_make and options.deal and not workspace_file(options).exists()
        if new and options.deal not in (marks := server.marks()):  # a refusal leaves no new file behind
            raise no_deal(options.deal, marks)
        with _shelf(options, may_make=may_make) as shelf:
            yield Syncing(shelf, server)


def _telling(options: argparse.Namespace) -> Progress:
    """Says on a terminal what is being done."""

    def tell(_fraction: float, what: str) -> None:
        if sys.stderr.isatty() and not options.json:
            print(what, file=sys.stderr)

    return tell


def _outcomes(outcomes: Sequence[Outcome], scenarios: Exchanged | None = None) -> Answer:
    """What came of the deals, and of the libraries of scenarios where these were brought together as well."""
    complaints = [words for outcome in outcomes for words in _complaints(outcome)]
    said = [*(_outcome_words(outcome) for outcome in outcomes), scenarios.words if scenarios is not None else ""]
    data = {
        "deals": [_outcome(outcome) for outcome in outcomes],
        "scenarios": dataclasses.asdict(scenarios) if scenarios is not None else None,
    }
    return Answer(data, "\n".join(filter(None, said)) or "There was nothing to do.", "\n".join(complaints))


def _complaints(outcome: Outcome) -> Iterator[str]:
    from clo_desktop.work.auditing import value_text

    if outcome.clashing is not None:
        yield f"{outcome.clashing.message} On the command line: --keep mine or --keep theirs."
        for c in outcome.clashing.clashes:
            base, mine, theirs = (value_text(_value(value)) for value in (c.base, c.mine, c.theirs))
            yield f"  {c.place}: base {base}, mine {mine}, theirs {theirs}"
    for reason in outcome.refused:
        yield f"{outcome.deal}: not sent. {reason}"
    if outcome.gone and not outcome.refused:
        yield outcome.gone


def _outcome_words(outcome: Outcome) -> str:
    pulled = "copied" if outcome.copied else "others' changes came in" if outcome.pulled else ""
    said = [f"{counted(outcome.sent, 'change')} sent" if outcome.sent else "", pulled]
    said.append(f"{counted(outcome.waiting, 'change')} still to send" if outcome.waiting else "")
    return f"{outcome.deal}: {', '.join(filter(None, said)) or 'up to date'}."


def _outcome(outcome: Outcome) -> dict[str, Any]:
    clashes = outcome.clashing.clashes if outcome.clashing is not None else ()
    return {
        "deal": outcome.deal,
        "sent": outcome.sent,
        "waiting": outcome.waiting,
        "pulled": outcome.pulled,
        "refused": list(outcome.refused),
        "gone": outcome.gone or None,
        "clashes": [
            {"cell": str(c.place), "base": _value(c.base), "mine": _value(c.mine), "theirs": _value(c.theirs)}
            for c in clashes
        ],
    }


def _value(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "deal": standing.deal,
        "server": standing.server,
        "version": standing.version,
        "pulled_at": standing.pulled_at.isoformat(),
        "gone": standing.gone or None,
        "waiting": [_operation(op) for op in standing.waiting],
    }


def _operation(op: Operation) -> dict[str, Any]:
    return {
        "op_id": op.op_id,
        "base_version": op.base_version,
        "made_at": op.made_at.isoformat(),
        "state": op.state.value,
        "reason": op.reason,
        "rows": {name: len(table.rows) for name, table in op.delta.items()},
    }


def _standing_words(standing: Standing) -> str:
    refused = len(standing.refused)
    left = len(standing.waiting) - refused
    counts = [
        f"{counted(left, 'change')} to send" if left else "",
        f"{refused} refused by the server" if refused else "",
    ]
    waiting = ", ".join(filter(None, counts)) or "nothing to send"
    words = f"{standing.deal}: {waiting}; copied {standing.pulled_at:%Y-%m-%d %H:%M} UTC from {standing.server}."
    reasons = [f"  Not sent: {op.reason}" for op in standing.refused]
    return "\n".join([words, *([f"  {standing.gone}"] if standing.gone and not reasons else []), *reasons])
