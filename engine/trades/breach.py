"""What would break a test: the smallest set of events on names of the pool found that makes a passing test fail.

Every single event and every pair is tried, so a set of up to three is the smallest there is. Sets of three and more are
greedy (the event that lowers the cushion most, from the worst pair on) and pruned: no member can be left out, but of
more than three another set may be smaller. Events are rows of one universe between which par moves, so that many sets
are judged at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np

from engine import ratings
from engine.asset import COLUMNS, Asset, Kind
from engine.compliance.catalogue import Catalogue
from engine.compliance.diversity import obligors
from engine.compliance.evaluate import evaluate, plan_of
from engine.compliance.plan import Plan
from engine.compliance.results import Compliance, TestResult
from engine.compliance.standing import Outcome, stand
from engine.pool import Flags, Floats, Pool
from engine.trades.batch import Batch
from engine.trades.candidates import Candidates

MOST: Final = 10
"""Events of a set at the most, unless another number is asked for."""

PRICE: Final = 50.0
_CAA: Final = {Kind.MOODYS: "Caa2", Kind.SP: "CCC"}
_RATED: Final = tuple((c.name, c.kind) for c in COLUMNS if c.kind in _CAA)
_COUNTED: Final = ("moodys_rating", "moodys_dpr", "moodys_rating_warf", "sp_issuer_rating")
"""Ratings that tests read: set even where they are blank and would be derived."""

_AT_ONCE: Final = 2048

Report = Callable[[float, str], object]
Combination = tuple[int, ...]


class What(StrEnum):
    """What happens to a name."""

    DEFAULT = "default"
    CAA = "caa"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Event:
    """One event on one name: all its positions that the event changes.

    issuer     the key that the name is grouped by: its issuer id, affiliates as one
    par        of those positions, money
    price      percent of par that prices fall to; None but for a price event
    positions  their places in the pool
    """

    what: What
    issuer: str
    name: str
    assets: tuple[str, ...]
    par: float
    price: float | None
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """What breaks one passing test.

    before, after  the test as it is, and with the events applied by the full evaluation; after: None where no set was
                   found
    proven         no smaller set of the events tried breaks it (all smaller ones were tried)
    """

    before: TestResult
    after: TestResult | None
    events: tuple[Event, ...]
    proven: bool


def happened(asset: Asset, what: What, price: float, as_of: Any) -> Asset:
    """The asset after an event; the same where the event changes nothing.

    A default is dated at the analysis date and priced at the recovery rate at most. A downgrade is to Caa2 and CCC, of
    what is rated above. A price falls to `price` percent of par; an asset without a price has none to fall.
    """
    if what is What.DEFAULT:
        if asset.defaulted:
            return asset
        value, rate = asset.market_value, asset.moodys_recovery_rate
        marked = value if value is None or rate is None else min(value, rate * 100.0)
        return replace(asset, defaulted=True, date_of_default=as_of, market_value=marked)
    if what is What.PRICE:
        falls = asset.market_value is not None and asset.market_value > price
        return replace(asset, market_value=price) if falls else asset
    if asset.defaulted:
        return asset
    new: dict[str, Any] = {}
    for name, kind in _RATED:
        rating, floor = getattr(asset, name), _CAA[kind]
        place, lowest = ratings.rank(rating) if rating is not None else None, ratings.rank(floor)
        assert lowest is not None
        if (place is not None and place < lowest) or (place is None and name in _COUNTED):
            new[name] = floor
    return replace(asset, **new) if new else asset


def events_of(done: Compliance, kinds: Iterable[What], price: float = PRICE) -> tuple[Event, ...]:
    """Every event that changes a name of the pool. Raises ValueError for a price that is none."""
    if not 0.0 <= price <= 200.0:
        raise ValueError(f"The price {price:g} is no price to fall to; give percent of par from 0 to 200.")
    keys = obligors(done.pool, done.readings).tolist()
    names: dict[str, list[int]] = {}
    for place in np.flatnonzero(done.pool.par).tolist():
        names.setdefault(keys[place] or f"asset {done.pool.assets[place].asset_id}", []).append(place)
    made = []
    for what in dict.fromkeys(kinds):
        for issuer, places in names.items():
            changed = tuple(i for i in places if (a := done.pool.assets[i]) != happened(a, what, price, done.as_of))
            if changed:
                first = done.pool.assets[changed[0]]
                made.append(
                    Event(
                        what,
                        issuer,
                        first.issuer_name or first.issue_name or issuer,
                        tuple(done.pool.assets[i].asset_id for i in changed),
                        float(done.pool.par[list(changed)].sum()),
                        price if what is What.PRICE else None,
                        changed,
                    )
                )
    return tuple(made)


def applied(done: Compliance, events: Iterable[Event]) -> Pool:
    """The pool after the events."""
    assets = list(done.pool.assets)
    for event in events:
        for i in event.positions:
            assets[i] = happened(assets[i], event.what, event.price or 0.0, done.as_of)
    return Pool(zip(assets, done.pool.par.tolist(), strict=True))


def _plan(done: Compliance) -> Plan:
    if done.plan is None:
        raise ValueError(f"The tests of {done.deal} are known by their figures only; evaluate them first.")
    return done.plan


def verified(done: Compliance, catalogue: Catalogue, number: int, events: Iterable[Event]) -> TestResult | None:
    """The test after the events, by the full evaluation; None where it cannot be evaluated then."""
    limits = tuple(t for t in _plan(done).deal.limits if t.number == number)
    asked = replace(_plan(done).deal, limits=limits)
    after = evaluate(asked, applied(done, events), catalogue, done.readings, _plan(done).every)
    return next((r for r in after.results if r.number == number), None)


def breaches(
    done: Compliance,
    catalogue: Catalogue,
    numbers: Iterable[int] | None = None,
    kinds: Iterable[What] = (What.DEFAULT, What.CAA),
    price: float = PRICE,
    most: int = MOST,
    report: Report = lambda _fraction, _what: None,
) -> tuple[Breach, ...]:
    """What breaks each passing test (of `numbers`, or all), in the order of the deal's table.

    Events of the kinds may be mixed, one on a name. `report` gets the fraction done and may raise to stop the work.
    Raises ValueError for a price or a size of sets that is none.
    """
    if most < 1:
        raise ValueError(f"A set of {most} events breaks nothing; ask for at least 1.")
    events = events_of(done, kinds, price)
    wanted = None if numbers is None else set(numbers)
    passing = [r for r in done.results if r.outcome is Outcome.PASS and (wanted is None or r.number in wanted)]
    if not passing:
        return ()
    search = _Search(done, catalogue, events, [r.number for r in passing], price)
    report(0.0, "Trying every single event")
    search.exhaust([(e,) for e in range(len(events))])
    if most > 1 and search.open:
        pairs = list(search.pairs())
        search.exhaust(pairs, lambda part: report(0.05 + 0.5 * part, f"Trying {len(pairs):,} pairs of events"))
    made = []
    for at, result in enumerate(passing):
        report(0.55 + 0.45 * at / len(passing), f"Test {result.number}: larger sets")
        found = search.found.get(result.number)
        if found is None and most > 2:
            found = search.greedy(result.number, most)
        chosen = tuple(events[e] for e in found or ())
        after = verified(done, catalogue, result.number, chosen) if chosen else None
        if after is None or after.outcome is not Outcome.FAIL:  # nothing unproved is said to break a test
            made.append(Breach(result, None, (), most <= 2 and found is None))
        else:
            made.append(Breach(result, after, chosen, len(chosen) <= 3))  # no pair does
    report(1.0, "Done")
    return tuple(made)


class _Search:
    """Sets of events, by their places among `events`, judged on the universe of what is and what may become of it.

    found  the set that breaks a test, of those of its size the one of least par;  worst  the set so far of the lowest
    cushion, with that cushion
    """

    def __init__(
        self, done: Compliance, catalogue: Catalogue, events: Sequence[Event], numbers: list[int], price: float
    ) -> None:
        self.events = events
        lots: list[tuple[Asset, float]] = []
        ways: dict[int, list[int]] = {}
        for e, event in enumerate(events):
            for i in event.positions:
                ways.setdefault(i, []).append(e)
        legs: list[list[tuple[int, float]]] = [[] for _ in events]
        for i, (asset, par) in enumerate(zip(done.pool.assets, done.pool.par.tolist(), strict=True)):
            here = len(lots)
            lots.append((asset, par))
            for e in ways.get(i, ()):  # beside it, so that the order of the pool is kept
                legs[e] += [(here, -par), (len(lots), par)]
                lots.append((happened(asset, events[e].what, price, done.as_of), 0.0))
        width = max(map(len, legs), default=0)
        self._places = np.full((len(events), width), -1, dtype=np.int64)
        self._deltas = np.zeros((len(events), width))
        for e, mine in enumerate(legs):
            self._places[e, : len(mine)] = [place for place, _ in mine]
            self._deltas[e, : len(mine)] = [delta for _, delta in mine]
        self._pars = np.array([event.par for event in events])
        universe = Pool(lots)
        deal = _plan(done).deal
        limits = tuple(t for t in deal.limits if t.number in set(numbers))
        plan = plan_of(replace(deal, limits=limits), universe, catalogue, done.readings, _plan(done).every)
        before, _ = stand(plan, plan.reckon(universe.par, done.cash))
        self._batch = Batch(plan, universe.par, done.cash, before)
        self._column = {n: at for at, n in enumerate(self._batch.tests)}
        self.open: set[int] = set(self._column)
        self.found: dict[int, Combination] = {}
        self.worst: dict[int, tuple[float, Combination]] = {}

    def pairs(self) -> Iterator[Combination]:
        """Two events on two names."""
        for a, b in itertools.combinations(range(len(self.events)), 2):
            if self.events[a].issuer != self.events[b].issuer:
                yield a, b

    def exhaust(self, sets: Sequence[Combination], report: Callable[[float], object] = lambda _part: None) -> None:
        """Tries all sets of one size for every test that is still open."""
        least: dict[int, tuple[float, Combination]] = {}
        for begin in range(0, len(sets), _AT_ONCE):
            report(begin / len(sets))
            part = sets[begin : begin + _AT_ONCE]
            fails, cushions = self._judge(part)
            par = self._par(part)
            for number in self.open:
                broken, room = fails[:, self._column[number]], cushions[:, self._column[number]]
                if broken.any():
                    at = int(np.where(broken, par, np.inf).argmin())
                    least[number] = min(least.get(number, (np.inf, part[at])), (float(par[at]), part[at]))
                low = int(room.argmin())
                if room[low] < self.worst.get(number, (np.inf, ()))[0]:
                    self.worst[number] = float(room[low]), part[low]
        self.found |= {number: chosen for number, (_, chosen) in least.items()}
        self.open -= set(least)

    def greedy(self, number: int, most: int) -> Combination | None:
        """A set of up to `most` events that breaks a test and has no member to spare; None: none was found."""
        if number not in self.worst:
            return None
        column = self._column[number]
        cushion, chosen = self.worst[number]
        while len(chosen) < most:
            taken = {self.events[e].issuer for e in chosen}
            sets = [(*chosen, e) for e, event in enumerate(self.events) if event.issuer not in taken]
            if not sets:
                return None
            fails, cushions = self._judge(sets)
            broken, room = fails[:, column], cushions[:, column]
            if broken.any():
                return self._pruned(column, sets[int(np.where(broken, self._par(sets), np.inf).argmin())])
            low = int(room.argmin())
            if not room[low] < cushion:
                return None
            cushion, chosen = float(room[low]), sets[low]
        return None

    def _pruned(self, column: int, chosen: Combination) -> Combination:
        """Without the members that are not needed, the largest first, until none can be left out."""
        while True:
            order = sorted(chosen, key=lambda e: -self.events[e].par)
            sets = [tuple(other for other in chosen if other != e) for e in order]
            broken = self._judge(sets)[0][:, column]
            if not broken.any():
                return chosen
            chosen = sets[int(broken.argmax())]

    def _par(self, sets: Sequence[Combination]) -> Floats:
        return np.asarray(self._pars[np.array(sets)].sum(axis=1))

    def _judge(self, sets: Sequence[Combination]) -> tuple[Flags, Floats]:
        """bool and float64[sets, tests] of sets of one size: what fails, cushions (infinite where there is none)."""
        at = np.array(sets, dtype=np.int64)
        places, deltas = self._places[at].reshape(len(sets), -1), self._deltas[at].reshape(len(sets), -1)
        judged = self._batch.judge(Candidates(places, deltas, np.zeros(len(sets))))
        return judged.fails, np.where(np.isnan(judged.cushions), np.inf, judged.cushions)
