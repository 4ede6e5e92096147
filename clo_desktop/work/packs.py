"""Scenario packs: everything that a deal's figures under some scenarios rest on, in one file, with the figures. No Qt.

Opened elsewhere a pack is run from what it holds, the deal's terms, tables, curve, waterfall and assumed terms, and
the figures are compared to the last bit; where they differ the pack says which ingredient is another one here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

import resources
from clo_desktop.faults import Fault, Refused
from clo_desktop.figures import counted
from clo_desktop.progress import Progress, silent
from clo_desktop.work import ingredients, pack_file, plain, scenario_library, waterfalls
from clo_desktop.work.desk import Desk
from clo_desktop.work.pack_file import CODE, as_json, digest
from clo_desktop.work.scenario import Scenario, scenario_of_text
from clo_desktop.work.scenario_written import text_of
from clo_desktop.work.terms_plain import plain as plain_terms
from clo_desktop.work.terms_plain import record
from engine.assumptions import Assumptions
from engine.model import Model
from engine.terms import Book
from engine.waterfall import Document, WaterfallError
from engine.waterfall.text import read_text

OWN: Final = "Deal's own"
"""The scenario of a pack that names none: what the deal's inputs say."""

_MOST: Final = 50
"""Scenarios of one pack."""

_SHOWN: Final = 12
"""Differences that are told one by one."""

_BOOK, _WATERFALL, _TERMS = "deal.json", "waterfall.yaml", "assumed_terms.yaml"


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """A pack in hand, its parts checked against their hashes.

    scenarios    with their texts, in the order they were packed;  results: of each, as `plain.projection` gives it
    ingredients  what the figures were made with, where the pack was written
    """

    name: str
    written_with: str
    book: Book
    document: Document
    waterfall: str
    terms: str
    scenarios: tuple[tuple[str, str, Scenario], ...]
    results: tuple[Any, ...]
    ingredients: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is another one here: where it stands, what the pack says, what it is here."""

    scenario: str
    where: str
    there: Any
    here: Any


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """What came of running a pack. `figures` are those that differ; `others` the ingredients that do, in words."""

    pack: Pack
    compared: int
    figures: tuple[Figure, ...]
    others: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.figures


def write(
    desk: Desk,
    deal: str,
    path: Path,
    scenarios: Sequence[tuple[str, str]] = (),
    *,
    curve: Path | None = None,
    report: Progress = silent,
) -> Pack:
    """Runs a deal under scenarios (name and text each; none: the deal's own) and writes the pack.

    Raises Refused, Cancelled; then no file was written.
    """
    if len(scenarios) > _MOST:
        raise Refused(f"A pack holds at most {_MOST} scenarios; these are {len(scenarios)}.", code=CODE)
    if path.suffix.lower() != pack_file.SUFFIX:
        raise Refused(f"{path.name} is no name of a pack; let it end with {pack_file.SUFFIX}.", code=CODE)
    named = list(scenarios) or [(OWN, text_of(Assumptions()))]
    if twice := next((name for k, (name, _) in enumerate(named) if name in {n for n, _ in named[:k]}), None):
        raise Refused(f"The scenario {twice} is there twice; take one of them out.", code=CODE)
    read = [(name, text, scenario_of_text(text, name)) for name, text in named]
    with desk.ready(deal, curve=curve) as model:
        waterfall, terms = waterfalls.text_of(model.document), _assumed_terms()
        results = list(_runs(model, read, report))
    book = model.book
    parts = {
        _BOOK: as_json(plain_terms(book)),
        _WATERFALL: waterfall.encode(),
        _TERMS: terms.encode(),
        **{f"scenarios/{k:02}.yaml": text.encode() for k, (_, text, _) in enumerate(read)},
        **{f"results/{k:02}.json": as_json(result) for k, result in enumerate(results)},
    }
    made_with = _ingredients(book, waterfall, terms)
    about = {
        "application": made_with["application"],
        "deal": deal,
        "scenarios": [name for name, _, _ in read],
        "ingredients": made_with,
    }
    data = pack_file.packed(about, parts)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)  # whole or not at all
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise Refused(
            f"{path} cannot be written ({error.strerror or error}); choose another place.", code="file"
        ) from error
    return Pack(
        path.name,
        made_with["application"],
        book,
        model.document,
        waterfall,
        terms,
        tuple(read),
        tuple(results),
        made_with,
    )


def read(path: Path) -> Pack:
    """Opens a pack. Raises Refused for a bad one, naming the part; nothing is written."""
    manifest, parts = pack_file.unpacked(path)
    try:
        names = list(manifest["scenarios"])
        book = record(Book, json.loads(parts[_BOOK]))
        waterfall, terms = parts[_WATERFALL].decode(), parts[_TERMS].decode()
        scenarios = tuple(
            (name, text := parts[f"scenarios/{k:02}.yaml"].decode(), scenario_of_text(text, name))
            for k, name in enumerate(names)
        )
        results = tuple(json.loads(parts[f"results/{k:02}.json"]) for k in range(len(names)))
        document = read_text(waterfall)
        made_with = dict(manifest["ingredients"])
        if not isinstance(yaml.safe_load(terms), dict):
            raise ValueError(f"{_TERMS} is no list of terms.")
    except KeyError as error:
        raise Refused(f"{path.name} lacks {error.args[0]}: get it again from its sender.", code=CODE) from error
    except (ValueError, TypeError, AttributeError, RecursionError, WaterfallError, yaml.YAMLError) as error:
        raise Refused(f"{path.name} cannot be understood ({error}): get it again.", code=CODE) from error
    return Pack(
        path.name,
        str(manifest.get("application", "")),
        book,
        document,
        waterfall,
        terms,
        scenarios,
        results,
        made_with,
    )


def check(pack: Pack, report: Progress = silent) -> Check:
    """Runs the pack from what it holds and compares every figure to the last bit. Raises Refused, Cancelled."""
    try:
        model = Model(pack.book, pack.document, yaml.safe_load(pack.terms))
        here = list(_runs(model, pack.scenarios, report))
    except ValueError as error:
        raise Refused(f"{pack.name} cannot be run here: {error}", code=CODE) from error
    figures: list[Figure] = []
    compared = 0
    for (name, _, _), there, made in zip(pack.scenarios, pack.results, here, strict=True):
        pairs = list(_pairs("", there, json.loads(as_json(made))))
        compared += len(pairs)
        figures += [Figure(name, where, a, b) for where, a, b in pairs if not _alike(a, b)]
    others = ingredients.differences(pack.ingredients, _ingredients(pack.book, pack.waterfall, pack.terms))
    return Check(pack, compared, tuple(figures), others)


def store(desk: Desk, pack: Pack, name: str = "") -> tuple[tuple[Fault, ...], tuple[str, ...]]:
    """Stores the deal and the scenarios of a pack; what is there already and the same stays as it is.

    name  of the deal, where it shall have another one
    Gives the warnings about other deals, and what was stored in words. Raises Refused where the deal is there and
    another one, or a scenario is locked; then nothing was written.
    """
    book = replace(pack.book, deal=replace(pack.book.deal, name=name.strip())) if name.strip() else pack.book
    deal = book.deal.name
    there = any(summary.name == deal for summary in desk.deals())
    if there and ingredients.of_book(desk.book(deal)) != ingredients.of_book(book):
        raise Refused(
            f"There is a deal {deal} already and it is another one than that of {pack.name}; store it under another "
            "name (--as NAME).",
            code=CODE,
        )
    mine = [(title, text) for title, text, _ in pack.scenarios if title != OWN]
    known = {title: _known_as(desk, title, text) for title, text in mine}
    _check_waterfall(pack)
    faults = () if there else desk.add(book)
    said = [f"The deal {deal} {'is there already' if there else 'was stored'}."]
    for title, text in sorted(mine, key=lambda one: scenario_library.reference(one[0])[1]):  # the newest stays newest
        name, version = scenario_library.reference(title)
        there_as = known[title]
        if there_as is None:
            there_as = scenario_library.save(desk.store, name, text, f"{title} of {pack.name}", ("pack",)).version
            said.append(f"The scenario {title} of the pack was saved as version {there_as} of {name}.")
        elif version:
            said.append(f"The scenario {title} of the pack is version {there_as} of {name} here.")
    return faults, tuple(said)


def write_waterfall(pack: Pack, path: Path) -> None:
    """Writes the waterfall document of a pack as a file of its own. Raises Refused where it cannot be written."""
    try:
        path.write_text(pack.waterfall, encoding="utf-8", newline="")
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror or error}).", code="file") from error


def _known_as(desk: Desk, title: str, text: str) -> int | None:
    """The version of the library that says what a scenario of a pack says, its own number before others.

    None where it is to be saved. Raises Refused where it cannot be.
    """
    name, version = scenario_library.reference(title)
    known = {one.name.casefold(): one for one in scenario_library.listed(desk.store)}
    found = known.get(name.casefold())
    every = () if found is None else scenario_library.versions(desk.store, name)
    same = [one.version for one in every if one.text.strip() == text.strip()]
    if same:
        return version if version in same else same[0]
    scenario_library.check_name(name)
    if found is not None and found.locked_by is not None:
        raise Refused(
            f"The scenario {found.name} of the library is locked by {found.locked_by} and is another one than that of "
            "the pack; unlock it first.",
            code=CODE,
        )
    return None


def _check_waterfall(pack: Pack) -> None:
    """Raises Refused where the deal would run here with another waterfall than in the pack."""
    here = waterfalls.known().documents.get(pack.document.name)
    if here is None or digest(waterfalls.text_of(here).encode()) != digest(pack.waterfall.encode()):
        what = "there is none of that name here" if here is None else "the one of that name here is another"
        raise Refused(
            f"The deal of {pack.name} runs with the waterfall {pack.document.name}, and {what}; write it out with "
            "`clo unpack FILE --waterfall YAML`, add it with `clo waterfall --add YAML` and store again.",
            code=CODE,
        )


def _assumed_terms() -> str:
    return resources.path("assumed_terms.yaml").read_text(encoding="utf-8")


def _ingredients(book: Book, waterfall: str, terms: str) -> dict[str, Any]:
    texts = {"waterfall": digest(waterfall.encode()), "assumed_terms": digest(terms.encode())}
    return {**ingredients.of_book(book), **texts, **ingredients.machinery(), "seed": None}


def _runs(model: Model, scenarios: Sequence[tuple[str, str, Scenario]], report: Progress) -> Iterator[Any]:
    for k, (name, _, scenario) in enumerate(scenarios):
        report(k / len(scenarios), name)
        try:
            yield plain.projection(model.run(scenario.assumptions))
        except ValueError as error:
            raise Refused(f"{name}: {error}", code=CODE) from error
    report(1.0, "Done")


def _pairs(where: str, there: Any, here: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every figure of two results by where it stands."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in dict.fromkeys((*there, *here)):
            yield from _pairs(f"{where}.{key}" if where else key, there.get(key), here.get(key))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for k, (a, b) in enumerate(zip(there, here, strict=True), start=1):
            of = a["name"] if isinstance(a, dict) and isinstance(a.get("name"), str) else k
            yield from _pairs(f"{where}[{of}]", a, b)
    else:
        yield where, there, here


def _alike(a: Any, b: Any) -> bool:
    """The same to the last bit; a whole number is one whether written 1 or 1.0."""
    return bool(a == b)


# --- told ------------------------------------------------------------------------------------------------------------


def check_plain(done: Check) -> dict[str, Any]:
    """A check as data; every figure that differs is listed."""
    pack = done.pack
    return {
        "pack": pack.name,
        "deal": pack.book.deal.name,
        "written_with": pack.written_with,
        "scenarios": [name for name, _, _ in pack.scenarios],
        "same": done.same,
        "figures_compared": done.compared,
        "figures_that_differ": [
            {"scenario": f.scenario, "figure": f.where, "pack": f.there, "here": f.here} for f in done.figures
        ],
        "ingredients_that_differ": list(done.others),
    }


def check_words(done: Check) -> str:
    """A check in words."""
    pack = done.pack
    head = f"{pack.name}: {pack.book.deal.name} under {counted(len(pack.scenarios), 'scenario')}, "
    others = [f"Another one here than there: {', '.join(done.others)}."] if done.others else []
    if done.same:
        return "\n".join([f"{head}all {done.compared:,} figures are the same, bit for bit.", *others])
    lines = [f"{head}{len(done.figures):,} of {done.compared:,} figures differ.", *others]
    if not done.others:
        lines.append("Every ingredient is the same: the two machines compute differently.")
    lines += [f"  {f.scenario}: {f.where} is {f.here} here and {f.there} in the pack" for f in done.figures[:_SHOWN]]
    if len(done.figures) > _SHOWN:
        lines.append(f"  and {len(done.figures) - _SHOWN:,} more: --json has them.")
    return "\n".join(lines)


def named_scenarios(named: Sequence[str], desk: Callable[[], Desk]) -> list[tuple[str, str]]:
    """Name and text of each scenario that was named, a file or one of the library. Raises Refused.

    One of the library has its version in the name: NAME@2.
    """
    found = []
    for one in named:
        if scenario_library.is_file(one):
            found.append((Path(one).stem, scenario_library.text(one, lambda: desk().store)))
        else:
            entry = scenario_library.entry(desk().store, one)
            found.append((entry.reference, entry.text))
    return found
