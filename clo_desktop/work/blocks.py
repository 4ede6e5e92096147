"""Settings as YAML, read strictly: blocks of which every key must be known, and values with their bounds. No Qt.

Readers of values take the file's name, where the value stands and the value; what is wrong they refuse with these.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

import yaml

from clo_desktop.faults import Refused
from engine import ratings

T = TypeVar("T")

CODE: Final = "scenario"
_FIRST, _LAST = dt.date(1990, 1, 1), dt.date(2150, 12, 31)
_UNITS: Final = (("%", "e-2"), ("bp", "e-4"))


class _Loader(yaml.SafeLoader):
    """Plain data; a key that stands twice is refused, where YAML would forget the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value[:60]!r} stands twice", problem_mark=key.start_mark)
                seen.add(key.value)
        made = super().construct_mapping(node, deep)
        if len(made) < len(seen):  # 24 and 24.0
            raise yaml.MarkedYAMLError(problem="a key stands twice", problem_mark=node.start_mark)
        return made


def loaded(text: str, name: str) -> Any:
    """The text as plain data."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f"line {mark.line + 1}"
        said = error.problem or error.context or "no YAML"
        remedy = "write it once" if "twice" in said else "check indents, brackets and colons"
        refuse(name, place, f"it cannot be read ({said}); {remedy}.")
    except RecursionError:
        refuse(name, "", "it holds lists too deep within each other; write it flatter.")
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        refuse(name, "", f"it cannot be read ({str(error)[:120]}); check dates, numbers and signs.")


def refuse(name: str, key: str, said: str) -> NoReturn:
    """Raises Refused naming the file and the key ("": the whole file)."""
    where = f"{name}, {key}" if key else name
    raise Refused(f"{where}: {said}", code=CODE)


def made(name: str, key: str, make: Callable[[], T]) -> T:
    """What `make` makes; the engine's complaint names the file and the key."""
    try:
        return make()
    except ValueError as error:
        refuse(name, key, str(error))


class Block:
    """A mapping of the file of which every key must be taken; `key` is where it stands."""

    def __init__(self, name: str, key: str, data: Any, wanted: str) -> None:
        if not isinstance(data, dict):
            refuse(name, key, f"{shown(data)} stands here; {wanted}.")
        for word in data:
            if not isinstance(word, str):
                refuse(name, key, f"{shown(word)} is no key; write a word, in quotes where it is a number.")
        self.name, self.key = name, key
        self._left: dict[str, Any] = dict(data)
        self._known: list[str] = []

    def at(self, word: str) -> str:
        return f"{self.key}.{word}" if self.key else word

    def take(self, word: str, read: Callable[[str, str, Any], T]) -> T | None:
        """The value of a key as `read` reads it; None where the key is not there or empty."""
        self._known.append(word)
        value = self._left.pop(word, None)
        return None if value is None else read(self.name, self.at(word), value)

    def need(self, word: str, read: Callable[[str, str, Any], T], such_as: str) -> T:
        found = self.take(word, read)
        if found is None:
            refuse(self.name, self.key, f"{word} is missing; write it, such as {word}: {such_as}.")
        return found

    def end(self) -> None:
        """Refuses keys that nobody took."""
        for word in self._left:
            known = ", ".join(self._known)
            refuse(self.name, self.at(word), f"there is no such key; known here are {known}.")


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return f"“{text[:40]}{'…' if len(text) > 40 else ''}”"


# --- values ------------------------------------------------------------------------------------------------------

RATE_WORDS: Final = "a rate is a number or a percentage (0.03 or 3%)"
MONTHS: Final = "a number of months such as 12"


def number(name: str, key: str, value: Any, low: float, high: float, wanted: str, units: bool = True) -> float:
    """A finite number within bounds; with `units` also a percentage or basis points."""
    text = value
    if units and isinstance(value, str):
        for unit, power in _UNITS:  # 4.1% is read as 4.1e-2: the same number as 0.041
            if value.strip().endswith(unit):
                text = value.strip().removesuffix(unit).strip() + power
    try:
        made = float(text) if isinstance(text, int | float | str) and not isinstance(text, bool) else math.nan
    except (ValueError, OverflowError):
        made = math.nan
    if not math.isfinite(made):
        refuse(name, key, f"{shown(value)} cannot be read; {wanted}.")
    if not low <= made <= high:
        refuse(name, key, f"{shown(value)} is not from {low:g} to {high:g}; {wanted}.")
    return made


def text(name: str, key: str, value: Any) -> str:
    """A text, trimmed."""
    if not isinstance(value, str):
        refuse(name, key, f"{shown(value)} is no text; write it in quotes.")
    return value.strip()


def flag(name: str, key: str, value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        refuse(name, key, f"{shown(value)} is neither; write true or false.")
    return value


def day(name: str, key: str, value: Any) -> dt.date:
    """A date of the years that deals live in."""
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value.strip())
        except ValueError:
            value = value.strip()
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        refuse(name, key, f"{shown(value)} is no date; write 2027-04-15.")
    if not _FIRST <= value <= _LAST:
        refuse(name, key, f"{value.isoformat()} is not from {_FIRST.year} to {_LAST.year}; correct the date.")
    return value


def share(name: str, key: str, value: Any) -> float:
    """From 0 to 1."""
    return number(name, key, value, 0.0, 1.0, "a share or rate is from 0 to 1 (0.03 or 3%)")


def change(name: str, key: str, value: Any) -> float:
    """A relative change, from all lost to twice as much."""
    return number(name, key, value, -1.0, 1.0, "a change is from -100% to 100% (-0.2 or -20%)")


def lag(name: str, key: str, value: Any) -> float:
    """Months, at most ten years."""
    return number(name, key, value, 0.0, 120.0, MONTHS, units=False)


def price(name: str, key: str, value: Any) -> float:
    """Percent of par."""
    return number(name, key, value, 1.0, 200.0, "a price is a percentage of par such as 97.5", units=False)


def money(name: str, key: str, value: Any) -> float:
    """An amount above nothing."""
    return number(name, key, value, 0.01, 1e12, "an amount such as 250000", units=False)


def spread(name: str, key: str, value: Any) -> float:
    """Within 20 % up or down."""
    return number(name, key, value, -0.2, 0.2, "a spread or shift is within 20 % (0.005, 0.5% or 50bp)")


def rating(name: str, key: str, value: Any) -> str:
    """A rating of Moody's scale; S&P's are read as the Moody's ones that they equal."""
    found = ratings.as_moodys(value) if isinstance(value, str) else None
    if found is None:
        refuse(
            name, key, f"{shown(value)} is no rating to buy; write one of Moody's, such as B2, or of S&P's, such as B."
        )
    return found


def whole(low: int, high: int) -> Callable[[str, str, Any], int]:
    """A reader of whole numbers within bounds."""

    def read(name: str, key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            refuse(name, key, f"{shown(value)} is no whole number from {low} to {high}.")
        return value

    return read


def items(name: str, key: str, value: Any) -> list[Any]:
    """A list that holds something."""
    if not isinstance(value, list) or not value:
        refuse(name, key, f"{shown(value)} stands here; write a list, each entry after a dash.")
    return value


def each(name: str, key: str, value: Any) -> list[tuple[str, Any]]:
    """The entries of a list, each with where it stands."""
    return [(f"{key}[{place}]", item) for place, item in enumerate(items(name, key, value), start=1)]


def by_id(name: str, key: str, value: Any) -> list[tuple[str, str, Any]]:
    """The entries of a mapping by asset id, each with where it stands."""
    block = Block(name, key, value, "write an asset id, a colon, and what happens to it")
    return [(word.strip(), block.at(word), item) for word, item in block._left.items()]
