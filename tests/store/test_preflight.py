"""What would keep outputs from being written is known before the work."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from funasr_cli.errors import MachineError
from funasr_cli.store.preflight import WriteCheck, make_folder
from tests.support.disks import EXFAT, DiskKind, InexactDisk, mounted_twice

RECORDING = Path("/recordings/a.wav")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that cannot be written to; for root only a mount does that."""
    (tmp_path / "folder").mkdir()
    if os.geteuid():
        (tmp_path / "folder").chmod(0o555)
        yield tmp_path / "folder"
    else:
        with mounted_twice(tmp_path / "folder", tmp_path / "read-only", read_only=True) as place:
            yield place


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("below", ["", "not/there"])
def test_a_folder_that_cannot_be_written_to_is_named_with_the_way_out(
    read_only: Path, beside: bool, below: str
) -> None:
    error = WriteCheck(beside=beside).refusal(RECORDING, read_only / below / "a", ("txt",))
    assert error is not None
    assert error.where == str(read_only)
    assert error.what in ("cannot be written to: Read-only file system", "cannot be written to: Permission denied")
    assert error.hint is not None
    assert "-o DIR" in error.hint
    assert ("--beside" in error.hint) is beside


@pytest.mark.parametrize(
    ("code", "hint"),
    [(errno.ENOSPC, "Free some space"), (errno.EDQUOT, "Free some space"), (errno.EROFS, "Make the folder writable")],
)
def test_a_disk_that_is_full_needs_room_and_no_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, hint: str
) -> None:
    def fail(path: Path, *_: object) -> None:
        raise OSError(code, os.strerror(code), path)

    check = WriteCheck(beside=False)
    monkeypatch.setattr(Path, "open", fail)
    error = check.refusal(RECORDING, tmp_path / "a", ("txt",))
    assert error is not None
    assert os.strerror(code) in error.what
    assert hint in (error.hint or "")


def test_what_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check = WriteCheck(beside=False)
    for name in ("a", "10:30?", "会" * 80, "b/c/d", "\udcb2\udce2", "new\nline"):
        assert check.refusal(RECORDING, tmp_path / name, ("txt", "json")) is None
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_with_its_ending_is_refused(tmp_path: Path) -> None:
    check = WriteCheck(beside=False)
    assert check.refusal(RECORDING, tmp_path / ("n" * 251), ("txt",)) is None
    for target, count in ((tmp_path / ("n" * 251), 256), (tmp_path / "new" / ("会" * 84), 257)):
        error = check.refusal(RECORDING, target, ("txt", "json"))
        assert error is not None
        assert error.where == str(RECORDING)
        assert f"the name has {count} bytes, too many for the file system" in error.what
    deep = tmp_path.joinpath(*["n" * 200] * 25)  # each of them short enough
    assert check.refusal(RECORDING, deep, ("txt",)) is not None


def test_characters_that_a_disk_does_not_take_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    InexactDisk(tmp_path, EXFAT, monkeypatch)
    check = WriteCheck(beside=False)
    error = check.refusal(RECORDING, tmp_path / "10:30?", ("txt",))
    assert error is not None
    assert "no output can be named 10:30?.txt: the file system does not allow : ? in names" in str(error)
    assert "Rename the recording" in str(error)
    assert check.refusal(RECORDING, tmp_path / "10:30" / "a", ("txt",)) is not None
    assert check.refusal(RECORDING, tmp_path / "10.30", ("txt",)) is None
    with TemporaryDirectory(dir="/dev/shm") as elsewhere:  # another disk may take them
        assert check.refusal(RECORDING, Path(elsewhere) / "10:30?", ("txt",)) is None


def test_bytes_that_a_disk_does_not_take_are_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    InexactDisk(tmp_path, DiskKind(key=str, refused="\udcb2\udce2"), monkeypatch)
    error = WriteCheck(beside=False).refusal(RECORDING, tmp_path / "\udcb2\udce2\udce2", ("txt",))
    assert error is not None
    assert error.what.endswith("the file system does not allow bytes that are not UTF-8 in names")


def test_each_folder_and_character_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, check = InexactDisk(tmp_path, DiskKind(key=str), monkeypatch), WriteCheck(beside=False)
    for name in ("10:30", "11:30", "new/12:30"):
        assert check.refusal(RECORDING, tmp_path / name, ("txt",)) is None
    assert len(disk.made) == 2


def test_an_output_folder_is_made_once_with_all_above_it(tmp_path: Path) -> None:
    for _ in range(2):
        assert make_folder(tmp_path / "new" / "out", ".state", beside=False) == tmp_path / "new" / "out" / ".state"
    assert (tmp_path / "new" / "out" / ".state").is_dir()


def test_a_link_to_a_folder_that_is_there_is_not_to_blame(tmp_path: Path, read_only: Path) -> None:
    (tmp_path / "link").symlink_to(read_only)
    error = WriteCheck(beside=False).refusal(RECORDING, tmp_path / "link" / "a", ("txt",))
    assert error is not None
    assert error.what.startswith("cannot be written to: ")


def test_an_output_folder_that_cannot_be_made_is_told_with_the_reason(read_only: Path) -> None:
    with pytest.raises(MachineError, match=r"cannot be created: (Read-only file system|Permission denied)"):
        make_folder(read_only / "out", ".state", beside=False)


def test_a_dead_link_or_a_file_in_the_way_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "dead").symlink_to("nowhere")
    (tmp_path / "file").touch()
    for place, why in (
        ("dead", "dead is a link to nowhere, which does not exist"),
        ("dead/out", "dead is a link to nowhere, which does not exist"),
        ("file", "file is not a folder"),
        ("file/out", "file is not a folder"),
    ):
        with pytest.raises(MachineError, match=f"the output folder cannot be created: .*{why}") as caught:
            make_folder(tmp_path / place, ".state", beside=False)
        assert "-o DIR" in str(caught.value)
        assert "--beside" not in str(caught.value)
        with pytest.raises(MachineError, match="--beside"):
            make_folder(tmp_path / place, ".state", beside=True)
    assert not (tmp_path / "nowhere").exists()
    error = WriteCheck(beside=False).refusal(RECORDING, tmp_path / "dead" / "a", ("txt",))
    assert error is not None
    assert error.what == "is a link to nowhere, which does not exist"
