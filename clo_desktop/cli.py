"""The command line: the services of the window without a window.

Exit codes: 0 done, 1 refused or failed (one sentence on stderr), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clo_desktop import __version__
from clo_desktop.faults import Refused

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2

_NEGATIVE_PERCENTAGE: Final = re.compile(r"-[\d.]+%")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says: as data for --json, in words otherwise; a complaint on stderr means that it failed."""

    data: Any
    words: str
    complaint: str = ""


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
        return _failed(options, refused.message, refused.code)
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


def _failed(options: argparse.Namespace, sentence: str, code: str) -> int:
    print(sentence, file=sys.stderr)
    if options.json:
        _print_json({"error": {"code": code, "message": sentence}})
    return FAILED


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


# --- arguments ---------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clo",
        description="Management of collateralized loan obligations: the services of CLO Desktop without its window.",
        epilog="Rates are yearly fractions or percentages: 0.02 and 2% are the same. `clo COMMAND --help` says more.",
    )
    parser.add_argument("--version", action="version", version=f"CLO Desktop {__version__}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--db", metavar="FILE|URL", help="the store (default: your workspace file)")
    shared.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, verb: Any, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, parents=[shared], help=text, description=text)
        made.set_defaults(verb=verb)
        return made

    run = add("run", _run, "Open the window (or, without a display, do the demo's whole job and write it to out/).")
    run.add_argument("--offscreen", action="store_true", help="no window: summary, report and a picture of every pane")
    run.add_argument("--out", type=Path, default=Path("out"), help="folder for report and pictures (default: out)")

    add("warm", _warm, "Compile the engine's kernels into the cache (the window does it by itself).")

    add("deals", _deals, "List the deals of the store.")

    load = add("import", _import, "Import a deal from a workbook; a deal of that name is replaced.")
    load.add_argument("file", type=Path, metavar="FILE", help="the .xlsx workbook")
    load.add_argument("--deal", required=True, metavar="NAME", help="the deal's name")

    save = add("export", _export, "Export a deal to a workbook of the same layout.")
    save.add_argument("file", type=Path, metavar="FILE", help="the .xlsx to write")
    save.add_argument("--deal", required=True, metavar="NAME")

    comply = add("compliance", _compliance, "Evaluate every test of a deal.")
    comply.add_argument("--deal", required=True, metavar="NAME")

    project = add("project", _project, "Project a deal's cash flows through its priority of payments.")
    _add_assumptions(project)

    explain = add("explain", _explain, "Explain a payment: the steps and tests that led to it.")
    _add_assumptions(explain)
    explain.add_argument("--date", type=_date, required=True, metavar="DATE", help="the payment date")
    explain.add_argument("--class", dest="class_name", required=True, metavar="CLASS", help="the class, e.g. A-1")

    waterfall = add("waterfall", _waterfall, "Print a deal's priority of payments as a numbered list.")
    waterfall.add_argument("--deal", required=True, metavar="NAME")

    report = add("report", _report, "Write a deal's results (tests, cash flows) as an Excel report.")
    report.add_argument("file", type=Path, metavar="FILE")
    _add_assumptions(report)

    check = add("validate", _validate, "Run worked cases against the engine and print every figure.")
    check.add_argument("file", type=Path, metavar="FILE", nargs="?", help="the cases, as JSON (default: the own pack)")

    delete = add("delete", _delete, "Delete a deal from the store; its assets stay in the master.")
    delete.add_argument("--deal", required=True, metavar="NAME")
    return parser


def _add_assumptions(project: argparse.ArgumentParser) -> None:
    """The deal and what its projection assumes."""
    project.add_argument("--deal", required=True, metavar="NAME")
    for name, text in (
        ("cdr", "default rate of the collateral, a year"),
        ("cpr", "prepayment rate of the collateral, a year"),
        ("severity", "loss share of a default"),
    ):
        project.add_argument(f"--{name}", type=_rate, metavar="RATE", help=text)
    project.add_argument("--lag", type=float, metavar="MONTHS", help="months from default to recovery")
    project.add_argument("--shift", type=_rate, default=0.0, metavar="RATE", help="parallel shift of the curve")
    project.add_argument("--sale-price", type=float, metavar="PRICE", help="of the pool at redemption, %% of par")
    project.add_argument("--call", type=_date, metavar="DATE", help="redeem on the first payment date from then on")
    project.add_argument("--no-reinvest", action="store_true", help="all principal to the notes")
    project.add_argument("--curve", type=Path, metavar="CSV", help="zero curve: columns tenor_months, rate")


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--shift -1%` as `--shift=-1%`: argparse would take a negative percentage for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1].startswith("--") and re.fullmatch(r"-[\d.]+%?", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _rate(text: str) -> float:
    """0.02 or 2%."""
    trimmed = text.strip()
    try:
        return float(trimmed[:-1]) / 100.0 if trimmed.endswith("%") else float(trimmed)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate; write 0.02 or 2%") from None


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2027-04-15") from None


# --- commands ----------------------------------------------------------------------------------------------------


def _desk(options: argparse.Namespace, *, may_make: bool = False) -> Any:
    """The desk on the store that was named; only an import makes a new workspace file."""
    from clo_desktop.paths import default_workspace
    from clo_desktop.work.desk import Desk

    if getattr(options, "deal", None):
        options.deal = options.deal.strip()
    if options.db and "://" not in options.db and not may_make and not Path(options.db).exists():
        raise Refused(f"There is no workspace {options.db}; `clo import` makes one, or check the name.", code="store")
    return Desk(options.db or default_workspace())


@contextmanager
def _patience() -> Iterator[None]:
    """Says on stderr why it takes long, when the kernels have to be compiled."""
    words = "Compiling the engine, once after installation: about half a minute …"
    timer = threading.Timer(3.0, lambda: print(words, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run(options: argparse.Namespace) -> int:
    from clo_desktop import app

    return app.run_offscreen(options.out, options.db) if options.offscreen else app.run_window(options.db)


def _warm(options: argparse.Namespace) -> Answer:
    from clo_desktop.work.warmth import warm_here

    warm_here()
    return Answer({"warm": True}, "The engine is compiled.")


def _deals(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    deals = _desk(options).deals()
    return Answer(plain.deals(deals), summary.deals(deals))


def _import(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    outcome = _desk(options, may_make=True).import_file(options.file, options.deal)
    data, words = plain.imported(outcome), summary.imported(outcome)
    if outcome.imported:
        return Answer(data, words)
    sentence = summary.refused_import(outcome)
    return Answer({**data, "error": {"code": "faults", "message": sentence}}, words, complaint=sentence)


def _export(options: argparse.Namespace) -> Answer:
    _desk(options).export_file(options.deal, options.file)
    return Answer({"deal": options.deal, "file": str(options.file)}, f"{options.deal} was written to {options.file}.")


def _compliance(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    done = _desk(options).comply(options.deal)
    return Answer(plain.compliance(done), summary.compliance(done))


def _assumptions(options: argparse.Namespace) -> Any:
    from engine.assumptions import Assumptions

    try:
        return Assumptions(
            cpr=options.cpr,
            cdr=options.cdr,
            severity=options.severity,
            lag=options.lag,
            sale_price=options.sale_price,
            rate_shift=options.shift,
            call_date=options.call,
            reinvest=not options.no_reinvest,
        )
    except ValueError as error:
        raise Refused(str(error), code="assumptions") from error


def _projected(options: argparse.Namespace) -> Any:
    with _patience():
        return _desk(options).project(options.deal, _assumptions(options), curve=options.curve)


def _project(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    done = _projected(options)
    return Answer(plain.projection(done), summary.projection(done))


def _explain(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary
    from engine.waterfall.trace import explain

    done = _projected(options)
    try:
        trace = explain(done, options.date, options.class_name)
    except ValueError as error:
        raise Refused(str(error), code="explain") from error
    return Answer(plain.trace(trace), summary.trace(trace))


def _waterfall(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain
    from engine.waterfall.listing import listing

    document = _desk(options).waterfall(options.deal)
    return Answer(plain.waterfall(options.deal, document), listing(document))


def _report(options: argparse.Namespace) -> Answer:
    desk = _desk(options)
    with _patience():
        desk.report_file(options.deal, options.file, _assumptions(options), curve=options.curve)
    data = {"deal": options.deal, "file": str(options.file)}
    return Answer(data, f"The report of {options.deal} was written to {options.file}.")


def _validate(options: argparse.Namespace) -> int:
    from clo_desktop.work import validation

    with _patience():
        done = validation.validate_file(options.file)
    sentence = done.sentence
    if options.json:
        data = validation.plain(done)
        if sentence is not None:
            data["error"] = {"code": "validation", "message": sentence}
        _print_json(data)
        options.printed = True
    else:
        print(validation.text(done))
    if sentence is not None:
        print(sentence, file=sys.stderr)
        return FAILED
    return DONE


def _delete(options: argparse.Namespace) -> Answer:
    _desk(options).delete(options.deal)
    return Answer({"deleted": options.deal}, f"{options.deal} was deleted; its assets stay in the master.")
