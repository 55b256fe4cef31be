"""Files that are whole or absent."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from funasr_cli.files import CHUNK_BYTES, is_temporary, megabytes, printable, sha256_of, temporary_beside, write_whole
from tests.support.descriptors import open_files


def test_a_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    write_whole(path, "新".encode(), temporary_beside(path))
    assert path.read_text(encoding="utf-8") == "新"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_written_under_the_name_that_was_put_down_for_it_and_no_link_there_is_followed(
    tmp_path: Path,
) -> None:
    path, victim = tmp_path / "a.txt", tmp_path / "victim"
    victim.write_text("kept")
    temporary = temporary_beside(path)
    temporary.symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_whole(path, b"new", temporary)
    assert (victim.read_text(), path.exists()) == ("kept", False)


@pytest.mark.parametrize("size", [CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_hash_is_that_of_the_whole_file(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(bytes(size))
    assert sha256_of(tmp_path / "a") == hashlib.sha256(bytes(size)).hexdigest()


def test_a_power_cut_finds_the_old_file_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records the content of the disk at each fsync: the content comes before the name."""
    path, honest, synced = tmp_path / "a.txt", os.fsync, []

    def fsync(descriptor: int) -> None:
        honest(descriptor)
        target = Path(f"/proc/self/fd/{descriptor}").resolve()
        synced.append(("folder", path.exists()) if target == tmp_path else (target.read_bytes(), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, b"new")
    assert synced == [(b"new", False), ("folder", True)]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        write_whole(path, b"new", temporary_beside(path))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_made_a_write_fail_is_told_although_nothing_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a.txt", b"new")


def test_a_file_system_that_cannot_sync_folders_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError("not supported")
        honest(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_a_write_leaves_nothing_open(tmp_path: Path) -> None:
    before = open_files()
    write_whole(tmp_path / "a.txt", b"new")
    assert open_files() <= before


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 MB"), (1_499_999, "1 MB"), (999_000_000, "999 MB"), (1_000_000_000, "1.0 GB")]
)
def test_sizes_are_shown_in_the_unit_that_fits(count: int, shown: str) -> None:
    assert megabytes(count) == shown


def test_files_respect_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.txt", b"", temporary_beside(tmp_path / "a.txt"))
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_temporary_names_are_hidden_unique_and_known(tmp_path: Path) -> None:
    names = {temporary_beside(tmp_path / ("长" * 80 + ".srt")) for _ in range(100)}
    assert len(names) == 100
    assert all(is_temporary(name) and name.parent == tmp_path for name in names)
    for name in names:
        name.touch()  # the file system supports them
    assert not is_temporary(tmp_path / ".hidden")


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_any_name_can_be_shown() -> None:
    assert printable("会议/第1次.wav") == "会议/第1次.wav"
    assert printable(os.fsdecode(b"a\xff\nb.wav")) == r"a\udcff\nb.wav"
