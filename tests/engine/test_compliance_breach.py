"""What would break each test: found sets break it and have no member to spare (issue 4, what would break it)."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clo_desktop.__main__ import main
from engine import study
from engine.compliance import Compliance, Outcome
from engine.terms import Book
from engine.trades.breach import Event, What, applied, breaches, events_of, happened, verified
from resources import library
from tests.conftest import DEMO_DEAL
from tests.engine import trade_worlds
from tests.engine.builders import harbor, loan

CATALOGUE = library.catalogue()


def complied(book: Book) -> Compliance:
    return study.comply(book, CATALOGUE)


def after_book(book: Book, done: Compliance, events: tuple[Event, ...]) -> Compliance:
    """The deal evaluated anew with its assets changed: nothing of the search is used."""
    assets = dict(book.assets)
    for event in events:
        for asset_id in event.assets:
            assets[asset_id] = happened(assets[asset_id], event.what, event.price or 0.0, done.as_of)
    return complied(replace(book, assets=assets))


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=12, deadline=None)
def test_that_found_events_break_the_test_and_none_of_them_can_be_left_out(seed: int, market: bool) -> None:
    book = trade_worlds.book(np.random.default_rng(seed), market=market, size=14)
    done = complied(book)
    for b in breaches(done, CATALOGUE, kinds=tuple(What), most=5):
        assert b.before.outcome is Outcome.PASS
        if not b.events:
            continue
        number = b.before.number
        assert after_book(book, done, b.events).result(number).outcome is Outcome.FAIL
        for spared in b.events:
            fewer = tuple(e for e in b.events if e is not spared)
            left = verified(done, CATALOGUE, number, fewer)
            assert left is None or left.outcome is not Outcome.FAIL


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_that_sets_of_up_to_three_are_the_smallest_of_all_subsets(seed: int) -> None:
    book = trade_worlds.book(np.random.default_rng(seed), size=9)
    done = complied(book)
    events = events_of(done, (What.DEFAULT, What.CAA))
    smallest: dict[int, int] = {}
    for size in (1, 2, 3):
        for chosen in itertools.combinations(events, size):
            if len({e.issuer for e in chosen}) == size:
                for r in after_book(book, done, chosen).results:
                    if r.outcome is Outcome.FAIL:
                        smallest.setdefault(r.number, size)
    found = breaches(done, CATALOGUE, most=3)
    assert any(b.events for b in found)
    for b in found:
        truth = smallest.get(b.before.number)
        if truth is None:
            assert not b.events
        elif truth < 3:
            assert (len(b.events), b.proven) == (truth, True)
        else:
            assert (len(b.events), b.proven) in ((0, False), (3, True))


def test_that_the_demo_deal_s_caa_test_breaks_by_one_name_to_caa2_and_says_so_of_what_nothing_breaks() -> None:
    book = harbor()
    done = complied(book)
    (caa,) = breaches(done, CATALOGUE, numbers=[7], kinds=[What.CAA])
    assert [e.what for e in caa.events] == [What.CAA]
    assert caa.proven
    assert caa.after is not None
    assert caa.after.result > caa.after.threshold >= caa.before.result
    (coupon,) = breaches(done, CATALOGUE, numbers=[34], kinds=[What.CAA])
    assert (coupon.events, coupon.after, coupon.proven) == ((), None, False)


def test_that_an_event_does_to_an_asset_what_it_says() -> None:
    asset = loan(moodys_rating="B2", sp_issuer_rating="D", market_value=98.0, moodys_recovery_rate=0.45)
    dead = happened(asset, What.DEFAULT, 0.0, trade_worlds.AS_OF)
    assert (dead.defaulted, dead.date_of_default, dead.market_value) == (True, trade_worlds.AS_OF, 45.0)
    low = happened(asset, What.CAA, 0.0, None)
    assert (low.moodys_rating, low.moodys_rating_warf, low.sp_issuer_rating) == ("Caa2", "Caa2", "D")
    assert happened(asset, What.PRICE, 60.0, None).market_value == 60.0
    for what in What:
        once = happened(asset, what, 60.0, None)
        assert happened(once, what, 60.0, None) == once


def test_that_work_is_stopped_by_its_report_and_bad_sizes_and_prices_are_refused() -> None:
    done = complied(harbor())

    def stop(fraction: float, _what: str) -> None:
        if fraction > 0.0:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        breaches(done, CATALOGUE, report=stop)
    with pytest.raises(ValueError, match="at least 1"):
        breaches(done, CATALOGUE, most=0)
    with pytest.raises(ValueError, match="from 0 to 200"):
        breaches(done, CATALOGUE, kinds=[What.PRICE], price=-1.0)
    assert len(applied(done, ())) == len(done.pool)


def test_that_clo_breach_answers_as_data_and_in_words(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["breach", "--db", str(workspace), "--deal", DEMO_DEAL, "--test", "7", "--event", "caa"]
    assert main([*asked, "--json"]) == 0
    (test,) = json.loads(capsys.readouterr().out)["tests"]
    assert (test["breaks"], test["proven"], len(test["set"])) == (True, True, 1)
    assert test["after"]["result"] > test["after"]["threshold"]
    assert main(asked) == 0
    assert f"1 event: {test['set'][0]['name']} to Caa2/CCC." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--test", "29"], "past its limit already"),
        (["--test", "999"], "has no test 999"),
        (["--most", "0"], "at least 1"),
        (["--price", "40"], "--event price"),
        (["--event", "price", "--price", "900"], "from 0 to 200"),
    ],
)
def test_that_clo_breach_refuses_what_cannot_be_asked(
    workspace: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["breach", "--db", str(workspace), "--deal", DEMO_DEAL, *options]) == 1
    assert said in capsys.readouterr().err
