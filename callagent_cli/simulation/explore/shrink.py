"""Makes a failing world small: whatever can be left out while it still fails, is."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Final

import msgspec

from callagent_cli.simulation.explore.explore import try_world
from callagent_cli.simulation.explore.random_world import Plain, RandomWorld

TRIES_MAX: Final = 150
_LESS: Final = ("probability", "flap")

Fails = Callable[[RandomWorld], bool]


Tried = Callable[[int, RandomWorld], None]
"""Takes the number of tries so far, and the smallest world found by them."""


def shrunken(
    world: RandomWorld, broken: str, *, tries_max: int = TRIES_MAX, tried: Tried | None = None
) -> RandomWorld:
    """Return the smallest world found that breaks the same invariant.

    `tried` is called after each try: whoever gives up has the smallest world so far.
    """

    def fails(candidate: RandomWorld) -> bool:
        return broken in try_world(candidate).broken

    return shrink(world, fails, tries_max=tries_max, tried=tried)


def shrink(
    world: RandomWorld, fails: Fails, *, tries_max: int = TRIES_MAX, tried: Tried | None = None
) -> RandomWorld:
    """Return the smallest world found for which `fails` is still true."""
    tries = 0
    found = True
    while found:
        found = False
        for candidate in _smaller(world):
            if tries == tries_max:
                return world
            tries += 1
            found = fails(candidate)
            world = candidate if found else world
            if tried is not None:
                tried(tries, world)
            if found:
                break
    return world


def _smaller(world: RandomWorld) -> Iterator[RandomWorld]:
    """Yield worlds with one thing less, the biggest steps first."""
    kills = world.kills
    for index in range(len(kills)):
        yield msgspec.structs.replace(world, kills=kills[:index] + kills[index + 1 :])
    for index in range(len(world.plain["timeline"])):
        plain = deepcopy(world.plain)
        del plain["timeline"][index]
        yield msgspec.structs.replace(world, plain=plain)
    for plain in _simpler(world.plain):
        yield msgspec.structs.replace(world, plain=plain)


def _simpler(plain: Plain) -> Iterator[Plain]:
    yield from _fewer(plain["campaign"], plain)
    for part in ("settings", "people", "services"):
        if plain[part]:
            yield {**plain, part: {}}
    for index, phase in enumerate(plain["timeline"]):
        for name in _LESS:
            if name in phase:
                timeline = deepcopy(plain["timeline"])
                del timeline[index][name]
                yield {**plain, "timeline": timeline}


def _fewer(campaign: Plain, plain: Plain) -> Iterator[Plain]:
    for name in ("contacts", "lanes"):
        known = campaign[name]
        for number in sorted({1, known // 2, known - 1}):
            if 1 <= number < known:
                yield {**plain, "campaign": {**campaign, name: number}}
