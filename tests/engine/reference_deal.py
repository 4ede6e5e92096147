"""The whole run of a deal in plain Python, date by date: the oracle of the engine (spec: engine 4 to 9, 7A).

Dicts and floats; knows nothing of the compiler and the interpreter. `run` goes through the payment dates; a date's
state stands in `reference_date`, its steps in `reference_steps`, the incentive fee in `reference_hurdle`.
Money in the deal's currency; rates as fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.deal_inputs import LANE_PARAMETERS, DealInputs, Exchange
from engine.loans import columns as col
from engine.waterfall.document import Document
from tests.engine.reference_date import Line, Measure, Today, all_steps, divide, evaluate, ratio_of, seniority
from tests.engine.reference_hurdle import Hurdles
from tests.engine.reference_proxies import Bucket, Proxies, Rate, Ruled, ccc_excess, with_bought
from tests.engine.reference_steps import Priority

Floats = NDArray[np.float64]


@dataclass
class Row:
    """One payment date. Classes, fees, tests, accounts by id.

    interest      paid: current and on deferred;  deferred_paid, principal  likewise
    balance, deferred, unpaid  after the date;  hedges  net paid by part
    cash          by the names of the cash report;  contributed, repaid, owed  of contributions
    """

    interest: dict[str, float]
    deferred_paid: dict[str, float]
    principal: dict[str, float]
    balance: dict[str, float]
    deferred: dict[str, float]
    unpaid: dict[str, float]
    due: dict[str, float]
    on_deferred: dict[str, float]
    fee_accrued: dict[str, float]
    fee_paid: dict[str, float]
    fee_unpaid: dict[str, float]
    tests: dict[str, Measure]
    cash: dict[str, float]
    reinvested_flows: list[float]
    phases: dict[str, bool]
    accounts: dict[str, float]
    log: list[Line]
    expenses: dict[str, float]
    hedges: dict[str, float]
    hedge_receipts: float
    contributed: float
    repaid: dict[str, float]
    owed: dict[str, float]
    incentive: float
    thresholds: dict[tuple[str, float], float]
    carried_interest: float
    carried_principal: float
    failures: list[str]


@dataclass
class Outcome:
    """The dates that were run, to the redemption. `called`: row of the decision to redeem."""

    rows: list[Row] = field(default_factory=list)
    called: int | None = None

    @property
    def failures(self) -> list[tuple[int, str]]:
        return [(i, says) for i, row in enumerate(self.rows) for says in row.failures]


# --- the run -----------------------------------------------------------------------------------------------------


class Deal:
    """What goes from date to date."""

    def __init__(
        self,
        document: Document,
        inputs: DealInputs,
        flows: Floats,
        watched: Floats,
        bucket: Bucket,
        lane: Mapping[str, float],
        rates: tuple[Rate, Rate],
        ruled: Ruled,
    ) -> None:
        self.document, self.inputs, self.flows, self.watched, self.bucket = document, inputs, flows, watched, bucket
        self.lane = {**LANE_PARAMETERS, **lane}
        ids = inputs.class_ids
        self.groups = seniority(document, ids)
        self.terms = {c.id: c for c in document.classes}
        self.balance = {c: float(x) for c, x in zip(ids, inputs.balance, strict=True)}
        self.deferred = {c: float(x) for c, x in zip(ids, inputs.deferred, strict=True)}
        self.unpaid = dict.fromkeys(ids, 0.0)
        self.fee_unpaid = {f: float(x) for f, x in zip(document.fee_ids, inputs.fee_unpaid, strict=True)}
        self.accounts = {a.id: float(inputs.accounts.get(a.id, 0.0)) for a in document.accounts}
        self.owed = {k.id: 0.0 for k in document.contributions}
        self.unused: dict[str, list[tuple[int, float]]] = {cap.id: [] for cap in document.caps}
        self.used_life: dict[tuple[str, int], float] = {}
        self.proxies = Proxies(inputs, self.lane, rates, ruled)
        splits = [s for w in document.waterfalls.values() for s in all_steps(w.steps) if s.type == "hurdle_split"]
        self.hurdles = Hurdles(inputs, [tier for s in splits for tier in s.terms["tiers"]])
        self.performing, self.defaulted, self.carrying = inputs.performing, inputs.defaulted, inputs.carrying
        self.marked, self.haircut = inputs.marked, inputs.haircut
        self.interest, self.principal = inputs.interest, inputs.principal
        self.purchased = inputs.purchased_interest
        self.funding = inputs.funding
        self.basis = inputs.opening_basis
        self.accelerated = bool(inputs.accelerated)
        self.call_next = False

    def date(self, i: int) -> Row:
        """One payment date; the numbers are those of the contract."""
        inputs, document, flow = self.inputs, self.document, [float(x) for x in self.flows[i]]
        state = (self.groups, dict(self.balance), dict(self.deferred), dict(self.unpaid))
        t = Today(document, inputs, i, *state, self.accounts, self.owed, self.used_life)
        redeemed = self.call_next or i >= self.lane["redemption"] or i + 1 == len(inputs.days)
        # 1, 2, 3 collections
        idle = float(inputs.idle_yield[i])
        on_accounts = idle * sum(self.accounts.values())
        at_start = sum(self.accounts.values())
        contributed = 0.0
        for a in self.accounts:
            self.accounts[a] *= 1.0 + idle
        for terms in document.contributions:
            given = float(inputs.contributed[terms.id][i]) if terms.id in inputs.contributed else 0.0
            self.accounts[terms.account] += given
            self.owed[terms.id] = self.owed[terms.id] * (1.0 + terms.rate * float(inputs.cap_fraction[i])) + given
            contributed += given
        opening_performing = self.performing + self.proxies.performing
        re = self.proxies.collect(i)
        both = [a + b for a, b in zip(flow, re, strict=True)]
        interest = self.interest + both[col.INTEREST] + idle * (max(self.interest, 0.0) + max(self.principal, 0.0))
        principal = self.principal + both[col.SCHEDULED] + both[col.UNSCHEDULED] + both[col.RECOVERIES]
        covered = min(both[col.DRAWN], self.funding)  # cash was set aside for draws
        self.funding -= covered
        principal += both[col.PROCEEDS] - (both[col.DRAWN] - covered)
        moved = min(max(interest, 0.0), self.purchased)
        interest, principal, self.purchased = interest - moved, principal + moved, self.purchased - moved
        # 6 the pool at the end of the collection period
        self.performing += flow[col.CAPITALISED] + flow[col.DRAWN] - flow[col.DEFAULTED] - flow[col.SCHEDULED]
        self.performing -= flow[col.UNSCHEDULED] + flow[col.SOLD]
        self.defaulted += flow[col.DEFAULTED] - flow[col.RECOVERIES] - flow[col.LOSS]
        self.carrying += flow[col.CLAIM] - flow[col.RECOVERIES]
        self.marked += flow[col.MARKED]
        self.haircut += flow[col.HAIRCUT]
        performing = self.performing + self.proxies.performing
        defaulted = self.defaulted + self.proxies.defaulted
        carrying = self.carrying + self.proxies.carrying
        bought, sale_price = self.proxies.performing, self.lane["sale_price"]
        marked = self.marked + self.lane["sale_price_of_bought"] * bought
        if sale_price >= 0.0:
            marked = sale_price * performing
        limit = inputs.ccc_limit * (performing + principal)
        seen, bucket = [float(x) for x in self.watched[i]], self.bucket
        if any(strategy.low for strategy in inputs.strategies):
            bucket = with_bought(bucket, len(seen), self.lane["price"])
            seen.append(self.proxies.low)
        ccc = ccc_excess(limit, bucket, seen)
        t.pool = {
            "performing": float(performing),
            "defaulted": float(defaulted),
            "carrying": float(carrying),
            "ccc_excess": ccc,
            "haircut": float(self.haircut),
            "principal_cash": float(principal),
            "interest_cash": float(interest),
            "opening_performing": float(opening_performing),
            "marked": float(marked),
        }
        notes = sum(self.balance[c] + self.deferred[c] for c in inputs.class_ids if c != t.equity)
        t.nav = divide(marked + carrying + principal - notes, t.original(t.equity))
        t.phases = {
            "reinvestment": bool(inputs.reinvesting[i]) and not redeemed,
            "post_reinvestment": not inputs.reinvesting[i],
            "non_call": not inputs.callable[i],
            "redemption": redeemed,
            "acceleration": self.accelerated,
            "event_of_default": self.accelerated,
            "first_period": i == 0,
            "post_effective": i >= inputs.tests_from,
        }
        # 4, 6, 7
        self.accrue(t, i)
        t.basis = max(performing + defaulted + principal, 0.0)
        senior = self.accrue_fees(t, i, float(opening_performing))
        self.measure(t, i, senior)
        controlling = t.controlling()
        if any(test.fails and t.type_of(name) == "eod" for name, test in t.tests.items()):
            self.accelerated = True
        if document.event_of_default is not None and evaluate(document.event_of_default, t) != 0.0:
            self.accelerated = True
        t.phases["acceleration"] = t.phases["event_of_default"] = self.accelerated
        for name, expression in document.phases.items():
            t.phases[name] = evaluate(expression, t) != 0.0
        # 8 sale
        sale = float(marked + carrying + self.funding) if redeemed else 0.0
        if redeemed:
            self.performing = self.defaulted = self.carrying = self.marked = self.haircut = 0.0
            self.proxies.sell()
        # 9 waterfalls
        t.interest, t.principal = float(interest), float(principal + sale)
        exchange = (
            inputs.exchange if inputs.exchange is not None and inputs.exchange.row == i and not redeemed else None
        )
        put_in = 0.0  # by the holders of the equity
        if exchange is not None:
            spent = 0.0 if exchange.by_holders else min(exchange.costs, max(t.interest, 0.0))
            t.interest -= spent
            put_in = exchange.costs - spent
        t.may_buy = not redeemed and not self.accelerated and self.lane["reinvests"] != 0.0
        period = 0 if inputs.reinvesting[i] else 1
        kind, share = inputs.policy_base[period], inputs.policy_share[period]
        base = {"all": principal, "unscheduled": both[col.UNSCHEDULED]}.get(kind, 0.0)
        t.policy = share * max(float(base), 0.0)
        t.policy_share_of_diverted = share if kind == "all" else 0.0
        self.hurdles.open(int(inputs.days[i]))
        priority = Priority(t, self.hurdles)
        rule = next((rule for rule in document.dispatch if evaluate(rule.when, t) != 0.0), None)
        if rule is not None:
            priority.run(rule.run)
        # 10 call
        self.call_next = i + 1 < len(inputs.days) and bool(inputs.callable[i + 1]) and self.calls(t)
        # 11 roll
        self.roll(t, controlling)
        if exchange is not None:
            put_in += self.renew(t, exchange)
            t.paid_principal[t.equity] -= put_in
            self.hurdles.pay(-put_in)
        self.hurdles.close()
        if put_in > 1e-6:
            self.hurdles.reached.clear()
        self.proxies.buy(i, t.reinvested)
        self.interest = max(t.interest, 0.0) + t.kept_interest
        self.principal = t.principal + min(t.interest, 0.0) + t.kept_principal
        carried = self.interest + self.principal
        paid = (t.paid_current, t.paid_late, t.paid_deferred, t.paid_principal, t.fee_paid_old, t.fee_paid_new)
        spent = {
            "Expenses": sum(t.expenses.values()) + (0.0 if exchange is None else exchange.costs),
            "Hedges paid": sum(t.hedges.values()) + t.hedge_receipts,
            "Contributions repaid": sum(t.repaid.values()),
            "Change of accounts": sum(self.accounts.values()) - at_start,
        }
        uses = sum(sum(d.values()) for d in paid) + t.incentive + t.reinvested + carried + sum(spent.values())
        cash = {
            "Interest proceeds": float(interest),
            "Principal proceeds": float(principal),
            "Sale proceeds": sale,
            "Payment of notes": t.pot,
            "Interest diverted": t.w,
            "Reinvested": t.reinvested,
            "Incentive fee": t.incentive,
            "Carried forward": float(carried),
            "Index": float(inputs.index[i]),
            "Performing balance": float(self.performing + self.proxies.performing),
            "Defaulted balance": float(self.defaulted + self.proxies.defaulted),
            "Carrying value of defaulted": float(self.carrying + self.proxies.carrying),
            "CCC excess haircut": ccc,
            **spent,
            "Hedges received": t.hedge_receipts,
            "Contributed": contributed,
            "Sources": float(interest + principal + sale + t.hedge_receipts + contributed + on_accounts),
            "Uses": float(uses),
        }
        ids = inputs.class_ids
        return Row(
            interest={c: t.paid_current[c] + t.paid_late[c] for c in ids},
            deferred_paid={c: t.paid_deferred[c] for c in ids},
            principal={c: t.paid_principal[c] for c in ids},
            balance=dict(self.balance),
            deferred=dict(self.deferred),
            unpaid=dict(self.unpaid),
            due={c: t.due[c] for c in ids},
            on_deferred={c: t.on_deferred[c] for c in ids},
            fee_accrued={f: t.fee_new[f] for f in document.fee_ids},
            fee_paid={f: t.fee_paid_old[f] + t.fee_paid_new[f] for f in document.fee_ids},
            fee_unpaid=dict(self.fee_unpaid),
            tests=t.tests,
            cash=cash,
            reinvested_flows=re,
            phases=t.phases,
            accounts=dict(self.accounts),
            log=t.log,
            expenses=dict(t.expenses),
            hedges=dict(t.hedges),
            hedge_receipts=t.hedge_receipts,
            contributed=contributed,
            repaid=dict(t.repaid),
            owed=dict(self.owed),
            incentive=t.incentive,
            thresholds=dict(self.hurdles.threshold),
            carried_interest=float(self.interest),
            carried_principal=float(self.principal),
            failures=t.failures,
        )

    # --- accruals and tests ---

    def accrue(self, t: Today, i: int) -> None:
        """What the classes are due on the date."""
        for place, c in enumerate(self.inputs.class_ids):
            if c == t.equity:
                continue
            terms, accrual = self.terms[c], float(self.inputs.accrual[i, place])
            late = self.unpaid[c] * (1.0 + accrual if terms.interest_on_unpaid else 1.0)
            t.accrual[c] = accrual
            t.due[c] = self.balance[c] * accrual + late
            t.on_deferred[c] = self.deferred[c] * accrual if terms.interest_on_deferred else 0.0
            after = max(float(self.inputs.balance[place] - self.inputs.scheduled[place] * (i + 1)), 0.0)
            t.scheduled[c] = max(self.balance[c] - after, 0.0)

    def accrue_fees(self, t: Today, i: int, opening_performing: float) -> float:
        """Fees due and the room of the caps; returns what interest coverage deducts."""
        inputs = self.inputs
        bases = {
            "begin": self.basis,
            "average": 0.5 * (self.basis + t.basis),
            "end": t.basis,
            "performing": opening_performing,
            "none": 0.0,
        }
        for place, f in enumerate(self.document.fee_ids):
            base = bases[inputs.fee_basis[place]]
            year = (base * float(inputs.fee_percent[place]) + float(inputs.fee_fixed[place])) * float(
                inputs.fee_fraction[i, place]
            )
            t.fee_old[f] = self.fee_unpaid[f]
            t.fee_new[f] = year + self.fee_unpaid[f] * float(inputs.fee_interest[i, place])
        for cap in self.document.caps:
            year = evaluate(cap.fixed, t) + evaluate(cap.percent, t) * self.basis
            own = max(year * float(inputs.cap_fraction[i]), 0.0)
            kept = [entry for entry in self.unused[cap.id] if entry[0] >= i - cap.carry_forward]
            t.room[cap.id] = [*kept, (i, own)]
        self.basis = t.basis
        senior = [terms for place, terms in enumerate(self.document.fees) if inputs.fee_senior[place]]
        deducted = sum(t.fee_left(terms.id) for terms in senior if terms.cap is None)
        for cap in self.document.caps:
            deducted += min(sum(t.fee_left(terms.id) for terms in senior if terms.cap == cap.id), t.room_left(cap.id))
        return deducted

    def measure(self, t: Today, i: int, senior_fees: float) -> None:
        """The coverage tests at the end of the collection period, in the order of the document."""
        pool = t.pool
        for place, terms in enumerate(self.document.tests):
            covered = [c for c in terms.classes if c in t.balance]
            if terms.type == "ic":
                numerator = pool["interest_cash"] - senior_fees
                denominator = sum(t.due[c] + t.on_deferred[c] for c in covered)
            else:
                numerator = pool["performing"] + pool["carrying"] + pool["principal_cash"]
                if terms.type != "eod":
                    numerator += self.purchased - pool["haircut"] - pool["ccc_excess"]
                denominator = sum(self.balance[c] + self.deferred[c] for c in covered)
            if terms.numerator is not None:
                numerator = evaluate(terms.numerator, t)
            if terms.denominator is not None:
                denominator = evaluate(terms.denominator, t)
            ratio, trigger = ratio_of(numerator, denominator), float(self.inputs.triggers[i, place])
            active = i >= (self.inputs.ic_from if terms.type == "ic" else self.inputs.tests_from)
            if active and terms.active is not None:
                active = evaluate(terms.active, t) != 0.0
            below = ratio < trigger or (ratio == trigger and not terms.pass_on_equal)
            t.tests[terms.id] = Measure(numerator, denominator, trigger, ratio, active, active and below)

    # --- end of the date ---

    def calls(self, t: Today) -> bool:
        """Whether the date decides that the pool is sold on the next."""
        if self.accelerated:
            return False
        distribution = divide(t.to_equity(), t.original(t.equity))
        return (
            distribution < self.lane["call_below"]
            or t.pool["performing"] < self.lane["clean_up"] * self.inputs.performing
            or t.nav > self.lane["call_above_nav"]
            or (self.document.call is not None and evaluate(self.document.call, t) != 0.0)
        )

    def roll(self, t: Today, controlling: list[str]) -> None:
        """Balances to the next date. `controlling`: the classes that controlled at the start of the date."""
        for place, c in enumerate(self.inputs.class_ids):
            if c == t.equity:
                continue
            short, rest = t.current_left(c), t.deferred_left(c) + t.late_left(c)
            defers = self.inputs.deferrable[place]
            deferring = defers == "always" or (defers == "if_not_controlling" and c not in controlling)
            self.balance[c] = t.principal_left(c)
            self.deferred[c] = rest + (short if deferring else 0.0)
            self.unpaid[c] = 0.0 if deferring else short
        for f in self.document.fee_ids:
            self.fee_unpaid[f] = t.fee_left(f)
        self.unused = t.room

    def renew(self, t: Today, exchange: Exchange) -> float:
        """New notes for old ones; returns what the holders of the equity put in for it."""
        put_in = 0.0
        for place, c in enumerate(self.inputs.class_ids):
            if not exchange.classes[place]:
                continue
            owed = self.balance[c] + self.deferred[c] + self.unpaid[c]
            size = float(exchange.balance[place])
            issued = owed if np.isnan(size) else size
            t.paid_principal[c] += owed - issued
            put_in += owed - issued
            self.balance[c], self.deferred[c], self.unpaid[c] = issued, 0.0, 0.0
        return put_in


def run(
    document: Document,
    inputs: DealInputs,
    flows: Floats,
    watched: Floats,
    bucket: Bucket,
    lane: Mapping[str, float],
    rates: tuple[Rate, Rate],
    ruled: Ruled = (),
) -> Outcome:
    """The deal through its payment dates, to that of the redemption, which is the last at the latest.

    flows    float64[n_dates, N_FLOWS] of the pool;  watched  float64[n_dates, n_watched] balances of watched loans
    bucket   two lists of (column of watched, price), prices falling
    lane     by the names of LANE_PARAMETERS, what is not said as there;  rates  (cdr, cpr) a year of reinvested assets,
             each a number or one a date;  ruled: of those with rates of their own
    """
    deal = Deal(document, inputs, flows, watched, bucket, lane, rates, ruled)
    outcome = Outcome()
    for i in range(len(inputs.days)):
        outcome.rows.append(deal.date(i))
        if outcome.rows[-1].phases["redemption"]:
            break
        if deal.call_next and outcome.called is None:
            outcome.called = i
    return outcome
