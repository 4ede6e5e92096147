"""The verbs about tests on the command line: why, tests of one's own, ratings, inbox (issue 4, sections 1 and 2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clo_desktop.__main__ import main
from tests.conftest import DEMO_DEAL

Clo = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clo(capsys: pytest.CaptureFixture[str], workspace: Path) -> Clo:
    """Runs a command on a workspace that holds the demo deal: exit code, output, errors."""

    def run(command: str, *arguments: object) -> tuple[int, str, str]:
        code = main([command, "--db", str(workspace), "--deal", DEMO_DEAL, *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def data(said: tuple[int, str, str]) -> Any:
    assert said[0] == 0, said[2]
    return json.loads(said[1])


def test_that_compliance_tells_cushions_in_par_and_names_and_the_reading(clo: Clo) -> None:
    tests = {t["number"]: t for t in data(clo("compliance", "--json"))["tests"]}
    failing = tests[29]
    assert failing["cushion_par"] == pytest.approx(failing["cushion"] * failing["denominator"])
    assert failing["cushion_names"] < 0 < tests[36]["cushion_names"]
    assert failing["reading"] == "Defaulted assets left out of every test"
    assert tests[32]["wording"] == "coupon_type = FLOAT"


def test_that_a_test_is_explained_by_the_rows_that_count_and_move_it_most(clo: Clo) -> None:
    why = data(clo("compliance", "--test", 29, "--most", 5, "--json"))
    assert len(why["rows"]) == 5
    moves = [abs(row["moves"]) for row in why["rows"]]
    assert moves == sorted(moves, reverse=True)
    everything = data(clo("compliance", "--test", 29, "--json"))
    assert sum(row["counts"] for row in everything["rows"]) == why["counting"]
    said = clo("compliance", "--test", 29, "--most", 2)[1]
    assert "Moves the result by" in said
    assert said.startswith("Test 29, Cov-lite loans: ")


def test_that_a_test_of_one_s_own_is_added_kept_explained_and_removed(clo: Clo) -> None:
    added = data(clo("test", "--name", "Germans", "--at-most", "1%", "--what", "country = Germany", "--json"))["added"]
    assert (added["number"], added["outcome"]) == (201, "fail")
    assert data(clo("test", "--json")) == [
        {"number": 201, "name": "Germans", "direction": "MAX", "threshold": 0.01, "text": "country = Germany"}
    ]
    assert [t["number"] for t in data(clo("compliance", "--json"))["tests"]][-1] == 201
    assert data(clo("test", "--remove", 201, "--json")) == {"removed": 201}
    assert data(clo("test", "--json")) == []
    assert "--at-most" in clo("test")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--name", "X", "--at-most", "5%", "--what", "kountry = 1"), "kountry"),
        (("--name", "X"), "--at-most or --at-least"),
        (("--at-least", "5%"), "needs --name"),
        (("--name", "X", "--at-most", "5", "--what", "dip"), "no share of the pool; write 5%"),
        (("--remove", "14"), "no test 14 of its own"),
    ],
)
def test_that_a_test_that_cannot_be_is_refused_in_one_sentence(clo: Clo, arguments: Any, says: str) -> None:
    code, out, err = clo("test", *arguments, "--json")
    assert (code, err.count("\n")) == (1, 1)
    assert says in err
    assert json.loads(out)["error"]["message"] == err.strip()
    assert data(clo("test", "--json")) == []


def test_that_a_test_that_is_not_there_is_refused_with_those_there_are(clo: Clo) -> None:
    code, _, err = clo("compliance", "--test", 99)
    assert code == 1
    assert f"{DEMO_DEAL} has no test 99; its tests: 1, 2, 3" in err


def test_that_ratings_carry_the_rule_that_gave_them(clo: Clo) -> None:
    everything = data(clo("ratings", "--json"))
    assert len(everything) == 250
    assert not [x for one in everything for x in one["ratings"] if x["agrees"] is False]
    one = everything[0]["asset_id"]
    assert clo("ratings", "--asset", one)[1].startswith(one)
    assert "does not hold NOSUCH" in clo("ratings", "--asset", "NOSUCH")[2]


def test_that_a_doubt_is_decided_once_and_stays_decided(clo: Clo) -> None:
    rows = data(clo("inbox", "--json"))
    key = next(row["key"] for row in rows if row["kind"] == "affiliates")
    assert data(clo("inbox", "--decide", key, "two", "--json"))["decided"] == {"key": key, "word": "two"}
    assert data(clo("inbox", "--json"))[-1]["decided"] == "two"
    assert "no decision" in clo("inbox", "--decide", key, "three")[2]
    assert "has no 'nothing'" in clo("inbox", "--decide", "nothing", "two")[2]
    assert "decided: two" in clo("inbox")[1]


def test_that_the_matrix_tells_every_point_and_the_best_of_them(clo: Clo) -> None:
    code, _, err = clo("matrix")
    assert code == 1
    assert "“Quality Matrix” among the deal's inputs" in err
    told = data(clo("matrix", "--table", "moodys_matrix_example", "--json"))
    slacks = [cell["slack"] for row in told["rows"] for cell in row["cells"]]
    assert len(slacks) == told["cells"] == 23 * 9
    assert told["best"]["slack"] == max(slacks)
    assert told["passing"] == sum(x >= -1e-13 for x in slacks)
    assert told["elected"] is None
    assert "no reference table nosuch" in clo("matrix", "--table", "nosuch")[2]
    assert "Best: spread" in clo("matrix", "--table", "moodys_matrix_example")[1]
