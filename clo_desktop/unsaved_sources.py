"""What of the window may hold something that is not stored. A pane that comes to hold such a thing is named here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clo_desktop.dialogs.own_test import OwnTestDialog
from clo_desktop.work.unsaved import Change, Source
from clo_desktop.work.unsaved_ideas import UnsavedIdeas

if TYPE_CHECKING:
    from clo_desktop.window import Window


def sources(window: Window) -> tuple[Source, ...]:
    """In the order in which it is taken back."""
    run, scenarios, trades = window.run_pane, window.scenarios, window.trades
    ideas = UnsavedIdeas(trades.pad)

    def written() -> Change | None:
        dialog = window.findChild(OwnTestDialog)
        return dialog.unsaved() if isinstance(dialog, OwnTestDialog) else None

    def write_again(kept: dict[str, Any]) -> None:
        window.write_test(kept["number"]).restore(kept)

    return (
        Source("run", run.unsaved, run.restore, lambda: run.ready),
        Source("scenarios", scenarios.unsaved, scenarios.restore, lambda: scenarios.ready),
        Source("ideas", ideas.look, ideas.restore, lambda: ideas.ready, outlives=True),
        Source("bids", trades.unsaved_list, trades.restore_list),
        Source("test", written, write_again),
        Source("note", trades.unsaved_note, trades.restore_note),
    )
