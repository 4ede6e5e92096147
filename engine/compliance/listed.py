"""Assets that a deal lists by id for a test, where no column of the asset master says it.

The label of the deal's inputs ("Swapped Non-Discount Obligations") holds ids with semicolons between, or "none". A deal
without the label has not said: then the test is not evaluated, rather than passed with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Final

import numpy as np

from engine.compliance.parameters import text_of
from engine.pool import Flags, Pool, fold
from engine.terms import Deal, lookup

NONE: Final = "NONE"


def ids_of(deal: Deal, label: str) -> frozenset[str]:
    """The folded ids beside the label. Raises LookupError where the deal does not say."""
    for block in (deal.quality_inputs, deal.clo_inputs):
        value = lookup(block, label)
        if value is not None:
            parts = {fold(part) for part in re.split(r"[;,]", text_of(value))}
            return frozenset(parts - {"", NONE})
    raise LookupError(f"“{label}” among the deal's inputs: the ids with semicolons between, or none")


def listed(deal: Deal, label: str, pool: Pool, known: Set[str] = frozenset()) -> Flags:
    """bool[n]: the positions listed; what was sold in full is listed without effect.

    known  folded ids of the asset master. Raises LookupError where the deal does not say, or lists what neither the
    pool nor the master has.
    """
    ids = ids_of(deal, label)
    held = {fold(a.asset_id): i for i, a in enumerate(pool.assets)}
    strange = sorted(ids - held.keys() - known)
    if strange:
        named = ", ".join(strange[:5])
        raise LookupError(f"a correction of “{label}”: it lists {named}, which the asset master does not have")
    made = np.zeros(len(pool), dtype=np.bool_)
    made[[held[i] for i in ids & held.keys()]] = True
    return made
