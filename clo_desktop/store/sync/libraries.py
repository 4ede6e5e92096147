"""The libraries of scenarios of a workspace file and of its server, brought together.

Versions are only added, and a scenario on a server is changed by its owner alone: nothing can conflict. Where both have
a scenario, its versions are compared by their texts from the first on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count, takewhile

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import Store, scenarios
from clo_desktop.store.scenarios import Saved

Versions = tuple[Saved, ...]
Library = dict[str, Versions]
Names = tuple[str, ...]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What came of it, by the names of scenarios.

    came, sent  of these there are further versions here, on the server
    apart       what was changed here of somebody else's scenario: (its name, that of the own one it is kept as)
    refused     what could not be sent: (name, the words of the refusal); it is still here
    """

    came: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """As a sentence; empty where nothing was to be done."""
        said = [f"{len(names)} {word}" for names, word in ((self.came, "came"), (self.sent, "sent")) if names]
        lines = [f"Scenarios: {', '.join(said)}."] if said else []
        lines += [
            f"What you changed of {name}, which is somebody else's, is kept as {own}." for name, own in self.apart
        ]
        lines += [f"The scenario {name} was not sent: {why}" for name, why in self.refused]
        return "\n".join(lines)


def exchange(local: Store, server: Store, *, push: bool = True) -> Exchanged:
    """Fetch what the server's library has further and, with `push`, send what was made here.

    A scenario that was made here becomes that of the person signed in. What was changed here of somebody else's becomes
    a scenario of one's own. What was fetched stays here though the server deletes it.

    Raises Refused where the server cannot be asked. What was done until then stays, and the next exchange goes on:
    a version that is there already is never sent again.
    """
    there, here = _library(server), _library(local)
    came, apart = _fetch(local, server.person, there, here)
    sent, refused = _send(local, server, there, here) if push else ((), ())
    return Exchanged(came, sent, apart, refused)


def _fetch(local: Store, person: str, there: Library, here: Library) -> tuple[Names, Pairs]:
    """Puts what the server has further into the file; `here` is then as the file is. The names, and what is apart."""
    came: list[str] = []
    apart: list[tuple[str, str]] = []
    for key, theirs in there.items():
        head, mine = theirs[-1], here.get(key, ())
        common = _common(mine, theirs)
        own = tuple(_owned(one, head.name, head.owner) for one in mine[common:])
        if own and head.owner != person:
            name = _free(head.name, person, {*there, *here})
            here[name.casefold()] = _put(local, (), tuple(_owned(one, name, local.person) for one in own))
            apart.append((head.name, name))
            own = ()
        if common < len(theirs) or len(mine) > common + len(own):
            here[key] = _put(local, mine, (*theirs, *own))
        if common < len(theirs):
            came.append(head.name)
    return tuple(came), tuple(apart)


def _send(local: Store, server: Store, there: Library, here: Library) -> tuple[Names, Pairs]:
    """Saves on the server what only the file has. The names, and what the server refused."""
    sent: list[str] = []
    refused: list[tuple[str, str]] = []
    for key, mine in here.items():
        theirs, name = there.get(key, ()), mine[-1].name
        waiting = mine[len(theirs) :]
        if not waiting or (not theirs and mine[-1].owner != local.person):
            continue
        try:
            for one in waiting:
                server.save_scenario(name, one.text, server.person, one.note, mine[-1].tags)
        except Refused as reason:
            if reason.code not in _STAYS:
                raise
            refused.append((name, reason.message))
            continue
        if not theirs:
            _put(local, mine, tuple(_owned(one, name, server.person) for one in mine))
        sent.append(name)
    return tuple(sent), tuple(refused)


_STAYS = frozenset({"rights", scenarios.CODE})
"""Codes of refusals of one scenario: it is locked, or not for this person to save."""


def _library(store: Store) -> Library:
    with store.reading() as on:
        return _by_key(on)


def _by_key(on: sa.Connection) -> Library:
    return {name.casefold(): versions for name, versions in scenarios.library(on).items()}


def _common(mine: Versions, theirs: Versions) -> int:
    """How many versions from the first on say the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0].text == pair[1].text, zip(mine, theirs, strict=False)))


def _owned(one: Saved, name: str, owner: str) -> Saved:
    return replace(one, name=name, owner=owner)


def _free(name: str, person: str, taken: set[str]) -> str:
    """A name for the own version of somebody else's scenario."""
    wanted = f"{name} of {person.partition('@')[0]}"
    return next(one for n in count(1) if (one := wanted if n == 1 else f"{wanted} {n}").casefold() not in taken)


def _put(local: Store, was: Versions, versions: Versions) -> Versions:
    """These versions in the place of those that were read. Raises Refused where another program saved one meanwhile."""
    name = versions[-1].name
    with local.writing() as on:
        if len(_by_key(on).get(name.casefold(), ())) != len(was):
            raise Refused(f"The scenario {name} was changed meanwhile; synchronise again.", code="conflict")
        scenarios.put(on, versions)
    return versions
