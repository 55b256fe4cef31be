"""A model as one file: always the same bytes, and only listed, correct files are accepted."""

from __future__ import annotations

import io
import json
import shutil
import socket
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from funasr_cli.errors import ModelError, OutputError
from funasr_cli.models import catalogue
from funasr_cli.models.bundle import pack, unpack
from funasr_cli.models.catalogue import ModelFile
from funasr_cli.models.origin import Origin, OriginRecord
from funasr_cli.models.store import find_model, verified
from tests.models.conftest import FILES, TOY
from tests.support.hub import sha256

RECORD = OriginRecord("toy", Origin("modelscope", "acme/toy", "master", "2026-11-22T12:00:00+00:00"), TOY.files)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("bundles need no network")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.fixture
def folder(store: Path) -> Path:
    """The model `toy` in the store, as after a pull."""
    folder = store / "toy"
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    (folder / "origin.json").write_bytes(RECORD.to_bytes())
    return folder


@pytest.fixture
def elsewhere(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The model store of another machine; nothing may appear next to it."""
    land = tmp_path / "elsewhere"
    land.mkdir()
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(land / "store"))
    yield land / "store"
    assert [path.name for path in land.iterdir()] in ([], ["store"])


def left_in(store: Path) -> list[str]:
    return [path.name for path in store.iterdir()] if store.exists() else []


def member(name: str, data: bytes = b"", **more: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in more.items():
        setattr(info, attribute, value)
    return info, data


def write(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a tar archive with these members, valid or not."""
    with path.open("wb") as file:
        for info, data in members:
            file.write(info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512))
        file.write(bytes(10240))
    return path


HEAD = member("toy/origin.json", RECORD.to_bytes())
BODY = [member(f"toy/{name}", data) for name, data in FILES.items()]


def test_a_model_goes_from_one_store_to_another_with_its_record(folder: Path, elsewhere: Path, tmp_path: Path) -> None:
    pack(folder, RECORD, tmp_path / "toy.tar")
    shutil.rmtree(folder)
    assert unpack(tmp_path / "toy.tar", elsewhere) == RECORD
    assert left_in(elsewhere) == ["toy"]
    assert {path.name: path.read_bytes() for path in (elsewhere / "toy").iterdir()} == {
        **FILES,
        "origin.json": RECORD.to_bytes(),
    }
    assert verified(TOY)[1] == RECORD
    assert find_model("toy").path == elsewhere / "toy"


def test_the_same_model_makes_the_same_bytes_on_every_machine(folder: Path, elsewhere: Path, tmp_path: Path) -> None:
    pack(folder, RECORD, tmp_path / "here.tar")
    unpack(tmp_path / "here.tar", elsewhere)
    pack(*verified(TOY), tmp_path / "there.tar")
    assert (tmp_path / "here.tar").read_bytes() == (tmp_path / "there.tar").read_bytes()
    with tarfile.open(tmp_path / "here.tar") as archive:
        assert archive.getnames() == ["toy/origin.json", "toy/config.json", "toy/model.bin", "toy/tokenizer.json"]


def test_a_model_that_is_here_already_is_left_as_it_is(folder: Path, elsewhere: Path, tmp_path: Path) -> None:
    pack(folder, RECORD, tmp_path / "toy.tar")
    unpack(tmp_path / "toy.tar", elsewhere)
    before = (elsewhere / "toy").stat()
    assert unpack(tmp_path / "toy.tar", elsewhere) == RECORD
    after = (elsewhere / "toy").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    (elsewhere / "toy" / "model.bin").write_bytes(b"another")
    with pytest.raises(ModelError, match=r"(?s)model\.bin: has sha256.*remove the folder"):
        unpack(tmp_path / "toy.tar", elsewhere)


def test_a_bundle_that_cannot_be_written_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken: is a folder"):
        pack(folder, RECORD, tmp_path / "taken")
    assert {path.name for path in tmp_path.iterdir()} == {"store", "taken"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["toy"],
        ["./toy"],
        ["--sort=name", "."],
        ["--format=ustar", "toy/tokenizer.json", "toy/model.bin", "toy/origin.json", "toy/config.json"],
    ],
    ids=" ".join,
)
def test_a_bundle_that_tar_made_of_the_folder_is_welcome(
    folder: Path, elsewhere: Path, tmp_path: Path, arguments: list[str]
) -> None:
    subprocess.run(["tar", "cf", tmp_path / "toy.tar", "-C", folder.parent, *arguments], check=True)
    assert unpack(tmp_path / "toy.tar", elsewhere) == RECORD
    assert {path.name for path in (elsewhere / "toy").iterdir()} == {*FILES, "origin.json"}


def test_a_bundle_made_by_another_tar_of_the_same_files_is_welcome(elsewhere: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "toy.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in [HEAD, *reversed(BODY)]:
            archive.addfile(info, io.BytesIO(data))
    assert unpack(tmp_path / "toy.tar", elsewhere) == RECORD


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        (member("/etc/evil", b"x"), r"refused: /etc/evil is not in its record"),
        (member("toy/../../evil", b"x"), r"refused: toy/\.\./\.\./evil is not in its record"),
        (member("evil", b"x"), "refused: evil is not in its record"),
        (member("toy/readme.txt", b"x"), r"refused: toy/readme\.txt is not in its record"),
        (member("toy/\x1b[31mred", b"x"), r"refused: toy/\\x1b\[31mred is not in its record"),
        (member("toy/model.bin", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "toy/model.bin is not a plain file"),
        (member("toy/model.bin", type=tarfile.LNKTYPE, linkname="../../evil"), "toy/model.bin is not a plain file"),
        (member("toy/model.bin", type=tarfile.CHRTYPE, devmajor=1, devminor=8), "toy/model.bin is not a plain file"),
        (member("toy/model.bin", type=tarfile.FIFOTYPE), "toy/model.bin is not a plain file"),
        (member("toy/sub", type=tarfile.DIRTYPE), "toy/sub is not a plain file"),
        (member("..", type=tarfile.DIRTYPE), r"refused: \.\. is not a plain file"),
        (member("toy", b"x", type=tarfile.DIRTYPE), "refused: toy is not a plain file"),
        (member("././toy/../evil", b"x"), r"refused: \./toy/\.\./evil is not in its record"),
        (member("./toy/config.json", FILES["config.json"]), "toy/config.json occurs twice"),
        (member("toy/model.bin", type=tarfile.XHDTYPE, size=1 << 40), "toy/model.bin is not a plain file"),
        (member("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=1 << 40), "@LongLink is not a plain file"),
        (member("toy/model.bin", type=tarfile.GNUTYPE_SPARSE), "toy/model.bin is not a plain file"),
        (member("toy/model.bin", size=1 << 40), r"toy/model.bin has 1,099,511,627,776 bytes, expected 3,000,000"),
        (member("toy/model.bin", size=-1), "toy/model.bin has -1 bytes, expected 3,000,000"),
        (member("toy/origin.json", RECORD.to_bytes()), "toy/origin.json occurs twice"),
        (BODY[0], "toy/config.json occurs twice"),
        (member("toy/model.bin", bytes(3_000_000)), "damaged: toy/model.bin has sha256"),
    ],
)
def test_what_has_no_place_in_a_bundle_is_refused_before_it_is_written(
    elsewhere: Path, tmp_path: Path, odd: tuple[tarfile.TarInfo, bytes], what: str
) -> None:
    bundle = write(tmp_path / "evil.tar", HEAD, BODY[0], odd, *BODY[1:])
    with pytest.raises(ModelError, match=what):
        unpack(bundle, elsewhere)
    assert left_in(elsewhere) == []


def test_a_bundle_without_one_of_its_files_is_not_whole(elsewhere: Path, tmp_path: Path) -> None:
    bundle = write(tmp_path / "toy.tar", HEAD, *BODY[:2])
    with bundle.open("ab") as file:
        file.write(bytes(10_000))
    with pytest.raises(ModelError, match=r"incomplete: missing toy/tokenizer\.json"):
        unpack(bundle, elsewhere)
    assert left_in(elsewhere) == []


def test_a_record_cannot_ask_for_more_than_the_bundle_has(elsewhere: Path, tmp_path: Path) -> None:
    claim = json.loads(RECORD.to_bytes())
    claim["files"][1]["size"] = 1 << 50
    bundle = write(tmp_path / "toy.tar", member("toy/origin.json", json.dumps(claim).encode()), *BODY)
    with pytest.raises(ModelError, match=r"truncated: 3,01\d,\d{3} bytes, but its record requires 1,125,8"):
        unpack(bundle, elsewhere)
    assert left_in(elsewhere) == []


@pytest.mark.parametrize("length", [0, 100, 512, 700, 3_000, 2_000_000])
def test_a_bundle_that_was_cut_off_is_refused(folder: Path, elsewhere: Path, tmp_path: Path, length: int) -> None:
    pack(folder, RECORD, tmp_path / "toy.tar")
    with (tmp_path / "toy.tar").open("r+b") as file:
        file.truncate(length)
    with pytest.raises(ModelError, match=r"not a bundle|not a record|truncated"):
        unpack(tmp_path / "toy.tar", elsewhere)
    assert left_in(elsewhere) == []


def negative_size() -> bytes:
    """Return a header that says, in GNU's way, that -1 bytes follow; a careless reader reads everything."""
    header = bytearray(member("toy/origin.json")[0].tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 12
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(struct.unpack("512B", header))
    return bytes(header)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04" + bytes(508), "not a bundle, or damaged"),
        (member("toy/model.bin")[0].tobuf(), "not a bundle made by `funasr-cli models pack`"),
        (member("toy/origin.json", size=1 << 30)[0].tobuf(), "not a bundle made by `funasr-cli models pack`"),
        (negative_size(), "not a bundle made by `funasr-cli models pack`"),
        (
            member("whisper-base/origin.json", size=len(RECORD.to_bytes()))[0].tobuf() + RECORD.to_bytes(),
            "record of 'toy'",
        ),
    ],
)
def test_what_does_not_begin_with_a_record_is_no_bundle(
    elsewhere: Path, tmp_path: Path, start: bytes, what: str
) -> None:
    (tmp_path / "odd.tar").write_bytes(start + bytes(2_000))
    with pytest.raises(ModelError, match=what):
        unpack(tmp_path / "odd.tar", elsewhere)
    assert left_in(elsewhere) == []


def test_files_that_are_no_model_are_refused(elsewhere: Path, tmp_path: Path) -> None:
    record = OriginRecord("toy", None, TOY.files[:1])
    bundle = write(tmp_path / "odd.tar", member("toy/origin.json", record.to_bytes()), BODY[0])
    with pytest.raises(ModelError, match="is not a supported model"):
        unpack(bundle, elsewhere, trust=True)
    assert left_in(elsewhere) == []


def test_files_that_the_catalogue_does_not_know_are_taken_on_trust_alone(elsewhere: Path, tmp_path: Path) -> None:
    forged = b'{"toy": false}'
    files = (ModelFile("config.json", len(forged), sha256(forged)), *TOY.files[1:])
    record = OriginRecord("toy", None, files)
    members = [member("toy/origin.json", record.to_bytes()), member("toy/config.json", forged), *BODY[1:]]
    bundle = write(tmp_path / "forged.tar", *members)
    with pytest.raises(ModelError, match=r"(?s)not the known files of toy.*not from a hub.*--trust"):
        unpack(bundle, elsewhere)
    assert left_in(elsewhere) == []
    assert unpack(bundle, elsewhere, trust=True) == record


def test_a_model_of_another_family_is_refused(elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.CATALOGUE, "toy", replace(TOY, family="sensevoice"))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="the files are a whisper model, but toy is a sensevoice model"):
        unpack(write(tmp_path / "toy.tar", HEAD, *BODY), elsewhere)
    assert left_in(elsewhere) == []


def test_a_model_that_this_program_does_not_know_is_refused(elsewhere: Path, tmp_path: Path) -> None:
    strange = OriginRecord("../toy", None, TOY.files)
    bundle = write(tmp_path / "odd.tar", member("../toy/origin.json", strange.to_bytes()), *BODY)
    with pytest.raises(ModelError, match=r"unknown model '\.\./toy'"):
        unpack(bundle, elsewhere)


def test_a_bundle_that_cannot_be_read_is_named(elsewhere: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tar: cannot be read: No such file"):
        unpack(tmp_path / "gone.tar", elsewhere)
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        unpack(tmp_path, elsewhere)
