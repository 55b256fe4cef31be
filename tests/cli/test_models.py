"""`funasr-cli models`, as people and scripts use it, with a local hub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.models.conftest import FILES
from tests.support.command import Run
from tests.support.hub import Hub, serving

Models = Callable[..., CompletedProcess[str]]


@pytest.fixture
def hub() -> Hub:
    """A hub that has something else under the name of whisper-small, at the revision v2."""
    return Hub({**FILES, "vocabulary.txt": b"toy\n"}, repository="Systran/faster-whisper-small", revisions=("v2",))


@pytest.fixture
def models(run: Run, hub: Hub, tmp_path: Path) -> Iterator[Models]:
    """Runs `funasr-cli models` with an empty store; the hub is the only network."""
    with serving(hub) as url:
        environment = {
            **os.environ,
            "FUNASR_CLI_MODELS": str(tmp_path / "store"),
            "HOME": str(tmp_path / "home"),
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "MODELSCOPE_ENDPOINT": url,
            "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "0",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        yield lambda *arguments, **more: run("models", *arguments, env={**environment, **more})


def test_a_model_is_pulled_verified_packed_and_imported_elsewhere(models: Models, hub: Hub, tmp_path: Path) -> None:
    pulled = models("pull", "whisper-small", "--revision", "v2")
    assert pulled.returncode == 0, pulled.stderr
    assert pulled.stdout == ""
    assert pulled.stderr.splitlines() == [
        *(f"{name}: {len(hub.files[name]):,} bytes" for name in sorted(hub.files, key=lambda n: len(hub.files[n]))),
        f"whisper-small is in {tmp_path}/store/whisper-small. Licence: MIT",
    ]
    assert models("path", "whisper-small").stdout == f"{tmp_path}/store/whisper-small\n"
    strange = "; not the files known by this name: from modelscope, Systran/faster-whisper-small at v2"
    assert models("verify").stdout == f"whisper-small: 4 files as recorded{strange}\n"
    packed = models("pack", "whisper-small", "-o", "small.tar")
    assert (packed.returncode, packed.stdout) == (0, "")
    there = {"FUNASR_CLI_MODELS": str(tmp_path / "there")}
    refused = models("import", "small.tar", **there)
    assert refused.returncode == 4
    assert "files are not the known files of whisper-small" in refused.stderr
    imported = models("import", "small.tar", "--trust", **there)
    assert imported.returncode == 0, imported.stderr
    assert models("verify", "whisper-small", **there).stdout == f"whisper-small: 4 files as recorded{strange}\n"
    listed = {model["name"]: model for model in json.loads(models("list", "--json", **there).stdout)["models"]}
    assert listed["whisper-small"]["path"] == f"{tmp_path}/there/whisper-small"
    assert listed["whisper-small"]["origin"]["revision"] == "v2"
    assert listed["whisper-medium"]["path"] is None


def test_a_model_that_is_here_is_not_pulled_again(models: Models, hub: Hub, tmp_path: Path) -> None:
    models("pull", "whisper-small", "--revision", "v2")
    hub.sent.clear()
    again = models("pull", "whisper-small")
    assert (again.returncode, again.stderr) == (
        0,
        f"whisper-small is already present: {tmp_path}/store/whisper-small\n",
    )
    other = models("pull", "whisper-small", "--revision", "v3")
    assert other.returncode == 4
    assert "remove that folder first" in other.stderr
    assert not hub.sent


def test_verify_names_every_model_that_was_changed(models: Models, tmp_path: Path) -> None:
    models("pull", "whisper-small", "--revision", "v2")
    (tmp_path / "store/whisper-small/model.bin").write_bytes(b"changed")
    (tmp_path / "store/whisper-medium").mkdir()
    done = models("verify")
    assert done.returncode == 4
    assert "whisper-small/model.bin: has sha256" in done.stderr
    assert "whisper-medium/config.json: is missing" in done.stderr
    assert done.stderr.splitlines()[-1] == "error: verification failed: whisper-small, whisper-medium"
    packed = models("pack", "whisper-small", "-o", "small.tar")
    assert packed.returncode == 4
    assert not (tmp_path / "small.tar").exists()


def test_without_network_the_message_says_how_to_carry_the_model_over(models: Models, tmp_path: Path) -> None:
    done = models("pull", "sensevoice-small", MODELSCOPE_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 4
    assert "error: sensevoice-small cannot be downloaded from ModelScope: " in done.stderr
    assert "models pack sensevoice-small" in done.stderr
    assert "models import sensevoice-small.tar" in done.stderr
    assert done.stderr.splitlines()[0] == "LICENSE: 71 bytes"
    assert done.stderr.splitlines()[1].startswith("error: ")  # without the client's log
    assert not (tmp_path / "store/sensevoice-small").exists()


def test_without_network_the_other_hub_is_as_quiet(models: Models) -> None:
    done = models("pull", "whisper-small", "--hub", "huggingface", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 4
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "config.json",
        "error",
        "  Partial downloads are kept; run the same command again to resume.",
        "  Without network",
    ]


def test_the_list_says_what_there_is_and_which_model_is_taken(models: Models, tmp_path: Path) -> None:
    models("pull", "whisper-small", "--revision", "v2")
    (tmp_path / "store/sensevoice-small-int8").mkdir(parents=True)
    done = models("list")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0][:4] == ["sensevoice-small", "938", "MB", "sensevoice"]
    assert rows[1][:2] == ["*", "sensevoice-small-int8"]
    assert " ".join(rows[1][-6:]) == f"damaged: am.mvn is missing in {tmp_path}/store/sensevoice-small-int8"
    assert done.stdout.splitlines()[-1] == (
        "* default: sensevoice-small-int8 is in the model store, but it is damaged: runs without --model will fail"
    )
    assert f"{tmp_path}/store/whisper-small\n" in done.stdout
    faults = {model["name"]: model["fault"] for model in json.loads(models("list", "--json").stdout)["models"]}
    assert [name for name, fault in faults.items() if fault] == ["sensevoice-small-int8"]


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda folder: (folder / "model.bin").unlink(), "model.bin is missing in"),
        (lambda folder: os.truncate(folder / "model.bin", 5), "model.bin in"),
        (lambda folder: (folder / "origin.json").write_text("{}"), "not a record of a model's origin"),
        (lambda folder: (folder / "more.bin").touch(), "more.bin in"),
    ],
)
def test_a_damaged_model_does_not_pass_for_one_that_is_here(
    models: Models, tmp_path: Path, damage: Callable[[Path], object], fault: str
) -> None:
    models("pull", "whisper-small", "--revision", "v2")
    damage(tmp_path / "store/whisper-small")
    assert "damaged: " in models("list").stdout
    again = models("pull", "whisper-small")
    assert again.returncode == 4
    assert "whisper-small is present but damaged: " in again.stderr
    assert fault in again.stderr
    assert f"Remove the folder {tmp_path}/store/whisper-small first." in again.stderr


def test_a_folder_of_ones_own_is_carried_without_a_bundle(models: Models, tmp_path: Path) -> None:
    (tmp_path / "my model").mkdir()
    done = models("pack", "my model", "-o", "x.tar")
    assert done.returncode == 4
    assert (
        f"tar cf 'my model'.tar -C {tmp_path} 'my model'; on the other machine: tar xf, and --model DIR" in done.stderr
    )


@pytest.mark.parametrize(
    "store", [{"FUNASR_CLI_MODELS": "/dev/null/models"}, {"HOME": "/dev/null", "FUNASR_CLI_MODELS": ""}]
)
def test_a_store_that_cannot_be_written_comes_with_another_place(
    embedded: None, models: Models, store: dict[str, str]
) -> None:
    for arguments in (["path", "whisper-base"], ["pull", "whisper-small"]):
        done = models(*arguments, **store)
        assert done.returncode == 4
        assert "/dev/null" in done.stderr
        assert "export FUNASR_CLI_MODELS=DIR" in done.stderr


@pytest.mark.parametrize("command", ["pull", "path", "verify"])
def test_a_misspelt_name_is_answered_with_the_nearest(models: Models, command: str) -> None:
    done = models(command, "sensevoice-smal")
    assert done.returncode == 4
    assert "unknown model 'sensevoice-smal'\n  Did you mean sensevoice-small?" in done.stderr


def test_whisper_base_from_its_packages_can_be_carried_as_well(embedded: None, models: Models, tmp_path: Path) -> None:
    assert models("path", "whisper-base").stdout == f"{tmp_path}/store/whisper-base\n"
    assert models("pack", "whisper-base", "-o", "base.tar").returncode == 0
    imported = models("import", "base.tar", FUNASR_CLI_MODELS=str(tmp_path / "there"))
    assert imported.returncode == 0, imported.stderr
    assert {path.name for path in (tmp_path / "there/whisper-base").iterdir()} == {
        *("config.json", "model.bin", "tokenizer.json", "vocabulary.txt"),
        "origin.json",
    }
