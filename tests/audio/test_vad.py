"""The voice detector works on streams: results do not depend on the blocks, and spans cover the speech."""

from __future__ import annotations

import re
from dataclasses import replace
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
    """Stands in for the network: returns scripted probabilities, and keeps the frames that it gets."""

    def __init__(self, script: list[float]) -> None:
        self.script = np.array(script, np.float32)
        self.at = 0
        self.heard = np.zeros(0, np.float32)

    def probabilities(self, frames: Samples) -> np.ndarray:
        count, rest = divmod(len(frames), FRAME_SAMPLES)
        assert rest == 0
        self.at += count
        assert self.at <= len(self.script)
        self.heard = np.concatenate([self.heard, frames])
        return self.script[self.at - count : self.at]


BURST = st.tuples(st.sampled_from([0.0, 0.3, 0.9]), st.one_of(st.integers(1, 12), st.integers(50, 700)))
"""A probability, and the number of frames that have it."""


LEVELS = {"#": 0.9, "T": 0.4, "~": 0.3, "r": 0.25, "_": 0.1}
"""Speech; exactly the threshold; neither speech nor silence; the lowest value at which speech continues; silence."""

OPTIONS = VadOptions(threshold=0.4, min_speech=0.1, min_silence=0.3, padding=0.2)
MIN_SPEECH, MIN_SILENCE, PADDING = 1600, 4800, 3200


def scripted(script: str, options: VadOptions = OPTIONS) -> tuple[SpeechDetector, Scripted]:
    detector, network = SpeechDetector(load_silero(), options), Scripted([LEVELS[char] for char in script])
    detector._model = network  # type: ignore[assignment]
    return detector, network


def spans_of(script: str, total: int) -> list[Span]:
    """All rules at once: speech begins at the threshold, and ends if nothing comes near it for `MIN_SILENCE`."""
    spans, last = list[Span](), 0
    quiet = -(-MIN_SILENCE // FRAME_SAMPLES) - 1
    for match in re.finditer(f"[#T].*?(?=_[~r_]{{{quiet}}}|_[~r_]*$|$)", script):
        begin, end = match.start() * FRAME_SAMPLES, min(match.end() * FRAME_SAMPLES, total)
        if end - begin >= MIN_SPEECH:
            start, last = max(last, begin - PADDING), end + PADDING
            spans.append(Span(start, min(last, total), closed=True))
    return spans


SCRIPT = st.lists(
    st.tuples(st.sampled_from("#T~r__"), st.one_of(st.integers(1, 12), st.integers(50, 300))), min_size=1, max_size=20
).map(lambda bursts: "".join(char * frames for char, frames in bursts))


@given(script=SCRIPT, missing=st.integers(0, FRAME_SAMPLES - 1), step=st.integers(500, 100_000))
def test_spans_follow_the_rules_whatever_the_blocks(script: str, missing: int, step: int) -> None:
    """The last frame is incomplete."""
    total = len(script) * FRAME_SAMPLES - missing
    detector, network = scripted(script)
    sound = np.arange(1, total + 1, dtype=np.float32)
    assert closed(detector, np.split(sound, range(step, total, step))) == spans_of(script, total)
    assert np.array_equal(network.heard, np.pad(sound, (0, missing)))


@pytest.mark.parametrize(
    ("script", "spans"),
    [
        pytest.param("__###_", [], id="too short by a frame"),
        pytest.param("__####_", [(0, 3584)], id="just long enough, with padding up to the end"),
        pytest.param("_" * 10 + "####" + "_" * 20, [(1920, 10_368)], id="padding at both ends"),
        pytest.param("####" + "_" * 9 + "####", [(0, 8704)], id="a pause too short by a frame"),
        pytest.param("####" + "_" * 10 + "####", [(0, 5248), (5248, 9216)], id="a pause: padding never overlaps"),
        pytest.param("####" + "~" * 50 + "_" + "~" * 9 + "_", [(0, 27_648 + 3200)], id="it ends where silence began"),
        pytest.param("~~rr~~~rrr~~~~", [], id="what only would not end speech does not begin it"),
    ],
)
def test_speech_is_what_the_options_say(script: str, spans: list[tuple[int, int]]) -> None:
    detector, _ = scripted(script)
    found = closed(detector, [np.zeros(len(script) * FRAME_SAMPLES, np.float32)])
    assert [(span.start, span.end) for span in found] == spans


@pytest.mark.parametrize(
    ("threshold", "speech", "pause", "spans"),
    [
        pytest.param(0.5, 0.5, 0.1, 2, id="just the threshold"),
        pytest.param(0.5, 0.499, 0.1, 0, id="less"),
        pytest.param(0.4, 0.9, 0.25, 1, id="just not low enough to be a pause"),
        pytest.param(0.4, 0.9, 0.249, 2, id="low enough"),
        pytest.param(0.1, 0.9, 0.015, 1, id="a threshold so low that nothing is far below it: not low enough"),
        pytest.param(0.1, 0.9, 0.005, 2, id="and low enough"),
    ],
)
def test_speech_begins_at_the_threshold_and_ends_well_below_it(
    threshold: float, speech: float, pause: float, spans: int
) -> None:
    detector = SpeechDetector(load_silero(), replace(OPTIONS, threshold=threshold))
    detector._model = Scripted([speech] * 5 + [pause] * 20 + [speech] * 5)  # type: ignore[assignment]
    assert len(closed(detector, [np.zeros(30 * FRAME_SAMPLES, np.float32)])) == spans


def test_an_open_span_is_told_up_to_where_it_is_sure() -> None:
    """Ten seconds of silence, then speech: what is reported, and from where on samples are needed, run by run."""
    run = np.zeros(FRAMES_PER_RUN * FRAME_SAMPLES, np.float32)
    ends = [count * len(run) for count in range(10)]
    last = FRAMES_PER_RUN - 3
    detector, _ = scripted("_" * last + "###" + "#" * FRAMES_PER_RUN + "#" * last + "___" + "_" * FRAMES_PER_RUN)
    begin, end = last * FRAME_SAMPLES - PADDING, (2 * FRAMES_PER_RUN + last) * FRAME_SAMPLES
    assert (detector.push(run[:-1]), detector.horizon) == ([], 0)
    assert (detector.push(run[:1]), detector.horizon) == ([], begin)  # may still be too short
    assert (detector.push(run), detector.horizon) == ([Span(begin, ends[2], closed=False)], begin)
    assert (detector.push(run), detector.horizon) == ([Span(begin, end + 3 * FRAME_SAMPLES, closed=False)], begin)
    assert detector.push(run[:1]) == [Span(begin, end + 3 * FRAME_SAMPLES, closed=False)]
    assert detector.push(run[1:]) == [Span(begin, end + PADDING, closed=True)]
    assert detector.horizon == ends[4] - PADDING
    assert detector.finish() == []


def test_a_quiet_that_may_last_ends_what_is_told_with_the_padding() -> None:
    detector, _ = scripted("#" * (FRAMES_PER_RUN - 9) + "_" * 9)
    quiet = (FRAMES_PER_RUN - 9) * FRAME_SAMPLES
    assert detector.push(np.zeros(FRAMES_PER_RUN * FRAME_SAMPLES, np.float32)) == [
        Span(0, quiet + PADDING, closed=False)
    ]
    assert detector.finish() == [Span(0, quiet + PADDING, closed=True)]


def test_a_sound_too_short_is_not_told_though_time_goes_by() -> None:
    detector, _ = scripted("_" * (FRAMES_PER_RUN - 8) + "###" + "_" * 5)
    assert detector.push(np.zeros(FRAMES_PER_RUN * FRAME_SAMPLES, np.float32)) == []


def test_a_sound_just_as_long_as_speech_has_to_be_is_speech() -> None:
    detector, _ = scripted("__###_____", replace(OPTIONS, min_speech=3 * FRAME_SAMPLES / SAMPLE_RATE))
    assert len(closed(detector, [np.zeros(10 * FRAME_SAMPLES, np.float32)])) == 1


def test_a_recording_of_whole_runs_leaves_nothing_to_judge(silero: SileroWeights) -> None:
    assert closed(SpeechDetector(silero, VadOptions()), [np.zeros(FRAMES_PER_RUN * FRAME_SAMPLES, np.float32)]) == []
    assert closed(SpeechDetector(silero, VadOptions()), []) == []


@pytest.mark.parametrize("seconds", [0.5, 1.5, 3.9])
def test_a_recording_shorter_than_a_run_of_the_network_is_heard(silero: SileroWeights, seconds: float) -> None:
    words = SPEECH[24_000 : 24_000 + round(seconds * SAMPLE_RATE)]
    spans = closed(SpeechDetector(silero, VadOptions()), [words])
    assert (spans[0].start, spans[-1].end) == (0, len(words))


@pytest.mark.parametrize("after", [0.2, 1.9])
def test_last_words_are_heard_after_the_last_whole_run(silero: SileroWeights, after: float) -> None:
    run = FRAMES_PER_RUN * FRAME_SAMPLES
    words = SPEECH[24_000 : 24_000 + round(after * SAMPLE_RATE)]
    spans = closed(SpeechDetector(silero, VadOptions()), [np.zeros(2 * run, np.float32), words])
    assert 2 * run - 0.3 * SAMPLE_RATE <= spans[0].start <= 2 * run + 0.1 * SAMPLE_RATE
    assert spans[-1].end == 2 * run + len(words)


def windows_of_script(script: list[float]) -> list[Window]:
    """Windows for the probabilities of `script`; checks that every span reported as open was closed later."""
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
    """Covers ≥ 99 % of the time of words and ≤ 10 % of the time of pauses ≥ 1 s, apart from padding."""
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
    """The spans are those of the graph in ONNX Runtime, to within a frame."""
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
