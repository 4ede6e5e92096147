"""Compiled kernels are kept between starts: tells numba, before it is imported, to use our locator."""

from __future__ import annotations

import os
from typing import Final

VARIABLE: Final = "NUMBA_CACHE_LOCATOR_CLASSES"
_CLASSES: Final = "clo_desktop.kernel_locator.KernelCacheLocator,InTreeCacheLocator,UserWideCacheLocator"
"""Ours, and numba's own for functions that are not ours."""


def install() -> None:
    """To be called before numba is imported. A user's own setting is kept."""
    os.environ.setdefault(VARIABLE, _CLASSES)
