"""What the audit costs: an import of 1,000 assets and an edit, on a file and on PostgreSQL; eight writers; verifying.

    python benchmarks/audit.py [--runs 7] [--json]

The baseline is the same work with the triggers of the audit away, in turns with it. PostgreSQL is measured where it is
installed, on a server of its own that is stopped at the end.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sqlalchemy as sa
from measure import Measure, once, parser, show

from clo_desktop import paths
from clo_desktop.store import Store, migrate, open_store
from clo_desktop.store.audit import seals, server, workspace
from clo_desktop.store.audit.verify import verify
from clo_desktop.store.connection import address, connect, reading, writing
from tests.store import postgres
from tests.store.any_book import large_book

SIZE = 1000
WRITERS = 8
SECONDS = 3.0
KEEPS = 0.6
"""Share of the commits a second that eight writers keep."""
MAY_ADD = {"sqlite": 30.0, "postgresql": 60.0}
"""Milliseconds the audit may add to an import of 1,000 assets."""


def in_turns(runs: int, one: Callable[[], Any], other: Callable[[], Any]) -> tuple[float, float]:
    """Medians in milliseconds of two works that take turns, so that both see the same machine."""
    one(), other()
    pairs = [(once(one), once(other)) for _ in range(runs)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def file_costs(folder: Path, runs: int) -> list[Measure]:
    stores = {name: open_store(folder / f"{name}.clo") for name in ("audited", "plain")}
    with writing(stores["plain"]._engine) as on:
        workspace.take_down(on)
    found = costs("a file", stores, runs, MAY_ADD["sqlite"])
    engine = stores["audited"]._engine
    with reading(engine) as on:
        begun = time.perf_counter()
        verdict = verify(on)
        took = (time.perf_counter() - begun) * 1000.0
    assert verdict.whole, verdict.breaches
    found.append(Measure(f"verify {verdict.lines} lines and {verdict.rows} rows of a file", took))
    for store in stores.values():
        store.close()
    return found


def costs(where: str, stores: dict[str, Store], runs: int, may_add: float) -> list[Measure]:
    """An import of new assets, and a save that changes one holding."""
    fresh, edits = fresh_books(), iter(range(10**6))
    small = large_book("edited", 50)
    for store in stores.values():
        store.save(small)

    def edit(name: str) -> None:
        first, *others = small.deal.holdings
        held = (replace(first, par=1000.0 + next(edits)), *others)
        stores[name].save(replace(small, deal=replace(small.deal, holdings=held)))

    books = {name: [next(fresh) for _ in range(runs + 1)] for name in stores}
    audited, plain = in_turns(runs, *(lambda n=name: stores[n].save(books[n].pop()) for name in ("audited", "plain")))
    one, other = in_turns(runs, lambda: edit("audited"), lambda: edit("plain"))
    added = audited - plain
    return [
        Measure(f"import {SIZE} assets, all new, into {where}", audited, "without audit", plain),
        Measure(f"what the audit adds to it, {where}", added, accepted=may_add),
        Measure(f"save one changed holding in {where}", one, "without audit", other),
    ]


def fresh_books() -> Iterator[Any]:
    """Books of the same size that share no asset: every row of an import is new."""
    base = large_book("bench", SIZE)
    for n in itertools.count():
        assets = {f"{n}-{key}": replace(a, asset_id=f"{n}-{key}") for key, a in base.assets.items()}
        held = tuple(replace(h, asset_id=f"{n}-{h.asset_id}") for h in base.deal.holdings)
        yield replace(base, deal=replace(base.deal, name=f"bench {n}", holdings=held), assets=assets)


def server_costs(folder: Path, runs: int) -> list[Measure]:
    cluster = postgres.Cluster(folder / "cluster", {"fsync": "on"})
    cluster.make()
    cluster.start()
    try:
        stores = {name: on_server(cluster, name, audited=name == "audited") for name in ("audited", "plain")}
        found = costs("PostgreSQL", stores, runs, MAY_ADD["postgresql"])
        rates = {name: [] for name in stores}
        for _ in range(3):
            for name, store in stores.items():
                rates[name].append(writers(store))
        audited, plain = (1000.0 / statistics.median(rates[name]) for name in ("audited", "plain"))
        found.append(
            Measure(
                f"{WRITERS} writers, one change ({1000 / audited:.0f} a second)",
                audited,
                "without audit",
                plain,
                times_faster=KEEPS,
            )
        )
        begun = time.perf_counter()
        verdict = stores["audited"].audit.verify()
        took = (time.perf_counter() - begun) * 1000.0
        assert verdict.whole, verdict.breaches[:3]
        found.append(Measure(f"verify {verdict.lines} lines and {verdict.rows} rows of PostgreSQL", took))
        for store in stores.values():
            store.close()
        return found
    finally:
        cluster.stop("immediate")


def on_server(cluster: postgres.Cluster, name: str, *, audited: bool) -> Store:
    """A store in a database of its own, with or without an audit."""
    url = cluster.create(name)
    engine = connect(address(url), 5.0)
    with engine.begin() as on:
        on.exec_driver_sql("CREATE SCHEMA clo; CREATE SCHEMA sec; SET search_path = clo")
        migrate.upgrade(on, name)
        if audited:
            server.make_roles(on)
            server.apply(on, others=("sec",))
    engine.dispose()
    return open_store(url)


def writers(store: Store) -> float:
    """Commits a second of eight clients, each with an engine of its own and on rows of its own.

    Each holds one connection and sends bare statements, so that what the application does around a commit does not hide
    what the audit costs. After a commit they do what the application does: lines are sealed by a thread of each client,
    `seals.PAUSE` later. The seals that are left at the end count, too: the clock stops after them.
    """
    with store._engine.connect() as on:
        ids = list(on.scalars(sa.text("SELECT id FROM holdings ORDER BY id LIMIT 800")))
    url, done, begun = store._engine.url, [0] * WRITERS, time.perf_counter()
    until = begun + SECONDS

    def work(number: int) -> None:
        engine = connect(url, 5.0)
        seals.sealing(engine)
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as on:
            while time.perf_counter() < until:
                row = ids[number * 100 + done[number] % 100]
                on.exec_driver_sql(f"UPDATE holdings SET par = par + 1 WHERE id = {row}")
                seals.soon(engine)
                done[number] += 1
        seals.now(engine)
        engine.dispose()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begun)


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)  # the server runs as someone else
        paths.audit_folder = lambda: Path(place) / "audit"
        measures = file_costs(Path(place), options.runs)
        if postgres.programs() is None:
            print(postgres.ABSENT, file=sys.stderr)
        else:
            measures += server_costs(Path(place), options.runs)
    sys.exit(show(measures, as_json=options.json))
