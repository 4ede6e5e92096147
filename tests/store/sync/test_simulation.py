"""Four people change one deal offline and online, over a network that loses answers: all end with the same deal, and
nobody loses a change to a cell that nobody else changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store.merge import Choices, Side
from clo_desktop.store.sync import copies, syncing
from clo_desktop.store.sync.copies import Copy
from clo_desktop.store.sync.syncing import bring_together
from engine.asset import Asset
from engine.terms import Book, Deal, Fee, Holding, Tranche
from tests.store.sync.memory import NOW, Lossy, MemoryServer, MemoryShelf

CLIENTS, STEPS = 4, 80
BASE = Book(
    Deal(
        "Deal",
        tranches=tuple(Tranche(name, 100.0, 100.0, price=1.0) for name in "ABCDEF"),
        fees=tuple(Fee(name, fixed_amount=0.0, unpaid=0.0) for name in "GHIJ"),
        holdings=(Holding("LX1", 1.0),),
    ),
    {"LX1": Asset(asset_id="LX1", market_value=100.0)},
)


@dataclass
class Totals:
    runs: int = 0
    edits: int = 0
    lost_answers: int = 0
    clashes: int = 0
    diverged: int = 0
    doubled: int = 0
    sole_edits: int = 0
    sole_lost: int = 0


def edited(book: Book, client: int, chance: Random, number: int) -> tuple[Book, str, float]:
    """One cell changed, half of the time one that this client alone changes; its name and new value.

    Values are of a small range and come again: a change back to what was there before is a change, too.
    """
    value = float(number) if chance.random() < 0.7 else float(chance.randrange(3))
    if chance.random() < 0.5:
        fees = list(book.deal.fees)
        column = chance.choice(["fixed_amount", "unpaid"])
        at = next(i for i, fee in enumerate(fees) if fee.name == "GHIJ"[client])
        fees[at] = replace(fees[at], **{column: value})
        return replace(book, deal=replace(book.deal, fees=tuple(fees))), column, value
    if chance.random() < 0.2:
        assets = {"LX1": replace(book.assets["LX1"], market_value=value)}
        return replace(book, assets=assets), "", value
    tranches = list(book.deal.tranches)
    at = chance.randrange(len(tranches))
    what = chance.random()
    if what < 0.1 and len(tranches) > 3:
        del tranches[at]
    elif what < 0.2:
        tranches.insert(at, Tranche(f"{client}-{number}", value, value))
    else:
        tranches[at] = replace(tranches[at], **{chance.choice(["price", "spread", "current_balance"]): value})
    return replace(book, deal=replace(book.deal, tranches=tuple(tranches))), "", value


def sync(shelf: MemoryShelf, server: Lossy, chance: Random, totals: Totals) -> bool:
    """Bring one copy and the server together, a person choosing at random; whether all was sent."""
    choices: Choices = {}
    try:
        while True:
            outcome = bring_together(shelf, server, "Deal", choices, now=lambda: NOW)
            if outcome.clashing is None:
                return outcome.waiting == 0
            totals.clashes += 1
            choices = {**choices, **{c.place: chance.choice(list(Side)) for c in outcome.clashing.clashes}}
    except Refused:
        return False


def run(seed: int, totals: Totals) -> None:
    chance = Random(seed)
    memory = MemoryServer()
    memory.put(BASE)
    server = Lossy(memory, chance)
    shelves = [MemoryShelf() for _ in range(CLIENTS)]
    for shelf in shelves:
        stored = memory.books["Deal"]
        shelf.put(Copy("Deal", memory.name, stored.book, stored.mark, NOW))
    own: dict[tuple[int, str], float] = {}
    for number in range(STEPS):
        for client, shelf in enumerate(shelves):
            if chance.random() < 0.55:
                mine, column, value = edited(shelf.copies["Deal"].mine, client, chance, number)
                if copies.noted(shelf.copies["Deal"], mine, NOW) is not shelf.copies["Deal"]:
                    totals.edits += 1
                    shelf.change("Deal", lambda copy, mine=mine: copies.noted(copy, mine, NOW))  # type: ignore[misc]
                if column:
                    own[client, column] = value
            if chance.random() < 0.3:
                sync(shelf, server, chance, totals)
    for _ in range(2):  # the second time the others' last changes come in
        for shelf in shelves:
            while not sync(shelf, server, chance, totals):
                pass
    book = memory.books["Deal"].book
    totals.runs += 1
    totals.lost_answers += server.count
    totals.diverged += sum(shelf.copies["Deal"].mine != book for shelf in shelves)
    totals.doubled += sum(times > 1 for times in memory.times.values())
    fees = {fee.name: fee for fee in book.deal.fees}
    for (client, column), value in own.items():
        totals.sole_edits += 1
        totals.sole_lost += getattr(fees["GHIJ"[client]], column) != value


def simulate(runs: int) -> Totals:
    totals = Totals()
    for seed in range(runs):
        run(seed, totals)
    return totals


def check(totals: Totals) -> None:
    assert (totals.diverged, totals.sole_lost, totals.doubled) == (0, 0, 0), totals
    assert totals.lost_answers > totals.runs  # the network did lose answers
    assert totals.clashes > totals.runs  # and people did change the same cells
    assert totals.sole_edits == totals.runs * CLIENTS * 2


@pytest.mark.long
def test_that_copies_come_together_and_sole_editors_lose_nothing_in_400_runs() -> None:
    check(simulate(400))


def test_that_without_asking_about_unconfirmed_changes_sole_editors_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "_ask", _take_for_unsent)
    assert simulate(12).sole_lost > 0


def _take_for_unsent(shelf: MemoryShelf, _server: Lossy, copy: Copy) -> Copy:
    return shelf.change(copy.deal, lambda c: copies.settled(c, c.unconfirmed, {}))
