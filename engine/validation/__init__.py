"""Model validation: worked cases run against the installed engine, and a report of every figure.

Reads no files and prints nothing; the command line does (`clo validate`).
"""

from engine.validation.cases import Case, CaseError, files_named, read_cases
from engine.validation.compare import Answer, Departure, Row
from engine.validation.registry import KINDS, kind, kind_of
from engine.validation.run import FAILED, LEGACY, NOT_COVERED, OUTCOMES, PASSED, CaseResult, Report, validate

__all__ = [
    "FAILED",
    "KINDS",
    "LEGACY",
    "NOT_COVERED",
    "OUTCOMES",
    "PASSED",
    "Answer",
    "Case",
    "CaseError",
    "CaseResult",
    "Departure",
    "Report",
    "Row",
    "files_named",
    "kind",
    "kind_of",
    "read_cases",
    "validate",
]
