"""Kinds of cases: a name, and the function that computes a case of it. A new kind is one function in `kinds/`.

    @kind("ABC")
    def abc(case: Case, library: Library) -> Any:
        '''What it computes, in one line.'''
        return {"figure": ...}          # the shape of the case's `expected`; or an Answer

A case belongs to the kind it names, else to the longest name its id begins with: "DC-30E_360" is of kind "DC", and
"DC-1" of the kind "DC-1", which is there too. A runner reads the inputs and the questions in `expected` (keys, dates,
labels); never its figures. It raises CaseError, or any arithmetic, lookup, type or value error, for inputs it cannot
use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from engine.validation.cases import Case, Library

Runner = Callable[[Case, Library], Any]

_known: Final[dict[str, Runner]] = {}
KINDS: Final[Mapping[str, Runner]] = MappingProxyType(_known)


def kind(*names: str) -> Callable[[Runner], Runner]:
    """Registers a runner under its names."""

    def register(runner: Runner) -> Runner:
        for name in names:
            if name in _known:
                raise ValueError(f"two runners are registered for {name}")
            _known[name] = runner
        return runner

    return register


def kind_of(case: Case) -> str | None:
    """The kind of a case, None where no runner knows it."""
    if case.kind is not None:
        return case.kind if case.kind in _known else None
    fitting = [name for name in _known if case.id == name or case.id.startswith(f"{name}-")]
    return max(fitting, key=len, default=None)
