"""What the figures of a run rest on beside the assumptions, each with its hash or version. No Qt."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import llvmlite.binding

import engine
from clo_desktop import __version__
from clo_desktop.work.pack_file import as_json, digest
from clo_desktop.work.terms_plain import plain
from engine.assumptions import Assumptions
from engine.terms import Book

TITLES: Final = {
    "deal": "the deal's terms and positions",
    "assets": "the asset master",
    "reference": "the reference tables",
    "curve": "the curve",
    "waterfall": "the waterfall document",
    "assumed_terms": "the assumed terms",
    "scenario": "the scenario",
    "application": "the version of the application",
    "engine": "the engine",
    "python": "Python",
    "numpy": "numpy",
    "numba": "numba",
    "llvm": "LLVM",
    "scipy": "scipy",
    "processor": "the processor",
    "seed": "the seed",
}
"""Each ingredient in words."""


@cache
def machinery() -> dict[str, str]:
    """Versions of what computes, and a hash of the engine's own source (of a frozen application: its version)."""
    sources = sorted(Path(engine.__file__).parent.rglob("*.py"))
    body = b"".join(str(p.relative_to(Path(engine.__file__).parent)).encode() + p.read_bytes() for p in sources)
    return {
        "application": __version__,
        "engine": digest(body) if len(sources) > 1 else __version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
        "llvm": ".".join(map(str, llvmlite.binding.llvm_version_info)),
        "scipy": version("scipy"),
        "processor": f"{platform.machine()} {llvmlite.binding.get_host_cpu_name()}",
    }


def of_book(book: Book) -> dict[str, str]:
    """Hashes of a deal by part."""
    reference = plain(book.reference)
    curve = reference.pop("curve", [])
    parts = {
        "deal": plain(book.deal),
        "assets": plain({key: book.assets[key] for key in sorted(book.assets)}),
        "reference": reference,
        "curve": curve,
    }
    return {name: digest(as_json(data)) for name, data in parts.items()}


def of_assumptions(asked: Assumptions) -> str:
    """A hash of everything a scenario says."""
    return digest(as_json(plain(asked)))


def differences(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, ...]:
    """The ingredients in which two runs differ, in words, with both values where these are versions."""
    found = []
    for name in dict.fromkeys((*one, *other)):
        a, b = one.get(name), other.get(name)
        if a != b:
            hashes = any(isinstance(v, str) and len(v) == 64 for v in (a, b))
            found.append(TITLES.get(name, name) + ("" if hashes else f" ({a} there, {b} here)"))
    return tuple(found)
