"""Scenario packs: the same numbers to the last bit, or the ingredient that differs; bad packs change nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.work import ingredients, kept, pack_file, packs, scenario_library
from clo_desktop.work.desk import Desk
from clo_desktop.work.scenario import scenario_of_text
from clo_desktop.work.terms_plain import plain, record
from engine.assumptions import Assumptions
from engine.terms import Book
from tests.store.any_book import books

from hypothesis import HealthCheck, given, settings  # isort: skip

DEAL = "Harbor 2024-1"
SCENARIOS = [("Hard", "cdr: 6%\nprice_shock: -20%\n"), ("Rates", "curve: {shift: 50bp}\n")]
Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def packed(stocked: Path, tmp_path_factory: pytest.TempPathFactory, warm: None) -> Path:
    file = tmp_path_factory.mktemp("packs") / "harbor.clopack"
    packs.write(Desk(stocked), DEAL, file, SCENARIOS)
    return file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "fresh.clo")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(books())
def test_that_terms_survive_as_json(book: Book) -> None:
    assert record(Book, json.loads(pack_file.as_json(plain(book)))) == book


def test_that_a_pack_gives_the_same_numbers_and_is_the_same_bytes(packed: Path, stocked: Path, tmp_path: Path) -> None:
    done = packs.check(packs.read(packed))
    assert done.same
    assert done.compared > 10_000
    assert done.others == ()
    packs.write(Desk(stocked), DEAL, tmp_path / "again.clopack", SCENARIOS)
    assert (tmp_path / "again.clopack").read_bytes() == packed.read_bytes()


def test_that_a_figure_that_differs_is_named_with_the_ingredient(packed: Path) -> None:
    pack = packs.read(packed)
    first = json.loads(json.dumps(pack.results[0]))
    first["classes"][0]["interest"][0] += 1e-9
    other = replace(pack, results=(first, pack.results[1]), ingredients={**pack.ingredients, "numpy": "1.0"})
    done = packs.check(other)
    (figure,) = done.figures
    assert (figure.scenario, figure.where) == ("Hard", f"classes[{first['classes'][0]['name']}].interest[1]")
    assert done.others == (f"numpy (1.0 there, {ingredients.machinery()['numpy']} here)",)
    assert "1 of " in packs.check_words(done)


def test_that_a_pack_is_stored_and_stored_again_changes_nothing(packed: Path, desk: Desk, stocked: Path) -> None:
    pack = packs.read(packed)
    _, said = packs.store(desk, pack)
    assert said[0] == f"The deal {DEAL} was stored."
    assert ingredients.of_book(desk.book(DEAL)) == ingredients.of_book(Desk(stocked).book(DEAL))
    assert scenario_library.entry(desk.store, "Hard").text == SCENARIOS[0][1]
    _, said = packs.store(desk, pack)
    assert said == (f"The deal {DEAL} is there already.",)
    other = replace(pack, book=replace(pack.book, deal=replace(pack.book.deal, current_index=0.01)))
    with pytest.raises(Refused, match=r"is another one than that of harbor\.clopack; store it under another name"):
        packs.store(desk, other)
    packs.store(desk, other, "Harbor again")
    assert [deal.name for deal in desk.deals()] == [DEAL, "Harbor again"]


def test_that_a_version_of_the_library_stays_that_version(packed: Path, desk: Desk) -> None:
    for text in ("cdr: 2%\n", "cdr: 3%\n"):
        scenario_library.save(desk.store, "House", text)
    pack = packs.read(packed)

    def unpacked(*texts: tuple[str, str]) -> list[str]:
        of_pack = tuple((title, text, scenario_of_text(text, title)) for title, text in texts)
        return list(packs.store(desk, replace(pack, scenarios=of_pack))[1][1:])

    assert packs.named_scenarios(["House@1", "house", "Base"], lambda: desk) == [
        ("House@1", "cdr: 2%\n"),
        ("House@2", "cdr: 3%\n"),
        ("Base", scenario_library.entry(None, "Base").text),
    ]
    assert unpacked(("House@1", "cdr: 2%\n")) == ["The scenario House@1 of the pack is version 1 of House here."]
    assert unpacked(("House@5", "cdr: 2%")) == ["The scenario House@5 of the pack is version 1 of House here."]
    assert scenario_library.entry(desk.store, "House").text == "cdr: 3%\n"
    assert unpacked(("House@9", "cdr: 9%\n"), ("House@1", "cdr: 8%\n")) == [
        "The scenario House@1 of the pack was saved as version 3 of House.",
        "The scenario House@9 of the pack was saved as version 4 of House.",
    ]
    assert len(scenario_library.versions(desk.store, "House")) == 4


def test_that_a_locked_scenario_keeps_a_pack_out_as_a_whole(packed: Path, desk: Desk) -> None:
    scenario_library.save(desk.store, "Rates", "cdr: 1%")
    desk.store.lock_scenario("Rates", "ann")
    with pytest.raises(Refused, match="locked by ann"):
        packs.store(desk, packs.read(packed))
    assert desk.deals() == ()
    assert [one.name for one in desk.store.scenarios()] == ["Rates"]


def damaged(change: Callable[[Parts], object]) -> Callable[[Path, Path], Path]:
    def make(source: Path, target: Path) -> Path:
        with zipfile.ZipFile(source) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        change(parts)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
        return target

    return make


def manifest(**changes: object) -> Callable[[Parts], object]:
    return lambda parts: parts.update(
        {"manifest.json": json.dumps({**json.loads(parts["manifest.json"]), **changes}).encode()}
    )


def bytes_of(how: Callable[[bytes], bytes]) -> Callable[[Path, Path], Path]:
    def make(source: Path, target: Path) -> Path:
        target.write_bytes(how(source.read_bytes()))
        return target

    return make


BAD = {
    "newer": (damaged(manifest(format=2, application="9.0")), "was written by a newer CLO Desktop"),
    "tampered terms": (
        damaged(lambda p: p.update({"deal.json": p["deal.json"] + b" "})),
        "changed after it was written .deal.json is not",
    ),
    "tampered manifest": (damaged(manifest(deal="Other")), "the manifest is not what was written"),
    "extra part": (damaged(lambda p: p.update({"more.json": b"{}"})), "not those that its manifest lists"),
    "missing part": (damaged(lambda p: p.pop("deal.json")), "not those that its manifest lists"),
    "path": (damaged(lambda p: p.update({"../evil": b"x"})), "unsafe or repeated names"),
    "bomb": (damaged(lambda p: p.update({"deal.json": b" " * 200_000_000})), "would unpack to far more"),
    "deep": (damaged(lambda p: p.update({"manifest.json": b"[" * 100_000})), "damaged or was cut short"),
    "cut": (bytes_of(lambda b: b[: len(b) // 2]), "damaged or was cut short"),
    "text": (bytes_of(lambda _: b"hello"), "is no scenario pack"),
    "empty": (bytes_of(lambda _: b""), "is empty"),
    "other archive": (damaged(lambda p: p.pop("manifest.json")), "an archive but no scenario pack"),
}


@pytest.mark.parametrize("kind", BAD)
def test_that_a_bad_pack_is_a_clear_sentence(kind: str, packed: Path, tmp_path: Path) -> None:
    make, why = BAD[kind]
    with pytest.raises(Refused, match=why) as stop:
        packs.read(make(packed, tmp_path / "bad.clopack"))
    assert "\n" not in stop.value.message
    assert stop.value.message.startswith("bad.clopack ")


def test_that_a_pack_that_was_stopped_leaves_no_file(stocked: Path, tmp_path: Path, warm: None) -> None:
    def stop(fraction: float, _what: str) -> None:
        if fraction > 0.2:
            raise Refused("stopped")

    with pytest.raises(Refused, match="stopped"):
        packs.write(Desk(stocked), DEAL, tmp_path / "h.clopack", SCENARIOS, report=stop)
    assert list(tmp_path.iterdir()) == []


# -- results that are kept ------------------------------------------------------------------------------------------


def test_that_a_result_is_made_once_and_again_when_an_input_changes(
    stocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clo_desktop.paths.results_cache", lambda: tmp_path / "kept")
    made: list[int] = []

    def make() -> kept.Told:
        made.append(1)
        return {"figure": 0.1 + 0.2, "z": 1, "a": None}, "words"

    desk = Desk(stocked)
    rests_on = kept.inputs(desk, DEAL, Assumptions(), {"verb": "grid"}, None)
    first = kept.answered(rests_on, make)
    assert kept.answered(rests_on, make) == first
    assert len(made) == 1
    kept.answered(kept.inputs(desk, DEAL, Assumptions(cdr=0.1), {"verb": "grid"}, None), make)
    kept.answered({**rests_on, "numpy": "0"}, make)
    assert len(made) == 3
    for file in (tmp_path / "kept").iterdir():
        file.write_bytes(b"{damaged")
    assert kept.answered(rests_on, make) == first
    assert len(made) == 4


def test_that_kept_results_stay_within_their_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clo_desktop.paths.results_cache", lambda: tmp_path)
    monkeypatch.setattr(kept, "MOST_FILES", 3)
    for k in range(6):
        kept.answered({"k": k}, lambda: ({}, ""))
        kept.answered({"k": 0}, lambda: ({}, "new"))  # asked for last, so it stays
    assert len(list(tmp_path.iterdir())) == 3
    assert kept.answered({"k": 0}, lambda: ({}, "made anew"))[1] == ""
