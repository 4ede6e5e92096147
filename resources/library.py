"""The shipped data, read once and checked: test catalogue, waterfall documents, assumed terms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml

import resources
from engine.compliance import Catalogue, read_catalogue, read_tables
from engine.compliance.inbox import Doubt, read_doubts
from engine.waterfall import Document, read_document

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Plain data only; the C parser, where it is there, is ten times faster."""


def _read(name: str) -> Any:
    return yaml.load(resources.path(name).read_bytes(), Loader=_LOADER)


@cache
def catalogue() -> Catalogue:
    """The catalogue of compliance tests, with the agencies' tables."""
    tables = read_tables(_read(f"reference/{agency}_tables.yaml") for agency in ("moodys", "sp", "fitch"))
    return read_catalogue(_read("compliance/catalogue.yaml"), tables)


@cache
def doubts() -> tuple[Doubt, ...]:
    """Fields of an asset that contradict each other."""
    return read_doubts(_read("compliance/doubts.yaml"))


@cache
def waterfalls() -> Mapping[str, Document]:
    """Every priority of payments that ships, by name."""
    documents = (read_document(_read(f"waterfalls/{p.name}")) for p in sorted(resources.path("waterfalls").iterdir()))
    return {d.name: d for d in documents}


@cache
def assumed_terms() -> Mapping[str, Any]:
    """Market-typical terms for what a deal's workbook leaves blank."""
    terms: Mapping[str, Any] = _read("assumed_terms.yaml")
    return terms
