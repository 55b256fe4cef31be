"""What `--model` accepts besides a model's folder, and the errors for anything else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.models.store import find_model
from tests.conftest import NANO

FILES = ("model_quant.onnx", "tokens.json", "am.mvn")


def copied(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in FILES:
        shutil.copy(NANO / name, folder)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_model_stands_for_its_folder(name: str) -> None:
    found = find_model(str(NANO / name))
    assert (found.path, found.name, found.content) == (NANO, "nano", find_model(str(NANO)).content)


def test_a_file_of_weights_is_the_one_that_is_taken(tmp_path: Path) -> None:
    folder = copied(tmp_path / "m")
    shutil.copy(folder / "model_quant.onnx", folder / "model.onnx")
    assert find_model(str(folder)).precision == "float32"
    assert find_model(str(folder / "model_quant.onnx")).precision == "int8"
    assert find_model(str(folder / "model_quant.onnx"), "float32").precision == "float32"


def test_another_file_beside_a_model_is_not_taken_for_it(tmp_path: Path) -> None:
    folder = copied(tmp_path / "m")
    (folder / "notes.txt").write_text("ours\n")
    with pytest.raises(ModelError, match=r"notes\.txt: is not a file of the model in its folder\n.*--model .*/m"):
        find_model(str(folder / "notes.txt"))


@pytest.mark.parametrize("path", ["models/iic/SenseVoiceSmall", "a/b/c/d"])
def test_the_one_model_below_a_folder_is_found(tmp_path: Path, path: str) -> None:
    folder = copied(tmp_path / path)
    (tmp_path / "models" / "other").mkdir(parents=True)
    found = find_model(str(tmp_path))
    assert (found.path, found.name) == (folder, folder.name)


def test_of_several_models_below_a_folder_one_has_to_be_named(tmp_path: Path) -> None:
    first, second = copied(tmp_path / "a"), copied(tmp_path / "b")
    with pytest.raises(ModelError, match="contains 2 models") as raised:
        find_model(str(tmp_path))
    assert raised.value.hint == f"Choose one: {first}, {second}."


def test_of_a_hubs_cache_the_current_revision_is_taken_by_the_name_of_its_repository(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--FunAudioLLM--SenseVoiceSmall"
    copied(repository / "snapshots" / "0123")
    current = copied(repository / "snapshots" / "89ab")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("89ab")
    for path in (tmp_path, tmp_path / "hub", repository, current):
        found = find_model(str(path))
        assert (found.path, found.name) == (current, "SenseVoiceSmall")


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ("model: Paraformer\n", "is a Paraformer model, which this version does not support"),
        ("init: null\nmodel: 'SeacoParaformer'\nmodel_conf:\n", "is a Paraformer"),
        ("model: BiCifParaformer\n", "is a Paraformer"),
        ("model: FunASRNano\n", "is a Fun-ASR-Nano"),
        ("model: FsmnVADStreaming\n", "is a voice detector"),
        ("model: CTTransformer\n", "is a punctuation model"),
        ("model: CAMPPlus\n", "is a speaker model"),
    ],
)
def test_models_of_funasr_that_are_not_run_are_named(tmp_path: Path, config: str, what: str) -> None:
    folder = copied(tmp_path / "m")
    (folder / "config.yaml").write_text(config)
    with pytest.raises(ModelError, match=what) as raised:
        find_model(str(folder))
    assert raised.value.hint
    with pytest.raises(ModelError, match=what.removeprefix("is ")):
        find_model(str(folder / "model_quant.onnx"))


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("model.safetensors", b"\x10\0\0\0\0\0\0\0{}", "is a safetensors file"),
        ("ggml-base.bin", b"lmgg\0\0", "is a whisper.cpp or llama.cpp file"),
        ("base.gguf", b"GGUF\3", "is a whisper.cpp or llama.cpp file"),
        ("base.pt", b"PK\3\4", "is a PyTorch checkpoint"),
        ("sensevoice.tar.bz2", b"BZh9", "is an archive"),
        ("model.onnx", b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer"),
        ("model.bin", b"\n<!DOCTYPE html>\n<html>", "is a web page"),
    ],
)
def test_weights_of_another_kind_are_named_by_file_and_by_folder(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / name).write_bytes(content)
    for path in (tmp_path / "m" / name, tmp_path / "m"):
        with pytest.raises(ModelError) as raised:
            find_model(str(path))
        assert str(raised.value).startswith(f"{tmp_path / 'm' / name}: {what}")
        assert raised.value.hint


@pytest.mark.parametrize("name", FILES[:2])
@pytest.mark.parametrize(
    ("content", "what"), [("version https://git-lfs.github.com/spec/v1\n", "LFS"), ("<html><head>", "web page")]
)
def test_a_model_with_something_in_place_of_a_file_is_not_loaded(
    tmp_path: Path, name: str, content: str, what: str
) -> None:
    folder = copied(tmp_path / "m")
    (folder / name).write_text(content)
    with pytest.raises(ModelError, match=rf"{name}: is a .*{what}"):
        find_model(str(folder))
