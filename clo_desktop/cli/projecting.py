"""The verbs about a run: project, explain, report."""

from __future__ import annotations

import argparse
from typing import Any

from clo_desktop.cli.arguments import add_assumptions, assumptions, date
from clo_desktop.cli.common import Add, Answer, add_target, check_target, open_desk, patience
from clo_desktop.faults import Refused


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    project = add("project", _project, "Project a deal's cash flows through its priority of payments.")
    add_assumptions(project)
    project.add_argument("--waterfall", metavar="NAME", help="through this waterfall instead of the deal's")

    explain = add("explain", _explain, "Explain a payment: the steps and tests that led to it.")
    add_assumptions(explain)
    explain.add_argument("--date", type=date, required=True, metavar="DATE", help="the payment date")
    explain.add_argument(
        "--class", dest="class_name", required=True, metavar="CLASS", help="the class, e.g. A-1, or a fee by name"
    )

    report = add("report", _report, "Write a deal's results (tests, cash flows) as an Excel report.")
    add_target(report, "the .xlsx to write")
    add_assumptions(report)


def _project(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    done = _projected(options, options.waterfall)
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


def _report(options: argparse.Namespace) -> Answer:
    desk = open_desk(options)
    check_target(options, options.file)
    with patience():
        desk.report_file(options.deal, options.file, assumptions(options), curve=options.curve)
    data = {"deal": options.deal, "file": str(options.file)}
    return Answer(data, f"The report of {options.deal} was written to {options.file}.")


def _projected(options: argparse.Namespace, waterfall: str | None = None) -> Any:
    with patience():
        return open_desk(options).project(options.deal, assumptions(options), curve=options.curve, waterfall=waterfall)
