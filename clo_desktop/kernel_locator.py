"""Where compiled kernels are kept between starts.

numba's own locators go wrong for us in two ways: a kernel is not recompiled when a kernel it inlines from another file
changed, and in a frozen application the stock folders depend on the current directory. This locator keeps one folder
for all kernels of the engine, stamped with the content of every kernel source and of what it
imports (frozen: with the application's build).
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

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
    for name, source in sorted(kernel_sources(Path(engine.__file__).parent).items()):
        digest.update(name.encode() + source)
    return digest.hexdigest()


def kernel_sources(engine: Path) -> dict[str, bytes]:
    """Content by name of the files that hold kernels, and of what they import: constants are compiled in."""
    sources = {
        ".".join(path.relative_to(engine.parent).with_suffix("").parts): path.read_bytes()
        for path in engine.rglob("*.py")
    }
    found: dict[str, bytes] = {}
    waiting = [name for name, source in sources.items() if b"@kernel" in source or name == "engine.jit"]
    while waiting:
        name = waiting.pop()
        if name in found or name not in sources:
            continue
        found[name] = sources[name]
        for module, several, one_line in _IMPORTS.findall(sources[name].decode("utf-8")):
            names = (several or one_line).split(",")
            waiting += [module, *(f"{module}.{each.split()[0]}" for each in names if each.strip())]
    return found


_IMPORTS: Final = re.compile(r"^from (engine[\w.]*) import (?:\(([^)]*)\)|([^\n(]+))", re.MULTILINE)


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
