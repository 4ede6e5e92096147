"""The verbs about stored ideas of trades: list them, find one, write one as CSV. No Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clo_desktop.faults import Refused
from clo_desktop.store import IdeaRow, StoredIdea
from clo_desktop.work.fingerprint import differences, state_of
from clo_desktop.work.pad_rows import Row, judge
from clo_desktop.work.trade_files import write_trades
from engine.pool import fold
from engine.trades import Finder

if TYPE_CHECKING:
    from clo_desktop.work.desk import Desk

Told = tuple[StoredIdea, tuple[str, ...]]
"""An idea, and what changed in the pool since its trades were changed last."""


def typed(row: IdeaRow) -> Row:
    """A stored row as the pad has it."""
    return Row(row.side, row.asset, row.par, row.price, row.settlement)


def stored(row: Row) -> IdeaRow:
    """A row of the pad as it is stored."""
    return IdeaRow(*row.cells())


def listed(desk: Desk, deal: str) -> tuple[Told, ...]:
    """The stored ideas of a deal, the oldest first."""
    now = state_of(desk.book(deal))
    return tuple((idea, differences(idea.pool, now)) for idea in desk.store.ideas(deal))


def named(desk: Desk, deal: str, name: str) -> Told:
    """The idea of that name. Raises Refused where there is none, or more than one."""
    found = [told for told in listed(desk, deal) if fold(told[0].name) == fold(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(f"{deal} has {len(found)} ideas {name!r}; rename one in the Trades pane.", code="no-idea")
    known = ", ".join(idea.name for idea, _ in listed(desk, deal)) or "none"
    raise Refused(f"{deal} has no idea {name!r}; its ideas: {known}.", code="no-idea")


def write_csv(desk: Desk, deal: str, idea: StoredIdea, path: Path) -> int:
    """Writes the trades of an idea as `read_trades` reads them; how many. Raises Refused where a row is wrong."""
    trader = desk.trader(deal, idea.assets)
    found = judge(trader, Finder(trader.assets.values()), [typed(row) for row in idea.rows])
    for place, seen in enumerate(found.seen):
        if seen.problems:
            why = next(iter(seen.problems.values()))
            raise Refused(f"{idea.name}, row {place + 1}: {why} Mend it in the Trades pane.", code="trades")
    if not found.trades:
        raise Refused(f"{idea.name} has no trades; there is nothing to write.", code="trades")
    traded = {fold(t.asset_id) for t in found.trades}
    try:
        write_trades(path, found.trades, tuple(a for a in idea.assets if fold(a.asset_id) in traded))
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror}); choose another place.", code="file") from error
    return len(found.trades)
