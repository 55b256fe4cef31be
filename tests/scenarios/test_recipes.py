"""The recipes of docs/recipes.md, applied as written to a copy of the package, and tried."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from funasr_cli.executors.base import Executor
from tests.conftest import NANO
from tests.support.command import Run
from tests.support.documents import Block, blocks, inline
from tests.support.meetings import samples_of
from tests.test_architecture import LAYER, PACKAGE, imports

FAMILY, DEVICE, FORMAT = "A model family", "A device", "An output format"

LEVELS = {"silent": -90.0, "quiet": -40.0, "loud": -10.0}
"""Words of the toy model, and their levels in dBFS."""

SHORT, LONG = "words-with-pauses.flac", "words-without-pauses.flac"
"""Recordings shorter than a window of the toy model, and longer than two."""


class Package:
    """A copy of the package to which recipes were applied."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {**os.environ, "PYTHONPATH": str(root)}
        shutil.copytree(PACKAGE, root / "funasr_cli", ignore=shutil.ignore_patterns("__pycache__"))

    def follow(self, *recipes: str) -> Package:
        for recipe in recipes:
            for block in blocks("recipes.md", recipe):
                block.apply(self.root)
        return self


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path / "package")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of the toy family."""
    folder = tmp_path / "levels"
    folder.mkdir()
    (folder / "words.txt").write_text("\n".join(LEVELS), encoding="utf-8")
    np.array(list(LEVELS.values()), np.float32).tofile(folder / "levels.f32")
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two valid recordings, and a broken one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (SHORT, LONG):
        shutil.copyfile(NANO / name, folder / name)
    (folder / "torn.wav").write_bytes(b"no audio")
    return folder


def lines(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the lines of the manifest by the name of the recording."""
    entries = map(json.loads, (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return {Path(entry["path"]).name: entry for entry in entries}


def nearest(recording: Path) -> str:
    """Return the word for the loudness of a whole recording."""
    level = 10 * np.log10(np.mean(samples_of(recording) ** 2))
    return min(LEVELS, key=lambda word: abs(LEVELS[word] - level))


def test_a_family_on_its_device_goes_the_whole_way(run: Run, package: Package, model: Path, recordings: Path) -> None:
    env = package.follow(FAMILY, DEVICE).environment
    done = run("transcribe", "in", "--model", model, "--vad", "off", "-f", "txt,json", "-o", "out", env=env)
    assert done.returncode == 1, done.stderr  # because of the broken one
    out = recordings.parent / "out"
    entries = lines(out)
    assert {name: entry["status"] for name, entry in entries.items()} == {
        SHORT: "done",
        LONG: "done",
        "torn.wav": "failed",
    }
    assert entries[SHORT]["device"] == "numpy (float32)"
    assert entries[SHORT]["model"] == model.name
    text = (out / SHORT).with_suffix(".txt").read_text(encoding="utf-8")
    assert text == f"{nearest(recordings / SHORT)}\n"
    segments = json.loads((out / LONG).with_suffix(".json").read_text(encoding="utf-8"))["segments"]
    tokens = [token for segment in segments for token in segment["tokens"]]
    assert len(tokens) > 1
    assert {token["text"].strip() for token in tokens} <= LEVELS.keys()
    again = run("transcribe", "in", "--model", model, "--vad", "off", "-f", "txt,json", "-o", "out", env=env)
    assert "2 already done" in again.stderr


def test_the_same_text_comes_out_of_one_process(run: Run, package: Package, model: Path, recordings: Path) -> None:
    env = package.follow(FAMILY, DEVICE).environment
    words = recordings.parent / "words"
    words.write_text("能源\n", encoding="utf-8")
    done = run("transcribe", f"in/{SHORT}", "--model", model, "--vad", "off", "-o", "-", "--hotwords", words, env=env)
    assert done.stdout == f"{nearest(recordings / SHORT)}\n", done.stderr
    assert "levels does not listen for hotwords" in done.stderr


def test_a_folder_of_no_family_is_told_what_the_new_one_needs(run: Run, package: Package, recordings: Path) -> None:
    done = run("transcribe", "in", "--model", "in", env=package.follow(FAMILY, DEVICE).environment)
    assert done.returncode == 4
    assert "loudness: no words.txt, no levels.f32" in done.stderr


@pytest.fixture
def executor(model: Path) -> Iterator[Executor]:
    """The device of the recipe, without a pool."""
    (block,) = blocks("recipes.md", DEVICE)
    module = ModuleType("recipe")
    exec(compile(block.content, block.file, "exec"), module.__dict__)
    made = module.NumpyExecutor(model / "levels.f32")
    yield made
    made.close()


def test_a_device_begins_a_second_run_before_the_first_is_fetched(executor: Executor) -> None:
    loud, silent = np.full(16_000, 0.3, np.float32), np.zeros(8_000, np.float32)
    first, second = executor.begin({"samples": loud}), executor.begin({"samples": silent})
    for fetch, seconds, word in ((first, 1.0, "loud"), (second, 0.5, "silent")):
        outputs, took = fetch()
        assert outputs["seconds"].tolist() == [seconds]
        assert list(LEVELS)[int(outputs["scores"].argmax())] == word
        assert took >= 0
        assert {name: array.dtype for name, array in outputs.items()} == {
            spec.name: spec.dtype for spec in executor.outputs
        }


def test_a_device_refuses_what_does_not_fit(executor: Executor) -> None:
    with pytest.raises(ValueError, match="samples"):
        executor.run({"samples": np.zeros(10, np.int16)})


def test_a_format_comes_out_of_a_run(run: Run, package: Package, recordings: Path) -> None:
    env = package.follow(FORMAT).environment
    assert "Output formats: txt, srt, vtt, json, tsv, lrc." in " ".join(
        run("transcribe", "--help", env=env).stdout.split()
    )
    done = run("transcribe", f"in/{LONG}", "--model", NANO, "-f", "lrc,json", "--crlf", "-o", "out", env=env)
    assert done.returncode == 0, done.stderr
    lyrics = (recordings.parent / "out" / LONG).with_suffix(".lrc").read_bytes().decode()
    segments = json.loads((recordings.parent / "out" / LONG).with_suffix(".json").read_text(encoding="utf-8"))[
        "segments"
    ]
    assert len(segments) > 1
    told = re.findall(r"\[(\d\d):(\d\d\.\d\d)\](.+)\r\n", lyrics)
    assert [text for _, _, text in told] == [segment["text"] for segment in segments]
    for (minutes, seconds, _), segment in zip(told, segments, strict=True):
        assert 60 * int(minutes) + float(seconds) == pytest.approx(segment["start"], abs=0.006)


def test_without_the_recipe_the_format_is_wrong_usage(run: Run, recordings: Path) -> None:
    assert run("transcribe", "in", "--model", NANO, "-f", "lrc").returncode == 2


@pytest.mark.parametrize(
    "block", [block for block in blocks("recipes.md") if block.language == "python"], ids=lambda block: block.file
)
def test_what_a_recipe_makes_keeps_to_the_floors(block: Block) -> None:
    package = Path(block.file).parts[1]
    for imported in imports(ast.parse(block.content)):
        assert LAYER[imported.split(".")[0]] > LAYER[package] or imported.startswith(package)


def test_a_change_that_does_not_fit_the_code_is_noticed(package: Package) -> None:
    change = Block("diff", "--- funasr_cli/outputs/layout.py\n-FORMATS = ()\n+FORMATS = (1,)\n")
    with pytest.raises(AssertionError, match="does not have these lines"):
        change.apply(package.root)


def test_every_field_of_the_manifest_is_described(run: Run, recordings: Path) -> None:
    run("transcribe", "in", "--model", NANO, "-o", "out")
    written = {field for entry in lines(recordings.parent / "out").values() for field in entry}
    assert written <= set(inline("architecture.md"))
