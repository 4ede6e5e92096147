"""What a step does, in the words of an indenture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.waterfall.document import Document, Step, Tier
from engine.waterfall.expressions import Expression, constant
from engine.waterfall.letters import roman
from engine.waterfall.wording import words

_PARTS: Final = {
    "capped": " up to the expense cap",
    "excess_of_cap": " above the expense cap",
    "current": ", what accrued in the period",
    "unpaid": ", what is unpaid from earlier dates",
}
_ALLOCATIONS: Final = {
    "pro_rata": "pro rata by what is due",
    "pro_rata_balance": "pro rata by balance",
    "reverse": "the last named first",
}
_POTS: Final = {"interest": "interest proceeds", "principal": "principal proceeds", "nps": "the note payment sequence"}
_ALL: Final = "all that is left"
_HEDGES: Final = {
    "periodic": "periodic hedge payments",
    "termination": "hedge termination payments",
    "defaulted_termination": "termination payments to a defaulted hedge counterparty",
}


def sentence(step: Step, document: Document) -> str:
    """What a step does; its label, where it has one, stands before."""
    text = _SENTENCES[step.type](step, document)
    if step.share is not None:
        of = f"{_share(step.share)} of the cash in hand"
        text = text.replace(_ALL, of) if text.endswith(_ALL) else f"{text}, from {of}"
    if step.cap is not None:
        text += f", at most {words(step.cap)} on a payment date"
    if step.cap_life is not None:
        text += f", at most {words(step.cap_life)} over the life of the deal"
    return f"{step.label}: {text}" if step.label else text


def _classes(step: Step) -> str:
    """The classes of a step and how they share: `Class A and Class B, pro rata by what is due`."""
    ids = step.ids("classes")
    text = _listed([f"Class {c}" for c in ids])
    if len(ids) < 2:
        return text
    if step.terms["alloc"] == "weights":
        shares = _listed([f"{w:.4g}" for w in step.terms["weights"]])
        return f"{text}, in the shares {shares}"
    how = _ALLOCATIONS.get(step.terms["alloc"])
    return f"{text}, {how}" if how else text.replace(" and ", ", then ").replace(", Class", ", then Class")


def _listed(names: list[str], last: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _amount(terms: Mapping[str, Any]) -> str:
    return _ALL if terms["amount"] == "all" else words(terms["amount"])


def _share(of: Expression) -> str:
    value = constant(of)
    return words(of) if value is None else f"{value * 100.0:.6g}%"


def _account(name: str) -> str:
    return f"the account {name.replace('_', ' ')}"


def _pay_fee(step: Step, document: Document) -> str:
    names = {f.id: f.name for f in document.fees}
    fees = [names[f] for f in step.ids("fees")]
    how = _ALLOCATIONS.get(step.terms["alloc"])
    several = f"{_listed(fees)}, {how}," if how and len(fees) > 1 else ", then the ".join(fees)
    return f"to the {several}{_PARTS.get(step.terms['part'], '')}"


def _pay_expense(step: Step, _: Document) -> str:
    name, amount = step.terms["name"], words(step.terms["amount"])
    return f"to {name}" if amount == name else f"to {name}: {amount}"


def _pay_hedge(step: Step, _: Document) -> str:
    return f"to {_HEDGES[step.terms['part']]}: {words(step.terms['amount'])}"


def _pay_interest(step: Step, _: Document) -> str:
    included = tuple(step.terms["include"])
    what = "interest on deferred interest" if included == ("on_deferred",) else "interest"
    less = ", without that on deferred interest" if included == ("current",) else ""
    return f"to {what} of {_classes(step)}{less}"


def _pay_deferred(step: Step, _: Document) -> str:
    return f"to deferred interest of {_classes(step)}"


def _pay_principal(step: Step, _: Document) -> str:
    amount = step.terms["amount"]
    if amount == "scheduled":
        text = f"to the scheduled principal of {_classes(step)}"
    else:
        text = f"to principal of {_classes(step)}"
        if amount != "all":
            text += f", in the amount of {words(amount)}"
    if "stop_at" in step.terms:
        text += f", until {words(step.terms['stop_at'])} is left outstanding"
    return text


def _cure(step: Step, _: Document) -> str:
    text = f"if {' or '.join(step.ids('tests'))} fails, to the note payment sequence until met"
    return f"{text}, at most {words(step.terms['limit'])}" if "limit" in step.terms else text


def _divert(step: Step, _: Document) -> str:
    terms = step.terms
    to = str(terms["to"])
    where = _POTS[to] if to in _POTS else _account(to.removeprefix("account:"))
    share = _share(terms["share"])
    if terms["amount"] == "share_only":
        text = f"{share} of what is left to {where}"
        return f"if {terms['test']} fails, {text}" if "test" in terms else text
    return f"if {terms['test']} fails, up to {share} of what is left to {where} until met"


def _reinvest(step: Step, _: Document) -> str:
    if step.terms["amount"] == "policy":
        return "to the purchase of collateral as the reinvestment criteria allow"
    return f"to the purchase of collateral: {_amount(step.terms)}"


def _to_account(step: Step, _: Document) -> str:
    account = _account(step.terms["account"])
    if "target" in step.terms:
        most = "" if step.terms["amount"] == "all" else f", at most {words(step.terms['amount'])}"
        return f"to {account} until it holds {words(step.terms['target'])}{most}"
    return f"to {account}: {_amount(step.terms)}"


def _from_account(step: Step, _: Document) -> str:
    amount = "all of it" if step.terms["amount"] == "all" else words(step.terms["amount"])
    return f"from {_account(step.terms['account'])}, as cash for the steps that follow: {amount}"


def _transfer(step: Step, _: Document) -> str:
    return f"to {_POTS[step.terms['to']]}: {_amount(step.terms)}"


def _run(step: Step, document: Document) -> str:
    name, amount = str(step.terms["waterfall"]), step.terms["amount"]
    if document.waterfalls[name].source == "notes":
        return (
            "the rest to the note payment sequence"
            if amount == "all"
            else f"to the note payment sequence: {words(amount)}"
        )
    under = f"to the payments under “{name.replace('_', ' ').capitalize()}”"
    return under if amount == "all" else f"{under}: {words(amount)}"


def _tier(tier: Tier) -> str:
    if tier.hurdle is None:
        hurdle = "its hurdle"
    elif tier.kind == "irr":
        hurdle = f"an annual return of {tier.hurdle * 100.0:.6g}%"
    else:
        hurdle = f"{tier.hurdle:g} times its cost"
    share = "his share" if tier.manager_share is None else f"{tier.manager_share * 100.0:.6g}%"
    caught = f", after a catch-up of {tier.catch_up * 100.0:.6g}%" if tier.catch_up else ""
    return f"above {hurdle} {share} to the manager{caught}"


def _hurdle_split(step: Step, _: Document) -> str:
    return f"the rest to the subordinated notes; {'; '.join(map(_tier, step.terms['tiers']))}"


def _pay_equity(_: Step, __: Document) -> str:
    return "the rest to the subordinated notes"


def _repay_contribution(step: Step, _: Document) -> str:
    return f"to the repayment of the contribution {step.terms['contribution'].replace('_', ' ')}"


def _branch(step: Step, _: Document) -> str:
    then, otherwise = step.terms["then"], step.terms["otherwise"]
    text = f"if {words(step.terms['condition'])}, {_range(0, len(then))}"
    return f"{text}; otherwise {_range(len(then), len(otherwise))}" if otherwise else text


def _range(first: int, count: int) -> str:
    return f"({roman(first)})" if count == 1 else f"({roman(first)}) to ({roman(first + count - 1)})"


def _retain(step: Step, _: Document) -> str:
    return f"kept for the next payment date: {_amount(step.terms)}"


def _assert(step: Step, _: Document) -> str:
    return f"(check: {words(step.terms['that'])})"


_SENTENCES: Final[Mapping[str, Callable[[Step, Document], str]]] = {
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
