"""The library of scenarios: what ships, names and versions, what is written is what is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.work import scenario_library as library
from clo_desktop.work.desk import Desk
from clo_desktop.work.scenario import scenario_of_text
from clo_desktop.work.scenario_written import text_of
from engine.assumptions import Assumptions
from engine.loans.vectors import Rule
from engine.stress import Shock
from tests.engine.test_scenarios_together import everything

DEAL = "Harbor 2024-1"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "w.clo")


@given(everything)
@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
def test_that_what_is_written_is_read_again_to_the_last_bit(asked: Assumptions) -> None:
    try:
        text = text_of(asked, "A: “title”")
    except Refused as refused:
        assume("put them in order" not in refused.message)  # a deferral that ends before it begins
        raise
    found = scenario_of_text(text, "s")
    assert found.title == "A: “title”"
    assert text_of(found.assumptions, "A: “title”") == text
    for name in ("cpr", "cdr", "lag", "call_date", "rates", "buys", "reinvest", "rate_shift", "clean_up"):
        assert getattr(found.assumptions, name) == getattr(asked, name)
    assert found.assumptions.rules == tuple(rule for rule in asked.rules if rule != Rule(rule.where))


def test_that_shocks_are_written_and_the_deals_own_is_a_scenario_too() -> None:
    asked = Assumptions(
        price_shock=-0.123, downgrade=2, shocks=(Shock("market_value < 90", -0.1, 0), Shock("", 0.0, 3))
    )
    assert scenario_of_text(text_of(asked), "s").assumptions == asked
    assert scenario_of_text(text_of(Assumptions()), "s").assumptions == Assumptions()


def test_that_every_template_says_where_it_is_from_and_runs(stocked: Path) -> None:
    found = library.templates()
    assert len(found) == 10
    desk = Desk(stocked)
    irr = {}
    with desk.ready(DEAL) as model:
        for entry in found:
            assert "Trust: " in entry.about
            assert entry.as_of is not None
            run = model.run(library.scenario(entry).assumptions)
            irr[entry.name] = run.equity_irr
            assert run.sources == pytest.approx(run.uses, abs=0.01)
    assert irr["Replay 2008"] < irr["Replay 2020"] < irr["Base"]
    assert irr["Maturity wall"] < irr["Base"]


def test_that_a_timing_curve_defaults_what_it_says_in_the_years_it_says(stocked: Path) -> None:
    (entry,) = (one for one in library.templates() if one.name == "Timing 5-year B")
    (rule,) = library.scenario(entry).assumptions.rules
    assert rule.cdr.values == pytest.approx([0.25 * share for share in (0.16, 0.23, 0.26, 0.22, 0.13)] + [0.0])
    assert rule.cdr.absolute


def test_that_templates_stay_as_they_are(store: Store) -> None:
    for act in (
        lambda: library.save(store, "base", "cdr: 1%"),
        lambda: library.change(store, "Base", store.delete_scenario),
        lambda: library.change(store, "Replay 2008", lambda name: store.lock_scenario(name, "ann")),
    ):
        with pytest.raises(Refused, match="ships with the application"):
            act()
    assert store.scenarios() == ()


def test_that_a_name_with_a_version_is_that_version(store: Store) -> None:
    library.save(store, "House", "cdr: 2%", "first")
    library.save(store, "House", "cdr: 3%", "second", ["a", " a ", ""])
    assert library.scenario(library.entry(store, "House@1")).assumptions == Assumptions(cdr=0.02)
    assert library.scenario(library.entry(store, "house")).assumptions == Assumptions(cdr=0.03)
    assert library.entry(store, "house").tags == ("a",)
    with pytest.raises(Refused, match="has the versions 1 to 2; '3' is none"):
        library.entry(store, "House@3")
    with pytest.raises(Refused, match=r"called Huose\. Did you mean House\? The library also has: Base, "):
        library.entry(store, "Huose")


def test_that_an_unknown_name_is_answered_by_near_names_and_then_the_others_in_order(store: Store) -> None:
    for name in ("zebra", "Alpha"):
        library.save(store, name, "cdr: 2%")
    with pytest.raises(Refused) as stop:
        library.entry(store, "replay 2009")
    near, others = stop.value.message.split(" Did you mean ")[1].split("? The library also has: ")
    assert set(near.split(" or ")) == {"Replay 2008", "Replay 2001", "Replay 2020"}
    names = others.removesuffix(".").split(", ")
    assert names == sorted(names, key=str.casefold)
    assert {"Alpha", "zebra", "Base"} < set(names)
    assert not {"Replay 2008"} & set(names)
    with pytest.raises(Refused, match=r"called qqqq\. The library has: Alpha, Base, "):
        library.entry(store, "qqqq")


def test_that_a_copy_has_its_new_name_as_title_and_nothing_else_changes(store: Store) -> None:
    base = library.entry(None, "Base").text
    copy = library.copied("Base", lambda: store, "House: ours")
    assert scenario_of_text(copy, "x").title == "House: ours"
    assert copy.splitlines()[1:] == base.splitlines()[1:]
    library.save(store, "House", library.copied("Base", lambda: store, "House"))
    assert library.copied("House@1", lambda: store, "House") == library.entry(store, "House").text
    library.save(store, "Long", "title: >-\n  Two\n  lines\ncdr: 2%\n")
    assert library.copied("Long", lambda: store, "Short") == "title: Short\ncdr: 2%\n"
    library.save(store, "Bare", "cdr: 2%\n")
    assert library.copied("Bare", lambda: store, "Other") == "cdr: 2%\n"


def test_that_a_text_that_is_no_scenario_is_not_saved(store: Store) -> None:
    for text, why in (
        ("cdr: 120%", "not from 0 to 1"),
        ("rules: [{cdr: [1%, two]}]", "cannot be read"),
        ("rules: [{where: moodys_industry > A, cdr: 2%}]", "has no order"),
        ("", "it holds nothing"),
    ):
        with pytest.raises(Refused, match=why):
            library.save(store, "House", text)
    assert store.scenarios() == ()


def test_that_search_looks_for_every_word_in_name_tags_note_and_owner(store: Store) -> None:
    library.save(store, "House", "cdr: 2%", "for the committee", ["2026"])
    assert [one.name for one in library.listed(store, "committee 2026")] == ["House"]
    assert [one.name for one in library.listed(store, "replay")] == ["Replay 2001", "Replay 2008", "Replay 2020"]
    assert [one.name for one in library.listed(store, tag="Timing")] == [
        f"Timing 5-year {curve}" for curve in ("A", "B", "C", "flat")
    ]


def test_that_a_vector_longer_than_the_deal_is_held_to_its_end(stocked: Path) -> None:
    desk = Desk(stocked)
    long = scenario_of_text(f"rules: [{{cdr: [{', '.join(['3%'] * 400)}]}}]", "s").assumptions
    with desk.ready(DEAL) as model:
        assert (model.run(long).result.cash == model.run(Assumptions(rules=(Rule("", cdr=0.03),))).result.cash).all()
