"""A pull fetches exactly the model's files, whole and verified, however often it must be restarted."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from funasr_cli.errors import ModelError, UsageError
from funasr_cli.models.catalogue import ModelFile
from funasr_cli.models.download import PARTIAL_DIR, pull
from funasr_cli.models.origin import Origin, read_record
from funasr_cli.models.store import find_model, verified
from tests.models.conftest import FILES, TOY
from tests.support.hub import COMMIT, Hub

HUBS = ["modelscope", "huggingface"]
SIZE = len(FILES["model.bin"])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "origin.json"}


def silent(_: str) -> None:
    """Report nothing."""


@pytest.mark.parametrize("name", HUBS)
def test_a_pull_brings_the_files_and_a_record_of_where_they_are_from(hub: Hub, store: Path, name: str) -> None:
    hub.files["README.md"] = b"not asked for"
    told: list[str] = []
    pull(TOY, store / "toy", name, None, told.append)
    assert content(store / "toy") == FILES
    origin = read_record(store / "toy", TOY).origin
    assert origin is not None
    assert (origin.hub, origin.repository, origin.revision) == (name, "acme/toy", TOY.hubs[name].revision)
    assert told == ["tokenizer.json: 3 bytes", "config.json: 14 bytes", "model.bin: 3,000,000 bytes"]
    assert hub.sent == {"model.bin": SIZE}
    assert find_model("toy").sha256 == TOY.files[1].sha256


@pytest.mark.parametrize("name", HUBS)
def test_a_pull_leaves_nothing_beside_the_model(hub: Hub, store: Path, tmp_path: Path, name: str) -> None:
    before = os.umask(0o027)
    try:
        pull(TOY, store / "toy", name, None, silent)
    finally:
        os.umask(before)
    assert {path.name for path in store.iterdir()} == {"toy", PARTIAL_DIR}
    assert [path.name for path in (store / PARTIAL_DIR).iterdir()] == ["lock"]
    assert not (tmp_path / "home").exists()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (store / "toy").iterdir()} == {0o640}


@pytest.mark.parametrize("name", HUBS)
def test_a_pull_that_was_cut_off_goes_on_where_it_stopped(hub: Hub, store: Path, name: str) -> None:
    hub.breaks_after = 2_000_000
    with pytest.raises(ModelError, match=r"(?s)toy cannot be downloaded from .*run the same command again to resume"):
        pull(TOY, store / "toy", name, None, silent)
    assert not (store / "toy").exists()
    assert hub.sent["model.bin"] == 2_000_000
    hub.heal()
    pull(TOY, store / "toy", name, None, silent)
    assert content(store / "toy") == FILES
    assert hub.ranges[-1] == "bytes=2000000-"
    assert hub.sent["model.bin"] == SIZE - 2_000_000


@pytest.mark.parametrize("name", HUBS)
def test_a_wrong_byte_is_found_and_the_next_pull_starts_afresh(hub: Hub, store: Path, name: str) -> None:
    hub.damaged = True
    with pytest.raises(ModelError, match=r"toy cannot be downloaded from .*model\.bin.*expected"):
        pull(TOY, store / "toy", name, None, silent)
    assert not (store / "toy").exists()
    hub.damaged = False
    hub.heal()
    pull(TOY, store / "toy", name, None, silent)
    assert content(store / "toy") == FILES
    assert hub.ranges == []


@pytest.mark.parametrize("name", HUBS)
def test_a_hub_that_has_other_files_than_the_catalogue_is_refused(hub: Hub, store: Path, name: str) -> None:
    hub.files["config.json"] = b'{"toy": None}\n'
    with pytest.raises(ModelError, match=r"config\.json"):
        pull(TOY, store / "toy", name, None, silent)
    assert not (store / "toy").exists()


@pytest.mark.parametrize(("name", "revision"), [("modelscope", "v2"), ("huggingface", COMMIT)])
def test_another_revision_is_taken_as_the_hub_has_it(hub: Hub, store: Path, name: str, revision: str) -> None:
    hub.files["config.json"] = b'{"toy": "a newer one"}\n'
    pull(TOY, store / "toy", name, "v2", silent)
    assert content(store / "toy") == {name: hub.files[name] for name in FILES}
    _, record = verified(TOY)
    assert record.origin == Origin(name, "acme/toy", revision, record.origin.date if record.origin else "")
    assert record.sha256["config.json"] != TOY.files[0].sha256


@pytest.mark.parametrize("name", HUBS)
def test_what_the_hub_says_of_another_revision_is_checked_as_well(hub: Hub, store: Path, name: str) -> None:
    hub.damaged = True
    with pytest.raises(ModelError, match=r"model\.bin.*expected"):
        pull(TOY, store / "toy", name, "v2", silent)


@pytest.mark.parametrize(
    ("name", "what"),
    [("modelscope", "acme/toy at v9 does not list config.json"), ("huggingface", "Revision Not Found")],
)
def test_a_revision_that_does_not_exist_is_named(hub: Hub, store: Path, name: str, what: str) -> None:
    with pytest.raises(ModelError, match=what):
        pull(TOY, store / "toy", name, "v9", silent)


@pytest.mark.parametrize("name", HUBS)
def test_without_network_the_error_says_how_to_carry_the_model_over(
    hub: Hub, store: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", nowhere)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", nowhere + "/{repo_id}{revision}{filename}"
    )
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    with pytest.raises(
        ModelError, match=r"(?s)cannot be downloaded.*models pack toy.*models import toy\.tar"
    ) as caught:
        pull(TOY, store / "toy", name, None, silent)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, b"{}"),
        (404, b"{}"),
        (429, b"slow down"),
        (503, b"busy"),
        (200, b"<html>Please log in</html>" * 60),
        (200, b""),
    ],
)
@pytest.mark.parametrize("name", HUBS)
def test_a_hub_that_answers_with_something_else_leaves_no_model(
    hub: Hub, store: Path, name: str, status: int, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    hub.says = (status, body)
    with pytest.raises(ModelError, match=r"(?s)toy cannot be downloaded from .*models import toy\.tar"):
        pull(TOY, store / "toy", name, None, silent)
    assert not (store / "toy").exists()


def test_a_model_that_a_hub_does_not_have_is_not_sought_there(store: Path) -> None:
    entry = replace(TOY, hubs={"huggingface": TOY.hubs["huggingface"]})
    with pytest.raises(UsageError, match=r"(?s)toy is not on ModelScope.*Available on: huggingface"):
        pull(entry, store / "toy", "modelscope", None, silent)


def test_a_repository_that_holds_no_model_is_refused_before_anything_appears(hub: Hub, store: Path) -> None:
    entry = replace(TOY, files=TOY.files[:1])
    with pytest.raises(ModelError, match="is not a supported model"):
        pull(entry, store / "toy", "modelscope", None, silent)
    assert not (store / "toy").exists()


def test_of_two_pulls_at_once_one_waits_and_fetches_nothing(hub: Hub, store: Path) -> None:
    told: list[str] = []
    pulls = [
        threading.Thread(target=pull, args=(TOY, store / "toy", "modelscope", None, told.append)) for _ in range(2)
    ]
    for thread in pulls:
        thread.start()
    for thread in pulls:
        thread.join()
    assert content(store / "toy") == FILES
    assert hub.sent["model.bin"] == SIZE


def test_the_catalogue_takes_no_file_that_could_leave_its_folder() -> None:
    for name in ("../model.bin", "/etc/passwd", "a/b", ".hidden", "", "mödel", "a" * 65):
        with pytest.raises(ValueError, match="not a plain file name"):
            ModelFile(name, 1, "0" * 64)
