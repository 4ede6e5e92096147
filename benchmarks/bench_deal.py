"""The deal of the engine benchmark: 200 loans, 40 quarters, six classes and subordinated notes, five coverage tests.

`made` invents one from a seed; `read` takes one of the same layout from JSON (conventions, collateral, tranches, fees,
coverage_tests). Money in the deal's currency, rates as fractions a year; every period is a quarter of a year exactly.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SEED: Final = 20250115
SHARED: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "cases" / "bench_deal.json"
"""A deal of this layout with figures of another's reference run; absent where the project stands alone."""


@dataclass(frozen=True, slots=True)
class BenchLoan:
    """One floating loan.

    par              at closing;  spread over the index, floor on the index
    maturity_period  payments until it repays (1: on the first payment date)
    amortisation     a year, as a share of the balance that is left after the period's defaults
    price            share of par
    """

    id: str
    par: float
    spread: float
    floor: float
    maturity_period: int
    amortisation: float
    rating: str
    price: float


@dataclass(frozen=True, slots=True)
class BenchClass:
    """A class of notes; interest that a deferrable one misses is added to its balance at the end of the period."""

    id: str
    balance: float
    spread: float
    deferrable: bool


@dataclass(frozen=True, slots=True)
class BenchTest:
    """Coverage tests after the `covers` most senior classes; ic is None where there is no interest coverage test."""

    id: str
    covers: int
    oc: float
    ic: float | None


@dataclass(frozen=True, slots=True)
class BenchDeal:
    """A deal of the benchmark.

    index    of each period, of loans and notes alike
    classes  in order of seniority, without the subordinated notes, whose original balance is `equity`
    trustee, senior, sub  fees a year, of the performing par at the start of the period
    """

    name: str
    closing: dt.date
    index: tuple[float, ...]
    loans: tuple[BenchLoan, ...]
    classes: tuple[BenchClass, ...]
    equity: float
    trustee: float
    senior: float
    sub: float
    tests: tuple[BenchTest, ...]

    @property
    def n_periods(self) -> int:
        return len(self.index)

    @property
    def par(self) -> float:
        return sum(loan.par for loan in self.loans)

    def date(self, periods: int) -> dt.date:
        """The day so many periods after closing, the same day of the month, on no business day rule."""
        months = self.closing.month - 1 + 3 * periods
        return self.closing.replace(year=self.closing.year + months // 12, month=months % 12 + 1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Default rate and prepayment rate a year; recovery: share of a default, received on the same date."""

    cdr: float
    cpr: float
    recovery: float


BASE: Final = Scenario(0.02, 0.15, 0.70)


def grid() -> tuple[Scenario, ...]:
    """W2: CDR 0 to 9 % by 1, CPR 5 to 50 % by 5, recovery 40 to 85 % by 5; 1,000 scenarios, recovery fastest."""
    return tuple(
        Scenario(d / 100, p / 100, r / 100) for d in range(10) for p in range(5, 55, 5) for r in range(40, 90, 5)
    )


_RATINGS: Final = (("BB", 0.0300), ("BB-", 0.0325), ("B+", 0.0350), ("B", 0.0385), ("B-", 0.0440), ("CCC+", 0.0540))
_WEIGHTS: Final = (10, 14, 22, 30, 18, 6)


def made(seed: int = SEED, n_loans: int = 200, n_periods: int = 40) -> BenchDeal:
    """A deal from the seed: about USD 500m of loans of many sizes, at 95 % of debt to par or less."""
    draw = random.Random(seed)
    loans = tuple(_loan(draw, i, n_periods) for i in range(n_loans))
    par = sum(loan.par for loan in loans)
    shares = (
        ("A", 0.620, 0.0135),
        ("B", 0.110, 0.0185),
        ("C", 0.060, 0.0240),
        ("D", 0.055, 0.0340),
        ("E", 0.045, 0.0640),
        ("F", 0.014, 0.0830),
    )
    classes = tuple(
        BenchClass(name, round(par * share, -4), spread, deferrable=name not in "AB") for name, share, spread in shares
    )
    first, last, falling = 0.0440, 0.0330, 12
    return BenchDeal(
        name=f"Bench {seed}",
        closing=dt.date(2025, 1, 15),
        index=tuple(
            round(first + (last - first) * min(t, falling) / falling, 4)  # loans reset on five decimals
            for t in range(n_periods)
        ),
        loans=loans,
        classes=classes,
        equity=par - sum(c.balance for c in classes),
        trustee=0.0002,
        senior=0.0015,
        sub=0.0035,
        tests=(
            BenchTest("AB", 2, 1.25, 1.20),
            BenchTest("C", 3, 1.17, 1.10),
            BenchTest("D", 4, 1.11, 1.05),
            BenchTest("E", 5, 1.06, None),
            BenchTest("F", 6, 1.045, None),
        ),
    )


def _loan(draw: random.Random, i: int, n_periods: int) -> BenchLoan:
    rating, spread = draw.choices(_RATINGS, _WEIGHTS)[0]
    return BenchLoan(
        id=f"B{i:03d}",
        par=draw.randrange(1_000_000, 4_000_001, 50_000),
        spread=round(spread + draw.uniform(-0.004, 0.004), 4),
        floor=draw.choice((0.0, 0.0, 0.005, 0.0075)),
        maturity_period=draw.randint(min(12, n_periods), n_periods) if i else n_periods,
        amortisation=draw.choice((0.0, 0.0, 0.01)),
        rating=rating,
        price=round(draw.uniform(0.94, 1.0), 4) if rating != "CCC+" else round(draw.uniform(0.75, 0.92), 4),
    )


def read(path: Path = SHARED) -> BenchDeal:
    """The deal of a JSON file. Raises OSError where it is absent, KeyError or ValueError for another layout."""
    return deal_of(json.loads(path.read_text(encoding="utf-8")))


def deal_of(data: Mapping[str, Any]) -> BenchDeal:
    """The deal of a parsed file. Raises KeyError or ValueError for another layout."""
    debt = [t for t in data["tranches"] if not t.get("equity")]
    names = [t["id"] for t in debt]
    closing = dt.date.fromisoformat(data["closing_date"])
    index = tuple(map(float, data["conventions"]["index_by_period"]))
    if len(index) != data["n_periods"] or data["conventions"]["accrual_factor"] != 0.25:
        raise ValueError("The benchmark takes quarters of exactly 0.25 years, with one index for each.")
    return BenchDeal(
        name=data["name"],
        closing=closing,
        index=index,
        loans=tuple(
            BenchLoan(
                id=row["id"],
                par=float(row["par"]),
                spread=float(row["spread"]),
                floor=float(row["floor"]),
                maturity_period=int(row["maturity_period"]),
                amortisation=float(row["amort_pct_pa"]),
                rating=row["rating"],
                price=float(row["price"]),
            )
            for row in data["collateral"]
        ),
        classes=tuple(
            BenchClass(t["id"], float(t["balance"]), float(t["spread"]), bool(t["deferrable"])) for t in debt
        ),
        equity=sum(float(t["balance"]) for t in data["tranches"] if t.get("equity")),
        trustee=float(data["fees"]["trustee_pa"]),
        senior=float(data["fees"]["senior_mgmt_pa"]),
        sub=float(data["fees"]["sub_mgmt_pa"]),
        tests=tuple(_tests(data["coverage_tests"], names)),
    )


def _tests(rows: list[Mapping[str, Any]], names: list[str]) -> Iterator[BenchTest]:
    for row in rows:
        covers = len(row["classes"])
        if row["classes"] != names[:covers]:
            raise ValueError(f"Test {row['id']} does not cover the most senior classes without a gap.")
        yield BenchTest(row["id"], covers, float(row["oc"]), None if row["ic"] is None else float(row["ic"]))
