"""The verb about the audit: verify, list, history, export."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clo_desktop.cli.common import Add, Answer, add_force, check_target, open_desk
from clo_desktop.faults import Refused
from clo_desktop.figures import counted

if TYPE_CHECKING:
    from clo_desktop.store.audit.lines import Wanted


def add_verbs(add: Add) -> None:
    """The options of each part of the verb."""
    audit = add("audit", _audit, "Say who changed what and when, and check that nothing was tampered with.")
    audit.add_argument(
        "what",
        choices=list(_PARTS),
        help="list: the changes, the newest first; history: every value that the columns of an asset had (needs "
        "--asset); export: write the changes to FILE; verify: check that nothing was tampered with (exit code 1 "
        "if something was)",
    )
    audit.add_argument("file", type=Path, nargs="?", metavar="FILE", help="with export: where to write, .csv or .json")
    add_force(audit)
    audit.add_argument("--user", metavar="NAME", help="changes by this person")
    audit.add_argument("--deal", metavar="NAME", help="changes of this deal")
    audit.add_argument("--table", metavar="NAME", help="changes of this table: holdings, assets, test_limits, ...")
    audit.add_argument("--asset", metavar="ID", help="changes of this asset and of its positions in deals")
    audit.add_argument("--field", metavar="NAME", help="changes of this column, e.g. par")
    audit.add_argument("--since", type=_moment, metavar="DATE", help="from this day on: 2026-11-25 or 2026-11-25T14:30")
    audit.add_argument("--until", type=_moment, metavar="DATE", help="before this day, which is not included")
    audit.add_argument(
        "--limit", type=_count, default=100, metavar="N", help="with list: no more lines than this (default: 100)"
    )
    audit.add_argument(
        "--trust",
        action="store_true",
        help="with verify: accept the end of the audit as it is now, after a backup was restored on purpose",
    )


def _count(text: str) -> int:
    if text.strip().isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of lines; write 1 or more (an export has all)")


def _moment(text: str) -> dt.datetime:
    from clo_desktop.work.auditing import day

    try:
        return day(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-11-25 or 2026-11-25T14:30") from None


def _audit(options: argparse.Namespace) -> Answer:
    return _PARTS[options.what](options)


def _wanted(options: argparse.Namespace) -> Wanted:
    from clo_desktop.store.audit.lines import Wanted

    return Wanted(
        user=options.user,
        deal=options.deal,
        table=options.table,
        asset=options.asset,
        field=options.field,
        since=options.since,
        until=options.until,
    )


def _verify(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import auditing

    trail = open_desk(options).store.audit
    verdict = trail.verify(_said)
    if options.trust and verdict.head is not None:
        trail.trust(verdict.head)
    return Answer(auditing.verdict_plain(verdict), auditing.verdict_text(verdict), auditing.complaint(verdict))


def _said(part: float, text: str) -> None:
    """Progress, for a person at a terminal."""
    if sys.stderr.isatty():
        print(f"\r{part:4.0%} {text:<40}", end="" if part < 1.0 else "\n", file=sys.stderr, flush=True)


def _list(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import auditing

    trail, wanted = open_desk(options).store.audit, _wanted(options)
    found = trail.lines(wanted, limit=options.limit)
    total = trail.count(wanted)
    data = {"total": total, "lines": [auditing.plain(line) for line in found]}
    return Answer(data, auditing.listing(auditing.named(trail, found), total))


def _history(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import auditing

    if not options.asset:
        raise Refused("Say whose history: clo audit history --deal NAME --asset ID [--field par].", code="usage")
    found = auditing.history(open_desk(options).store.audit, options.deal, options.asset, options.field)
    data: list[dict[str, Any]] = [
        {
            "timestamp": s.line.timestamp.isoformat(),
            "user": s.line.user,
            "action": s.line.action,
            "resource_type": s.line.resource_type,
            "resource_id": s.line.resource_id,
            "field": s.field,
            "before": s.before,
            "after": s.after,
            "seq": s.line.seq,
        }
        for s in found
    ]
    return Answer(data, auditing.history_text(found))


def _export(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import auditing

    if options.file is None:
        raise Refused("Say where to: clo audit export FILE.csv or FILE.json.", code="usage")
    check_target(options, *auditing.export_files(options.file))
    count = auditing.export(open_desk(options).store.audit, options.file, _wanted(options))
    return Answer(
        {"file": str(options.file), "lines": count},
        f"{counted(count, 'line')} of the audit {'was' if count == 1 else 'were'} written to {options.file}.",
    )


_PARTS = {"verify": _verify, "list": _list, "history": _history, "export": _export}
