"""Lists of trades as CSV: side, asset_id, par, price, settlement; further columns describe assets that are new."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Fault, Refused, Severity
from clo_desktop.figures import counted
from clo_desktop.sheets import parse
from clo_desktop.sheets.assets import HEADERS, parse_cell
from clo_desktop.sheets.grid import same
from engine.asset import COLUMN_BY_NAME, COLUMNS, Asset, Column
from engine.pool import fold
from engine.trades import Problem, Side, Trade, side_of

CODE: Final = "trades"
_LARGEST: Final = 5_000_000  # bytes
_MOST: Final = 10_000  # rows
_TOLD: Final = 8  # further faults of which the sentence says the place

_OWN: Final = {
    **dict.fromkeys(("side", "buy/sell", "buy or sell", "direction"), "side"),
    **dict.fromkeys(("asset_id", "asset", "id"), "asset_id"),
    **dict.fromkeys(("par", "amount", "size"), "par"),
    **dict.fromkeys(("price", "trade price"), "price"),
    **dict.fromkeys(("settlement", "settle", "settlement date", "settles"), "settlement"),
}
OWN_COLUMNS: Final = tuple(dict.fromkeys(_OWN.values()))
"""The columns of a trade, in the order that faults of a row are told in."""

_NEEDED: Final = ("side", "asset_id", "par")
_FREE: Final = parse.Number(-1e15, 1e15, money=True, unit="an amount is at most 1,000,000,000,000")
_PRICE: Final = parse.Number(-1e9, 1e9, percent=False, money=True)


@dataclass(frozen=True, slots=True)
class TradeFile:
    """The trades of a file in their order, and the assets that it describes and the master does not have.

    problems  what could not be read
    unread    of such rows the columns in question; their trades have something else in its place
    """

    trades: tuple[Trade, ...]
    assets: tuple[Asset, ...]
    problems: tuple[Problem, ...] = ()
    unread: Mapping[int, frozenset[str]] = field(default_factory=dict)


def read_trades(path: Path, known: Mapping[str, Asset]) -> TradeFile:
    """The trades of a CSV file. known: the asset master by folded id.

    Raises Refused that names the file, the row (as a text editor counts lines) and the remedy; its faults name every
    row. What the holdings say against a trade, the trades themselves tell (`refusal`).
    """
    found = look_through(path, known)
    if found.problems:
        raise refusal(path.name, found.problems)
    return found


def look_through(path: Path, known: Mapping[str, Asset]) -> TradeFile:
    """As `read_trades`, with what could not be read as problems. Raises Refused where there are no trades at all."""
    rows = _rows(path)
    problems: list[Problem] = []
    columns = _columns(rows[0], problems)
    if any(name not in columns for name in _NEEDED):
        raise refusal(path.name, problems)
    spoilt = bool(problems)  # a column that is not understood may describe new assets
    trades: list[Trade] = []
    unread: dict[int, frozenset[str]] = {}
    fresh: dict[str, Asset] = {}
    failed: set[str] = set()  # assets whose description has a fault
    for line, cells in rows[1:]:
        found: list[Problem] = []
        if len(cells) > len(rows[0][1]):
            found.append(Problem(line, "", "it has more cells than the header has columns; quote texts with commas."))
        values = {name: cells[at] for name, at in columns.items() if at < len(cells)}
        trade = _trade(line, values, found)
        described = _described(
            line, {n: v for n, v in values.items() if n in COLUMN_BY_NAME and n != "asset_id"}, found
        )
        if described and spoilt:
            failed.add(fold(trade.asset_id))
        elif described and not found:
            _describe(line, trade.asset_id, described, known, fresh, found)
        problems += found
        trades.append(trade)
        if found:
            unread[line] = frozenset(p.column for p in found)
            failed |= {fold(trade.asset_id)} if any(p.column not in OWN_COLUMNS for p in found) else set()
    if not trades and not problems:
        raise Refused(f"{path.name} holds no trades; write one a row below the header.", code=CODE)
    for trade in trades:
        if trade.row is not None and fold(trade.asset_id) in failed and fold(trade.asset_id) not in known:
            unread[trade.row] = unread.get(trade.row, frozenset()) | {"asset_id"}
    return TradeFile(tuple(trades), tuple(fresh.values()), tuple(problems), unread)


def refusal(name: str, problems: Iterable[Problem]) -> Refused:
    """What is wrong with the trades of a file, by row and column: a sentence about the first, a fault each."""
    place = {column: at for at, column in enumerate(("", *OWN_COLUMNS))}
    found = sorted(problems, key=lambda p: (p.row, place.get(p.column, len(place))))
    first, *more = (f"row {p.row}" + (f", {p.column}" if p.column else "") for p in found)
    places = "; ".join((*more[:_TOLD], *["…"] * (len(more) > _TOLD)))
    others = f" ({counted(len(more), 'more fault')}: {places}.)" if more else ""
    faults = (Fault(Severity.ERROR, name, f"row {p.row}", p.column, "", p.message) for p in found)
    return Refused(f"{name}, {first}: {found[0].message}{others}", faults, code=CODE)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The rows that hold something, the header first, each with its line."""
    try:
        if path.stat().st_size > _LARGEST:
            raise Refused(f"{path.name} is larger than {_LARGEST // 1_000_000} MB; it is no list of trades.", code=CODE)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"The trades {path} cannot be read ({error.strerror}); check the name.", code=CODE) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is no text; save it as CSV in UTF-8.", code=CODE) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(c.strip() for c in cells)]
    except csv.Error as error:
        raise Refused(f"{path.name}, row {reader.line_num}: {error}; save the file as CSV again.", code=CODE) from error
    if not rows:
        raise Refused(f"{path.name} is empty; it needs the columns side, asset_id, par and price.", code=CODE)
    if len(rows) > _MOST:
        raise Refused(f"{path.name} has more than {_MOST:,} rows; split it.", code=CODE)
    return rows


def _columns(header: tuple[int, list[str]], problems: list[Problem]) -> dict[str, int]:
    """Where each column stands: those of a trade by their names, those of the asset master by name or header."""
    line, cells = header
    made: dict[str, int] = {}
    for at, cell in enumerate(cells):
        key = same(cell)
        if not key:
            continue
        column = COLUMN_BY_NAME.get(key) or HEADERS.get(key)
        name = _OWN.get(key) or (column.name if column is not None else "")
        if not name:
            sentence = (
                f"the column “{cell.strip()}” is not known; trades have side, asset_id, par, price and settlement, new "
                "assets the columns of the asset master."
            )
            problems.append(Problem(line, "", sentence))
        elif name in made:
            problems.append(Problem(line, "", f"the column “{cell.strip()}” is there twice; keep one."))
        else:
            made[name] = at
    problems += [
        Problem(line, "", f"the column {name} is missing; write side, asset_id, par and price.")
        for name in _NEEDED
        if name not in made
    ]
    return made


def _trade(line: int, values: Mapping[str, str], found: list[Problem]) -> Trade:
    """The trade of a row, with something else in the place of what cannot be read. Faults are added to `found`."""
    side = side_of(values.get("side", ""))
    if side is None:
        said = values.get("side", "").strip()
        found.append(
            Problem(line, "side", f"“{said}” is no side; write buy or sell." if said else "write buy or sell.")
        )
    asset_id = values.get("asset_id", "").strip()
    if not asset_id:
        found.append(Problem(line, "asset_id", "the asset is missing; write its id."))
    par = _number(line, "par", values.get("par", ""), _FREE, found)
    if par is None and not values.get("par", "").strip():
        found.append(Problem(line, "par", "the par is missing; write an amount such as 1000000."))
    price = _number(line, "price", values.get("price", ""), _PRICE, found)
    day = _taken(line, "settlement", parse.date(values.get("settlement", "").strip() or None), found)
    return Trade(
        side or Side.BUY, asset_id, 1.0 if par is None else par, price, day if isinstance(day, dt.date) else None, line
    )


def _number(line: int, column: str, cell: str, rule: parse.Number, found: list[Problem]) -> float | None:
    value = _taken(line, column, parse.number(cell.strip() or None, rule), found)
    return float(value) if isinstance(value, int | float) else None


def _taken(line: int, column: str, parsed: parse.Parsed, found: list[Problem]) -> parse.Value:
    """The value of a cell, or its fault."""
    if parsed.failed:
        found.append(Problem(line, column, parsed.message))
        return None
    return parsed.value


def _described(line: int, values: Mapping[str, str], found: list[Problem]) -> dict[str, Any]:
    """The columns of the asset master that a row fills in."""
    made: dict[str, Any] = {}
    for name, text in values.items():
        if text.strip():
            column: Column = COLUMN_BY_NAME[name]
            value = _taken(line, column.header, parse_cell(column, text.strip()), found)
            if value is not None:
                made[name] = value
    return made


def _describe(
    line: int,
    asset_id: str,
    described: dict[str, Any],
    known: Mapping[str, Asset],
    fresh: dict[str, Asset],
    found: list[Problem],
) -> None:
    """A new asset is added to `fresh`; of a known one the row must not say anything else."""
    key = fold(asset_id)
    old = known.get(key) or fresh.get(key)
    if old is not None:
        other = [COLUMN_BY_NAME[n].header for n, v in described.items() if getattr(old, n) != v]
        where = "the asset master" if key in known else "an earlier row"
        if other:
            some = ", ".join(other[:3])
            sentence = (
                f"{asset_id} is in {where} with another {some}; leave the further columns blank, or use a new id."
            )
            found.append(Problem(line, other[0], sentence))
        return
    blank = [c.header for c in COLUMNS if c.required and c.name not in described]
    if blank:
        sentence = f"the new asset {asset_id} needs {', '.join(blank)}; fill in these columns of its row."
        found.append(Problem(line, blank[0], sentence))
        return
    fresh[key] = Asset(asset_id=asset_id, **described)


def write_trades(path: Path, trades: tuple[Trade, ...], assets: tuple[Asset, ...] = ()) -> None:
    """The trades as a file that `read_trades` reads, with the columns that the new assets among them fill in.

    Raises OSError.
    """
    fresh = {fold(a.asset_id): a for a in assets}
    further = [c for c in COLUMNS[1:] if any(getattr(a, c.name) is not None for a in assets)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["side", "asset_id", "par", "price", "settlement", *(c.header for c in further)])
        for t in trades:
            asset = fresh.pop(fold(t.asset_id), None)
            cells = [_cell(getattr(asset, c.name)) if asset else "" for c in further]
            writer.writerow([t.side.value, t.asset_id, repr(t.par), _cell(t.price), _cell(t.settlement), *cells])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return value.isoformat() if isinstance(value, dt.date) else str(value)
