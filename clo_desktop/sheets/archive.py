"""The parts of a zip archive, taken out with limits that hold whatever its headers say."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import ClassVar, Final

from clo_desktop.faults import Refused

MEGABYTE: Final = 1_000_000
MAX_UNPACKED: Final = 400 * MEGABYTE
MAX_RATIO: Final = 200  # unpacked : packed, of parts above one megabyte
MAX_PARTS: Final = 500

ZIP: Final = b"PK\x03\x04"
_CHUNK: Final = 1 << 16
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


class Archive:
    """The checked list of parts of an archive. What it is for says in words what is to be done about a bad one.

    code      of a refusal that says it is no such file
    Raises `Refused` where the archive is damaged, encrypted or would unpack to more than the limits.
    """

    code: ClassVar[str] = "no_archive"
    again: ClassVar[str] = "get it again"
    resave: ClassVar[str] = "write it again"
    unlock: ClassVar[str] = "write it without a password"
    fewer: ClassVar[str] = "write it again"
    known_packing: ClassVar[str] = "the application does not know"
    enough: ClassVar[str] = "is needed"
    plain: ClassVar[str] = "ask its sender for another one"

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
        return Refused(f"{self.name} is damaged or was cut short, it cannot be unpacked: {self.again}.", code="damaged")

    def refused(self, what: str, remedy: str, code: str = "") -> Refused:
        return Refused(f"{self.name} {what}: {remedy}.", code=code or self.code)

    def _check_part(self, folded: str) -> None:
        """Raises Refused for a part, its name folded, that such a file must not have."""

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_PARTS:
            raise self.refused(f"has more than {MAX_PARTS} parts", self.fewer, "too_large")
        total = 0
        seen: set[str] = set()
        for info in infos:
            part = info.filename
            folded = part.casefold()
            steps = part.replace("\\", "/").split("/")
            if folded in seen or part.startswith(("/", "\\")) or "\\" in part or ".." in steps or ":" in part:
                raise self.refused("has parts with unsafe or repeated names", self.resave, "damaged")
            seen.add(folded)
            if info.flag_bits & 1:
                raise self.refused("is encrypted", self.unlock)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refused(f"is packed in a way that {self.known_packing}", self.resave, "damaged")
            self._check_part(folded)
            total += info.file_size
            bomb = info.file_size > MEGABYTE and info.file_size > MAX_RATIO * max(info.compress_size, 1)
            if bomb or total > MAX_UNPACKED:
                raise self.refused(
                    f"would unpack to far more than {self.enough} ({total // MEGABYTE:,} MB or more)",
                    self.plain,
                    "too_large",
                )
        self._check_all(seen)

    def _check_all(self, seen: set[str]) -> None:
        """Raises Refused where parts are missing; `seen` their names, folded."""

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
        if fields[0] != ZIP or end > len(self.data):
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
