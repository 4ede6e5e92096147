"""`clo grid`, `clo breakeven` and `clo goal`: figures as data, words, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clo_desktop import cli
from tests.conftest import DEMO_DEAL


@pytest.fixture
def clo(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main([arguments[0], "--db", str(workspace), "--deal", DEMO_DEAL, *arguments[1:]])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_that_a_grid_gives_the_figures_of_single_projections(clo: Any) -> None:
    code, out, _ = clo(
        "grid", "--x", "cdr=0:20%:3", "--y", "severity=0.2,0.8", "--measure", "irr:SUB", "--measure", "paid:B", "--json"
    )
    assert code == 0
    done = json.loads(out)
    assert [a["values"] for a in done["axes"]] == [[0.0, 0.1, 0.2], [0.2, 0.8]]
    assert done["scenarios"] == 6
    irr, paid = (m["values"] for m in done["measures"])
    code, out, _ = clo("project", "--cdr", "10%", "--severity", "0.8", "--json")
    single = json.loads(out)
    assert irr[1][1] == pytest.approx(single["equity_irr"], abs=1e-9)
    b = next(c for c in single["classes"] if c["name"] == "Class B")
    assert paid[1][1] == pytest.approx(sum(sum(b[k]) for k in ("interest", "deferred_paid", "principal")), rel=1e-9)


def test_that_a_grid_in_words_has_a_line_a_value_and_dates_are_dates(clo: Any) -> None:
    code, out, _ = clo("grid", "--x", "cdr=0:0.2:5", "--measure", "fails:OC_D")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "OC D first date it fails (date) by default rate"
    assert len(lines) == 6
    assert lines[1].split()[-1] == "–"
    assert lines[-1].split()[-1].startswith("20")


def test_that_break_evens_come_with_multiples_and_crossings(clo: Any) -> None:
    code, out, _ = clo("breakeven", "--json")
    assert code == 0
    done = json.loads(out)
    e = next(b for b in done["break_evens"] if b["name"] == "E")
    assert e["monotone"] is True
    assert e["multiple_of_base"] == pytest.approx(e["cdr"] / done["base_cdr"])
    assert 0.0 < e["cumulative_default"] < 1.0
    (crossing,) = e["crossings"]
    assert crossing["low"] == e["cdr"]
    never = [b for b in done["break_evens"] if b["cdr"] is None]
    assert all(b["crossings"] == [] and b["multiple_of_base"] is None for b in never)


def test_that_what_is_not_monotone_is_said_in_words(clo: Any) -> None:
    code, out, _ = clo("breakeven", "--target", "test")
    assert code == 0
    assert "is not monotone in the default rate: it breaks at " in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("grid", "--x", "cdr=0:120%:3"), "Default rate is from 0 % to 100 %; 120 % is not."),
        (("grid", "--x", "speed=0:1:3"), "'speed' is no parameter; take one of cdr"),
        (("grid", "--x", "cdr=0:0.1:3", "--measure", "irr:B"), "The IRR is of the equity; write irr:SUB."),
        (("grid", "--x", "cdr=0:0.1:3", "--y", "cdr=0:0.1:3"), "stand for one and the same"),
        (("grid", "--x", "call=2020-01-01,2021-01-01"), "is not possible; choose a day after the analysis date"),
    ],
)
def test_that_a_bad_question_is_refused_in_one_sentence(clo: Any, arguments: tuple[str, ...], sentence: str) -> None:
    code, out, err = clo(*arguments, "--json")
    assert code == 1
    assert sentence in err
    assert sentence in json.loads(out)["error"]["message"]


def test_that_a_goal_is_met_by_a_projection_at_its_value(clo: Any) -> None:
    code, out, _ = clo("goal", "--parameter", "cdr", "--measure", "irr:SUB", "--value", "0", "--json")
    assert code == 0
    (cdr,) = json.loads(out)["values"]
    assert abs(json.loads(clo("project", "--cdr", repr(cdr), "--json")[1])["equity_irr"]) < 1e-6
    asked = ("goal", "--parameter", "cdr", "--measure", "irr:SUB", "--value", "0", "--along", "severity=0.3,0.6")
    code, out, _ = clo(*asked)
    assert code == 0
    assert len(out.splitlines()) == 3
    code, out, _ = clo("goal", "--parameter", "cpr", "--measure", "irr", "--value", "900%", "--between", "0", "50%")
    assert code == 0
    assert out.strip() == "Sub Notes IRR since purchase is 900.00 % at no prepayment rate between the ends."


def test_that_an_unknown_target_is_wrong_usage(clo: Any) -> None:
    code, _, err = clo("breakeven", "--target", "everything")
    assert code == 2
    assert "first-loss" in err


def test_that_a_goal_may_be_half_of_what_the_measure_is(clo: Any) -> None:
    found = json.loads(clo("goal", "--parameter", "cdr", "--measure", "irr", "--value", "half", "--json")[1])
    (cdr,) = found["values"]
    whole, half = (json.loads(clo("project", *at, "--json")[1])["equity_irr"] for at in ((), ("--cdr", repr(cdr))))
    assert half == pytest.approx(whole / 2.0, abs=1e-4)
    assert found["wanted"] == pytest.approx(whole / 2.0)
    code, _, err = clo("goal", "--parameter", "cdr", "--measure", "loss:A-1", "--value", "half")
    assert code == 1
    assert "there is no half of it" in err
