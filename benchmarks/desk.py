"""How fast the main job is: import of a workbook, all tests, one projection, start to first paint.

    python benchmarks/desk.py [--runs 7] [--json]

The real workbook in ../shared is measured where it is present, the demo deal otherwise. Baselines run in the same
process: openpyxl reading the same cells, the tests' slow reference projecting the same loans. Start to first paint is a
new process each time, from its start to the end of the window's first paint.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import openpyxl
from measure import Measure, median_of, once, parser, show

import resources
from clo_desktop.work.desk import Desk, comply_with, project_with
from engine.assumptions import Assumptions

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "mag17" / "mag17_workbook.xlsx"
DEMO = resources.path("demo/harbor-2024-1.xlsx")
CHILD = "--first-paint-since"


def read_with_openpyxl(path: Path) -> None:
    """Every cell of the workbook, as most Python programs would read it."""
    book = openpyxl.load_workbook(path, data_only=True)
    for sheet in book:
        for _ in sheet.iter_rows(values_only=True):
            pass


def main_job(path: Path, name: str, runs: int) -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "bench.clo")
        size = f"{name}, {path.stat().st_size // 1024} KiB"
        imported = median_of(runs, lambda: desk.import_file(path, name))
        naive = median_of(max(1, runs // 2), lambda: read_with_openpyxl(path))
        book = desk.book(name)
        n = len(book.deal.holdings)
        tests = median_of(runs, lambda: comply_with(book))
        first = once(lambda: project_with(book))
        warm = median_of(runs, lambda: project_with(book))
        desk.close()
    dates = len(project_with(book).payment_dates)
    return [
        Measure(f"import the workbook ({size}) and store it", imported, "openpyxl, read only", naive),
        Measure(f"all {len(book.deal.limits)} tests of {n} assets", tests),
        Measure("first projection: kernels from the cache", first),
        Measure(f"one projection warm: {n} loans, {dates} dates", warm, accepted=1000.0),
        Measure("one projection warm, no defaults or prepayments", median_of(runs, lambda: project_with(book, _CALM))),
    ]


_CALM = Assumptions(cdr=0.0, cpr=0.0)


def first_paint(since: float) -> int:
    """In the child: shows the window, prints milliseconds since `since` (monotonic) after its first paint."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from clo_desktop.look import theme
    from clo_desktop.settings import Settings
    from clo_desktop.window import Window
    from clo_desktop.work.session import Session

    app = QApplication([])
    theme.apply(app, "light")
    session = Session()
    window = Window(session, Settings(), lambda settings: None)
    window.show()
    app.processEvents()  # the first paint happens here

    def tell() -> None:
        print((time.monotonic() - since) * 1000.0, flush=True)
        session.close()
        app.quit()

    QTimer.singleShot(0, tell)
    return app.exec()


def start(runs: int) -> Measure:
    taken = []
    for _ in range(runs + 1):
        command = [sys.executable, __file__, CHILD, str(time.monotonic())]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        taken.append(float(output.split()[-1]))
    return Measure("start to first paint (new process)", statistics.median(taken[1:]), accepted=3000.0)


def main() -> int:
    if CHILD in sys.argv:
        return first_paint(float(sys.argv[sys.argv.index(CHILD) + 1]))
    chosen = parser(__doc__).parse_args()
    found = main_job(DEMO, "Harbor 2024-1", chosen.runs)
    if REAL.exists():
        found += main_job(REAL, "MAG17", chosen.runs)
    found.append(start(max(3, chosen.runs // 2)))
    return show(found, as_json=chosen.json, runs=chosen.runs)


if __name__ == "__main__":
    sys.exit(main())
