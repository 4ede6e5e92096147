"""The verb `value`: as data, in words, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clo_desktop.__main__ import main
from clo_desktop.faults import Cancelled, Refused
from clo_desktop.work import worth
from clo_desktop.work.desk import Desk
from engine.assumptions import Assumptions
from engine.valuation.conventions import MEASURES
from engine.valuation.note import Quote, Style

DEAL = "Harbor 2024-1"


@pytest.fixture(scope="module")
def desk(stocked: Path, warm: None) -> Desk:
    return Desk(stocked)


def told(capsys: pytest.CaptureFixture[str], db: Path, *arguments: str) -> tuple[int, str, str]:
    code = main(["value", "--deal", DEAL, "--db", str(db), *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def parsed(out: str) -> Any:
    def no_constant(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(out, parse_constant=no_constant)


def test_that_every_figure_of_the_data_has_its_convention_beside_it(
    capsys: pytest.CaptureFixture[str], stocked: Path, warm: None
) -> None:
    code, out, _ = told(capsys, stocked, "--json", "--worst", "--risk", "--cdr", "3%")
    data = parsed(out)
    assert code == 0
    identities = {"name", "class_id", "is_equity"}
    rows = [*data["classes"], data["equity"], data["marks"], *data["rate_risk"]]
    rows += [*data["calls"]["redemptions"], *data["calls"]["classes"]]
    assert {name for row in rows for name in row} - identities <= set(data["measures"])
    assert data["measures"]["discount_margin"]["unit"] == "rate"
    assert data["assumptions"]["cdr"] == 0.03
    assert [c["class_id"] for c in data["classes"]] == ["X", "A-1", "A-2", "B", "C", "D", "E", "SUB"]
    assert data["classes"][3]["clean"] == pytest.approx(100.18)


def test_that_a_class_may_be_quoted_as_price_yield_margin_or_spread(
    capsys: pytest.CaptureFixture[str], stocked: Path, warm: None
) -> None:
    quotes = ("--price", "Class E=97", "--yield", "D=7.5%", "--margin", "B=1.9%", "--spread", "C=0.025")
    found = {c["class_id"]: c for c in parsed(told(capsys, stocked, "--json", *quotes)[1])["classes"]}
    assert found["E"]["clean"] == 97.0
    assert found["D"]["yield_quarterly"] == pytest.approx(0.075, abs=1e-12)
    assert found["B"]["discount_margin"] == pytest.approx(0.019, abs=1e-12)
    assert found["C"]["z_spread"] == pytest.approx(0.025, abs=1e-12)
    assert [found[c]["quoted"] for c in "EDBC"] == ["price", "yield_quarterly", "discount_margin", "z_spread"]


def test_that_words_tell_prices_losses_and_conventions(
    capsys: pytest.CaptureFixture[str], stocked: Path, warm: None
) -> None:
    code, out, _ = told(capsys, stocked, "--cdr", "12%", "--severity", "60%", "--worst", "--call-cost", "500000")
    assert code == 0
    assert "Class E loses" in out
    assert "uncovered from" in out
    assert "To worst over maturity and" in out
    assert f"Discount margin: {MEASURES['discount_margin'].convention}." in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--price", "Z=99"), "no class Z; it has X, A-1"),
        (("--price", "B=0"), "A price is per 100"),
        (("--margin", "B=1200"), "A yield, margin or spread"),
        (("--price", "B=99", "--margin", "Class B=1%"), "quoted twice"),
        (("--settle", "2020-01-01"), "Settlement on 2020-01-01 is not possible"),
        (("--worst", "--call-cost", "-5"), "Costs of a call"),
        (("--cdr", "3"), "The default rate"),
    ],
)
def test_that_what_cannot_be_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], stocked: Path, warm: None, arguments: tuple[str, ...], sentence: str
) -> None:
    code, out, err = told(capsys, stocked, *arguments)
    assert code == 1
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_that_a_quote_without_a_class_is_wrong_usage(capsys: pytest.CaptureFixture[str], stocked: Path) -> None:
    assert told(capsys, stocked, "--price", "99.5")[0] == 2


def test_that_a_valuation_can_be_cancelled(desk: Desk) -> None:
    def report(fraction: float, what: str) -> None:
        if fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        worth.value(desk, DEAL, Assumptions(), to_worst=True, report=report)


def test_that_an_unknown_deal_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="no deal"):
        worth.value(desk, "Nowhere", Assumptions(), [("B", Quote(Style.PRICE, 99.0))])
