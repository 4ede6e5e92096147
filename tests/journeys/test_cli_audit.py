"""The verb `clo audit`, on a workspace with the demo deal."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from clo_desktop import cli
from clo_desktop.work.desk import Desk
from tests.conftest import DEMO_DEAL


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["audit", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def place(workspace: Path) -> str:
    """The demo deal, one par of which was changed."""
    desk = Desk(workspace)
    from dataclasses import replace

    def change(deal):  # type: ignore[no-untyped-def]
        first, *others = deal.holdings
        return replace(deal, holdings=(replace(first, par=first.par + 250_000.0), *others))

    desk.change(DEMO_DEAL, change)
    desk.close()
    return str(workspace)


def first_asset(place: str) -> str:
    with sqlite3.connect(place) as raw:
        return str(raw.execute("SELECT asset_id FROM holdings ORDER BY rank LIMIT 1").fetchone()[0])


def test_that_an_untouched_workspace_verifies_with_exit_code_0(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "verify", "--db", place)
    assert (code, err) == (0, "")
    assert out.startswith("The audit is whole. ")
    code, out, _ = run(capsys, "verify", "--json", "--db", place)
    told = json.loads(out)
    assert code == 0
    assert told["whole"]
    assert told["breaches"] == []
    assert told["known_head"]["pos"] == told["head"]["pos"] == told["lines"]


def test_that_a_breach_is_exit_code_1_and_named(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(place) as raw:
        text = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_holdings_update'").fetchone()[0]
        raw.execute("DROP TRIGGER audit_holdings_update")
        raw.execute("UPDATE holdings SET par = 1 WHERE id = 1")
        raw.execute(text)
    raw.close()
    code, out, err = run(capsys, "verify", "--db", place)
    assert code == 1
    assert "was changed without a line: par is 1" in out
    assert err == "The audit shows 1 breach; keep the database as it is and look into it.\n"
    code, out, _ = run(capsys, "verify", "--json", "--db", place)
    assert code == 1
    assert [b["kind"] for b in json.loads(out)["breaches"]] == ["rows"]


def test_that_the_list_is_filtered_and_says_what_it_leaves_out(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "--table", "holdings", "--limit", "1", "--db", place)
    lines = out.splitlines()
    assert code == 0
    assert f"{DEMO_DEAL} / {first_asset(place)}: par " in lines[0]
    assert lines[1] == "250 older lines; --limit shows more."
    for count in ("0", "-1", "x"):
        assert cli.main(["audit", "list", f"--limit={count}", "--db", place]) == 2
    assert capsys.readouterr().out == ""


def test_that_a_text_of_several_lines_is_shortened_in_a_list(
    place: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "cdr: 2%\ncpr: 15%\n"
    (tmp_path / "case.yaml").write_text(text)
    assert cli.main(["scenario", "save", "MyCase", "--from", str(tmp_path / "case.yaml"), "--db", place]) == 0
    capsys.readouterr()
    _, out, _ = run(capsys, "list", "--table", "scenario_versions", "--db", place)
    assert len(out.splitlines()) == 1
    assert "MyCase@1: text cdr: 2%…" in out
    _, out, _ = run(capsys, "list", "--table", "scenario_versions", "--json", "--db", place)
    assert json.loads(out)["lines"][0]["details"]["after"]["text"] == text
    _, out, _ = run(capsys, "list", "--json", "--deal", "Unknown", "--db", place)
    assert json.loads(out) == {"total": 0, "lines": []}
    _, out, _ = run(capsys, "list", "--since", "2999-01-01", "--db", place)
    assert out == "The audit has no such line.\n"


def test_that_a_cell_has_its_history_oldest_first(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    asset = first_asset(place)
    _, out, _ = run(capsys, "history", "--json", "--deal", DEMO_DEAL, "--asset", asset, "--field", "par", "--db", place)
    steps = json.loads(out)
    assert [s["action"] for s in steps] == ["insert", "update"]
    assert steps[0]["after"] == steps[1]["before"] == steps[1]["after"] - 250_000.0
    code, _, err = run(capsys, "history", "--db", place)
    assert (code, err) == (1, "Say whose history: clo audit history --deal NAME --asset ID [--field par].\n")


def test_that_an_export_holds_the_lines_and_the_head(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "audit.csv"
    assert run(capsys, "export", str(file), "--table", "holdings", "--field", "par", "--db", place)[0] == 0
    with file.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["field"] == "par"]
    assert len(rows) == 251
    assert rows[-1]["action"] == "update"
    anchor = json.loads((tmp_path / "audit.anchor.json").read_text())
    whole = tmp_path / "audit.json"
    run(capsys, "export", str(whole), "--db", place)
    told = json.loads(whole.read_text(encoding="utf-8"))
    assert told["anchor"]["link"] == anchor["link"] == told["lines"][-1]["mac"]
    code, _, err = run(capsys, "export", str(tmp_path / "audit.xlsx"), "--db", place)
    assert code == 1
    assert "let it end with .csv or .json" in err
