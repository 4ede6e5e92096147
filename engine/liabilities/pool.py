"""What the pool has brought on a payment date, what was bought before, and what both are worth now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.deal_inputs import LANE_PARAMETERS, DealInputs
from engine.loans import columns as col
from engine.waterfall.registers import Builder, Row

FLOWS: Final = "flow"
"""Lane figures ("flow", column): the collateral's cash flows; ("re_cdr", row), ("re_cpr", row), ("re_severity", row):
period rates of what was bought, by `Strategy.rates`.
"""


def parameter(b: Builder, name: str) -> Row:
    """A figure of LANE_PARAMETERS."""
    return b.parameter(name, LANE_PARAMETERS[name])


class Bought:
    """What reinvestment bought on earlier dates (spec 8, case REI-1), by strategy and pooled.

    flows   of the date by column: interest, scheduled, unscheduled, defaulted, claim, recoveries, loss
    before, now  performing balance before and after the date's flows;  defaulted, carrying likewise after them
    low     of `now`, what counts in the CCC excess
    """

    def __init__(self, b: Builder, inputs: DealInputs) -> None:
        self.b, self.inputs = b, inputs
        zero = b.constant(0.0)
        self.before = self.now = self.low = self.defaulted = self.carrying = zero
        self.flows = dict.fromkeys(_COLUMNS, zero)
        self._cohorts: list[tuple[int, Row]] = []
        self._by_rates: dict[int, Row] = {}  # what defaults, by row of rates
        for place in range(len(inputs.strategies)):
            self._collect(place)
        if inputs.strategies:
            self._recover()

    def _collect(self, place: int) -> None:
        b, flows, strategy = self.b, self.flows, self.inputs.strategies[place]
        cdr, cpr = (b.lane((name, strategy.rates), positive=True) for name in ("re_cdr", "re_cpr"))
        cohort = b.cohort()
        before = b.state(("bought", place), positive=True)
        due = b.due(cohort)
        default = before * cdr
        live = before - default
        scheduled = (due - due * cdr).least(live)
        unscheduled = (live - scheduled) * cpr
        b.shrink(cohort, (1.0 - cdr) * (1.0 - cpr))
        flows[col.INTEREST] = flows[col.INTEREST] + b.dated(("strategy", place)) * live
        flows[col.SCHEDULED] = flows[col.SCHEDULED] + scheduled
        flows[col.UNSCHEDULED] = flows[col.UNSCHEDULED] + unscheduled
        flows[col.DEFAULTED] = flows[col.DEFAULTED] + default
        self._by_rates[strategy.rates] = self._by_rates.get(strategy.rates, b.constant(0.0)) + default
        now = (live - scheduled - unscheduled).positive
        self.before, self.now = self.before + before, self.now + now
        self.low = self.low + now if strategy.low else self.low
        self._cohorts.append((cohort, now))

    def _recover(self) -> None:
        b, flows = self.b, self.flows
        usual = self.inputs.recovery_lag
        lags = {s.rates: usual if s.lag is None else s.lag for s in self.inputs.strategies}
        for rates, defaulted in self._by_rates.items():
            severity = parameter(b, "severity") if rates == 0 else b.lane(("re_severity", rates))
            lag = lags[rates]
            claim = defaulted * (1.0 - severity)
            recovered, resolved = b.delay(claim, b.line(), lag), b.delay(defaulted, b.line(), lag)
            flows[col.CLAIM] = flows[col.CLAIM] + claim
            flows[col.RECOVERIES] = flows[col.RECOVERIES] + recovered
            flows[col.LOSS] = flows[col.LOSS] + (resolved - recovered)
        gone = flows[col.RECOVERIES] + flows[col.LOSS]
        self.defaulted = b.state("bought_defaulted") + flows[col.DEFAULTED] - gone
        self.carrying = b.state("bought_carrying") + flows[col.CLAIM] - flows[col.RECOVERIES]

    def buy(self, spent: Row) -> None:
        """Lots bought on the date, for the next one."""
        b = self.b
        par = spent / parameter(b, "price")
        for place, (cohort, now) in enumerate(self._cohorts):
            strategy = self.inputs.strategies[place]
            part = par * strategy.share
            b.buy(cohort, part, strategy.periods)
            b.keep(("bought", place), now + part)
        if self._cohorts:
            b.keep("bought_defaulted", self.defaulted)
            b.keep("bought_carrying", self.carrying)


_COLUMNS: Final = (
    col.INTEREST,
    col.SCHEDULED,
    col.UNSCHEDULED,
    col.RECOVERIES,
    col.LOSS,
    col.DEFAULTED,
    col.CLAIM,
)


class PoolSide:
    """Collections and balances of the date (spec 9.3, 2, 3, 6). Defaults show before their missing cash (2.9).

    interest, principal  proceeds;  unscheduled: of them, prepayments;  purchased: accrued interest bought, still owed
    opening_performing   before the date;  performing, defaulted, carrying, marked, haircut, excess  after its flows
    """

    def __init__(self, b: Builder, inputs: DealInputs, alive: Row, absent: Collection[int] = ()) -> None:
        self.b, self.alive, self._absent = b, alive, absent
        self.bought = Bought(b, inputs)
        self._balances(inputs)
        self._proceeds(inputs)
        price = parameter(b, "sale_price")
        by_rating = self._marked + parameter(b, "sale_price_of_bought") * self.bought.now
        self.marked = (price >= 0.0).then(price * self.performing, by_rating)
        limit = inputs.ccc_limit * (self.performing + self.principal)
        if any(strategy.low for strategy in inputs.strategies):
            b.watch(self.bought.low)
        self.excess = b.ccc_haircut(limit)

    def _flow(self, column: int) -> Row:
        return self.b.constant(0.0) if column in self._absent else self.b.lane((FLOWS, column))

    def _proceeds(self, inputs: DealInputs) -> None:
        b, flow, bought = self.b, self._flow, self.bought.flows
        interest, principal = b.state("interest", inputs.interest), b.state("principal", inputs.principal)
        idle = b.dated("idle") * (interest.positive + principal.positive) if inputs.idle_yield.any() else 0.0
        self.unscheduled = flow(col.UNSCHEDULED) + bought[col.UNSCHEDULED]
        interest = interest + flow(col.INTEREST) + bought[col.INTEREST] + idle
        principal = principal + self.unscheduled + flow(col.SCHEDULED) + bought[col.SCHEDULED]
        principal = principal + flow(col.RECOVERIES) + bought[col.RECOVERIES]
        principal = principal + flow(col.PROCEEDS) - self._drawn(inputs)
        owed = repaid = b.constant(0.0)
        if inputs.purchased_interest > 0.0:
            owed = b.state("purchased", inputs.purchased_interest, positive=True)
            repaid = interest.positive.least(owed)
        self._owes_purchased = inputs.purchased_interest > 0.0
        self.purchased = owed - repaid
        # after the redemption nothing is collected, whatever the flows say: no cash, no payment
        self.interest = self.alive.then(interest - repaid, 0.0)
        self.principal = self.alive.then(principal + repaid, 0.0)

    def _drawn(self, inputs: DealInputs) -> Row:
        """Draws that principal pays: those beyond the cash that was set aside for them."""
        drawn = self._flow(col.DRAWN)
        self.funding = self.b.constant(0.0)
        if inputs.funding <= 0.0:
            return drawn
        held = self.b.state("funding", inputs.funding, positive=True)
        covered = held.least(drawn)
        self.funding = held - covered
        self.b.keep("funding", self.funding)
        return drawn - covered

    def _balances(self, inputs: DealInputs) -> None:
        b, flow, bought = self.b, self._flow, self.bought
        self.opening_performing = b.state("performing", inputs.performing) + bought.before
        gone = flow(col.DEFAULTED) + flow(col.SCHEDULED) + flow(col.UNSCHEDULED) + flow(col.SOLD)
        self._own = b.state("performing") + flow(col.CAPITALISED) + flow(col.DRAWN) - gone
        resolved = flow(col.RECOVERIES) + flow(col.LOSS)
        self._defaulted = b.state("defaulted", inputs.defaulted) + flow(col.DEFAULTED) - resolved
        self._carrying = b.state("carrying", inputs.carrying) + flow(col.CLAIM) - flow(col.RECOVERIES)
        self._marked = b.state("marked", inputs.marked) + flow(col.MARKED)
        self.haircut = b.state("haircut", inputs.haircut) + flow(col.HAIRCUT)
        self.performing = self._own + bought.now
        self.defaulted = self._defaulted + bought.defaulted
        self.carrying = self._carrying + bought.carrying

    @property
    def figures(self) -> dict[str, Row]:
        """What expressions find under `pool`."""
        return {
            "performing": self.performing,
            "defaulted": self.defaulted,
            "carrying": self.carrying,
            "ccc_excess": self.excess,
            "haircut": self.haircut,
            "principal_cash": self.principal,
            "interest_cash": self.interest,
            "opening_performing": self.opening_performing,
            "marked": self.marked,
        }

    def roll(self) -> None:
        """Balances of the next date. In lanes whose pool was sold they mean nothing: nothing is collected any more."""
        for name, row in (
            ("performing", self._own),
            ("defaulted", self._defaulted),
            ("carrying", self._carrying),
            ("marked", self._marked),
            ("haircut", self.haircut),
        ):
            self.b.keep(name, row)
        if self._owes_purchased:
            self.b.keep("purchased", self.purchased)
