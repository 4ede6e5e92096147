"""Tables of a run, of assets and of spreads from the command line and in the report."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from clo_desktop import cli

DEAL = "Harbor 2024-1"
KEYS = ["deal", "table", "title", "currency", "columns", "rows"]


def told(capsys: pytest.CaptureFixture[str], workspace: Path, verb: str, *more: object) -> Any:
    """What a command prints as JSON."""
    arguments = [verb, "--deal", DEAL, "--db", str(workspace), *(str(m) for m in more), "--json"]
    code = cli.main(arguments)
    out, _ = capsys.readouterr()
    data = json.loads(out)
    assert (code == 0) == ("error" not in data)
    return data


def column(data: dict[str, Any], name: str) -> list[Any]:
    place = [c["name"] for c in data["columns"]].index(name)
    return [row[place] for row in data["rows"]]


def test_that_the_tables_of_a_run_are_listed(workspace: Path, capsys: pytest.CaptureFixture[str], warm: None) -> None:
    data = told(capsys, workspace, "tables")
    names = [t["table"] for t in data["tables"]]
    assert {"deal", "pool-original", "class-A-1", "class-SUB", "fee-trustee", "incentive-fee", "tests"} <= set(names)
    assert "test-OC_E" in names


def test_that_the_table_of_a_class_is_what_the_projection_says(
    workspace: Path, capsys: pytest.CaptureFixture[str], warm: None
) -> None:
    assumed = ("--cdr", "6%", "--severity", "50%")
    table = told(capsys, workspace, "tables", "--table", "class-E", *assumed)
    assert list(table) == KEYS
    flows = told(capsys, workspace, "project", *assumed)
    of_class = next(c for c in flows["classes"] if c["name"] == "Class E")
    assert column(table, "Principal paid") == pytest.approx(of_class["principal"])
    assert column(table, "Closing balance") == pytest.approx(of_class["balance"])
    assert column(table, "Payment date") == flows["payment_dates"]
    units = {c["name"]: c["unit"] for c in table["columns"]}
    assert (units["Coupon"], units["Interest paid"], units["Factor"]) == ("fraction a year", "USD", "fraction")


def test_that_an_unknown_table_is_refused_with_the_known_ones(
    workspace: Path, capsys: pytest.CaptureFixture[str], warm: None
) -> None:
    error = told(capsys, workspace, "tables", "--table", "class-Z")["error"]
    assert error["code"] == "table"
    assert "class-A-1" in error["message"]


def test_that_an_asset_is_shown_by_payment_date(
    workspace: Path, capsys: pytest.CaptureFixture[str], warm: None
) -> None:
    data = told(capsys, workspace, "assets", "--asset", "HBR000129")
    assert list(data) == KEYS
    days = [dt.date.fromisoformat(day) for day in column(data, "Payment date")]
    assert days == sorted(set(days))
    opening, closing = column(data, "Opening balance"), column(data, "Closing balance")
    assert opening[1:] == pytest.approx(closing[:-1])
    assert set(column(data, "Asset")) == {"HBR000129"}


def test_that_an_asset_the_deal_does_not_hold_is_refused(
    workspace: Path, capsys: pytest.CaptureFixture[str], warm: None
) -> None:
    assert "holds no asset 'NONE'" in told(capsys, workspace, "assets", "--asset", "NONE")["error"]["message"]


def test_that_spreads_follow_the_curve_that_is_given(
    workspace: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, warm: None
) -> None:
    own = told(capsys, workspace, "spreads")
    assert list(own) == KEYS
    assert all(isinstance(spread, float) for spread in column(own, "Z-spread"))
    curve = tmp_path / "curve.csv"
    curve.write_text("tenor_months,rate\n3,0.01\n120,0.01\n", encoding="utf-8")
    other = told(capsys, workspace, "spreads", "--curve", curve)
    assert column(other, "Asset") == column(own, "Asset")
    assert column(other, "Z-spread") != column(own, "Z-spread")


def test_that_tables_are_written_as_csv_with_units_and_full_figures(
    workspace: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, warm: None
) -> None:
    folder = tmp_path / "made" / "here"
    files = told(capsys, workspace, "tables", "--csv", folder)["files"]
    assert sorted(files) == sorted(str(p) for p in folder.iterdir())
    table = told(capsys, workspace, "tables", "--table", "class-A-1")
    with (folder / "class-A-1.csv").open(encoding="utf-8", newline="") as file:
        heads, *rows = list(csv.reader(file))
    assert heads[:4] == ["Period", "Payment date (date)", "Coupon (fraction a year)", "Opening balance (USD)"]
    assert [float(row[3]) for row in rows] == column(table, "Opening balance")
    with (folder / "tests.csv").open(encoding="utf-8", newline="") as file:
        breaches = [row["First breach (date)"] for row in csv.DictReader(file)]
    assert "" in breaches  # a test that is never breached has no date


def test_that_a_folder_that_cannot_be_written_is_refused(
    workspace: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, warm: None
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("", encoding="utf-8")
    assert "choose another folder" in told(capsys, workspace, "spreads", "--csv", taken)["error"]["message"]


KEPT = {
    "tables": (["tables", "--table", "class-A-1", "--csv", "."], "class-A-1.csv"),
    "assets": (["assets", "--csv", "."], "assets.csv"),
    "spreads": (["spreads", "--csv", "."], "spreads.csv"),
    "pack": (["pack", "-o", "harbor.clopack"], "harbor.clopack"),
    "audit": (["audit", "export", "audit.csv"], "audit.csv"),
    "head of the audit": (["audit", "export", "audit.csv"], "audit.anchor.json"),
}


@pytest.mark.parametrize("what", KEPT)
def test_that_no_verb_writes_over_a_file_unless_it_is_forced(
    what: str,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warm: None,
) -> None:
    monkeypatch.chdir(tmp_path)
    (verb, *more), name = KEPT[what]
    made = tmp_path / name
    made.write_text("somebody's work", encoding="utf-8")
    refused = told(capsys, workspace, verb, *more)["error"]["message"]
    assert refused.startswith(f"{name} is there already")
    assert "--force" in refused
    assert made.read_text(encoding="utf-8") == "somebody's work"
    told(capsys, workspace, verb, *more, "--force")
    assert made.read_bytes() != b"somebody's work"


def test_that_a_folder_that_holds_tables_already_is_kept_as_a_whole(
    workspace: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, warm: None
) -> None:
    for name in ("deal.csv", "tests.csv"):
        (tmp_path / name).write_text("", encoding="utf-8")
    refused = told(capsys, workspace, "tables", "--csv", tmp_path)["error"]["message"]
    assert "1 more are there already and nothing was written" in refused
    assert {p.name for p in tmp_path.iterdir() if p.suffix == ".csv"} == {"deal.csv", "tests.csv"}


def test_that_the_sheets_of_a_report_hold_the_tables(
    workspace: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, warm: None
) -> None:
    file = tmp_path / "report.xlsx"
    assert cli.main(["report", str(file), "--deal", DEAL, "--db", str(workspace)]) == 0
    capsys.readouterr()
    book = openpyxl.load_workbook(file, read_only=True)
    tables = [t["table"] for t in told(capsys, workspace, "tables")["tables"]]
    sheets = [name for name in book.sheetnames if name.startswith("Deal CF-")]
    assert len(sheets) == len(tables)
    assert all(len(name) <= 31 for name in book.sheetnames)
    heads, *rows = list(book["Deal CF-A-1"].iter_rows(min_row=3, values_only=True))
    assert heads[2:4] == ("Coupon (%)", "Opening balance (USD)")
    expected = told(capsys, workspace, "tables", "--table", "class-A-1")
    assert [row[3] for row in rows] == pytest.approx(column(expected, "Opening balance"))
    spreads = list(book["Collat CF-Spreads"].iter_rows(min_row=4, values_only=True))
    assert len(spreads) == len(told(capsys, workspace, "spreads")["rows"])
