"""A payment date in its order (spec: engine 9.3), written as a program; what comes out of it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import cash
from engine.deal_inputs import DealInputs
from engine.liabilities.coverage import Coverage
from engine.liabilities.due import Accounts, Classes, Fees, groups
from engine.liabilities.payments import Hurdles, dispatch, steps_of
from engine.liabilities.pool import FLOWS, PoolSide, parameter
from engine.liabilities.renewal import Renewal
from engine.waterfall.clauses import Clause, clauses
from engine.waterfall.day import Day, Ledger
from engine.waterfall.document import Document, Tier
from engine.waterfall.figures import truth_of
from engine.waterfall.flatten import Program
from engine.waterfall.registers import Builder, Row
from engine.waterfall.steps import LOG_COLUMNS

__all__ = ["FLOWS", "NEVER", "Machine", "write"]

NEVER: Final = 1e9
"""The row of the first failure of a test that fails on no date."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """A deal's program with the words that belong to it.

    clauses  the steps that the deal has, in the order of the log
    tiers    of the incentive fee, over all its steps
    """

    document: Document
    program: Program
    clauses: tuple[Clause, ...]
    tiers: tuple[Tier, ...]

    def dated(self, inputs: DealInputs) -> Floats:
        """float64[n_dates, n_dated]: the figures given per date, in the program's order."""
        columns = _dated(inputs, self.tiers)
        made = np.empty((inputs.days.size, len(self.program.dated)))
        for place, name in enumerate(self.program.dated):
            made[:, place] = columns[name]
        return made


def _dated(inputs: DealInputs, tiers: Sequence[Tier]) -> dict[Hashable, Floats]:
    n = inputs.days.size
    rows = np.arange(n, dtype=np.float64)
    columns: dict[Hashable, Floats] = {
        "row": rows,
        "period": rows + 1.0,
        "date": inputs.days.astype(np.float64),
        "index": inputs.index,
        "first": (rows == 0.0).astype(np.float64),
        "last": (rows == n - 1.0).astype(np.float64),
        "reinvesting": inputs.reinvesting.astype(np.float64),
        "callable": inputs.callable.astype(np.float64),
        "callable_next": np.append(inputs.callable[1:], False).astype(np.float64),
        "tests_run": (rows >= inputs.tests_from).astype(np.float64),
        "ic_runs": (rows >= inputs.ic_from).astype(np.float64),
        "cap_fraction": inputs.cap_fraction,
        "idle": inputs.idle_yield,
        "years": (inputs.days - max(inputs.dates.get("analysis", inputs.before), inputs.before)) / 365.0,
    }
    before = np.concatenate([[inputs.before], inputs.days[:-1]])
    for place, tier in enumerate(tiers):
        hurdle = inputs.hurdle if tier.hurdle is None else tier.hurdle
        columns["growth", place] = (1.0 + hurdle) ** ((inputs.days - before) / 365.0)
    for place, c in enumerate(inputs.class_ids):
        columns["accrual", c] = inputs.accrual[:, place]
    for place in range(inputs.fee_percent.size):
        columns["fee_fraction", place] = inputs.fee_fraction[:, place]
        columns["fee_interest", place] = inputs.fee_interest[:, place]
    for place in range(inputs.triggers.shape[1]):
        columns["trigger", place] = inputs.triggers[:, place]
    for place, strategy in enumerate(inputs.strategies):
        columns["strategy", place] = strategy.coupon * strategy.fraction
    for name, amounts in inputs.contributed.items():
        columns["contributed", name] = amounts
    if (exchange := inputs.exchange) is not None:
        columns["exchange"] = (rows == exchange.row).astype(np.float64)
        columns["costs"] = np.full(n, exchange.costs)
        for place, c in enumerate(inputs.class_ids):
            columns["new balance", c] = np.full(n, exchange.balance[place])
    return columns


def write(
    document: Document,
    inputs: DealInputs,
    *,
    full: bool,
    coverage: bool = False,
    called_by_rule: bool = True,
    absent: Collection[int] = (),
) -> Machine:
    """The machine of a deal.

    called_by_rule  scenarios may have call rules (`call_below`, `clean_up`, `call_above_nav`), not a date alone
    absent  columns of the collateral's flows in which nothing stands
    full  every figure of the result and the log of the steps come out; otherwise the totals of the classes (kept in
          the states ("total", kind, class) and ("weighted time", class)) and the equity's payments date by date
    coverage  beside the totals, how the tests did: the states ("failed", test), the row of the first date on which it
          fails (NEVER: on none), and ("cushion", test), the least of ratio less trigger on the dates it is tested
    """
    b, ids = Builder(), inputs.class_ids
    numbered = clauses(document, ids)
    ledger = Ledger(b)
    alive = b.state("alive", 1.0, positive=True)
    pool = PoolSide(b, inputs, alive, absent)
    classes = Classes(b, document, inputs)
    fees = Fees(b, document, inputs, pool)
    accounts = Accounts(b, document, inputs, ledger, alive)
    tests = Coverage(b, document, inputs, alive, pool, classes, fees)
    hurdles = Hurdles(b, inputs, numbered)
    day = Day(
        b=b,
        document=document,
        classes=ids,
        groups=groups(document, ids),
        ledger=ledger,
        original=dict(zip(ids, map(float, inputs.original), strict=True)),
        balance=classes.balance,
        deferred=classes.deferred,
        unpaid=classes.unpaid,
        due=classes.due,
        on_deferred=classes.on_deferred,
        scheduled=classes.scheduled,
        accrual=classes.accrual,
        fee_accrued=fees.accrued,
        fee_unpaid=fees.unpaid,
        pool=pool.figures,
        phases=tests.phases(),
        plain=_plain(b, inputs, fees),
        pays_parts=any(c.step.terms.get("part") in ("current", "unpaid") for c in numbered),
    )
    fees.open_caps(day)
    tests.measure(day)
    tests.declare(day)
    day.phases |= tests.phases()
    day.phases |= {name: truth_of(day, of) for name, of in document.phases.items()}
    sale = tests.redeemed.then(pool.marked + pool.carrying + pool.funding, 0.0)
    living = alive & ~tests.redeemed
    ledger["pot", "interest"] = pool.interest
    ledger["pot", "principal"] = pool.principal + sale
    renewal = Renewal(b, day, inputs, living)
    renewal.pay_costs()
    limited = [clause.number for clause in numbered if clause.step.cap_life is not None]
    for number in limited:
        ledger["life", number] = b.state(("life", number))
    dispatch(document, day, steps_of(day, inputs, pool, tests, hurdles, numbered), alive)

    bought = living.then(ledger["reinvested"], 0.0)
    pool.bought.buy(bought)
    called = _called(day, inputs, pool) if called_by_rule or document.call is not None else b.constant(0.0)
    b.keep("called", living & called & ~tests.accelerated)
    carried_interest, carried_principal = _carried(day)
    b.keep("interest", carried_interest)
    b.keep("principal", carried_principal)
    closing = {c: classes.roll(day, c, renewal) for c in ids if c != document.equity}
    renewal.settle()
    fees.roll(day)
    hurdles.roll(day)
    pool.roll()
    accounts.roll(living)
    for number in limited:
        b.keep(("life", number), ledger["life", number])
    b.keep("alive", living)

    report = _Report(day, living, closing)
    if full:
        report.show(pool, fees, accounts, tests, sale, bought, carried_interest + carried_principal, numbered)
    else:
        report.totals()
        if coverage:
            report.tested(alive)
    return Machine(document, b.build(), numbered, hurdles.tiers)


def _plain(b: Builder, inputs: DealInputs, fees: Fees) -> dict[str, Row]:
    """Figures that expressions find by a name of their own."""
    made = {name: b.dated(name) for name in ("index", "period", "date")}
    made["basis"] = fees.basis
    made |= {f"dates.{name}": b.constant(float(day)) for name, day in inputs.dates.items()}
    return made | {f"input.{name}": b.constant(value) for name, value in inputs.inputs.items()}


def _called(day: Day, inputs: DealInputs, pool: PoolSide) -> Row:
    """Whether the deal is redeemed on the next date (spec 9.4)."""
    b = day.b
    distributed = day.ledger["to_equity"] / (day.original[day.document.equity] or 1.0)
    wanted = distributed < parameter(b, "call_below")
    wanted = wanted | (pool.performing < parameter(b, "clean_up") * inputs.performing)
    wanted = wanted | (day.nav() > parameter(b, "call_above_nav"))
    if day.document.call is not None:
        wanted = wanted | truth_of(day, day.document.call)
    return b.dated("callable_next") & wanted


def _carried(day: Day) -> tuple[Row, Row]:
    """Interest and principal in hand on the next date; interest below nothing is carried as principal (D-38)."""
    ledger = day.ledger
    pot = ledger["pot", "interest"]
    principal = pot.least(0.0) + ledger["pot", "principal"] + ledger["pot", "notes"]
    return pot.positive + ledger["retained_interest"], principal + ledger["retained_principal"]


class _Report:
    """What comes out of a date."""

    def __init__(self, day: Day, living: Row, closing: dict[str, dict[str, Row]]) -> None:
        self.day, self.b, self.ledger, self.living, self.closing = day, day.b, day.ledger, living, closing

    def _paid(self, c: str) -> dict[str, Row]:
        ledger = self.ledger
        return {
            "interest": ledger["interest", c] + ledger["on_deferred", c],
            "deferred_paid": ledger["deferred", c],
            "principal": ledger["principal", c],
        }

    def show(
        self,
        pool: PoolSide,
        fees: Fees,
        accounts: Accounts,
        coverage: Coverage,
        sale: Row,
        bought: Row,
        carried: Row,
        numbered: Sequence[Clause],
    ) -> None:
        """Every figure of the result, and the log of the steps."""
        b, day, ledger, living = self.b, self.day, self.ledger, self.living
        paid_out = b.constant(0.0)
        for c in day.classes:
            paid = self._paid(c)
            paid_out = paid_out + b.total(list(paid.values()))
            for kind, row in {**paid, **self.closing.get(c, {})}.items():
                b.output(("class", c, kind), row)
        for fee in fees.accrued:
            paid_out = paid_out + day.fee_paid(fee)
            b.output(("fee", fee, "accrued"), fees.accrued[fee])
            b.output(("fee", fee, "paid"), day.fee_paid(fee))
            b.output(("fee", fee, "unpaid"), fees.left(day, fee))
        for name, test in day.tests.items():
            b.output(("test", name, "numerator"), test.numerator)
            b.output(("test", name, "denominator"), test.denominator)
            b.output(("test", name, "ratio"), test.ratio)
            b.output(("test", name, "active"), test.active)
        change = accounts.after() - accounts.held
        uses = paid_out + ledger["incentive"] + ledger["reinvested"] + carried + ledger["expenses"]
        sources = pool.interest + pool.principal + sale + ledger["hedges_received"]
        rows = {
            cash.INTEREST_PROCEEDS: pool.interest,
            cash.PRINCIPAL_PROCEEDS: pool.principal,
            cash.SALE_PROCEEDS: sale,
            cash.NOTES_POT: ledger["to_notes"],
            cash.DIVERTED: ledger["diverted"],
            cash.REINVESTED: ledger["reinvested"],
            cash.INCENTIVE_FEE: ledger["incentive"],
            cash.CARRIED: carried,
            cash.INDEX: b.dated("index"),
            cash.PERFORMING: living.then(pool.performing + bought / parameter(b, "price"), 0.0),
            cash.DEFAULT_BALANCE: living.then(pool.defaulted, 0.0),
            cash.CARRYING_VALUE: living.then(pool.carrying, 0.0),
            cash.CCC_EXCESS: pool.excess,
            cash.EXPENSES: ledger["expenses"],
            cash.HEDGES_PAID: ledger["hedges_paid"],
            cash.HEDGES_RECEIVED: ledger["hedges_received"],
            cash.CONTRIBUTED: accounts.contributed,
            cash.REPAID: ledger["repaid"],
            cash.ACCOUNTS: change,
            cash.SOURCES: sources + accounts.contributed + accounts.earned,
            cash.USES: uses + ledger["hedges_paid"] + ledger["repaid"] + change,
        }
        for column, row in rows.items():
            b.output(("cash", column), row)
        for name in cash.PHASES:
            b.output(("phase", name), day.phases[name])
        for column, row in pool.bought.flows.items():
            b.output(("bought", column), row)
        for account in day.document.accounts:
            b.output(("account", account.id), ledger["account", account.id])
        for contribution in day.document.contributions:
            b.output(("owed", contribution.id), ledger["owed", contribution.id])
        b.output("broken", ledger["broken"])
        self._log(numbered)

    def _log(self, numbered: Sequence[Clause]) -> None:
        for clause in numbered:
            for column in LOG_COLUMNS:
                name = ("log", clause.number, column)
                self.ledger.usual(name, np.nan)
                self.b.output(name, self.ledger[name])
            for c in self.day.classes:
                self.b.output(("to_class", clause.number, c), self.ledger["to_class", clause.number, c])

    def totals(self) -> None:
        """Totals of the run in states, and the equity's payments date by date."""
        b = self.b
        for c in self.day.classes:
            paid = self._paid(c)
            for kind, row in (("interest", "interest"), ("deferred", "deferred_paid"), ("principal", "principal")):
                b.keep(("total", kind, c), b.state(("total", kind, c)) + paid[row])
            repaid = (paid["principal"] + paid["deferred_paid"]) * b.dated("years", positive=True)
            b.keep(("weighted time", c), b.state(("weighted time", c)) + repaid)
        paid = self._paid(self.day.document.equity)
        b.output("equity", paid["interest"] + paid["principal"])

    def tested(self, alive: Row) -> None:
        """How the coverage tests did, in states."""
        b = self.b
        for name, test in self.day.tests.items():
            failed = (alive & test.fails).then(b.dated("row"), NEVER)
            b.keep(("failed", name), b.state(("failed", name), NEVER).least(failed))
            cushion = (alive & test.active).then(test.ratio - test.trigger, np.inf)
            b.keep(("cushion", name), b.state(("cushion", name), np.inf).least(cushion))
