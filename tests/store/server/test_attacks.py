"""Nobody does on a shared server what they may not, whatever program they use."""

from __future__ import annotations

import collections

from tests.store.server.attacks import breach, every
from tests.store.server.world import World


def breaches(world: World) -> list[str]:
    """What all the attacks achieved."""
    by_person = collections.defaultdict(list)
    for attack in every(world):
        by_person[attack.who].append(attack)
    found = []
    for who, attacks in by_person.items():
        on = world.connect(who)
        for attack in attacks:
            if on.closed:
                on = world.connect(who)
            found.append(breach(on, attack))
        on.close()
    return [said for said in found if said is not None]


def test_that_no_attack_achieves_anything(world: World) -> None:
    assert len(every(world)) >= 400
    assert "\n".join(breaches(world)) == ""
