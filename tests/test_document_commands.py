"""Every `funasr-cli` command in the documents is one that the program takes, and those that can run here do run."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import click
import pytest

from funasr_cli.cli import cli
from funasr_cli.files import sha256_of
from funasr_cli.models.catalogue import ModelFile
from funasr_cli.models.origin import OriginRecord
from funasr_cli.package_data import configs
from tests.conftest import NANO, ROOT
from tests.support.command import run_command
from tests.support.documents import PAGES, PROGRAM, blocks, commands, inline

Arguments = tuple[str, ...]

SHELL = ("sh", "cron", "ini")
"""Languages of code blocks whose commands are typed, or run by cron and systemd."""

TEXTS = [it for it in PAGES if it.name not in ("CHANGELOG.md", "commands.md") and it.parent.name != "benchmarks"]
"""Not pages about other versions, those made from the program, and those about recordings that only developers have."""

TYPED = sorted({it for page in TEXTS for block in blocks(page) if block.language in SHELL
                for it in commands(block.content)})  # fmt: skip

MENTIONED = sorted({it for page in TEXTS for text in inline(page) if text.startswith(f"{PROGRAM} ")
                    for it in commands(text)} - {*TYPED})  # fmt: skip
"""Commands within sentences and tables; some are without their arguments."""

NOT_RUN = {
    "models pull": "needs a hub; tests/cli/test_models.py has one",
    "models import": "takes only published files; tests/cli/test_models.py imports a bundle",
    "--model whisper-base": "needs 148 MB of weights",
    "--speed": "takes minutes; tests/doctor/test_speed.py does it with fewer runs",
    "--device npu": "needs an NPU; tests/scenarios/test_npu.py simulates one",
    "convert": "needs CANN; tests/cli/test_convert.py simulates it",
    "doctor --model": "needs an NPU; tests/doctor/test_npu.py simulates one",
    "export": "needs torch; tests/parity has it",
    "--list-orphans": "needs the outputs of an earlier run; tests/cli/test_first_hour.py makes one",
    "freeze": "needs a float32 graph; tests/cli/test_export.py makes one",
}
"""Parts of commands that cannot run in this test, and why."""

CLIP = NANO / "words-without-pauses.flac"

RECORDINGS = ("meetings/a.wav", "data/meetings/a.wav", "calls/a.mp3", "samples/a.flac", "talk.mp4", "film.mkv")
TRANSCRIPTS = ("transcripts", "references", "with-hotwords", "without", "after")


def has(arguments: Arguments, part: str) -> bool:
    return f" {part} " in f" {' '.join(arguments)} "


FIRST = {given for block in blocks(ROOT / "README.md") for given in commands(block.content)}

RUN = [
    pytest.param(given, marks=[pytest.mark.slow] if given[0] == "transcribe" and given not in FIRST else [])
    for given in TYPED
    if not any(has(given, part) for part in NOT_RUN)
]
"""Of the recordings, the default suite transcribes only those of the README."""


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
    for name in ("talk-reference.txt", "names.txt", "meeting.wav", "talk.wav", "talk.srt"):
        cue = "1\n00:00:00,000 --> 00:00:01,000\n" if name == "talk.srt" else ""
        (folder / name).write_text(f"{cue}新发展格局\n", encoding="utf-8")
    for name in ("funasr-cli.yaml", "nightly.yaml"):
        shutil.copy(configs()["cpu"], folder / name)
    for name in ("sensevoice-small", "sensevoice-small-int8"):
        install(store / name)
    for name in ("sensevoice-15s", "opt/models/sensevoice-15s", "SenseVoiceSmall"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(store / "sensevoice-small")
    for name in ("published/model.onnx", "SenseVoiceSmall-onnx/model.onnx"):
        (folder / name).parent.mkdir()
        (folder / name).touch()
    (folder / "store").symlink_to(store)
    return folder


def install(model: Path) -> None:
    """Put the small model into a model store, with the record that vouches for its files."""
    shutil.copytree(NANO, model, ignore=shutil.ignore_patterns("words-*", "NOTICE"))
    files = tuple(ModelFile(it.name, it.stat().st_size, sha256_of(it)) for it in sorted(model.iterdir()))
    (model / "origin.json").write_bytes(OriginRecord(model.name, None, files).to_bytes())


@pytest.fixture
def here(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is the prepared one."""
    monkeypatch.chdir(prepared)


def parse(arguments: Arguments) -> None:
    """Raises what the program says of arguments that it does not take; no command runs."""
    with patch.object(click.Command, "invoke", lambda *_: None):
        cli.main(list(arguments), PROGRAM, standalone_mode=False, obj={})


@pytest.mark.parametrize("arguments", TYPED, ids=" ".join)
def test_a_command_in_a_document_is_one_that_the_program_takes(here: None, arguments: Arguments) -> None:
    parse(arguments)


@pytest.mark.parametrize("arguments", MENTIONED, ids=" ".join)
def test_a_command_in_a_sentence_is_one_that_the_program_takes(here: None, arguments: Arguments) -> None:
    with suppress(click.MissingParameter):
        parse(arguments)


@pytest.mark.process
@pytest.mark.parametrize("arguments", RUN, ids=" ".join)
def test_a_command_in_a_document_runs(prepared: Path, tmp_path: Path, arguments: Arguments) -> None:
    folder = shutil.copytree(prepared, tmp_path / "here", symlinks=True)
    if arguments[:2] == ("config", "init"):
        for made in folder.glob("*.yaml"):
            made.unlink()
    environment = os.environ | {"FUNASR_CLI_MODELS": str(folder / "store")}
    done = run_command(folder, *arguments, stdin=CLIP if "-" in arguments else None, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part", NOT_RUN)
def test_what_is_not_run_is_in_a_document(part: str) -> None:
    assert any(has(arguments, part) for arguments in TYPED)


@pytest.mark.parametrize("arguments", [("transcribe", "talk.mp4", "--langauge", "zh"), ("models", "push"), ("score",)])
def test_a_command_that_the_program_does_not_take_is_noticed(here: None, arguments: Arguments) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|no command|missing"):
        parse(arguments)
