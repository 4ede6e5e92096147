"""Scenario parameters of the former model as scenarios, from workbook, CSV and SQLite, and the report of the rest."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import openpyxl
import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.work import former_scenarios, scenario_library
from clo_desktop.work.scenario import scenario_of_text
from engine.assumptions import Assumptions, Proxy, RatePath
from engine.loans.vectors import Rule, Vector

ROWS: list[tuple[object, ...]] = [
    ("Mild", "CPR", 0.2, None),
    ("Mild", "CDR", "2%", None),
    ("Mild", "Severity", 0.35, 0),
    ("Mild", "Lag", 12, None),
    ("Mild", "Liquidation Price", 0.97, None),
    ("Hard", "CDR", 0.04, 1),
    ("Hard", "CDR", 0.10, 3),
    ("Hard", "Recovery", 0.4, None),
    ("Hard", "Reinvestment Spread", 0.04, None),
    ("Hard", "Reinvestment Maturity", 72, None),
    ("Hard", "Reinvestment Rating", "CCC+", None),
    ("Hard", "Current LIBOR", 0.03, dt.date(2026, 4, 15)),
    ("Hard", "Call when Quarterly Sub Dist <", 0.01, None),
    ("Hard", "Downgrade", 1, None),
    ("Base", "CPR", 0.1, "M2"),
]
BAD: list[tuple[tuple[object, ...], str]] = [
    (("Mild", "Colour", 1, None), "no such parameter"),
    (("Mild", "CDR", 1.2, None), "not from 0 to 1"),
    (("Mild", "CDR", "RATING", None), "cannot be read"),
    (("Mild", "CPR", 0.1, None), "says this already"),
    (("Mild", "Lag", 12, 3), "cannot change over time"),
    (("Hard", "CDR", 0.2, 3), "twice"),
    (("Hard", "CDR", 0.2, "Y3"), "another length"),
    (("Hard", "CDR", 0.2, "soon"), "is no period"),
    (("Hard", "Reinvestment CDR", 0.2, None), "what reinvestment buys too"),
    (("Hard", "CPR", None, None), "the value is missing"),
    ((None, "CPR", 0.1, None), "needs the name"),
    (("Hard", "Current LIBOR", 0.02, None), "the date from which it holds"),
]


def workbook(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["some words above"])
    sheet = book.create_sheet("MAG Scenarios")
    for row in [("Scenario Name", "Parameter", "Value", "Period"), *rows]:
        sheet.append(row)
    book.save(folder / "former.xlsx")
    return folder / "former.xlsx"


def comma(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    file = folder / "former.csv"
    lines = [",".join("" if v is None else str(v) for v in row) for row in rows]
    file.write_text("name,parameter,value,period\n" + "\n".join(lines), encoding="utf-8")
    return file


def lite(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    file = folder / "former.db"
    with sqlite3.connect(file) as on:
        on.execute("CREATE TABLE other (a, b)")
        on.execute('CREATE TABLE "mag scenarios" (name, parameter, value, period)')
        plain = [[v.isoformat() if isinstance(v, dt.date) else v for v in row] for row in rows]
        on.executemany('INSERT INTO "mag scenarios" VALUES (?, ?, ?, ?)', plain)
    return file


@pytest.mark.parametrize("write", [workbook, comma, lite])
def test_that_every_kind_of_file_gives_the_same_scenarios(write: object, tmp_path: Path) -> None:
    found = former_scenarios.read(write(tmp_path, ROWS))  # type: ignore[operator]
    assert found.missed == ()
    assert found.used == len(ROWS)
    said = {name: scenario_of_text(text, name).assumptions for name, text in found.scenarios}
    assert said == {
        "Mild": Assumptions(cpr=0.2, cdr=0.02, severity=0.35, lag=12.0, sale_price=97.0),
        "Hard": Assumptions(
            severity=0.6,
            call_below=0.01,
            downgrade=1,
            buys=(Proxy(1.0, 0.04, months=72.0, rating="Caa1"),),
            rules=(Rule("", cdr=Vector((0.04, 0.04, 0.10), 0)),),
            rates=RatePath(forwards=((dt.date(2026, 4, 15), 0.03),)),
        ),
        "Base (imported)": Assumptions(rules=(Rule("", cpr=Vector((0.1, 0.1), 1)),)),
    }


def test_that_every_row_that_is_not_understood_is_named_with_its_place_and_reason(tmp_path: Path) -> None:
    found = former_scenarios.read(comma(tmp_path, ROWS + [row for row, _ in BAD]))
    assert found.used == len(ROWS)
    assert [m.row.where for m in found.missed] == [f"line {2 + len(ROWS) + k}" for k in range(len(BAD))]
    for missed, (row, why) in zip(found.missed, BAD, strict=True):
        assert why in missed.why, row
    report = "\n".join(former_scenarios.lines(found))
    assert report.splitlines()[0] == f"former.csv: 3 scenarios of {len(ROWS)} of {len(ROWS) + len(BAD)} rows."
    assert report.count("\n  line ") == len(BAD)


def test_that_files_without_such_a_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").write_text("name,parameter,value\n")
    (tmp_path / "c.db").write_bytes(b"SQLite format 3\0" + b"\1" * 200)
    (tmp_path / "d.csv").write_bytes(b"\xff\xfe\0\0")
    for name, why in (
        ("a.csv", "has no table of scenario parameters"),
        ("b.csv", "no row under them"),
        ("c.db", "is damaged; import a backup of it"),
        ("d.csv", "is no text"),
        ("e.csv", "is not there"),
    ):
        with pytest.raises(Refused, match=why):
            former_scenarios.read(tmp_path / name)


def test_that_what_is_imported_stands_in_the_library_and_a_locked_one_stays(tmp_path: Path) -> None:
    found = former_scenarios.read(comma(tmp_path, ROWS))
    with open_store(tmp_path / "w.clo") as store:
        saved, refused = former_scenarios.save(store, found)
        assert (len(saved), refused) == (3, ())
        store.lock_scenario("Mild", "ann")
        saved, refused = former_scenarios.save(store, found)
        assert len(saved) == 2
        assert "locked by ann" in refused[0]
        assert scenario_library.entry(store, "Mild").version == 1
        assert scenario_library.entry(store, "Hard").version == 2
        assert scenario_library.entry(store, "hard").tags == ("imported",)
