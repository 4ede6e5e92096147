"""Tables of a run by payment date: the deal, its pools, classes, fees and incentive fee (spec: engine 4.4, 5, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import cash
from engine.loans import columns as col
from engine.outputs.coverage import test_summary, test_tables
from engine.outputs.table import TINY, Field, Table, Unit, balance, before, days, field, money, settled
from engine.projection import Projection
from engine.tables import cash_columns
from engine.valuation import xirr_lanes
from engine.waterfall.document import Tier, class_id

Floats = NDArray[np.float64]

_BALANCES: Final = (cash.PERFORMING, cash.DEFAULT_BALANCE, cash.CARRYING_VALUE, cash.CCC_EXCESS)


def run_tables(flows: Projection) -> tuple[Table, ...]:
    """Every table of a run, in the order of the report."""
    return (
        deal_table(flows),
        *pool_tables(flows),
        class_totals(flows),
        *(class_table(flows, k) for k in range(len(flows.tranches))),
        *fee_tables(flows),
        incentive_table(flows),
        test_summary(flows),
        *test_tables(flows),
    )


def _dates(flows: Projection) -> tuple[Field, Field]:
    return (
        field("Period", Unit.COUNT, np.arange(1, len(flows.payment_dates) + 1)),
        days("Payment date", flows.payment_dates),
    )


def deal_table(flows: Projection) -> Table:
    """What came in on each date and where it went; sources equal uses."""
    rows = flows.structure.schedule[: len(flows.payment_dates)]
    figures = [
        field("Index", Unit.RATE, flows.result.cash[:, k])
        if k == cash.INDEX
        else money(cash.CASH_NAMES[k], flows.result.cash[:, k], adds=k not in _BALANCES)
        for k in cash_columns(flows.document)
    ]
    period = (
        days("Collection begin", [r.collection_begin for r in rows]),
        days("Collection end", [r.collection_end for r in rows]),
    )
    title = f"Payment dates of {flows.deal}"
    return Table("deal", "Deal CF-Deal", title, flows.currency, (*_dates(flows), *period, *figures))


# --- the pool ----------------------------------------------------------------------------------------------------


class Pools:
    """Balances of the present and the reinvested pool, rolled through the dates; float64[n_dates] each.

    What is there on the date of redemption is sold on it.
    """

    def __init__(self, flows: Projection) -> None:
        n = len(flows.payment_dates)
        self.redeemed = flows.result.phase[:, cash.PHASES.index("redemption")]
        spent = np.where(self.redeemed, 0.0, flows.result.cash[:, cash.REINVESTED])
        bought = spent / flows.structure.reinvestment.price
        start = flows.inputs
        self.original = Rolled(flows.collateral, start.performing, start.defaulted, start.carrying, np.zeros(n), self)
        self.reinvested = Rolled(flows.result.reinvested_flows, 0.0, 0.0, 0.0, bought, self)

    @property
    def performing(self) -> Floats:
        """After the date's collections, before anything is bought or sold."""
        return self.original.collected + self.reinvested.collected

    @property
    def defaulted(self) -> Floats:
        return self.original.defaults + self.reinvested.defaults


class Rolled:
    """One pool. performing, defaulted, carrying: before the date; collected, defaults, value: after its collections."""

    def __init__(
        self, flows: Floats, performing: float, defaulted: float, carrying: float, bought: Floats, of: Pools
    ) -> None:
        gone = [col.DEFAULTED, col.SCHEDULED, col.UNSCHEDULED, col.SOLD]
        change = flows[:, col.CAPITALISED] + flows[:, col.DRAWN] - flows[:, gone].sum(axis=1)
        resolved = flows[:, col.DEFAULTED] - flows[:, col.RECOVERIES] - flows[:, col.LOSS]
        worth = flows[:, col.CLAIM] - flows[:, col.RECOVERIES]
        self.flows, self.bought = flows, bought
        self.collected = settled(performing + np.cumsum(change + before(0.0, bought)))
        self.defaults = settled(defaulted + np.cumsum(resolved))
        self.value = settled(carrying + np.cumsum(worth))
        self.sold = np.where(of.redeemed, self.collected, 0.0)
        self.performing = before(performing, self.collected + bought)
        self.defaulted, self.carrying = before(defaulted, self.defaults), before(carrying, self.value)
        self.kept = np.where(of.redeemed, 0.0, 1.0)


def pool_tables(flows: Projection) -> Iterator[Table]:
    """The present pool and what reinvestment bought, by collection period."""
    pools = Pools(flows)
    for name, words, pool in (
        ("pool-original", "Original pool", pools.original),
        ("pool-reinvested", "Reinvested pool", pools.reinvested),
    ):
        columns = [
            balance("Opening performing", pool.performing),
            balance("Opening defaulted", pool.defaulted),
            balance("Opening value of defaulted", pool.carrying),
            money("Defaulted", pool.flows[:, col.DEFAULTED]),
            money("Value of defaulted", pool.flows[:, col.CLAIM]),
            money("Interest", pool.flows[:, col.INTEREST]),
            money("Scheduled principal", pool.flows[:, col.SCHEDULED]),
            money("Unscheduled principal", pool.flows[:, col.UNSCHEDULED]),
            money("Recoveries", pool.flows[:, col.RECOVERIES]),
            money("Net loss", pool.flows[:, col.LOSS]),
            money("Capitalised interest", pool.flows[:, col.CAPITALISED]),
            money("Drawn", pool.flows[:, col.DRAWN]),
            money("Sold", pool.flows[:, col.SOLD] + pool.sold),
            money("Bought", pool.bought),
            balance("Closing performing", pool.kept * (pool.collected + pool.bought)),
            balance("Closing defaulted", pool.kept * pool.defaults),
            balance("Closing value of defaulted", pool.kept * pool.value),
        ]
        title = f"{words} of {flows.deal} by collection period"
        yield Table(name, f"Deal CF-{words}", title, flows.currency, (*_dates(flows), *columns))


# --- classes -----------------------------------------------------------------------------------------------------


def class_table(flows: Projection, k: int) -> Table:
    """One class (spec 4.4).

    What is paid of interest counts as interest due first, then as interest on deferred interest.
    """
    name = class_id(flows.tranches[k].name)
    columns = _equity(flows) if k == flows.equity else _debt(flows, k)
    title = f"{flows.tranches[k].name} of {flows.deal}"
    return Table(f"class-{name}", f"Deal CF-{name}", title, flows.currency, (*_dates(flows), *columns))


def _equity(flows: Projection) -> list[Field]:
    r, k = flows.result, flows.equity
    original = flows.inputs.original[k]
    share = flows.paid(k) / original if original > 0.0 else np.full(len(flows.payment_dates), np.nan)
    return [
        balance("Opening balance", r.balance[:, k]),
        money("Interest paid", r.interest[:, k]),
        money("Principal paid", r.principal[:, k]),
        money("Distribution", flows.paid(k)),
        field("Distribution of original balance", Unit.SHARE, share, adds=True),
    ]


def _debt(flows: Projection, k: int) -> list[Field]:
    r, start, n = flows.result, flows.inputs, len(flows.payment_dates)
    terms = next(c for c in flows.document.classes if c.id == start.class_ids[k])
    accrual = start.accrual[:n, k]
    opening = before(float(start.balance[k]), r.balance[:, k])
    deferred = before(float(start.deferred[k]), r.deferred[:, k])
    late = before(0.0, r.unpaid[:, k])
    accrued = opening * accrual
    due = accrued + late + (late * accrual if terms.interest_on_unpaid else 0.0)
    on_deferred = deferred * accrual if terms.interest_on_deferred else np.zeros(n)
    current = np.minimum(r.interest[:, k], due)
    original = start.original[k]
    factor = r.balance[:, k] / original if original > 0.0 else np.full(n, np.nan)
    return [
        field("Coupon", Unit.RATE, r.coupon[:, k]),
        balance("Opening balance", opening),
        money("Interest accrued", accrued),
        money("Interest due", due),
        money("Interest paid", current),
        balance("Interest unpaid", r.unpaid[:, k]),
        money("Principal paid", r.principal[:, k]),
        balance("Closing balance", r.balance[:, k]),
        balance("Opening deferred interest", deferred),
        money("Interest accrued on deferred", on_deferred),
        money("Interest paid on deferred", r.interest[:, k] - current),
        money("Deferred interest paid", r.deferred_paid[:, k]),
        balance("Closing deferred interest", r.deferred[:, k]),
        money("Total paid", flows.paid(k)),
        field("Factor", Unit.SHARE, factor),
    ]


def class_totals(flows: Projection) -> Table:
    """What each class gets over the run. Interest: with interest on deferred and deferred interest paid (spec 4.4)."""
    r = flows.result
    interest, principal = (r.interest + r.deferred_paid).sum(axis=0), r.principal.sum(axis=0)
    owed = r.balance[-1] + r.deferred[-1] + r.unpaid[-1]
    owed = np.where(np.arange(len(flows.tranches)) == flows.equity, np.nan, owed)
    columns = (
        field("Class", Unit.TEXT, [t.name for t in flows.tranches]),
        money("Opening balance", flows.inputs.balance),
        money("Opening deferred interest", flows.inputs.deferred),
        money("Total interest", interest),
        money("Total principal", principal),
        money("Total cash", interest + principal),
        money("Owed at the end", owed),
    )
    return Table("classes", "Deal CF-Class totals", f"Classes of {flows.deal}", flows.currency, columns)


# --- fees --------------------------------------------------------------------------------------------------------


def fee_tables(flows: Projection) -> Iterator[Table]:
    """One table a fee (spec 5.1); a fee without a percentage has no basis."""
    r, start, pools = flows.result, flows.inputs, Pools(flows)
    end = np.maximum(pools.performing + pools.defaulted + r.cash[:, cash.PRINCIPAL_PROCEEDS], 0.0)
    last = before(start.opening_basis, end)
    opening = pools.original.performing + before(0.0, pools.reinvested.collected + pools.reinvested.bought)
    bases = {"begin": last, "average": 0.5 * (last + end), "end": end, "performing": opening}
    for k, fee in enumerate(flows.structure.fees):
        basis = bases.get(start.fee_basis[k], np.full(end.size, np.nan))
        columns = [
            balance("Basis", basis),
            balance("Opening unpaid", before(float(start.fee_unpaid[k]), r.fee_unpaid[:, k])),
            money("Accrued", r.fee_accrued[:, k]),
            money("Paid", r.fee_paid[:, k]),
            balance("Closing unpaid", r.fee_unpaid[:, k]),
        ]
        name = flows.document.fee_ids[k]
        yield Table(
            f"fee-{name}", f"Deal CF-{fee.name}", f"{fee.name} of {flows.deal}", flows.currency,
            (*_dates(flows), *columns),
        )  # fmt: skip


def incentive_table(flows: Projection) -> Table:
    """The incentive fee (spec 5.2): what the equity must still get at the start of each date, and its IRR after it."""
    r, n = flows.result, len(flows.payment_dates)
    paid = flows.paid(flows.equity)
    so_far = np.where(np.arange(n)[:, None] <= np.arange(n)[None, :], paid[:, None], 0.0)
    tiers = _tiers(flows)
    thresholds = [
        balance("Threshold" if len(tiers) == 1 else f"Threshold of {_tier_words(flows, tier)}", _threshold(flows, tier))
        for tier in tiers
    ]
    columns = [
        *thresholds,
        money("Paid to subordinated notes", paid),
        money("Fee paid", r.cash[:, cash.INCENTIVE_FEE]),
        field("IRR of subordinated notes", Unit.RATE, xirr_lanes(flows.equity_history, flows.payment_dates, so_far)),
    ]
    title = f"Incentive fee of {flows.deal}"
    return Table("incentive-fee", "Deal CF-Incentive fee", title, flows.currency, (*_dates(flows), *columns))


def _splits(flows: Projection) -> list[int]:
    """Places of the steps that split by hurdles."""
    return [place for place, clause in enumerate(flows.clauses) if clause.step.type == "hurdle_split"]


def _tiers(flows: Projection) -> list[Tier]:
    """The distinct hurdles, in the order of the steps."""
    found: dict[tuple[str, float | None], Tier] = {}
    for place in _splits(flows):
        for tier in tuple(flows.clauses[place].step.terms.get("tiers", ())) or (Tier(),):
            found.setdefault((tier.kind, tier.hurdle), tier)
    return list(found.values())


def _hurdle(flows: Projection, tier: Tier) -> float:
    return flows.inputs.hurdle if tier.hurdle is None else tier.hurdle


def _tier_words(flows: Projection, tier: Tier) -> str:
    return f"IRR {_hurdle(flows, tier) * 100:.4f} %" if tier.kind == "irr" else f"multiple {tier.hurdle or 0.0:g}"


def _threshold(flows: Projection, tier: Tier) -> Floats:
    """float64[n_dates]; a hurdle once reached stays reached."""
    start, paid, n = flows.inputs, flows.paid(flows.equity), len(flows.payment_dates)
    by_splits = flows.result.to_class[:, _splits(flows), flows.equity].sum(axis=1)
    growth = (1.0 + _hurdle(flows, tier)) ** (np.diff(start.days[:n], prepend=start.before) / 365.0)
    made, value, received, reached = np.zeros(n), start.hurdle_value, start.equity_received, False
    for i in range(n):
        value *= growth[i]
        left = -value if tier.kind == "irr" else (tier.hurdle or 0.0) * start.equity_invested - received
        made[i] = 0.0 if reached else max(left, 0.0)
        reached = reached or made[i] - by_splits[i] <= TINY
        value += paid[i]
        received += paid[i]
    return made
