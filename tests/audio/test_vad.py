"""The voice detector streams: it answers the same whatever the blocks, and covers the speech."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.silero import FRAME_SAMPLES, SileroWeights, load_silero
from funasr_cli.audio.spans import Span
from funasr_cli.audio.vad import FRAMES_PER_RUN, SpeechDetector
from funasr_cli.audio.windows import SpeechWindows, Window, WindowShape
from tests.conftest import NANO, SAMPLES
from tests.support.meetings import Meeting
from tests.support.silero_graph import SileroGraph


@pytest.fixture(scope="module")
def silero() -> SileroWeights:
    return load_silero()


def audio(path: Path) -> Samples:
    with open_recording(path) as recording:
        return np.concatenate(list(recording.blocks()))


SPEECH = np.concatenate(
    [np.zeros(20_000, np.float32), audio(SAMPLES / "energy-report.flac"), np.zeros(30_000, np.float32)]
)


def closed(detector: SpeechDetector, blocks: list[Samples]) -> list[Span]:
    spans = [span for block in blocks for span in detector.push(block)] + detector.finish()
    return [span for span in spans if span.closed]


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, len(SPEECH)), max_size=8))
def test_spans_do_not_depend_on_the_blocks(cuts: list[int]) -> None:
    silero = load_silero()
    whole = closed(SpeechDetector(silero, VadOptions()), [SPEECH])
    assert closed(SpeechDetector(silero, VadOptions()), np.split(SPEECH, sorted(cuts))) == whole


def test_spans_cover_the_speech_and_leave_the_silence(silero: SileroWeights) -> None:
    spans = closed(SpeechDetector(silero, VadOptions()), [SPEECH])
    assert 20_000 - 0.4 * SAMPLE_RATE < spans[0].start <= 20_000 + 0.15 * SAMPLE_RATE
    assert len(SPEECH) - 30_000 - 0.2 * SAMPLE_RATE < spans[-1].end < len(SPEECH) - 30_000 + 0.5 * SAMPLE_RATE
    assert all(before.end <= after.start for before, after in pairwise(spans))


def test_an_open_span_only_grows(silero: SileroWeights) -> None:
    detector = SpeechDetector(silero, VadOptions())
    told: dict[int, int] = {}
    for block in np.array_split(SPEECH, 60):
        horizon = detector.horizon
        for span in detector.push(block):
            assert span.start >= horizon or span.start in told
            assert span.end >= told.get(span.start, 0)
            told[span.start] = span.end
    assert {span.start for span in detector.finish()} <= set(told)


def test_silence_holds_no_speech(silero: SileroWeights) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-3, 10 * SAMPLE_RATE).astype(np.float32)
    assert closed(SpeechDetector(silero, VadOptions()), [noise]) == []


def test_short_sounds_and_short_pauses_count_as_the_options_say(silero: SileroWeights) -> None:
    default = closed(SpeechDetector(silero, VadOptions()), [SPEECH])
    patient = closed(SpeechDetector(silero, VadOptions(min_silence=2.0)), [SPEECH])
    strict = closed(SpeechDetector(silero, VadOptions(min_speech=60.0)), [SPEECH])
    assert len(patient) == 1 < len(default)
    assert strict == []


class Scripted:
    """In place of the network: the probabilities of a script."""

    def __init__(self, script: list[float]) -> None:
        self.script = np.array(script, np.float32)
        self.at = 0

    def probabilities(self, frames: Samples) -> np.ndarray:
        self.at += len(frames) // FRAME_SAMPLES
        return self.script[self.at - len(frames) // FRAME_SAMPLES : self.at]


BURST = st.tuples(st.sampled_from([0.0, 0.3, 0.9]), st.one_of(st.integers(1, 12), st.integers(50, 700)))
"""A probability and for how many frames."""


def windows_of_script(script: list[float]) -> list[Window]:
    """Windows where the network says `script`; checks that every span that was told as open was closed later."""
    detector = SpeechDetector(load_silero(), VadOptions())
    detector._model = Scripted(script)  # type: ignore[assignment]
    open_until: dict[int, int] = {}

    class Watched:
        horizon = property(lambda _: detector.horizon)

        def push(self, block: Samples) -> list[Span]:
            return self.watch(detector.push(block))

        def finish(self) -> list[Span]:
            spans = self.watch(detector.finish())
            assert not open_until
            return spans

        def watch(self, spans: list[Span]) -> list[Span]:
            for span in spans:
                assert span.end >= open_until.pop(span.start, 0)
                if not span.closed:
                    open_until[span.start] = span.end
            return spans

    blocks = np.array_split(np.zeros(len(script) * FRAME_SAMPLES, np.float32), max(1, len(script) // 31))
    return list(SpeechWindows(blocks, Watched(), WindowShape(15.0)))


def assert_sound(windows: list[Window]) -> None:
    for window in windows:
        assert len(window.samples) == sum(map(len, window.parts))
        assert all(len(part) > 0 for part in window.parts)


@given(bursts=st.lists(BURST, min_size=1, max_size=12))
def test_every_span_that_is_told_ends_and_no_window_is_empty(bursts: list[tuple[float, int]]) -> None:
    assert_sound(windows_of_script([probability for probability, frames in bursts for _ in range(frames)]))


@pytest.mark.parametrize("phase", range(FRAMES_PER_RUN))
@pytest.mark.parametrize("blip", [1, 2, 3])
def test_a_blip_is_no_speech_wherever_it_falls(phase: int, blip: int) -> None:
    speech = [0.9] * 200
    windows = windows_of_script([0.0] * phase + speech + [0.0] * 90 + [0.9] * blip + [0.0] * 200 + speech)
    assert_sound(windows)
    assert len(windows) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": 0.5}, "padding of 0.5 s is longer than the minimum silence of 0.3 s"),
        ({"threshold": 1.0}, "probability between 0 and 1"),
        ({"min_speech": -1.0}, "cannot be negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VadOptions(**options)


def test_default_covers_the_words_of_a_meeting_and_drops_its_pauses(meeting: Meeting, silero: SileroWeights) -> None:
    """≥ 99 % of the time of words, ≤ 10 % of the time in pauses ≥ 1 s, padding aside."""
    options = VadOptions()
    kept = np.zeros(len(meeting.samples), bool)
    core = kept.copy()
    padding = round(options.padding * SAMPLE_RATE)
    for span in closed(SpeechDetector(silero, options), [meeting.samples]):
        kept[span.start : span.end] = True
        core[span.start + padding : span.end - padding] = True
    words, pauses = np.zeros_like(kept), np.zeros_like(kept)
    for start, end in meeting.words:
        words[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] = True
    for (_, end), (start, _) in pairwise(meeting.words):
        if start - end >= 1:
            pauses[round(end * SAMPLE_RATE) : round(start * SAMPLE_RATE)] = True
    assert kept[words].mean() >= 0.99
    assert core[pauses].mean() <= 0.10


def assert_spans_of_the_graph(samples: Samples, silero: SileroWeights) -> None:
    """The spans that the graph in ONNX Runtime leads to, but for a frame."""
    expected = SpeechDetector(silero, VadOptions())
    expected._model = SileroGraph()  # type: ignore[assignment]
    found = closed(SpeechDetector(silero, VadOptions()), [samples])
    given = closed(expected, [samples])
    assert len(found) == len(given)
    edges = np.array([[(a.start, b.start), (a.end, b.end)] for a, b in zip(found, given, strict=True)])
    assert np.abs(np.diff(edges, axis=-1)).max(initial=0) <= FRAME_SAMPLES


@pytest.mark.parametrize("path", [*SAMPLES.glob("*.flac"), *NANO.glob("*.flac")], ids=lambda path: path.stem)
def test_spans_are_those_of_the_graph(path: Path, silero: SileroWeights) -> None:
    assert_spans_of_the_graph(audio(path), silero)


def test_spans_of_a_meeting_are_those_of_the_graph(meeting: Meeting, silero: SileroWeights) -> None:
    assert_spans_of_the_graph(meeting.samples, silero)


def test_spans_of_a_conversation_are_those_of_the_graph(shared: Path, silero: SileroWeights) -> None:
    assert_spans_of_the_graph(audio(shared / "speakers" / "conversation.wav"), silero)
