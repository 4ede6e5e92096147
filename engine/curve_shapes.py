"""How a curve runs between its nodes: daily zero rates of the interpolations other than linear in the zero rate."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Interpolation(StrEnum):
    """LINEAR_ZERO is what the worked cases rest on; LOG_LINEAR has forwards flat between nodes; MONOTONE_CONVEX is
    Hagan and West's, whose forwards stay positive where the nodes allow it and rise or fall with them."""

    LINEAR_ZERO = "linear zero"
    LOG_LINEAR = "log-linear discount"
    MONOTONE_CONVEX = "monotone convex"


def daily_zeros(days: Ints, zeros: Floats, frequency: float, shape: Interpolation) -> Floats:
    """float64[last node]: zero rates on days 1 to the last node.

    days       int64[n]    of the nodes, rising, the first after day 0
    zeros      float64[n]  compounded `frequency` times a year (0: continuously), actual/365
    """
    on = np.arange(1, int(days[-1]) + 1, dtype=np.float64)
    nodes = np.concatenate([[0.0], days.astype(np.float64)])
    continuous = frequency * np.log1p(zeros / frequency) if frequency > 0.0 else zeros
    total = np.concatenate([[0.0], continuous * days])  # -log of the discount factor, times 365
    if shape is Interpolation.MONOTONE_CONVEX:
        grown = _monotone_convex(nodes, total, on)
    else:
        grown = np.interp(on, nodes, total)
    rate = grown / on
    if frequency > 0.0:
        return np.asarray(frequency * np.expm1(rate / frequency))
    return np.asarray(rate)


def _monotone_convex(nodes: Floats, total: Floats, on: Floats) -> Floats:
    """The integral of the forward from 0 to each day, by Hagan and West (2006).

    nodes, total  float64[n+1]  days of the nodes and the integral there, from (0, 0) on
    """
    width = np.diff(nodes)
    flat = np.diff(total) / width  # the discrete forward of each interval
    n = flat.size
    forward = np.empty(n + 1)
    if n > 1:
        forward[1:-1] = (width[:-1] * flat[1:] + width[1:] * flat[:-1]) / (width[:-1] + width[1:])
        forward[0] = flat[0] - 0.5 * (forward[1] - flat[0])
        forward[-1] = flat[-1] - 0.5 * (forward[-2] - flat[-1])
        if (flat >= 0.0).all():  # forwards between nought and twice the lower neighbour stay positive throughout
            forward[0] = np.clip(forward[0], 0.0, 2.0 * flat[0])
            forward[1:-1] = np.clip(forward[1:-1], 0.0, 2.0 * np.minimum(flat[:-1], flat[1:]))
            forward[-1] = np.clip(forward[-1], 0.0, 2.0 * flat[-1])
    else:
        forward[:] = flat[0]
    place = np.clip(np.searchsorted(nodes, on, side="left") - 1, 0, n - 1)
    made = np.empty(on.size)
    for i in range(n):
        mine = place == i
        x = (on[mine] - nodes[i]) / width[i]
        bend = _bend(x, float(forward[i] - flat[i]), float(forward[i + 1] - flat[i]))
        made[mine] = total[i] + width[i] * (flat[i] * x + bend)
    return made


def _bend(x: Floats, g0: float, g1: float) -> Floats:
    """The integral from 0 to x of what the forward is beside the discrete one: g0 at 0, g1 at 1, nothing in all."""
    if g0 == 0.0 and g1 == 0.0:
        return np.zeros_like(x)
    opposite = g0 != 0.0 and g1 != 0.0 and (g0 < 0.0) != (g1 < 0.0)
    if opposite and 0.5 * abs(g0) <= abs(g1) <= 2.0 * abs(g0):
        return np.asarray(g0 * (x - 2.0 * x**2 + x**3) + g1 * (x**3 - x**2))
    if opposite and abs(g1) > 2.0 * abs(g0):
        eta = (g1 + 2.0 * g0) / (g1 - g0)
        return np.asarray(g0 * x + (g1 - g0) * _late(x, eta))
    if opposite:
        eta = 3.0 * g1 / (g1 - g0)
        return np.asarray(g1 * x + (g0 - g1) * _early(x, eta))
    eta = g1 / (g1 + g0)
    base = -g0 * eta
    return np.asarray(base * x + (g0 - base) * _early(x, eta) + (g1 - base) * _late(x, eta))


def _early(x: Floats, eta: float) -> Floats:
    """The integral from 0 to x of ((eta - x)/eta)^2, nought after eta."""
    if eta <= 0.0:
        return np.zeros_like(x)
    rest = np.maximum(eta - x, 0.0)
    return np.asarray((eta - rest * (rest / eta) ** 2) / 3.0)


def _late(x: Floats, eta: float) -> Floats:
    """The integral from 0 to x of ((x - eta)/(1 - eta))^2, nought before eta."""
    if eta >= 1.0:
        return np.zeros_like(x)
    past = np.maximum(x - eta, 0.0)
    return np.asarray(past * (past / (1.0 - eta)) ** 2 / 3.0)
