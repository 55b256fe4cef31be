"""The command `hotwords check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.hotwords import read_hotwords
from tests.cli.conftest import Run
from tests.conftest import NANO, ROOT


def test_a_good_list(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gov.txt").write_text("新发展格局 40\n一带一路\n", encoding="utf-8")
    done = run("hotwords", "check", "gov.txt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 hotwords, no warnings\n", "")


def test_warnings_name_file_and_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gov.txt").write_text("一带一路 200\n", encoding="utf-8")
    (tmp_path / "more.txt").write_text("一带一路\n碳\n", encoding="gb18030")
    done = run("hotwords", "check", "gov.txt", "more.txt")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "gov.txt:1: the weight 200 is not between 1 and 100; it is taken as 100",
        "more.txt:1: 一带一路 is in gov.txt:1 already; that line counts",
        "more.txt:2: 碳 is left out: too short to be told from other speech",
        "more.txt: adds no hotword",
        "1 hotword, 4 warnings",
    ]


def test_words_that_the_model_cannot_spell(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("发展\n鲲鹏\n", encoding="utf-8")
    done = run("hotwords", "check", "a.txt", "--model", NANO)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["a.txt:2: the model cannot spell 鲲鹏", "2 hotwords, 1 warning"]


def test_a_file_that_cannot_be_read_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("碳达峰", encoding="utf-16")
    done = run("hotwords", "check", "a.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: a.txt: is UTF-16\n  Save it as UTF-8")


@pytest.mark.parametrize("name", ["gov", "finance", "energy", "tech"])
def test_the_lists_that_come_with_the_program_are_good(name: str) -> None:
    found = read_hotwords([ROOT / "hotwords" / f"{name}.txt"])
    assert found.warnings == ()
    assert 60 <= len(found.words) <= 150
