"""Scenarios on the command line: options, scenario files, forwards, and how they are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clo_desktop.__main__ import main

HARBOR = "Harbor 2024-1"
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clo(capsys: pytest.CaptureFixture[str], workspace: Path, warm: None) -> Said:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--db", str(workspace), "--deal", HARBOR])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def projected(clo: Said, *arguments: str) -> dict[str, Any]:
    code, out, err = clo("project", *arguments, "--json")
    assert code == 0, err
    return dict(json.loads(out))


def written(folder: Path, text: str) -> str:
    file = folder / "stress.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_that_call_rules_call(clo: Said) -> None:
    plain = projected(clo)["payment_dates"]
    for option, words in (
        (("--clean-up", "100%"), "called when the performing par is below 100 % of the opening par"),
        (("--call-below", "1"), "called after a distribution below 100 % of the equity"),
    ):
        assert len(projected(clo, *option)["payment_dates"]) < len(plain)
        assert words in clo("project", *option)[1]


def test_that_the_rate_path_is_that_of_the_options(clo: Said, tmp_path: Path) -> None:
    file = tmp_path / "forwards.csv"
    file.write_text("date,rate\n2026-01-01,1%\n2026-10-01,0.02\n")
    data = projected(clo, "--forwards", str(file))
    index = dict(zip(data["payment_dates"], data["index"], strict=True))
    assert index["2026-07-15"] == 0.01
    assert set(list(index.values())[-8:]) == {0.02}
    assert (
        "2 given forwards, from 1 % on 2026-01-01 to 2 % from 2026-10-01" in clo("project", "--forwards", str(file))[1]
    )
    plain = projected(clo)["index"]
    both = projected(clo, "--key-shift", "1=0.5%", "--key-shift", "240=0.5%")
    assert both["index"] == pytest.approx(projected(clo, "--shift", "50e-4")["index"])
    assert both["assumptions"]["curve"]["key_shifts"] == [{"months": m, "shift": 0.005} for m in (1.0, 240.0)]
    assert projected(clo, "--key-shift", "24=-1%")["index"] != plain
    assert projected(clo, "--interpolation", "monotone convex")["index"] != plain


def test_that_a_scenario_file_is_assumed_and_options_go_before_it(clo: Said, tmp_path: Path) -> None:
    text = (
        "cdr: 5%\nlag: 18\ncurve: {key_shifts: {24: 1%}, floored: true}\nrules: [{where: market_value < 90, cdr: 20%}]"
    )
    file = written(tmp_path, text)
    told = projected(clo, "--scenario", file)["assumptions"]
    assert (told["cdr"], told["lag"]) == (0.05, 18.0)
    assert told["rules"] == [{"where": "market_value < 90", "cpr": None, "cdr": 0.2, "severity": None, "lag": None}]
    told = projected(clo, "--scenario", file, "--cdr", "1%", "--interpolation", "log-linear discount")["assumptions"]
    assert (told["cdr"], told["lag"]) == (0.01, 18.0)
    assert told["curve"]["interpolation"] == "log-linear discount"
    assert told["curve"]["key_shifts"] == [{"months": 24.0, "shift": 0.01}]
    assert told["curve"]["floored"]
    words = clo("project", "--scenario", file)[1]
    assert "Rules: market_value < 90: CDR 20 %" in words
    assert "Rate path: zero rates shifted by +100 bp at 24 months; no forward below 0 %" in words


def test_that_every_verb_that_projects_takes_a_scenario(clo: Said, tmp_path: Path) -> None:
    file = written(tmp_path, "cdr: 5%\nreinvest: false")
    for verb, more in (
        ("explain", ["--date", "2026-01-15", "--class", "A-1"]),
        ("value", []),
        ("tables", []),
        ("assets", []),
        ("report", [str(tmp_path / "r.xlsx")]),
    ):
        code, _, err = clo(verb, *more, "--scenario", file)
        assert code == 0, (verb, err)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cdrr: 5%", "stress.yaml, cdrr: there is no such key; known here are "),
        ("call: {below: much}", "stress.yaml, call.below: “much” cannot be read; "),
        ("events: {sales: {NOBODY: {date: 2026-01-15, price: 97}}}", "The deal holds no asset NOBODY; take it out of "),
        (
            "events: {sales: {HBR000118: {date: 2020-01-15, price: 97}}}",
            "choose a day after the analysis date 2025-03-31",
        ),
    ],
)
def test_that_a_scenario_that_cannot_be_is_refused_in_a_sentence(
    clo: Said, tmp_path: Path, text: str, said: str
) -> None:
    code, out, err = clo("project", "--scenario", written(tmp_path, text), "--json")
    assert code == 1
    assert said in err
    assert len(err.splitlines()) == 1
    assert json.loads(out)["error"]["message"] == err.strip()


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--key-shift", "24"], 2, "write MONTHS=RATE such as 24=0.5%"),
        (["--key-shift", "soon=1%"], 1, "The curve, --key-shift: “soon” cannot be read; a key is a number of months"),
        (["--key-shift", "24=30"], 1, "The curve, --key-shift: “30” is not from -0.2 to 0.2"),
        (["--key-shift", "24=1%", "--key-shift", "24=2%"], 1, "24 months are there twice; keep one"),
        (["--interpolation", "spline"], 1, "“spline” is not known; write one of linear zero, log-linear discount, "),
        (["--call-below", "lots"], 2, "no rate; write 0.02 or 2%"),
        (["--clean-up", "2"], 1, "The share of the opening par below which the deal is called is from 0 to 1"),
        (["--forwards", "none.csv"], 1, "The forwards none.csv cannot be read"),
        (["--scenario", "none.yaml"], 1, "The scenario none.yaml cannot be read"),
    ],
)
def test_that_an_option_that_cannot_be_is_refused(clo: Said, options: list[str], code: int, said: str) -> None:
    done, _, err = clo("project", *options)
    assert done == code
    assert said in err


def test_that_an_option_goes_before_the_rules_of_a_scenario(clo: Said, tmp_path: Path) -> None:
    text = "rules:\n- cdr: {values: [4%, 13%], step: 12}\n- {where: market_value < 90, cdr: 20%, lag: 6}\n- cpr: 5%\n"
    file = written(tmp_path, text)
    ruled = projected(clo, "--scenario", file)
    assert ruled["assumptions"]["by_rules"] == ["cpr", "cdr"]
    assert "CPR by rules, CDR by rules, severity " in clo("project", "--scenario", file)[1]
    code, out, err = clo("project", "--scenario", file, "--cdr", "0")
    assert code == 0
    assert err == f"Note: --cdr goes before 2 rules of {file}.\n"
    assert "CPR by rules, CDR 0.00 %, severity " in out
    assert "Rules: market_value < 90: recovery lag 6 months; all assets: CPR 5 %" in out
    same = written(tmp_path, "cdr: 0\nrules:\n- {where: market_value < 90, lag: 6}\n- cpr: 5%\n")
    assert projected(clo, "--scenario", file)["classes"] != ruled["classes"]
    done = projected(clo, "--scenario", same)
    (tmp_path / "stress.yaml").write_text(text, encoding="utf-8")
    assert projected(clo, "--scenario", file, "--cdr", "0") == done
    assert projected(clo, "--scenario", file, "--lag", "18")["assumptions"]["rules"][1]["lag"] is None
    assert clo("project", "--scenario", file, "--severity", "50%")[2] == ""


def test_that_the_heading_says_everything_that_a_scenario_says(clo: Said, tmp_path: Path) -> None:
    text = (
        "price_shock: -20%\ndowngrade: 1\nrefinancing: {date: 2026-07-15, margins: {A-1: 1.05%}, costs: 1000000, "
        "no_call: 2027-07-15}\n"
    )
    _, out, _ = clo("project", "--scenario", written(tmp_path, text))
    assert "prices -20 %, ratings down 1 notch" in out
    assert "Refinancing: from 2026-07-15; class A-1 at 1.05 %; costs 1,000,000.00; no call until 2027-07-15\n" in out
    told = projected(clo, "--scenario", written(tmp_path, text))["assumptions"]["refinancing"]
    assert told["margins"] == {"A-1": 0.0105}
    assert told["no_call"] == "2027-07-15"
