"""The comparison of two results for the same references."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.scoring.compare import Comparison, Difference, compare
from funasr_cli.scoring.pairs import pair
from funasr_cli.scoring.score import score
from tests.scoring.conftest import Write

HOTWORDS = ["碳中和", "特高压"]


@pytest.fixture
def compared(write: Write, tmp_path: Path) -> Comparison:
    """Four references: better by a hotword, worse by a false one, equally bad, and in one result only."""
    texts = {
        "a": ("谈谈碳中和的目标", "谈谈谈中和的目标", "谈谈碳中和的目标"),
        "b": ("那个特别高压的锅", "那个特别高压的锅", "那个特高压的锅"),
        "c": ("一二三四五六七八", "", ""),
        "d": ("九", "九", ""),
    }
    for name, (reference, before, after) in texts.items():
        write(f"ref/{name}.txt", reference)
        write(f"before/{name}.txt", before)
        write(f"after/{name}.{'json' if name == 'd' else 'txt'}", after)
    before, after = (score(pair(tmp_path / side, tmp_path / "ref"), None, HOTWORDS) for side in ("before", "after"))
    assert [error.where for error in after.failed] == [str(tmp_path / "after/d.json")]
    return compare(after, before)


def test_differences_are_those_of_the_files_that_both_have(compared: Comparison) -> None:
    assert compared.files == 3
    assert compared.rate is not None
    assert compared.recall == Difference(1.0, None)  # only one file has a hotword
    assert compared.false is not None
    assert (compared.rate.value, compared.false.value) == (0, pytest.approx(1))


def test_intervals_span_what_other_files_might_have_shown(compared: Comparison) -> None:
    assert compared.rate is not None
    assert compared.false is not None
    assert compared.rate.interval == pytest.approx((-1 / 8, 1 / 8))
    assert compared.false.interval == pytest.approx((0, 3))


def test_a_false_insertion_counts_though_the_word_was_said_elsewhere(write: Write) -> None:
    reference = write("ref.txt", "先谈碳中和再谈别的")
    said, twice = write("before.txt", "先谈碳中和再谈别的"), write("after.txt", "先谈碳中和再谈碳中和")
    before, after = (score(pair(path, reference), None, HOTWORDS) for path in (said, twice))
    assert compare(after, before).false == Difference(1, None)


def test_a_result_does_not_differ_from_itself(write: Write, tmp_path: Path) -> None:
    for name, text in (("a", "谈谈碳中和"), ("b", "特高压输电"), ("c", "错了")):
        write(f"ref/{name}.txt", f"{text}碳中和")
        write(f"hyp/{name}.txt", text)
    result = score(pair(tmp_path / "hyp", tmp_path / "ref"), None, HOTWORDS)
    same = Difference(0, (0, 0))
    assert compare(result, result) == Comparison(3, same, same, same)


def test_without_hotwords_error_rates_alone_are_compared(write: Write) -> None:
    result = score(pair(write("hyp.txt", "好"), write("ref.txt", "好的")), None)
    assert compare(result, result) == Comparison(1, Difference(0, None), None, None)


def test_nothing_in_the_references_nothing_to_divide_by(write: Write) -> None:
    result = score(pair(write("hyp.txt", "碳中和"), write("ref.txt", "")), None, HOTWORDS)
    assert compare(result, result) == Comparison(1, None, None, Difference(0, None))
