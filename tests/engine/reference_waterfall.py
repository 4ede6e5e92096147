"""One payment date of a waterfall, read straight from the document's steps (spec engine 6.2, 7.0, 7A.2).

Dicts and floats; knows nothing of the compiler and the kernel. The state of a date is a mapping:

    interest, principal          cash
    balance, deferred, due, on_deferred, scheduled, accrual   class id -> money (accrual: coupon x year fraction)
    fees                         fee id -> due
    tests                        test id -> (numerator, denominator, trigger);  active: ids that may need a cure
    phases                       names that hold
    policy                       money for reinvestment;  diverted_share: of diverted interest that joins it
    cap                          left of the senior expense cap
    hurdle, manager_share        to the equity before the manager shares, and his share
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Line:
    section: str
    type: str
    due: float
    paid: float
    after: float


@dataclass
class Paid:
    """What the date did. Classes: interest, on_deferred, deferred, principal by id."""

    interest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    on_deferred: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    deferred: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    principal: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    fees: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    pot: float = 0.0
    from_interest: float = 0.0
    from_principal: float = 0.0
    diverted: float = 0.0
    reinvested: float = 0.0
    incentive: float = 0.0
    log: list[Line] = field(default_factory=list)
    left: float = 0.0

    def total(self) -> float:
        classes = (self.interest, self.on_deferred, self.deferred, self.principal, self.fees)
        return sum(sum(d.values()) for d in classes) + self.incentive + self.reinvested + self.left


class Reference:
    """Runs a date: `Reference(data, class_ids, state).run()`."""

    def __init__(self, data: Mapping[str, Any], class_ids: Sequence[str], state: Mapping[str, Any]) -> None:
        self.lists = data["waterfalls"]
        self.here = set(class_ids)
        self.kinds = {c: (t or {}).get("kind", "debt") for c, t in data["classes"].items()}
        self.types = {t: terms["type"] for t, terms in data["tests"].items()}
        self.covers = {t: [c for c in terms["classes"] if c in self.here] for t, terms in data["tests"].items()}
        groups = [step["pay_principal"]["classes"] for step in self.lists["nps"] if "pay_principal" in step]
        self.groups = [[c for c in g if c in self.here] for g in groups]
        self.state = state
        self.cap = state.get("cap", math.inf)
        self.hurdle = state.get("hurdle", 0.0)
        self.out = Paid()

    def of(self, what: str, c: str) -> float:
        return self.state.get(what, {}).get(c, 0.0)

    # what is still owed

    def interest_left(self, c: str, include: Sequence[str]) -> float:
        current = self.of("due", c) - self.out.interest[c] if "current" in include else 0.0
        late = self.of("on_deferred", c) - self.out.on_deferred[c] if "on_deferred" in include else 0.0
        return max(current, 0.0) + max(late, 0.0)

    def deferred_left(self, c: str) -> float:
        late = self.of("on_deferred", c) - self.out.on_deferred[c]
        return max(self.of("deferred", c) - self.out.deferred[c], 0.0) + max(late, 0.0)

    def principal_left(self, c: str) -> float:
        return max(self.of("balance", c) - self.out.principal[c], 0.0)

    def outstanding(self, c: str) -> float:
        return self.principal_left(c) + self.of("deferred", c) - self.out.deferred[c]

    # tests

    def need(self, t: str, source: str) -> float:
        if t not in self.state.get("active", self.types):
            return 0.0
        num, den, trigger = self.state["tests"][t]
        if self.types[t] != "ic":  # what the date has paid to the classes themselves is owed no more
            den -= self.repaid(t)
        y, z, w = self.out.from_interest, self.out.from_principal, self.out.diverted
        if self.types[t] == "ic":
            return self.interest_coverage_need(t, den - num / trigger)
        if den - y - z <= 1e-6 or (num + w - z) / (den - y - z) >= trigger:
            return 0.0
        if source == "principal":
            if trigger <= 1.0:
                return den - y - z
            return max(0.0, (trigger * (den - y - z) - (num + w - z)) / (trigger - 1.0))
        return max(0.0, (den - y - z) - (num + w - z) / trigger)

    def repaid(self, t: str) -> float:
        """Deferred interest and principal of the tested classes that the date has paid already."""
        return sum(self.out.deferred[c] + self.out.principal[c] for c in self.covers[t])

    def interest_coverage_need(self, t: str, cut: float) -> float:
        """Notes to retire, group after group, until `cut` of interest is saved; less what the pot already holds."""
        if cut <= 0.0:
            return 0.0
        retired = 0.0
        for group in self.groups:
            balance = sum(self.principal_left(c) for c in group)
            saving = sum(self.principal_left(c) * self.of("accrual", c) for c in group if c in self.covers[t])
            if balance <= 0.0 or saving <= 0.0:
                continue
            if saving >= cut:
                retired += balance * cut / saving
                break
            retired += balance
            cut -= saving
        return max(0.0, retired - self.out.from_interest - self.out.from_principal)

    # conditions

    def holds(self, when: str | None) -> bool:
        for part in re.split(r"\s+and\s+", when) if when else ():
            negated = part.startswith("not ")
            part = part.removeprefix("not ").strip()
            if part.startswith("phase."):
                true = part.removeprefix("phase.") in self.state["phases"]
            else:
                wanted = part.split("==")[1].strip()
                alive = [g for g in self.groups if any(self.outstanding(c) > 1e-6 for c in g)]
                true = bool(alive) and wanted in alive[0]
            if true == negated:
                return False
        return True

    # steps

    def share_out(self, claims: Mapping[str, float], cash: float, alloc: str) -> dict[str, float]:
        owed = sum(claims.values())
        if alloc.startswith("pro_rata") and owed > max(cash, 0.0):
            return {c: cash * claim / owed for c, claim in claims.items()}
        made = {}
        for c, claim in claims.items():
            made[c] = min(cash, claim)
            cash -= made[c]
        return made

    def step(self, kind: str, terms: Mapping[str, Any], source: str, cash: float) -> tuple[float, float]:
        """(due, taken from cash) of one step."""
        o = self.out
        classes = [c for c in terms.get("classes", ()) if c in self.here]
        alloc = terms.get("alloc", "sequential")
        if kind == "pay_fee":
            claims = {f: self.state["fees"].get(f, 0.0) - o.fees[f] for f in terms["fees"]}
            due = sum(claims.values())
            if terms.get("part") == "capped":
                due = min(due, self.cap)
            paid = self.share_out(claims, min(cash, due), "sequential")
            for f, amount in paid.items():
                o.fees[f] += amount
            if terms.get("part") == "capped":
                self.cap -= sum(paid.values())
            return due, sum(paid.values())
        if kind == "pay_interest":
            include = terms.get("include", ["current", "on_deferred"])
            claims = {c: self.interest_left(c, include) for c in classes}
            paid = self.share_out(claims, cash, alloc)
            for c, amount in paid.items():
                first = min(amount, max(self.of("due", c) - o.interest[c], 0.0)) if "current" in include else 0.0
                o.interest[c] += first
                o.on_deferred[c] += amount - first
            return sum(claims.values()), sum(paid.values())
        if kind == "pay_deferred":
            claims = {c: self.deferred_left(c) for c in classes}
            paid = self.share_out(claims, cash, alloc)
            for c, amount in paid.items():
                first = min(amount, max(self.of("on_deferred", c) - o.on_deferred[c], 0.0))
                o.on_deferred[c] += first
                o.deferred[c] += amount - first
            return sum(claims.values()), sum(paid.values())
        if kind == "pay_principal":
            claims = {c: self.principal_left(c) for c in classes}
            if terms.get("amount") == "scheduled":
                claims = {c: min(v, max(self.of("scheduled", c) - o.principal[c], 0.0)) for c, v in claims.items()}
            paid = self.share_out(claims, cash, alloc)
            for c, amount in paid.items():
                o.principal[c] += amount
            return sum(claims.values()), sum(paid.values())
        if kind == "cure":
            need = max(self.need(t, source) for t in terms["tests"])
            notes = sum(self.outstanding(c) for g in self.groups for c in g)
            need = min(need, max(notes - o.pot, 0.0))  # no more than there are notes to pay
            paid_in = min(cash, need)
            o.pot += paid_in
            if source == "principal":
                o.from_principal += paid_in
            else:
                o.from_interest += paid_in
            return need, paid_in
        if kind == "divert":
            wanted = cash * terms["share"]
            how = terms.get("amount", "par_cure")
            if how != "share_only":
                num, den, trigger = self.state["tests"][terms["test"]]
                den -= self.repaid(terms["test"])
                y, z = o.from_interest, o.from_principal
                gap = max(0.0, trigger * (den - y - z) - (num + o.diverted - z))
                if terms["test"] not in self.state.get("active", self.types):
                    gap = 0.0
                wanted = min(wanted, gap if how == "par_cure" else gap / trigger)
            o.diverted += wanted
            return wanted, wanted
        if kind == "reinvest":
            policy = self.state.get("policy", 0.0) + self.state.get("diverted_share", 0.0) * o.diverted
            wanted = cash if terms.get("amount") == "all" else max(policy - o.reinvested, 0.0)
            paid_in = min(cash, wanted)
            o.reinvested += paid_in
            return wanted, paid_in
        if kind == "run":
            o.pot += cash
            o.from_principal += cash
            return cash, cash
        equity, to_equity = terms["equity"], cash
        if kind == "hurdle_split":
            first = min(cash, self.hurdle)
            self.hurdle -= first
            fee = self.state.get("manager_share", 0.2) * (cash - first)
            o.incentive += fee
            to_equity = cash - fee
        (o.interest if terms.get("book_as", "interest") == "interest" else o.principal)[equity] += to_equity
        return cash, cash

    def section(self, name: str, source: str, cash: float) -> float:
        for item in self.lists[name]:
            kind = next(k for k in item if k != "when")
            terms = item[kind]
            if terms.get("classes") and not self.here & set(terms["classes"]):
                continue
            when = item.get("when")
            if when and "controlling" in when and when.split("==")[1].strip() not in self.here:
                continue
            if not self.holds(when):
                continue
            due, paid = self.step(kind, terms, source, cash)
            cash -= paid
            self.out.log.append(Line(name, kind, due, paid, cash))
        return cash

    def run(self) -> Paid:
        s, o = self.state, self.out
        if {"acceleration", "redemption"} & set(s["phases"]):
            o.left = self.section("acceleration", "both", s["interest"] + s["principal"])
            return o
        o.left = self.section("interest", "interest", s["interest"])
        o.left += self.section("principal", "principal", s["principal"] + o.diverted)
        o.left += self.section("nps", "notes", o.pot)
        return o
