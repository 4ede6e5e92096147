"""An edit in one window on a shared server: how long until it is saved, and until another window shows it.

    python benchmarks/two_windows.py [--runs 7] [--json]

Both windows are of one process here, so that they share its two threads of work as they would not on two computers. The
baseline of what the other window adds is the save itself. PostgreSQL is a private server that is stopped at the end.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from measure import Measure, parser, show
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

import resources
from clo_desktop import paths
from clo_desktop.dialogs.porter import DEMO_DEAL, DEMO_FILE
from clo_desktop.settings import Settings
from clo_desktop.store.connection import address
from clo_desktop.store.passwords import hashed
from clo_desktop.store.server.init import initialise, verifier_of
from clo_desktop.store.server.signing import SignIn
from clo_desktop.window import Window
from clo_desktop.work.desk import Desk
from clo_desktop.work.session import Session
from clo_desktop.work.warmth import warm_here
from tests.store import postgres

ACCEPTED = 1000.0
"""Milliseconds until the other window shows an edit."""
PERSON, PASSWORD = "eve@desk.example", "staple-battery-correct"
PATIENCE = 60.0  # seconds for anything


def wait(until: Callable[[], bool]) -> None:
    """Runs the event loop until something holds."""
    end = time.perf_counter() + PATIENCE
    while not until():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        time.sleep(0.001)
        if time.perf_counter() > end:
            raise SystemExit("Nothing came for a minute.")


def entered(where: str) -> Window:
    """A window that is signed in, with the demo deal open and its price column in sight."""
    window = Window(Session(), Settings(theme="light"), lambda _settings: None)
    window.resize(1600, 900)
    window.show()
    session = window.session
    session.seat.sign_in(SignIn.of(where), lambda: session.choose(DEMO_DEAL), lambda why: sys.exit(str(why)))
    wait(lambda: session.deal == DEMO_DEAL and session.lanes.idle and session.projection is not None)
    window.go_to("collateral")
    table = window.collateral.table
    table.show_set("All")
    table.grid.set_current(table.model.index(0, table.frame.index["market_value"]))
    return window


def cell(window: Window) -> float:
    """The price that the first row shows."""
    table = window.collateral.table
    return float(table.frame.value(0, table.frame.index["market_value"]))


def measured(first: Window, second: Window, runs: int) -> tuple[float, float]:
    """Medians in milliseconds: until the edit is saved, and until the other window's cell shows it."""
    saved, shown = [], []
    stored: list[float] = []
    first.session.edited.connect(lambda _book: stored.append(time.perf_counter()))
    for run in range(runs + 1):
        price = 80.0 + run * 0.125
        stored.clear()
        begun = time.perf_counter()
        first.collateral.editing.paste(f"{price:.3f}")
        wait(lambda price=price: bool(stored) and cell(second) == price)
        if run:  # the first does not count
            saved.append((stored[0] - begun) * 1000.0)
            shown.append((time.perf_counter() - begun) * 1000.0)
        wait(lambda: first.session.lanes.idle and second.session.lanes.idle)
    return statistics.median(saved), statistics.median(shown)


def main() -> int:
    options = parser(__doc__).parse_args()
    if postgres.programs() is None:
        print(postgres.ABSENT, file=sys.stderr)
        return 0
    application = QApplication.instance() or QApplication([sys.argv[0]])
    assert application is not None
    warm_here()
    with tempfile.TemporaryDirectory() as name:
        os.environ[paths.HOME_VARIABLE] = str(Path(name) / "home")
        Path(name).chmod(0o711)  # the server is another user's where this is the system's administrator
        cluster = postgres.Cluster(Path(name) / "cluster", {"fsync": "on"})
        cluster.make()
        cluster.start()
        try:
            where = served(cluster)
            first, second = entered(where), entered(where)
            saved, shown = measured(first, second, options.runs)
            for window in (first, second):
                window.close()
        finally:
            cluster.stop("immediate")
    found = [
        Measure("edit saved on the server, window refreshed", saved),
        Measure("the same edit shown in another window", shown, "saved", saved, accepted=ACCEPTED),
    ]
    return show(found, as_json=options.json)


def served(cluster: postgres.Cluster) -> str:
    """The address of a database with the demo deal, for an administrator of it."""
    cluster.create("desk")
    initialise(address(cluster.address("desk")))
    with cluster.connect("desk") as on:
        verifier = verifier_of(on, PERSON, PASSWORD)
        hashed_password = hashed(PASSWORD, 10)
        on.execute("SELECT sec.put_person(%s, %s, %s, %s, %s)", (PERSON, "Eve", "admin", verifier, hashed_password))
    where = cluster.address("desk", PERSON, PASSWORD)
    desk = Desk(where)
    assert desk.import_file(resources.path(DEMO_FILE), DEMO_DEAL).imported
    desk.close()
    return where


if __name__ == "__main__":
    sys.exit(main())
