"""The parts of an .xlsx file, taken out of the zip archive with limits that hold whatever its headers say."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused

MEGABYTE: Final = 1_000_000
MAX_FILE: Final = 50 * MEGABYTE
MAX_UNPACKED: Final = 400 * MEGABYTE
MAX_RATIO: Final = 200  # unpacked : packed, of parts above one megabyte
MAX_PARTS: Final = 500

_CHUNK: Final = 1 << 16
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    NotImplementedError,
    EOFError,
    OSError,
    OverflowError,
    LookupError,
)
"""What the zip readers raise on a damaged archive."""


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
    if not data.startswith(_ZIP):
        raise Refused(
            f"{path.name} is no Excel workbook (text, CSV or something else): save it in Excel as an .xlsx workbook.",
            code="no_workbook",
        )
    return data


class Package:
    """The checked list of parts of a workbook file.

    Raises `Refused` where the archive is damaged, encrypted, has macros or would unpack to more than the limits.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                infos = [i for i in archive.infolist() if not i.is_dir()]
        except _DAMAGED as error:
            raise self.damaged() from error
        self._check(infos)
        self._parts = {i.filename: i for i in infos}

    def damaged(self) -> Refused:
        return Refused(
            f"{self.name} is damaged or was cut short, it cannot be unpacked: export or download it again.",
            code="damaged",
        )

    def refused(self, what: str, remedy: str, code: str = "no_workbook") -> Refused:
        return Refused(f"{self.name} {what}: {remedy}.", code=code)

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_PARTS:
            raise self.refused(
                f"has more than {MAX_PARTS} parts", "keep only the sheets of the deal and save it again", "too_large"
            )
        total = 0
        seen: set[str] = set()
        for info in infos:
            part = info.filename
            folded = part.casefold()
            steps = part.replace("\\", "/").split("/")
            if folded in seen or part.startswith(("/", "\\")) or "\\" in part or ".." in steps or ":" in part:
                raise self.refused("has parts with unsafe or repeated names", "save it again in Excel", "damaged")
            seen.add(folded)
            if info.flag_bits & 1:
                raise self.refused("is encrypted", "save it in Excel without a password")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refused("is packed in a way that Excel does not use", "save it again in Excel", "damaged")
            if folded.endswith("vbaproject.bin"):
                raise self.refused("has macros", "save it in Excel as an .xlsx workbook, which has none", "macros")
            total += info.file_size
            bomb = info.file_size > MEGABYTE and info.file_size > MAX_RATIO * max(info.compress_size, 1)
            if bomb or total > MAX_UNPACKED:
                raise self.refused(
                    f"would unpack to far more than a workbook needs ({total // MEGABYTE:,} MB or more)",
                    "ask its sender for a plain .xlsx workbook",
                    "too_large",
                )
        if "xl/workbook.bin" in seen:
            raise self.refused("is a binary workbook (.xlsb)", "save it in Excel as an .xlsx workbook")
        if "[content_types].xml" not in seen or "xl/workbook.xml" not in seen:
            raise self.refused("is an archive but no Excel workbook", "choose an .xlsx workbook")

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self._parts)

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    def size(self, part: str) -> int:
        """The unpacked size of a part in bytes, as its header says (and `chunks` enforces)."""
        return self._parts[part].file_size

    def chunks(self, part: str) -> Iterator[bytes]:
        """The unpacked bytes of a part, piece by piece.

        The stream is unpacked here and not by zipfile: zipfile stops at the size the header claims, other readers do
        not, so a lying header would pass. A stream that is longer or shorter than its header says is refused.
        """
        info = self._parts[part]
        try:
            fields = _LOCAL_HEADER.unpack_from(self.data, info.header_offset)
        except struct.error as error:
            raise self.damaged() from error
        start = info.header_offset + _LOCAL_HEADER.size + fields[9] + fields[10]
        end = start + info.compress_size
        if fields[0] != _ZIP or end > len(self.data):
            raise self.damaged()
        size = checksum = 0
        for piece in self._unpacked(start, end, info.compress_type):
            size += len(piece)
            if size > info.file_size:
                raise self.damaged()
            checksum = zlib.crc32(piece, checksum)
            yield piece
        if size != info.file_size or checksum != info.CRC:
            raise self.damaged()

    def _unpacked(self, start: int, end: int, method: int) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-15)
        try:
            for at in range(start, end, _CHUNK):
                piece = self.data[at : min(at + _CHUNK, end)]
                if method == zipfile.ZIP_STORED:
                    yield piece
                    continue
                while piece:
                    yield unpacker.decompress(piece, 1 << 20)
                    piece = unpacker.unconsumed_tail
            if method == zipfile.ZIP_DEFLATED:
                yield unpacker.flush()
                if not unpacker.eof:
                    raise self.damaged()
        except zlib.error as error:
            raise self.damaged() from error

    def read(self, part: str) -> bytes:
        return b"".join(self.chunks(part))
