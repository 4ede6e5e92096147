"""Cash that holders put in: read from the CLO Inputs, a label "Contribution <id> <date>" beside an amount."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.blanks import StructureError
from engine.terms import Deal, PaymentDate, Value
from engine.waterfall.document import Document

PutIn = tuple[str, int, float]
"""Id of the contribution, row of the payment date, amount in the deal's currency."""

_LABEL: Final = re.compile(r"contribution\s+(.*?)\s*(?:\([^)]*\)\s*)?", re.IGNORECASE | re.DOTALL)
"""A remark in parentheses at the end does not count, as in every label."""


def read_contributions(
    deal: Deal, document: Document, schedule: Sequence[PaymentDate], before: dt.date
) -> tuple[tuple[PutIn, ...], tuple[str, ...]]:
    """What is put in on the payment dates of a run, and notes on what is left out.

    schedule  payment dates of the run
    before    the payment date before the run (closing where there was none): what was put in by then stands in the
              balances that the deal reports
    A contribution counts on the first payment date on or after its day. A label without an amount says nothing.
    Raises StructureError naming the label: unknown id, no date, a day after the last payment date, no amount.
    """
    found: list[PutIn] = []
    notes = []
    seen: set[tuple[str, dt.date]] = set()
    for label, said, value in _labelled(deal, document):
        name, day = _meaning(label, said, document)
        if (name, day) in seen:
            raise StructureError(f"“{label}” stands twice in CLO Inputs; write one line with the sum.")
        seen.add((name, day))
        amount = _amount(label, value)
        if day > schedule[-1].payment:
            last = schedule[-1].payment.isoformat()
            raise StructureError(
                f"“{label}” in CLO Inputs is after the last payment date {last}; choose a day by then."
            )
        if day <= before:
            notes.append(f"“{label}” was put in before this run: it counts in no date, nor in what is owed.")
        elif amount > 0.0:
            found.append((name, next(i for i, row in enumerate(schedule) if row.payment >= day), amount))
    return tuple(found), tuple(notes)


def by_date(contributed: Iterable[PutIn], n_dates: int) -> dict[str, NDArray[np.float64]]:
    """float64[n_dates] by contribution id: what is put in on each date."""
    made: dict[str, NDArray[np.float64]] = {}
    for name, row, amount in contributed:
        made.setdefault(name, np.zeros(n_dates))[row] += amount
    return made


def _labelled(deal: Deal, document: Document) -> Iterator[tuple[str, str, Value]]:
    """Labels of contributions, what stands in them after the first word, and their values."""
    inputs = {i.label.strip().casefold() for i in document.inputs}
    for label, value in deal.clo_inputs:
        matched = _LABEL.fullmatch(label.strip())
        if matched is not None and value is not None and label.strip().casefold() not in inputs:
            yield label.strip(), matched[1], value


def _meaning(label: str, said: str, document: Document) -> tuple[str, dt.date]:
    """Id and day of a label."""
    known = {c.id.casefold(): c.id for c in document.contributions}
    id_said, day_said = (*said.split(maxsplit=1), "", "")[:2]
    if id_said.casefold() not in known:
        if not known:
            raise StructureError(
                f"“{label}” in CLO Inputs: the waterfall {document.name} takes no contributions; take the line out, "
                "or name a waterfall that declares them."
            )
        raise StructureError(
            f"“{label}” in CLO Inputs: the waterfall {document.name} has no contribution {id_said!r}; "
            f"write {' or '.join(known.values())} and a date, such as “Contribution {next(iter(known.values()))} "
            "2026-01-15”."
        )
    name = known[id_said.casefold()]
    try:
        return name, dt.date.fromisoformat(day_said)
    except ValueError:
        raise StructureError(
            f"“{label}” in CLO Inputs ends with no date; write “Contribution {name} 2026-01-15” (year, month, day)."
        ) from None


def _amount(label: str, value: Value) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0.0:
        return float(value)
    raise StructureError(f"“{label}” in CLO Inputs has no amount of 0 or more beside it; write the amount put in.")
