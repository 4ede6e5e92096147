"""The steps of the reference: one waterfall over cash in hand, clause by clause, and the pots of a payment date.

Part of the reference of a deal's run (`reference_deal`). A step never takes more than it may use of the cash in hand
and never pays a negative amount; receipts (hedges, accounts) add to the cash in hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.waterfall.document import Step, Waterfall
from engine.waterfall.expressions import Expression
from tests.engine.reference_date import Line, Today, evaluate, inside, size
from tests.engine.reference_hurdle import Hurdles

Taken = tuple[float, float, dict[str, float]]
"""Due, paid (negative: received), paid to classes."""


# --- allocation --------------------------------------------------------------------------------------------------


def share_out(
    claims: Mapping[str, float], cash: float, alloc: str = "sequential", weight: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Who gets what of the cash; nobody more than his claim. `weight` is for pro_rata_balance and weights."""
    made = dict.fromkeys(claims, 0.0)
    left = max(cash, 0.0)
    if alloc == "pro_rata":
        owed = sum(claims.values())
        if owed > left:
            return {c: left * claim / owed for c, claim in claims.items()}
    if alloc in ("pro_rata_balance", "weights"):
        left = fill_by_weight(made, claims, left, dict(weight or {}))
    order = list(reversed(claims)) if alloc == "reverse" else list(claims)
    for c in order:
        part = min(left, claims[c] - made[c])
        made[c] += part
        left -= part
    return made


def fill_by_weight(
    made: dict[str, float], claims: Mapping[str, float], cash: float, weight: Mapping[str, float]
) -> float:
    """Cash by weight until it is gone or all who have a weight are full; returns what is left."""
    open_ = [c for c in claims if weight.get(c, 0.0) > 0.0 and claims[c] > 0.0]
    while open_:
        total = sum(weight[c] for c in open_)
        full = [c for c in open_ if claims[c] <= cash * weight[c] / total]
        if not full:
            for c in open_:
                made[c] = cash * weight[c] / total
            return 0.0
        for c in full:
            made[c] = claims[c]
        cash = max(cash - sum(claims[c] for c in full), 0.0)
        open_ = [c for c in open_ if c not in full]
    return cash


# --- steps -------------------------------------------------------------------------------------------------------


class Priority:
    """Runs the waterfalls of one payment date."""

    def __init__(self, today: Today, hurdles: Hurdles) -> None:
        self.today = today
        self.hurdles = hurdles
        self.document = today.document
        self.called: set[str] = set()  # notes waterfalls that an executed `run` names

    # --- pots ---

    def run(self, names: Sequence[str]) -> None:
        """The waterfalls of a rule, each over its pot, the note payment sequences last."""
        t = self.today
        lists = self.document.waterfalls
        for name in names:
            source = lists[name].source
            if source == "interest":
                taken, t.interest = max(t.interest, 0.0), min(t.interest, 0.0)
                left = self.waterfall(lists[name], source, taken)
                t.interest += left
            elif source in ("principal", "both"):
                if source == "both":
                    t.principal, t.interest = t.interest + t.principal, 0.0
                taken, t.principal = max(t.principal, 0.0), min(t.principal, 0.0)
                left = self.waterfall(lists[name], source, taken)
                t.principal += left
        notes = [w for w in lists.values() if w.source == "notes"]
        chosen = [w for w in notes if w.id in names or w.id in self.called]
        if not chosen and t.pot > 0.0:
            chosen = notes[:1]
        for waterfall in chosen:
            taken, t.pot_left = t.pot_left, 0.0
            left = self.waterfall(waterfall, "notes", taken)
            t.pot_left += left
        t.principal += t.pot_left
        t.pot_left = 0.0

    def waterfall(self, waterfall: Waterfall, source: str, cash: float) -> float:
        return self.steps(waterfall.id, waterfall.steps, 0, source, cash)

    def steps(self, name: str, steps: Sequence[Step], place: int, source: str, cash: float) -> float:
        for step in steps:
            cash = self.step(name, place, step, source, cash)
            place += size(step)
        return cash

    # --- one step ---

    def step(self, name: str, place: int, step: Step, source: str, cash: float) -> float:
        """Runs the step if its condition holds; returns the cash in hand after it."""
        t = self.today
        for key in ("classes", "equity"):
            if step.ids(key) and not any(c in t.balance for c in step.ids(key)):
                return cash
        if step.when is not None and evaluate(step.when, t, cash) == 0.0:
            return cash
        if step.type == "branch":
            holds = evaluate(step.terms["condition"], t, cash) != 0.0
            first = step.terms["then"]
            if holds:
                return self.steps(name, first, place + 1, source, cash)
            skipped = sum(size(s) for s in first)
            return self.steps(name, inside(step)[len(first) :], place + 1 + skipped, source, cash)
        if step.type == "assert":
            if evaluate(step.terms["that"], t, cash) == 0.0:
                t.failures.append(str(step.terms.get("says", "")))
            return cash
        share = 1.0 if step.share is None else min(max(evaluate(step.share, t, cash), 0.0), 1.0)
        clause = (name, place)
        limit = math.inf
        for cap, used in ((step.cap, t.used), (step.cap_life, t.used_life)):
            if cap is not None:
                limit = min(limit, max(evaluate(cap, t, cash), 0.0) - used.get(clause, 0.0))
        limit = max(limit, 0.0)
        due, paid, to_class = getattr(self, f"do_{step.type}")(step, source, cash, share, limit)
        counted = abs(paid) if step.type == "from_account" else max(paid, 0.0)
        t.used[clause] = t.used.get(clause, 0.0) + counted
        t.used_life[clause] = t.used_life.get(clause, 0.0) + counted
        cash = max(cash - paid, 0.0)
        t.log.append(Line(name, place, step.type, due, paid, max(due - paid, 0.0), cash, to_class))
        return cash

    def amount(self, step: Step, cash: float, everything: float, default: str = "all") -> float:
        """What the step's amount says: all there is, or the expression, at least nothing."""
        said = step.terms.get("amount", default)
        return everything if said in (None, "all") else max(evaluate(said, self.today, cash), 0.0)

    # --- fees, expenses, hedges ---

    def do_pay_fee(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, part = self.today, step.terms.get("part", "all")
        alloc = step.terms.get("alloc", "sequential")
        alloc = "pro_rata" if alloc == "pro_rata_balance" else alloc
        left = {"current": t.fee_new_left, "unpaid": t.fee_old_left}.get(part, t.fee_left)
        claims = {f: left(f) for f in step.ids("fees")}
        caps = {terms.id: terms.cap for terms in self.document.fees}
        if part == "capped":
            for cap in {caps[f] for f in claims if caps[f] is not None}:
                under = {f: claim for f, claim in claims.items() if caps[f] == cap}
                claims |= share_out(under, t.room_left(str(cap)), alloc)
        paid = share_out(claims, min(cash * share, limit), alloc)
        for f, money in paid.items():
            old = 0.0 if part == "current" else min(money, t.fee_old_left(f))
            t.fee_paid_old[f] += old
            t.fee_paid_new[f] += money - old
            if part == "capped" and caps[f] is not None:
                self.use_room(str(caps[f]), money)
        return sum(claims.values()), sum(paid.values()), {}

    def use_room(self, cap: str, money: float) -> None:
        """Room carried from earlier dates is used first, the oldest before the others."""
        rooms = []
        for row, room in self.today.room[cap]:
            used = min(room, money)
            money -= used
            rooms.append((row, room - used))
        self.today.room[cap] = rooms

    def do_pay_expense(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, name = self.today, str(step.terms["name"])
        due = max(evaluate(step.terms["amount"], t, cash) - t.expenses[name], 0.0)
        paid = min(cash * share, limit, due)
        t.expenses[name] += paid
        return due, paid, {}

    def do_pay_hedge(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, part = self.today, str(step.terms.get("part", "periodic"))
        amount = evaluate(step.terms["amount"], t, cash)
        rest = amount - t.hedges[part]
        if amount < 0.0 and rest < 0.0:
            t.hedges[part] += rest
            t.hedge_receipts -= rest
            return rest, rest, {}
        due = max(rest, 0.0)
        paid = min(cash * share, limit, due)
        t.hedges[part] += paid
        return due, paid, {}

    # --- classes ---

    def do_pay_interest(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t = self.today
        include = step.terms.get("include", ("current", "on_deferred"))
        current = {c: t.current_left(c) if "current" in include else 0.0 for c in self.present(step)}
        late = {c: t.late_left(c) if "on_deferred" in include else 0.0 for c in current}
        claims = {c: current[c] + late[c] for c in current}
        paid = self.to_classes(step, claims, min(cash * share, limit))
        for c, money in paid.items():
            first = min(money, current[c])
            t.paid_current[c] += first
            t.paid_late[c] += money - first
        return sum(claims.values()), sum(paid.values()), paid

    def do_pay_deferred(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t = self.today
        claims = {c: t.late_left(c) + t.deferred_left(c) for c in self.present(step)}
        paid = self.to_classes(step, claims, min(cash * share, limit))
        for c, money in paid.items():
            first = min(money, t.late_left(c))
            t.paid_late[c] += first
            t.paid_deferred[c] += money - first
        return sum(claims.values()), sum(paid.values()), paid

    def do_pay_principal(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t = self.today
        claims = {c: t.principal_left(c) for c in self.present(step)}
        due = math.inf
        if step.terms.get("amount", "all") == "scheduled":
            claims = {c: min(left, max(t.scheduled[c] - t.paid_principal[c], 0.0)) for c, left in claims.items()}
        else:
            due = self.amount(step, cash, math.inf)
        if step.terms.get("stop_at") is not None:
            balances = sum(t.principal_left(c) for c in claims)
            due = min(due, max(balances - evaluate(step.terms["stop_at"], t, cash), 0.0))
        due = min(due, sum(claims.values()))
        paid = self.to_classes(step, claims, min(cash * share, limit, due))
        for c, money in paid.items():
            t.paid_principal[c] += money
        return due, sum(paid.values()), paid

    def present(self, step: Step) -> list[str]:
        return [c for c in step.ids("classes") if c in self.today.balance]

    def to_classes(self, step: Step, claims: Mapping[str, float], cash: float) -> dict[str, float]:
        alloc = step.terms.get("alloc", "sequential")
        weight = {c: self.today.outstanding(c) for c in claims}
        if alloc == "weights":
            given = step.terms["weights"]
            pairs = given.items() if isinstance(given, Mapping) else zip(step.ids("classes"), given, strict=True)
            weight = {c: max(self.number(w), 0.0) for c, w in pairs}
        return share_out(claims, cash, alloc, weight)

    def number(self, weight: float | Expression) -> float:
        return float(weight) if isinstance(weight, int | float) else evaluate(weight, self.today)

    # --- tests ---

    def to_pot(self, money: float, total: str) -> None:
        t = self.today
        t.pot += money
        t.pot_left += money
        setattr(t, total, getattr(t, total) + money)

    def do_cure(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t = self.today
        need = max(t.need(test, source) for test in step.ids("tests"))
        notes = sum(t.outstanding(c) for group in t.groups for c in group)
        need = min(need, max(notes - t.pot, 0.0))
        if step.terms.get("limit") is not None:
            need = min(need, max(evaluate(step.terms["limit"], t, cash), 0.0))
        paid = min(cash * share, limit, need)
        self.to_pot(paid, "z" if source == "principal" else "y")
        return need, paid, {}

    def do_divert(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, how = self.today, step.terms.get("amount", "par_cure")
        part = self.number(step.terms["share"]) if step.terms.get("share") is not None else 1.0
        wanted = cash * share * min(max(part, 0.0), 1.0)
        if how != "share_only":
            need = t.par_need(step.terms["test"])
            if how == "paydown_cure" and need > 0.0:
                need /= t.tests[step.terms["test"]].trigger
            wanted = min(wanted, need)
        paid = min(wanted, limit)
        self.move(paid, step.terms.get("to", "principal"), source)
        return wanted, paid, {}

    def move(self, money: float, to: str, source: str) -> None:
        """Cash in hand joins another pot of the date."""
        t = self.today
        if to == "principal":
            t.principal += money
            t.w += 0.0 if source == "principal" else money
        elif to == "interest":
            t.interest += money
        elif to.startswith("account:"):
            t.accounts[to.removeprefix("account:")] += money
        else:
            self.to_pot(money, "y" if source == "interest" else "z")

    def do_transfer(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        avail = min(cash * share, limit)
        due = self.amount(step, cash, avail)
        paid = min(avail, due)
        self.move(paid, step.terms["to"], source)
        return due, paid, {}

    def do_reinvest(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, avail = self.today, min(cash * share, limit)
        said = step.terms.get("amount", "policy")
        if not t.may_buy:
            due = 0.0
        elif said == "policy":
            due = max(t.policy + t.policy_share_of_diverted * t.w - t.reinvested, 0.0)
        else:
            due = self.amount(step, cash, avail)
        paid = min(avail, due)
        t.reinvested += paid
        return due, paid, {}

    # --- accounts, other waterfalls ---

    def do_to_account(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, avail = self.today, min(cash * share, limit)
        account = str(step.terms["account"])
        due = self.amount(step, cash, avail)
        if step.terms.get("target") is not None:
            due = min(due, max(evaluate(step.terms["target"], t, cash) - t.accounts[account], 0.0))
        paid = min(avail, due)
        t.accounts[account] += paid
        return due, paid, {}

    def do_from_account(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, account = self.today, str(step.terms["account"])
        there = max(t.accounts[account], 0.0)
        drawn = min(there, self.amount(step, cash, there), limit)
        t.accounts[account] -= drawn
        return -drawn, -drawn, {}

    def do_run(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        avail = min(cash * share, limit)
        due = self.amount(step, cash, avail)
        money = min(avail, due)
        other = self.document.waterfalls[step.terms["waterfall"]]
        if other.source == "notes":
            self.called.add(other.id)
            self.to_pot(money, "z")
            return due, money, {}
        return due, money - self.waterfall(other, source, money), {}

    def do_retain(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, avail = self.today, min(cash * share, limit)
        due = self.amount(step, cash, avail)
        paid = min(avail, due)
        if source == "interest":
            t.kept_interest += paid
        else:
            t.kept_principal += paid
        return due, paid, {}

    def do_repay_contribution(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        t, name = self.today, str(step.terms["contribution"])
        due = t.owed[name]
        paid = min(cash * share, limit, due)
        t.owed[name] -= paid
        t.repaid[name] += paid
        return due, paid, {}

    # --- equity ---

    def do_pay_equity(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        avail = min(cash * share, limit)
        self.hurdles.pay(avail)
        return avail, avail, self.to_equity(step, avail)

    def do_hurdle_split(self, step: Step, source: str, cash: float, share: float, limit: float) -> Taken:
        avail = min(cash * share, limit)
        equity, manager = self.hurdles.split(avail, step.terms["tiers"])
        self.today.incentive += manager
        return avail, avail, self.to_equity(step, equity)

    def to_equity(self, step: Step, money: float) -> dict[str, float]:
        t, c = self.today, str(step.terms["equity"])
        if step.terms.get("book_as", "interest") == "interest":
            t.paid_current[c] += money
        else:
            t.paid_principal[c] += money
        return {c: money}
