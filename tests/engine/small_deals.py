"""Deals of one or two classes with the three fees of the worked cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.validation import harness
from engine.validation.kinds.liabilities import FEES
from engine.waterfall import Document


def small_document(classes: Sequence[str], interest: list[Any], principal: list[Any], **more: Any) -> Document:
    return harness.small_document(classes, FEES, interest, principal, **more)
