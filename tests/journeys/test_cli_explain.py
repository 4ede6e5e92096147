"""A payment explained, and the priority of payments printed, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clo_desktop import cli

DEAL = "Harbor 2024-1"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_that_a_payment_is_explained_step_by_step(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--deal", DEAL, "--db", str(workspace))
    code, out, _ = said(capsys, "explain", *where, "--date", "2026-01-15", "--class", "E", "--json")
    assert code == 0
    trace: dict[str, Any] = json.loads(out)
    assert trace["class"] == "Class E"
    assert [s["name"] for s in trace["sections"]] == ["interest", "principal", "nps"]
    paid = sum(step["to_class"] for section in trace["sections"] for step in section["steps"])
    assert paid == pytest.approx(trace["total"], abs=0.005)
    code, out, _ = said(capsys, "explain", *where, "--date", "2026-01-15", "--class", "E")
    assert code == 0
    assert "→ to interest of Class E" in out
    assert "Cash before" in out
    assert "OC_E passes" in out


def test_that_the_letters_of_an_explanation_are_those_of_the_list(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--deal", DEAL, "--db", str(workspace), "--json")
    listed = json.loads(said(capsys, "waterfall", *where)[1])
    letters = {(c["section"], c["letter"]) for c in listed["clauses"]}
    trace = json.loads(said(capsys, "explain", *where, "--date", "2026-01-15", "--class", "E")[1])
    used = [(section["name"], step["letter"]) for section in trace["sections"] for step in section["steps"]]
    assert len(used) == len(set(used))
    assert set(used) <= letters


def test_that_a_day_without_payment_is_refused_with_the_nearest(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--deal", DEAL, "--db", str(workspace), "--json")
    code, out, err = said(capsys, "explain", *where, "--date", "2026-01-16", "--class", "E")
    assert code == 1
    assert "2026-01-15" in err
    assert json.loads(out)["error"]["code"] == "explain"


def test_that_reading_a_workspace_that_is_not_there_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typo = tmp_path / "typo.clo"
    code, _, err = said(capsys, "deals", "--db", str(typo))
    assert code == 1
    assert "no workspace" in err
    assert not typo.exists()


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--call", "2010-01-01", "analysis"),
        ("--call", "2050-01-01", "last payment date"),
        ("--sale-price", "0.97", "97 is 97 %"),
    ],
)
def test_that_an_assumption_that_cannot_be_meant_is_refused(
    workspace: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, says: str
) -> None:
    code, _, err = said(capsys, "project", "--deal", DEAL, "--db", str(workspace), option, value)
    assert code == 1
    assert says in err


def test_that_every_assumption_that_was_used_is_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--deal", DEAL, "--db", str(workspace))
    asked = ("--shift", "-1%", "--sale-price", "91.5", "--call", "2027-04-15", "--no-reinvest")
    code, out, _ = said(capsys, "project", *where, *asked)
    assert code == 0
    assert "sale price 91.5" in out
    assert "shifted by -100 bp, redeemed from 2027-04-15, no reinvestment" in out
    told = json.loads(said(capsys, "project", *where, *asked, "--json")[1])["assumptions"]
    assert told["sale_price"] == 91.5
    assert told["rate_shift"] == pytest.approx(-0.01)
    assert told["call_date"] == "2027-04-15"
    assert told["reinvest"] is False
