"""Ideas that the store does not have as they are, and the trade that is being typed: kept, and taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from clo_desktop.store.ideas import asset_of, described
from clo_desktop.work.pad_rows import Row
from clo_desktop.work.stored_ideas import stored, typed
from clo_desktop.work.unsaved import Change

if TYPE_CHECKING:
    from clo_desktop.store import IdeaRow, StoredIdea
    from clo_desktop.work.pad import Pad


class UnsavedIdeas:
    """Of one pad. What belongs to another deal than the open one waits until that is opened."""

    def __init__(self, pad: Pad) -> None:
        self._pad = pad
        self._later: list[dict[str, Any]] = []
        pad.ideas_changed.connect(self._take_later)

    def look(self) -> Change | None:
        """What the store does not have."""
        pad = self._pad
        found = [_of_idea(deal, idea) for deal, idea in pad.shelf.waiting()] + self._later
        draft, name, deal = pad.draft, pad.ideas.current.name, pad.deal
        if draft is not None and draft != pad.rows and any(not row.blank for row in draft):
            found = [one for one in found if (one["deal"], one["name"]) != (deal, name)]
            note = pad.kept.note if pad.kept is not None else ""
            found.append({"deal": deal, "name": name, "note": note, "rows": _rows(map(stored, draft)), "assets": []})
        if not found:
            return None
        words = ", ".join(f"{one['name']} of {one['deal']} ({len(one['rows'])})" for one in found)
        return Change(f"Ideas with their trades: {words}", found)

    def restore(self, kept: list[dict[str, Any]]) -> None:
        """Puts back what `look` gave. Raises ValueError, KeyError or TypeError for what is none of it."""
        for one in kept:
            _ = one["deal"], one["name"], one["note"], one["assets"], [Row(*cells) for cells in one["rows"]]
        self._later += kept
        self._take_later()

    def _take_later(self) -> None:
        if not self.ready:
            return
        mine = [one for one in self._later if one["deal"] == self._pad.deal]
        self._later = [one for one in self._later if one["deal"] != self._pad.deal]
        for one in mine:
            rows = [Row(*cells) for cells in one["rows"]]
            self._pad.take_back(one["name"], rows, one["note"], [asset_of(text) for text in one["assets"]])

    @property
    def ready(self) -> bool:
        """Whether the stored ideas of the open deal are there, so that others can be put beside them."""
        return bool(self._pad.deal) and self._pad.shelf.loaded(self._pad.deal)


def _of_idea(deal: str, idea: StoredIdea) -> dict[str, Any]:
    return {
        "deal": deal,
        "name": idea.name,
        "note": idea.note,
        "rows": _rows(idea.rows),
        "assets": [described(asset) for asset in idea.assets],
    }


def _rows(rows: Iterable[IdeaRow]) -> list[list[str]]:
    """The cells of rows as they were typed."""
    return [list(typed(row).cells()) for row in rows]
