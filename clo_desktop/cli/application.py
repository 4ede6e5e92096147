"""The verbs of the application itself: run, warm, validate."""

from __future__ import annotations

import argparse
from pathlib import Path

from clo_desktop.cli.common import Add, Answer, patience


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    run = add("run", _run, "Open the window (or, without a display, do the demo's whole job and write it to out/).")
    run.add_argument("--offscreen", action="store_true", help="no window: summary, report and a picture of every pane")
    run.add_argument("--out", type=Path, default=Path("out"), help="folder for report and pictures (default: out)")
    run.add_argument("--encrypt", action="store_true", help="a workspace that is made anew is encrypted")

    add("warm", _warm, "Compile the engine's kernels into the cache (the window does it by itself).")

    check = add("validate", _validate, "Run worked cases against the engine and print every figure.")
    check.add_argument("file", type=Path, metavar="FILE", nargs="?", help="the cases, as JSON (default: the own pack)")


def _run(options: argparse.Namespace) -> int:
    from clo_desktop import app

    return (
        app.run_offscreen(options.out, options.db)
        if options.offscreen
        else app.run_window(options.db, encrypt=options.encrypt)
    )


def _warm(options: argparse.Namespace) -> Answer:
    from clo_desktop.work.warmth import warm_here

    warm_here()
    return Answer({"warm": True}, "The engine is compiled.")


def _validate(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import validation

    with patience():
        done = validation.validate_file(options.file)
    data, words = validation.plain(done), validation.text(done)
    if done.sentence is None:
        return Answer(data, words)
    return Answer({**data, "error": {"code": "validation", "message": done.sentence}}, words, complaint=done.sentence)
