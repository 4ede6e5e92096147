"""Small deals for the reference of a deal's run, by serials: as the harness of the worked cases makes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.deal_inputs import DealInputs, Strategy
from engine.validation import harness
from engine.waterfall.document import Document

Floats = NDArray[np.float64]
FEES = {"trustee": "Trustee Fee", "admin": "Admin Fee", "base": "Base Manager Fee", "junior": "Junior Manager Fee"}


def plain_inputs(document: Document, class_ids: Sequence[str], days: Sequence[int], **changes: Any) -> DealInputs:
    """As `harness.deal_inputs` for the payment dates `days`, with a hurdle of 12% and something to buy, if it buys."""
    before = changes.pop("before", days[0] - 90)
    once_a_quarter = Strategy(1.0, np.zeros(len(days)), np.diff([before, *days]) / 360.0, 4)
    usual = {"hurdle": 0.12, "strategies": (once_a_quarter,), "inputs": {}}
    payments = [dates.from_serial(day) for day in days]
    return harness.deal_inputs(document, class_ids, payments, dates.from_serial(before), **(usual | changes))


def pool_flows(n_dates: int, *rows: Mapping[int, float]) -> Floats:
    """float64[n_dates, N_FLOWS]: a mapping of flow column to amount for each date, nothing on the others."""
    return harness.given_flows([*rows, *({} for _ in range(n_dates - len(rows)))])


def serial(text: str) -> int:
    return dates.serial(dt.date.fromisoformat(text))


def small_document(classes: Sequence[str], interest: list[Any], principal: list[Any], **more: Any) -> Document:
    return harness.small_document(classes, FEES, interest, principal, **more)
