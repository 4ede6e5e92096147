"""The command line: the services of the window without a window.

A file of this package holds the verbs of one subject: the options of each, and what it does. A new verb is added in the
file of its subject; a new subject in VERBS. Exit codes: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong
usage.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from clo_desktop import __version__
from clo_desktop.cli import (
    application,
    audit,
    compliance,
    deals,
    former,
    health,
    history,
    packs,
    projecting,
    refinancing,
    scenarios,
    server,
    studies,
    sync,
    tables,
    trading,
    users,
    valuing,
    waterfalls,
    workspace,
)
from clo_desktop.cli.common import DONE, FAILED, USAGE, Add, Answer, Verb, close_desks
from clo_desktop.faults import Fault, Refused

__all__ = ["DONE", "FAILED", "USAGE", "Answer", "main"]

VERBS: Final[Sequence[Callable[[Add], None]]] = (
    application.add_verbs,
    deals.add_verbs,
    workspace.add_verbs,
    waterfalls.add_verbs,
    compliance.add_verbs,
    trading.add_verbs,
    history.add_verbs,
    projecting.add_verbs,
    scenarios.add_verbs,
    former.add_verbs,
    health.add_verbs,
    packs.add_verbs,
    studies.add_verbs,
    tables.add_verbs,
    valuing.add_verbs,
    server.add_verbs,
    users.add_verbs,
    refinancing.add_verbs,
    audit.add_verbs,
    sync.add_verbs,
)
"""What adds the verbs of each subject, in the order of the help."""


def main(arguments: Sequence[str]) -> int:
    """Parses and runs one command. Returns the exit code; never shows a traceback for what a user did."""
    parser = _parser()
    try:
        options = parser.parse_args(_joined(arguments) or ["run"])
    except SystemExit as stop:  # argparse has printed what is wrong
        return int(stop.code or 0)
    try:
        return _tell(options, options.verb(options))
    except Refused as refused:
        from clo_desktop import log

        log.note_refused(refused)
        return _failed(options, refused.message, refused.code, refused.faults)
    except KeyboardInterrupt:
        return _failed(options, "Stopped; nothing was changed.", "cancelled")
    except BrokenPipeError:  # the reader of a pipe went away
        sys.stderr.close()
        return FAILED
    except Exception as error:
        from clo_desktop import log

        log.set_up(verbose=False, terminal=False)  # the terminal gets one sentence
        import logging

        logging.getLogger(__name__).exception("the command failed")
        return _failed(options, f"An internal error: {error!r}. The log has the details: {log.log_file()}.", "internal")
    finally:
        close_desks()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clo",
        description="Management of collateralized loan obligations: the services of CLO Desktop without its window.",
        epilog="Rates are yearly fractions or percentages: 0.02 and 2% are the same. `clo COMMAND --help` says more.",
    )
    parser.add_argument("--version", action="version", version=f"CLO Desktop {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--db", metavar="FILE|URL", help="the store (default: your workspace file)")
    shared.add_argument(
        "--key-file", type=Path, metavar="FILE", help="holds the passphrase or recovery key of an encrypted workspace"
    )
    shared.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, verb: Verb, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, parents=[shared], help=text, description=text)
        made.set_defaults(verb=verb)
        return made

    for add_verbs in VERBS:
        add_verbs(add)
    return parser


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--shift -1%` as `--shift=-1%`: argparse would take a negative percentage for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1].startswith("--") and re.fullmatch(r"-[\d.]+%?", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _tell(options: argparse.Namespace, answer: Answer | int) -> int:
    """Prints an answer; the exit code (a verb that printed by itself gives its own)."""
    if isinstance(answer, int):
        return answer
    if options.json:
        _print_json(answer.data)
    elif answer.words:
        print(answer.words)
    if answer.complaint:
        print(answer.complaint, file=sys.stderr)
    return FAILED if answer.complaint else DONE


def _failed(options: argparse.Namespace, sentence: str, code: str, faults: Sequence[Fault] = ()) -> int:
    """Says why; where several things are wrong each has a line, or with --json an entry."""
    told = faults if len(faults) > 1 else ()
    print("\n".join((sentence, *(fault.words for fault in told))), file=sys.stderr)
    if options.json:
        each = {"faults": [fault.as_json() for fault in told]} if told else {}
        _print_json({"error": {"code": code, "message": sentence, **each}})
    return FAILED


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
