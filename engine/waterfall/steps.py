"""Runs waterfalls step by step into the register program: cash in hand, limits, sharing out, the log (spec 7A.2).

A step never takes more than the cash in hand and never pays a negative amount; what it did stands in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.waterfall.clauses import Clause
from engine.waterfall.day import FROM_PRINCIPAL, Day
from engine.waterfall.document import Step, Waterfall
from engine.waterfall.expressions import Expression
from engine.waterfall.figures import figure_of, truth_of
from engine.waterfall.registers import Row

LOG_COLUMNS: Final = ("due", "paid", "short", "cash_after")


@dataclass(slots=True)
class Hand:
    """Cash in hand of a running waterfall. `source` decides the arithmetic of cures and their totals."""

    cash: Row
    source: str


@dataclass(frozen=True, slots=True)
class Move:
    """What a step wants and takes (below nothing: it brings cash in), and what is left of its cash, where known."""

    due: Row
    paid: Row
    left: Row | None = None


@dataclass(frozen=True, slots=True)
class Shares:
    """What each gets, and what is left of the cash, where that is not just what the sum leaves."""

    paid: dict[str, Row]
    left: Row | None


Emit = Callable[["Steps", Step, Clause, Row, Hand], Move]
"""Writes a step: what it may use of the cash, the cash in hand -> what it wants and takes."""


class Steps:
    """Writes waterfalls into the program of a date.

    clauses     every step of the document, by the step's identity
    tiers       of each hurdle split, by clause number: what the equity must still get before the tier is reached, and
                the manager's share above it
    profit      incentive fees of the run so far, and what the equity has received beyond what it invested
    types       what each type of step does
    policy, policy_of_diverted, buys  amount that reinvestment may buy, share of diverted interest that joins it, and
                where anything is bought at all
    """

    def __init__(
        self,
        day: Day,
        clauses: dict[int, Clause],
        tiers: Mapping[int, Sequence[tuple[Row, Row]]],
        profit: Callable[[], tuple[Row, Row]],
        policy: Row,
        policy_of_diverted: Row,
        buys: Row,
        types: Mapping[str, Emit],
    ) -> None:
        self.day, self.b, self.ledger = day, day.b, day.ledger
        self.clauses = clauses
        self.tiers, self.profit = tiers, profit
        self.policy, self.policy_of_diverted, self.buys = policy, policy_of_diverted, buys
        self._types = types
        self.where: Row | None = None  # lanes in which the running rule holds; None: all

    # waterfalls

    def run_pots(self, waterfall: Waterfall) -> None:
        """A waterfall over its own pot; what it leaves stays there. Negative cash is paid to nobody (D-38)."""
        ledger, pots = self.ledger, _POTS[waterfall.source]
        held = self.b.total([ledger["pot", pot] for pot in pots])
        for pot in pots:
            ledger["pot", pot] = (
                self.b.constant(0.0) if self.where is None else self.where.then(0.0, ledger["pot", pot])
            )
        hand = Hand(self.only_here(held.positive), waterfall.source)
        self.run(waterfall.steps, hand)
        ledger.add(("pot", pots[-1]), self.only_here(held.least(0.0)) + hand.cash)

    def only_here(self, amount: Row) -> Row:
        """The amount in the lanes in which the running rule holds."""
        return amount if self.where is None else self.where.then(amount, 0.0)

    def run(self, steps: Sequence[Step], hand: Hand) -> None:
        for step in steps:
            self.step(step, hand)

    def step(self, step: Step, hand: Hand) -> None:
        clause = self.clauses.get(id(step))
        if clause is None:  # its classes are not in the deal
            return
        brings = step.type == "from_account"
        source = hand.cash
        if brings:
            source = self.only_here(self.ledger["account", step.terms["account"]].positive)
        available, runs = self._available(step, clause, source, hand.cash)
        move = self._types[step.type](self, step, clause, available, hand)
        whole = move.left is not None and available == hand.cash
        hand.cash = move.left if whole and move.left is not None else hand.cash.over(move.paid)
        if step.type in _UNLOGGED:
            return
        used = -move.paid if brings else move.paid
        if step.cap is not None:
            self.ledger.add(("used", clause.number), used)
        if step.cap_life is not None:
            self.ledger.add(("life", clause.number), used)
        figures = (move.due, move.paid, move.due.over(move.paid), hand.cash)
        for column, figure in zip(LOG_COLUMNS, figures, strict=True):
            name = ("log", clause.number, column)
            self.ledger.usual(name, np.nan)
            for mask in (runs, self.where):
                figure = figure if mask is None else mask.then(figure, self.ledger[name])
            self.ledger[name] = figure

    def _available(self, step: Step, clause: Clause, source: Row, cash: Row) -> tuple[Row, Row | None]:
        """What the step may use of cash or account, and where it runs at all (None: always)."""
        available = source
        if step.type in _UNLOGGED:
            return available, None
        if step.share is not None and step.type != "from_account":
            available = available * figure_of(self.day, step.share, cash).positive.least(1.0)
        if step.cap is not None:
            available = available.least(figure_of(self.day, step.cap, cash).over(self.ledger["used", clause.number]))
        if step.cap_life is not None:
            left = figure_of(self.day, step.cap_life, cash).over(self.ledger["life", clause.number])
            available = available.least(left)
        if step.when is None:
            return available, None
        runs = truth_of(self.day, step.when, cash)
        return runs.then(available, 0.0), runs

    def amount(self, of: Expression | str, cash: Row, everything: Row) -> Row:
        return everything if isinstance(of, str) else figure_of(self.day, of, cash).positive

    # paying several

    def share_out(self, step: Step, cash: Row, claims: dict[str, Row], weights: dict[str, Row]) -> Shares:
        """What each gets of the cash, by the step's allocation; never more than its claim."""
        alloc = str(step.terms.get("alloc", "sequential"))
        if alloc == "sequential" or alloc == "reverse" or len(claims) == 1:
            order = list(claims)
            paid = {}
            left = cash
            for name in reversed(order) if alloc == "reverse" else order:
                paid[name] = left.least(claims[name])
                left = left.over(paid[name])
            return Shares(paid, left)
        if alloc == "pro_rata":
            owed = self.b.total(list(claims.values()))
            ratio = (owed > cash).then(cash / owed, 1.0)
            return Shares({name: claim * ratio for name, claim in claims.items()}, None)
        return Shares(self._by_weights(cash, claims, weights), None)

    def _by_weights(self, cash: Row, claims: dict[str, Row], weights: dict[str, Row]) -> dict[str, Row]:
        """By fixed weights or balances; what one cannot take goes to the others, round after round."""
        paid = {name: self.b.constant(0.0) for name in claims}
        left = cash
        for _ in claims:
            open_weight = {n: (claims[n] > paid[n]).then(weights[n], 0.0) for n in claims}
            total = self.b.total(list(open_weight.values()))
            parts = {n: (claims[n] - paid[n]).positive.least(left * open_weight[n] / total) for n in claims}
            for n, part in parts.items():
                paid[n] = paid[n] + part
            left = left.over(self.b.total(list(parts.values())))
        for n, claim in claims.items():  # all that have a weight are full
            extra = left.least((claim - paid[n]).positive)
            paid[n] = paid[n] + extra
            left = left - extra
        return paid

    def class_weights(self, step: Step, members: Sequence[str]) -> dict[str, Row]:
        given = step.terms.get("weights")
        if given:
            named = dict(zip(step.ids("classes"), given, strict=True))
            return {c: self.b.constant(named[c]) for c in members}
        return {c: self.day.outstanding(c) for c in members}

    def to_notes(self, amount: Row, source: str) -> None:
        """Cash for the note payment sequence. `source`: what it counts as in the tests' running totals."""
        self.ledger.add(("pot", "notes"), amount)
        self.ledger.add("to_notes", amount)
        if source == FROM_PRINCIPAL:
            self.ledger.add("to_notes_principal", amount)

    def members(self, step: Step) -> list[str]:
        return [c for c in step.ids("classes") if c in self.day.classes]

    def log_to(self, clause: Clause, class_id: str, amount: Row) -> None:
        self.ledger.add(("to_class", clause.number, class_id), amount)


_UNLOGGED: Final = ("branch", "assert")
"""Steps that move no cash of their own."""

_POTS: Final = {
    "interest": ("interest",),
    "principal": ("principal",),
    "notes": ("notes",),
    "both": ("interest", "principal"),
}
