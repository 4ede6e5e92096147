"""Compliance: tests held as data, evaluated over the column store of a pool."""

from engine.compliance.catalogue import Catalogue, Definition, read_catalogue
from engine.compliance.evaluate import evaluate, judged, plan_of
from engine.compliance.plan import Plan, Reckoned
from engine.compliance.readings import MARKET, WORKBOOK, Readings, readings_named
from engine.compliance.results import Compliance, TestResult
from engine.compliance.standing import Outcome, Standing, stand
from engine.compliance.tables import Table, read_tables

__all__ = [
    "MARKET",
    "WORKBOOK",
    "Catalogue",
    "Compliance",
    "Definition",
    "Outcome",
    "Plan",
    "Readings",
    "Reckoned",
    "Standing",
    "Table",
    "TestResult",
    "evaluate",
    "judged",
    "plan_of",
    "read_catalogue",
    "read_tables",
    "readings_named",
    "stand",
]
