"""The former system's databases come in whole, with a report of everything that was not understood."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clo_desktop.cli import main
from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.work import former_databases as former
from tests.work import former_world as world

NAMES = ("Acme", "Bolt", "Coil", "Dune")


def missed(outcome: former.Outcome) -> list[tuple[str, int | None]]:
    assert outcome.found is not None
    return [(one.table, one.row) for one in outcome.found.missed]


def test_that_all_five_databases_come_in_and_what_was_not_understood_is_named(store: Store, tmp_path: Path) -> None:
    files = [
        world.assets(tmp_path / "assets.db", {}, {"BLKRockID": "LX101", "Maturity": "soon"}, {"BLKRockID": "LX102"}),
        world.correlations(tmp_path / "correlations.db", NAMES),
        world.scenarios(tmp_path / "scenarios.db"),
        world.config(tmp_path / "config.db"),
        world.reference(tmp_path / "reference.db"),
    ]
    outcomes = former.import_files(store, files)
    assert [outcome.refused for outcome in outcomes] == [""] * 5
    assert [missed(outcome) for outcome in outcomes] == [
        [("assets", 2)], [], [("scenario_parameters", 3)], [("config", 3)], [("reference_data", 4)],
    ]  # fmt: skip
    held = store.assets()
    assert sorted(held) == ["LX100", "LX102"]
    asset = held["LX100"]
    assert (asset.issuer_id, asset.bond_loan, asset.par_amount, asset.maturity) == (
        "ACME", "LOAN", 1_500_000.0, dt.date(2030, 6, 30),
    )  # fmt: skip
    assert (asset.payment_frequency, asset.defaulted, asset.country) == (4, False, "USA")
    assert store.get_asset_correlations("Dune", "acme") == 0.25
    assert store.scenario_parameters("Mild")["cdr"] in ("2%", 0.02)
    assert [(one.key, one.value) for one in store.configuration()] == [("paths", {"out": "/out"}), ("rounds", 3)]
    newest = store.reference_table("Moody's industries")
    assert newest is not None
    assert newest.rows == ({"code": 1, "name": "Aerospace & Defence"},)
    assert (newest.as_of, newest.source) == (dt.date(2026, 6, 30), "reference.db")
    report = "\n".join(former.lines(outcomes))
    assert "assets, row 2: LX101, Maturity = 'soon': “soon” is no date" in report
    assert "db_password: it looks like a secret" in report
    assert "hunter2" not in report + json.dumps(former.plain(outcomes))
    lines = store.audit.count()
    again = former.import_files(store, files)
    assert all(taken.new == taken.changed == 0 for outcome in again for taken in outcome.taken)
    assert store.audit.count() == lines, "the same files again change nothing"


def test_that_a_file_is_all_or_nothing_and_others_are_stored(tmp_path: Path) -> None:
    both = world.assets(tmp_path / "both.db", {})
    world.scenarios(both)
    other = world.config(tmp_path / "config.db")
    with open_store(tmp_path / "w.clo") as store:
        store.save_scenario("Mild", "cdr: 1%", "ann")
        store.lock_scenario("Mild", "ann")
        one, two = former.import_files(store, [both, other])
        assert "both.db was not imported: " in one.refused
        assert "locked by ann" in one.refused
        assert store.assets() == {}
        assert two.stored
        assert len(store.configuration()) == 2


def test_that_strict_stores_no_file_with_a_row_that_was_not_understood(tmp_path: Path) -> None:
    with open_store(tmp_path / "w.clo") as store:
        (one,) = former.import_files(store, [world.config(tmp_path / "config.db")], strict=True)
        assert one.refused == "config.db was not imported: not every row was understood."
        assert store.configuration() == ()


def damaged(folder: Path) -> Path:
    file = world.correlations(folder / "x.db", [f"B{k}" for k in range(80)])
    raw = bytearray(file.read_bytes())
    raw[5000:9000] = b"\xff" * 4000
    file.write_bytes(raw)
    return file


def locked(folder: Path) -> Path:
    file = world.config(folder / "x.db")
    on = sqlite3.connect(file, isolation_level=None)
    on.execute("BEGIN EXCLUSIVE")
    _held.append(on)
    return file


_held: list[sqlite3.Connection] = []


def journal(folder: Path) -> Path:
    file = world.config(folder / "x.db")
    (folder / "x.db-journal").write_bytes(b"half")
    return file


def own(folder: Path) -> Path:
    open_store(folder / "x.db").close()
    return folder / "x.db"


def text(folder: Path) -> Path:
    (folder / "x.db").write_text("borrower_1,borrower_2\n")
    return folder / "x.db"


def foreign(folder: Path) -> Path:
    return world.table(folder / "x.db", "songs", ("title", "year"), [("Blue", 1971)])


def empty(folder: Path) -> Path:
    (folder / "x.db").touch()
    return folder / "x.db"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (damaged, "x.db is damaged; import a backup of it."),
        (locked, "x.db is in use by another program"),
        (journal, "x.db was left in the middle of a change"),
        (own, "x.db is a workspace of CLO Desktop"),
        (text, "x.db is no SQLite file, or an encrypted one"),
        (foreign, r"x.db holds no table of the former system \(its tables: songs\)"),
        (empty, "x.db is empty"),
        (lambda folder: folder / "x.db", "x.db is not there"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_that_a_file_that_cannot_be_read_is_refused_in_one_sentence(make: Any, why: str, tmp_path: Path) -> None:
    file = make(tmp_path)
    before = file.read_bytes() if file.exists() else b""
    try:
        with pytest.raises(Refused, match=why):
            former.read(file)
    finally:
        while _held:
            _held.pop().close()
    assert (file.read_bytes() if file.exists() else b"") == before


def test_that_what_another_program_has_written_but_not_moved_over_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "config.db"
    on = sqlite3.connect(file)
    on.execute("PRAGMA journal_mode = WAL")
    on.execute("CREATE TABLE config (key, value)")
    on.execute("INSERT INTO config VALUES ('rounds', 3)")
    on.commit()
    assert former.read(file).settings == {"rounds": 3}
    on.close()


def test_that_rows_of_correlations_that_contradict_are_named(tmp_path: Path) -> None:
    rows = [
        ("A", "B", 0.5), ("B", "A", 0.5), ("b", "a ", 0.4), ("A", "A", 1), ("A", "A", 0.9), ("A", "C", 1.5),
        ("A", None, 0.1), ("A", "C", "high"), ("C", "B", -0.1),
    ]  # fmt: skip
    columns = ("borrower_1", "borrower_2", "correlation_coefficient")
    found = former.read(world.table(tmp_path / "c.db", "asset_correlations", columns, rows))
    assert [(one.row, one.why.split(";")[0]) for one in found.missed] == [
        (3, "row 1 says 0.5 of the same pair, and it was taken"),
        (5, "a borrower's correlation with itself is 1"),
        (6, "the coefficient is not between -1 and 1"),
        (7, "a borrower has no name"),
        (8, "the coefficient is no number; write one between -1 and 1.".split(";")[0]),
    ]
    assert found.parts == [former.Part("asset_correlations", former.CORRELATIONS, 9, 4)]
    assert found.correlations is not None
    assert found.correlations.borrowers == ("A", "B", "C")
    assert found.correlations.known_pairs == 2


def test_that_a_matrix_that_cannot_be_is_a_doubt_that_names_its_smallest_eigenvalue(tmp_path: Path) -> None:
    columns = ("borrower_1", "borrower_2", "correlation_coefficient")
    rows = [("A", "B", 0.9), ("B", "C", 0.9), ("A", "C", -0.9)]
    found = former.read(world.table(tmp_path / "c.db", "asset_correlations", columns, rows))
    assert len(found.doubts) == 1
    assert "smallest eigenvalue is -0.8)" in found.doubts[0]


_CELLS = st.one_of(
    st.none(), st.integers(-5, 5), st.floats(), st.text(max_size=6), st.binary(max_size=3),
    st.sampled_from(["LX1", "lx1 ", "2030-01-01", "4", "FLOAT", "B2", "0.5", "n/a", '{"a": 1}', "A", "B"]),
)  # fmt: skip
_SHAPES = {
    "assets": ("asset_id", "issuer_id", "maturity", "payment_frequency", "spare"),
    "asset_correlations": ("borrower_1", "borrower_2", "correlation_coefficient"),
    "scenarios": ("name", "parameter", "value", "period"),
    "config": ("key", "value", "description"),
    "reference_data": ("table_name", "as_of", "data"),
    "reference_plain": ("code", "label"),
    "run_settings": ("a", "b"),
    "others": ("x",),
}


def test_that_every_row_is_either_used_or_named(tmp_path: Path) -> None:
    numbers = itertools.count()

    @settings(max_examples=120, deadline=None)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(_SHAPES)))
        columns = _SHAPES[name]
        rows = data.draw(st.lists(st.tuples(*[_CELLS] * len(columns)), min_size=1, max_size=6))
        file = world.table(tmp_path / f"{next(numbers)}.db", name, columns, rows)
        if name == "others":
            with pytest.raises(Refused, match="holds no table"):
                former.read(file)
            return
        found = former.read(file)
        (part,) = found.parts
        blank = sum(all(c is None or str(c).strip() == "" for c in row) for row in rows) if name == "scenarios" else 0
        named = {one.row for one in found.missed if one.row is not None}
        assert part.used + len(named) == part.rows == len(rows) - blank
        (outcome,) = former.import_files(store, [file])
        assert outcome.stored, outcome.refused

    with open_store(tmp_path / "w.clo") as store:
        holds()
        verdict = store.audit.verify()
    assert verdict.whole, verdict.breaches


def test_that_the_command_reports_and_fails_where_a_file_was_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = world.config(tmp_path / "config.db"), text(tmp_path)
    where = str(tmp_path / "w.clo")
    assert main(["import-former", str(good), "--check", "--json", "--db", where]) == 0
    (checked,) = json.loads(capsys.readouterr().out)["files"]
    assert (checked["imported"], checked["tables"][0]["understood"]) == (False, 2)
    assert not Path(where).exists()
    assert main(["import-former", str(good), str(bad), "--json", "--db", where]) == 1
    said = capsys.readouterr()
    first, second = json.loads(said.out)["files"]
    assert (first["imported"], second["imported"]) == (True, False)
    assert said.err.startswith("x.db is no SQLite file")
