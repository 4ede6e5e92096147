"""What dated cash flows are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np


def xirr(days: Sequence[dt.date], amounts: Sequence[float]) -> float | None:
    """Annual rate at which dated flows are worth nothing, actual/365 (the spreadsheet's XIRR).

    None where there is no sign change, or no root between -99.99 % and 10,000 %.
    """
    from scipy.optimize import brentq  # a third of a second to import; only asked for on a result

    flows = np.asarray(amounts, dtype=np.float64)
    if flows.size == 0 or not (flows.min() < 0.0 < flows.max()):
        return None
    years = np.array([(d - days[0]).days / 365.0 for d in days])

    def value(rate: float) -> float:
        return float((flows * (1.0 + rate) ** -years).sum())

    low, high = -0.9999, 100.0
    if value(low) * value(high) > 0:
        return None
    return float(brentq(value, low, high, xtol=1e-13, rtol=1e-14, maxiter=300))
