"""Where compiled kernels are kept between starts.

numba's own locators go wrong for us in two ways: a kernel is not recompiled when a kernel it inlines from another file
changed, and in a frozen application the stock folders depend on the current directory. This locator keeps one folder
for all kernels of the engine, stamped with the content of every kernel source (frozen: with the application's build).
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import _CacheLocator

from clo_desktop.paths import numba_cache


@cache
def stamp() -> str:
    """Hash of everything the kernels are compiled from."""
    import engine

    digest = hashlib.sha256()
    if getattr(sys, "frozen", False):
        executable = Path(sys.executable)
        found = executable.stat()
        digest.update(f"{executable.name} {found.st_size} {found.st_mtime_ns}".encode())
        return digest.hexdigest()
    for path in sorted(Path(engine.__file__).parent.rglob("*.py")):
        source = path.read_bytes()
        if b"@kernel" in source or path.name == "jit.py":
            digest.update(path.name.encode() + source)
    return digest.hexdigest()


class KernelCacheLocator(_CacheLocator):
    """numba's interface to the folder of :func:`clo_desktop.paths.numba_cache`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._folder = numba_cache()
        self._name = f"{function.__module__}-{function.__code__.co_firstlineno}"

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return stamp()

    def get_disambiguator(self) -> str:
        return self._name

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], _py_file: str) -> KernelCacheLocator | None:
        """The locator of an engine kernel; None for other functions. Where the folder cannot be written, a temporary
        one serves for this start."""
        if not py_func.__module__.startswith("engine."):
            return None
        locator = cls(py_func)
        try:
            locator.ensure_cache_path()  # type: ignore[no-untyped-call]  # numba has no types
        except OSError:
            locator._folder = _temporary_folder()
        return locator


@cache
def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="clo-desktop-kernels-"))
