"""Whether a file system tells names apart, by what it does."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.store.aliases import FileSystems, alias_key, existing_parent
from tests.support.disks import CASEFOLD, EXFAT, HFS, NORMALISING, SMB, DiskKind, InexactDisk


@pytest.mark.parametrize("kind", [EXFAT, HFS, CASEFOLD, NORMALISING, SMB])
def test_a_disk_that_takes_two_names_for_one_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: DiskKind
) -> None:
    disk, disks = InexactDisk(tmp_path, kind, monkeypatch), FileSystems()
    assert not disks.tell_apart(tmp_path / "not" / "there")
    assert not disks.tell_apart(tmp_path)
    assert len(disk.made) == 1  # it is asked once
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_tells_all_names_apart_is_left_as_it_was(tmp_path: Path) -> None:
    assert FileSystems().tell_apart(tmp_path / "not" / "there")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    disk, disks = InexactDisk(tmp_path, DiskKind(key=str), monkeypatch), FileSystems()
    for folder in (tmp_path, tmp_path / "sub", tmp_path / "not" / "there", tmp_path / "sub"):
        assert disks.tell_apart(folder)
    assert len(disk.made) == 2  # ext4 has a switch for it in each folder


def test_a_disk_that_may_not_be_asked_is_not_relied_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not FileSystems(may_write=False).tell_apart(tmp_path)
    assert not FileSystems().tell_apart(Path("/proc/self"))
    assert not FileSystems().tell_apart(tmp_path / "file" / "talk")


def test_a_disk_that_removes_nothing_has_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert FileSystems().tell_apart(tmp_path)


def test_the_nearest_folder_that_is_there_may_be_a_link_that_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dead").symlink_to("nowhere")
    assert existing_parent(tmp_path / "a" / "b") == tmp_path
    assert existing_parent(tmp_path / "dead" / "a") == tmp_path / "dead"
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert existing_parent(Path("a/b")) == Path()  # which is not there either


@pytest.mark.parametrize(
    "names",
    [
        ("Talk", "talk"),
        ("会议Ａ", "会议a"),
        ("e\u0301", "É"),
        ("Straße", "STRASSE"),
        ("ﬁn", "FIN"),
        ("ısı", "ISI"),
        ("\u03b1\u0345\u0301", "\u1fb4"),  # marks in another order than that of the normal form
        ("a\u200bb", "ab"),
        ("talk. ./a", "talk/a"),
        ("\udcb2", "\udcb3"),
    ],
)
def test_what_some_file_system_takes_for_one_has_one_key(names: tuple[str, str]) -> None:
    assert alias_key(names[0]) == alias_key(names[1])


@pytest.mark.parametrize("names", [("talk", "talk2"), ("a/b", "a_b"), ("会议", "会仪"), ("a.b", "ab"), ("a.", "a")])
def test_other_names_have_other_keys(names: tuple[str, str]) -> None:
    assert alias_key(names[0]) != alias_key(names[1])


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_a_key_is_that_of_all_cases_and_normal_forms(name: str) -> None:
    for other in (name.lower(), name.upper(), *(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))):
        assert alias_key(other) == alias_key(name)
