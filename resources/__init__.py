"""Data that ships with the application: demo deal, waterfall templates, test catalogue, reference tables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """A file of the resources folder, e.g. ``path("compliance/catalogue.yaml")``; the same in a frozen application."""
    return FOLDER / name
