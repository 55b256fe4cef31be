"""Several passes over a recording are reported, and become one transcript, as if they were one."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.channels import ChannelResult, without_copies
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.pipeline.window_runner import WindowRunner, load_window_runner
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.settings.transcription import Settings
from funasr_cli.transcript import Token, join
from tests.conftest import NANO
from tests.support.meetings import samples_of

SPOKEN = "今天下午三点召开全体会议请各部门负责人准时参加"


def heard(channel: int, text: str) -> ChannelResult:
    tokens = tuple(Token(char, float(at), at + 1.0, 1.0) for at, char in enumerate(text))
    return ChannelResult(channel, 60.0, float(len(text)), Counter({"zh": len(text)}), tokens, (), ())


@pytest.fixture(scope="module")
def nano() -> WindowRunner:
    return load_window_runner(find_model(str(NANO)), Placement(1))


@pytest.mark.parametrize("length_known", [True, False])
@pytest.mark.parametrize(
    ("gains", "passes"),
    [
        pytest.param([1, 0, 0.5], 3, id="three channels"),
        pytest.param([1, 1, 1], 1, id="one channel three times"),
        pytest.param([1, 0.5, 1], 2, id="one channel twice"),
    ],
)
def test_progress_goes_once_from_the_beginning_to_the_end(
    nano: WindowRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gains: list[float],
    passes: int,
    length_known: bool,
) -> None:
    speech = samples_of(NANO / "words-with-pauses.flac")
    path = tmp_path / "a.wav"
    soundfile.write(path, speech[:, np.newaxis] * np.array(gains, np.float32), 16_000)
    if not length_known:
        monkeypatch.setattr(
            "funasr_cli.audio.sndfile.SndfileRecording.duration", property(lambda _: None, lambda *_: None)
        )
    ticks: list[tuple[float, float, float | None]] = []
    transcribing = Transcriber(nano, Settings(channels="split")).transcribe(
        path, "a.wav", lambda *at: ticks.append(at), StageTimings()
    )
    transcript = asyncio.run(transcribing)
    read, recognized, lengths = zip(*ticks, strict=True)
    for seconds in (read, recognized):
        assert all(one <= other for one, other in pairwise(seconds))
        assert seconds[-1] == pytest.approx(transcript.duration if passes > 1 else transcript.duration / 3)
    assert read[0] <= 1.0
    assert recognized[0] == 0.0
    assert len(set(read)) == passes * 10  # blocks of a second
    assert set(lengths) == {transcript.duration if length_known else None}


def test_a_setting_of_the_channels_is_part_of_the_fingerprint() -> None:
    model = find_model(str(NANO))
    assert fingerprint(Settings(), model) != fingerprint(Settings(channels="split"), model)


@pytest.mark.parametrize(
    ("texts", "warned"),
    [
        pytest.param([SPOKEN, SPOKEN], True, id="the same"),
        pytest.param([SPOKEN, SPOKEN.replace("三点", "两点")], True, id="nearly the same"),
        pytest.param([SPOKEN, SPOKEN[::-1]], False, id="other words"),
        pytest.param([SPOKEN[:4], SPOKEN[:4]], False, id="a greeting"),
        pytest.param([SPOKEN, ""], False, id="one is silent"),
    ],
)
def test_channels_that_heard_the_same_talk_are_told(texts: list[str], warned: bool) -> None:
    both = [heard(channel, text) for channel, text in enumerate(texts, start=1)]
    kept, warnings = without_copies(both, {})
    assert kept == both
    assert [warning.startswith("channels 1 and 2 have nearly the same text") for warning in warnings] == [True] * warned


def test_of_copies_without_speech_nothing_is_said() -> None:
    assert without_copies([heard(1, "")], {2: 1})[1] == []
    assert without_copies([heard(1, SPOKEN), heard(2, "")], {3: 2})[1] == []


def test_of_a_channel_that_is_another_inverted_no_mean_is_advised() -> None:
    both = [heard(channel, SPOKEN) for channel in (1, 2)]
    assert without_copies(both, {}, {(1, 2)})[1] == [
        "channels 1 and 2 have nearly the same text: one is the inverse of the other, so use the lines of only one"
    ]
    assert without_copies([heard(1, SPOKEN), heard(3, SPOKEN[::-1])], {2: 1}, {(1, 2)})[1] == [
        "channel 2 is the inverse of channel 1 and was left out"
    ]


@pytest.mark.parametrize("channels", ["mix", "split"])
def test_an_inverted_channel_costs_no_word(nano: WindowRunner, tmp_path: Path, channels: str) -> None:
    speech = samples_of(NANO / "words-with-pauses.flac")

    def text(signal: np.ndarray, channels: str) -> tuple[str, tuple[str, ...]]:
        soundfile.write(tmp_path / "a.wav", signal, 16_000, subtype="FLOAT")
        transcriber = Transcriber(nano, Settings(channels=channels))
        transcript = asyncio.run(transcriber.transcribe(tmp_path / "a.wav", "a.wav", lambda *_: None, StageTimings()))
        return "".join(join(segment.tokens) for segment in transcript.segments), transcript.warnings

    expected, _ = text(speech, "mix")
    found, warnings = text(np.stack([speech, -speech], axis=1), channels)
    assert len(expected) > 10
    assert found == expected
    assert len(warnings) == 1
    assert "--channels" not in warnings[0]
