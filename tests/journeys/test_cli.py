"""The command line from end to end: what it prints, what it writes, and how it says no."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import resources
from clo_desktop import log, paths
from clo_desktop.__main__ import main
from clo_desktop.work.desk import Desk

HARBOR = "Harbor 2024-1"
ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "run warm deals import export compliance project value explain waterfall waterfalls report delete validate".split()
)
DAMAGED = (
    *("02_text_in_numeric.xlsx", "03_duplicate_id.xlsx", "05_formula_injection.csv", "05_formula_injection.xlsx"),
    *("08_missing_sheet.xlsx", "11_empty.xlsx"),
)
IMPORT_KEYS = ["deal", "assets", "holdings", "par", "principal_cash", "imported", "snapshot", "faults"]
FAULT_KEYS = ["severity", "sheet", "cell", "column", "value", "message"]
TEST_KEYS = {"number", "name", "direction", "result", "threshold", "outcome", "numerator", "denominator", "cushion"}

# spec/compliance-risk.md 9.1: the real deal's results by test number
RESULTS = {
    1: 0.97164, 2: 0.02836, 3: 0.012, 4: 0.01796, 5: 0.015, 6: 0.0045, 7: 0.02736, 8: 0.01119354200858, 11: 0.025,
    14: 0.10924502725558, 15: 0.041775703267, 16: 0.07396932398858, 17: 0.06746932398858, 18: 0.03469354200858,
    19: 0.02619354200858, 20: 0.00119940118, 21: 0.00119940118, 22: 0.0315763808, 23: 0.0290763808, 24: 0.015,
    25: 0.05853313400858, 26: 0.09242, 27: 0.10468568004, 29: 0.204663123068, 31: 0.00345472034,
    32: 0.04024391751557672, 33: 0.5013747075892746, 35: 5.05, 36: 2575.698435111221, 37: 59.4399,
    38: 1.0813148788927334, 9: 0.0, 10: 0.0, 13: 0.0, 28: 0.0, 30: 0.0, 34: 0.0,
}  # fmt: skip
COMPUTED_LIMITS = {32: 0.03936064400669714, 36: 3218.21054084814}


@dataclass(frozen=True)
class Said:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        def no_constant(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.out, parse_constant=no_constant)

    def refusal(self, sentence: str) -> dict[str, str]:
        """The error of a refused command with --json; checks that it is one sentence on both streams."""
        assert self.code == 1
        lines = [line for line in self.err.splitlines() if not line.startswith("Compiling the engine")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        error: dict[str, str] = self.json["error"]
        assert error["message"] == lines[0]
        assert error["code"]
        assert re.search(sentence, lines[0]), lines[0]
        return error


Clo = Callable[..., Said]


@pytest.fixture
def clo(capsys: pytest.CaptureFixture[str], workspace: Path, warm: None) -> Clo:
    """Runs a command on a workspace that holds the demo deal."""

    def run(*arguments: object, db: Path = workspace) -> Said:
        command, *rest = (str(a) for a in arguments)
        code = main([command, "--db", str(db), *rest])
        told = capsys.readouterr()
        return Said(code, told.out, told.err)

    return run


@pytest.fixture(scope="session")
def mag17(shared: Path) -> Path:
    return shared / "data/mag17/mag17_workbook.xlsx"


@pytest.fixture(scope="session")
def real(mag17: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the real deal; only read."""
    file = tmp_path_factory.mktemp("real") / "real.clo"
    assert Desk(file).import_file(mag17, "MAG17").imported
    return file


# -- import -----------------------------------------------------------------------------------------------------------


def test_that_the_real_deal_is_imported_with_its_figures_and_four_odd_prices(clo: Clo, mag17: Path) -> None:
    said = clo("import", mag17, "--deal", "MAG17", "--json")
    data = said.json
    assert (said.code, said.err) == (0, "")
    assert list(data) == IMPORT_KEYS
    assert (data["deal"], data["assets"], data["holdings"], data["imported"]) == ("MAG17", 195, 195, True)
    assert data["par"] == pytest.approx(431_157_604.92, abs=0.01)
    assert data["principal_cash"] == pytest.approx(68_842_395.08, abs=0.01)
    assert len(data["faults"]) == 4
    for fault in data["faults"]:
        assert list(fault) == FAULT_KEYS
        assert all(isinstance(v, str) for v in fault.values())
        assert fault["severity"] == "warning"
        assert fault["column"] == "Market Value"
    assert [d["deal"] for d in clo("deals", "--json").json] == [HARBOR, "MAG17"]


def test_that_an_import_in_words_tells_faults_and_figures(clo: Clo, mag17: Path) -> None:
    said = clo("import", mag17, "--deal", "MAG17")
    lines = said.out.splitlines()
    assert said.code == 0
    assert sum(line.startswith("warning  All Assets!AO") for line in lines) == 4
    assert lines[-2].startswith("MAG17: 195 holdings of 195 assets, par 431,157,604.92, principal cash 68,842,395.08")


@pytest.mark.parametrize("name", DAMAGED)
def test_that_a_damaged_workbook_is_reported_and_nothing_is_written(clo: Clo, shared: Path, name: str) -> None:
    before = clo("deals", "--json").out
    said = clo("import", shared / "data/mag17/damaged" / name, "--deal", "MAG17", "--json")
    said.refusal(re.escape(name))
    data = said.json
    if not name.endswith(".csv"):
        assert list(data) == [*IMPORT_KEYS, "error"]
        assert data["imported"] is False
        assert any(f["severity"] == "error" for f in data["faults"])
        assert all(list(f) == FAULT_KEYS for f in data["faults"])
    assert clo("deals", "--json").out == before


def test_that_a_damaged_import_does_not_touch_the_deal_of_that_name(clo: Clo, shared: Path) -> None:
    before = clo("compliance", "--deal", HARBOR, "--json").out
    assert clo("import", shared / "data/mag17/damaged/02_text_in_numeric.xlsx", "--deal", HARBOR).code == 1
    assert clo("compliance", "--deal", HARBOR, "--json").out == before


def test_that_one_error_is_told_in_the_singular(clo: Clo, shared: Path) -> None:
    said = clo("import", shared / "data/mag17/damaged/08_missing_sheet.xlsx", "--deal", "MAG17")
    assert said.code == 1
    assert said.err == ("Nothing was imported: 08_missing_sheet.xlsx has 1 error; mend it and import again.\n")


@pytest.mark.parametrize("kind", ["absent", "folder", "text", "nothing", "cut short"])
def test_that_what_is_no_workbook_is_refused(clo: Clo, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "file.xlsx"
    if kind == "folder":
        file.mkdir()
    elif kind == "text":
        file.write_text("A;B\n1;2\n")
    elif kind == "nothing":
        file.write_bytes(b"")
    elif kind == "cut short":
        file.write_bytes(resources.path("demo/harbor-2024-1.xlsx").read_bytes()[:5_000])
    clo("import", file, "--deal", "New", "--json").refusal(r"file\.xlsx")
    assert [d["deal"] for d in clo("deals", "--json").json] == [HARBOR]


def test_that_a_deal_without_a_name_is_refused(clo: Clo) -> None:
    clo("import", resources.path("demo/harbor-2024-1.xlsx"), "--deal", " ", "--json").refusal("needs a name")


# -- compliance -------------------------------------------------------------------------------------------------------


def test_that_the_real_deals_tests_have_their_recorded_results(clo: Clo, real: Path) -> None:
    said = clo("compliance", "--deal", "MAG17", "--json", db=real)
    data = said.json
    assert (said.code, said.err) == (0, "")
    assert (data["deal"], data["as_of"]) == ("MAG17", "2016-03-23")
    tests = {t["number"]: t for t in data["tests"]}
    assert len(data["tests"]) == len(tests) == 37
    for test in data["tests"]:
        assert {*TEST_KEYS, "comment"} <= set(test)
        assert test["outcome"] in ("pass", "fail", "maintained")
        assert test["direction"] in ("MIN", "MAX")
        room = test["threshold"] - test["result"] if test["direction"] == "MAX" else test["result"] - test["threshold"]
        assert test["cushion"] == (pytest.approx(room, abs=1e-12) if test["applicable"] else None)
    assert [n for n, test in tests.items() if not test["applicable"]] == [34]  # it holds nothing with a fixed coupon
    for number, result in RESULTS.items():
        places = 5e-3 if number == 35 else 1e-9 * max(1.0, abs(result))
        assert tests[number]["result"] == pytest.approx(result, abs=places), number
    for number, limit in COMPUTED_LIMITS.items():
        assert tests[number]["threshold"] == pytest.approx(limit, rel=1e-9), number


def test_that_tests_are_printed_for_people_as_well(clo: Clo) -> None:
    said = clo("compliance", "--deal", HARBOR)
    assert said.code == 0
    assert said.out.startswith(f"{HARBOR} as of 2025-03-31: 37 tests, 1 fails (")


# -- projection -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deal", ["MAG17", HARBOR])
def test_that_a_projection_conserves_cash_to_a_cent_on_every_date(
    clo: Clo, request: pytest.FixtureRequest, workspace: Path, deal: str
) -> None:
    db = request.getfixturevalue("real") if deal == "MAG17" else workspace
    said = clo("project", "--deal", deal, "--json", db=db)
    data = said.json
    assert (said.code, said.err) == (0, "")
    dates = data["payment_dates"]
    assert dates == sorted(dates)
    assert len(dates) > 40
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", d) for d in dates)
    assert len(data["sources"]) == len(data["uses"]) == len(dates)
    assert max(abs(s - u) for s, u in zip(data["sources"], data["uses"], strict=True)) < 0.005
    for row in data["classes"]:
        assert {"name", "interest", "principal", "deferred", "balance"} <= set(row)
        assert all(len(row[k]) == len(dates) for k in ("interest", "principal", "deferred", "balance"))
    assert all(len(fee["paid"]) == len(dates) for fee in data["fees"])
    assert all(len(test["ratio"]) == len(dates) for test in data["tests"])
    assert data["tests"]


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--cdr", "cdr", 0.02),
        ("--cpr", "cpr", 0.15),
        ("--severity", "severity", 0.4),
    ],
)
def test_that_a_rate_may_be_a_fraction_or_a_percentage(clo: Clo, option: str, name: str, value: float) -> None:
    fraction = clo("project", "--deal", HARBOR, option, value, "--json")
    percentage = clo("project", "--deal", HARBOR, option, f"{value * 100:g}%", "--json")
    assert fraction.code == percentage.code == 0
    assert fraction.json["assumptions"][name] == pytest.approx(value)
    assert fraction.json["equity_total"] == pytest.approx(percentage.json["equity_total"])


def test_that_assumptions_reach_the_run(clo: Clo) -> None:
    data = clo("project", "--deal", HARBOR, "--lag", 12, "--cdr", "5%", "--json").json
    assert (data["assumptions"]["lag"], data["assumptions"]["cdr"]) == (12.0, 0.05)
    called = clo("project", "--deal", HARBOR, "--call", "2027-01-01", "--json").json["payment_dates"]
    assert called[-1].startswith("2027-01")


def test_that_a_negative_shift_may_be_a_percentage(clo: Clo) -> None:
    index = [
        clo("project", "--deal", HARBOR, *shift, "--json").json["index"][4]
        for shift in ((), ("--shift", "-1%"), ("--shift=-1%",), ("--shift", "-0.01"))
    ]
    assert index[1] == index[2] == pytest.approx(index[3])
    assert index[0] - index[1] == pytest.approx(0.01, rel=0.05)


def test_that_more_defaults_never_help_equity(clo: Clo) -> None:
    totals = [clo("project", "--deal", HARBOR, "--cdr", c, "--json").json["equity_total"] for c in ("0", "2%", "6%")]
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--cdr", "2"), "default rate .* 0 to 1 .*; 2 is not"),
        (("--cpr", "120%"), "prepayment rate .* 0 to 1"),
        (("--severity=-0.1",), "severity .* 0 to 1"),
        (("--lag", "500"), "recovery lag is 0 to 120 months"),
        (("--cdr", "nan"), "default rate .* 0 to 1"),
        (("--lag", "inf"), "recovery lag"),
        (("--sale-price", "0"), "sale price"),
        (("--shift", "1"), "shift of the curve"),
        (("--curve", "absent.csv"), r"The curve absent\.csv cannot be read"),
    ],
)
def test_that_an_assumption_out_of_range_is_refused(clo: Clo, arguments: tuple[str, ...], sentence: str) -> None:
    clo("project", "--deal", HARBOR, *arguments, "--json").refusal(sentence)


# -- refusals and usage -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["compliance", "project", "waterfall", "delete"])
def test_that_an_unknown_deal_is_refused_with_those_there_are(clo: Clo, command: str) -> None:
    said = clo(command, "--deal", "Nowhere", "--json")
    assert said.refusal(f"the deals are: {HARBOR}")["code"] == "no-deal"


@pytest.mark.parametrize("command", ["export", "report"])
def test_that_nothing_is_written_for_an_unknown_deal(clo: Clo, tmp_path: Path, command: str) -> None:
    clo(command, tmp_path / "out.xlsx", "--deal", "Nowhere", "--json").refusal("Nowhere")
    assert not (tmp_path / "out.xlsx").exists()


def test_that_an_empty_workspace_says_what_to_do(clo: Clo, tmp_path: Path) -> None:
    new = tmp_path / "new.clo"
    Desk(new).close()
    assert clo("deals", "--json", db=new).json == []
    assert "clo import FILE --deal NAME" in clo("deals", db=new).out
    clo("compliance", "--deal", HARBOR, "--json", db=new).refusal("import a workbook")


@pytest.mark.parametrize("command", ["deals", "compliance"])
def test_that_a_workspace_that_is_not_there_is_refused_and_not_made(clo: Clo, tmp_path: Path, command: str) -> None:
    deal = ("--deal", HARBOR) if command != "deals" else ()
    clo(command, *deal, "--json", db=tmp_path / "typo.clo").refusal("There is no workspace .*typo.clo")
    assert not (tmp_path / "typo.clo").exists()


def test_that_a_file_that_is_no_workspace_is_refused_and_kept(clo: Clo, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear investors, this is no workspace at all.")
    clo("deals", "--json", db=file).refusal("letter.txt")
    assert file.read_text().startswith("Dear investors")


@pytest.mark.parametrize("command", ["export", "report"])
def test_that_a_file_that_is_there_is_kept_unless_it_may_be_replaced(clo: Clo, tmp_path: Path, command: str) -> None:
    file = tmp_path / "kept.xlsx"
    file.write_text("somebody's work")
    clo(command, file, "--deal", HARBOR, "--json").refusal("kept.xlsx is there already.*--force")
    assert file.read_text() == "somebody's work"
    assert clo(command, file, "--deal", HARBOR, "--force", "--json").json["file"] == str(file)
    assert file.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize("command", ["export", "report"])
def test_that_a_place_that_cannot_be_written_is_refused(clo: Clo, tmp_path: Path, command: str) -> None:
    (tmp_path / "taken.xlsx").mkdir()
    clo(command, tmp_path / "taken.xlsx", "--deal", HARBOR, "--json").refusal("cannot be written")


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("import",),
        ("import", "x.xlsx"),
        ("project", "--deal", HARBOR, "--cdr", "much"),
        ("project", "--deal", HARBOR, "--cdr"),
        ("project", "--deal", HARBOR, "--call", "tomorrow"),
        ("compliance", "--deal", HARBOR, "--colour", "red"),
    ],
)
def test_that_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert main(list(arguments)) == 2
    told = capsys.readouterr()
    assert told.err.startswith("usage: clo")
    assert told.out == ""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_that_help_explains_every_command(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main([*filter(None, [command]), "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: clo {command}".rstrip())
    if command:
        assert "--db" in told
        assert "--json" in told
    else:
        assert all(re.search(rf"^    {name}\b", told, re.MULTILINE) for name in COMMANDS)


def test_that_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"CLO Desktop \d+\.\d+\.\d+\n", capsys.readouterr().out)


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deal", ["MAG17", HARBOR])
def test_that_an_exported_deal_imports_as_identical_records(
    clo: Clo, request: pytest.FixtureRequest, workspace: Path, tmp_path: Path, deal: str
) -> None:
    db = request.getfixturevalue("real") if deal == "MAG17" else workspace
    said = clo("export", tmp_path / "deal.xlsx", "--deal", deal, "--json", db=db)
    assert said.json == {"deal": deal, "file": str(tmp_path / "deal.xlsx")}
    again = tmp_path / "again.clo"
    data = clo("import", tmp_path / "deal.xlsx", "--deal", deal, "--json", db=again).json
    assert not any(f["severity"] == "error" for f in data["faults"])
    assert Desk(again).book(deal) == Desk(db).book(deal)


def test_that_a_report_opens_with_its_sheets_and_without_a_formula(clo: Clo, tmp_path: Path) -> None:
    file = tmp_path / "report.xlsx"
    assert clo("report", file, "--deal", HARBOR).out == f"The report of {HARBOR} was written to {file}.\n"
    book = openpyxl.load_workbook(file)
    own, further = book.sheetnames[:8], book.sheetnames[8:]
    assert own == [
        *("Summary", "Compliance", "Classes", "Sources and uses", "Coverage tests", "Collections"),
        *("Priority of payments", "Waterfall steps"),
    ]
    assert {"Deal CF-Deal", "Deal CF-A-1", "Deal CF-OC E", "Collat CF-Assets", "Collat CF-Spreads"} <= set(further)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [c.coordinate for c in cells if c.data_type in ("f", "e")]
    tests = [row for row in book["Compliance"].iter_rows(min_row=4, values_only=True) if row[0] is not None]
    assert len(tests) == 37
    flows = clo("project", "--deal", HARBOR, "--json").json
    classes = list(book["Classes"].iter_rows(min_row=3, values_only=True))
    heads = classes[0]
    assert len(classes) - 1 == len(flows["payment_dates"])
    for row in flows["classes"]:
        column = heads.index(f"{row['name']} balance (USD)")
        assert [line[column] for line in classes[1:]] == pytest.approx(row["balance"], abs=0.005)


def test_that_a_deleted_deal_is_gone(clo: Clo) -> None:
    assert clo("delete", "--deal", HARBOR, "--json").json == {"deleted": HARBOR}
    assert clo("deals", "--json").json == []
    clo("delete", "--deal", HARBOR, "--json").refusal("import a workbook")


def test_that_the_users_own_workspace_is_the_default(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLO_HOME", str(tmp_path / "home"))
    assert main(["import", str(resources.path("demo/harbor-2024-1.xlsx")), "--deal", "Mine", "--json"]) == 0
    assert (tmp_path / "home" / "workspace.clo").is_file()
    capsys.readouterr()
    assert main(["deals", "--json"]) == 0
    assert [d["deal"] for d in json.loads(capsys.readouterr().out)] == ["Mine"]


def test_that_a_payment_is_explained_and_the_waterfall_listed(clo: Clo) -> None:
    flows = clo("project", "--deal", HARBOR, "--json").json
    day, name = flows["payment_dates"][3], flows["classes"][2]["name"]
    data = clo("explain", "--deal", HARBOR, "--date", day, "--class", name, "--json").json
    assert data["total"] == pytest.approx(flows["classes"][2]["interest"][3] + flows["classes"][2]["principal"][3])
    assert clo("explain", "--deal", HARBOR, "--date", day, "--class", name).code == 0
    assert clo("waterfall", "--deal", HARBOR, "--json").json["clauses"]
    assert clo("waterfall", "--deal", HARBOR).code == 0
    clo("explain", "--deal", HARBOR, "--date", day, "--class", "Q", "--json").refusal("Q")


def test_that_an_internal_error_is_one_sentence_and_in_the_log(
    clo: Clo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLO_HOME", str(tmp_path / "home"))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(Desk, "comply", broken)
    try:
        assert clo("compliance", "--deal", HARBOR, "--json").refusal("An internal error")["code"] == "internal"
    finally:
        log.tear_down()
    assert "ZeroDivisionError: broken" in log.log_file().read_text(encoding="utf-8")


# -- the whole job ----------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_that_the_demo_runs_offscreen_and_leaves_report_and_pictures(tmp_path: Path, warm: None) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    if paths.numba_cache().is_dir():
        shutil.copytree(paths.numba_cache(), home / "cache" / "numba")  # compiling has its own test
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")} | {"CLO_HOME": str(home)}
    command = [sys.executable, "-m", "clo_desktop", "run", "--offscreen", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert f"{HARBOR} as of 2025-03-31: 37 tests" in done.stdout
    assert "largest difference on a date 0.000000" in done.stdout
    assert "the report is" in done.stdout
    assert openpyxl.load_workbook(out / "demo-report.xlsx").sheetnames[0] == "Summary"
    for pane in ("deals", "collateral", "compliance", "cashflows", "run", "imports"):
        pictures = [(out / f"{pane}-{scheme}.png").read_bytes() for scheme in ("light", "dark")]
        assert all(p.startswith(b"\x89PNG") for p in pictures)
        assert pictures[0] != pictures[1]
    assert not (home / "workspace.clo").exists()  # the user's own workspace is not touched
