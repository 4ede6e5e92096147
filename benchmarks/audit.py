"""What the audit costs: an import of 1,000 assets and an edit, on a file and on PostgreSQL; eight writers; verifying.

    python benchmarks/audit.py [--runs 7] [--json]

The baseline is the same work with the triggers of the audit away, in turns with it. PostgreSQL is measured where it is
installed, on a server of its own that is stopped at the end.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from measure import Measure, once, parser, show

from clo_desktop import paths
from clo_desktop.store import Store, open_store
from clo_desktop.store.audit import workspace
from clo_desktop.store.audit.verify import verify
from clo_desktop.store.connection import reading, writing
from tests.store.any_book import large_book

SIZE = 1000
WRITERS = 8
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
    numbers = iter(range(10**6))

    def importing(name: str) -> Callable[[], None]:
        def work() -> None:
            number = next(numbers)
            stores[name].save(books[number % len(books)])
            stores[name].delete(books[number % len(books)].deal.name)

        return work

    books = [large_book("bench", SIZE)]
    fresh = fresh_books(2 * (runs + 1))

    def first(name: str) -> Callable[[], None]:
        return lambda: stores[name].save(next(fresh))

    audited, plain = in_turns(runs, first("audited"), first("plain"))
    small = large_book("edited", 50)
    for store in stores.values():
        store.save(small)
    edits = iter(range(10**6))

    def edit(name: str) -> Callable[[], None]:
        def work() -> None:
            par = 1000.0 + next(edits)
            held = (small.deal.holdings[0].__class__(small.deal.holdings[0].asset_id, par), *small.deal.holdings[1:])
            from dataclasses import replace

            stores[name].save(replace(small, deal=replace(small.deal, holdings=held)))

        return work

    one, other = in_turns(runs, edit("audited"), edit("plain"))
    return [
        Measure(
            f"import {SIZE} assets, all new, into {where}", audited, "without audit", plain, accepted=plain + may_add
        ),
        Measure(f"save one changed holding in {where}", one, "without audit", other),
    ]


def fresh_books(count: int) -> Any:
    """Books of the same size that share no asset: every row of an import is new."""
    from dataclasses import replace

    base = large_book("bench", SIZE)
    made = []
    for n in range(count):
        assets = {f"{n}-{key}": replace(a, asset_id=f"{n}-{key}") for key, a in base.assets.items()}
        held = tuple(replace(h, asset_id=f"{n}-{h.asset_id}") for h in base.deal.holdings)
        made.append(replace(base, deal=replace(base.deal, name=f"bench {n}", holdings=held), assets=assets))
    return iter(made)


if __name__ == "__main__":
    options = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as place:
        paths.audit_folder = lambda: Path(place) / "audit"
        measures = file_costs(Path(place), options.runs)
    sys.exit(show(measures, as_json=options.json))
