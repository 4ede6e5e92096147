"""How fast scenarios of a whole deal are studied: grids, break-evens, surfaces, leave-one-out, a step of a slider.

    python benchmarks/scenarios.py [--runs 7] [--json]

The deal is the one that ships with the application (250 assets, seven classes of notes, nine coverage tests), read and
made ready before; kernels are compiled. Beside each study stands the same done one by one with full runs, on a sample
and scaled. The slider is that of the Scenarios pane in a window without a screen: from the step to painted charts, the
median of its steps; studies are the least of several runs.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import clo_desktop  # noqa: F401  # before numba: the same compiled kernels as the application
import resources
from benchmarks.measure import Measure, once, parser, show
from clo_desktop.dialogs.porter import DEMO_DEAL, DEMO_FILE
from clo_desktop.work.desk import Desk
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.breakeven import break_even, class_ids
from engine.studies.grid import grid, scenarios
from engine.studies.leave_out import leave_out
from engine.studies.measures import measure
from engine.studies.parameters import axis
from engine.studies.pricing import price_grid
from engine.studies.surface import surface
from engine.studies.tornado import tornado
from engine.valuation.alternatives import Action, Offer, alternatives
from engine.valuation.note import Style

BASE = Assumptions()
STEPS = 25
"""Steps of the slider."""


def least_of(runs: int, work: Callable[[], Any]) -> float:
    """Least of several runs, milliseconds, after one that does not count: other work of the machine stays out of it."""
    work()
    return min(once(work) for _ in range(runs))


def studies(model: Model, runs: int) -> list[Measure]:
    """Each study, beside full runs of the model one by one."""
    axes = (axis("cdr=0:0.2:40"), axis("severity=0.2:0.8:25"))
    wanted = [measure(model, name) for name in ("irr:SUB", *(f"paid:{c}" for c in class_ids(model)))]
    cases = scenarios(model, BASE, axes)
    sample = cases[::50]
    one_by_one = least_of(3, lambda: [model.run(case).equity_irr for case in sample]) / len(sample)

    def bisected() -> None:
        for k, _ in enumerate(class_ids(model)[:-1]):
            low, high = 0.0, 1.0
            for _ in range(20):
                middle = 0.5 * (low + high)
                r = model.run(replace(BASE, cdr=middle)).result
                low, high = (low, middle) if r.balance[-1, k] + r.deferred[-1, k] > 1.0 else (middle, high)

    def row(what: str, work: Callable[[], Any], count: int, accepted: float | None) -> Measure:
        return Measure(what, least_of(runs, work), "full runs", one_by_one * count, accepted=accepted)

    x, y = axis("severity=0.2:0.8:20"), axis("cpr=0:0.4:20")
    losses = [measure(model, f"loss:{c}") for c in class_ids(model)[:-1]]
    table = (axis("cdr=0:0.3:20"), axis("recovery=0.2:0.8:20"))
    n = len(model.pool.assets)
    offer = Offer((("A-1", 0.0115), ("B", 0.016)), fixed=1.5e6, non_call=12)
    return [
        row("1,000 scenarios: totals of all classes", lambda: model.totals(cases, threads=2), len(cases), 20.0),
        row(
            "the same on one thread, as a grid with equity IRR",
            lambda: grid(model, BASE, axes, wanted, threads=1),
            len(cases),
            None,  # the goal is the machine's, with both its cores
        ),
        row(
            "1,000 scenarios as a grid: all classes and equity IRR",
            lambda: grid(model, BASE, axes, wanted),
            len(cases),
            20.0,
        ),
        row(
            "the same with every coverage test",
            lambda: grid(model, BASE, axes, [measure(model, "cushion:OC_E")]),
            len(cases),
            25.0,
        ),
        Measure(
            "break-even default rate of 7 classes, 0.01 bp",
            least_of(runs, lambda: break_even(model, BASE)),
            "bisection, full runs",
            least_of(1, bisected),
            accepted=50.0,
        ),
        row("20 x 20 x 7: losses over CDR x recovery", lambda: grid(model, BASE, table, losses), 400, 1000.0),
        row("20 x 20 x 7: break-even CDR, 1 bp", lambda: surface(model, BASE, x, y), 400 * 7 * 14, 1000.0),
        row(f"leave-one-out IRR of {n} assets", lambda: leave_out(model, BASE).irr, n, 1000.0),
        row(
            "11 x 9 x 7: margins of 7 classes at prices over CDR",
            lambda: price_grid(model, BASE, axis("cdr=0:0.2:9"), Style.MARGIN, [95.0 + k for k in range(11)]),
            9,
            200.0,
        ),
        Measure(
            "refinancing on every date, with break-even margins",
            least_of(2, lambda: alternatives(model, BASE, {Action.REFINANCE: offer})),
            accepted=5000.0,
        ),
        row("tornado of 8 parameters", lambda: tornado(model, BASE, wanted[:1]), 17, 100.0),
    ]


def slider(where: Path, runs: int) -> Measure:
    """A step of the default rate's slider to painted charts, in the window."""
    from PySide6.QtWidgets import QApplication

    from clo_desktop.app import leave_clipboard
    from clo_desktop.look import theme
    from clo_desktop.settings import Settings
    from clo_desktop.window import Window
    from clo_desktop.work.session import Session

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.apply(app, "light")
    session = Session()
    window = Window(session, Settings(theme="light"), lambda _settings: None)
    window.show()
    session.open(where, lambda: session.choose(DEMO_DEAL))
    pane = window.scenarios

    def settle(ready: Callable[[], bool]) -> None:
        until = time.perf_counter() + 60.0
        while not ready() and time.perf_counter() < until:
            app.processEvents()
            time.sleep(0.001)
        app.processEvents()

    settle(lambda: session.projection is not None and session.lanes.idle and window.cash_flows.filled)
    window.go_to("scenarios")
    settle(lambda: pane.idle and session.lanes.idle)
    steps = pane.levers.levers["cdr"].slider

    def step(at: int) -> None:
        steps.setValue(at)
        settle(lambda: pane.idle)

    times = [once(lambda at=at: step(at)) for _ in range(max(1, runs // 4)) for at in range(20, 20 + STEPS)]
    window.close()
    session.close()
    leave_clipboard()
    return Measure("a step of a slider to painted charts", statistics.median(times), accepted=100.0)


def main() -> int:
    chosen = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "bench.clo"
        desk = Desk(where)
        desk.import_file(resources.path(DEMO_FILE), DEMO_DEAL)
        with desk.ready(DEMO_DEAL) as model:
            found = studies(model, chosen.runs)
        desk.close()
        found.append(slider(where, chosen.runs))
    return show(found, as_json=chosen.json, runs=chosen.runs)


if __name__ == "__main__":
    sys.exit(main())
