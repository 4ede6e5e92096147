"""What every study of the pane has in common: it says what to run, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.formats import Show
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Total
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.measures import Measure, Shown, measure
from engine.waterfall.document import class_id


@dataclass(frozen=True, slots=True)
class Study:
    """What a tab asks for: a function of a module, and what it is given beside the deal and the scenario.

    Two that are equal come to the same result, so results are kept by it. A function that could take something of the
    controls past `given` (a closure, a lambda with defaults, a method) is refused with a TypeError.

    run    run(model, assumptions, report, *given)
    given  the controls as they stand
    """

    run: Callable[..., Any]
    given: tuple[Hashable, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.run, FunctionType) or self.run.__closure__ or self.run.__defaults__:
            raise TypeError(f"{self.run!r} is no plain function: what a study depends on stands in what it is given")
        hash(self.given)

    def __call__(self, model: Model, assumptions: Assumptions, report: Progress) -> Any:
        return self.run(model, assumptions, report, *self.given)


TIMES: Final = "×"

NARROWEST: Final = 50  # px: what is to be chosen or typed gives way to a narrow pane
SHORTEST: Final = 130  # px: a chart is no lower, whatever its legend asks for


class Tab(QWidget):
    """One study. `changed`: its own controls ask for another one."""

    changed = Signal()
    title = ""

    def take_model(self, model: Model) -> None:
        """Another deal: lists of classes and tests are made anew. In the GUI thread."""

    def study(self) -> Study:
        """What to run for the controls as they stand: called in the GUI thread, run in the engine lane.

        Raises ValueError for controls that are no study.
        """
        raise NotImplementedError

    def show_result(self, result: Any, currency: str) -> None:
        """Shows what the study came to."""
        raise NotImplementedError


class MeasureChoice(Choice):
    """Measures of a deal by their titles; "" of a title chooses none."""

    def __init__(self, name: str, kinds: tuple[str, ...]) -> None:
        super().__init__(name)
        self.setMinimumWidth(NARROWEST)
        self._kinds = kinds

    def take_model(self, model: Model) -> None:
        """Lists the measures of this deal; the one that was chosen stays where there is one of its name."""
        before = self.currentData()
        self.blockSignals(True)
        self.clear()
        for name, title in measures_of(model, self._kinds):
            self.addItem(title, name)
        self.setCurrentIndex(max(0, self.findData(before)))
        self.blockSignals(False)

    @property
    def chosen(self) -> str:
        return str(self.currentData() or "irr")


def measures_of(model: Model, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """(name, title) of each measure of the kinds that the deal has."""
    found: list[Measure] = []
    equity = model.document.equity
    for kind in kinds:
        if kind in ("irr", "moic"):
            found.append(measure(model, kind))
        elif kind == "cushion":
            found += [measure(model, f"cushion:{test.id}") for test in model.document.tests]
        else:
            notes = [class_id(t.name) for t in model.book.deal.tranches if class_id(t.name) != equity]
            found += [measure(model, f"{kind}:{name}") for name in notes]
    return [(m.name, m.title) for m in found]


def score(name: str, title: str, unit: str, tip: str) -> Column:
    """A column of plain figures in a unit of their own, of which nothing is summed."""
    return Column(name, title, Show.SCORE.value, unit=unit, total=Total.NONE, tip=tip)


def unit_of(shown: Shown) -> str:
    """The unit that stands in titles."""
    return {Shown.RATE: "% a year", Shown.SHARE: "%", Shown.YEARS: "years", Shown.MULTIPLE: TIMES}.get(shown, "")


def text_of(shown: Shown, places: int = 2) -> Callable[[float], str]:
    """Words of a figure without its unit."""
    if shown in (Shown.RATE, Shown.SHARE):
        return lambda value: formats.figure(value * 100.0, places)
    return lambda value: formats.figure(value, 0 if shown is Shown.MONEY else places)
