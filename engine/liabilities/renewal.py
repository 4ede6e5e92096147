"""New notes for old ones on a payment date: who pays the costs, what the new ones owe, what is left to the equity."""

from __future__ import annotations

from engine.deal_inputs import DealInputs, Exchange
from engine.waterfall.day import Day
from engine.waterfall.registers import Builder, Row


class Renewal:
    """Old notes are repaid out of what the new ones bring, after all else is paid; the rest is the equity's.

    It stands in the figures of the date: principal of a class is what it was repaid less what was issued anew, that
    of the equity what the exchange brings it (below nothing: what its holders put in), and costs are expenses.
    """

    def __init__(self, b: Builder, day: Day, inputs: DealInputs, living: Row) -> None:
        self.b, self.day = b, day
        self.ids, self.exchange = inputs.class_ids, inputs.exchange
        self._from_holders = b.constant(0.0)
        if self.exchange is not None:
            self.happens = living & b.dated("exchange", positive=True)

    def pay_costs(self) -> None:
        """Costs, before the waterfalls run."""
        if self.exchange is None or self.exchange.costs == 0.0:
            return
        ledger, costs = self.day.ledger, self.happens.then(self.b.dated("costs", positive=True), 0.0)
        spent = self.b.constant(0.0)
        if not self.exchange.by_holders:
            spent = costs.least(ledger["pot", "interest"].positive)
            ledger["pot", "interest"] = ledger["pot", "interest"] - spent
        ledger.add("expenses", costs)
        self._from_holders = costs - spent

    def replaced(self, c: str, after: dict[str, Row]) -> dict[str, Row]:
        """Balances of a class for the next date, by kind, from what its old notes are owed."""
        exchange: Exchange | None = self.exchange
        if exchange is None or not exchange.classes[self.ids.index(c)]:
            return after
        owed = self.b.total(list(after.values()))
        known = exchange.balance[self.ids.index(c)] >= 0.0
        new = self.b.dated(("new balance", c), positive=True) if known else owed
        repaid = self.happens.then(owed - new, 0.0)
        self.day.ledger.add(("principal", c), repaid)
        self._from_holders = self._from_holders + repaid
        return {
            "balance": self.happens.then(new, after["balance"]),
            "deferred": self.happens.then(0.0, after["deferred"]),
            "unpaid": self.happens.then(0.0, after["unpaid"]),
        }

    def settle(self) -> None:
        """The equity's part, once every class has been replaced."""
        if self.exchange is not None:
            self.day.ledger.add(("principal", self.day.document.equity), -self._from_holders)
            self.day.ledger.add("to_equity", -self._from_holders)
            self.day.ledger["put_in"] = self._from_holders
