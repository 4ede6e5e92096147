"""The file of an .xlsx workbook: an archive that must be a plain workbook."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from clo_desktop.faults import Refused
from clo_desktop.sheets.archive import MEGABYTE, ZIP, Archive

MAX_FILE: Final = 50 * MEGABYTE

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_file(path: Path) -> bytes:
    """The bytes of the workbook at `path`; raises `Refused` where it cannot be read or is plainly no workbook."""
    try:
        size = path.stat().st_size if path.is_file() else None
        if size is not None and 0 < size <= MAX_FILE:
            data = path.read_bytes()
    except OSError as error:
        raise Refused(
            f"{path.name} cannot be read ({error.strerror or error}): check that you may open it.", code="unreadable"
        ) from error
    if size is None:
        raise Refused(f"{path.name} is not there or is no file: choose an .xlsx workbook.", code="absent")
    if size == 0:
        raise Refused(f"{path.name} is empty (0 bytes): export or download the workbook again.", code="no_workbook")
    if size > MAX_FILE:
        raise Refused(
            f"{path.name} is larger than {MAX_FILE // MEGABYTE} MB: keep only the deal's sheets and save it again.",
            code="too_large",
        )
    if data.startswith(_OLE):
        raise Refused(
            f"{path.name} is an old .xls file or protected with a password: "
            "save it in Excel as an .xlsx workbook without a password.",
            code="no_workbook",
        )
    if not data.startswith(ZIP):
        raise Refused(
            f"{path.name} is no Excel workbook (text, CSV or something else): save it in Excel as an .xlsx workbook.",
            code="no_workbook",
        )
    return data


class Package(Archive):
    """The checked list of parts of a workbook file.

    Raises `Refused` where the archive is damaged, encrypted, has macros or would unpack to more than the limits.
    """

    code: ClassVar[str] = "no_workbook"
    again: ClassVar[str] = "export or download it again"
    resave: ClassVar[str] = "save it again in Excel"
    unlock: ClassVar[str] = "save it in Excel without a password"
    fewer: ClassVar[str] = "keep only the sheets of the deal and save it again"
    known_packing: ClassVar[str] = "Excel does not use"
    enough: ClassVar[str] = "a workbook needs"
    plain: ClassVar[str] = "ask its sender for a plain .xlsx workbook"

    def _check_part(self, folded: str) -> None:
        if folded.endswith("vbaproject.bin"):
            raise self.refused("has macros", "save it in Excel as an .xlsx workbook, which has none", "macros")

    def _check_all(self, seen: set[str]) -> None:
        if "xl/workbook.bin" in seen:
            raise self.refused("is a binary workbook (.xlsb)", "save it in Excel as an .xlsx workbook")
        if "[content_types].xml" not in seen or "xl/workbook.xml" not in seen:
            raise self.refused("is an archive but no Excel workbook", "choose an .xlsx workbook")
