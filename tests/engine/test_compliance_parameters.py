"""Choices of a deal among readings, affiliates, listed assets, outcomes: each a label of its inputs (issue 4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compliance import MARKET, WORKBOOK, Compliance, Outcome, evaluate, parameters, plan_of, stand
from engine.compliance.parameters import families, of_deal
from engine.pool import Pool
from engine.terms import Deal, TestLimit
from resources import library
from tests.engine.test_compliance_oracle import INPUTS, judged
from tests.engine.test_compliance_rules import asset


def run(lots: Any, *limits: TestLimit, cash: float = 0.0, **labels: Any) -> Compliance:
    inputs = tuple((name.replace("_", " "), value) for name, value in labels.items())
    return judged(lots, cash, (), limits=limits, quality_inputs=tuple(INPUTS.items()), clo_inputs=inputs)


def readings(**labels: Any) -> Any:
    return of_deal(WORKBOOK, Deal("d", clo_inputs=tuple((k.replace("_", " "), v) for k, v in labels.items())))


# --- readings ----------------------------------------------------------------------------------------------------


def test_that_a_deal_without_choices_has_the_preset_itself() -> None:
    assert of_deal(MARKET, Deal("d")) is MARKET


@pytest.mark.parametrize("parameter", parameters.PARAMETERS, ids=lambda p: p.label)
def test_that_every_parameter_takes_its_words_and_refuses_others_naming_them(parameter: Any) -> None:
    for word, value in parameter.choices.items():
        made = of_deal(WORKBOOK, Deal("d", quality_inputs=((f" {parameter.label.upper()} ", word.title()),)))
        field: Any = made
        for name in parameter.field.split("."):
            field = getattr(field, name)
        assert field == value
    if parameter.low < parameter.high:
        of_deal(WORKBOOK, Deal("d", quality_inputs=((parameter.label, parameter.high),)))
        with pytest.raises(ValueError, match=r"cannot be .* number from"):
            of_deal(WORKBOOK, Deal("d", quality_inputs=((parameter.label, parameter.high + 100),)))
    with pytest.raises(ValueError, match=f"“{parameter.label}” cannot be 'no such word'; it may be"):
        of_deal(WORKBOOK, Deal("d", quality_inputs=((parameter.label, "no such word"),)))


def test_that_the_rating_of_the_caa_test_is_the_deal_s_and_is_shown_beside_the_number() -> None:
    lots = [(asset(0, moodys_rating="Caa2", moodys_dpr="B3", moodys_rating_warf="Caa1"), 25.0), (asset(1), 75.0)]
    limit = TestLimit(7, "", "MAX", 0.1)
    found = [run(lots, limit, Caa_Rating=word).result(7) for word in ("facility", "default probability", "WARF")]
    assert [r.result for r in found] == [0.25, 0.0, 0.25]
    assert found[1].reading.startswith("By Moody's default probability rating")
    assert found[2].wording == "not defaulted and moodys_rating_warf >= Caa1"


def test_that_floor_and_spread_adjustment_count_in_the_spread_as_the_deal_says() -> None:
    lots = [(asset(0, coupon_spread=0.04, index_floor=0.0125, credit_spread_adjustment=0.001, coupon=0.06), 1.0)]
    limit = TestLimit(46, "", "MIN", 0.03)

    def spread(**labels: Any) -> float:
        return run(lots, limit, **labels).result(46).result

    assert spread() == pytest.approx(0.06 - 0.0075)
    assert spread(Floating_Spread="floor") == pytest.approx(0.04 + 0.001 + 0.005)
    assert spread(Floating_Spread="floor", Credit_Spread_Adjustment="left out") == pytest.approx(0.045)
    assert spread(Floating_Spread="margin") == pytest.approx(0.041)
    said = run(lots, limit, Floating_Spread="margin", Credit_Spread_Adjustment="left out").result(46).reading
    assert said.startswith("Spread, without the benefit of the floor")


def test_that_first_lien_last_out_is_senior_or_not_as_the_deal_says() -> None:
    lots = [(asset(0, first_lien_last_out=True), 10.0), (asset(1), 90.0)]
    limits = (TestLimit(1, "", "MIN", 0.9), TestLimit(2, "", "MAX", 0.1))
    assert [r.result for r in run(lots, *limits).results] == [1.0, 0.0]
    assert [r.result for r in run(lots, *limits, First_Lien_Last_Out="junior").results] == [0.9, 0.1]


def test_that_diversity_follows_units_and_industry_of_the_deal() -> None:
    lots = [(asset(i, moodys_industry="A" if i else "B", issuer_id=f"O{i // 2}"), 1.0 + i) for i in range(5)]
    limit = TestLimit(37, "", "MIN", 1.0)
    exact = run(lots, limit, Diversity_Units="interpolated").result(37).result
    # obligors of 3, 7 and 5: mean 5, units 0.6, 1 and 1; the first is B by its first position, A by its largest
    assert exact == pytest.approx(0.6 + 1.5)
    largest = run(lots, limit, Diversity_Units="interpolated", Diversity_Industry="largest").result(37)
    assert largest.result == pytest.approx(1 + 1.6 / 2)
    assert "largest" in largest.reading


@pytest.mark.parametrize(
    ("share", "spread", "factor"), [(None, 4.0, 4.0), (0.0, 4.0, 0.0), (1.0, 0.0, 4.0), (0.25, 3.0, 1.0)]
)
def test_that_recovery_above_the_pivot_is_allotted_once(share: float | None, spread: float, factor: float) -> None:
    lots = [(asset(0, moodys_recovery_rate=0.47), 1.0)]
    limits = (TestLimit(32, "", "MIN"), TestLimit(36, "", "MAX"))
    done = run(lots, *limits, **({} if share is None else {"Recovery_Share_to_WARF": share}))
    assert done.result(32).threshold == pytest.approx(0.038 - spread / 100 * 0.065)
    assert done.result(36).threshold == pytest.approx(2700 + factor * 60)


def test_that_an_allotted_recovery_never_tightens_a_limit_and_is_capped() -> None:
    limits = (TestLimit(36, "", "MAX"),)

    def limit(rate: float, **labels: Any) -> float:
        return run([(asset(0, moodys_recovery_rate=rate), 1.0)], *limits, **labels).result(36).threshold

    assert limit(0.40) == pytest.approx(2700 - 3 * 60)
    assert limit(0.40, Recovery_Share_to_WARF=1.0) == 2700
    assert limit(0.90, Recovery_Share_to_WARF=1.0) == pytest.approx(2700 + 17 * 60)
    assert limit(0.90, Recovery_Share_to_WARF=1.0, Recovery_Cap=0.5) == pytest.approx(2700 + 7 * 60)


# --- three outcomes ----------------------------------------------------------------------------------------------

FAILING = [(asset(0, country="Canada", defaulted=None), 30.0), (asset(1), 70.0)]


@pytest.mark.parametrize(
    ("allowed", "number", "outcome"),
    [
        ("all", 14, "maintained"), ("none", 14, "fail"), ("1-20", 14, "maintained"), ("15, 20-31", 14, "fail"),
        ("all but coverage", 14, "maintained"), ("all but coverage", 38, "fail"), ("all", 38, "maintained"),
    ],
)  # fmt: skip
def test_that_maintained_is_an_outcome_only_where_the_criteria_allow_it(
    allowed: str, number: int, outcome: str
) -> None:
    limit = TestLimit(14, "", "MAX", 0.2, None, 0.31) if number == 14 else TestLimit(38, "", "MIN", 1.0, None, 1e-9)
    found = run(FAILING, limit, Maintain_or_Improve=allowed).result(number)
    assert found.outcome.value == outcome
    if outcome == "fail":
        assert "criteria do not allow" in found.comment


def test_that_the_baseline_is_the_deal_s_and_an_evaluation_does_not_change_it() -> None:
    limit = TestLimit(14, "", "MAX", 0.2, None, 0.29)
    first, second = (run(FAILING, limit, Maintain_or_Improve="all").result(14) for _ in range(2))
    assert first.outcome is second.outcome is Outcome.FAIL  # a result is never its own baseline
    assert limit.previous == first.previous == 0.29


def test_that_numbers_that_a_workbook_made_of_texts_are_read_as_the_texts() -> None:
    assert readings(Maintain_or_Improve=14.0).may_maintain(14, "share")
    assert readings(Affiliate_7=8.0).affiliates == (("7", "8"),)
    assert readings(WAL_Decimals=2.0).wal_decimals == 2


def test_that_a_defaulted_asset_is_worth_nothing_after_the_years_of_the_deal() -> None:
    old = asset(0, defaulted=True, market_value=50.0, date_of_default=dt.date(2023, 3, 30))
    limit = TestLimit(38, "", "MIN", 1.0)
    kept = run([(old, 100.0), (asset(1), 100.0)], limit)
    gone = run([(old, 100.0), (asset(1), 100.0)], limit, Defaulted_Years_to_Nothing=3.0)
    later = run([(old, 100.0), (asset(1), 100.0)], limit, Defaulted_Years_to_Nothing=4.0)
    assert [r.result(38).numerator for r in (kept, gone, later)] == [150.0, 100.0, 150.0]
    assert "3 years after the default" in gone.result(38).reading


def test_that_a_maintain_rule_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Maintain or Improve.*sometimes.*1-31, 35"):
        readings(Maintain_or_Improve="sometimes")


# --- affiliates --------------------------------------------------------------------------------------------------


def test_that_affiliates_count_as_one_obligor_in_names_diversity_and_unit() -> None:
    lots = [(asset(0, issuer_id="ZAYO"), 3.0), (asset(1, issuer_id="ZAYOGR"), 3.0), (asset(2, issuer_id="Big"), 4.0)]
    limits = (TestLimit(4, "", "MAX", 0.5), TestLimit(37, "", "MIN", 1.0), TestLimit(101, "", "MAX", 1.0))
    apart, one = run(lots, *limits), run(lots, *limits, Affiliate_ZAYOGR="zayo")
    assert (apart.result(4).result, one.result(4).result) == (0.4, 0.6)
    assert one.result(4).comment == "ZAYO with ZAYOGR"
    assert "1 issuer counted with an affiliate" in one.result(4).reading
    assert one.result(37).result < apart.result(37).result
    assert (apart.result(101).comment, one.result(101).comment) == ("3 names", "2 names")


@given(st.dictionaries(st.sampled_from("ABCDEFG"), st.sampled_from("ABCDEFGH"), max_size=6))
def test_that_chains_of_affiliates_end_at_a_head_and_loops_are_refused(pairs: dict[str, str]) -> None:
    def ends(issuer: str) -> bool:
        seen = set()
        while issuer in pairs and issuer not in seen:
            seen.add(issuer)
            issuer = pairs[issuer]
        return issuer not in pairs

    if all(ends(issuer) for issuer in pairs):
        heads = families(pairs)
        assert all(head not in pairs for head in heads.values())
        assert heads.keys() == pairs.keys()
    else:
        with pytest.raises(ValueError, match=r"loop .* → "):
            families(pairs)


# --- what only the deal can say ----------------------------------------------------------------------------------


def test_that_listed_assets_are_those_the_deal_lists_and_silence_is_no_pass() -> None:
    limit = TestLimit(45, "Swapped", "MAX", 0.05)
    silent = run(FAILING, limit)
    assert silent.results == ()
    assert any("Test 45 (Swapped) was not evaluated" in n and "or none" in n for n in silent.notes)
    label = "Swapped_Non-Discount_Obligations"
    assert run(FAILING, limit, **{label: "None"}).result(45).result == 0.0
    assert run(FAILING, limit, **{label: " a1 ; A0"}).result(45).result == 1.0
    strange = run(FAILING, limit, **{label: "A1; A7"})
    assert any("lists A7, which the asset master does not have" in n for n in strange.notes)


def test_that_a_listed_asset_sold_in_full_counts_for_nothing_and_refuses_no_test() -> None:
    inputs = (*INPUTS.items(), ("Swapped Non-Discount Obligations", "A1; A7"))
    deal = Deal("d", limits=(TestLimit(45, "Swapped", "MAX", 0.05),), quality_inputs=inputs)
    master = [*(a for a, _ in FAILING), asset(7)]
    done = evaluate(deal, Pool(FAILING), library.catalogue(), WORKBOOK, master)
    only = replace(deal, quality_inputs=(*INPUTS.items(), ("Swapped Non-Discount Obligations", "A1")))
    held = evaluate(only, Pool(FAILING), library.catalogue(), WORKBOOK).result(45)
    assert done.result(45).result == held.result > 0.0
    sold = replace(deal, quality_inputs=(*INPUTS.items(), ("Swapped Non-Discount Obligations", "A7")))
    assert evaluate(sold, Pool(FAILING), library.catalogue(), WORKBOOK, master).result(45).result == 0.0


def test_that_the_recovery_of_junior_debt_goes_by_the_senior_debt_of_the_master_held_or_not() -> None:
    junior = asset(0, issuer_id="N", sp_priority_category="Senior Unsecured Loan/Second Lien Loan")
    senior = asset(1, issuer_id="n ", sp_priority_category="Senior Secured Loan", sp_recovery_rating="6")
    deal = Deal("d", limits=(TestLimit(146, "", "MIN", 0.3),), quality_inputs=tuple(INPUTS.items()))

    def rate(lots: Any, master: Any = None) -> float:
        plan = plan_of(deal, Pool(lots), library.catalogue(), WORKBOOK, master)
        return plan.reckon(Pool(lots).par, 0.0).figures[146].result

    alone, known = rate([(junior, 1.0)]), rate([(junior, 1.0)], [junior, senior])
    assert alone > known == 0.0
    assert rate([(junior, 1.0), (senior, 0.0)], [junior, senior]) == known
    assert rate([(junior, 1.0), (senior, 0.0)], [junior]) == alone


def test_that_a_test_whose_meaning_is_a_minimum_is_refused_as_a_maximum() -> None:
    refused = run(FAILING, TestLimit(47, "Emerging", "MAX", 0.125))
    assert refused.results == ()
    assert any("bounds it from above, its meaning is a bound from below" in n for n in refused.notes)
    assert run(FAILING, TestLimit(47, "", "MIN", 0.9)).result(47).outcome is Outcome.PASS


def test_that_baskets_of_trading_are_inputs_of_the_deal() -> None:
    limit = TestLimit(170, "", "MAX", 0.25)
    assert run(FAILING, limit).results == ()
    done = run(FAILING, limit, Discretionary_Sales=30.0)
    assert (done.result(170).result, done.result(170).outcome.value) == (0.3, "fail")
    assert run(FAILING, limit, Discretionary_Sales=30.0, Discretionary_Base=200.0).result(170).result == 0.15


def test_that_blank_ratings_are_derived_said_and_carry_their_path() -> None:
    blank = asset(0, moodys_rating=None, moodys_rating_warf="NR")
    lots = [(replace(blank, moodys_issuer_rating="B1", moodys_issuer_outlook="Negative"), 1.0)]
    done = run(lots, TestLimit(36, "", "MAX", 3000.0))
    assert done.result(36).result == 2720.0
    assert {f.column: f.path for f in done.filled}["moodys_rating_warf"] == "issuer B1, negative outlook -1: B2"
    assert "1 of 1 asset had no WARF rating: derived by the agencies' rules." in done.notes
    notched = run(lots, TestLimit(36, "", "MAX", 3000.0), WARF_Negative_Outlook_Notches=-2.0)
    assert notched.result(36).result == 3490.0


def test_that_a_stored_rating_wins_over_what_the_rules_give() -> None:
    lots = [(asset(0, moodys_rating_warf="Ba3", moodys_issuer_rating="Caa1"), 1.0)]
    assert run(lots, TestLimit(36, "", "MAX", 3000.0)).result(36).result == 1766.0


def test_that_a_plan_over_more_assets_gives_the_figures_of_what_is_held() -> None:
    lots = [*FAILING, (asset(7, issuer_id="Z", country="Germany", moodys_industry="X"), 0.0)]
    numbers = [n for n in library.catalogue().definitions if n <= 54 and n not in (45, 47)]
    definitions = library.catalogue().definitions
    limits = tuple(TestLimit(n, "", definitions[n].direction, 0.5) for n in numbers)
    deal = Deal("d", limits=limits, quality_inputs=tuple(INPUTS.items()))
    wide, narrow = (plan_of(deal, Pool(x), library.catalogue(), WORKBOOK) for x in (lots, FAILING))
    held = Pool(FAILING).par
    one, two = wide.reckon(Pool(lots).par, 5.0), narrow.reckon(held, 5.0)
    assert {n: f.result for n, f in one.figures.items()} == pytest.approx({n: f.result for n, f in two.figures.items()})
    bought = replace(deal, limits=limits)
    more = plan_of(bought, Pool([*FAILING, (lots[2][0], 20.0)]), library.catalogue(), WORKBOOK)
    par = Pool(lots).par.copy()
    par[2] = 20.0
    there, afresh = wide.reckon(par, -15.0), more.reckon(par, -15.0)
    assert {n: f.result for n, f in there.figures.items()} == pytest.approx(
        {n: f.result for n, f in afresh.figures.items()}
    )


def test_that_an_average_of_what_is_not_held_passes_whatever_a_universe_has() -> None:
    lots = [*FAILING, (asset(7, coupon_type="FIXED", coupon=0.05), 0.0)]
    deal = Deal("d", limits=(TestLimit(34, "", "MIN", 0.07),), quality_inputs=tuple(INPUTS.items()))
    plan = plan_of(deal, Pool(lots), library.catalogue(), WORKBOOK)
    held, bought = Pool(lots).par, Pool(lots).par.copy()
    bought[2] = 1.0
    outcomes = [stand(plan, plan.reckon(par, 0.0))[0][34].outcome for par in (held, bought)]
    assert outcomes == [Outcome.PASS, Outcome.FAIL]
