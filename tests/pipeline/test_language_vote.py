"""The language follows the recording, not a doubtful window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.audio.windows import Bounds, Window
from funasr_cli.pipeline.language_vote import Vote, elect, recognize_in_spoken_language
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.transcript import Token

EN = {"en": 0.98, "de": 0.005, "zh": 0.001}
DE = {"de": 0.99, "en": 0.001, "zh": 0.0001}
ZH = {"zh": 0.999, "en": 0.0001, "de": 0.0}
"""Probabilities of whisper-base in long windows."""


class Runner:
    """Recognises each window in a set language, and records which language was requested."""

    def __init__(self, heard: Iterable[Mapping[str, float]], said: bool = True) -> None:
        self.heard = list(heard)
        self.tokens = (Token("x", 0.0, 1.0, 1.0),) if said else ()
        self.asked: list[tuple[int, str | None]] = []

    async def recognize(self, window: Window, language: str | None, timings: StageTimings) -> Hypothesis:
        number = window.parts[0].start // SAMPLE_RATE // 100
        self.asked.append((number, language))
        if language is not None:
            return Hypothesis(self.tokens, language)
        found = self.heard[number]
        return Hypothesis(self.tokens, max(found, key=found.__getitem__, default=None), found)

    async def recognize_all(
        self,
        windows: Iterable[Window],
        language: str | None,
        timings: StageTimings,
        done: Callable[[Window], object],
    ) -> AsyncGenerator[tuple[Window, Hypothesis], None]:
        for window in windows:
            hypothesis = await self.recognize(window, language, timings)
            done(window)
            yield window, hypothesis


def windows(lengths: Iterable[float]) -> Iterable[Window]:
    for number, seconds in enumerate(lengths):
        samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
        start = number * 100 * SAMPLE_RATE
        yield Window(samples, (Bounds(start, start + len(samples)),))


def languages(runner: Any, lengths: Iterable[float], language: str | None = None) -> list[str | None]:
    async def all_of_them() -> list[str | None]:
        found = recognize_in_spoken_language(runner, iter(windows(lengths)), language, StageTimings())
        return [hypothesis.language async for _, hypothesis in found]

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("heard", "spoken"),
    [
        pytest.param([EN] * 2 + [DE] * 6, ["en"] * 2 + ["de"] * 6, id="an English opening before German"),
        pytest.param([ZH, ZH, EN, EN, ZH, ZH], ["zh", "zh", "en", "en", "zh", "zh"], id="there and back"),
        pytest.param([ZH, EN, ZH, DE], ["zh", "en", "zh", "de"], id="every window, and each is sure"),
        pytest.param([DE, DE, {"la": 0.5, "de": 0.1}, DE], ["de"] * 4, id="one in doubt"),
        pytest.param([DE, DE, {"en": 0.9, "de": 0.05}, DE], ["de"] * 4, id="one nearly sure"),
        pytest.param([{"en": 0.9, "de": 0.05}, DE, DE, DE], ["de"] * 4, id="the first"),
        pytest.param([DE, DE, DE, {"en": 0.9, "de": 0.06}], ["de"] * 4, id="the last"),
        pytest.param([EN] * 3 + [{"de": 0.8, "en": 0.1}] * 4, ["en"] * 3 + ["de"] * 4, id="several nearly sure"),
        pytest.param([EN, {}, EN], ["en"] * 3, id="one that cannot tell"),
        pytest.param([{}, {}], [None, None], id="a model that cannot tell"),
        pytest.param([{"zh": 0.9}, {"en": 0.6}, {"zh": 0.9}], ["zh"] * 3, id="a model that names one"),
    ],
)
def test_the_language_of_each_window(heard: list[Mapping[str, float]], spoken: list[str | None]) -> None:
    assert languages(Runner(heard), [25.0] * len(heard)) == spoken


def test_a_short_window_does_not_change_the_language() -> None:
    assert languages(Runner([ZH, EN, ZH]), [25.0, 1.0, 25.0]) == ["zh"] * 3


def test_windows_in_which_nothing_was_said_do_not_vote() -> None:
    assert elect([Vote.of(window, Hypothesis((), "en", EN)) for window in windows([25.0] * 4)], "zh") == "zh"


def test_only_what_stands_apart_is_recognised_again() -> None:
    runner = Runner([DE, {"la": 0.5}, DE, DE, DE])
    languages(runner, [25.0] * 5)
    assert sorted(runner.asked, key=str) == [(0, None), (1, "de"), (1, None), (2, None), (3, None), (4, None)]


def test_a_language_that_was_named_is_the_only_one() -> None:
    runner = Runner([EN, DE])
    assert languages(runner, [25.0] * 2, "fr") == ["fr", "fr"]
    assert runner.asked == [(0, "fr"), (1, "fr")]
