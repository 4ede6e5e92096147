"""Waterfalls on the command line: checked, added, listed, and run instead of the deal's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import resources
from clo_desktop.cli import main

HARBOR = "Harbor 2024-1"
MINE = (
    resources.path("waterfalls/us-2024-class-x.yaml")
    .read_text(encoding="utf-8")
    .replace("name: us-2024-class-x", "name: mine")
)

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "own"
    monkeypatch.setattr("clo_desktop.paths.waterfalls_folder", lambda: made)
    return made


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "draft.yaml"
    file.write_text(MINE, encoding="utf-8")
    return file


def test_that_a_document_is_checked_and_printed_as_the_list_of_a_deal(
    mine: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["waterfall", "--deal", HARBOR, "--db", str(workspace)]) == 0
    of_deal = capsys.readouterr().out
    assert main(["waterfall", "--file", str(mine)]) == 0
    assert capsys.readouterr().out == of_deal
    assert main(["waterfall", "--file", str(mine), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["file", "waterfall", "title", "definitions", "rules", "clauses"]
    assert (data["file"], data["waterfall"]) == (str(mine), "mine")


@pytest.mark.parametrize("option", ["--file", "--add"])
def test_that_a_wrong_document_is_one_sentence_with_the_place(
    option: str, mine: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine.write_text(MINE.replace("pay_interest", "pay_intrest", 1), encoding="utf-8")
    assert main(["waterfall", option, str(mine), "--json"]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert json.loads(said.out)["error"] == {"code": "waterfall", "message": said.err.strip()}
    assert "draft.yaml: " in said.err
    assert "pay_intrest" in said.err
    assert not folder.exists()


def test_that_an_added_document_is_listed_and_a_deal_runs_with_it(
    mine: Path, folder: Path, workspace: Path, capsys: pytest.CaptureFixture[str], warm: None
) -> None:
    assert main(["waterfall", "--add", str(mine)]) == 0
    assert capsys.readouterr().out == f"The waterfall mine was added: {folder / 'mine.yaml'}.\n"
    assert main(["waterfall", "--add", str(mine)]) == 1
    assert main(["waterfall", "--add", str(mine), "--replace"]) == 0
    (folder / "bad.yaml").write_text("name: worse\nwdl: [", encoding="utf-8")
    capsys.readouterr()
    assert main(["waterfalls", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    files = {row["waterfall"]: row["file"] for row in data["waterfalls"]}
    assert len(files) == 12
    assert (files["mine"], files["us-clo-3.0"]) == (str(folder / "mine.yaml"), None)
    assert [entry["waterfall"] for entry in data["unfit"]] == ["worse"]
    assert main(["waterfalls"]) == 0
    assert "mine" in capsys.readouterr().out
    project = ["project", "--deal", HARBOR, "--db", str(workspace), "--json"]
    assert main(project) == 0
    own = json.loads(capsys.readouterr().out)
    assert main([*project, "--waterfall", "mine"]) == 0
    other = json.loads(capsys.readouterr().out)
    assert (own["waterfall"], other["waterfall"]) == ("us-2024-class-x", "mine")
    assert other["classes"] == own["classes"]


def test_that_a_waterfall_for_other_classes_is_refused_in_a_sentence(
    workspace: Path, capsys: pytest.CaptureFixture[str], warm: None
) -> None:
    assert main(["project", "--deal", HARBOR, "--db", str(workspace), "--waterfall", "us-2013-six-classes"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("The waterfall us-2013-six-classes does not fit Harbor 2024-1: ")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments", [[], ["--file", "a", "--deal", "b"], ["--deal", HARBOR, "--replace"], ["--file", "a", "--replace"]]
)
def test_that_options_that_do_not_go_together_are_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["waterfall", *arguments]) == 2
    assert capsys.readouterr().err.startswith("usage: clo waterfall")
