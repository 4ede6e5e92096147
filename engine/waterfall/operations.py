"""Operations of a register program, and what a builder collects: operations on figures, and regions of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# operations: d is the row written, a, b, c rows read
COPY: Final = 0
ADD: Final = 1
SUB: Final = 2
MUL: Final = 3
DIV: Final = 4  # 0 where b is 0
MIN: Final = 5
MAX: Final = 6
LESS: Final = 7  # 1 or 0
LESS_EQUAL: Final = 8
EQUAL: Final = 9
SELECT: Final = 10  # a is not 0: b, else c
EXCESS: Final = 11  # max(a - b, 0)
POWER: Final = 12
SKIP: Final = 13  # to operation c where a is 0 in every lane
DELAY: Final = 14  # d = what went into line b `c` dates ago; a goes in
DUE: Final = 15  # d = balance of cohort b that matures on this date
SHRINK: Final = 16  # cohort b times a; what matured goes
BUY: Final = 17  # a joins cohort b, to mature c dates from now
CCC: Final = 18  # d = haircut of the CCC excess over the limit a
WATCH: Final = 27  # a is the last of the watched balances, before CCC looks at them
# made by `flatten` out of two of the above
MULTIPLY_ADD: Final = 19  # a x b + c, each rounded
ADD_ADD: Final = 20  # (a + b) + c
SELECT_LESS: Final = 21  # a < b: c, else e
PAY: Final = 22  # d = min(a, b), and e = a - d
# the same in the place of a: d is a
ADD_TO: Final = 23
SUB_FROM: Final = 24
EXCESS_OF: Final = 25
MULTIPLY_ADD_TO: Final = 26  # d = b x c + d
IN_PLACE: Final[Mapping[int, int]] = {ADD: ADD_TO, SUB: SUB_FROM, EXCESS: EXCESS_OF}

# operations that change what the pool keeps; those whose b or c is a number and not a row
EFFECTS: Final = frozenset({SHRINK, BUY, DELAY, WATCH})
IMMEDIATE_B: Final = frozenset({DELAY, DUE, SHRINK, BUY})
IMMEDIATE_C: Final = frozenset({DELAY, BUY})
NONE: Final = -1
"""No figure."""


@dataclass(slots=True, eq=False)
class Operation:
    """One operation on figures; the rows come later."""

    code: int
    target: int
    a: int = NONE
    b: int = NONE
    c: int = NONE
    e: int = NONE
    also: int = NONE  # a second figure it makes

    def reads(self) -> tuple[int, ...]:
        """Figures that the operation reads."""
        read = [self.a]
        if self.code not in IMMEDIATE_B:
            read.append(self.b)
        if self.code not in IMMEDIATE_C:
            read.append(self.c)
        read.append(self.e)
        return tuple(figure for figure in read if figure != NONE)


@dataclass(slots=True, eq=False)
class Region:
    """Operations that are skipped where no lane needs them.

    settled  [(figure after the region, figure before it, figure within)]: a figure of the first name holds the second
             where the region is skipped, and the third where it is run
    """

    mask: int
    body: list[Operation | Region]
    settled: list[tuple[int, int, int]]
