"""The comparison of folders: sums, order, and skipped files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from funasr_cli.scoring.align import Counts
from funasr_cli.scoring.compare import compare
from funasr_cli.scoring.pairs import pair
from funasr_cli.scoring.report import as_json, as_text
from funasr_cli.scoring.score import CorpusScore, score
from tests.scoring.conftest import Write


@pytest.fixture
def result(write: Write, tmp_path: Path) -> CorpusScore:
    """Four references: one with an error in ten, one perfect, one without a hypothesis, one unreadable."""
    words = [{"text": text, "start": second, "end": second + 0.5} for second, text in enumerate("今天下午开会")]
    write("ref/a.json", json.dumps({"text": "今天下午开会", "words": words}))
    write("hyp/a.tsv", "".join(f"{word['start']}.1\t{word['end']}\t{word['text']}\n" for word in words))
    write("ref/2024/b.txt", "各位同事，大家早上好！")
    write("hyp/2024/b.txt", "各位同是大家早上好")
    write("ref/c.txt", "完了")
    write("ref/d.txt", "不算")
    write("hyp/d.srt", "no subtitles\n")
    write("hyp/e.txt", "没有")
    return score(pair(tmp_path / "hyp", tmp_path / "ref"), None)


def test_errors_and_lengths_are_summed(result: CorpusScore) -> None:
    assert result.metric == "cer"
    assert result.counts == Counts(substitutions=1, deletions=2, insertions=0, reference=6 + 9 + 2)


def test_the_worst_file_comes_first(result: CorpusScore) -> None:
    rates = [(file.name, file.counts.rate, file.missing) for file in result.files]
    assert rates == [("c", 1, True), ("2024/b", pytest.approx(1 / 9), False), ("a", 0, False)]


def test_text_where_there_should_be_none_is_worst(write: Write, tmp_path: Path) -> None:
    for name, reference, hypothesis in (("half", "a b", "a c"), ("quiet", "", ""), ("noise", " ", "thank you")):
        write(f"ref/{name}.txt", reference)
        write(f"hyp/{name}.txt", hypothesis)
    result = score(pair(tmp_path / "hyp", tmp_path / "ref"), None)
    assert (result.metric, result.counts) == ("wer", Counts(1, 0, 2, 2))
    assert [file.name for file in result.files] == ["noise", "half", "quiet"]


def test_what_cannot_be_read_costs_only_itself(result: CorpusScore, tmp_path: Path) -> None:
    assert [error.where for error in result.failed] == [str(tmp_path / "hyp/d.srt")]
    assert result.without_reference == (tmp_path / "hyp/e.txt",)


def test_times_are_those_of_the_files_that_have_them(result: CorpusScore) -> None:
    assert result.times is not None
    assert (result.times.matched, result.times.median_offset) == (6, pytest.approx(0.1))
    assert [file.times is None for file in result.files] == [True, True, False]


def test_the_metric_asked_for_is_taken(write: Write) -> None:
    pairing = pair(write("hyp.txt", "we can not go"), write("ref.txt", "we cannot go"))
    assert score(pairing, None).counts == Counts(1, 0, 1, 3)
    assert score(pairing, "cer").counts == Counts(0, 0, 0, 10)


def test_a_person_reads_a_table(result: CorpusScore) -> None:
    headline, _, *table, _, starts, _, _ = as_text(result, worst=2).split("\n")
    assert headline.startswith("CER 17.65%, 95 % interval ")
    assert headline.endswith(" (bootstrap over 3 files)")
    assert table == [
        "    CER  errors  subst.  del.  ins.  characters  file",
        " 17.65%       3       1     2     0          17  total",
        "100.00%       2       0     2     0           2  c (no hypothesis)",
        " 11.11%       1       1     0     0           9  2024/b",
        "Not listed: 1 more, none of them worse.",
    ]
    assert starts.startswith("Starts of 6 matched characters: median offset +100 ms; 100.0% within 120 ms of it; ")


def test_a_program_reads_everything(result: CorpusScore, tmp_path: Path) -> None:
    document = json.loads(as_json(result))
    assert document["metric"] == "cer"
    assert document["rate"] == 0.176471
    assert document["interval"][0] <= document["rate"] <= document["interval"][1]
    assert document["times"] == {"matched": 6, "median_offset": 0.1, "within_120ms": 1, "p95": 0}
    assert document["files"][1] == {
        "name": "2024/b",
        "rate": 0.111111,
        "errors": 1,
        "substitutions": 1,
        "deletions": 0,
        "insertions": 0,
        "reference": 9,
        "missing": False,
        "times": None,
        "hotwords": None,
    }
    assert (document["hotwords"], document["against_baseline"]) == (None, None)
    assert [file["missing"] for file in document["files"]] == [True, False, False]
    assert document["without_reference"] == [str(tmp_path / "hyp/e.txt")]
    assert document["failed"][0]["path"] == str(tmp_path / "hyp/d.srt")


def test_without_a_reference_text_there_is_no_rate(write: Write) -> None:
    result = score(pair(write("hyp.txt", "thank you"), write("ref.txt", "")), None)
    assert as_text(result, worst=0).startswith("WER unknown: the references have no words")
    document = json.loads(as_json(result))
    assert (document["rate"], document["errors"], document["interval"]) == (None, 2, None)


@pytest.fixture
def heard(write: Write, tmp_path: Path) -> tuple[CorpusScore, CorpusScore]:
    """Three hotwords in two references: one result has all and a false one, the other none."""
    write("ref/a.txt", "实现碳达峰和碳中和的目标")
    write("ref/b.txt", "做好碳达峰的工作")
    write("with/a.txt", "实现碳达峰和碳中和的目标")
    write("with/b.txt", "做好碳达峰的工作特高压")
    write("without/a.txt", "实现碳达风和谈中和的目标")
    write("without/b.txt", "做好碳达风的工作")
    hotwords = ["碳达峰", "碳中和", "特高压"]
    good, bad = (score(pair(tmp_path / side, tmp_path / "ref"), None, hotwords) for side in ("with", "without"))
    return good, bad


def test_a_person_reads_about_hotwords(heard: tuple[CorpusScore, CorpusScore]) -> None:
    lines = as_text(heard[0], worst=0, comparison=compare(*heard)).split("\n")
    assert lines[1:6] == [
        "Hotwords: 100.00% of 3 occurrences recognised, 95 % interval 100.00% to 100.00%; precision 75.00%; "
        "1 false, 1 of them words in no reference",
        "Difference from the baseline, over 2 files:",
        "  CER +0.00 points, 95 % interval -16.67 to +25.00",
        "  hotword recall +100.00 points, 95 % interval +100.00 to +100.00",
        "  false hotwords +1, 95 % interval +0 to +2",
    ]
    without = as_text(heard[1], worst=0).split("\n")[1]
    assert without.startswith("Hotwords: 0.00% of 3 occurrences recognised, 95 % interval 0.00% to 0.00%; 0 false")


def test_a_program_reads_about_hotwords(heard: tuple[CorpusScore, CorpusScore]) -> None:
    document = json.loads(as_json(heard[0], compare(*heard)))
    assert document["hotwords"] == {
        "recall": 1,
        "interval": [1, 1],
        "precision": 0.75,
        "reference": 3,
        "recognised": 3,
        "hypothesis": 4,
        "false_insertions": 1,
        "false_insertions_of_absent_words": 1,
        "words": [
            {"word": "特高压", "reference": 0, "recognised": 0, "hypothesis": 1, "false_insertions": 1},
            {"word": "碳中和", "reference": 1, "recognised": 1, "hypothesis": 1, "false_insertions": 0},
            {"word": "碳达峰", "reference": 2, "recognised": 2, "hypothesis": 2, "false_insertions": 0},
        ],
    }
    assert document["files"][0]["hotwords"] == {
        "reference": 1,
        "recognised": 1,
        "hypothesis": 2,
        "false_insertions": 1,
    }
    assert document["against_baseline"] == {
        "files": 2,
        "rate": {"difference": 0, "interval": [-0.166667, 0.25]},
        "hotword_recall": {"difference": 1, "interval": [1, 1]},
        "false_insertions": {"difference": 1, "interval": [0, 2]},
    }


def test_hotwords_are_compared_by_characters_whatever_the_metric(write: Write) -> None:
    pairing = pair(write("hyp.txt", "a new state oftheart"), write("ref.txt", "the state of the art"))
    for metric in ("cer", "wer"):
        hotwords = score(pairing, metric, ["state of the art", "new"]).hotwords
        assert hotwords is not None
        assert (hotwords.total.recognised, hotwords.total.false) == (1, 1)
