"""Compliance: tests held as data, evaluated over the column store of a pool."""

from engine.compliance.catalogue import Catalogue, Definition, read_catalogue
from engine.compliance.evaluate import Compliance, Outcome, TestResult, evaluate
from engine.compliance.readings import MARKET, WORKBOOK, Readings, readings_named

__all__ = [
    "MARKET",
    "WORKBOOK",
    "Catalogue",
    "Compliance",
    "Definition",
    "Outcome",
    "Readings",
    "TestResult",
    "evaluate",
    "read_catalogue",
    "readings_named",
]
