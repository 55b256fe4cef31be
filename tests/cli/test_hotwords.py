"""The commands of `hotwords`, and the effect of a list on a transcript."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli import __version__
from funasr_cli.hotwords import read_hotwords
from tests.conftest import NANO, ROOT
from tests.decoding.test_hotword_decoding import NEVER_SPOKEN, NOISE, SPEECH, SPOKEN
from tests.support.command import Run
from tests.support.meetings import samples_of


def path_of(run: Run, name: str) -> str:
    """Return the path of a list for the installed command; the tests may import the checkout's."""
    return run("hotwords", "path", name).stdout.strip()


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
        "gov.txt:1: the weight 200 is not between 1 and 100; 100 is used",
        "more.txt:1: 一带一路 is already in gov.txt:1; that line counts",
        "more.txt:2: 碳 is ignored: too short to be distinguished from other speech",
        "more.txt: adds no hotwords",
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


def test_the_lists_that_ship_are_listed(run: Run) -> None:
    rows = [line.split() for line in run("hotwords", "list").stdout.splitlines()]
    assert [row[0] for row in rows] == ["energy", "finance", "gov", "tech"]
    name, count, _, path, topic = rows[2]
    assert (name, path, topic) == ("gov", path_of(run, "gov"), "政务常用词：会议、规划、治理、机构")
    assert int(count) == len(read_hotwords([ROOT / "hotwords/gov.txt"]).words)
    lists = json.loads(run("hotwords", "list", "--json").stdout)["lists"]
    assert lists[2] == {"name": name, "words": int(count), "path": path, "topic": topic}


def test_the_file_of_a_list_is_printed(run: Run) -> None:
    done = run("hotwords", "path", "gov")
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.removesuffix("\n")).read_bytes() == (ROOT / "hotwords/gov.txt").read_bytes()
    wrong = run("hotwords", "path", "gvo")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "error: no built-in hotword list is called 'gvo'\n  Did you mean gov?\n"


def test_a_list_by_its_name_is_checked_and_scored(run: Run, tmp_path: Path) -> None:
    said = f"hotwords gov: the built-in list of funasr-cli {__version__}, {path_of(run, 'gov')}\n"
    checked = run("hotwords", "check", "gov")
    assert (checked.returncode, checked.stderr) == (0, said)
    (tmp_path / "a.txt").write_text("构建新发展格局", encoding="utf-8")
    scored = run("score", "a.txt", "a.txt", "--hotwords", "gov")
    assert (scored.returncode, scored.stderr) == (0, said)
    assert "Hotwords: 100.00% of 1 occurrence" in scored.stdout


def test_a_run_says_which_it_took_and_redoes_nothing_for_another_name_of_a_list(run: Run, tmp_path: Path) -> None:
    command = ("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, "--progress", "plain", "--hotwords")
    ours = f"hotwords gov: the built-in list of funasr-cli {__version__}, {path_of(run, 'gov')}\n"
    theirs = "hotwords gov: this file, not the built-in list gov\n"
    first = run(*command, "gov")
    assert first.returncode == 0
    assert ours in first.stderr
    by_path = run(*command, ROOT / "hotwords/gov.txt", "--dry-run")
    assert by_path.stdout.startswith("skip ")
    assert "hotwords gov" not in by_path.stderr
    shutil.copy(ROOT / "hotwords/gov.txt", tmp_path / "gov")
    copied = run(*command, "gov", "--dry-run")
    assert copied.stdout.startswith("skip ")
    assert theirs in copied.stderr
    (tmp_path / "gov").write_text("一带一路\n", encoding="utf-8")
    assert run(*command, "gov", "--dry-run").stdout.startswith("do ")
    (tmp_path / "gov").unlink()
    (tmp_path / "c.yaml").write_text("hotwords: gov\n")
    by_file = run(*command[:-1], "--config", "c.yaml", "--dry-run")
    assert by_file.stdout.startswith("skip ")
    assert ours in by_file.stderr


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Two recordings with noise that hides some words."""
    folder = tmp_path / "noisy"
    folder.mkdir()
    spread = np.sqrt(np.mean(SPEECH**2)) / 10 ** (NOISE / 20)
    for seed in range(2):
        noise = np.random.default_rng(seed).normal(0, spread, len(SPEECH)).astype(np.float32)
        soundfile.write(folder / f"{seed}.wav", SPEECH + noise, 16_000)
    return folder


def missed(folder: Path) -> int:
    """Return how many of the spoken words the transcripts lack."""
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.txt")]
    assert not any(word in text for text in texts for word in NEVER_SPOKEN)
    return sum(word not in text for text in texts for word in SPOKEN)


def test_listed_words_are_heard_that_were_not_and_only_they(run: Run, noisy: Path, tmp_path: Path) -> None:
    (tmp_path / "spoken.txt").write_text("\n".join(SPOKEN), encoding="utf-8")
    (tmp_path / "others.txt").write_text("\n".join(NEVER_SPOKEN), encoding="utf-8")
    base = ("transcribe", noisy, "-f", "txt", "--model", NANO, "--hotword-correction", "off")
    for output, lists in {"without": (), "others": ("others.txt",), "all": ("others.txt", "spoken.txt")}.items():
        done = run(*base, "-o", output, *(option for name in lists for option in ("--hotwords", name)))
        assert done.returncode == 0, done.stderr
    without, others = (
        {path.name: path.read_bytes() for path in (tmp_path / name).glob("*.txt")} for name in ("without", "others")
    )
    assert without == others
    assert missed(tmp_path / "without") >= 3
    assert missed(tmp_path / "all") <= missed(tmp_path / "without") // 2


def test_a_changed_list_has_its_recordings_done_again(run: Run, tmp_path: Path) -> None:
    command = ("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, "--hotwords", "a.txt")
    (tmp_path / "a.txt").write_text("收缩\n", encoding="utf-8")
    assert "1 of 1 file" in run(*command).stderr
    (tmp_path / "a.txt").write_text("# our words\n收缩 20\n", encoding="utf-8")
    assert "nothing to do" in run(*command).stderr
    (tmp_path / "a.txt").write_text("收缩 30\n", encoding="utf-8")
    assert "1 of 1 file" in run(*command).stderr


def test_what_is_wrong_with_a_list_is_told_and_the_rest_of_it_counts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("碳\n鲲鹏\n收缩\n", encoding="utf-8")
    done = run("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, "--hotwords", "a.txt")
    assert done.returncode == 0
    assert "a.txt:1: 碳 is ignored" in done.stderr
    assert "a.txt:2: the model cannot spell 鲲鹏" in done.stderr
    (tmp_path / "b.txt").write_text("".join(f"{chr(code)}\n" for code in range(0x4E00, 0x4E40)), encoding="utf-8")
    many = run("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, "--hotwords", "b.txt")
    assert "… and 55 more; to see all, use funasr-cli hotwords check" in many.stderr


def test_a_hotword_that_sounds_like_the_text_takes_its_place_and_is_on_record(run: Run, tmp_path: Path) -> None:
    speech = samples_of(NANO / "words-with-pauses.flac")
    noise = np.random.default_rng(2).standard_normal(len(speech), np.float32)  # makes the model hear 节算 for 结算
    soundfile.write(tmp_path / "noisy.wav", speech + noise * np.sqrt(np.mean(speech**2) / 10**1.5), 16_000)
    (tmp_path / "a.txt").write_text("捷算\n", encoding="utf-8")  # a word that the model cannot spell
    done = run("transcribe", "noisy.wav", "--model", NANO, "-f", "json", "-o", "-", "--hotwords", "a.txt")
    (correction,) = json.loads(done.stdout)["corrections"]
    assert (correction["from"], correction["to"]) == ("节算", "捷算")
    assert 7.3 < correction["start"] < correction["end"] < 9.6
    assert json.loads(done.stdout)["text"].endswith("捷算")


def test_a_run_with_a_long_list_says_what_takes_time(run: Run, tmp_path: Path) -> None:
    words = "".join(f"{chr(0x4E00 + number // 100)}{chr(0x5E00 + number % 100)}项目\n" for number in range(10_000))
    (tmp_path / "a.txt").write_text(words, encoding="utf-8")
    command = ("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, "--progress", "plain", "--dry-run")
    assert "preparing 10,000 hotwords" in run(*command, "--hotwords", "a.txt").stderr
    (tmp_path / "a.txt").write_text(words[:-5], encoding="utf-8")
    assert "preparing" not in run(*command, "--hotwords", "a.txt").stderr
