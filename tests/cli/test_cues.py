"""The options for subtitles: presets, what overrides them, what is refused, and what they make of a recording."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import srt

from funasr_cli.cli import cli
from funasr_cli.cli.transcribe import run_options
from funasr_cli.text.cue_presets import CUE_PRESETS
from funasr_cli.text.options import SegmentLimits
from tests.conftest import NANO
from tests.support.command import Run


def limits(*arguments: str) -> SegmentLimits:
    context = cli.commands["transcribe"].make_context("transcribe", [*arguments, "x.wav"])  # type: ignore[attr-defined]
    options: dict[str, Any] = context.params
    return run_options(**options).settings.segments


def test_without_options_the_limits_are_the_defaults() -> None:
    assert limits() == SegmentLimits()


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("--max-line-width", 20, "columns"),
        ("--max-lines", 2, "lines"),
        ("--max-cue-seconds", 5.0, "seconds"),
        ("--min-cue-seconds", 1.5, "min_seconds"),
        ("--max-cps", 12.0, "characters_per_s"),
        ("--cue-gap", 0.2, "gap"),
    ],
)
def test_each_option_sets_its_limit_and_overrides_the_preset(option: str, value: float, field: str) -> None:
    alone, with_preset = limits(option, str(value)), limits("--cue-preset", "netflix-zh", option, str(value))
    assert getattr(alone, field) == getattr(with_preset, field) == value
    assert alone.strict
    others = {name: getattr(with_preset, name) for name in ("columns", "lines", "seconds", "gap") if name != field}
    assert others == {name: getattr(CUE_PRESETS["netflix-zh"], name) for name in others}


@pytest.mark.parametrize("preset", CUE_PRESETS)
def test_a_preset_is_taken_by_its_name(preset: str) -> None:
    assert limits("--cue-preset", preset) == CUE_PRESETS[preset]


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--max-line-width", "1"), "1 is not in the range x>=2"),
        (("--max-lines", "0"), "0 is not in the range x>=1"),
        (("--max-cue-seconds", "0"), "0.0 is not in the range x>0"),
        (("--max-cps", "0"), "0.0 is not in the range x>0"),
        (("--cue-gap", "-1"), "-1.0 is not in the range x>=0"),
        (("--cue-preset", "cinema"), "'cinema' is not one of 'netflix-zh'"),
        (("--min-cue-seconds", "8"), "minimum duration of a cue, 8 s, is more than the maximum, 7 s"),
        (("--cue-preset", "ted-zh", "--max-cue-seconds", "0.5"), "1 s, is more than the maximum, 0.5 s"),
    ],
)
def test_limits_that_make_no_sense_are_wrong_usage(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run("transcribe", "x.wav", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_subtitles_hold_to_the_limits_and_other_formats_stay_on_one_line(run: Run, tmp_path: Path) -> None:
    options = ("--model", NANO, "-f", "srt,vtt,json,tsv", "--workers", "1")
    recording = NANO / "words-with-pauses.flac"
    assert run("transcribe", recording, *options).returncode == 0
    asked = ("--max-line-width", "4", "--max-lines", "2", "--min-cue-seconds", "2.0", "--cue-gap", "0.1")
    planned = run("transcribe", recording, *options, *asked, "--dry-run")
    assert planned.stdout.startswith("render ")
    assert planned.stdout.rstrip().endswith("changed: segments")
    before = document(tmp_path)
    done = run("transcribe", recording, *options, *asked)
    assert done.returncode == 0, done.stderr
    after = document(tmp_path)
    assert tokens(after) == tokens(before)
    assert len(after["segments"]) == 3

    made = tmp_path / "transcripts" / "words-with-pauses"
    cues = list(srt.parse(made.with_suffix(".srt").read_text(encoding="utf-8")))
    assert [cue.content.replace("\n", " ") for cue in cues] == [segment["text"] for segment in after["segments"]]
    assert {len(line) for cue in cues for line in cue.content.split("\n")} == {2}
    assert max(cue.content.count("\n") for cue in cues) == 1
    assert all((after.start - before.end).total_seconds() >= 0.1 for before, after in pairwise(cues))
    assert "\n\n" not in made.with_suffix(".tsv").read_text(encoding="utf-8")
    assert len(made.with_suffix(".tsv").read_text(encoding="utf-8").splitlines()) == 1 + len(cues)
    assert run("transcribe", recording, *options, *asked).stderr.splitlines()[-1].startswith("nothing to do")


def document(folder: Path) -> Any:
    return json.loads((folder / "transcripts" / "words-with-pauses.json").read_text(encoding="utf-8"))


def tokens(found: Any) -> list[str]:
    return [token["text"] for segment in found["segments"] for token in segment["tokens"]]
