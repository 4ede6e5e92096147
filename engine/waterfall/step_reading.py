"""The steps of a waterfall, read from plain data: each type's terms, words that would be ignored refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from engine.waterfall.document import Step, Tier
from engine.waterfall.expressions import WaterfallError
from engine.waterfall.letters import letter, roman
from engine.waterfall.reading import (
    Expressions,
    identifier,
    identifiers,
    items,
    mapping,
    number,
    show,
    text,
    word,
)

COMMON: Final = ("when", "cap", "cap_life", "share", "id", "label")
"""Keys that stand beside the type of any step."""
ALLOCATIONS: Final = ("sequential", "reverse", "pro_rata", "pro_rata_balance", "weights")
FEE_ALLOCATIONS: Final = ("sequential", "reverse", "pro_rata")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "pay_fee": ("fees", "part", "alloc"),
    "pay_expense": ("name", "amount"),
    "pay_hedge": ("amount", "part"),
    "pay_interest": ("classes", "include", "alloc", "weights"),
    "pay_deferred": ("classes", "alloc", "weights"),
    "pay_principal": ("classes", "alloc", "weights", "amount", "stop_at"),
    "cure": ("tests", "limit", "combine", "via"),
    "divert": ("test", "share", "amount", "to"),
    "reinvest": ("amount",),
    "to_account": ("account", "amount", "target"),
    "from_account": ("account", "amount"),
    "transfer": ("to", "amount"),
    "run": ("waterfall", "amount"),
    "hurdle_split": ("equity", "book_as", "tiers", "manager_share"),
    "pay_equity": ("equity", "book_as"),
    "repay_contribution": ("contribution",),
    "branch": ("if", "then", "else"),
    "retain": ("amount",),
    "assert": ("that", "says"),
}
"""What each type of step may say."""
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "pay_fee": ("fees",),
    "pay_expense": ("name", "amount"),
    "pay_hedge": ("amount",),
    "pay_interest": ("classes",),
    "pay_deferred": ("classes",),
    "pay_principal": ("classes",),
    "cure": ("tests",),
    "to_account": ("account",),
    "from_account": ("account",),
    "transfer": ("to",),
    "run": ("waterfall",),
    "hurdle_split": ("equity",),
    "pay_equity": ("equity",),
    "repay_contribution": ("contribution",),
    "branch": ("if", "then"),
    "assert": ("that",),
}
_IDLE: Final[Mapping[str, tuple[str, ...]]] = {
    "branch": ("cap", "cap_life", "share"),
    "assert": ("cap", "cap_life", "share"),
    "from_account": ("share",),
}
"""Common keys that a type of step cannot use."""
SENIOR_EXPENSES: Final = "senior_expenses"
"""The one cap of the short spelling `capped: [..]`."""
DEEPEST: Final = 8
"""Branches within branches."""
MOST_STEPS: Final = 2000


class StepReader:
    """Reads the lists of steps of one document."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.count = 0

    def steps(self, where: str, value: object, level: int = 0, first: int | None = None) -> tuple[Step, ...]:
        """A list of steps. Raises WaterfallError naming waterfall, place, type and letter.

        `first` is given within a branch: how many steps of the branch came before.
        """
        if level > DEEPEST:
            raise WaterfallError(f"{where}: more than {DEEPEST} branches within each other; use `run` or `values`.")
        made = []
        for place, item in enumerate(items(where, value)):
            self.count += 1
            if self.count > MOST_STEPS:
                raise WaterfallError(f"{where}: more than {MOST_STEPS} steps; shorten the document.")
            made.append(self._step(where, place, item, level, first))
        return tuple(made)

    def _step(self, where: str, place: int, item: object, level: int, first: int | None) -> Step:
        here = f"{where} step {place + 1}"
        found = mapping(here, item)
        types = [key for key in found if key not in COMMON]
        if len(types) != 1 or not isinstance(types[0], str) or types[0] not in KEYS:
            says = ", ".join(show(t) for t in types[:5]) or "nothing"
            raise WaterfallError(
                f"{here}: {says} is not one step; write exactly one of {', '.join(KEYS)}, "
                f"and beside it only {', '.join(COMMON)}."
            )
        kind = types[0]
        here = step_name(where, place, kind, first)
        idle = [key for key in _IDLE.get(kind, ()) if key in found]
        if idle:
            raise WaterfallError(f"{here}: {', '.join(idle)} means nothing beside {kind}; take it out.")
        terms = mapping(f"{here}: {kind}", found[kind], KEYS[kind])
        blank = [key for key, value in {**found, **terms}.items() if value is None and key != kind]
        if blank:
            raise WaterfallError(f"{here}: nothing stands after {', '.join(blank)}; write it or take the word out.")
        missing = [key for key in NEEDED.get(kind, ()) if terms.get(key) is None]
        if missing:
            raise WaterfallError(f"{here}: {kind} names no {' and no '.join(missing)}; write it.")
        read = self.expressions
        optional: dict[str, Any] = {
            key: (read.condition if key == "when" else read.amount)(f"{here}, {key}", found[key])
            for key in ("when", "cap", "cap_life", "share")
            if key in found
        }
        return Step(
            type=kind,
            terms=_READERS[kind](self, here, terms, level),
            id="" if found.get("id") is None else identifier(f"{here}, id", found["id"]),
            label="" if found.get("label") is None else text(f"{here}, label", found["label"]),
            **optional,
        )

    # --- one method a type ------------------------------------------------------------------------------------------

    def _pay_fee(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        parts = ("all", "capped", "excess_of_cap", "current", "unpaid")
        return {
            "fees": identifiers(f"{here}, fees", terms["fees"]),
            "part": word(f"{here}, part", terms.get("part", "all"), parts),
            "alloc": word(f"{here}, alloc", terms.get("alloc", "sequential"), FEE_ALLOCATIONS),
        }

    def _pay_expense(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {
            "name": text(f"{here}, name", terms["name"]),
            "amount": self.expressions.amount(f"{here}, amount", terms["amount"]),
        }

    def _pay_hedge(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        parts = ("periodic", "termination", "defaulted_termination")
        return {
            "amount": self.expressions.amount(f"{here}, amount", terms["amount"]),
            "part": word(f"{here}, part", terms.get("part", "periodic"), parts),
        }

    def _pay_classes(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        """Classes and how they share."""
        classes = self.expressions.classes(f"{here}, classes", terms["classes"])
        alloc = word(f"{here}, alloc", terms.get("alloc", "sequential"), ALLOCATIONS)
        made: dict[str, Any] = {"classes": classes, "alloc": alloc}
        if (alloc == "weights") != (terms.get("weights") is not None):
            raise WaterfallError(f"{here}: `alloc: weights` and a list of `weights` go together; write both or none.")
        if alloc == "weights":
            weights = tuple(
                number(f"{here}, weights", w, 0.0, 1.0) for w in items(f"{here}, weights", terms["weights"])
            )
            if len(weights) != len(classes):
                raise WaterfallError(
                    f"{here}: classes {len(classes)}, weights {len(weights)}; write a weight for each class."
                )
            if abs(sum(weights) - 1.0) > 1e-6:
                raise WaterfallError(f"{here}: the weights add up to {sum(weights):g}; make them add up to 1.")
            made["weights"] = weights
        return made

    def _pay_interest(self, here: str, terms: Mapping[str, Any], level: int) -> dict[str, Any]:
        made = self._pay_classes(here, terms, level)
        include = items(f"{here}, include", terms.get("include", ["current", "on_deferred"]))
        words = tuple(word(f"{here}, include", w, ("current", "on_deferred")) for w in include)
        return made | {"include": tuple(w for w in ("current", "on_deferred") if w in words)}

    def _pay_principal(self, here: str, terms: Mapping[str, Any], level: int) -> dict[str, Any]:
        made = self._pay_classes(here, terms, level)
        made["amount"] = self._amount(here, terms, ("all", "scheduled"))
        if terms.get("stop_at") is not None:
            made["stop_at"] = self.expressions.amount(f"{here}, stop_at", terms["stop_at"])
        return made

    def _cure(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        word(f"{here}, combine", terms.get("combine", "max"), ("max",))
        word(f"{here}, via", terms.get("via", "nps"), ("nps",))
        made: dict[str, Any] = {"tests": identifiers(f"{here}, tests", terms["tests"])}
        if terms.get("limit") is not None:
            made["limit"] = self.expressions.amount(f"{here}, limit", terms["limit"])
        return made

    def _divert(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        amount = word(f"{here}, amount", terms.get("amount", "par_cure"), ("par_cure", "paydown_cure", "share_only"))
        to = terms.get("to", "principal")
        if isinstance(to, str) and to.startswith("account:"):
            to = f"account:{identifier(f'{here}, to', to.removeprefix('account:').strip())}"
        elif to not in ("principal", "nps"):
            raise WaterfallError(f"{here}, to: {show(to)} is none of principal, nps, account:<id>.")
        made: dict[str, Any] = {
            "share": self.expressions.amount(f"{here}, share", terms.get("share", 1.0)),
            "amount": amount,
            "to": to,
        }
        if terms.get("test") is not None:
            made["test"] = identifier(f"{here}, test", terms["test"])
        elif amount != "share_only":
            raise WaterfallError(f"{here}: divert names no test; write one, or `amount: share_only`.")
        return made

    def _reinvest(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {"amount": self._amount(here, terms, ("policy", "all"))}

    def _to_account(self, here: str, terms: Mapping[str, Any], level: int) -> dict[str, Any]:
        made = self._from_account(here, terms, level)
        if terms.get("target") is not None:
            made["target"] = self.expressions.amount(f"{here}, target", terms["target"])
        return made

    def _from_account(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {
            "account": identifier(f"{here}, account", terms["account"]),
            "amount": self._amount(here, terms, ("all",)),
        }

    def _transfer(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        to = word(f"{here}, to", terms["to"], ("interest", "principal", "nps"))
        return {"to": to, "amount": self._amount(here, terms, ("all",))}

    def _run(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {
            "waterfall": identifier(f"{here}, waterfall", terms["waterfall"]),
            "amount": self._amount(here, terms, ("all",)),
        }

    def _pay_equity(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {
            "equity": identifier(f"{here}, equity", terms["equity"]),
            "book_as": word(f"{here}, book_as", terms.get("book_as", "interest"), ("interest", "principal")),
        }

    def _hurdle_split(self, here: str, terms: Mapping[str, Any], level: int) -> dict[str, Any]:
        if terms.get("tiers") is not None and terms.get("manager_share") is not None:
            raise WaterfallError(f"{here}: manager_share stands beside tiers; write it within each tier.")
        if terms.get("tiers") is None:
            share = _share(f"{here}, manager_share", terms.get("manager_share"))
            tiers: tuple[Tier, ...] = (Tier(manager_share=share),)
        else:
            found = enumerate(items(f"{here}, tiers", terms["tiers"]), start=1)
            tiers = tuple(_tier(f"{here}, tier {place}", tier) for place, tier in found)
            rising(here, tiers)
        return self._pay_equity(here, terms, level) | {"tiers": tiers}

    def _repay_contribution(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {"contribution": identifier(f"{here}, contribution", terms["contribution"])}

    def _branch(self, here: str, terms: Mapping[str, Any], level: int) -> dict[str, Any]:
        then = self.steps(f"{here}, then", terms["then"], level + 1, 0)
        otherwise: tuple[Step, ...] = ()
        if "else" in terms:
            otherwise = self.steps(f"{here}, else", terms["else"], level + 1, len(then))
        return {
            "condition": self.expressions.condition(f"{here}, if", terms["if"]),
            "then": then,
            "otherwise": otherwise,
        }

    def _retain(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        return {"amount": self._amount(here, terms, ("all",))}

    def _assert(self, here: str, terms: Mapping[str, Any], _: int) -> dict[str, Any]:
        that = self.expressions.condition(f"{here}, that", terms["that"])
        says = terms.get("says")
        plain = terms["that"] if isinstance(terms["that"], str) else str(bool(terms["that"])).lower()
        return {"that": that, "says": f"{plain.strip()} does not hold" if says is None else text(f"{here}, says", says)}

    def _amount(self, here: str, terms: Mapping[str, Any], words: tuple[str, ...]) -> Any:
        """One of the words, or an expression; the first word where nothing stands."""
        value = terms.get("amount")
        if value is None:
            return words[0]
        if isinstance(value, str) and value.strip() in words:
            return value.strip()
        return self.expressions.amount(f"{here}, amount ({', '.join(words)} or a formula)", value)


def step_name(where: str, place: int, kind: str, first: int | None = None) -> str:
    """How messages name a step: waterfall, place, type and letter; within a branch `first` steps came before."""
    return f"{where} step {place + 1} ({kind}, {letter(place) if first is None else roman(first + place)})"


def _share(where: str, value: object) -> float | None:
    return None if value is None or value == "deal" else number(where, value, 0.0, 1.0)


def _tier(here: str, value: object) -> Tier:
    """`{irr: 12%, manager_share: 20%, catch_up: 100%}` or `{moic: 2.0, ...}`; `deal` or nothing: the deal's own."""
    terms = mapping(here, value, ("irr", "moic", "manager_share", "catch_up"))
    if "irr" in terms and "moic" in terms:
        raise WaterfallError(f"{here}: irr and moic stand together; write a tier for each.")
    kind = "moic" if "moic" in terms else "irr"
    hurdle = terms.get(kind)
    if kind == "moic" and hurdle in (None, "deal"):
        raise WaterfallError(f"{here}: moic has no figure; write the multiple, such as 2.0 (the deal has only an irr).")
    most = 5.0 if kind == "irr" else 100.0
    return Tier(
        kind=kind,
        hurdle=None if hurdle in (None, "deal") else number(f"{here}, {kind}", hurdle, 0.0, most, "12% or 0.12 an irr"),
        manager_share=_share(f"{here}, manager_share", terms.get("manager_share")),
        catch_up=number(f"{here}, catch_up", terms.get("catch_up", 0.0), 0.0, 1.0),
    )


def rising(here: str, tiers: tuple[Tier, ...]) -> None:
    """Hurdles of one kind rise from tier to tier."""
    for kind in ("irr", "moic"):
        hurdles = [t.hurdle for t in tiers if t.kind == kind and t.hurdle is not None]
        if any(after <= before for before, after in pairwise(hurdles)):
            raise WaterfallError(f"{here}: the {kind} hurdles do not rise; put the tiers in rising order.")


_READERS: Final[Mapping[str, Callable[[StepReader, str, Mapping[str, Any], int], dict[str, Any]]]] = {
    "pay_fee": StepReader._pay_fee,
    "pay_expense": StepReader._pay_expense,
    "pay_hedge": StepReader._pay_hedge,
    "pay_interest": StepReader._pay_interest,
    "pay_deferred": StepReader._pay_classes,
    "pay_principal": StepReader._pay_principal,
    "cure": StepReader._cure,
    "divert": StepReader._divert,
    "reinvest": StepReader._reinvest,
    "to_account": StepReader._to_account,
    "from_account": StepReader._from_account,
    "transfer": StepReader._transfer,
    "run": StepReader._run,
    "hurdle_split": StepReader._hurdle_split,
    "pay_equity": StepReader._pay_equity,
    "repay_contribution": StepReader._repay_contribution,
    "branch": StepReader._branch,
    "retain": StepReader._retain,
    "assert": StepReader._assert,
}


def walk(where: str, steps: tuple[Step, ...], first: int | None = None) -> Iterator[tuple[str, Step]]:
    """Every step with its name in messages, those within branches after their branch."""
    for place, step in enumerate(steps):
        here = step_name(where, place, step.type, first)
        yield here, step
        if step.type == "branch":
            yield from walk(f"{here}, then", step.terms["then"], 0)
            yield from walk(f"{here}, else", step.terms["otherwise"], len(step.terms["then"]))
