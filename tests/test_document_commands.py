"""Every `funasr-cli` command in the documents is one that the program takes, and those that can run here do run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import click
import pytest

from funasr_cli.cli import cli
from funasr_cli.files import sha256_of
from funasr_cli.package_data import configs
from tests.conftest import NANO
from tests.support.command import run_command
from tests.support.documents import PAGES, PROGRAM, blocks, commands, inline

Arguments = tuple[str, ...]

SHELL = ("sh", "cron", "ini")
"""Languages of code blocks whose commands are typed, or run by cron and systemd."""

TEXTS = [page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "benchmarks"]
"""All but those that tell of other versions, and of recordings that only developers have."""

TYPED = sorted({given for page in TEXTS for block in blocks(page) if block.language in SHELL
                for given in commands(block.content)})  # fmt: skip

MENTIONED = sorted({given for page in TEXTS for text in inline(page) if text.startswith(f"{PROGRAM} ")
                    for given in commands(text)} - {*TYPED})  # fmt: skip
"""Commands within sentences and tables; some are without their arguments."""

NOT_RUN: Mapping[str, str] = {
    "models pull": "needs a hub; tests/cli/test_models.py has one",
    "models import": "takes only published files; tests/cli/test_models.py imports a bundle",
    "--model whisper-base": "needs 148 MB of weights",
    "--speed": "takes minutes; tests/doctor/test_speed.py does it with fewer runs",
    "--device npu": "needs an NPU; tests/scenarios/test_npu.py simulates one",
    "convert": "needs CANN; tests/cli/test_convert.py simulates it",
    "doctor --model": "needs an NPU; tests/doctor/test_npu.py simulates one",
    "export": "needs torch; tests/parity has it",
    "freeze": "needs a float32 graph; tests/cli/test_export.py makes one",
}
"""Parts of commands that cannot run in this test, and why."""

CLIP = NANO / "words-without-pauses.flac"

RECORDINGS = ("meetings/a.wav", "data/meetings/a.wav", "calls/a.mp3", "samples/a.flac", "talk.mp4", "film.mkv")

TRANSCRIPTS = ("transcripts", "references", "with-hotwords", "without", "after")


def text_of(arguments: Arguments) -> str:
    return " ".join(arguments)


def reason_not_to_run(arguments: Arguments) -> str | None:
    return next((why for part, why in NOT_RUN.items() if f" {part} " in f" {text_of(arguments)} "), None)


RUN = [arguments for arguments in TYPED if reason_not_to_run(arguments) is None]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the documents name; the models are the small one under other names."""
    folder, store = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("store")
    for name in RECORDINGS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLIP, folder / name)
        os.utime(folder / name, (0, 0))
    for name in TRANSCRIPTS:
        (folder / name).mkdir()
        (folder / name / "a.txt").write_text("新发展格局\n", encoding="utf-8")
    for name in ("talk.srt", "talk-reference.txt", "names.txt", "meeting.wav", "talk.wav"):
        (folder / name).write_text("新发展格局\n", encoding="utf-8")
    for name in ("funasr-cli.yaml", "nightly.yaml"):
        shutil.copy(configs()["cpu"], folder / name)
    for name in ("sensevoice-small", "sensevoice-small-int8"):
        install(store / name)
    (folder / "opt/models").mkdir(parents=True)
    for name in ("sensevoice-15s", "opt/models/sensevoice-15s", "SenseVoiceSmall"):
        (folder / name).symlink_to(store / "sensevoice-small")
    for name in ("published", "SenseVoiceSmall-onnx"):
        (folder / name).mkdir()
        (folder / name / "model.onnx").touch()
    (folder / "store").symlink_to(store)
    return folder


def install(model: Path) -> None:
    """Put the small model into a model store, with the record that vouches for its files."""
    model.mkdir()
    for name in ("am.mvn", "config.yaml", "model_quant.onnx", "tokens.json"):
        shutil.copy(NANO / name, model)
    files = [{"name": it.name, "size": it.stat().st_size, "sha256": sha256_of(it)} for it in sorted(model.iterdir())]
    record = {"format": 1, "model": model.name, "origin": None, "files": files}
    (model / "origin.json").write_text(json.dumps(record), encoding="utf-8")


@pytest.fixture
def here(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is the prepared one."""
    monkeypatch.chdir(prepared)


def parse(arguments: Arguments) -> None:
    """Raises what the program says of arguments that it does not take; no command runs."""
    with patch.object(click.Command, "invoke", lambda *_: None):
        cli.main(list(arguments), PROGRAM, standalone_mode=False, obj={})


@pytest.mark.parametrize("arguments", TYPED, ids=text_of)
def test_a_command_in_a_document_is_one_that_the_program_takes(here: None, arguments: Arguments) -> None:
    parse(arguments)


@pytest.mark.parametrize("arguments", MENTIONED, ids=text_of)
def test_a_command_in_a_sentence_is_one_that_the_program_takes(here: None, arguments: Arguments) -> None:
    with suppress(click.MissingParameter):
        parse(arguments)


@pytest.mark.process
@pytest.mark.parametrize("arguments", RUN, ids=text_of)
def test_a_command_in_a_document_runs(prepared: Path, tmp_path: Path, arguments: Arguments) -> None:
    folder = shutil.copytree(prepared, tmp_path / "here", symlinks=True)
    environment = os.environ | {"FUNASR_CLI_MODELS": str(folder / "store")}
    done = run_command(folder, *arguments, stdin=CLIP if "-" in arguments else None, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part", NOT_RUN)
def test_what_is_not_run_is_in_a_document(part: str) -> None:
    assert [arguments for arguments in TYPED if f" {part} " in f" {text_of(arguments)} "]


@pytest.mark.parametrize(
    "arguments", [("transcribe", "meetings", "--langauge", "zh"), ("models", "push", "x"), ("score", "after")]
)
def test_a_command_that_the_program_does_not_take_is_noticed(here: None, arguments: Arguments) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|no command|missing"):
        parse(arguments)
