"""Nobody does on a shared server what they may not, whatever program they use."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from tests.store.server.attacks import breach, every
from tests.store.server.world import World


def breaches(world: World) -> Iterator[str]:
    """What the attacks achieve, one after the other."""
    by_person = collections.defaultdict(list)
    for attack in every(world):
        by_person[attack.who].append(attack)
    for who, attacks in by_person.items():
        on = world.connect(who)
        for attack in attacks:
            if on.closed:
                on = world.connect(who)
            if (said := breach(on, attack)) is not None:
                yield said
        on.close()


def test_that_no_attack_achieves_anything(world: World) -> None:
    assert len(every(world)) >= 400
    assert "\n".join(breaches(world)) == ""
