"""Scenario files: what they may say, what they are refused for, and how they are told."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.faults import Refused
from clo_desktop.work import plain, scenario_told, summary
from clo_desktop.work.desk import Desk
from clo_desktop.work.scenario import Scenario, read_forwards, read_scenario, scenario_of_text
from engine.assumptions import Assumptions, Proxy, RatePath
from engine.loans.events import Events, PikWindow, Sale
from engine.loans.vectors import Rule, Vector, ramp
from engine.projection import Projection

DEAL = "Harbor 2024-1"
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"
EXAMPLES = re.findall(r"^## (.+?)\n.*?```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def read(text: str) -> Assumptions:
    return scenario_of_text(text, "s.yaml").assumptions


def refusal(text: str) -> str:
    with pytest.raises(Refused) as stop:
        read(text)
    assert stop.value.code == "scenario"
    assert "\n" not in stop.value.message
    return stop.value.message


def whole() -> str:
    """All the examples of the guide as one file."""
    return "\n".join(text for _, text in EXAMPLES)


@pytest.fixture(scope="module")
def desk(stocked: Path) -> Desk:
    return Desk(stocked)


# -- what it may say --------------------------------------------------------------------------------------------------


def test_that_the_guide_has_an_example_of_every_feature() -> None:
    assert len(EXAMPLES) == 8
    everything = read(whole())
    assert [name for name in Assumptions.__slots__ if getattr(everything, name) == getattr(Assumptions(), name)] == []


@pytest.mark.parametrize(("feature", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_that_an_example_of_the_guide_runs_on_the_demo_deal_and_balances(desk: Desk, feature: str, text: str) -> None:
    made = desk.project(DEAL, read(text))
    assert made.sources == pytest.approx(made.uses, abs=0.01)
    assert made.uses.tolist() != desk.project(DEAL).uses.tolist(), feature


def test_that_units_of_rates_are_the_same_number() -> None:
    for text in ("0.041", "4.1%", "4.1 %", "410bp", "'0.041'"):
        assert read(f"cdr: {text}").cdr == 0.041


@pytest.mark.parametrize(("text", "rating"), [("b2", "B2"), ("B", "B2"), ("CCC+", "Caa1"), ("aa1", "Aa1"), ("C", "C")])
def test_that_a_rating_of_either_agency_is_the_moody_s_one(text: str, rating: str) -> None:
    assert read(f"buys: [{{share: 1, spread: 3%, rating: {text}}}]").buys == (Proxy(1.0, 0.03, rating=rating),)


def test_that_what_is_read_is_what_is_written() -> None:
    made = read(whole())
    assert (made.cpr, made.cdr, made.severity, made.lag, made.sale_price) == (0.1, 0.04, 0.45, 12.0, 94.5)
    assert made.buy_price == 98.5
    assert (made.reinvest, made.recover_after_maturity) == (False, False)
    assert made.rate_shift == -0.005
    assert made.rates == RatePath(
        key_shifts=((12.0, 0.0025), (60.0, -0.005)),
        interpolation="log-linear discount",
        forwards=((dt.date(2026, 1, 15), 0.039), (dt.date(2026, 7, 15), 0.034)),
        floored=True,
    )
    assert (made.call_date, made.call_below, made.clean_up) == (dt.date(2028, 7, 15), 0.01, 0.1)
    assert made.buys == (Proxy(0.6, 0.035, rating="B2"), Proxy(0.4, 0.05, 0.005, 72.0, "Caa1"))
    assert made.rules == (
        Rule("moodys_rating > B3", cdr=0.08, severity=0.6, lag=18.0),
        Rule("moodys_industry = Automotive and market_value < 90", cdr=ramp(0.05, 0.12, 24)),
        Rule("not defaulted", cpr=Vector((0.01, 0.015, 0.02), step=1, per_step=True)),
        Rule("country = USA", cdr=Vector((0.02, 0.04, 0.03))),
    )
    assert made.events == Events(
        maturities={"HBR000119": dt.date(2033, 6, 30)},
        pik={"HBR000121": PikWindow(0.5, dt.date(2025, 6, 30), dt.date(2026, 6, 30))},
        sales={"HBR000118": Sale(dt.date(2025, 9, 30), 0.965)},
        draws={"HBR000404": ((dt.date(2025, 8, 1), 150_000.0),)},
        draw_share=0.5,
    )


def test_that_an_empty_list_of_draws_draws_nothing_and_ids_of_digits_stand_in_quotes() -> None:
    events = read("events: {draws: {'012345': []}}").events
    assert events is not None
    assert events.draws == {"012345": ()}


def test_that_a_title_is_kept_and_an_empty_key_says_nothing() -> None:
    made = scenario_of_text("title: Base\ncpr:\ncdr: ", "s.yaml")
    assert made == Scenario("s.yaml", "Base", Assumptions())


# -- what it is refused for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "s.yaml: it holds nothing; write what is assumed"),
        ("- cdr", "s.yaml: .* stands here; a scenario is a list of keys and values"),
        ("cdrr: 3%", "s.yaml, cdrr: there is no such key; known here are title, call, cpr"),
        ("cdr: 3\n", "s.yaml, cdr: “3” is not from 0 to 1; .*3%"),
        ("cdr: lots", "s.yaml, cdr: “lots” cannot be read"),
        ("cdr: true", "s.yaml, cdr: “True” cannot be read"),
        ("cdr: .nan", "s.yaml, cdr: “nan” cannot be read"),
        ("cdr: 1" + "0" * 400, "s.yaml, cdr: .* cannot be read"),
        ("cdr: [1%]", "s.yaml, cdr: .* cannot be read"),
        ("cdr: 3%\ncdr: 4%", "s.yaml, line 2: it cannot be read .*stands twice.*write it once"),
        ("cdr: 3%\n  cpr: 4%", "s.yaml, line 2: it cannot be read"),
        ("cdr: !!python/object:os.system x", "s.yaml, line 1: it cannot be read"),
        ("1: 2", "s.yaml: “1” is no key; write a word"),
        ("lag: 12%", "s.yaml, lag: “12%” cannot be read; a number of months"),
        ("sale_price: 0.97", "s.yaml, sale_price: .* percentage of par"),
        ("reinvest: maybe", "s.yaml, reinvest: “maybe” is neither; write true or false"),
        ("title: 3", "s.yaml, title: “3” is no text"),
        ("curve: {shift: 50}", "s.yaml, curve.shift: .* 50bp"),
        ("curve: {tilt: 1%}", "s.yaml, curve.tilt: there is no such key; known here are shift"),
        ("curve: {interpolation: spline}", "curve.interpolation: “spline” is not known; write one of linear zero"),
        ("curve: {key_shifts: {-3: 1%}}", "s.yaml, curve.key_shifts.-3: .* months"),
        ("curve: {key_shifts: {24: 1%, 24.0: 2%}}", "s.yaml, line 1: .*a key stands twice.*write it once"),
        ("curve: {key_shifts: [1%]}", "curve.key_shifts: .* write months, a colon and the shift"),
        ("curve: {forwards: {tomorrow: 1%}}", "curve.forwards.tomorrow: .* is no date"),
        ("curve: {forwards: {2026-01-15: 4}}", "curve.forwards.2026-01-15: .* 3%"),
        ("call: 2027-01-15", "s.yaml, call: .* write date, below or clean_up under it"),
        ("call: {date: 15.1.2027}", "s.yaml, call.date: .* write 2027-04-15"),
        ("call: {date: 1027-01-15}", "s.yaml, call.date: 1027-01-15 is not from 1990"),
        ("call: {date: 2027-01-15 12:00:00}", "s.yaml, call.date: .* is no date"),
        ("call: {below: 101%}", "s.yaml, call.below: .* from 0 to 1"),
        ("buys: {share: 1}", "s.yaml, buys: .* write a list"),
        ("buys: []", "s.yaml, buys: .* write a list"),
        ("buys: [{spread: 3%}]", r"s.yaml, buys\[1\]: share is missing; write it"),
        ("buys: [{share: 0, spread: 3%}]", r"s.yaml, buys\[1\]: The share of a proxy"),
        ("buys: [{share: 60%, spread: 3%}]", "s.yaml: The shares of what is bought add up to 1; these add up to 0.6"),
        ("buys: [{share: 1, spread: 3%, months: 0}]", r"s.yaml, buys\[1\].months"),
        ("buys: [{share: 1, spread: 3%, rating: B9}]", r"s.yaml, buys\[1\].rating: “B9” is no rating.*, such as B2"),
        ("buys: [{share: 1, spread: 3%, rating: D}]", r"s.yaml, buys\[1\].rating: “D” is no rating to buy; write one"),
        ("buys: [{share: 1, spread: 3%, rating: 12}]", r"s.yaml, buys\[1\].rating: “12” is no rating to buy"),
        ("rules: [{cdr: 3%}, {where: x >}]", r"s.yaml, rules\[2\].where: "),
        ("rules: [{where: nothing = 3, cdr: 1%}]", r"s.yaml, rules\[1\].where: "),
        ("rules: [{where: country = USA}]", r"s.yaml, rules\[1\]: it says nothing; give it cpr"),
        ("rules: [{cdr: {values: [3%, 5]}}]", r"s.yaml, rules\[1\].cdr.values\[2\]: "),
        ("rules: [{cdr: {values: []}}]", r"s.yaml, rules\[1\].cdr.values: .* write a list"),
        ("rules: [{cdr: {from: 3%, months: 3}}]", r"s.yaml, rules\[1\].cdr: to is missing"),
        ("rules: [{cdr: {from: 3%, to: 5%, months: 0}}]", r"rules\[1\].cdr.months: .* whole number from 1"),
        ("rules: [{cdr: {values: [1%], step: 1.5}}]", r"rules\[1\].cdr.step: .* whole number"),
        ("rules: [{severity: {values: [1%], absolute: true}}]", r"rules\[1\].severity: .* leave per_step and absolute"),
        ("rules: [{cpr: {values: [1%], absolute: true}}]", r"rules\[1\].cpr: absolute is of default rates only"),
        ("events: {sales: {X: {date: 2026-01-15}}}", "s.yaml, events.sales.X: price is missing"),
        ("events: {sales: {X: {date: 2026-01-15, price: 0.97}}}", "events.sales.X.price: .* percentage of par"),
        ("events: {sales: {12: {date: 2026-01-15, price: 97}}}", "events.sales: “12” is no key; .* in quotes"),
        ("events: {draws: {X: {date: 2026-01-15, amount: 5}}}", "events.draws.X: .* write a list"),
        ("events: {draws: {X: [{date: 2026-01-15, amount: -5}]}}", r"events.draws.X\[1\].amount: "),
        ("events: {deferrals: {X: {from: 2026-01-15, until: 2025-01-15}}}", "deferrals.X.until: .* put them in order"),
        ("events: {sold: {}}", "s.yaml, events.sold: there is no such key; known here are maturities"),
        ("a: &a [*a]", "s.yaml, a: there is no such key"),
        ("buys: &a [*a]", r"s.yaml, buys\[1\]: "),
        ("[" * 5000, "s.yaml"),
    ],
)  # fmt: skip
def test_that_what_cannot_be_is_refused_with_file_key_and_remedy(text: str, said: str) -> None:
    assert re.search(said, refusal(text)), refusal(text)


def refused(text: str) -> str:
    """What a text is refused with; "" where it is read."""
    try:
        read(text)
    except Refused as stop:
        return stop.message
    return ""


@given(st.integers(0, len(whole()) - 1), st.integers(1, 40), st.text("{}[]:,-'\"&*!%#|> \n\t09aé\x07", max_size=6))
def test_that_a_damaged_file_is_read_or_refused_in_a_sentence(at: int, many: int, put: str) -> None:
    said = refused(whole()[:at] + put + whole()[at + many :])
    assert not said or re.match(r"s\.yaml[,:] ", said)
    assert len(said) < 500


plain_data: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("cpr", "lag", "sale_price", "curve", "call", "buys", "rules", "events", "reinvest", "title")


@given(st.dictionaries(st.sampled_from(KEYS), plain_data))
def test_that_any_data_under_known_keys_are_read_or_refused(data: dict[str, Any]) -> None:
    said = refused(yaml.safe_dump(data))
    assert not said or re.match(r"s\.yaml[,:] ", said)


def test_that_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot be read .*check its name"):
        read_scenario(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: Größe".encode("latin-1"))
    with pytest.raises(Refused, match="is no text; save it as YAML in UTF-8"):
        read_scenario(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_text("# " + "x" * 1_000_001)
    with pytest.raises(Refused, match="larger than 1 MB"):
        read_scenario(tmp_path / "large.yaml")
    (tmp_path / "marked.yaml").write_bytes(b"\xef\xbb\xbfcdr: 3%\r\ncpr: 4%\r\n")
    assert read_scenario(tmp_path / "marked.yaml").assumptions == Assumptions(cdr=0.03, cpr=0.04)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no forwards"),
        ("day,rate\n2026-01-15,0.04\n", "line 2: forwards need the columns date and rate"),
        ("date,rate\n2026-01-15\n", "line 2: forwards need"),
        ("date,rate\nsoon,0.04\n", "line 2: “soon” is no date"),
        ("date,rate\n2026-01-15,4\n", "line 2: “4” is not from -0.05 to 1"),
        ("date,rate\n2026-01-15,4%\n2026-01-15,3%\n", "line 3: 2026-01-15 is not after the day before it"),
    ],
)
def test_that_forwards_that_cannot_be_are_refused_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "f.csv"
    file.write_text(text)
    with pytest.raises(Refused, match=said):
        read_forwards(file)


def test_that_forwards_of_a_csv_are_fractions_or_percentages(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("date,rate\n2026-01-15,0.041\n2026-07-15,3.9%\n")
    assert read_forwards(file) == ((dt.date(2026, 1, 15), 0.041), (dt.date(2026, 7, 15), 0.039))


# -- how it is told ---------------------------------------------------------------------------------------------------


def told(flows: Projection) -> str:
    return "\n".join(summary.projection(flows).splitlines()[:12])


def test_that_the_summary_names_what_was_assumed_beside_the_numbers(desk: Desk) -> None:
    text = told(desk.project(DEAL, read(whole())))
    for words in (
        "curve shifted by -50 bp, prices -10 %, ratings down 1 notch, redeemed from 2028-07-15, called after a "
        "distribution below 1 % of the equity, "
        "called when the performing par is below 10 % of the opening par, no reinvestment, no recoveries after "
        "maturity",
        "Rate path: zero rates shifted by +25 bp at 12 months, -50 bp at 60 months; curve interpolated by log-linear "
        "discount; 2 given forwards, from 3.9 % on 2026-01-15 to 3.4 % from 2026-07-15; no forward below 0 %",
        "Reinvestment buys: at a price of 98.5 % of par; 60 % at 3.5 % over the index, 60 months, rated "
        "B2; 40 % at 5 % over the index, floor 0.5 %, 72 months, rated Caa1",
        "Rules: moodys_rating > B3: CDR 8 %, severity 60 %, recovery lag 18 months; ",
        "country = USA: CDR from 2 % to 3 % in 3 entries by interest date",
        "HBR000118 is sold on 2025-09-30 at 96.5 % of par",
        "HBR000404 draws 150,000.00 on 2025-08-01; 50 % of other commitments is drawn after 12 months",
        "HBR000121 defers 50 % of its interest from 2025-06-30 until 2026-06-30",
    ):
        assert words in text, text
    assert "Rules" not in told(desk.project(DEAL))


def test_that_many_events_are_counted_and_not_all_told() -> None:
    sales = {f"A{k}": Sale(dt.date(2026, 1, 15), 0.97) for k in range(20)}
    ((_, entries),) = scenario_told.sections(Assumptions(events=Events(sales=sales)))
    assert len(entries) == 9
    assert entries[-1] == "and 12 more"


def test_that_plain_data_say_everything_and_are_json(desk: Desk) -> None:
    data = plain.projection(desk.project(DEAL, read(whole())))["assumptions"]
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["curve"]["key_shifts"] == [{"months": 12.0, "shift": 0.0025}, {"months": 60.0, "shift": -0.005}]
    assert data["rules"][3]["cdr"]["values"] == [0.02, 0.04, 0.03]
    assert data["events"]["sales"] == {"HBR000118": {"date": "2025-09-30", "price": 96.5}}
    assert (data["buys"][1]["months"], data["buys"][1]["rating"]) == (72.0, "Caa1")
    none = plain.projection(desk.project(DEAL))["assumptions"]
    assert (none["rules"], none["buys"], none["events"], none["call_below"]) == ([], [], None, None)


def test_that_an_event_of_an_asset_that_is_not_held_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="holds no asset NOBODY; take it out of the maturities"):
        desk.project(DEAL, read("events: {maturities: {NOBODY: 2030-01-15}}"))
