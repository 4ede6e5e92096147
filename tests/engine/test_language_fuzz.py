"""Documents damaged at random: the reader answers with a Document or a WaterfallError, never with anything else."""

from __future__ import annotations

import copy
import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.deal_inputs import DealInputs
from engine.liabilities import write
from engine.waterfall.document import Document, WaterfallError
from engine.waterfall.language import read_document
from engine.waterfall.listing import listing
from tests.engine.language_documents import EVERYTHING, TEMPLATES, shipped
from tests.engine.plain_inputs import plain_inputs

DOCUMENTS = [EVERYTHING, EVERYTHING, *map(shipped, TEMPLATES)]


def deep(levels: int, kind: str) -> Any:
    made: Any = "x"
    for _ in range(levels):
        made = [made] if kind == "list" else {"branch": {"if": 1, "then": [made]}} if kind == "branch" else {"x": made}
    return made


def endless() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


HOSTILE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    0.5,
    1.0,
    2,
    math.nan,
    math.inf,
    -math.inf,
    1e308,
    10**400,
    10**5000,
    -(10**400),
    "",
    " ",
    "all",
    "nps",
    "cash",
    "true",
    "A",
    "SUB",
    "X",
    "interest",
    "senior",
    "account:reserve",
    "1e999",
    "nan",
    "inf",
    "class.A.balance",
    "test.EOD.fail",
    "phase.acceleration",
    "controlling == A",
    "classes(A, A).total",
    "cash / 0",
    "1e15 * 1e15 - 1e15 * 1e15 * 1e15",
    "(" * 3000,
    "-" * 3000 + "1",
    "1" + " + 1" * 900,
    "x" * 5000,
    "\x00",
    "\ud800",
    "é" * 40,
    b"bytes",
    (),
    ("A", "B"),
    set(),
    {"A"},
    object(),
    dt.date(2021, 1, 1),
    dt.datetime(2021, 1, 1, 12),
    [],
    {},
    [None],
    [[]],
    ["A", "A"],
    {None: None},
    {1.5: 1},
    {(1, 2): 3},
    {"when": None},
    {"pay_equity": {"equity": "SUB"}},
    {"run": {"waterfall": "interest"}},
    {"run": {"waterfall": "nps"}},
    {"cure": {"tests": ["OC_A"]}},
    deep(3000, "list"),
    deep(3000, "mapping"),
    deep(400, "branch"),
    endless(),
]


def places(of: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything within plain data."""
    if isinstance(of, dict | list):
        for key in list(of) if isinstance(of, dict) else range(len(of)):
            yield of, key
            yield from places(of[key])


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A valid document with one to four damages."""
    data = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    spots = list(places(data))
    for _ in range(draw(st.integers(1, 4))):
        at, key = spots[draw(st.integers(0, len(spots) - 1))]
        if key not in at if isinstance(at, dict) else key >= len(at):
            continue  # an earlier damage took it
        match draw(st.sampled_from(["delete", "replace", "text", "swap", "repeat", "rename"])):
            case "delete":
                del at[key]
            case "replace":
                at[key] = draw(st.sampled_from(HOSTILE))
            case "text":
                at[key] = draw(st.text(max_size=20) | st.floats() | st.integers())
            case "swap":
                other, place = spots[draw(st.integers(0, len(spots) - 1))]
                if place in other if isinstance(other, dict) else place < len(other):
                    at[key] = other[place]  # may put a list into itself
            case "repeat" if isinstance(at, list):
                at.insert(key, at[key])
            case "rename" if isinstance(at, dict):
                at[draw(st.sampled_from(["x", "A", 1, None, True, 2.5, "interest", *at]))] = at.pop(key)
            case _:
                pass
    return data


def answer(data: Any) -> Document | None:
    try:
        return read_document(data)
    except WaterfallError as refused:
        text = str(refused)
        assert text
        assert len(text.encode()) < 3000
        return None


def idle(document: Document) -> DealInputs:
    """Inputs of a deal of four dates for the document."""
    ids, days = document.class_ids, [18000, 18090, 18180, 18270]
    return plain_inputs(
        document,
        ids,
        days,
        balance=dict.fromkeys(ids, 1e6),
        dates=dict.fromkeys("closing effective no_call reinvestment_end stated_maturity".split(), days[2]),
        inputs={i.id: i.default for i in document.inputs},
        accounts=dict.fromkeys((a.id for a in document.accounts), 0.0),
        contributed={c.id: np.zeros(len(days)) for c in document.contributions},
    )


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_that_a_damaged_document_is_read_or_refused_in_words(data: Any) -> None:
    document = answer(data)
    if document is not None:
        assert listing(document).startswith(document.title)
        assert write(document, idle(document), full=True).program.n_operations


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda v: type(v).__name__)
def test_that_each_hostile_value_at_each_key_of_the_head_is_read_or_refused(hostile: Any) -> None:
    for key in EVERYTHING:
        answer(EVERYTHING | {key: hostile})
    answer(hostile)


def test_that_a_step_with_each_hostile_value_at_each_term_is_read_or_refused() -> None:
    seen: set[str] = set()
    for place, step in enumerate(EVERYTHING["waterfalls"]["interest"]):
        (kind,) = (k for k in step if isinstance(step[k], dict))
        if kind in seen:
            continue
        seen.add(kind)
        for term in [*step[kind], None]:
            for hostile in HOSTILE:
                data = EVERYTHING | {"waterfalls": dict(EVERYTHING["waterfalls"])}
                steps = list(data["waterfalls"]["interest"])
                steps[place] = step | {kind: hostile if term is None else step[kind] | {term: hostile}}
                data["waterfalls"]["interest"] = steps
                answer(data)
