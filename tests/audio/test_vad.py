"""The voice detector streams: it answers the same whatever the blocks, and covers the speech."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.spans import Span
from funasr_cli.audio.vad import CONTEXT_SAMPLES, FRAME_SAMPLES, SileroModel, SpeechDetector, load_silero
from funasr_cli.audio.windows import SpeechWindows, Window, WindowShape
from tests.conftest import SAMPLES
from tests.support.meetings import Meeting


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
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


def test_probabilities_equal_one_pass_over_the_whole_recording(session: onnxruntime.InferenceSession) -> None:
    frames = SPEECH[: len(SPEECH) // FRAME_SAMPLES * FRAME_SAMPLES]
    rows = frames.reshape(-1, FRAME_SAMPLES)
    context = np.vstack([np.zeros(CONTEXT_SAMPLES, np.float32), rows[:-1, -CONTEXT_SAMPLES:]])
    state = np.zeros((1, 1, 128), np.float32)
    whole = session.run(None, {"input": np.hstack([context, rows]), "h": state, "c": state})[0].reshape(-1)
    model = SileroModel(session)
    parts = np.array_split(rows, [1, 3, 50, 51, 170])
    streamed = np.concatenate([model.probabilities(part.reshape(-1)) for part in parts])
    np.testing.assert_allclose(streamed, whole, atol=1e-6)
    assert whole.max() > 0.9
    assert whole.min() < 0.1


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, len(SPEECH)), max_size=8))
def test_spans_do_not_depend_on_the_blocks(cuts: list[int]) -> None:
    session = load_silero()
    whole = closed(SpeechDetector(session, VadOptions()), [SPEECH])
    assert closed(SpeechDetector(session, VadOptions()), np.split(SPEECH, sorted(cuts))) == whole


def test_spans_cover_the_speech_and_leave_the_silence(session: onnxruntime.InferenceSession) -> None:
    spans = closed(SpeechDetector(session, VadOptions()), [SPEECH])
    assert 20_000 - 0.4 * SAMPLE_RATE < spans[0].start <= 20_000 + 0.15 * SAMPLE_RATE
    assert len(SPEECH) - 30_000 - 0.2 * SAMPLE_RATE < spans[-1].end < len(SPEECH) - 30_000 + 0.5 * SAMPLE_RATE
    assert all(before.end <= after.start for before, after in pairwise(spans))


def test_an_open_span_only_grows(session: onnxruntime.InferenceSession) -> None:
    detector = SpeechDetector(session, VadOptions())
    told: dict[int, int] = {}
    for block in np.array_split(SPEECH, 60):
        horizon = detector.horizon
        for span in detector.push(block):
            assert span.start >= horizon or span.start in told
            assert span.end >= told.get(span.start, 0)
            told[span.start] = span.end
    assert {span.start for span in detector.finish()} <= set(told)


def test_silence_holds_no_speech(session: onnxruntime.InferenceSession) -> None:
    noise = np.random.default_rng(1).normal(0, 1e-3, 10 * SAMPLE_RATE).astype(np.float32)
    assert closed(SpeechDetector(session, VadOptions()), [noise]) == []


def test_short_sounds_and_short_pauses_count_as_the_options_say(session: onnxruntime.InferenceSession) -> None:
    default = closed(SpeechDetector(session, VadOptions()), [SPEECH])
    patient = closed(SpeechDetector(session, VadOptions(min_silence=2.0)), [SPEECH])
    strict = closed(SpeechDetector(session, VadOptions(min_speech=60.0)), [SPEECH])
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


@pytest.mark.parametrize("phase", range(64))
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


def test_default_covers_the_words_of_a_meeting_and_drops_its_pauses(
    meeting: Meeting, session: onnxruntime.InferenceSession
) -> None:
    """≥ 99 % of the time of words, ≤ 10 % of the time in pauses ≥ 1 s, padding aside."""
    options = VadOptions()
    kept = np.zeros(len(meeting.samples), bool)
    core = kept.copy()
    padding = round(options.padding * SAMPLE_RATE)
    for span in closed(SpeechDetector(session, options), [meeting.samples]):
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
