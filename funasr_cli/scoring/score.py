"""Score all files of a pairing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from funasr_cli.callbacks import Tell
from funasr_cli.errors import InputError
from funasr_cli.scoring.align import Counts, align
from funasr_cli.scoring.bootstrap import interval
from funasr_cli.scoring.hotword_recall import HotwordScore, HotwordScorer, text_of
from funasr_cli.scoring.normalise import Metric, is_mostly_unspaced, units
from funasr_cli.scoring.pairs import Pair, Pairing
from funasr_cli.scoring.read import Piece, read
from funasr_cli.scoring.times import TimeErrors, start_offsets, time_errors


@dataclass(frozen=True, slots=True)
class FileScore:
    """A file's counts, and the offsets of its starts in seconds `[n]`. `missing`: it has no hypothesis.

    `hotwords` is empty if none are listed.
    """

    name: str
    counts: Counts
    offsets: NDArray[np.float64]
    missing: bool
    hotwords: HotwordScore = field(default_factory=HotwordScore)

    @property
    def times(self) -> TimeErrors | None:
        """A summary of the offsets."""
        return time_errors(self.offsets)


@dataclass(frozen=True, slots=True)
class CorpusScore:
    """All files, worst first, and their totals.

    `interval` is that of the error rate, with 95 % confidence; `hotwords` is None if none are listed, and
    `recall_interval` is that of their recall. `without_reference` are hypotheses and `failed` lists files that could
    not be read; neither is counted. `warnings` are about texts that were compared.
    """

    metric: Metric
    files: tuple[FileScore, ...]
    counts: Counts
    interval: tuple[float, float] | None
    times: TimeErrors | None
    hotwords: HotwordScore | None
    recall_interval: tuple[float, float] | None
    without_reference: tuple[Path, ...]
    failed: tuple[InputError, ...]
    warnings: tuple[str, ...] = ()


def score(pairing: Pairing, metric: Metric | None, hotwords: Iterable[str] = ()) -> CorpusScore:
    """Compare every pair by `metric`; None: CER if most reference text is in scripts without spaces, else WER.

    Occurrences of `hotwords` are counted by characters for both metrics. One file's text is held in memory at a time. A
    file that cannot be read drops its pair.
    """
    if metric is None:
        # The references are read twice, to avoid holding all of a large corpus in memory.
        metric = "cer" if is_mostly_unspaced(_readable(pairing.pairs)) else "wer"
    scorer = HotwordScorer(words) if (words := list(hotwords)) else None
    files: list[FileScore] = []
    failed: list[InputError] = []
    warnings: list[str] = []
    for pair in pairing.pairs:
        try:
            files.append(_score_file(pair, metric, scorer, warnings.append))
        except InputError as error:
            failed.append(error)
    files.sort(key=_badness, reverse=True)
    found = [file.hotwords.total for file in files]
    return CorpusScore(
        metric,
        tuple(files),
        sum((file.counts for file in files), Counts()),
        interval([file.counts.errors for file in files], [file.counts.reference for file in files]),
        time_errors(np.concatenate([np.empty(0), *(file.offsets for file in files)])),
        sum((file.hotwords for file in files), HotwordScore()) if scorer else None,
        interval([file.recognised for file in found], [file.reference for file in found]),
        pairing.without_reference,
        tuple(failed),
        tuple(warnings),
    )


def _readable(pairs: Sequence[Pair]) -> Iterator[list[Piece]]:
    for pair in pairs:
        with suppress(InputError):  # reported when it is compared
            yield read(pair.reference)


def _score_file(pair: Pair, metric: Metric, scorer: HotwordScorer | None, warn: Tell) -> FileScore:
    said = read(pair.reference, warn)
    written = [] if pair.hypothesis is None else read(pair.hypothesis, warn)
    reference, hypothesis = units(said, metric), units(written, metric)
    alignment = align(reference.tokens, hypothesis.tokens)
    offsets = start_offsets(reference, hypothesis, alignment)
    hotwords = HotwordScore()
    if scorer:
        hotwords = scorer.score(text_of(said), text_of(written), alignment if metric == "cer" else None)
    return FileScore(pair.name, alignment.counts, offsets, missing=pair.hypothesis is None, hotwords=hotwords)


def _badness(file: FileScore) -> tuple[float, int]:
    """Sort key: rate, then errors; a hypothesis for an empty reference is worst."""
    counts = file.counts
    rate = counts.rate if counts.rate is not None else float("inf") if counts.errors else 0.0
    return rate, counts.errors
