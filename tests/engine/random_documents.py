"""Random documents of the waterfall language, valid by construction (for `random_deals`)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from engine.waterfall.document import (
    AccountTerms,
    Cap,
    ClassTerms,
    Contribution,
    Document,
    FeeClause,
    InputTerms,
    Rule,
    Step,
    TestTerms,
    Tier,
    Waterfall,
)
from engine.waterfall.expressions import (
    Binary,
    Controlling,
    Expression,
    Function,
    Number,
    Reference,
    SumOver,
    Unary,
)

FEATURES = tuple(
    (
        "class_x absent groups allocations caps accounts contributions expenses hedges branches nested limits shares"
        " turbo tiers catch_up diversion values phases asserts retain transfers own_tests call redemption trading"
        " purchased odd_dispatch leftovers rated"
    ).split()
)
"""What a random deal may have beyond a plain sequential one."""


def ref(name: str) -> Reference:
    return Reference(tuple(name.split(".")))


def both(a: Expression, operator: str, b: Expression) -> Binary:
    return Binary(operator, a, b)


class Writer:
    """Writes the document of one random deal."""

    def __init__(self, r: random.Random, n_debt: int, features: frozenset[str]) -> None:
        self.r, self.features = r, features
        self.debt = [f"{'ABCDEFGH'[i]}" for i in range(n_debt)]
        self.x = "X" if self.has("class_x") else None
        self.class_ids = [*([self.x] if self.x else []), *self.debt, "SUB"]
        self.groups: list[list[str]] = []
        for c in self.debt:
            if self.has("groups") and self.groups and len(self.groups[-1]) < 3 and r.random() < 0.3:
                self.groups[-1].append(c)
            else:
                self.groups.append([c])
        self.fees = ["trustee", "admin", "base", "junior"][: r.randint(1, 4)]
        self.tests: list[str] = []
        self.accounts = ["reserve", "spare"] if self.has("accounts") or self.has("contributions") else []
        self.inputs = ["taxes", "target"]
        self.count = 0

    def has(self, feature: str) -> bool:
        return feature in self.features

    # --- expressions ---

    def amount(self) -> Expression:
        """Money, sometimes below nothing."""
        r = self.r
        c, f = r.choice(self.class_ids), r.choice(self.fees)
        simple: list[Callable[[], Expression]] = [
            lambda: both(Number(r.uniform(0.0, 1.1)), "*", ref("cash")),
            lambda: both(Number(r.uniform(0.0, 0.01)), "*", ref("pool.performing")),
            lambda: both(Number(r.uniform(-0.3, 1.0)), "*", ref("pool.interest_cash")),
            lambda: both(Number(r.uniform(0.0, 0.1)), "*", ref(f"class.{c}.{r.choice(['balance', 'total'])}")),
            lambda: both(ref(f"class.{c}.interest_due"), "*", Number(r.uniform(0.2, 1.5))),
            lambda: both(ref(f"fee.{f}.{r.choice(['due', 'accrued', 'unpaid', 'paid'])}"), "*", Number(1.7)),
            lambda: ref(f"input.{r.choice(self.inputs)}"),
            lambda: both(Number(r.uniform(0.0, 0.002)), "*", ref("basis")),
            lambda: both(SumOver(tuple(self.debt[:2]), "paid_interest"), "/", Number(r.choice([0.0, 3.0]))),
        ]
        if self.has("values"):
            simple.append(lambda: ref("adjusted"))
        if self.accounts:
            simple.append(lambda: both(ref(f"account.{r.choice(self.accounts)}.balance"), "*", Number(0.6)))
        if self.has("contributions"):
            simple.append(lambda: ref("contribution.sponsor.owed"))
        if self.tests and r.random() < 0.2:
            t = r.choice(self.tests)
            simple.append(lambda: ref(f"test.{t}.{r.choice(['need_interest', 'need_principal'])}"))
        pick = r.choice(simple)()
        how = r.random()
        if how < 0.15:
            return Function("min", (pick, r.choice(simple)()))
        if how < 0.3:
            return Function("max", (both(pick, "-", r.choice(simple)()), Number(0.0)))
        if how < 0.4:
            return Function("if", (self.condition(), pick, r.choice(simple)()))
        return Function("abs", (Unary("-", pick),)) if how < 0.45 else pick

    def condition(self, in_step: bool = True) -> Expression:
        """True or false; never a tie of two computed amounts. Only a step has cash in hand."""
        r = self.r
        c = r.choice(self.class_ids)
        names = "reinvestment post_reinvestment non_call redemption acceleration first_period post_effective".split()
        simple: list[Callable[[], Expression]] = [
            lambda: ref(f"phase.{r.choice(names)}"),
            lambda: Controlling(r.choice(self.debt)),
            lambda: both(ref(f"class.{c}.factor"), "<", Number(r.uniform(0.1, 0.97))),
            lambda: both(ref("period"), r.choice([">=", "==", "!="]), Number(float(r.randint(1, 6)))),
            lambda: both(ref("date"), "<=", ref("dates.reinvestment_end")),
            lambda: both(ref("index"), ">", Number(0.03)),
            lambda: both(ref("pool.defaulted"), ">", Number(1.0)),
            lambda: both(ref("equity.distribution"), ">", Number(r.uniform(0.001, 0.1))),
            lambda: both(ref("equity.nav"), "<", Number(r.uniform(0.1, 1.5))),
        ]
        if self.tests:
            t = r.choice(self.tests)
            simple.append(lambda: ref(f"test.{t}.{r.choice(['pass', 'fail'])}"))
            simple.append(lambda: both(ref(f"test.{t}.cushion"), ">", Number(r.uniform(0.0, 0.1))))
        if self.has("phases"):
            simple.append(lambda: ref("phase.own"))
        if in_step:
            simple.append(lambda: both(ref("cash"), ">", self.of_opening(r.uniform(0.0, 0.02))))
        pick = r.choice(simple)()
        how = r.random()
        if how < 0.2:
            return Unary("not", pick)
        if how < 0.4:
            return both(pick, r.choice(["and", "or"]), r.choice(simple)())
        return pick

    def of_opening(self, share: float) -> Expression:
        """A share of the opening performing balance, a little more so that nothing is no tie."""
        return both(both(Number(share), "*", ref("pool.opening_performing")), "+", Number(1.5))

    # --- steps ---

    def step(self, type_: str, **terms: Any) -> Step:
        r = self.r
        options: dict[str, Any] = {}
        if type_ not in ("branch", "assert"):
            if self.has("limits") and r.random() < 0.08:
                options[r.choice(["cap", "cap_life"])] = self.amount()
            if self.has("shares") and r.random() < 0.08:
                options["share"] = Number(r.choice([0.0, 0.5, r.uniform(0.0, 1.2)]))
        return Step(type_, terms, **options)

    def when(self, step: Step, condition: Expression) -> Step:
        return Step(step.type, step.terms, condition, step.cap, step.cap_life, step.share)

    def classes(self, type_: str, members: list[str], **more: Any) -> Step:
        terms: dict[str, Any] = {"classes": tuple(members), "alloc": "sequential", **more}
        if self.has("absent") and self.r.random() < 0.2:
            terms["classes"] = (*members, "GONE")
        if self.has("allocations"):
            terms["alloc"] = self.r.choice(["sequential", "reverse", "pro_rata", "pro_rata_balance", "weights"])
            if terms["alloc"] == "weights":
                terms["weights"] = tuple(self.r.choice([0.0, 0.3, 1.0]) for _ in terms["classes"])
        elif len(members) > 1:
            terms["alloc"] = "pro_rata"
        return self.step(type_, **terms)

    def pay_interest(self, members: list[str]) -> Step:
        include = self.r.choice(
            [("current", "on_deferred"), ("current", "on_deferred"), ("current",), ("on_deferred",)]
        )
        return self.classes("pay_interest", members, include=include)

    def pay_fee(self, *fees: str, part: str = "all") -> Step:
        alloc = self.r.choice(["sequential", "pro_rata", "reverse"]) if self.has("allocations") else "sequential"
        if self.has("caps") and self.r.random() < 0.2:
            part = self.r.choice(["current", "unpaid", "all"])
        return self.step("pay_fee", fees=fees, part=part, alloc=alloc)

    def residual(self, book_as: str) -> list[Step]:
        r = self.r
        if self.has("leftovers") and r.random() < 0.3:
            return []
        if r.random() < 0.25:
            return [self.step("pay_equity", equity="SUB", book_as=book_as)]
        tiers = self.tiers if r.random() < 0.8 else (Tier(),)
        return [self.step("hurdle_split", equity="SUB", book_as=book_as, tiers=tiers)]

    def make_tiers(self) -> tuple[Tier, ...]:
        r = self.r
        catch_up = r.choice([0.0, 0.1, 0.5, 1.0]) if self.has("catch_up") else 0.0
        if not self.has("tiers"):
            return (Tier(manager_share=r.choice([None, 0.2]), catch_up=catch_up),)
        more = (
            Tier("irr", 0.15, r.choice([0.3, 1.0]), r.choice([0.0, catch_up])),
            Tier("moic", r.uniform(1.1, 2.5), 0.4, catch_up),
            Tier("irr", 0.3, 0.5),
        )
        return (Tier(catch_up=catch_up), *more[: r.randint(1, 3)])

    def extras(self, depth: int = 0) -> list[Step]:
        """Steps that may stand anywhere in a waterfall."""
        r, steps = self.r, []
        to = ["principal", "interest", *(["nps"] if self.source != "notes" else [])]
        all_or = r.choice(["all", self.amount()])
        if self.has("expenses"):
            steps.append(self.step("pay_expense", name=r.choice(["taxes", "filing"]), amount=self.amount()))
        if self.has("hedges"):
            amount = both(Number(r.choice([-1.0, 1.0])), "*", ref("input.taxes"))
            steps.append(self.step("pay_hedge", amount=amount, part=r.choice(["periodic", "termination"])))
        if self.accounts:
            account = r.choice(self.accounts)
            target = {"target": ref("input.target")} if r.random() < 0.5 else {}
            steps.append(self.step("to_account", account=account, amount=all_or if target else self.amount(), **target))
            steps.append(self.step("from_account", account=r.choice(self.accounts), amount=all_or))
        if self.has("contributions"):
            steps.append(self.step("repay_contribution", contribution="sponsor"))
        if self.has("transfers"):
            steps.append(self.step("transfer", to=r.choice(to), amount=self.amount()))
        if self.has("retain"):
            steps.append(self.step("retain", amount=self.amount()))
        if self.has("turbo"):
            more = {"stop_at": self.amount()} if r.random() < 0.5 else {"amount": self.amount()}
            steps.append(self.classes("pay_principal", r.choice(self.groups), **more))
        if self.has("asserts"):
            steps.append(self.step("assert", that=self.condition(), says=f"check {r.randint(1, 9)}"))
        if self.has("nested") and self.source not in ("notes", "nested"):
            amount = {"amount": all_or} if r.random() < 0.5 else {"amount": self.amount()}
            steps.append(self.step("run", waterfall="nested", **amount))
        if self.has("branches") and depth < 2:
            inner = [self.extras(depth + 1)[:2] for _ in range(2)]
            inner[0] = inner[0] or [self.pay_interest([self.debt[0]])]
            steps.append(
                self.step("branch", condition=self.condition(), then=tuple(inner[0]), otherwise=tuple(inner[1]))
            )
        r.shuffle(steps)
        return [self.when(s, self.condition()) if r.random() < 0.3 else s for s in steps]

    def mixed(self, source: str, steps: list[Step]) -> list[Step]:
        """The plain order with a few extras thrown in."""
        self.source = source
        made = list(steps)
        for extra in self.extras()[: self.r.randint(0, 5)]:
            made.insert(self.r.randint(0, len(made)), extra)
        return made

    # --- waterfalls ---

    def senior(self) -> list[Step]:
        part = "capped" if self.has("caps") else "all"
        return [self.pay_fee(*self.fees[:2], part=part), *([self.pay_fee("base")] if "base" in self.fees else [])]

    def junior(self) -> list[Step]:
        late = [self.pay_fee(*self.fees[:2], part="excess_of_cap")] if self.has("caps") else []
        return [*([self.pay_fee("junior")] if "junior" in self.fees else []), *late]

    def cures(self, place: int) -> list[Step]:
        tests = [t for t in (f"OC_{place}", f"IC_{place}") if t in self.tests]
        limit = {"limit": self.amount()} if self.has("limits") and self.r.random() < 0.3 else {}
        return [self.step("cure", tests=tuple(tests), **limit)] if tests else []

    def interest(self) -> list[Step]:
        r = self.r
        steps = self.senior()
        if self.x:
            steps.append(self.classes("pay_interest", [self.x, self.debt[0]], include=("current", "on_deferred")))
            steps.append(self.step("pay_principal", classes=(self.x,), amount="scheduled", alloc="sequential"))
        for place, group in enumerate(self.groups):
            steps += [self.pay_interest(group), *self.cures(place)]
            steps.insert(len(steps) - r.randint(0, 1), self.classes("pay_deferred", group))
        if self.has("diversion"):
            how = r.choice(["par_cure", "paydown_cure", "share_only"])
            to = r.choice(["principal", "principal", "nps", *(f"account:{a}" for a in self.accounts)])
            divert = self.step("divert", test="DIV", share=Number(r.uniform(0.3, 1.0)), amount=how, to=to)
            steps.append(self.when(divert, ref("phase.reinvestment")) if r.random() < 0.5 else divert)
        return [*self.mixed("interest", [*steps, *self.junior()]), *self.residual("interest")]

    def principal(self) -> list[Step]:
        r = self.r
        steps = self.senior()
        for place, group in enumerate(self.groups):
            pay = self.pay_interest(group)
            steps.append(pay if place == 0 else self.when(pay, Controlling(group[0])))
            steps += self.cures(place)
        steps.append(self.step("reinvest", amount=r.choice(["policy", "policy", "policy", "all", self.amount()])))
        run = Step("run", {"waterfall": "nps", "amount": "all"})
        return [*self.mixed("principal", steps), *([] if self.has("leftovers") and r.random() < 0.3 else [run])]

    def notes(self) -> list[Step]:
        steps: list[Step] = []
        for group in self.groups:
            if self.r.random() < 0.3:
                steps.append(self.pay_interest(group))
            steps += [self.classes("pay_deferred", group), self.classes("pay_principal", group)]
        return [*self.mixed("notes", [*steps, *self.junior()]), *self.residual("principal")]

    def acceleration(self) -> list[Step]:
        steps = self.senior()
        for group in self.groups:
            steps += [self.pay_interest(group), self.classes("pay_deferred", group)]
            steps.append(self.classes("pay_principal", group))
        if self.x:
            steps.insert(1, self.classes("pay_principal", [self.x]))
        return [*self.mixed("both", [*steps, *self.junior()]), *self.residual("principal")]

    def test_terms(self) -> tuple[TestTerms, ...]:
        r, made = self.r, []
        for place in range(len(self.groups)):
            covered = tuple(c for group in self.groups[: place + 1] for c in group)
            for type_ in ("oc", "ic"):
                if r.random() < 0.6:
                    own = self.has("own_tests") and r.random() < 0.4
                    numerator = both(ref("pool.performing"), "+", ref("pool.principal_cash"))
                    made.append(
                        TestTerms(
                            f"{type_.upper()}_{place}",
                            type_,
                            (*covered, "GONE") if self.has("absent") else covered,
                            numerator=numerator if own and type_ == "oc" else None,
                            denominator=SumOver(covered, "total") if own and type_ == "oc" else None,
                            active=ref("phase.reinvestment") if own and r.random() < 0.5 else None,
                            pass_on_equal=r.random() < 0.7,
                        )
                    )
        made.append(TestTerms("DIV", "diversion", tuple(self.debt)))
        if r.random() < 0.7:
            made.append(TestTerms("EOD", "eod", tuple(self.groups[0])))
        return tuple(made)

    def document(self) -> Document:
        r = self.r
        tests = self.test_terms()
        senior_cap = "expenses" if self.has("caps") else None
        caps = (
            Cap("expenses", Number(r.uniform(0.0, 3e5)), Number(r.uniform(0.0, 2e-4)), r.randint(0, 3)),
            Cap("other", ref("input.taxes"), Number(0.0), 1),
        )
        fees = tuple(
            FeeClause(f, f.title(), r.choice([senior_cap, senior_cap, "other"]) if place < 2 and senior_cap else None)
            for place, f in enumerate(self.fees)
        )
        self.tests = [t.id for t in tests]
        self.tiers = self.make_tiers()
        self.source = "nested"
        lists = {"nested": self.extras()} if self.has("nested") else {}
        lists |= {
            "interest": self.interest(),
            "principal": self.principal(),
            "nps": self.notes(),
            "acceleration": self.acceleration(),
        }
        sources = {"nps": "notes", "acceleration": "both", "nested": "interest"}
        waterfalls = {w: Waterfall(w, sources.get(w, w), tuple(s)) for w, s in lists.items()}
        in_one_pot = both(ref("phase.acceleration"), "or", ref("phase.redemption"))
        rules = [Rule(in_one_pot, ("acceleration",)), Rule(Number(1.0), ("interest", "principal", "nps"))]
        if self.has("odd_dispatch"):
            run = r.choice([("interest",), ("principal",), ("principal", "interest"), ("acceleration",), ("nps",)])
            rules.insert(r.randint(0, 1), Rule(self.condition(in_step=False), run))
        return Document(
            name="random",
            title="Random",
            classes=(
                *([ClassTerms("X", "class_x")] if self.x else []),
                *(
                    ClassTerms(c, interest_on_deferred=r.random() < 0.8, interest_on_unpaid=r.random() < 0.8)
                    for c in self.debt
                ),
                *([ClassTerms("GONE", optional=True)] if self.has("absent") else []),
                ClassTerms("SUB", "equity"),
            ),
            fees=fees,
            tests=tests,
            waterfalls=waterfalls,
            dispatch=tuple(rules),
            caps=caps if senior_cap else (),
            accounts=tuple(AccountTerms(a, i + 2) for i, a in enumerate(self.accounts)),
            inputs=tuple(InputTerms(i, i.title(), 1000.0) for i in self.inputs),
            contributions=(Contribution("sponsor", "reserve", 0.08),) if self.has("contributions") else (),
            values={"adjusted": both(Number(0.002), "*", both(ref("pool.performing"), "-", ref("pool.ccc_excess")))}
            if self.has("values")
            else {},
            phases={"own": both(ref("pool.defaulted"), ">", self.of_opening(0.05))} if self.has("phases") else {},
            event_of_default=both(ref("pool.performing"), "<", Number(1e5)) if r.random() < 0.1 else None,
            call=both(ref(f"class.{self.debt[0]}.factor"), "<", Number(0.3)) if self.has("call") else None,
        )
