"""Trade ideas: lists of trades with a history, as named branches side by side. Everything is a value: nothing is
changed in place, so any state can be kept, compared and replayed. T is a Trade, or a row as it was typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Branch(Generic[T]):
    """One idea. `trades` is how it stands; `past` and `future` are what undo and redo go to, the nearest last."""

    name: str
    trades: tuple[T, ...] = ()
    past: tuple[tuple[T, ...], ...] = ()
    future: tuple[tuple[T, ...], ...] = ()

    def put(self, trades: Iterable[T]) -> Branch[T]:
        """Other trades; a step that undo takes back. The same trades are no step."""
        made = tuple(trades)
        if made == self.trades:
            return self
        return replace(self, trades=made, past=(*self.past, self.trades), future=())

    def add(self, *trades: T) -> Branch[T]:
        return self.put((*self.trades, *trades))

    def undo(self) -> Branch[T]:
        """One step back; the same where there is none."""
        if not self.past:
            return self
        return replace(self, trades=self.past[-1], past=self.past[:-1], future=(*self.future, self.trades))

    def redo(self) -> Branch[T]:
        """One step forward again; the same where there is none."""
        if not self.future:
            return self
        return replace(self, trades=self.future[-1], past=(*self.past, self.trades), future=self.future[:-1])


def _first() -> tuple[Branch[Any], ...]:
    return (Branch("Idea 1"),)


@dataclass(frozen=True, slots=True)
class Ideas(Generic[T]):
    """Branches side by side, and which one is worked on."""

    branches: tuple[Branch[T], ...] = field(default_factory=_first)
    at: int = 0

    @property
    def current(self) -> Branch[T]:
        return self.branches[self.at]

    def changed(self, branch: Branch[T]) -> Ideas[T]:
        """The current branch replaced, such as by its `put` or `undo`."""
        return replace(self, branches=(*self.branches[: self.at], branch, *self.branches[self.at + 1 :]))

    def branch(self, name: str = "") -> Ideas[T]:
        """A copy of the current branch with its history, to go on with. Raises ValueError for a name that is taken."""
        made = replace(self.current, name=self._free(name))
        return Ideas((*self.branches, made), len(self.branches))

    def fresh(self, name: str = "") -> Ideas[T]:
        """A new branch without trades, to go on with. Raises ValueError for a name that is taken."""
        return Ideas((*self.branches, Branch(self._free(name))), len(self.branches))

    def switch(self, name: str) -> Ideas[T]:
        """Work on the branch of that name. Raises ValueError where there is none."""
        return replace(self, at=self._place(name))

    def rename(self, name: str) -> Ideas[T]:
        """Another name for the current branch. Raises ValueError for one that is taken."""
        if name == self.current.name:
            return self
        return self.changed(replace(self.current, name=self._free(name)))

    def drop(self, name: str) -> Ideas[T]:
        """Without the branch of that name; the last one is emptied instead. Raises ValueError where there is none."""
        place = self._place(name)
        left = (*self.branches[:place], *self.branches[place + 1 :])
        if not left:
            return Ideas()
        return Ideas(left, min(self.at - (place < self.at), len(left) - 1))

    def _place(self, name: str) -> int:
        for place, branch in enumerate(self.branches):
            if branch.name == name:
                return place
        raise ValueError(f"There is no branch {name!r}; branches: {', '.join(b.name for b in self.branches)}.")

    def _free(self, name: str) -> str:
        """The name, or the next "Idea n" for none."""
        taken = {b.name for b in self.branches}
        name = name.strip()
        if not name:
            return next(n for i in range(1, len(taken) + 2) if (n := f"Idea {i}") not in taken)
        if name in taken:
            raise ValueError(f"There is a branch {name!r} already; choose another name.")
        return name
