"""Nine thousand workbooks with damage of many kinds: each is read or refused with a sentence, and soon."""

from __future__ import annotations

import random
import time
import zipfile
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.sheets.read import read_book
from tests.sheets.sheets_samples import DEAL, book, repacked, written

SEEDS = (3, 17, 2026)
EACH = 3_000
SLOWEST = 1.0  # seconds of the process for one workbook

_SIGNS = b"<>/\"'=&;:!?-0123456789ABCXYZabcxyz \x00\xff"
_PIECES = (
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&amp;",
    b"1e400",
    b"-1",
    b"NaN",
    b"=1+1",
    b't="e"',
    b"99999999999",
    b"<row>",
    b"</worksheet>",
    b"\xef\xbb\xbf",
)


def mutated(draw: random.Random, good: Path, parts: dict[str, bytes], place: Path) -> None:
    """Writes one damaged workbook: its bytes changed, cut or doubled, or one of its parts."""
    kind = draw.randrange(6)
    whole = bytearray(good.read_bytes())
    if kind == 0:
        for _ in range(draw.randint(1, 12)):
            whole[draw.randrange(len(whole))] = draw.randrange(256)
    elif kind == 1:
        del whole[draw.randrange(len(whole)) :]
    elif kind == 2:
        at = draw.randrange(len(whole))
        whole[at:at] = whole[at : at + draw.randint(1, 400)]
    else:
        name = draw.choice(sorted(parts))
        content = bytearray(parts[name])
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(len(content))
            if kind == 3:
                content[at] = draw.choice(_SIGNS)
            elif kind == 4:
                content[at:at] = draw.choice(_PIECES)
            else:
                del content[at : at + draw.randint(1, 40)]
                content = content or bytearray(b" ")
        repacked(good, place, {name: bytes(content)})
        return
    place.write_bytes(whole)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_that_thousands_of_damaged_workbooks_are_read_or_refused_soon(tmp_path: Path, seed: int) -> None:
    good = written(tmp_path, content=book(3))
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    draw = random.Random(seed)
    read = refused = 0
    slowest, untyped = 0.0, []
    place = tmp_path / "damaged.xlsx"
    for number in range(EACH):
        mutated(draw, good, parts, place)
        began = time.process_time()
        try:
            read_book(place, DEAL)
            read += 1
        except Refused as reason:
            refused += bool(reason.message)
        except Exception as error:
            untyped.append(f"{number}: {error!r}")
        slowest = max(slowest, time.process_time() - began)
    print(f"seed {seed}: {read} read, {refused} refused, slowest {slowest:.2f} s")
    assert untyped == []
    assert read + refused == EACH
    assert min(read, refused) > 100  # both happen
    assert slowest < SLOWEST
