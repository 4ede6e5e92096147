"""Expressions of the waterfall language: what they say, how they bind, and that no text does harm."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.waterfall.expressions import (
    DEEPEST,
    LONGEST,
    WORDS,
    Binary,
    Controlling,
    Expression,
    Function,
    Number,
    Reference,
    SumOver,
    Unary,
    WaterfallError,
    constant,
    parse,
    references,
)
from engine.waterfall.wording import words


def ref(name: str) -> Reference:
    return Reference(tuple(name.split(".")))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7.0),
        ("5%", 0.05),
        ("1_000_000", 1e6),
        ("1e6", 1e6),
        (".5", 0.5),
        ("2.5e-1", 0.25),
        ("true", 1.0),
        ("false", 0.0),
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("8 / 4 / 2", 1.0),
        ("8 - 4 - 2", 2.0),
        ("2-1", 1.0),
        ("- 3 - -2", -1.0),
        ("-2 * 3", -6.0),
        ("1 / 0", 0.0),
        ("min(3, 1, 2)", 1.0),
        ("max(3, 1, 2)", 3.0),
        ("abs(-4)", 4.0),
        ("if(1 < 2, 5, 6)", 5.0),
        ("if(0, 5, 6)", 6.0),
        ("1 < 2 and 2 <= 2", 1.0),
        ("1 > 2 or 2 >= 3", 0.0),
        ("not 1 == 2", 1.0),
        ("1 != 2 and not 0", 1.0),
        ("0 and 0 or 1", 1.0),
        ("5\n  + 1", 6.0),
    ],
)
def test_that_arithmetic_has_the_usual_value(text: str, value: float) -> None:
    assert constant(parse(text, "here")) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cash", ref("cash")),
        ("class.A-1.balance", ref("class.A-1.balance")),
        ("class.1.balance", ref("class.1.balance")),
        ("cash - 1", Binary("-", ref("cash"), Number(1.0))),
        ("classes(A-1, B).total", SumOver(("A-1", "B"), "total")),
        ("classes( A )  .total", None),
        ("controlling == A-1", Controlling("A-1")),
        ("controlling == 1A", Controlling("1A")),
        ("controlling != C", Unary("not", Controlling("C"))),
        ("not controlling == C", Unary("not", Controlling("C"))),
        ("phase.x and controlling == C", Binary("and", ref("phase.x"), Controlling("C"))),
        ("not a < b", Unary("not", Binary("<", ref("a"), ref("b")))),
        ("if(a, b, c)", Function("if", (ref("a"), ref("b"), ref("c")))),
    ],
)
def test_that_references_read_as_written(text: str, expected: Expression | None) -> None:
    if expected is None:
        with pytest.raises(WaterfallError):
            parse(text, "here")
    else:
        assert parse(text, "here") == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a = b", "character 3: .*write =="),
        ("1 < 2 < 3", "a < b and b < c"),
        ("foo(1)", "no function 'foo'"),
        ("cash 2", "character 6"),
        ("(1", r"'\)' is missing"),
        ("1)", "was not expected"),
        ("min(1)", "2 or more"),
        ("abs(1, 2)", "takes 1"),
        ("if(1, 2)", "takes 3"),
        ("1A", "neither a number nor a name"),
        ("1e999", "too large"),
        ("classes(A)", r"classes\(A, B\)\.balance"),
        ("classes()", "id of a class"),
        ("classes(A.balance)", "id of a class"),
        ("controlling", "controlling == <class>"),
        ("controlling == ", "id of a class"),
        ("a and", "end of the text"),
        ("or b", "value was expected"),
        ("a $ b", r"'\$'"),
        ("a.", r"'\.'"),
        ("1..2", "understood"),
        ("(" * 500, f"more than {DEEPEST} levels"),
        ("not " * 500 + "1", f"more than {DEEPEST} levels"),
        ("1" + "+1" * 1900, f"more than {DEEPEST} levels"),
        ("min(1," * 300, f"more than {DEEPEST} levels"),
        ("1" * (LONGEST + 1), "too long"),
        ("__import__('os')", "not understood"),
        ("lambda: 1", "not understood"),
        ("[1]", "not understood"),
    ],
)
def test_that_a_wrong_expression_is_refused_with_the_place_and_the_remedy(text: str, says: str) -> None:
    with pytest.raises(WaterfallError, match=says) as refused:
        parse(text, "interest step 3")
    assert str(refused.value).startswith("interest step 3")
    assert len(str(refused.value)) < 400


_ids = st.from_regex(r"[A-Z][A-Z0-9]{0,3}(-[1-9])?", fullmatch=True)
_names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda n: n not in WORDS)
_numbers = st.floats(0, 1e12).map(Number)
_leaves = st.one_of(
    _numbers,
    _names.map(lambda n: Reference((n,))),
    st.builds(lambda root, i, figure: Reference((root, i, figure)), _names, _ids, _names),
    st.builds(SumOver, st.lists(_ids, min_size=1, max_size=3).map(tuple), _names),
    st.builds(Controlling, _ids),
)


def _larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    operators = st.sampled_from("+ - * / < <= > >= == != and or".split())
    return st.one_of(
        st.builds(Unary, st.sampled_from(["-", "not"]), inner),
        st.builds(Binary, operators, inner, inner),
        st.builds(
            lambda name, a: Function(name, tuple(a)), st.sampled_from(["min", "max"]), st.lists(inner, min_size=2)
        ),
        st.builds(lambda a: Function("abs", (a,)), inner),
        st.builds(lambda a, b, c: Function("if", (a, b, c)), inner, inner, inner),
    )


expressions = st.recursive(_leaves, _larger, max_leaves=12)


def written(of: Expression) -> str:
    """The text of an expression, every part in brackets."""
    match of:
        case Number(value):
            return repr(value)
        case Reference(path):
            return ".".join(path)
        case SumOver(classes, figure):
            return f"classes({', '.join(classes)}).{figure}"
        case Controlling(class_id):
            return f"(controlling == {class_id})"
        case Unary(operator, operand):
            return f"({operator} {written(operand)})"
        case Binary(operator, left, right):
            return f"({written(left)} {operator} {written(right)})"
        case Function(name, arguments):
            return f"{name}({', '.join(map(written, arguments))})"


@given(expressions)
def test_that_what_is_written_reads_back_as_the_same(made: Expression) -> None:
    text = written(made)
    if len(text) <= LONGEST:
        assert parse(text, "here") == made


@given(expressions)
def test_that_words_and_references_come_out_for_every_expression(made: Expression) -> None:
    assert words(made)
    assert "_" not in words(made) or any("_" in str(r) for r in references(made))
    if any(references(made)):
        assert constant(Binary("+", made, ref("cash"))) is None


_arithmetic = st.recursive(
    st.floats(-1e6, 1e6).map(Number),
    lambda inner: st.builds(Binary, st.sampled_from("+ - *".split()), inner, inner),
    max_leaves=8,
)


@given(_arithmetic)
def test_that_a_constant_is_what_python_makes_of_it(made: Expression) -> None:
    def value(of: Any) -> float:
        if isinstance(of, Number):
            return of.value
        left, right = value(of.left), value(of.right)
        return {"+": left + right, "-": left - right, "*": left * right}[of.operator]

    assert constant(made) == pytest.approx(value(made), nan_ok=True)


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text("abc.()+-*/<>=! 0123456789_%,", max_size=60))
def test_that_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        made = parse(text, "here")
    except WaterfallError:
        return
    found = constant(made)
    assert found is None or not math.isnan(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("class.A.balance > 1_000_000", "Class A balance is above 1,000,000"),
        ("phase.reinvestment and not test.OC_B.fail", "during the reinvestment period and not test OC_B fails"),
        ("5% * basis", "5% times the fee basis"),
        ("(a + b) * 2", "(a plus b) times 2"),
        ("a - (b - c)", "a less (b less c)"),
        ("classes(A, B).total", "Class A, B total together"),
        ("not controlling == C", "Class C is not the controlling class"),
        ("if(phase.x, 1, 2)", "(1 if in the phase x, else 2)"),
    ],
)
def test_that_an_expression_reads_in_words(text: str, says: str) -> None:
    assert words(parse(text, "here")) == says
