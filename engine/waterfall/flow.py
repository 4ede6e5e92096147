"""Checks of where cash goes: what runs when, the note payment pot, and that every waterfall gives all of it away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from engine.waterfall.document import Document, Step, Waterfall, WaterfallError
from engine.waterfall.expressions import Expression, constant
from engine.waterfall.names import known
from engine.waterfall.step_reading import DEEPEST, MOST_STEPS, step_name, walk


def check_flow(document: Document) -> None:
    """Raises WaterfallError for cash that would be lost, or for waterfalls that never run."""
    _circles(document)
    _rules(document)
    notes = _notes(document)
    _sources(document)
    ruled = {name for rule in document.dispatch for name in rule.run}
    for name, waterfall in document.waterfalls.items():
        _unreachable(document, name, waterfall.steps)
        if name in ruled or waterfall.source == "notes":
            _ends(document, waterfall)
    _reached(document, notes)
    if notes is not None:
        _cured_classes_are_paid(document, notes)


# --- the end of a waterfall ------------------------------------------------------------------------------------------


def gives_all(document: Document, step: Step) -> bool:
    """Whether nothing is left after the step, whatever the figures. What a waterfall leaves, its `run` gives back."""
    if not _always(step.when) or step.cap is not None or step.cap_life is not None:
        return False
    if step.share is not None and constant(step.share) != 1.0:
        return False
    if step.type in ("hurdle_split", "pay_equity"):
        return True
    if step.type == "branch":
        sides = (step.terms["then"], step.terms["otherwise"])
        return all(side and gives_all(document, side[-1]) for side in sides)
    if step.terms.get("amount") != "all" or "target" in step.terms:
        return False
    if step.type == "run":
        other = document.waterfalls[step.terms["waterfall"]]
        return other.source == "notes" or gives_all(document, other.steps[-1])
    return step.type in ("retain", "to_account", "transfer")


def _always(when: Expression | None) -> bool:
    return when is None or bool(constant(when))


def _ends(document: Document, waterfall: Waterfall) -> None:
    place, last = len(waterfall.steps) - 1, waterfall.steps[-1]
    if not gives_all(document, last):
        raise WaterfallError(
            f"{step_name(waterfall.id, place, last.type)}: the last step must give away all that is left, "
            "without condition or limit; end with hurdle_split, pay_equity, or run, retain or to_account of all."
        )


def _unreachable(document: Document, where: str, steps: tuple[Step, ...], first: int | None = None) -> None:
    for place, step in enumerate(steps):
        here = step_name(where, place, step.type, first)
        if gives_all(document, step) and place + 1 < len(steps):
            after = step_name(where, place + 1, steps[place + 1].type, first)
            raise WaterfallError(f"{after} never gets cash: {here} gives all away; put it before or take it out.")
        if step.type == "branch":
            _unreachable(document, f"{here}, then", step.terms["then"], 0)
            _unreachable(document, f"{here}, else", step.terms["otherwise"], len(step.terms["then"]))


def _sources(document: Document) -> None:
    """Steps that would put cash where it came from, or where it comes too late."""
    cash = _cash_of(document)
    for name, waterfall in document.waterfalls.items():
        for where, step in walk(name, waterfall.steps):
            own = sorted({"nps" if source == "notes" else source for source in cash[name]})
            if step.type == "transfer" and step.terms["to"] in own:
                raise WaterfallError(f"{where}: {name} pays out {' and '.join(own)} already; transfer to another pot.")
            if step.type == "divert" and step.terms["to"] == "principal" and own != ["interest"]:
                raise WaterfallError(
                    f"{where}: only interest can be diverted to principal, and {name} pays out {' and '.join(own)}; "
                    "divert to nps or an account."
                )
            if "nps" in own and _into_pot(step):
                raise WaterfallError(
                    f"{where}: {name} pays out the pot that {step.type} would fill; put it into another waterfall."
                )


def _cash_of(document: Document) -> dict[str, set[str]]:
    """The sources each waterfall may pay out: its own where a rule runs it, and those of the waterfalls that run it."""
    ruled = {name for rule in document.dispatch for name in rule.run}
    cash = {n: {w.source} if n in ruled or w.source == "notes" else set() for n, w in document.waterfalls.items()}
    graph = {name: _runs(waterfall) for name, waterfall in document.waterfalls.items()}
    for name in reversed(list(TopologicalSorter(graph).static_order())):
        for other in graph[name]:
            if document.waterfalls[other].source != "notes":
                cash[other] |= cash[name]
    return cash


def _into_pot(step: Step) -> bool:
    return step.type == "cure" or (step.type in ("divert", "transfer") and step.terms["to"] == "nps")


# --- what runs -------------------------------------------------------------------------------------------------------


def _runs(waterfall: Waterfall) -> list[str]:
    return [str(s.terms["waterfall"]) for _, s in walk(waterfall.id, waterfall.steps) if s.type == "run"]


def _circles(document: Document) -> None:
    """No waterfall runs itself, and what runs within each other stays within bounds."""
    graph = {name: _runs(waterfall) for name, waterfall in document.waterfalls.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        chain = " -> ".join(reversed(error.args[1]))
        raise WaterfallError(f"Waterfalls run one another in a circle: {chain}; take out one `run`.") from None
    size: dict[str, int] = {}
    depth: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        size[name] = sum(1 for _ in walk(name, document.waterfalls[name].steps)) + sum(size[n] for n in graph[name])
        depth[name] = 1 + max((depth[n] for n in graph[name]), default=0)
        if size[name] > MOST_STEPS or depth[name] > DEEPEST:
            raise WaterfallError(
                f"Waterfall {name} and those it runs are {size[name]} steps, {depth[name]} within each other; "
                f"{MOST_STEPS} and {DEEPEST} are the most."
            )


def _rules(document: Document) -> None:
    """The last rule always holds, and no rule pays one source twice."""
    for place, rule in enumerate(document.dispatch, start=1):
        where = f"dispatch rule {place}"
        known(f"{where}, run", "waterfall", rule.run, document.waterfalls)
        last = place == len(document.dispatch)
        if constant(rule.when) and not last:
            raise WaterfallError(f"{where} always holds, so the rules after it never do; put it last.")
        if last and not constant(rule.when):
            raise WaterfallError(f"{where}, the last, may not hold, and nothing would be paid; end with `when: true`.")
        sources = [document.waterfalls[name].source for name in rule.run]
        doubled = {s for s in sources if sources.count(s) > 1}
        if doubled or ("both" in sources and {"interest", "principal"} & set(sources)):
            raise WaterfallError(
                f"{where}: two waterfalls ({', '.join(rule.run)}) pay out the same cash; the second would get nothing."
            )
        if "notes" in sources and sources[-1] != "notes":
            raise WaterfallError(f"{where}: the note payment sequence is paid last; put it at the end of `run`.")


def _notes(document: Document) -> Waterfall | None:
    """The note payment sequence, which must be there if anything feeds it."""
    found = [w for w in document.waterfalls.values() if w.source == "notes"]
    if len(found) > 1:
        names = ", ".join(w.id for w in found)
        raise WaterfallError(f"Waterfalls {names} all pay out the note pot; write one, with branches.")
    for name, waterfall in document.waterfalls.items():
        for where, step in walk(name, waterfall.steps):
            if _into_pot(step) and not found:
                raise WaterfallError(
                    f"{where}: there is no note payment sequence to pay; write a waterfall of source notes."
                )
    return found[0] if found else None


def _reached(document: Document, notes: Waterfall | None) -> None:
    """Every waterfall runs some time."""
    reached: set[str] = set()
    open_ = [name for rule in document.dispatch for name in rule.run]
    while open_:
        name = open_.pop()
        if name in reached:
            continue
        reached.add(name)
        waterfall = document.waterfalls[name]
        open_ += _runs(waterfall)
        if notes is not None and any(_into_pot(step) for _, step in walk(name, waterfall.steps)):
            open_.append(notes.id)
    never = [name for name in document.waterfalls if name not in reached]
    if never:
        raise WaterfallError(f"Waterfall {', '.join(never)} never runs; name it in `dispatch` or in a `run` step.")


def _cured_classes_are_paid(document: Document, notes: Waterfall) -> None:
    """A cure pays down what its tests count, so the note payment sequence must reach all of it."""
    steps = [step for step in _all_of(document.waterfalls, notes.id) if step.type == "pay_principal"]
    paid = {c for step in steps for c in step.ids("classes")}
    debt = {c.id for c in document.classes if c.kind == "debt"}
    tests = {t.id: t for t in document.tests}
    for name, waterfall in document.waterfalls.items():
        for where, step in walk(name, waterfall.steps):
            if step.type != "cure":
                continue
            for test in step.ids("tests"):
                missing = [c for c in tests[test].classes if c in debt - paid]
                if missing:
                    raise WaterfallError(
                        f"{where}: test {test} counts class {', '.join(missing)}, whose principal {notes.id} never "
                        f"pays; write pay_principal for it in {notes.id}."
                    )


def _all_of(waterfalls: Mapping[str, Waterfall], name: str) -> Iterator[Step]:
    """The steps of a waterfall and of those it runs."""
    for _, step in walk(name, waterfalls[name].steps):
        yield step
        if step.type == "run":
            yield from _all_of(waterfalls, str(step.terms["waterfall"]))
