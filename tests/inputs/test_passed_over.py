"""Files that are skipped because of their extension are counted, except our own outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.inputs.options import EXTENSIONS, HEADERLESS_EXTENSIONS, FileSelection
from funasr_cli.inputs.passed_over import PassedOver
from funasr_cli.inputs.scan import scan
from tests.inputs.test_scan import tree

__all__ = ["tree"]


def counted(*named: str, select: FileSelection | None = None) -> dict[str, int]:
    return dict(scan(named, Path("out"), select or FileSelection()).passed_over)


def test_what_is_no_recording_is_counted_by_extension(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/b.PDF", "m/c/d.pdf", "m/c/notes", "m/.hidden.pdf", "m/Thumbs.db", "m/Desktop.ini")
    assert counted("m") == {".pdf": 2, "": 1}
    assert counted("m/b.PDF") == {}


def test_what_we_wrote_beside_a_recording_is_not_counted(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/a.txt", "m/a.srt", "m/a.new.txt", "m/a.new2.txt", "m/a.mp3", "m/a.mp3.json", "m/b.c.mkv")
    tree("m/b.c.vtt", "m/b.c.mkv.2.tsv", "m/d/other.txt", "m/a.pdf", "m/x.txt")
    assert counted("m") == {".txt": 2, ".pdf": 1}


def test_an_output_folder_of_another_run_is_not_counted(tree: Callable[..., Path]) -> None:
    tree(
        "m/a.wav", "m/old/.funasr-cli/lock", "m/old/a.txt", "m/old/manifest.jsonl", "m/old/sub/deep/b.txt", "m/note.txt"
    )
    tree("m/out/c.txt", "out/d.txt")
    assert counted("m") == {".txt": 2}
    assert counted(".") == {".txt": 2}


def test_what_the_patterns_keep_out_is_not_counted(tree: Callable[..., Path]) -> None:
    tree("m/a.wav", "m/b.pdf", "m/old/c.pdf", "m/d.docx")
    assert counted("m", select=FileSelection(exclude=["old"])) == {".pdf": 1, ".docx": 1}
    assert counted("m", select=FileSelection(exclude=["*.pdf"])) == {".docx": 1}
    assert counted("m", select=FileSelection(include=["a*", "b*"])) == {".pdf": 1}
    select = FileSelection(exclude=["*.pdf"], include=["a*", "b*"])
    assert scan(["m"], None, select).unused == [("--include", "b*")]


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({".txt": 9, ".pdf": 3}, "12 files skipped by extension: 9 .txt, 3 .pdf"),
        ({".pdf": 1}, "1 file skipped by extension: 1 .pdf"),
        ({"": 2, ".al": 3}, "5 files skipped by extension: 3 .al (see --raw), 2 without extension"),
        (
            {f".{n}": n for n in range(1, 10)},
            "45 files skipped by extension: 9 .9, 8 .8, 7 .7, 6 .6, 5 .5, 4 .4, 6 other",
        ),
    ],
)
def test_the_count_is_one_line(counts: dict[str, int], text: str) -> None:
    passed_over = PassedOver()
    passed_over.update(counts)
    assert str(passed_over) == text


def test_no_extension_is_listed_twice() -> None:
    assert len({*EXTENSIONS, *HEADERLESS_EXTENSIONS}) == len(EXTENSIONS) + len(HEADERLESS_EXTENSIONS)
    asked = "m4b 3ga mpga weba qta gsm sph m2t mxf dsf snd voc wav mp3"
    assert {*asked.split()} <= {*EXTENSIONS}
