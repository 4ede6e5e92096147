"""How every kernel is compiled."""

from __future__ import annotations

from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")
"""Cached on disk, without Python's lock, divisions by zero as IEEE has them; strict floating point (no fastmath)."""
