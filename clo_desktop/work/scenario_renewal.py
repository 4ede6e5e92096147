"""A refinancing in a scenario file: read strictly, and written so that it reads as the same. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clo_desktop.work import blocks
from clo_desktop.work.blocks import Block
from engine.refinancing import Refinancing


def read(name: str, key: str, value: Any) -> Refinancing:
    """New notes for old ones. Raises Refused naming the file, the key and the remedy."""
    block = Block(name, key, value, "a refinancing has date and margins (A-1: 1.15%)")
    given: dict[str, Any] = {
        "on": block.need("date", blocks.day, "2026-07-15"),
        "margins": block.need("margins", _by_class(blocks.spread), "{A-1: 1.15%}"),
        "balances": block.take("balances", _by_class(blocks.money)) or (),
        "costs": block.take("costs", blocks.money) or 0.0,
        "by_holders": block.take("by_holders", blocks.flag) or False,
        "no_call": block.take("no_call", blocks.day),
        "reinvest_to": block.take("reinvest_to", blocks.day),
    }
    block.end()
    return blocks.made(name, key, lambda: Refinancing(**given))


def _by_class(
    figure: Callable[[str, str, Any], float],
) -> Callable[[str, str, Any], tuple[tuple[str, float], ...]]:
    def read_all(name: str, key: str, value: Any) -> tuple[tuple[str, float], ...]:
        if not isinstance(value, dict) or not value:
            blocks.refuse(
                name, key, f"{blocks.shown(value)} stands here; write a class, a colon and its figure: A-1: 1.15%."
            )
        return tuple((str(of).strip(), figure(name, f"{key}.{of}", item)) for of, item in value.items())

    return read_all


def said(renewal: Refinancing | None) -> dict[str, Any]:
    """A refinancing by the keys of its block; nothing where there is none."""
    if renewal is None:
        return {}
    pairs = {
        "date": renewal.on,
        "margins": dict(renewal.margins),
        "balances": dict(renewal.balances) or None,
        "costs": renewal.costs or None,
        "by_holders": renewal.by_holders or None,
        "no_call": renewal.no_call,
        "reinvest_to": renewal.reinvest_to,
    }
    return {key: value for key, value in pairs.items() if value is not None}
