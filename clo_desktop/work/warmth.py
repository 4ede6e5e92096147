"""Kernels are made ready without holding up the window.

Compiling holds Python's lock for a tenth of a second at a time, so a child process compiles into the shared cache and
this process only loads. Where no child can be started, the kernels compile here.
"""

from __future__ import annotations

import datetime as dt
import gc
import subprocess
import sys
import time
from typing import Final

from clo_desktop.faults import Cancelled
from clo_desktop.progress import Progress

_LOOK: Final = 0.05  # seconds between looks at the child
_USUAL: Final = 30.0  # seconds a first compilation takes on two cores; only the progress bar believes it


def warm_up(report: Progress) -> None:
    """Compiles every kernel in a child process (or finds them compiled), then loads them here."""
    report(0.0, "Preparing the engine")
    command = (
        [sys.executable, "warm"] if getattr(sys, "frozen", False) else [sys.executable, "-m", "clo_desktop", "warm"]
    )
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        child = None
    started = time.monotonic()
    while child is not None and child.poll() is None:
        try:
            report(min(0.95, (time.monotonic() - started) / _USUAL), "Preparing the engine (once after installation)")
        except Cancelled:
            child.terminate()
            child.wait()
            raise
        time.sleep(_LOOK)
    warm_here()
    report(1.0, "The engine is ready")


def warm_here() -> None:
    """Compiles or loads every kernel in this process, and imports what the first result would import."""
    from engine import study, trades, valuation
    from engine.valuation import discounting
    from resources import library

    library.catalogue()
    library.waterfalls()
    library.assumed_terms()
    study.warm_up()
    discounting.warm_up()
    trades.warm_up()
    valuation.xirr((dt.date(2024, 1, 1), dt.date(2025, 1, 1)), (-1.0, 1.1))
    # what is loaded now stays: the collector need not look through it again, which holds the window up by a third of a
    # second each time
    gc.freeze()
