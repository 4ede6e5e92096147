"""Library, import, comparison and packs of scenarios on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clo_desktop.__main__ import main

HARBOR = "Harbor 2024-1"
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clo(capsys: pytest.CaptureFixture[str], workspace: Path, warm: None) -> Said:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--db", str(workspace)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_that_a_library_name_runs_like_its_file(clo: Said, tmp_path: Path) -> None:
    file = tmp_path / "house.yaml"
    file.write_text("cdr: 5%\ncurve: {shift: 50bp}\n")
    assert clo("scenario", "save", "House", "--from", str(file), "--note", "first", "--tag", "house")[0] == 0
    for verb in (("project",), ("goal", "--parameter", "cdr", "--measure", "irr", "--value", "0"), ("value",)):
        by_name, by_file = (
            clo(*verb, "--deal", HARBOR, "--scenario", named, "--json") for named in ("House", str(file))
        )
        assert by_name[0] == 0
        assert by_name[1] == by_file[1]
    listed = json.loads(clo("scenarios", "--search", "house", "--json")[1])
    assert [(one["scenario"], one["version"], one["tags"]) for one in listed] == [("House", 1, ["house"])]
    assert "cdr: 5%" in clo("scenario", "show", "House@1")[1]


def test_that_locks_tags_and_deletion_are_told(clo: Said) -> None:
    assert clo("scenario", "save", "Copy", "--from", "Base")[1] == "Copy was saved as version 1.\n"
    assert "nobody changes it" in clo("scenario", "lock", "Copy")[1]
    code, _, err = clo("scenario", "delete", "Copy")
    assert code == 1
    assert "is locked by" in err
    assert clo("scenario", "unlock", "Copy")[0] == 0
    assert clo("scenario", "tag", "Copy", "--tag", "a", "--tag", "b")[1] == "The tags of Copy are: a, b.\n"
    assert clo("scenario", "delete", "Copy")[1] == "Copy was deleted with all its versions.\n"
    assert clo("scenario", "save", "Copy")[0] == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cdr: 120%", "cdr: “120%” is not from 0 to 1"),
        ("rules: [{cdr: [2%, high]}]", "rules[1].cdr[2]: “high” cannot be read"),
        ("rules: [{where: moodys_industry = Nonesuch, cdr: 5%}]", "none has the Moody's industry “Nonesuch”"),
        ("shocks: [{where: moodys_industry = Nonesuch, price: -5%}]", "none has the Moody's industry “Nonesuch”"),
        ("downgrade: 1.5", "“1.5” is no whole number from 0 to 20"),
        ("price_shock: -150%", "“-150%” is not from -1 to 1"),
    ],
)
def test_that_bad_scenarios_are_a_clear_sentence(clo: Said, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    for verb in (("project",), ("breakeven",), ("grid", "--x", "cpr=0:0.4:3")):
        code, out, err = clo(*verb, "--deal", HARBOR, "--scenario", str(file))
        assert (code, out) == (1, "")
        assert why in err
        assert len(err.strip().splitlines()) == 1


def test_that_an_import_is_reported_and_only_checked_where_asked(clo: Said, tmp_path: Path) -> None:
    file = tmp_path / "former.csv"
    file.write_text("name,parameter,value,period\nMild,CDR,2%,\nMild,Colour,red,\n")
    code, out, _ = clo("import-scenarios", str(file), "--check")
    assert code == 0
    assert "line 3: Mild, Colour = red: no such parameter" in out
    assert json.loads(clo("scenarios", "--tag", "imported", "--json")[1]) == []
    assert "Mild was saved as version 1." in clo("import-scenarios", str(file))[1]
    assert clo("project", "--deal", HARBOR, "--scenario", "Mild")[0] == 0


def test_that_a_comparison_names_inputs_and_figures(clo: Said) -> None:
    data = json.loads(clo("compare", "--deal", HARBOR, "--scenario", "Base", "--scenario", "Price crash", "--json")[1])
    assert {row["input"] for row in data["inputs_that_differ"]} >= {"Price shock", "Price of reinvestment (% of par)"}
    irr = next(row for row in data["figures"] if row["figure"] == "Equity IRR since purchase")
    assert irr["less_first"] == [pytest.approx(irr["values"][1] - irr["values"][0])]
    code, _, err = clo("compare", "--deal", HARBOR, "--scenario", "Base")
    assert code == 1
    assert "Two to four scenarios go side by side; 1 scenario is named." in err


def test_that_a_pack_goes_to_another_workspace_with_the_same_numbers(
    clo: Said, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, elsewhere = tmp_path / "h.clopack", tmp_path / "elsewhere.clo"
    assert clo("pack", "--deal", HARBOR, "--scenario", "Replay 2008", "-o", str(file))[0] == 0
    code, out, _ = clo("unpack", str(file), "--check")
    assert code == 0
    assert "figures are the same, bit for bit." in out
    assert clo("unpack", str(file), "--into", str(elsewhere))[0] == 0
    here = clo("project", "--deal", HARBOR, "--scenario", "Replay 2008", "--json")[1]
    assert main(["project", "--deal", HARBOR, "--scenario", "Replay 2008", "--json", "--db", str(elsewhere)]) == 0
    assert capsys.readouterr().out == here
    assert clo("unpack", str(file), "--check", "--as", "X")[0] == 2
