"""How fast trades are judged: all tests of a pool, a swap, 100,000 swaps ranked, one keystroke of the trade pad.

    python benchmarks/trades.py [--runs 7] [--json]

The deal is the demo's, made up to 300 holdings and 400 further assets on offer. Full means every test reckoned from the
whole pool (one matrix product and the grouped sums); incremental means the sums of the base pool and what a swap adds
to them. Both run in this process; full runs of very many swaps are measured one after the other on one swap and scaled.
One keystroke is measured twice: the engine's part (every test before and after, the largest size, the edited row by
itself), and in the pane, offscreen, from the key to the painted tests through the event loop.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import clo_desktop  # noqa: F401  # before numba: the same compiled kernels as the application
from benchmarks.measure import Measure, median_of, once, parser, show
from engine import study, trades
from engine.compliance import evaluate, stand
from engine.pool import Pool
from engine.terms import Book, Holding
from engine.trades import Side, Trade, Trader
from engine.trades.candidates import Candidates
from resources import library
from resources.demo.generate import make_book

HELD, OFFERED, SOLD = 300, 400, 250
WEIGHTS = {32: 0.6, 36: 0.3, 38: 0.1}
SEED = 20_260_131


def made() -> Book:
    """300 holdings and 400 assets on offer: the demo's assets, again under other issuers where there are too few."""
    rng = np.random.default_rng(SEED)
    book = make_book()
    pattern = [a for a in book.assets.values() if not a.defaulted and (a.market_value or 0.0) >= 75.0]
    assets, holdings = dict(book.assets), list(book.deal.holdings)
    while len(holdings) < HELD or len(assets) < HELD + OFFERED:
        like = pattern[int(rng.integers(len(pattern)))]
        name = f"X{len(assets):04d}"
        issuer = f"{like.issuer_id}-{len(assets) % 7}"
        assets[name] = replace(
            like, asset_id=name, issuer_id=issuer, market_value=round(float(rng.uniform(80, 101)), 3)
        )
        if len(holdings) < HELD:
            holdings.append(Holding(name, float(rng.integers(500, 3000)) * 1000.0))
    return replace(book, deal=replace(book.deal, holdings=tuple(holdings)), assets=assets)


def pool_measures(book: Book, runs: int) -> list[Measure]:
    """All tests of what is held."""
    catalogue = library.catalogue()
    done = study.comply(book, catalogue)
    plan, pool = done.plan, Pool(book.positions())
    assert plan is not None
    cash, count = book.deal.principal_cash, len(done.results)
    shape = f"{count} tests of {len(pool)} assets"

    def figures() -> Any:
        return stand(plan, plan.reckon(pool.par, cash))

    return [
        Measure(f"{shape}: figures, limits and outcomes", median_of(runs, figures), accepted=1.0),
        Measure(
            f"{shape}: made ready from the deal, told in words",
            median_of(runs, lambda: evaluate(book.deal, pool, catalogue, done.readings)),
        ),
    ]


def repeated(count: int, work: Any) -> float:
    """Milliseconds of one of `count` runs in a row: what takes microseconds is not measured by itself."""

    def many() -> None:
        for _ in range(count):
            work()

    return once(many) / count


def swap_measures(trader: Trader, runs: int) -> list[Measure]:
    """One swap, and 100,000."""
    sold = trades.candidates_of(trader, Side.SELL)[:SOLD]
    bought = trades.candidates_of(trader, Side.BUY, held=False)[:OFFERED]
    price = trader.pool.numbers("market_value")
    one = Candidates.swaps(
        *(sold[:1], bought[:1]), np.array([1e6]), np.array([1e6]), price[sold[:1]], price[bought[:1]]
    )
    par, cash = one.pool(0, trader.par, trader.cash)
    batch = trader.batch
    full = min(repeated(200, lambda: trader.plan.reckon(par, cash)) for _ in range(runs))
    single = min(repeated(200, lambda: batch.sums(one)) for _ in range(runs))
    judged = min(repeated(50, lambda: stand(trader.plan, trader.plan.reckon(par, cash))) for _ in range(runs))
    count = sold.size * bought.size
    ranked = median_of(max(3, runs // 2), lambda: trades.rank_swaps(trader, sold, bought, WEIGHTS))
    return [
        Measure("1,000 swaps, one call each: every figure", single * 1e3, "full", full * 1e3, full * 1e3 / 5.0),
        Measure(f"{count:,} swaps judged and ranked", ranked, "full, one scaled", judged * count, 1000.0),
    ]


def pad_measures(trader: Trader, runs: int) -> list[Measure]:
    """What a keystroke, a table and a bid list take."""
    held = trader.book.deal.holdings
    offered = [a.asset_id for a in trader.pool.assets[HELD:]]
    amounts = iter(range(10**6))

    def keystroke() -> None:
        row = Trade(Side.BUY, offered[3], 1e6 + next(amounts), 98.5)
        rest = [Trade(Side.SELL, held[5].asset_id, 5e5, 99.0), Trade(Side.BUY, offered[9], 5e5, 97.0)]
        trader.effect([*rest, row])
        trader.effect([row])
        trades.largest(trader, row, rest)

    names = "\n".join(f"{i}\t2mm\t98" for i in offered[:40])
    lines = trades.read_lines(names, trader.assets.values())

    def twelve() -> None:
        trades.fit_matrix({f"Deal {i}": trader for i in range(12)}, lines)

    return [
        Measure("one keystroke of the trade pad, engine part", median_of(runs, keystroke), accepted=100.0),
        Measure(
            f"a million more of each of {len(trader.pool)} assets, every test",
            median_of(runs, lambda: trades.marginal(trader, Side.BUY)),
            accepted=500.0,
        ),
        Measure("a bid list of 40 names against 12 deals, largest sizes", median_of(3, twelve), accepted=3000.0),
    ]


def painted_measures(book: Book, runs: int) -> list[Measure]:
    """From a key in the par cell of the pad to the painted tests: the event loop, the lane, the engine, the paint."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from clo_desktop.look import theme
    from clo_desktop.panes.trades import TradesPane
    from clo_desktop.store import open_store
    from clo_desktop.work.pad_rows import Row
    from clo_desktop.work.session import Session

    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    theme.apply(app, "light")

    def until(met: Any) -> None:
        loop, timer = QEventLoop(), QTimer()
        timer.timeout.connect(lambda: loop.quit() if met() else None)
        timer.start(5)
        loop.exec()

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pad.clo"
        store = open_store(file)
        store.save(book)
        store.close()
        session = Session()
        pane = TradesPane(session, lambda: None)
        pane.resize(1400, 800)
        pane.show()
        session.open(file, lambda: session.choose(book.deal.name))
        until(lambda: pane.pad.trader is not None and session.lanes.idle)
        trader = pane.pad.trader
        assert trader is not None
        offered = [a.asset_id for a in trader.pool.assets[HELD : HELD + 2]]
        pane.pad.put([Row("Buy", offered[0], "500,000", "98.5"), Row("Buy", offered[1], "1", "97")])
        until(lambda: session.lanes.idle)
        pane.list.go(1, "par")
        pane.list.edit(pane.list.currentIndex())
        took = _keystrokes(pane, app, 10 * runs)
        pane.close()
        session.close()
    took.sort()
    found = [("median", took[len(took) // 2]), ("nine of ten", took[len(took) * 9 // 10])]
    shape = f"{len(trader.standings)} tests, {HELD} holdings"
    return [Measure(f"one keystroke to the painted tests, {shape}: {n}", ms, accepted=100.0) for n, ms in found]


def _keystrokes(pane: Any, app: Any, count: int) -> list[float]:
    """Milliseconds of each of many keys in the open cell, told by the paint of the tests after the judgement."""
    from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QLineEdit

    class Watch(QObject):
        judged = False
        loop: QEventLoop | None = None

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # the name is Qt's
            if event.type() == QEvent.Type.Paint and self.judged and self.loop is not None:
                QTimer.singleShot(0, self.loop.quit)  # once this paint is done
            return False

    watch = Watch()
    pane.tests.table.grid.viewport().installEventFilter(watch)
    pane.pad.judged.connect(lambda _found: setattr(watch, "judged", True))
    editor = next(e for e in pane.list.viewport().findChildren(QLineEdit) if e.isVisible())
    editor.setText("1")
    took = []
    for i in range(count):
        back = i % 6 == 5
        if back:
            editor.setText("1")
        watch.judged, watch.loop = False, QEventLoop()
        started = time.perf_counter()
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            digit = Qt.Key(Qt.Key.Key_0 + i % 10)
            app.postEvent(editor, QKeyEvent(kind, digit, Qt.KeyboardModifier.NoModifier, str(i % 10)))
        watch.loop.exec()
        took.append((time.perf_counter() - started) * 1e3)
    return took


def main() -> int:
    chosen = parser(__doc__).parse_args()
    book = made()
    kernel = once(trades.warm_up)
    ready = median_of(chosen.runs, lambda: study.trader(book, library.catalogue(), weights=WEIGHTS).batch)
    trader = study.trader(book, library.catalogue(), weights=WEIGHTS)
    found = [
        *pool_measures(book, chosen.runs),
        *swap_measures(trader, chosen.runs),
        *pad_measures(trader, chosen.runs),
        *painted_measures(book, chosen.runs),
        Measure("make the deal ready for trades", ready),
        Measure("the kernel, compiled or from the cache", kernel),
    ]
    return show(found, as_json=chosen.json, holdings=HELD, offered=OFFERED, runs=chosen.runs)


if __name__ == "__main__":
    sys.exit(main())
