"""Figures that somebody gives go before a scenario: also before its rules, which would replace them. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine.assumptions import Assumptions
from engine.loans.vectors import RULED, ruled, without

_WORDS: Final = {"cpr": "CPR", "cdr": "CDR", "severity": "severity", "lag": "recovery lag"}


def over(base: Assumptions, said: Mapping[str, Any]) -> Assumptions:
    """A scenario with other figures, by field; None leaves a field as it is.

    A rate or lag that is given is that of the whole pool: no rule says it any more, and the rest of the rules stays.
    Raises ValueError for what is no assumption.
    """
    given = {name: value for name, value in said.items() if value is not None}
    return replace(base, **{"rules": without(base.rules, [name for name in RULED if name in given]), **given})


def beaten(base: Assumptions, said: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Of what is given, what rules of the scenario say too, and how many of them: these say it no longer."""
    counts = {name: sum(getattr(rule, name) is not None for rule in base.rules) for name in RULED}
    return tuple((name, n) for name, n in counts.items() if n and said.get(name) is not None)


def told(base: Assumptions, said: Mapping[str, Any], what: str) -> str:
    """Which figures of the pool are by rules for all assets, and which of those given go before rules; "": none.

    what  shows and takes a figure: lever, field
    """
    left = [_WORDS[name] for name in ruled(base.rules) if said.get(name) is None]
    won = [_WORDS[name] for name, _ in beaten(base, said)]
    sentences = []
    if left:
        sentences.append(f"By rules of the scenario: {', '.join(left)}. A {what} that is changed goes before them.")
    sentences += [f"The {what} goes before the rules of the scenario: {', '.join(won)}."] if won else []
    return " ".join(sentences)
