"""The demo deal earns what such deals earn, and shows diversion and cures when defaults are heavy."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from engine import cash, study
from engine.assumptions import Assumptions
from engine.projection import Projection
from engine.terms import Book
from resources import library
from resources.demo import calendar as days
from resources.demo.generate import make_book


@pytest.fixture(scope="module")
def book() -> Book:
    return make_book()


def run(book: Book, **assumptions: float) -> Projection:
    return study.project(book, library.waterfalls(), library.assumed_terms(), Assumptions(**assumptions))


def first_failures(projection: Projection) -> dict[str, dt.date]:
    """Of each test that fails at all, the first payment date on which it does."""
    found = {}
    for k, test in enumerate(projection.document.tests):
        fails = np.flatnonzero(projection.result.ratio[:, k] < projection.result.trigger[:, k])
        if fails.size:
            found[test.id] = projection.payment_dates[fails[0]]
    return found


def test_that_the_deal_brings_its_own_terms_and_its_equity_a_usual_return(book: Book) -> None:
    base = run(book)
    assert base.assumed == ()
    assert base.rates == {"cpr": 0.20, "cdr": 0.02, "severity": 0.30, "lag": 6.0}
    assert base.equity_history[0] == (days.CLOSING, -0.95 * 45e6)
    assert base.equity_irr is not None
    assert 0.10 < base.equity_irr < 0.14
    assert first_failures(base) == {}
    quarterly = base.paid(base.equity)[1:8] / 45e6
    assert all(0.03 < q < 0.05 for q in quarterly)  # 12 to 20 % of par a year


def test_that_heavy_defaults_divert_interest_and_cures_protect_every_rated_class(book: Book) -> None:
    heavy = run(book, cdr=0.06)
    failed = first_failures(heavy)
    assert sorted(failed, key=failed.__getitem__) == ["DIV", "OC_E", "OC_D"]
    assert heavy.result.cash[:, cash.DIVERTED].sum() > 1e6
    e = next(k for k, t in enumerate(heavy.tranches) if t.name == "Class E")
    assert heavy.result.deferred[:, e].max() > 0
    rated = [k for k, t in enumerate(heavy.tranches) if not t.is_equity]
    assert heavy.result.balance[-1, rated].sum() + heavy.result.deferred[-1, rated].sum() == pytest.approx(0, abs=0.01)
    assert heavy.paid(heavy.equity).sum() < 0.5 * run(book).paid(heavy.equity).sum()
