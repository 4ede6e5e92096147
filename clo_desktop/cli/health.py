"""The verb that says whether all is well: health."""

from __future__ import annotations

import argparse
from pathlib import Path

from clo_desktop.cli.common import Add, Answer, open_desk
from clo_desktop.faults import Refused


def add_verbs(add: Add) -> None:
    """The options of the verb."""
    verb = add(
        "health",
        _health,
        "Say whether all is well: store, backup, audit, sign-ins, memory, versions (exit code 1 if not).",
    )
    verb.add_argument(
        "--metrics", type=Path, metavar="FOLDER", help="also write the figures for Prometheus to a file in this folder"
    )


def _health(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import health

    try:
        found = health.look(open_desk(options))
    except Refused as refused:
        if refused.code in ("cancelled", "secret"):
            raise
        found = health.unreachable(options.db or "the workspace", refused)
    if options.metrics is not None:
        health.write_metrics(found, options.metrics)
    bad = [f"{line.name}: {line.says or line.value}" for line in found.lines if line.state == health.BAD]
    return Answer(health.plain(found), health.words(found), complaint="\n".join(bad))
