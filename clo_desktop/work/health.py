"""Whether all is well: the database, backups, the audit, sign-ins, caches, memory, versions. No Qt.

Each line has a state (ok, look, bad) and says what to do. The same figures go to a metrics file.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from clo_desktop import __version__, log
from clo_desktop.faults import Refused
from clo_desktop.figures import counted, percent
from clo_desktop.store.vitals import SLOW, Vitals
from clo_desktop.work import kept
from clo_desktop.work.desk import Desk

OK: Final = "ok"
LOOK: Final = "look"
BAD: Final = "bad"

METRICS_VARIABLE: Final = "CLO_METRICS"
METRICS_FILE: Final = "clo_desktop.prom"
"""Its ending is what the node exporter of Prometheus collects from a folder."""

_SLOW_PING: Final = 0.5  # seconds
_LAG: Final = (10.0, 300.0)  # seconds: look, bad
_WAITING: Final = 86_400.0  # seconds a change may wait to be sent
_BACKUP_DAYS: Final = 7
_SEAL: Final = 60.0  # seconds a line of the audit may wait
_MEMORY: Final = 2_000_000_000  # bytes
_SIGN_INS: Final = 5  # in a day


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at. `says`: what it means, and what to do where it is not ok."""

    name: str
    state: str
    value: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Every line, and the figures of the metrics file by name (None: not known)."""

    lines: tuple[Line, ...]
    figures: dict[str, float | None]

    @property
    def worst(self) -> str:
        return next((state for state in (BAD, LOOK) if any(line.state == state for line in self.lines)), OK)


def look(desk: Desk) -> Health:
    """The health of an open store."""
    try:
        vitals = desk.store.vitals()
    except Refused as refused:
        return unreachable(desk.store.name, refused)
    return _health(tuple(_of_store(desk.store.name, vitals)), vitals, desk)


def unreachable(name: str, refused: Refused) -> Health:
    """The health where the store does not open."""
    return _health([Line("Store", BAD, name, refused.message)], None, None)


def _health(first: Sequence[Line], vitals: Vitals | None, desk: Desk | None) -> Health:
    memory, refused = memory_used(), log.refused_sign_ins(dt.timedelta(days=1))
    lines = [*first, _sign_ins(refused), *_caches(desk), _memory(memory), *_versions(vitals)]
    watch = vitals.watch if vitals is not None else None
    outbox = vitals.outbox if vitals is not None else None
    backup = vitals.backup if vitals is not None else None
    figures: dict[str, float | None] = {
        "up": float(vitals is not None),
        "ping_seconds": vitals.ping if vitals is not None else None,
        "replica_lag_seconds": vitals.lag if vitals is not None else None,
        "pool_in_use": vitals.pool[0] if vitals is not None and vitals.pool is not None else None,
        "outbox_waiting": outbox[0] if outbox is not None else None,
        "outbox_oldest_seconds": outbox[1] if outbox is not None else None,
        "backup_age_seconds": _age(backup.when) if backup is not None else None,
        "backup_opens": float(not vitals.backup_fault) if vitals is not None and backup is not None else None,
        "audit_pending": vitals.pending if vitals is not None else None,
        "audit_oldest_pending_seconds": vitals.oldest if vitals is not None else None,
        "sign_ins_refused_day": refused,
        "statements_total": watch.statements if watch is not None else None,
        "slow_statements_total": watch.slow if watch is not None else None,
        "model_hits_total": desk.model_hits if desk is not None else None,
        "model_misses_total": desk.model_misses if desk is not None else None,
        "result_hits_total": kept.counts.hits,
        "result_misses_total": kept.counts.misses,
        "memory_bytes": memory,
    }
    return Health(tuple(lines), figures)


def _of_store(name: str, vitals: Vitals) -> Iterator[Line]:
    server = bool(vitals.server)
    slow = vitals.ping > _SLOW_PING
    answer = f"{vitals.role}, answers in {vitals.ping * 1000:.1f} ms: {name}"
    yield Line("Store", LOOK if slow else OK, answer, "Slow: look at the network or the disk." if slow else "")
    if server:
        yield _lag(vitals)
        used, most = vitals.pool or (0, 0)
        full = bool(most) and used >= most
        says = "All are in use: wait, or close another window." if full else ""
        yield Line("Connections", LOOK if full else OK, f"{used} of {most} in use", says)
    yield _outbox(vitals)
    yield _backup(vitals)
    yield _audit(vitals)
    watch = vitals.watch
    value = f"{watch.slow:,} of {watch.statements:,} took over {SLOW:g} s, the slowest {watch.slowest:.2f} s"
    says = f"The log names them: {log.log_file()}." if watch.slow else ""
    yield Line("Slow statements", LOOK if watch.slow else OK, value, says)


def _lag(vitals: Vitals) -> Line:
    if vitals.role == "primary":
        return Line("Replica lag", OK, "none: the primary answers")
    if vitals.lag is None:
        return Line(
            "Replica lag", LOOK, "not known", "The standby has replayed nothing yet; ask whoever runs the server."
        )
    state = BAD if vitals.lag > _LAG[1] else LOOK if vitals.lag > _LAG[0] else OK
    says = "" if state == OK else "What you see may be old; ask whoever runs the server to look at the standby."
    return Line("Replica lag", state, f"{vitals.lag:,.1f} s", says)


def _outbox(vitals: Vitals) -> Line:
    if vitals.outbox is None:
        return Line("Waiting changes", OK, "no offline copies")
    count, age = vitals.outbox
    if not count:
        return Line("Waiting changes", OK, "none")
    old = age is not None and age > _WAITING
    value = f"{count:,}, the oldest for {span(age or 0.0)}"
    return Line(
        "Waiting changes", LOOK if old else OK, value, "Send them: clo sync push --all --server URL." if old else ""
    )


def _backup(vitals: Vitals) -> Line:
    if vitals.server:
        return Line(
            "Last backup",
            OK,
            "made on the server",
            "Ask whoever runs the server when a backup was last restored as a trial.",
        )
    if vitals.backup is None:
        return Line("Last backup", LOOK, "none", "Make one: File > Back up now.")
    if vitals.backup_fault:
        return Line("Last backup", BAD, vitals.backup.words, f"{vitals.backup_fault} Make one: File > Back up now.")
    old = _age(vitals.backup.when) > _BACKUP_DAYS * 86_400
    says = f"Older than {_BACKUP_DAYS} days; make one: File > Back up now." if old else "It was opened and is whole."
    return Line("Last backup", LOOK if old else OK, vitals.backup.words, says)


def _audit(vitals: Vitals) -> Line:
    if vitals.pending is None:
        return Line("Audit", OK, "only administrators see it")
    if not vitals.pending:
        return Line("Audit", OK, "every line is sealed")
    late = vitals.oldest is not None and vitals.oldest > _SEAL
    value = f"{counted(vitals.pending, 'line')} not sealed yet, the oldest for {span(vitals.oldest or 0.0)}"
    return Line("Audit", BAD if late else OK, value, "Look into it: clo audit verify." if late else "")


def _sign_ins(refused: int) -> Line:
    many = refused >= _SIGN_INS
    says = "Somebody may be guessing; change your password, and tell an administrator." if many else ""
    return Line("Refused sign-ins", LOOK if many else OK, f"{refused:,} on this computer within a day", says)


def _caches(desk: Desk | None) -> Iterator[Line]:
    if desk is not None:
        yield Line("Models", OK, _hits(desk.model_hits, desk.model_misses))
    yield Line("Kept results", OK, _hits(kept.counts.hits, kept.counts.misses))


def _hits(hits: int, misses: int) -> str:
    asked = hits + misses
    return (
        f"{hits:,} of {asked:,} did not have to be made again ({percent(hits / asked, 0)})"
        if asked
        else "none asked for yet"
    )


def _memory(used: int | None) -> Line:
    if used is None:
        return Line("Memory", OK, "not known on this system")
    much = used > _MEMORY
    says = "High: close studies that are done, or start the application again." if much else ""
    return Line("Memory", LOOK if much else OK, f"{used / 1e6:,.0f} MB", says)


def _versions(vitals: Vitals | None) -> Iterator[Line]:
    yield Line("CLO Desktop", OK, __version__)
    yield Line("Python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for name, package in (("Qt", "PySide6_Essentials"), ("numba", "numba"), ("SQLAlchemy", "SQLAlchemy")):
        with contextlib.suppress(metadata.PackageNotFoundError):
            yield Line(name, OK, metadata.version(package))
    if vitals is not None and vitals.server:
        yield Line("PostgreSQL", OK, vitals.server)
    elif vitals is not None:
        yield Line("SQLite", OK, vitals.sqlite if not vitals.cipher else f"SQLCipher {vitals.cipher}")


def _age(when: dt.datetime) -> float:
    return (dt.datetime.now(dt.UTC) - when).total_seconds()


def span(seconds: float) -> str:
    """A length of time in its largest unit: 12 s, 5 min, 3 h, 2 days."""
    for unit, size in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s"


def memory_used() -> int | None:
    """Bytes of memory that this process has in use; None where the system does not say."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the most it had
    return None


# -- told --------------------------------------------------------------------------------------------------------------


def words(health: Health) -> str:
    """One line each."""
    return "\n".join(
        f"{line.state:4}  {line.name:17} {line.value}{f'. {line.says}' if line.says else ''}" for line in health.lines
    )


def plain(health: Health) -> dict[str, Any]:
    """As JSON."""
    return {
        "state": health.worst,
        "lines": [{"name": x.name, "state": x.state, "value": x.value, "says": x.says} for x in health.lines],
        "figures": health.figures,
    }


def prometheus(health: Health) -> str:
    """The figures in the text format of Prometheus; what is not known is left out."""
    told = []
    for name, value in health.figures.items():
        if value is not None:
            full = f"clo_desktop_{name}"
            kind = "counter" if name.endswith("_total") else "gauge"
            told.append(f"# TYPE {full} {kind}\n{full} {float(value):.10g}\n")
    told.append(f'# TYPE clo_desktop_info gauge\nclo_desktop_info{{version="{__version__}"}} 1\n')
    return "".join(told)


def metrics_folder(setting: str | None) -> Path | None:
    """Where the metrics file is kept: the folder that CLO_METRICS names, else that of the setting; None: nowhere."""
    named = os.environ.get(METRICS_VARIABLE, "").strip() or setting
    return Path(named).expanduser() if named else None


def check_metrics_folder(text: str) -> Path | None:
    """The folder that was typed; None for none. Raises Refused for one that is not there or cannot be written to."""
    if not text.strip():
        return None
    folder = Path(text.strip()).expanduser()
    if not folder.is_absolute():
        raise Refused(f"{folder} says no whole path; begin it at the top of a disk, or choose it.", code="folder")
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder}; make it first, or name another.", code="folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Refused(f"You may not write into {folder}; name another folder.", code="folder")
    return folder


def write_metrics(health: Health, folder: Path) -> Path:
    """Write the metrics file, whole or not at all. Raises Refused where it cannot be written."""
    file = folder / METRICS_FILE
    beside = folder / f".{METRICS_FILE}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(prometheus(health), encoding="utf-8")
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(
            f"The metrics file {file} cannot be written ({error.strerror or error}); name another folder.", code="file"
        ) from error
    return file
