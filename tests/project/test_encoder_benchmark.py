"""The comparison of encoders: its sets in other languages, and that it measures what a user would see."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from repository import REPOSITORY

from edge_icl import Example, Memory, Options

BENCHMARKS = REPOSITORY / "benchmarks"
LANGUAGES = sorted((BENCHMARKS / "languages").glob("*.jsonl"))
PRIOR_ALONE = Options(ask_model="never", recall=False, labels="on")


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def compare(*words: object, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCHMARKS / "encoders.py", *map(str, words)],
        env={**os.environ, "EDGE_ICL_DATA": str(data), "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def pair(folder: Path) -> tuple[Path, Path]:
    """Return two files of a set with two labels."""
    taught = [("Train to Leeds", "travel"), ("Hotel, two nights", "travel"), ("Printer ink", "office")]
    asked = [("Bus to the station", "travel"), ("Paper for the printer", "office")]
    found = folder / "train.jsonl", folder / "test.jsonl"
    for path, some in zip(found, (taught, asked), strict=True):
        path.write_text(
            "".join(json.dumps({"input": i, "output": o}) + "\n" for i, o in some), encoding="utf-8"
        )
    return found


def test_there_are_sets_in_eight_other_languages_at_least() -> None:
    assert len(LANGUAGES) >= 8
    assert "en" not in {path.stem for path in LANGUAGES}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_a_set_has_ten_rows_of_each_of_four_labels_and_says_nothing_twice(path: Path) -> None:
    examples = [Example.create(row["input"], row["output"]) for row in rows(path)]
    assert sorted(Counter(example.output for example in examples).values()) == [10] * 4
    assert len({example.input for example in examples}) == 40
    assert [example.input for example in examples] == [row["input"] for row in rows(path)], "not NFC"


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_no_word_gives_a_label_away(path: Path) -> None:
    """A word of four letters or more is in half of a label's rows at most, and a label's name in one."""
    for label in {row["output"] for row in rows(path)}:
        texts = [row["input"].lower() for row in rows(path) if row["output"] == label]
        counts = Counter(word for text in texts for word in set(re.findall(r"\w{4,}", text)))
        assert not [word for word, count in counts.items() if count > 5]
        assert sum(label.lower() in text for text in texts) <= 1


def test_answers_are_those_of_a_memory(models_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    encoders, common = importlib.import_module("encoders"), importlib.import_module("support.common")
    some = [Example.create(row["input"], row["output"]) for row in rows(BENCHMARKS / "languages" / "de.jsonl")]
    taught, asked = [*some[:24], some[0]], some[24:]
    with Memory.create("work", seed=common.SEED) as memory:
        memory.add_many(taught)
        expected = [memory.ask(one.input, PRIOR_ALONE).text for one in asked]
        encode = memory._opened.engines.encoder().encode
        vectors = dict(zip([one.input for one in some], encode([one.input for one in some]), strict=True))

    assert encoders.answers(taught, asked, vectors) == expected


def test_a_run_prints_one_document(models_home: Path, tmp_path: Path) -> None:
    done = compare(
        *("--sets", "sst2", "th", "--pair", *pair(tmp_path), "--draws", 1, "--examples", 2, 50, "--json"),
        data=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == "sst2 is left out: set EDGE_ICL_DATA to the folder that holds it\n"
    found: dict[str, Any] = json.loads(done.stdout)
    given = f"{tmp_path.name}/train"
    assert [(cell["set"], cell["size"]) for cell in found["cells"]] == [
        (given, 2),
        (given, 3),
        ("th", 8),
        ("th", 20),
    ]
    assert found["summary"][0]["means"].keys() == {"given", "other languages", "all"}
    assert found["cells"][1]["accuracy"]["all-minilm-l6-v2"] == 100
    assert found["costs"][0]["bytes an example"] == 384


def test_an_encoder_that_is_not_here_is_one_sentence(models_home: Path, tmp_path: Path) -> None:
    done = compare("--encoders", "unknown", "--sets", "de", data=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("there is no model unknown ")
    assert len(done.stderr.splitlines()) == 1


def test_tables_compare_with_the_first_encoder(models_home: Path, tmp_path: Path) -> None:
    name = "all-minilm-l6-v2"
    done = compare("--encoders", name, "--sets", "--pair", *pair(tmp_path), "--examples", 3, data=tmp_path)

    assert done.returncode == 0, done.stderr
    assert f"| {tmp_path.name}/train | 3 | 100.0 |" in done.stdout
    assert f"| {name} | " in done.stdout.split("What a laptop pays")[1]
