"""The verbs about a deal's tests: why a figure is what it is, tests of one's own, derived ratings, the inbox. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.work.desk import Desk
from engine.compliance import Compliance, TestResult, own, plan_of
from engine.compliance.formulas import Lacking
from engine.compliance.inbox import Finding, decide, inbox, joined
from engine.compliance.inspector import Line, inspected
from engine.compliance.matrix import MATRIX, Cushions, QualityMatrix, cushions
from engine.pool import Pool, fold
from engine.terms import Deal, TestLimit
from resources import library

NO_TEST: Final = "no-test"


@dataclass(frozen=True, slots=True)
class Mover:
    """One position of a test: its par, what it adds to the numerator, and what it moves the result by.

    moves  result - result without it (exact; its par gone and nothing paid for it); None where there would be none
    """

    asset_id: str
    issue: str
    issuer_id: str
    par: float
    amount: float
    counts: bool
    moves: float | None


@dataclass(frozen=True, slots=True)
class Why:
    """A test with the positions that count or move it, those that move it most first, and what is noted about it."""

    result: TestResult
    movers: tuple[Mover, ...]
    counting: int
    notes: tuple[str, ...] = ()


def why(desk: Desk, deal: str, number: int, most: int | None = None) -> Why:
    """How a test came about. `most`: at most so many positions. Raises Refused for a test that was not evaluated."""
    done = desk.comply(deal)
    result = result_of(done, number)
    moved = done.moves(number)
    order = sorted(range(len(done.pool)), key=lambda i: -abs(moved[i]) if moved[i] == moved[i] else float("-inf"))
    movers = []
    for i in order:
        counts = bool(result.members[i])
        if not counts and not moved[i]:
            continue
        asset = done.pool.assets[i]
        movers.append(
            Mover(
                asset.asset_id,
                asset.issue_name or asset.issuer_name or "",
                asset.issuer_id or "",
                float(done.pool.par[i]),
                float(result.amounts[i]),
                counts,
                float(moved[i]) if moved[i] == moved[i] else None,
            )
        )
    notes = tuple(n for n in done.notes if n.startswith(f"Test {number} "))
    return Why(result, tuple(movers[:most]), int(result.members.sum()), notes)


def result_of(done: Compliance, number: int) -> TestResult:
    """The result of a test. Raises Refused for one that was not evaluated, with why."""
    found = next((r for r in done.results if r.number == number), None)
    if found is not None:
        return found
    reason = next((n for n in done.notes if n.startswith(f"Test {number} ")), None)
    known = ", ".join(str(r.number) for r in done.results) or "none"
    raise Refused(reason or f"{done.deal} has no test {number}; its tests: {known}.", code=NO_TEST)


# --- the quality matrix ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MatrixView:
    """The pool against every cell of Moody's quality matrix.

    elected  (spread, diversity, WARF limit, spread limit) of the point that the deal elects, where it elects one
    """

    spread: float
    diversity: float
    factor: float
    recovery: float
    cells: QualityMatrix
    cushions: Cushions
    elected: tuple[float, float, float, float] | None


def quality_matrix(desk: Desk, deal: str, named: str | None = None) -> MatrixView:
    """Every cell of the deal's matrix, or of the reference table `named`. Raises Refused where there is neither."""
    done, book, catalogue = desk.comply(deal), desk.book(deal), library.catalogue()
    limits = tuple(TestLimit(n, "", "MIN", 0.0) for n in (33, 46, 36, 132))
    pool = Pool(book.positions())
    inputs = book.deal.quality_inputs if named is None else (*book.deal.quality_inputs, (MATRIX, named))
    try:
        asked = replace(book.deal, limits=limits, quality_inputs=inputs)
        plan = plan_of(asked, pool, catalogue, done.readings, book.assets.values())
        reckoned = plan.reckon(pool.par, book.deal.principal_cash)
        cells = plan.quality_matrix
        to_factor, to_spread = reckoned.allotted()
        point = None
        if plan.input("Matrix Spread") is not None and plan.input("Matrix Diversity") is not None:
            spread, diversity = (reckoned.call("input", (f"Matrix {name}",)) for name in ("Spread", "Diversity"))
            point = spread, diversity, reckoned.call("matrix_factor", ()), reckoned.call("matrix_spread", ())
    except Lacking as error:
        raise Refused(f"{deal} needs {error}; a published example is moodys_matrix_example.", code="matrix") from error
    except ValueError as error:
        raise Refused(str(error), code="matrix") from error
    spread, diversity, factor = (reckoned.figures[n].result for n in (46, 132, 36))
    found = cushions(cells, spread, diversity, factor, to_factor, to_spread)
    return MatrixView(spread, diversity, factor, reckoned.figures[33].result, cells, found, point)


# --- tests of one's own ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnTest:
    number: int
    name: str
    direction: str
    limit: float | None
    text: str


def own_tests(desk: Desk, deal: str) -> tuple[OwnTest, ...]:
    """The tests that the deal's users added."""
    return own_tests_of(desk.book(deal).deal)


def own_tests_of(deal: Deal) -> tuple[OwnTest, ...]:
    """The tests of a deal in hand that its users added."""
    texts = own.texts(deal)
    return tuple(
        OwnTest(t.number, t.name, t.direction, t.threshold, texts[t.number]) for t in deal.limits if t.number in texts
    )


def add_test(desk: Desk, deal: str, name: str, direction: str, limit: float, text: str) -> TestResult | None:
    """Stores a test of one's own with the deal and gives its result (None where the notes say why there is none).

    direction  MIN or MAX; limit  fraction, years or factor; text  see engine/compliance/own.py. Raises Refused; then
    nothing was changed.
    """
    numbers: list[int] = []

    def change(old: Any) -> Any:
        new, number = own.with_test(old, name, direction, limit, text, sets=library.catalogue().sets)
        numbers.append(number)
        return new

    desk.change(deal, change)
    return next((r for r in desk.comply(deal).results if r.number == numbers[-1]), None)


def remove_test(desk: Desk, deal: str, number: int) -> None:
    """Takes a test of one's own out of the deal. Raises Refused where it has none of that number."""
    desk.change(deal, lambda old: own.without_test(old, number))


# --- ratings and the inbox ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Inspected:
    """The ratings and recovery rates of one asset, stored and derived."""

    asset_id: str
    issue: str
    lines: tuple[Line, ...]


def ratings(desk: Desk, deal: str, asset_id: str | None = None) -> tuple[Inspected, ...]:
    """What is stored and what the rules give, of one held asset or of all. Raises Refused for one that is not held."""
    done = desk.comply(deal)
    assert done.plan is not None
    pool = Pool(desk.book(deal).positions())
    chosen = [a for a in pool.assets if asset_id is None or fold(a.asset_id) == fold(asset_id)]
    if not chosen and asset_id is not None:
        raise Refused(f"{deal} does not hold {asset_id}; check the id.", code="no-asset")
    return tuple(
        Inspected(a.asset_id, a.issue_name or a.issuer_name or "", inspected(a, done.plan.basis)) for a in chosen
    )


def doubts(desk: Desk, deal: str) -> tuple[Finding, ...]:
    """The validation inbox of a deal, open doubts first."""
    done, book, catalogue = desk.comply(deal), desk.book(deal), library.catalogue()
    assert done.plan is not None
    pool = Pool(book.positions())
    return inbox(book.deal, pool, done.readings, done.plan.tables, library.doubts(), catalogue.sets)


def settle(desk: Desk, deal: str, key: str, word: str) -> Finding:
    """Stores a decision about a doubt. Raises Refused for an unknown doubt or word; then nothing was changed."""
    finding = next((f for f in doubts(desk, deal) if fold(f.key) == fold(key)), None)
    if finding is None:
        raise Refused(f"The inbox of {deal} has no {key!r}; `clo inbox` lists what it has.", code="no-doubt")
    desk.change(deal, lambda old: decide(old, finding, word))
    return finding


def inbox_of(desk: Desk, deal: str) -> tuple[Finding, ...]:
    """The validation inbox with what was decided, issuers decided to be one obligor among it; open doubts first."""
    return (*doubts(desk, deal), *joined(desk.book(deal).deal, Pool(desk.book(deal).positions())))
