"""Documents as text: what YAML would let pass is refused, and no text does harm."""

from __future__ import annotations

import contextlib
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.waterfall.document import WaterfallError
from engine.waterfall.language import read_document
from engine.waterfall.text import LONGEST, read_text
from tests.engine.language_documents import EVERYTHING, TEMPLATES

TEXTS = [path.read_text(encoding="utf-8") for path in TEMPLATES]
SMALL = """\
wdl: 1
name: small
classes: {A: {}, SUB: {kind: equity}}
waterfalls:
  all:
    source: both
    steps: [pay_interest: {classes: A}, pay_principal: {classes: A}, pay_equity: {equity: SUB}]
dispatch: [run: all]
"""


@pytest.mark.parametrize("text", TEXTS, ids=[p.stem for p in TEMPLATES])
def test_that_a_text_reads_as_its_data(text: str) -> None:
    assert read_text(text) == read_document(yaml.safe_load(text))


def test_that_json_reads_too() -> None:
    assert read_text(json.dumps(EVERYTHING, default=str)) == read_document(EVERYTHING)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SMALL + "name: again\n", "Line 9, column 1: 'name' stands twice"),
        (SMALL.replace("A: {}", "A: {}, A: {}"), "Line 3, .*'A' stands twice"),
        (SMALL + "title: [1\n", "the YAML cannot be read"),
        (SMALL + "\ttitle: x\n", "Line 9.*cannot be read"),
        (SMALL + "effective: 2021-13-45\n", "cannot be read.*check dates"),
        (SMALL + "title: !!python/object/apply:os.system [ls]\n", "cannot be read"),
        (SMALL + "title: \x00\n", "cannot be read"),
        (SMALL + f"version: {'9' * 6000}\n", "cannot be read"),
        (SMALL + f"title: {'[' * 1500}\n", "too deep"),
        ("x" * (LONGEST + 1), "characters"),
        ("", "nothing stands where|wdl: 1"),
        ("just text", "stands where a mapping"),
    ],
)
def test_that_a_wrong_text_is_refused_naming_the_line(text: str, says: str) -> None:
    with pytest.raises(WaterfallError, match=says):
        read_text(text)


def test_that_aliases_which_multiply_are_refused() -> None:
    lines = ["wdl: 1", "name: x", "classes: {SUB: {kind: equity}}"]
    lines.append("x0: &x0 {branch: {if: 1, then: [{retain: {amount: 1}}]}}")
    lines += [f"x{i}: &x{i} {{branch: {{if: 1, then: [{', '.join([f'*x{i - 1}'] * 9)}]}}}}" for i in range(1, 12)]
    lines.append("waterfalls: {interest: [*x7]}")
    data = {k: v for k, v in yaml.safe_load("\n".join(lines)).items() if not k.startswith("x")}
    with pytest.raises(WaterfallError, match="more than 2000 steps"):
        read_document(data)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_that_a_text_with_damaged_characters_is_read_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([SMALL, *TEXTS]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 5))
        put = data.draw(st.text("{}[]:,-&*!?|>'\"%@# \n\tA1.", max_size=4) | st.text(max_size=2))
        text = text[:at] + put + text[at + cut :]
    with contextlib.suppress(WaterfallError):
        read_text(text)
