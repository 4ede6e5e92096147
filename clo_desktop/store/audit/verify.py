"""Is the audit whole? The chain, the protection, the rows beside what the lines tell, and the head known elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import sqlalchemy as sa

from clo_desktop.progress import Progress, silent
from clo_desktop.store.audit import keys, server, triggers, workspace
from clo_desktop.store.audit.anchors import Anchor
from clo_desktop.store.audit.hand import mac_of, signed_part
from clo_desktop.store.audit.keys import Key
from clo_desktop.store.audit.lines import BATCH, READ_OF_FILE, count, line_of, lines, table_of
from clo_desktop.store.audit.replay import Place, Row, Told, clean, tell

_LINKS: Final = 500  # checked in one statement of the server
_TURN: Final = 1000  # lines between two words of progress


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that is wrong, as a sentence. `seq` is the number of the line it is about.

    kind  protection, chain, line, key, history, rows or anchor
    """

    kind: str
    says: str
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a look at an audit.

    lines     how many there are; pending  those not yet in the chain; oldest  seconds the oldest of them has waited
    rows      live rows that were compared with the lines
    head      of the chain, to be kept elsewhere; None for an empty chain
    known     the head that was known from elsewhere, if one was
    """

    lines: int
    rows: int
    pending: int
    oldest: float | None
    head: Anchor | None
    known: Anchor | None
    breaches: tuple[Breach, ...]

    @property
    def whole(self) -> bool:
        return not self.breaches


class _Home(Protocol):
    """What differs between a workspace file and a server."""

    def protection(self) -> Iterator[Breach]: ...

    def chain(self, report: Callable[[float], object], told: Told) -> Iterator[Breach]: ...

    def head(self) -> Anchor | None: ...

    def link_at(self, pos: int) -> str | None: ...

    def pending(self) -> tuple[int, float | None]: ...

    def live(self) -> Iterator[tuple[Place, Row]]: ...


def verify(
    on: sa.Connection, anchor: Anchor | None = None, report: Progress = silent, *, others: Sequence[str] = ()
) -> Verdict:
    """Look over the whole audit, in the caller's transaction, which sees one state of the database.

    anchor  the head known from elsewhere; others  schemas of a server beside that of the data
    Raises Cancelled when `report` says so.
    """
    home: _Home = _File(on) if on.dialect.name == "sqlite" else _Server(on, others)
    report(0.0, "Looking at the triggers")
    breaches = list(home.protection())
    if any(b.kind == "absent" for b in breaches):
        return Verdict(0, 0, 0, None, None, anchor, tuple(breaches))
    told = Told()
    breaches += home.chain(lambda part: report(0.05 + 0.65 * part, "Checking the chain"), told)
    breaches += (Breach("history", f"Line {seq}: {says}.", seq) for seq, says in told.contradictions)
    report(0.7, "Comparing rows with lines")
    rows, wrong = _compare(told, home.live())
    breaches += wrong
    head = home.head()
    breaches += _beside(anchor, head, home.link_at)
    pending, oldest = home.pending()
    report(1.0, "Done")
    return Verdict(count(on), rows, pending, oldest, head, anchor, tuple(breaches))


def _compare(told: Told, live: Iterator[tuple[Place, Row]]) -> tuple[int, list[Breach]]:
    """Each live row beside the last line about it."""
    wrong: list[Breach] = []
    left = dict(told.state)
    rows = 0
    for place, row in live:
        rows += 1
        expected = left.pop(place, None)
        spoken = f"{place[0].replace('_', ' ')} {told.names.get(place) or place[1]}"
        if expected is None:
            wrong.append(Breach("rows", f"{spoken} is in the database, but no line says that it was added."))
        elif expected != row:
            names = sorted(n for n in expected.keys() | row.keys() if expected.get(n) != row.get(n))
            figures = "; ".join(
                f"{n} is {_said(row.get(n))}, the last line says {_said(expected.get(n))}" for n in names
            )
            wrong.append(Breach("rows", f"{spoken} was changed without a line: {figures}."))
    for place in left:
        spoken = f"{place[0].replace('_', ' ')} {told.names.get(place) or place[1]}"
        wrong.append(Breach("rows", f"{spoken} is gone from the database, but no line says that it was deleted."))
    return rows, wrong


def _said(value: Any) -> str:
    return "missing" if value is None else json.dumps(value, ensure_ascii=False)[:60]


def _beside(known: Anchor | None, head: Anchor | None, link_at: Callable[[int], str | None]) -> Iterator[Breach]:
    """The head that was known from elsewhere must be part of the chain."""
    if known is None or known.pos == 0:
        return
    seen = f"{known.at:%Y-%m-%d %H:%M} UTC"
    if head is None or head.trail != known.trail:
        yield Breach(
            "anchor", f"This is not the audit that was known on {seen}: the database was made anew or replaced."
        )
    elif head.pos < known.pos:
        yield Breach(
            "anchor", f"The end of the chain is gone: it had {known.pos} links on {seen} and has {head.pos} now."
        )
    elif link_at(known.pos) != known.link:
        yield Breach("anchor", f"The chain was written anew: link {known.pos} is not the one that was known on {seen}.")


class _File:
    """The audit of a workspace file."""

    def __init__(self, on: sa.Connection) -> None:
        self._on = on
        self._trail = ""

    def protection(self) -> Iterator[Breach]:
        if not workspace.is_here(self._on):
            yield Breach("absent", "The file has no audit; open it with this version of CLO Desktop once.")
            return
        self._trail = workspace.trail_of(self._on)
        for name in workspace.altered(self._on):
            yield Breach("protection", f"{name} is missing, altered or does not belong there.")

    def chain(self, report: Callable[[float], object], told: Told) -> Iterator[Breach]:
        total = max(count(self._on), 1)
        last_mac = ""
        missing: dict[str, list[int]] = {}
        known: dict[str, Key | None] = {}
        expected = 1
        for n, row in enumerate(self._rows()):
            line = line_of(row)
            if n % _TURN == 0:
                report(n / total)
            if line.action == "mended":
                said = ", ".join(line.details.get("triggers", ()))
                when = f"{line.timestamp:%Y-%m-%d %H:%M} UTC"
                says = f"Triggers had been removed or altered and were put back on {when}: {said}."
                yield Breach("protection", says, line.seq)
            if line.seq != expected:
                yield Breach("chain", f"Lines {expected} to {line.seq - 1} are missing.", expected)
            expected = line.seq + 1
            name, mac, signed = signed_part(row.line)
            if name not in known:
                known[name] = self._key(name)
            key = known[name]
            if key is None:
                missing.setdefault(name, []).append(line.seq)
            elif mac != mac_of(key, last_mac, signed) or not _agrees(row):
                yield Breach(
                    "line", f"Line {line.seq} is not what was written, or the one before was changed.", line.seq
                )
            last_mac = f"{name}:{mac}"
            tell(told, line)
        for name, seqs in missing.items():
            yield Breach(
                "key",
                f"Lines {seqs[0]} to {seqs[-1]} ({len(seqs)}) were written under the key {name}, which this computer"
                " does not have: verify them where the workspace was written.",
                seqs[0],
            )

    def _key(self, name: str) -> Key | None:
        try:
            found = keys.find(self._trail)
        except OSError:
            return None
        return found if found is not None and found.name == name else None

    def _rows(self) -> Iterator[Any]:
        """The lines as they are stored: what was signed are the very values of the columns."""
        table = table_of(self._on)
        columns: list[sa.ColumnClause[Any]] = [table.c[name] for name in READ_OF_FILE]
        asked = sa.select(*columns).order_by(table.c.seq)
        for rows in self._on.execute(asked.execution_options(yield_per=BATCH)).partitions():
            yield from rows

    def head(self) -> Anchor | None:
        return head_of_file(self._on)

    def link_at(self, pos: int) -> str | None:
        return workspace.link_at(self._on, pos)

    def pending(self) -> tuple[int, float | None]:
        return 0, None  # a line is chained in the transaction that writes it

    def live(self) -> Iterator[tuple[Place, Row]]:
        for table in triggers.audited():
            for (text,) in self._on.exec_driver_sql(f'SELECT {triggers.row_call(table)} FROM "{table.name}"'):
                row = json.loads(text)
                yield (table.name, json.dumps(triggers.key_in(table, row))), clean(row)


def _agrees(row: Any) -> bool:
    """Whether the columns beside a line say what the line says."""
    told = json.loads(row.line)
    return bool(
        (row.seq, row.resource_type, row.resource_id) == (told["seq"], told["resource_type"], told["resource_id"])
    )


def head_of_file(on: sa.Connection) -> Anchor | None:
    """The last line of a workspace file."""
    row = on.exec_driver_sql("SELECT seq, mac FROM audit_logs ORDER BY seq DESC LIMIT 1").first()
    return None if row is None else Anchor(workspace.trail_of(on), row.seq, row.mac, dt.datetime.now(dt.UTC))


class _Server:
    """The audit of a server. The key stays there: its functions check the chain."""

    def __init__(self, on: sa.Connection, others: Sequence[str]) -> None:
        self._on = on
        self._others = others
        self._state: Any = None

    def protection(self) -> Iterator[Breach]:
        if self._on.exec_driver_sql("SELECT to_regprocedure('audit.state()')").scalar() is None:
            yield Breach("absent", "The server has no audit; run `clo server init`.")
            return
        self._state = self._on.exec_driver_sql("SELECT * FROM audit.state()").one()
        for says in server.breaches(self._on, data=server.DATA, others=self._others):
            yield Breach("protection", says)

    def chain(self, report: Callable[[float], object], told: Told) -> Iterator[Breach]:
        state = self._state
        if (state.pos, state.link) != (state.last_pos or 0, state.last_link or ""):
            yield Breach("chain", f"The head says {state.pos} links, the chain has {state.last_pos or 0}.")
        last = max(state.pos, state.last_pos or 0)
        for start in range(0, last, _LINKS):
            report(0.5 * start / last)
            found = self._on.execute(
                sa.text("SELECT * FROM audit.verify(:start, :end)"), {"start": start, "end": min(start + _LINKS, last)}
            )
            for row in found:
                yield Breach(
                    "line" if row.kind == "line" else "chain", _FAULTS[row.kind].format(**row._mapping), row.seq
                )
        for seq in state.false_lines or ():
            yield Breach("line", f"Line {seq} waits for its seal and is not what was written.", seq)
        total = max(state.lines, 1)
        for n, line in enumerate(lines(self._on)):
            if n % _TURN == 0:
                report(0.5 + 0.5 * n / total)
            tell(told, line)

    def head(self) -> Anchor | None:
        state = self._state
        return Anchor(str(state.trail), state.pos, state.link, state.clock.astimezone(dt.UTC)) if state.pos else None

    def link_at(self, pos: int) -> str | None:
        return server.link_at(self._on, pos)

    def pending(self) -> tuple[int, float | None]:
        state = self._state
        return state.pending, (state.clock - state.oldest).total_seconds() if state.oldest is not None else None

    def live(self) -> Iterator[tuple[Place, Row]]:
        for table in server.tables(self._on, (server.DATA, *self._others)):
            found = self._on.execute(
                sa.text("SELECT live FROM audit.live(:home, :name) AS live"), {"home": table.schema, "name": table.name}
            )
            for (row,) in found:
                key = row.get(table.keys[0]) if len(table.keys) == 1 else [row.get(name) for name in table.keys]
                yield (table.name, json.dumps(key)), clean(row)


_FAULTS: Final = {
    "gap": "Link {pos} of the chain is missing.",
    "link": "Link {pos} is not what was written: it, a line it seals or the link before was changed.",
    "missing": "Line {seq}, sealed in link {pos}, is missing.",
    "line": "Line {seq} is not what was written.",
}
