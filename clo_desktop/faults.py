"""What can be wrong with input, said so that a person can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # stops the import; nothing is written
    WARNING = "warning"  # imported, but look at it


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad cell. `message` is one sentence that says what is wrong and what to do.

    asset_id  the asset of the cell's row, where there is one: reports jump to it
    """

    severity: Severity
    sheet: str
    cell: str
    column: str
    value: str
    message: str
    asset_id: str = ""

    @property
    def words(self) -> str:
        """Where it is and what: `trades.csv, row 4, side: write buy or sell.`"""
        return f"{', '.join(filter(None, (self.sheet, self.cell, self.column)))}: {self.message}"

    def as_json(self) -> dict[str, str]:
        return {k: str(v) for k, v in asdict(self).items() if k != "asset_id"}


class Refused(Exception):
    """The request cannot be carried out. The text is one sentence for the user, with the remedy.

    `faults` are the bad cells behind it, where there are any.
    """

    def __init__(self, message: str, faults: Iterable[Fault] = (), *, code: str = "refused") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.faults: tuple[Fault, ...] = tuple(faults)


class Cancelled(Exception):
    """The user cancelled; nothing was changed."""
