"""The waterfalls of a payment date: which run, the hurdles of the incentive fee, what reinvestment may buy."""

from __future__ import annotations

from collections.abc import Sequence

from engine.deal_inputs import LANE_PARAMETERS, DealInputs
from engine.liabilities.coverage import Coverage
from engine.liabilities.pool import PoolSide
from engine.waterfall.clauses import Clause
from engine.waterfall.day import TINY, Day
from engine.waterfall.document import Document, Rule, Tier
from engine.waterfall.figures import truth_of
from engine.waterfall.registers import Builder, Row
from engine.waterfall.step_types import TYPES
from engine.waterfall.steps import Steps


class Hurdles:
    """Thresholds of the incentive fee (spec 5.2). Splits that name the same hurdle share its threshold.

    tiers       distinct by kind and hurdle;  thresholds: what the equity must still get on the date, tier by tier
    """

    def __init__(self, b: Builder, inputs: DealInputs, steps: Sequence[Clause]) -> None:
        self.b, self.inputs = b, inputs
        found: dict[tuple[str, float | None], Tier] = {}
        self._splits: dict[int, tuple[Tier, ...]] = {}
        for clause in steps:
            if clause.step.type == "hurdle_split":
                own = self._splits[clause.number] = tuple(clause.step.terms.get("tiers", ())) or (Tier(),)
                for tier in own:
                    found.setdefault((tier.kind, tier.hurdle), tier)
        self._places = {key: place for place, key in enumerate(found)}
        self.tiers = tuple(found.values())
        self.thresholds = [self._threshold(place, tier) for place, tier in enumerate(self.tiers)]

    def _threshold(self, place: int, tier: Tier) -> Row:
        reached = self.b.state(("reached", place))
        if tier.kind == "irr":
            return reached.then(0.0, (-self._value(place)).positive)
        goal = (tier.hurdle or 0.0) * self.inputs.equity_invested
        return reached.then(0.0, self.b.constant(goal).over(self._received()))

    def _value(self, place: int) -> Row:
        """Flows of the equity so far, grown to the date at the hurdle."""
        return self.b.state(("hurdle", place), self.inputs.hurdle_value) * self.b.dated(("growth", place))

    def _received(self) -> Row:
        return self.b.state("received", self.inputs.equity_received)

    def of_splits(self) -> dict[int, list[tuple[Row, Row]]]:
        """Thresholds and the manager's shares above them, by clause number."""
        made = {}
        for number, own in self._splits.items():
            shares = [self.inputs.manager_share if t.manager_share is None else t.manager_share for t in own]
            places = [self._places[t.kind, t.hurdle] for t in own]
            made[number] = [(self.thresholds[p], self.b.constant(s)) for p, s in zip(places, shares, strict=True)]
        return made

    def profit(self, day: Day) -> tuple[Row, Row]:
        """Incentive fees of the run so far, and what the equity has received beyond what it invested."""
        fees = self.b.state("incentives") + day.ledger["incentive"]
        return fees, self._received() + day.ledger["to_equity"] - self.inputs.equity_invested

    def roll(self, day: Day) -> None:
        b, ledger = self.b, day.ledger
        for place, tier in enumerate(self.tiers):
            left = self.thresholds[place].over(ledger["to_equity_by_splits"])
            # what holders put in has to be earned again (spec 5.2)
            b.keep(("reached", place), (left <= TINY) & ~(ledger["put_in"] > TINY))
            if tier.kind == "irr":
                b.keep(("hurdle", place), self._value(place) + ledger["to_equity"])
        b.keep("received", self._received() + ledger["to_equity"])
        b.keep("incentives", b.state("incentives") + ledger["incentive"])


def steps_of(
    day: Day, inputs: DealInputs, pool: PoolSide, coverage: Coverage, hurdles: Hurdles, numbered: Sequence[Clause]
) -> Steps:
    """Writes steps; knows what reinvestment may buy (spec 8): nothing on redemption or after acceleration."""
    b = day.b
    in_period = day.phases["reinvestment"]
    bases = {"all": pool.principal.positive, "unscheduled": pool.unscheduled.positive, "none": b.constant(0.0)}
    during, after = inputs.policy_base
    policy = in_period.then(bases[during] * inputs.policy_share[0], bases[after] * inputs.policy_share[1])
    shares = [s if base == "all" else 0.0 for base, s in zip(inputs.policy_base, inputs.policy_share, strict=True)]
    quiet = ~(coverage.redeemed | coverage.accelerated)
    return Steps(
        day,
        {id(clause.step): clause for clause in numbered},
        hurdles.of_splits(),
        lambda: hurdles.profit(day),
        policy,
        in_period.then(shares[0], shares[1]),
        quiet & (b.parameter("reinvests", LANE_PARAMETERS["reinvests"]) > 0.0),
        TYPES,
    )


def dispatch(document: Document, day: Day, steps: Steps, alive: Row) -> None:
    """The first rule that holds; its waterfalls in their order, the note payment sequence last."""
    left, chosen = alive, []
    for rule in document.dispatch:
        holds = truth_of(day, rule.when)
        chosen.append((rule, left & holds))
        left = left & ~holds
    # the last rule, of most dates, goes first and is always run: nothing happens in lanes without its cash
    for place, (rule, holds) in enumerate(reversed(chosen)):
        steps.where = holds
        if place == 0:
            _run(rule, document, steps)
            continue
        with day.ledger.skipped_where_never(holds):
            _run(rule, document, steps)
    steps.where = None


def _run(rule: Rule, document: Document, steps: Steps) -> None:
    """The rule's waterfalls; the note payment sequence last, where the rule names it or anything was put into it."""
    notes = [w for w in document.waterfalls.values() if w.source == "notes"]
    for name in rule.run:
        if document.waterfalls[name].source != "notes":
            steps.run_pots(document.waterfalls[name])
    holds = steps.where
    for sequence in notes:
        if sequence.id not in rule.run:
            fed = steps.ledger["asked", sequence.id] | (steps.ledger["pot", "notes"] > 0.0)
            steps.where = fed if holds is None else holds & fed
        steps.run_pots(sequence)
        steps.where = holds
