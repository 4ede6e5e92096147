"""Expressions as rows of the program of one payment date: what each name that can be asked for is."""

from __future__ import annotations

from engine.waterfall.day import FROM_INTEREST, FROM_PRINCIPAL, Day, Test
from engine.waterfall.document import WaterfallError
from engine.waterfall.expressions import Binary, Controlling, Expression, Function, Number, Reference, SumOver, Unary
from engine.waterfall.registers import Row


def figure_of(day: Day, of: Expression, cash: Row | None = None) -> Row:
    """The row of an expression. Raises WaterfallError for a name that nothing here has."""
    match of:
        case Number(value):
            return day.b.constant(value)
        case Controlling(class_id):
            return day.controlling(class_id)
        case SumOver(classes, figure):
            return day.b.total([_class_figure(day, c, figure) for c in classes if c in day.classes])
        case Unary("-", operand):
            return -figure_of(day, operand, cash)
        case Unary(_, operand):
            return ~truth_of(day, operand, cash)
        case Function(name, arguments):
            return _function(day, name, arguments, cash)
        case Binary("and", left, right):
            return truth_of(day, left, cash) & truth_of(day, right, cash)
        case Binary("or", left, right):
            return truth_of(day, left, cash) | truth_of(day, right, cash)
        case Binary(operator, left, right):
            return _arithmetic(operator, figure_of(day, left, cash), figure_of(day, right, cash))
        case Reference(path):
            return _reference(day, path, cash)
    raise WaterfallError(f"{of!r} is no expression.")


def truth_of(day: Day, of: Expression, cash: Row | None = None) -> Row:
    """The mask of an expression: anything but nothing is true."""
    row = figure_of(day, of, cash)
    return row if _is_mask(of) else day.b.truth(row)


def _function(day: Day, name: str, arguments: tuple[Expression, ...], cash: Row | None) -> Row:
    if name == "if":
        condition, one, other = arguments
        return truth_of(day, condition, cash).then(figure_of(day, one, cash), figure_of(day, other, cash))
    rows = [figure_of(day, a, cash) for a in arguments]
    if name == "abs":
        return rows[0].most(-rows[0])
    made = rows[0]
    for row in rows[1:]:
        made = made.least(row) if name == "min" else made.most(row)
    return made


def _arithmetic(operator: str, a: Row, b: Row) -> Row:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / b
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case ">=":
            return a >= b
        case "==":
            return a.equals(b)
        case _:
            return ~a.equals(b)


def _reference(day: Day, path: tuple[str, ...], cash: Row | None) -> Row:
    match path:
        case ("cash",) if cash is not None:
            return cash
        case ("class", c, figure):
            return _class_figure(day, c, figure) if c in day.classes else day.b.constant(0.0)
        case ("fee", f, figure) if f in day.fee_accrued:
            return _fee_figure(day, f, figure)
        case ("test", t, figure) if t in day.tests:
            return _test_figure(day, day.tests[t], figure)
        case ("pool", figure) if figure in day.pool:
            return day.pool[figure]
        case ("account", a, "balance"):
            return day.ledger["account", a]
        case ("contribution", name, "owed"):
            return day.ledger["owed", name]
        case ("phase", p):
            return day.phases[p] if p in day.phases else truth_of(day, day.document.phases[p])
        case ("equity", "distribution"):
            return day.ledger["to_equity"] / day.original[day.document.equity]
        case ("equity", "nav"):
            return day.nav()
        case (name,) if name in day.document.values:
            return figure_of(day, day.document.values[name], cash)
    name = ".".join(path)
    if name in day.plain:
        return day.plain[name]
    raise WaterfallError(f"{name} is nothing that can be asked for here.")


def _class_figure(day: Day, c: str, figure: str) -> Row:
    match figure:
        case "balance":
            return day.principal_left(c)
        case "deferred":
            return day.deferred_left(c)
        case "total":
            return day.outstanding(c)
        case "interest_due":
            return day.interest_left(c)
        case "on_deferred":
            return day.on_deferred_left(c)
        case "unpaid":
            return day.unpaid[c]
        case "original":
            return day.b.constant(day.original[c])
        case "factor":
            return day.principal_left(c) / day.original[c]
        case "paid_interest":
            return day.ledger["interest", c] + day.ledger["on_deferred", c]
        case "paid_deferred":
            return day.ledger["deferred", c]
        case "paid_principal":
            return day.ledger["principal", c]
    raise WaterfallError(f"class.{c}.{figure} is nothing that a class has.")


def _fee_figure(day: Day, f: str, figure: str) -> Row:
    match figure:
        case "due":
            return day.fee_left(f)
        case "accrued":
            return day.fee_accrued[f]
        case "unpaid":
            return day.fee_unpaid[f]
        case "paid":
            return day.fee_paid(f)
    raise WaterfallError(f"fee.{f}.{figure} is nothing that a fee has.")


def _test_figure(day: Day, test: Test, figure: str) -> Row:
    match figure:
        case "ratio":
            return test.ratio
        case "pass":
            return ~test.fails
        case "fail":
            return test.fails
        case "trigger":
            return test.trigger
        case "numerator":
            return test.numerator
        case "denominator":
            return test.denominator
        case "cushion":
            return test.ratio - test.trigger
        case "need_interest":
            return day.need(test, FROM_INTEREST)
        case "need_principal":
            return day.need(test, FROM_PRINCIPAL)
    raise WaterfallError(f"test.{test.terms.id}.{figure} is nothing that a test has.")


def _is_mask(of: Expression) -> bool:
    """Whether an expression is 1 or 0 by its form."""
    match of:
        case Binary(operator, _, _):
            return operator in ("<", "<=", ">", ">=", "==", "!=", "and", "or")
        case Unary("not", _) | Controlling(_) | Reference(("phase", _)):
            return True
        case Reference(("test", _, "pass" | "fail")):
            return True
    return False
