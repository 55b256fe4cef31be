"""The paths on the command line become a list of recordings, without duplicates, in a stable order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest

from funasr_cli.inputs.options import FileSelection
from funasr_cli.inputs.roots import prefixes
from funasr_cli.inputs.scan import scan


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes files below a folder that is also the current folder."""
    monkeypatch.chdir(tmp_path)

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def found(*named: str, output: Path | None = None) -> list[str]:
    return [str(source.relative) for source in scan(named, output).sources]


def test_a_folder_is_searched_to_the_bottom_and_mirrored(tree: Callable[..., Path]) -> None:
    tree("m/b.mp3", "m/2024/a.wav", "m/2024/05/c.MP4")
    assert found("m") == ["b.mp3", "2024/a.wav", "2024/05/c.MP4"]


def test_only_recordings_count_in_a_folder_but_a_named_file_is_taken_as_it_is(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/a.txt", "m/.hidden.wav", "m/.git/b.wav", "m/recording")
    assert found("m") == ["a.wav"]
    assert found("m/recording") == ["recording"]


def test_several_roots_go_under_their_own_names(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "n/a.wav", "c.wav")
    assert found("m", "n", "c.wav") == ["c.wav", "m/a.wav", "n/a.wav"]


def test_roots_of_the_same_name_are_told_apart_by_their_path(tree: Callable[..., Path]) -> None:
    tree("2023/m/a.wav", "2024/m/a.wav")
    assert found("2023/m", "2024/m") == ["2023/m/a.wav", "2024/m/a.wav"]
    assert found("2023/m/a.wav", "2024/m/a.wav") == ["2023/m/a.wav", "2024/m/a.wav"]


def test_what_is_named_twice_is_done_once(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/b.wav")
    assert len(found("m", "m/a.wav", "./m")) == 2


def test_a_pattern_is_expanded_where_the_shell_did_not(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/b.wav", "m/sub/c.wav", "m/note.txt")
    assert found("m/*.wav") == ["a.wav", "b.wav"]
    assert found("m/**/c.wav") == ["c.wav"]


def test_below_two_stars_links_are_followed_but_not_in_circles(tree: Callable[..., Path]) -> None:
    root = tree("m/a.wav", "m/sub/[b].wav", "m/.hidden/c.wav", "elsewhere/d.wav")
    for name in ("one", "two"):  # two cycles make 2**40 paths
        (root / "m" / name).symlink_to(root / "m")
        (root / "m" / "sub" / name).symlink_to("..")
    (root / "m" / "more").symlink_to(root / "elsewhere")
    (root / "m" / "self.wav").symlink_to("self.wav")
    everything = ["a.wav", "[b].wav", "d.wav", "self.wav"]
    for pattern in ("m/**/*.wav", "**/*.wav", f"{root}/m/**/*.wav", "m/**/**/*.wav", "[m]/**/*.wav"):
        assert sorted(path.name for path in paths(pattern)) == sorted(everything), pattern
    assert paths("m/**") == paths("m")
    assert paths("m/**/nothing.wav") == []


def paths(*named: str) -> list[Path]:
    return [source.path for source in scan(named, None).sources]


def test_a_name_with_the_characters_of_a_pattern_is_a_name(tree: Callable[..., Path]) -> None:
    tree("m/[1].wav", "m/1.wav")
    assert found("m/[1].wav") == ["[1].wav"]


def test_the_output_folder_is_never_searched(tree: Callable[..., Path]) -> None:
    root = tree("m/a.wav", "m/out/b.wav")
    assert found("m", output=root / "m" / "out") == ["a.wav"]


def test_links_are_followed_but_not_in_circles(tree: Callable[..., Path]) -> None:
    root = tree("m/a.wav", "elsewhere/b.wav")
    (root / "m" / "circle").symlink_to(root / "m")
    (root / "m" / "more").symlink_to(root / "elsewhere")
    (root / "m" / "same.wav").symlink_to(root / "m" / "a.wav")
    (root / "m" / "self.wav").symlink_to("self.wav")
    assert found("m") == ["a.wav", "same.wav", "self.wav", "more/b.wav"]


@pytest.mark.parametrize("name", ["latest", "1", "today", "最新", "a", "z"])
def test_a_folder_comes_before_a_link_to_it(tree: Callable[..., Path], name: str) -> None:
    root = tree("m/2026/11/30/a.wav", "m/2026/11/29/a.wav")
    (root / "m" / name).symlink_to("2026/11/30")
    expected = ["2026/11/29/a.wav", "2026/11/30/a.wav"]
    assert found("m") == expected
    assert found("m/*") == found(f"m/{name}", "m/2026") == found("m/2026", f"m/{name}")
    assert [path.parts[1] for path in paths(f"m/{name}/a.wav", "m/2026/11/30/a.wav")] == ["2026"]


def test_a_recording_is_known_by_its_path_without_links(tree: Callable[..., Path]) -> None:
    root = tree("disk/m/a.wav", "disk/b.wav")
    (root / "data").symlink_to("disk")
    (root / "data" / "m" / "link.wav").symlink_to("../b.wav")  # a name of its own
    for named in ("data/m", f"{root}/data/m", "data/./m", "disk/../data/m"):
        sources = scan([named], None).sources
        assert [source.identity for source in sources] == [root / "disk/m/a.wav", root / "disk/m/link.wav"]
        assert [str(source.path) for source in sources] == [f"{Path(named)}/a.wav", f"{Path(named)}/link.wav"]
    assert len(scan(["data/m", "disk/m", "data/m/a.wav"], None).sources) == 2


def test_many_files_can_be_named(tree: Callable[..., Path]) -> None:
    """A comparison of each with each would take an hour."""
    folders = [Path(f"{number:05}") for number in range(30_000)]
    named = [folder / "m.wav" for folder in folders]
    assert prefixes(named) == [PurePath(path) for path in named]
    assert prefixes([folder.with_suffix(".wav") for folder in folders])[-1] == PurePath("29999.wav")


def test_what_is_not_there_is_a_problem_of_its_own(tree: Callable[..., Path]) -> None:
    tree("m/a.wav")
    result = scan(["m", "gone.wav", "*.nothing"], None)
    assert [str(source.relative) for source in result.sources] == ["m/a.wav"] or len(result.sources) == 1
    assert [(str(path), why) for path, why in result.problems] == [
        ("gone.wav", "no such file or folder"),
        ("*.nothing", "no such file or folder"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_a_problem_of_its_own(tree: Callable[..., Path]) -> None:
    root = tree("m/a.wav", "m/locked/b.wav")
    (root / "m" / "locked").chmod(0)
    result = scan(["m"], None)
    assert len(result.sources) == 1
    assert result.problems[0][1] == "cannot be listed: Permission denied; to skip it: --exclude locked"
    assert scan(["m"], None, FileSelection(exclude=["locked"])).problems == []


def test_the_best_sound_of_a_name_comes_first(tree: Callable[..., Path]) -> None:
    tree("m/a.mp3", "m/a.wav", "m/a.flac", "m/a.mp4")
    assert found("m") == ["a.wav", "a.flac", "a.mp3", "a.mp4"]


def test_names_that_are_not_utf_8_are_found(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xb2\xe2.wav")).touch()
    (tmp_path / "new\nline.wav").touch()
    assert len(scan([str(tmp_path)], None).sources) == 2


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (FileSelection(), ["a.wav", "b.mp3", "old/c.wav"]),
        (FileSelection(extensions=["mp3"]), ["b.mp3"]),
        (FileSelection(extensions=["txt"]), ["note.txt"]),
        (FileSelection(include=["*.wav"]), ["a.wav", "old/c.wav"]),
        (FileSelection(include=["b*", "old/*"]), ["b.mp3", "old/c.wav"]),
        (FileSelection(exclude=["old/*"]), ["a.wav", "b.mp3"]),
        (FileSelection(include=["*.wav"], exclude=["a*"]), ["old/c.wav"]),
        (FileSelection(exclude=["old"]), ["a.wav", "b.mp3"]),
        (FileSelection(exclude=["old/"]), ["a.wav", "b.mp3"]),
        (FileSelection(exclude=["./old"]), ["a.wav", "b.mp3"]),
        (FileSelection(exclude=["o?d"]), ["a.wav", "b.mp3"]),
        (FileSelection(exclude=["c.wav"]), ["a.wav", "b.mp3"]),
        (FileSelection(exclude=["**/c.wav"]), ["a.wav", "b.mp3"]),
        (FileSelection(exclude=["**/a.wav"]), ["b.mp3", "old/c.wav"]),
        (FileSelection(exclude=["ol"]), ["a.wav", "b.mp3", "old/c.wav"]),
        (FileSelection(exclude=["old/c"]), ["a.wav", "b.mp3", "old/c.wav"]),
        (FileSelection(exclude=["m"]), ["a.wav", "b.mp3", "old/c.wav"]),
        (FileSelection(exclude=["?"]), ["a.wav", "b.mp3", "old/c.wav"]),
        (FileSelection(include=["old"]), ["old/c.wav"]),
        (FileSelection(include=["old/"], exclude=["*.wav"]), []),
    ],
)
def test_a_selection_narrows_what_is_found(
    tree: Callable[..., Path], selection: FileSelection, taken: list[str]
) -> None:
    tree("m/a.wav", "m/b.mp3", "m/old/c.wav", "m/note.txt")
    assert [str(source.relative) for source in scan(["m"], None, selection).sources] == taken


@pytest.mark.parametrize("pattern", ["2024/05", "05", "2024/05/*", "m/2024/05", "*/05"])
def test_an_excluded_folder_is_the_same_from_several_roots(tree: Callable[..., Path], pattern: str) -> None:
    tree("m/2024/05/a.wav", "m/2024/06/b.wav", "n/c.wav")
    result = scan(["m", "n"], None, FileSelection(exclude=[pattern]))
    assert [str(source.relative) for source in result.sources if "05" in str(source)] == (
        ["m/2024/05/a.wav"] if pattern.startswith("2024") else []  # the root's name is above it
    )


def test_an_excluded_folder_is_not_even_looked_into(tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    tree("m/a.wav", "m/lost+found/b.wav")
    looked: list[str] = []
    honest = os.scandir

    def scandir(path: Path) -> object:
        looked.append(str(path))
        return honest(path)

    monkeypatch.setattr("os.scandir", scandir)
    scan(["m"], None, FileSelection(exclude=["lost+found"]))
    assert looked == ["m"]


def test_a_pattern_that_fits_nothing_is_known(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/old/b.wav")
    select = FileSelection(include=["*.wav", "*.mp3"], exclude=["old", "odl", "old/b.wav"])
    result = scan(["m"], None, select)
    assert result.unused == [("--include", "*.mp3"), ("--exclude", "odl"), ("--exclude", "old/b.wav")]
    assert result.narrowed


def test_the_output_folder_itself_is_no_place_to_search(tree: Callable[..., Path]) -> None:
    root = tree("m/a.wav")
    result = scan(["m"], root / "m")
    assert result.sources == []
    assert "is the output folder" in result.problems[0][1]
