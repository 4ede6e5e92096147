"""New notes for old ones on one payment date: some classes (a refinancing), or all with later dates (a reset)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refinancing:
    """What happens on the first payment date on or after `on`, once it has paid what was due.

    margins     (class id, margin a year) of the new notes; of a fixed class the coupon. Other classes stay as they are
    balances    (class id, money) of the new notes; of the others as much as the old ones are still owed: balance,
                deferred and unpaid interest. What is issued beyond that goes to the equity, what lacks comes from it
    costs       money. They come out of the interest of the date before anything is paid, and where it does not suffice
                from the holders of the equity;  by_holders: all of them from the holders
    no_call     the non-call period of the new notes runs to it; None: no new one
    reinvest_to the reinvestment period runs to it; None: as before
    """

    on: dt.date
    margins: tuple[tuple[str, float], ...]
    balances: tuple[tuple[str, float], ...] = ()
    costs: float = 0.0
    by_holders: bool = False
    no_call: dt.date | None = None
    reinvest_to: dt.date | None = None

    def __post_init__(self) -> None:
        if not self.margins:
            raise ValueError("A refinancing needs the margin of a class at least: A-1=1.05%.")
        for name, margin in self.margins:
            if not -0.05 <= margin <= 1.0:
                raise ValueError(
                    f"The margin of class {name} is from -0.05 to 1 (0.0105 is 1.05 %); {margin:g} is not."
                )
        named = {name for name, _ in self.margins}
        for name, balance in self.balances:
            if name not in named:
                raise ValueError(f"Class {name} has a new balance but no new margin; say it too.")
            if not 0.0 <= balance < 1e15:
                raise ValueError(f"The new balance of class {name} is an amount of nought or more; {balance:g} is not.")
        if not 0.0 <= self.costs < 1e15:
            raise ValueError(f"Costs of a refinancing are an amount of nought or more; {self.costs:g} is not.")
