"""`clo validate`: text, JSON, exit codes, files that are no cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clo_desktop.cli import main


def write(folder: Path, *cases: dict[str, Any]) -> str:
    file = folder / "cases.json"
    file.write_text(json.dumps({"cases": list(cases)}), encoding="utf-8")
    return str(file)


RIGHT = {"id": "ACC-1", "inputs": {"pool_par": 90.0, "principal_cash": 20.0, "denominator": 100.0}}
RIGHT |= {"expected": {"ratio": 1.1}}
WRONG = RIGHT | {"id": "ACC-1-wrong", "expected": {"ratio": 1.2}}
UNKNOWN = RIGHT | {"id": "XYZ-1"}


def test_that_without_a_file_the_project_s_pack_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("pack.json against CLO Desktop")
    assert "0 failed" in out.splitlines()[-1]


def test_that_every_figure_is_printed_and_an_unknown_id_is_not_covered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", write(tmp_path, RIGHT, UNKNOWN)]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if line.strip().startswith("ratio")]
    assert line.split() == ["ratio", "1.1", "1.1", "0.0e+00", "1.1e-11", "pass"]
    assert "XYZ-1: not covered" in out
    assert "2 cases: 1 passed, 0 failed, 0 legacy, 1 not covered; 1 figures compared." in out


def test_that_a_failing_case_leaves_with_one_and_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", write(tmp_path, RIGHT, WRONG)]) == 1
    said = capsys.readouterr()
    assert said.err.strip() == "1 case fails of 2 in cases.json: ACC-1-wrong."
    assert "FAIL" in said.out


def test_that_json_has_every_figure_and_the_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", write(tmp_path, RIGHT, WRONG, UNKNOWN), "--json", "--db", "unused.clo"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["totals"] == {"passed": 1, "failed": 1, "legacy": 0, "not covered": 1}
    assert [c["outcome"] for c in data["cases"]] == ["passed", "failed", "not covered"]
    (figure,) = data["cases"][1]["figures"]
    assert figure["expected"] == 1.2
    assert figure["computed"] == pytest.approx(1.1)
    assert figure["difference"] == pytest.approx(-0.1)
    assert figure["outcome"] == "fail"
    assert data["error"]["code"] == "validation"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("[" * 100_000, "nested too deep"),
        ('{"cases": [{"id": NaN}]}', "NaN is no number"),
        ("[1]", "no list `cases`"),
        ('{"cases": [{"id": "\\u001b[2J", "inputs": 1}]}', "no mapping `inputs`"),
        ('{"cases": [{"id": "A", "inputs": {}, "expected": {"a": 1e999}}]}', "infinite"),
    ],
)
def test_that_what_is_no_file_of_cases_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    file = tmp_path / "cases.json"
    file.write_text(text, encoding="utf-8")
    assert main(["validate", str(file)]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert "\x1b" not in said.err
    assert said.out == ""


def test_that_a_missing_file_a_folder_and_binary_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    for path in (tmp_path / "absent.json", tmp_path, binary):
        assert main(["validate", str(path)]) == 1
        assert path.name in capsys.readouterr().err


def test_that_two_files_are_wrong_usage() -> None:
    assert main(["validate", "a.json", "b.json"]) == 2
