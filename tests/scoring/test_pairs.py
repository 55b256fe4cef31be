"""Which hypothesis is compared with which reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.errors import InputError, UsageError
from funasr_cli.scoring.pairs import Pair, pair
from tests.scoring.conftest import Write


@pytest.fixture
def tree(write: Write, tmp_path: Path) -> Path:
    """Folders hyp and ref."""
    for name in (
        *("hyp/a.srt", "hyp/a.txt", "hyp/a.json", "hyp/2024/b.TSV", "hyp/2024/b.vtt", "hyp/new.txt"),
        *("hyp/a.mp3", "hyp/.old/a.json", "hyp/.a.json", "hyp/manifest.jsonl"),
        *("ref/a.txt", "ref/2024/b.txt", "ref/b.txt", "ref/notes.docx"),
    ):
        write(name, "")
    return tmp_path


def test_folders_are_paired_by_path_and_the_format_that_tells_most_is_taken(tree: Path) -> None:
    found = pair(tree / "hyp", tree / "ref")
    assert found.pairs == (
        Pair("2024/b", tree / "ref/2024/b.txt", tree / "hyp/2024/b.TSV"),
        Pair("a", tree / "ref/a.txt", tree / "hyp/a.json"),
        Pair("b", tree / "ref/b.txt", None),
    )
    assert found.without_reference == (tree / "hyp/new.txt",)


def test_only_the_last_ending_is_an_extension(write: Write, tmp_path: Path) -> None:
    write("hyp/a.mp3.srt", "")
    write("hyp/a.srt", "")
    reference = write("ref/a.mp3.txt", "")
    assert [one.reference for one in pair(tmp_path / "hyp", tmp_path / "ref").pairs] == [reference]


def test_two_files_are_a_pair_whatever_their_names(tree: Path) -> None:
    found = pair(tree / "hyp/a.srt", tree / "ref/b.txt")
    assert found.pairs == (Pair("b", tree / "ref/b.txt", tree / "hyp/a.srt"),)


def test_links_are_followed_and_circles_end(write: Write, tmp_path: Path) -> None:
    write("hyp/one/a.txt", "")
    write("elsewhere/b.txt", "")
    (tmp_path / "hyp/two").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(tmp_path / "hyp")
    assert [one.name for one in pair(tmp_path / "hyp", tmp_path / "hyp").pairs] == ["one/a", "two/b"]


def test_names_that_have_nothing_in_common_are_a_mistake(tree: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing to compare: 3 transcripts in .*hyp, 1 in .*2024"):
        pair(tree / "hyp", tree / "ref/2024")


def test_a_file_cannot_be_compared_with_a_folder(tree: Path) -> None:
    with pytest.raises(UsageError, match="a file with a folder"):
        pair(tree / "hyp/a.txt", tree / "ref")


def test_a_file_of_no_known_format_is_refused(tree: Path) -> None:
    with pytest.raises(UsageError, match=r"notes.docx: not the extension of a transcript\n  Known: .json, .tsv"):
        pair(tree / "hyp/a.txt", tree / "ref/notes.docx")


def test_a_folder_that_cannot_be_listed_ends_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match="hyp: cannot be listed: Permission denied"):
        pair(tree / "hyp", tree / "ref")
