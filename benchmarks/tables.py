"""How fast a table of 100,000 rows and 30 columns sorts, filters and paints, beside pandas and plain Python.

    python benchmarks/tables.py [--rows 100000] [--runs 7] [--json]

Medians of several runs. Accepted: sort and filter each under 100 ms; the exit code is 1 where they are not.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from measure import Measure, median_of, parser, show
from PySide6.QtWidgets import QApplication

from clo_desktop.look import theme
from clo_desktop.tables import query
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.model import FrameModel, SortKey
from clo_desktop.tables.view import FrameTable
from engine import ratings
from engine.asset import Kind

ACCEPTED = 100.0  # ms


def data(rows: int) -> tuple[list[Column], dict[str, Any]]:
    """30 columns: identifier, texts, ratings, dates, flags and 15 of numbers, a twentieth of each missing."""
    random = np.random.default_rng(17)
    columns = [Column("id", "Asset", Kind.ID)]
    values: dict[str, Any] = {"id": [f"LX{i:06d}" for i in random.permutation(rows)]}

    def pick(name: str, kind: Kind, choices: list[Any]) -> None:
        columns.append(Column(name, name.capitalize(), kind))
        values[name] = [choices[i] for i in random.integers(0, len(choices), rows)]

    pick("issuer", Kind.TEXT, [f"Issuer {i} Holdings" for i in range(rows // 3)])
    for i in range(5):
        pick(f"text{i}", Kind.TEXT, [None, *(f"Industry {j}" for j in range(35))])
    for i in range(3):
        pick(f"rating{i}", Kind.MOODYS, [None, "NR", *ratings.MOODYS])
    for i in range(3):
        pick(f"flag{i}", Kind.FLAG, [True, False, False, None])
    for i in range(2):
        columns.append(Column(f"date{i}", f"Date {i}", Kind.DATE))
        values[f"date{i}"] = np.datetime64("2025-01-01") + random.integers(0, 3000, rows).astype("timedelta64[D]")
    for i in range(15):
        kind = (Kind.MONEY, Kind.RATE, Kind.PRICE)[i % 3]
        columns.append(Column(f"number{i}", f"Number {i}", kind))
        column = random.random(rows) * (5e6, 0.06, 100.0)[i % 3]
        column[random.random(rows) < 0.05] = np.nan
        values[f"number{i}"] = column
    return columns, values


def measure(rows: int, runs: int) -> list[Measure]:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.apply(app, "light")
    columns, values = data(rows)
    begun = time.perf_counter()
    frame = Frame(columns, values, key="id", weight="number0", currency="USD")
    built = (time.perf_counter() - begun) * 1000.0
    pandas = pd.DataFrame({c.name: values[c.name] for c in columns})
    model = FrameModel(frame)
    found = [Measure(f"make the frame ({rows:,} x {len(columns)}; once, off the window's thread)", built)]

    def sort(*keys: SortKey) -> float:
        return median_of(runs, lambda: model.set_sort(keys))

    def pandas_sort(*names: str) -> float:
        part = pandas[list(names)]
        return median_of(runs, lambda: part.sort_values(list(names), kind="stable").index.to_numpy())

    plain = median_of(
        max(1, runs // 3),
        lambda: sorted(range(rows), key=values["id"].__getitem__),
    )
    found += [
        Measure("sort by a number", sort(SortKey("number0")), "pandas", pandas_sort("number0"), ACCEPTED),
        Measure("sort by a text", sort(SortKey("issuer")), "pandas", pandas_sort("issuer"), ACCEPTED),
        Measure("sort by the identifier, every one different", sort(SortKey("id")), "plain Python", plain, ACCEPTED),
        Measure("sort by a rating's rank", sort(SortKey("rating0")), accepted=ACCEPTED),
        Measure("sort by a date", sort(SortKey("date0")), "pandas", pandas_sort("date0"), ACCEPTED),
        Measure(
            "sort by three keys",
            sort(SortKey("text0"), SortKey("rating0", True), SortKey("number1")),
            "pandas",
            pandas_sort("text0", "rating0", "number1"),
            ACCEPTED,
        ),
    ]

    def filtered(**typed: str) -> float:
        def once() -> None:
            filters = {name: query.parse(text, frame.column(name)) for name, text in typed.items()}
            model.set_filters({name: shown for name, shown in filters.items() if shown is not None})
            model.set_filters({})

        # on and off again: half of it is one filter
        return median_of(runs, once) / 2.0

    pandas_text = median_of(
        max(1, runs // 3), lambda: np.flatnonzero(pandas["issuer"].str.contains("77 hold", case=False, regex=False))
    )
    pandas_number = median_of(runs, lambda: np.flatnonzero(pandas["number1"] > 0.03))
    found += [
        Measure("filter a number, >3", filtered(number1=">3"), "pandas", pandas_number, ACCEPTED),
        Measure("filter a text, contains", filtered(issuer="77 hold"), "pandas", pandas_text, ACCEPTED),
        Measure("filter ratings, B..Caa", filtered(rating0="B..Caa"), accepted=ACCEPTED),
        Measure(
            "filter four columns at once",
            filtered(number1=">3", issuer="7", rating0="B..Caa", date0="2027..2030"),
            accepted=ACCEPTED,
        ),
    ]
    model.set_sort(())

    begun = time.perf_counter()
    table = FrameTable(frame, name="Benchmark", frozen=2, told=("number0", "number2"))
    table.resize(1600, 900)
    table.show()
    app.processEvents()
    found.append(Measure("first paint of the table", (time.perf_counter() - begun) * 1000.0))
    grid = table.grid

    def scroll() -> None:
        bar = grid.verticalScrollBar()
        bar.setValue((bar.value() + grid.viewport().height()) % bar.maximum())
        app.processEvents()

    def sideways() -> None:
        bar = grid.horizontalScrollBar()
        bar.setValue((bar.value() + 300) % max(1, bar.maximum()))
        app.processEvents()

    turn = iter(range(10_000))

    def sort_shown() -> None:
        table.sort_by(SortKey("number0", bool(next(turn) % 2)))
        app.processEvents()

    def filter_shown() -> None:
        table.set_filter("number1", ">3" if next(turn) % 2 else ">4")
        app.processEvents()

    def select_all() -> None:
        grid.selectAll()
        table.grid.clearSelection()
        app.processEvents()

    found += [
        Measure("scroll by a page, painted", median_of(runs, scroll)),
        Measure("scroll sideways, painted", median_of(runs, sideways)),
        Measure("sort, painted with its totals", median_of(runs, sort_shown), accepted=ACCEPTED),
        Measure("filter, painted with its totals", median_of(runs, filter_shown), accepted=ACCEPTED),
        Measure("select all", median_of(runs, select_all), accepted=ACCEPTED),
    ]
    table.close()
    return found


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    chosen = options.parse_args()
    return show(measure(chosen.rows, chosen.runs), as_json=chosen.json, rows=chosen.rows, runs=chosen.runs)


if __name__ == "__main__":
    sys.exit(main())
