"""The command `score`: figures on stdout, skipped files on stderr, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command import Run


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_two_files(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "hyp.srt", "1\n00:00:01,000 --> 00:00:02,000\nGood mourning.\n")
    write(tmp_path / "ref.txt", "good morning")
    done = run("score", "hyp.srt", "ref.txt")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("WER 50.00%, no interval (needs two or more files)")


def test_what_is_left_out_is_said_and_costs_the_exit_code(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / f"ref/{name}.txt", "今天开会")
    write(tmp_path / "hyp/a.txt", "今天开会")
    write(tmp_path / "hyp/c.json", "{}")
    write(tmp_path / "hyp/d.txt", "今天")
    done = run("score", "hyp", "ref", "--json")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "failed: hyp/c.json: not a valid .json transcript: expected `segments`, `words` or `text`",
        "  Correct or remove the file.",
        "no hypothesis, all of it counted as deleted: b",
        "no reference, not counted: hyp/d.txt",
    ]
    assert json.loads(done.stdout)["rate"] == 0.5


def test_a_hypothesis_that_cannot_be_read_is_what_the_result_says(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "ref.txt", "今天开会")
    (tmp_path / "hyp.txt").write_bytes("今天开会".encode("utf-16"))
    done = run("score", "hyp.txt", "ref.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("failed: hyp.txt: is UTF-16\n  Convert it, e.g. with `iconv -f UTF-16 -t UTF-8`.")
    assert done.stdout.startswith("CER unknown: the pair could not be read\n")


def test_nothing_to_compare_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "hyp/a.txt", "")
    write(tmp_path / "ref/b.txt", "")
    done = run("score", "hyp", "ref")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: nothing to compare: 1 transcripts in hyp, 1 in ref")


def test_hotwords_of_several_files_and_another_result(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "gov.txt", "一带一路 40\n")
    write(tmp_path / "energy.txt", "碳达峰\n碳\n")
    write(tmp_path / "ref.txt", "一带一路沿线国家实现碳达峰")
    write(tmp_path / "hyp.txt", "一带一路沿线国家实现碳达峰")
    write(tmp_path / "plain.txt", "一代一路沿线国家实现碳达峰")
    done = run(
        "score", "hyp.txt", "ref.txt", "--hotwords", "gov.txt", "--hotwords", "energy.txt", "--baseline", "plain.txt"
    )
    assert done.returncode == 0
    assert done.stderr == "warning: energy.txt:2: 碳 is ignored: too short to be distinguished from other speech\n"
    assert done.stdout.splitlines()[1:5] == [
        "Hotwords: 100.00% of 2 occurrences recognised; precision 100.00%; 0 false, 0 of them words in no reference",
        "Difference from the baseline, over 1 file:",
        "  CER -7.69 points",
        "  hotword recall +50.00 points",
    ]


def test_what_a_baseline_lacks_is_said_and_costs_the_exit_code(run: Run, tmp_path: Path) -> None:
    for name in ("ref/a.txt", "ref/b.txt", "ref/c.txt", "hyp/a.txt", "hyp/b.txt", "hyp/c.txt", "old/a.txt"):
        write(tmp_path / name, "今天开会")
    write(tmp_path / "old/c.json", "{}")
    done = run("score", "hyp", "ref", "--baseline", "old", "--json")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "baseline: failed: old/c.json: not a valid .json transcript: expected `segments`, `words` or `text`",
        "  Correct or remove the file.",
        "baseline: no hypothesis, all of it counted as deleted: b",
    ]
    compared = json.loads(done.stdout)["against_baseline"]
    assert (compared["files"], compared["rate"]["difference"], compared["hotword_recall"]) == (2, -0.5, None)
