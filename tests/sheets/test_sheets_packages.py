"""What is no workbook, or a hostile one, is refused with one sentence and at once."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.sheets.package import MAX_FILE
from clo_desktop.sheets.read import read_book
from tests.sheets.sheets_samples import DEAL, book, repacked, written

SHEET1 = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    """No refusal may take longer than a few seconds, whatever the machine does besides."""
    begin = time.perf_counter()
    yield
    assert time.perf_counter() - begin < 8


def refusal(path: Path) -> str:
    with pytest.raises(Refused) as caught:
        read_book(path, DEAL)
    message = caught.value.message
    assert message.endswith(".")
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello", "no Excel workbook"),
        (b"a,b,c\n1,2,3\n", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
    ],
)
def test_that_other_files_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    assert said in refusal(path)


def test_that_an_absent_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "is not there" in refusal(tmp_path / "none.xlsx")
    assert "is no file" in refusal(tmp_path)


def test_that_a_truncated_workbook_is_refused(good: Path) -> None:
    whole = good.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        good.write_bytes(whole[: int(len(whole) * share)])
        assert "damaged" in refusal(good)


def test_that_a_file_above_the_limit_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.xlsx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    assert "larger than 50 MB" in refusal(path)


def test_that_an_archive_without_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "no Excel workbook" in refusal(path)


def test_that_a_zip_bomb_is_refused(good: Path, tmp_path: Path) -> None:
    path = repacked(good, tmp_path / "bomb.xlsx", {"xl/media/image1.bin": bytes(60_000_000)})
    assert "unpack to far more" in refusal(path)


def test_that_a_part_longer_than_its_header_says_is_refused(good: Path, tmp_path: Path) -> None:
    """Readers that trust the stream would unpack all of it; zipfile alone reads the first bytes and is content."""
    real = HEAD + b"<row/>" * 500_000 + TAIL
    path = repacked(good, tmp_path / "liar.xlsx", {SHEET1: real})
    data = bytearray(path.read_bytes())
    claimed = struct.pack("<L", 200)
    checksum = struct.pack("<L", zlib.crc32(real[:200]))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(SHEET1)
    name = SHEET1.encode()
    data[info.header_offset + 14 : info.header_offset + 18] = checksum
    data[info.header_offset + 22 : info.header_offset + 26] = claimed
    entry = data.rfind(name) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 16 : entry + 20] = checksum
    data[entry + 24 : entry + 28] = claimed
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.read(SHEET1)) == 200
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    "part", [SHEET1, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "docProps/core.xml"]
)
def test_that_a_document_type_declaration_is_refused(good: Path, tmp_path: Path, part: str) -> None:
    with zipfile.ZipFile(good) as archive:
        content = archive.read(part)
    start = content.index(b"?>") + 2 if content.startswith(b"<?xml") else 0
    path = repacked(good, tmp_path / "dtd.xlsx", {part: content[:start] + BOMB + content[start:]})
    assert "document type declaration" in refusal(path)


def test_that_an_utf_16_part_is_refused(good: Path, tmp_path: Path) -> None:
    text = (HEAD + TAIL).decode().replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-16"?>')
    for content in (text.encode("utf-16"), text.encode("utf-16-le"), text.encode("ascii")):
        path = repacked(good, tmp_path / "utf16.xlsx", {SHEET1: content})
        assert "not encoded in UTF-8" in refusal(path)


def test_that_macros_are_refused_with_advice(good: Path, tmp_path: Path) -> None:
    path = repacked(good, tmp_path / "macro.xlsx", {"xl/vbaProject.bin": b"x"})
    assert "has macros: save it in Excel as an .xlsx workbook" in refusal(path)


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/x.xml", "xl\\evil.xml", "xl/../../x.xml", "XL/WORKBOOK.XML"])
def test_that_unsafe_names_of_parts_are_refused(good: Path, tmp_path: Path, name: str) -> None:
    path = repacked(good, tmp_path / "names.xlsx", {name: b"<a/>"})
    assert "unsafe or repeated names" in refusal(path)


def test_that_too_many_parts_are_refused(good: Path, tmp_path: Path) -> None:
    path = repacked(good, tmp_path / "parts.xlsx", {f"xl/media/{i}.png": b"x" for i in range(501)})
    assert "more than 500 parts" in refusal(path)


def test_that_a_million_blank_rows_are_refused(good: Path, tmp_path: Path) -> None:
    # styles differ from row to row, so that the sheet is no zip bomb
    rows = b"".join(b'<row r="%d"><c r="A%d" s="%d"/></row>' % (i, i, i * 7919 % 1000) for i in range(1, 1_048_577, 7))
    path = repacked(good, tmp_path / "blank.xlsx", {SHEET1: HEAD + rows + TAIL})
    assert "blank rows" in refusal(path)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>', "200,000 rows"),
        (b'<row r="1000000000"><c r="A1000000000"><v>1</v></c></row>', "rows"),
        (b'<row r="1"><c r="XFD1"><v>1</v></c></row>', "300 columns"),
        (b'<row r="5000"><c r="A5000"><v>1</v></c></row>', "blank rows"),
        (b'<row r="1"><c r="A150000"><v>1</v></c></row>', "wrong address"),
        (b'<row r="1"><c r="A0"><v>1</v></c></row>', "wrong address"),
        (b'<row r="1"><c r="ABCD1"><v>1</v></c></row>', "wrong address"),
        (b'<row r="-1"><c><v>1</v></c></row>', "proper number"),
        (b'<row r="1"><c r="XFD1" t="inlineStr"><is/></c></row>', "300 columns"),
        (b'<row r="1"><c r="XFD1" t="str"><v></v></c></row>', "300 columns"),
    ],
)
def test_that_a_far_cell_is_refused(good: Path, tmp_path: Path, cells: bytes, said: str) -> None:
    assert said in refusal(repacked(good, tmp_path / "far.xlsx", {SHEET1: HEAD + cells + TAIL}))


def test_that_a_claimed_dimension_and_empty_far_cells_reserve_nothing(good: Path, tmp_path: Path) -> None:
    far = HEAD.replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    cells = b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="1"/></row>'
    reading = read_book(repacked(good, tmp_path / "far.xlsx", {SHEET1: far + cells + TAIL}), DEAL)
    assert reading.book is None


def test_that_too_many_rows_are_refused_at_the_limit(good: Path, tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (i, i, i * 7919) for i in range(1, 200_102))
    assert "200,000 rows" in refusal(repacked(good, tmp_path / "rows.xlsx", {SHEET1: HEAD + rows + TAIL}))


def test_that_broken_xml_is_refused(good: Path, tmp_path: Path) -> None:
    for part in (SHEET1, "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        assert "damaged" in refusal(repacked(good, tmp_path / "broken.xlsx", {part: b"<a><b></a>"}))
    assert "damaged" in refusal(repacked(good, tmp_path / "bare.xlsx", {"xl/_rels/workbook.xml.rels": None}))


MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def prefixed(content: bytes) -> bytes:
    """The part with every element name prefixed, as some writers do: <x:row>."""
    if MAIN not in content:
        return content
    content = content.replace(b'xmlns="' + MAIN + b'"', b'xmlns:x="' + MAIN + b'"')
    return re.sub(rb"<(/?)(?=[A-Za-z])(?![a-z]+:)", rb"<\1x:", content)


def strict(content: bytes) -> bytes:
    """The part in the strict form of the standard ("Strict Open XML Spreadsheet" of Excel): other namespaces."""
    content = content.replace(MAIN, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
    return content.replace(RELATIONS, b"http://purl.oclc.org/ooxml/officeDocument/relationships")


def iso_dates(content: bytes) -> bytes:
    """The sheet with its maturities written as the strict form writes dates."""
    return re.sub(
        rb'<c r="(H\d+)"([^>]*?) t="n"><v>(\d+)</v></c>',
        lambda m: (
            b'<c r="%s"%s t="d"><v>%s</v></c>'
            % (m[1], m[2], str(dt.date(1899, 12, 30) + dt.timedelta(int(m[3]))).encode())
        ),
        content,
    )


def test_that_prefixed_names_and_the_strict_form_are_read_like_any_other(good: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    dated = {**parts, SHEET1: iso_dates(parts[SHEET1])}
    assert b't="d"' in dated[SHEET1]
    for source, form in ((parts, prefixed), (parts, strict), (dated, strict), (dated, lambda c: prefixed(strict(c)))):
        changed = {name: form(content) for name, content in source.items()}
        assert changed[SHEET1] != parts[SHEET1]
        reading = read_book(repacked(good, tmp_path / "form.xlsx", {**changed}), DEAL)
        assert reading.faults == ()
        assert reading.book == book()


def test_that_limits_hold_for_prefixed_names_too(good: Path, tmp_path: Path) -> None:
    far = prefixed(HEAD + b'<row r="1"><c r="XFD1"><v>1</v></c></row>' + TAIL)
    assert "300 columns" in refusal(repacked(good, tmp_path / "far.xlsx", {SHEET1: far}))


def test_that_randomly_changed_workbooks_are_read_or_refused_and_never_break_the_program(good: Path) -> None:
    whole = good.read_bytes()
    draw = random.Random(17)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 8)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        good.write_bytes(data)
        with contextlib.suppress(Refused):
            read_book(good, DEAL)


def test_that_randomly_changed_parts_are_read_or_refused(good: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    draw = random.Random(4)
    for _ in range(100):
        name = draw.choice([*parts, SHEET1, "xl/worksheets/sheet2.xml", "xl/workbook.xml"])
        content = bytearray(parts[name])
        for _ in range(draw.randint(1, 5)):
            content[draw.randrange(len(content))] = draw.choice(b'<>/"=&;0123456789ABCabc \x00\xff')
        path = repacked(good, tmp_path / "changed.xlsx", {name: bytes(content)})
        with contextlib.suppress(Refused):
            read_book(path, DEAL)
