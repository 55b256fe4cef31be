"""Low frame rate, and normalisation with a model's statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from funasr_cli.errors import ModelError
from funasr_cli.features.cmvn import Cmvn, read_cmvn, write_cmvn
from funasr_cli.features.lfr import stack_frames


@pytest.mark.parametrize(
    ("frames", "stacked"),
    [
        (1, [[0] * 7]),
        (4, [[0, 0, 0, 0, 1, 2, 3]]),
        (7, [[0, 0, 0, 0, 1, 2, 3], [3, 4, 5, 6, 6, 6, 6]]),
        (12, [[0, 0, 0, 0, 1, 2, 3], [3, 4, 5, 6, 7, 8, 9]]),
        (13, [[0, 0, 0, 0, 1, 2, 3], [3, 4, 5, 6, 7, 8, 9], [9, 10, 11, 12, 12, 12, 12]]),
    ],
)
def test_seven_frames_are_stacked_every_six_the_edges_repeated(frames: int, stacked: list[list[int]]) -> None:
    assert stack_frames(np.arange(frames, dtype=np.float32)[:, np.newaxis]).tolist() == stacked


def test_statistics_are_read_as_they_were_written(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    written = Cmvn(*random.normal(0, 10, (2, 560)).astype(np.float32))
    write_cmvn(written, tmp_path / "am.mvn")
    read = read_cmvn(tmp_path / "am.mvn")
    assert np.array_equal(read.neg_mean, written.neg_mean)
    assert np.array_equal(read.inv_std, written.inv_std)
    assert read.apply(-written.neg_mean[np.newaxis] + 1)[0] == pytest.approx(written.inv_std, rel=1e-4)


GOOD, NAN, SHORT = (" ".join(["1"] * 560), " ".join(["nan"] * 560), "1 2")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<AddShift> 2 2",
        f"<AddShift> [ {GOOD} ]",
        f"<AddShift> [ a ] <Rescale> [ {GOOD} ]",
        f"<AddShift> [ {GOOD} ] <Rescale> [ {NAN} ]",
        f"<AddShift> [ {SHORT} ] <Rescale> [ {SHORT} ]",
    ],
)
def test_a_file_without_statistics_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "am.mvn").write_text(text)
    with pytest.raises(ModelError, match=r"am\.mvn: no valid normalisation statistics"):
        read_cmvn(tmp_path / "am.mvn")
