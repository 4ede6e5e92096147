"""The incentive fee of the reference: tiers of hurdles, catch-up, what the equity has had (spec 5.2, case INC-1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.deal_inputs import DealInputs
from engine.waterfall.document import Tier

Key = tuple[str, float]


class Hurdles:
    """Thresholds of the date and the history they come from.

    value      of each IRR hurdle: the equity's flows, each grown to `day` at that rate
    received   by the equity, all dates;  fees  of the manager in the run
    threshold  of the date by (kind, hurdle): what the equity must get on it;  split  what it got by splits today
    today      all it got today
    """

    def __init__(self, inputs: DealInputs, tiers: Sequence[Tier]) -> None:
        self.inputs = inputs
        self.keys = {self.key(t) for t in tiers}
        self.value = {rate: inputs.hurdle_value for kind, rate in self.keys if kind == "irr"}
        self.day = inputs.before
        self.received = inputs.equity_received
        self.fees = 0.0
        self.reached: set[Key] = set()
        self.threshold: dict[Key, float] = {}
        self.split_today = 0.0
        self.today = 0.0

    def key(self, tier: Tier) -> Key:
        return tier.kind, self.inputs.hurdle if tier.hurdle is None else tier.hurdle

    def share(self, tier: Tier) -> float:
        return self.inputs.manager_share if tier.manager_share is None else tier.manager_share

    def open(self, day: int) -> None:
        """A payment date begins: the thresholds."""
        years = (day - self.day) / 365.0
        self.value = {rate: value * (1.0 + rate) ** years for rate, value in self.value.items()}
        self.day = day
        self.split_today = self.today = 0.0
        for key in self.keys:
            kind, hurdle = key
            left = -self.value[hurdle] if kind == "irr" else hurdle * self.inputs.equity_invested - self.received
            self.threshold[key] = 0.0 if key in self.reached else max(left, 0.0)

    def pay(self, amount: float) -> None:
        """The equity is paid outside a split."""
        self.today += amount

    def split(self, cash: float, tiers: Sequence[Tier]) -> tuple[float, float]:
        """(to the equity, to the manager) of the cash."""
        to_equity = to_manager = 0.0
        left = cash
        share = catch_up = 0.0  # of the tier reached last: none yet
        for tier in (*tiers, None):
            goal = math.inf if tier is None else self.threshold[self.key(tier)] - self.split_today
            if catch_up > share > 0.0:
                profit = self.received + self.today + to_equity + self.fees + to_manager - self.inputs.equity_invested
                first = max((share * profit - self.fees - to_manager) / (catch_up - share), 0.0)
                room = max(goal - to_equity, 0.0)
                first = min(first, left, room / (1.0 - catch_up) if catch_up < 1.0 else math.inf)
                to_manager += catch_up * first
                to_equity += (1.0 - catch_up) * first
                left -= first
            missing = max(goal - to_equity, 0.0)
            if missing > 0.0:
                part = min(left, missing / (1.0 - share)) if share < 1.0 else left
                to_manager += share * part
                to_equity += (1.0 - share) * part
                left -= part
                if left <= 0.0:
                    break
            if tier is not None:
                share, catch_up = self.share(tier), tier.catch_up
        self.split_today += to_equity
        self.today += to_equity
        self.fees += to_manager
        return to_equity, to_manager

    def close(self) -> None:
        """The date ends: what the equity got joins its history."""
        for key, threshold in self.threshold.items():
            if threshold > 0.0 and threshold - self.split_today <= 1e-6:
                self.reached.add(key)
        self.value = {rate: value + self.today for rate, value in self.value.items()}
        self.received += self.today
