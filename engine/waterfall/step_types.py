"""What each type of step does, as rows of the register program (spec: engine 6.2, 7.0, 7A.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.waterfall.clauses import Clause
from engine.waterfall.day import FROM_INTEREST, FROM_PRINCIPAL
from engine.waterfall.document import Step, Tier
from engine.waterfall.figures import figure_of, truth_of
from engine.waterfall.registers import Row
from engine.waterfall.steps import Emit, Hand, Move, Steps


def _pay_fee(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    fees, part = step.ids("fees"), step.terms.get("part", "all")
    of = part if part in ("current", "unpaid") else "all"
    claims = {f: s.day.fee_left(f, of) for f in fees}
    caps = {f.id: f.cap for f in s.day.document.fees} if part == "capped" else {}
    for cap in dict.fromkeys(caps[f] for f in fees if caps.get(f)):
        under = {f: claims[f] for f in fees if caps[f] == cap}
        claims |= s.share_out(step, s.ledger["room", cap], under, under).paid
    shares = s.share_out(step, cash, claims, claims)
    paid = shares.paid
    for f, amount in paid.items():
        s.day.pay_fee(f, of, amount)
        cap = caps.get(f)
        if cap is not None:
            s.ledger["room", cap] = s.ledger["room", cap].over(amount)
    return Move(s.b.total([claims[f] for f in fees]), s.b.total(list(paid.values())), shares.left)


def _pay_expense(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    name = ("expense", step.terms["name"])
    due = s.amount(step.terms["amount"], hand.cash, cash).over(s.ledger[name])
    paid = cash.least(due)
    s.ledger.add(name, paid)
    s.ledger.add("expenses", paid)
    return Move(due, paid)


def _pay_hedge(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    """A negative amount is a receipt."""
    name = ("hedge", step.terms.get("part", "periodic"))
    amount = figure_of(s.day, step.terms["amount"], hand.cash)
    rest = amount - s.ledger[name]
    paid = cash.least((amount > 0.0).then(rest.positive, 0.0))
    received = s.only_here((amount < 0.0).then((-rest).positive, 0.0))
    if step.when is not None:
        received = truth_of(s.day, step.when, hand.cash).then(received, 0.0)
    s.ledger.add(name, paid - received)
    s.ledger.add("hedges_paid", paid)
    s.ledger.add("hedges_received", received)
    return Move((amount > 0.0).then(rest.positive, -received), paid - received)


def _pay_interest(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    include = step.terms.get("include", ("current", "on_deferred"))
    members = s.members(step)
    none = s.b.constant(0.0)
    current = {c: s.day.interest_left(c) if "current" in include else none for c in members}
    late = {c: s.day.on_deferred_left(c) if "on_deferred" in include else none for c in members}
    claims = {c: current[c] + late[c] for c in members}
    shares = s.share_out(step, cash, claims, s.class_weights(step, members))
    paid = shares.paid
    for c, amount in paid.items():
        first = amount if late[c] == none else amount.least(current[c])
        s.ledger.add(("interest", c), first)
        s.ledger.add(("on_deferred", c), amount - first)
        s.log_to(clause, c, amount)
    return Move(s.b.total(list(claims.values())), s.b.total(list(paid.values())), shares.left)


def _pay_deferred(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    members = s.members(step)
    late = {c: s.day.on_deferred_left(c) for c in members}
    claims = {c: s.day.deferred_left(c) + late[c] for c in members}
    shares = s.share_out(step, cash, claims, s.class_weights(step, members))
    paid = shares.paid
    for c, amount in paid.items():
        first = amount.least(late[c])
        s.ledger.add(("on_deferred", c), first)
        s.ledger.add(("deferred", c), amount - first)
        s.log_to(clause, c, amount)
    return Move(s.b.total(list(claims.values())), s.b.total(list(paid.values())), shares.left)


def _pay_principal(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    members = s.members(step)
    claims = {c: s.day.principal_left(c) for c in members}
    amount = step.terms.get("amount", "all")
    if amount == "scheduled":
        claims = {c: claims[c].least(s.day.scheduled[c].over(s.ledger["principal", c])) for c in members}
    owed = s.b.total(list(claims.values()))
    stop = step.terms.get("stop_at")
    if stop is not None:
        balances = s.b.total([s.day.principal_left(c) for c in members])
        owed = owed.least(balances.over(figure_of(s.day, stop, hand.cash).positive))
    if not isinstance(amount, str):
        owed = owed.least(figure_of(s.day, amount, hand.cash).positive)
    whole = owed == s.b.total(list(claims.values()))
    shares = s.share_out(step, cash if whole else cash.least(owed), claims, s.class_weights(step, members))
    paid = shares.paid
    for c, part in paid.items():
        s.ledger.add(("principal", c), part)
        s.log_to(clause, c, part)
    return Move(owed, s.b.total(list(paid.values())), shares.left if whole else None)


def _cure(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    source = FROM_PRINCIPAL if hand.source == "principal" else FROM_INTEREST
    tests = [s.day.tests[t] for t in step.ids("tests")]
    failing = s.b.constant(0.0)
    for test in tests:
        failing = failing | s.day.failing(test)
    with s.b.region(failing):
        need = s.b.constant(0.0)
        for test in tests:
            need = need.most(s.day.need(test, source))
        notes = s.b.total([s.day.outstanding(c) for group in s.day.groups for c in group])
        need = need.least(notes.over(s.ledger["pot", "notes"]))
    need = failing.then(need, 0.0)
    if step.terms.get("limit") is not None:
        need = need.least(figure_of(s.day, step.terms["limit"], hand.cash).positive)
    paid = cash.least(need)
    s.to_notes(paid, source)
    return Move(need, paid)


def _divert(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    base = hand.cash
    if step.share is not None:
        base = base * figure_of(s.day, step.share, hand.cash).positive.least(1.0)
    wanted = base * figure_of(s.day, step.terms["share"], hand.cash).positive.least(1.0)
    how, to = step.terms.get("amount", "par_cure"), step.terms.get("to", "principal")
    if how != "share_only":
        wanted = wanted.least(s.day.diversion_need(s.day.tests[step.ids("test")[0]], how))
    paid = cash.least(wanted)
    if to == "principal":
        s.ledger.add(("pot", "principal"), paid)
        if hand.source != "principal":
            s.ledger.add("diverted", paid)
    elif to == "nps":
        s.to_notes(paid, FROM_PRINCIPAL if hand.source == "principal" else FROM_INTEREST)
    else:
        s.ledger.add(("account", to.removeprefix("account:")), paid)
    return Move(wanted, paid)


def _reinvest(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    of = step.terms.get("amount", "policy")
    if of == "policy":
        policy = s.policy + s.policy_of_diverted * s.ledger["diverted"]
        wanted = policy.over(s.ledger["reinvested"])
    else:
        wanted = s.amount(of, hand.cash, cash)
    wanted = s.buys.then(wanted, 0.0)
    paid = cash.least(wanted)
    s.ledger.add("reinvested", paid)
    return Move(wanted, paid)


def _to_account(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    account = ("account", step.terms["account"])
    due = s.amount(step.terms.get("amount", "all"), hand.cash, cash)
    if step.terms.get("target") is not None:
        due = due.least(figure_of(s.day, step.terms["target"], hand.cash).over(s.ledger[account]))
    paid = cash.least(due)
    s.ledger.add(account, paid)
    return Move(due, paid)


def _from_account(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    due = s.amount(step.terms.get("amount", "all"), hand.cash, cash)
    taken = cash.least(due)
    s.ledger.add(("account", step.terms["account"]), -taken)
    return Move(-taken, -taken)


def _transfer(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    due = s.amount(step.terms.get("amount", "all"), hand.cash, cash)
    paid = cash.least(due)
    to = step.terms["to"]
    if to == "nps":
        s.to_notes(paid, FROM_INTEREST if hand.source == "interest" else FROM_PRINCIPAL)
        return Move(due, paid)
    s.ledger.add(("pot", to), paid)
    if to == "principal" and hand.source != "principal":
        s.ledger.add("diverted", paid)
    return Move(due, paid)


def _run(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    target = s.day.document.waterfalls[step.terms["waterfall"]]
    due = s.amount(step.terms.get("amount", "all"), hand.cash, cash)
    paid = cash.least(due)
    if target.source == "notes":
        s.to_notes(paid, FROM_PRINCIPAL)
        asked = s.b.constant(1.0) if step.when is None else truth_of(s.day, step.when, hand.cash)
        s.ledger["asked", target.id] = s.ledger["asked", target.id] | s.only_here(asked)
        return Move(due, paid)
    outer, inner = s.where, Hand(paid, hand.source)
    if step.when is not None:
        runs = truth_of(s.day, step.when, hand.cash)
        s.where = runs if outer is None else outer & runs
    s.run(target.steps, inner)
    s.where = outer
    return Move(due, paid - inner.cash)


def _hurdle_split(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    """Tiers in their order: the equity has all up to the first, then manager and equity share (spec 5.2)."""
    equity = step.ids("equity")[0]
    terms: tuple[Tier, ...] = tuple(step.terms.get("tiers", ())) or (Tier(),)
    tiers = s.tiers[clause.number]
    left, to_equity, to_manager = cash, s.b.constant(0.0), s.b.constant(0.0)
    share = s.b.constant(0.0)
    already = s.ledger["to_equity_by_splits"]
    for place, (threshold, goal) in enumerate(tiers):
        missing = threshold.over(already + to_equity)
        # where the manager takes all, the equity never gets there
        part = (share < 1.0).then(left.least(missing / (1.0 - share)), (missing > 0.0).then(left, 0.0))
        to_manager = to_manager + part * share
        to_equity = to_equity + (part - part * share)
        left = left - part
        catch_up = terms[place].catch_up
        if catch_up > 0.0:
            manager, profit = s.profit()
            manager, profit = manager + to_manager, profit + to_equity
            wanted = (goal * (manager + profit) - manager) / (catch_up - goal)
            part = left.least((goal < catch_up).then(wanted.positive, 0.0))
            if place + 1 < len(tiers) and catch_up < 1.0:
                part = part.least(tiers[place + 1][0].over(already + to_equity) / (1.0 - catch_up))
            to_manager = to_manager + part * catch_up
            to_equity = to_equity + (part - part * catch_up)
            left = left - part
        share = goal
    to_manager = to_manager + left * share
    to_equity = cash - to_manager
    s.ledger.add("incentive", to_manager)
    s.ledger.add("to_equity_by_splits", to_equity)
    _book(s, step, clause, equity, to_equity)
    return Move(cash, cash)


def _pay_equity(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    _book(s, step, clause, step.ids("equity")[0], cash)
    return Move(cash, cash)


def _book(s: Steps, step: Step, clause: Clause, equity: str, amount: Row) -> None:
    kind = "principal" if step.terms.get("book_as", "interest") == "principal" else "interest"
    s.ledger.add((kind, equity), amount)
    s.ledger.add("to_equity", amount)
    s.log_to(clause, equity, amount)


def _repay_contribution(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    name = ("owed", step.terms["contribution"])
    due = s.ledger[name].positive
    paid = cash.least(due)
    s.ledger.add(name, -paid)
    s.ledger.add("repaid", paid)
    return Move(due, paid)


def _branch(s: Steps, step: Step, clause: Clause, _available: Row, hand: Hand) -> Move:
    outer, cash = s.where, hand.cash
    runs = s.b.constant(1.0) if step.when is None else truth_of(s.day, step.when, cash)
    holds = truth_of(s.day, step.terms["condition"], cash)
    kept = runs.then(0.0, cash)
    for mask, steps in ((runs & holds, step.terms["then"]), (runs & ~holds, step.terms["otherwise"])):
        inner = Hand(mask.then(cash, 0.0), hand.source)
        s.where = mask if outer is None else outer & mask
        s.run(steps, inner)
        kept = kept + inner.cash
    s.where, hand.cash = outer, kept
    return Move(s.b.constant(0.0), s.b.constant(0.0))


def _retain(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    due = s.amount(step.terms.get("amount", "all"), hand.cash, cash)
    paid = cash.least(due)
    s.ledger.add("retained_interest" if hand.source == "interest" else "retained_principal", paid)
    return Move(due, paid)


def _assert(s: Steps, step: Step, clause: Clause, cash: Row, hand: Hand) -> Move:
    s.ledger.add("broken", s.only_here(~truth_of(s.day, step.terms["that"], hand.cash)))
    return Move(s.b.constant(0.0), s.b.constant(0.0))


TYPES: Final[Mapping[str, Emit]] = {
    "pay_fee": _pay_fee,
    "pay_expense": _pay_expense,
    "pay_hedge": _pay_hedge,
    "pay_interest": _pay_interest,
    "pay_deferred": _pay_deferred,
    "pay_principal": _pay_principal,
    "cure": _cure,
    "divert": _divert,
    "reinvest": _reinvest,
    "to_account": _to_account,
    "from_account": _from_account,
    "transfer": _transfer,
    "run": _run,
    "hurdle_split": _hurdle_split,
    "pay_equity": _pay_equity,
    "repay_contribution": _repay_contribution,
    "branch": _branch,
    "retain": _retain,
    "assert": _assert,
}
