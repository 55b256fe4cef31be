"""Windows hold all the speech, are never too long, and overlap as asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.options import VadOptions
from funasr_cli.audio.silero import load_silero
from funasr_cli.audio.spans import Span, WholeRecording
from funasr_cli.audio.vad import SpeechDetector
from funasr_cli.audio.windows import Bounds, SampleBuffer, SpeechWindows, Window, WindowPacker, WindowShape
from tests.support.meetings import Meeting

SHAPE = WindowShape(length=15.0, overlap=2.0, max_pause=1.0)
LENGTH, OVERLAP, MAX_PAUSE = (round(s * SAMPLE_RATE) for s in (SHAPE.length, SHAPE.overlap, SHAPE.max_pause))


@st.composite
def speech(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Spans in order, of any length up to some windows, with any pauses between them."""
    spans, at = [], 0
    for _ in range(draw(st.integers(0, 12))):
        start = at + draw(st.one_of(st.just(0), st.integers(0, 3 * SAMPLE_RATE)))
        at = start + draw(st.one_of(st.integers(1, 3 * SAMPLE_RATE), st.integers(1, 5 * LENGTH)))
        spans.append((start, at))
    return spans


def told(spans: list[tuple[int, int]], step: int) -> list[Span]:
    """The spans as a detector reports them: open and growing every `step` samples, then closed."""
    return [
        Span(start, min(at, end), closed=at >= end)
        for start, end in spans
        for at in range(start + step, end + step, step)
    ]


def pack(spans: list[tuple[int, int]], step: int) -> list[Window]:
    packer = WindowPacker(SHAPE, lambda part: np.arange(part.start, part.end, dtype=np.float32))
    return [*packer.push(told(spans, step)), *packer.finish()]


def parts_of(windows: list[Window]) -> list[Bounds]:
    return [part for window in windows for part in window.parts]


@given(spans=speech(), step=st.integers(1000, 10 * SAMPLE_RATE))
def test_windows_hold_all_the_speech_and_nothing_else(spans: list[tuple[int, int]], step: int) -> None:
    windows = pack(spans, step)
    assert all(0 < len(window.samples) <= LENGTH for window in windows)
    heard: list[list[int]] = []
    for part in parts_of(windows):
        if heard and heard[-1][1] == part.start + OVERLAP:  # the same span continues
            heard[-1][1] = part.end
        else:
            heard.append([part.start, part.end])
    assert [tuple(span) for span in heard] == spans


@given(spans=speech(), step=st.integers(1000, 10 * SAMPLE_RATE))
def test_windows_overlap_as_asked_within_a_span_and_never_elsewhere(spans: list[tuple[int, int]], step: int) -> None:
    for before, after in pairwise(parts_of(pack(spans, step))):
        within = any(start < before.end < end for start, end in spans)
        assert before.end - after.start == OVERLAP if within else before.end <= after.start


@given(spans=speech(), step=st.integers(1000, 10 * SAMPLE_RATE))
def test_no_window_reaches_over_a_long_pause(spans: list[tuple[int, int]], step: int) -> None:
    for window in pack(spans, step):
        assert all(after.start - before.end <= MAX_PAUSE for before, after in pairwise(window.parts))


@given(spans=speech(), step=st.integers(1000, 10 * SAMPLE_RATE))
def test_windows_do_not_depend_on_how_the_spans_were_told(spans: list[tuple[int, int]], step: int) -> None:
    assert [window.parts for window in pack(spans, step)] == [window.parts for window in pack(spans, 10**9)]


@given(spans=speech())
def test_neighbours_share_a_window_where_they_can(spans: list[tuple[int, int]]) -> None:
    lengths = {start: end - start for start, end in spans}
    for before, after in pairwise(pack(spans, 10**9)):
        if after.parts[0].start in lengths and before.bounds.end <= after.bounds.start:
            full = len(before.samples) + lengths[after.parts[0].start] > LENGTH
            assert full or after.bounds.start - before.bounds.end > MAX_PAUSE


@given(spans=speech(), data=st.data())
def test_every_sample_of_a_window_has_its_place(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    for window in pack(spans, 10**9):
        at = data.draw(st.integers(0, len(window.samples) - 1))
        place = window.place(at / SAMPLE_RATE, (at + 1) / SAMPLE_RATE)
        assert [round(moment * SAMPLE_RATE) for moment in place] == [window.samples[at], window.samples[at] + 1]


@pytest.mark.parametrize(
    ("spans", "windows"),
    [
        pytest.param([(0, LENGTH)], [[(0, LENGTH)]], id="as long as a window"),
        pytest.param([(0, LENGTH + 1)], [[(0, LENGTH)], [(LENGTH - OVERLAP, LENGTH + 1)]], id="longer: it is split"),
        pytest.param([(0, 1000), (2000, LENGTH + 1000)], [[(0, 1000), (2000, LENGTH + 1000)]], id="room for both"),
        pytest.param([(0, 1000), (2000, LENGTH + 1001)], [[(0, 1000)], [(2000, LENGTH + 1001)]], id="no room"),
        pytest.param(
            [(0, 1000), (1000 + MAX_PAUSE, 20_000)], [[(0, 1000), (1000 + MAX_PAUSE, 20_000)]], id="a short pause"
        ),
        pytest.param(
            [(0, 1000), (1001 + MAX_PAUSE, 20_000)], [[(0, 1000)], [(1001 + MAX_PAUSE, 20_000)]], id="a long pause"
        ),
        pytest.param(
            [(0, LENGTH + 1000), (LENGTH + 1000, LENGTH + 2000), (LENGTH + 3000, LENGTH + 4000)],
            [
                [(0, LENGTH)],
                [
                    (LENGTH - OVERLAP, LENGTH + 1000),
                    (LENGTH + 1000, LENGTH + 2000),
                    (LENGTH + 3000, LENGTH + 4000),
                ],
            ],
            id="what is left of a long one takes others",
        ),
    ],
)
@pytest.mark.parametrize("step", [700, 10**9])
def test_a_window_takes_what_there_is_room_for(
    spans: list[tuple[int, int]], windows: list[list[tuple[int, int]]], step: int
) -> None:
    assert [[(part.start, part.end) for part in window.parts] for window in pack(spans, step)] == windows


def test_a_window_comes_as_soon_as_it_is_settled() -> None:
    """The start of the part of the open span that is still needed is known, too."""
    packer = WindowPacker(SHAPE, lambda part: np.zeros(len(part), np.float32))

    def pushed(start: int, end: int, *, closed: bool) -> tuple[int, int | None]:
        return len(list(packer.push([Span(start, end, closed=closed)]))), packer.start

    assert pushed(100, LENGTH + 100, closed=False) == (0, 100)
    assert pushed(100, LENGTH + 101, closed=False) == (1, LENGTH + 100 - OVERLAP)
    assert pushed(100, LENGTH + 200, closed=True) == (0, None)
    assert pushed(LENGTH + 300, LENGTH + 400, closed=False) == (0, LENGTH + 300)
    assert pushed(LENGTH + 300, 2 * LENGTH, closed=False) == (1, LENGTH + 300)
    assert pushed(LENGTH + 300, 2 * LENGTH, closed=True) == (0, None)
    assert len(list(packer.finish())) == 1
    assert list(packer.finish()) == []


TWO_PARTS = Window(np.zeros(48_000, np.float32), (Bounds(16_000, 32_000), Bounds(80_000, 112_000)))
"""A second of speech from 1.0 s on, and two from 5.0 s on."""


def test_what_touches_a_pause_does_not_reach_over_it() -> None:
    assert TWO_PARTS.place(0.0, 1.0) == (1.0, 2.0)
    assert TWO_PARTS.place(1.0, 1.5) == (5.0, 5.5)
    assert TWO_PARTS.place(2.5, 3.2) == (6.5, pytest.approx(7.2))


@pytest.mark.parametrize(
    ("times", "place"),
    [
        pytest.param((0.52, 1.46), (5.15, 5.46), id="from the end of the word before"),
        pytest.param((0.50, 1.16), (5.08, 5.16), id="and ends early"),
        pytest.param((0.90, 1.18), (5.09, 5.18), id="all of it is around the pause"),
        pytest.param((0.98, 1.02), (5.01, 5.02), id="and short"),
    ],
)
def test_the_first_word_after_a_pause_begins_after_it(times: tuple[float, float], place: tuple[float, float]) -> None:
    """Times as whisper-base gives them for 而, 大 and 发 after a pause."""
    assert TWO_PARTS.place(*times) == pytest.approx(place)


@pytest.mark.parametrize(
    ("times", "place"),
    [
        pytest.param((0.2, 1.1), (1.2, 5.1), id="most of it"),
        pytest.param((0.375, 1.125), (5.0625, 5.125), id="half a second more of it before the pause than after"),
        pytest.param((0.37, 1.125), (1.37, 5.125), id="more"),
        pytest.param((0.0, 0.5), (1.0, 1.5), id="all of it"),
        pytest.param((2.0, 2.0), (6.0, 6.0), id="of no length"),
        pytest.param((1.0, 1.0), (5.0, 5.0), id="of no length, at the pause"),
        pytest.param((3.0, 3.0), (7.0, 7.0), id="of no length, at the end"),
        pytest.param((3.2, 3.4), (7.2, 7.4), id="after the window"),
    ],
)
def test_a_word_that_lies_before_a_pause_stays_there(times: tuple[float, float], place: tuple[float, float]) -> None:
    assert TWO_PARTS.place(*times) == pytest.approx(place)


def test_a_window_of_one_part_only_moves_the_times() -> None:
    window = Window(np.zeros(48_000, np.float32), (Bounds(16_000, 64_000),))
    assert window.place(-0.5, 3.5) == (0.5, 4.5)
    assert (window.bounds, window.bounds.seconds, len(window.bounds)) == (Bounds(16_000, 64_000), (1.0, 4.0), 48_000)


def test_a_word_that_reaches_over_two_pauses_begins_after_the_second() -> None:
    window = Window(np.zeros(48_000, np.float32), (Bounds(0, 16_000), Bounds(32_000, 36_000), Bounds(64_000, 91_750)))
    assert window.place(0.95, 1.9) == pytest.approx((4.15, 4.65))


def test_an_overlap_of_more_than_half_a_window_is_refused() -> None:
    for overlap in (8.0, 7.51, -0.1):
        with pytest.raises(ValueError, match=rf"15.0 s cannot overlap its neighbours by {overlap} s"):
            WindowShape(15.0, overlap)
    assert [WindowShape(15.0, overlap).overlap for overlap in (0.0, 7.5)] == [0.0, 7.5]
    assert WindowShape(15.0) == WindowShape(15.0, overlap=2.0, max_pause=3.0)


def ramp(seconds: float) -> Samples:
    """Audio in which the value of every sample is its position."""
    return np.arange(round(seconds * SAMPLE_RATE), dtype=np.float32)


@pytest.mark.parametrize("block", [700, 16_000, 500_000])
def test_windows_carry_the_samples_of_their_place(block: int) -> None:
    audio = ramp(100)
    stream = SpeechWindows(np.split(audio, range(block, len(audio), block)), WholeRecording(), SHAPE)
    windows = list(stream)
    for window in windows:
        np.testing.assert_array_equal(window.samples, audio[window.bounds.start : window.bounds.end])
        assert window.parts == (window.bounds,)
    assert windows[-1].bounds.end == len(audio)
    assert (stream.duration, stream.speech) == pytest.approx((100, 100))


@given(
    blocks=st.lists(st.tuples(st.integers(0, 40 * SAMPLE_RATE), st.integers(0, 40 * SAMPLE_RATE)), max_size=8),
    needed_at_once=st.booleans(),
)
def test_what_is_still_needed_is_kept(blocks: list[tuple[int, int]], needed_at_once: bool) -> None:
    buffer, total, needed = SampleBuffer(), 0, 0
    for size, further in blocks:
        needed = total if needed_at_once else min(total, needed + further)
        buffer.append(np.arange(total, total + size, dtype=np.float32), needed)
        total += size
        for at in {needed, (needed + total) // 2, total - 1} if needed < total else ():
            assert buffer.cut(Bounds(at, at + 1)).tolist() == [at]
        assert len(buffer.cut(Bounds(needed, total))) == total - needed


def test_what_is_no_longer_needed_takes_no_memory() -> None:
    buffer, block = SampleBuffer(), np.zeros(SAMPLE_RATE, np.float32)
    for second in range(100):
        buffer.append(block, max(0, second - 10) * SAMPLE_RATE)
    assert len(buffer._array) == 32 * SAMPLE_RATE
    cut = buffer.cut(Bounds(99 * SAMPLE_RATE, 100 * SAMPLE_RATE))
    buffer.append(block + 1, 100 * SAMPLE_RATE)
    assert not cut.any()


def test_a_block_ahead_of_all_that_is_needed_is_no_gap() -> None:
    """The detector may need nothing of what the buffer holds, nor the beginning of the next block."""
    buffer = SampleBuffer()
    buffer.append(np.zeros(30 * SAMPLE_RATE, np.float32), 0)
    buffer.append(ramp(5), 31 * SAMPLE_RATE)
    assert buffer.cut(Bounds(31 * SAMPLE_RATE, 31 * SAMPLE_RATE + 3)).tolist() == [16_000, 16_001, 16_002]


def test_a_stream_tells_its_peak_and_how_much_of_it_was_speech() -> None:
    class Told:
        horizon = 0

        def push(self, block: Samples) -> list[Span]:
            return [Span(0, 1000, closed=True), Span(2000, 5000, closed=False)] if len(block) == 16_000 else []

        def finish(self) -> list[Span]:
            return [Span(2000, 6000, closed=True)]

    low, high = np.full(16_000, -0.5, np.float32), np.full(8000, 0.25, np.float32)
    stream = SpeechWindows([high, low, np.zeros(0, np.float32)], Told(), SHAPE)
    assert (stream.peak, stream.duration, stream.speech) == (0, 0, 0)
    assert [window.parts for window in stream] == [(Bounds(0, 1000), Bounds(2000, 6000))]
    assert (stream.peak, stream.duration, stream.speech) == (0.5, 1.5, 5000 / SAMPLE_RATE)


def test_what_is_settled_ends_before_all_that_windows_to_come_have() -> None:
    """After each second: nothing known yet, silence, speech that goes on, speech that waits for more, and both."""
    steps: list[tuple[int, list[Span]]] = [
        (99_000, []),
        (31_000, []),
        (40_000, [Span(40_000, 48_000, closed=False)]),
        (60_000, [Span(40_000, 55_000, closed=True)]),
        (70_000, [Span(70_000, 80_000, closed=False)]),
    ]

    class Stepwise:
        horizon = 0

        def push(self, block: Samples) -> list[Span]:
            self.horizon, spans = steps.pop(0)
            return spans

        def finish(self) -> list[Span]:
            return [Span(70_000, 80_000, closed=True)]

    def blocks() -> Iterator[Samples]:
        while steps:
            settled.append(stream.settled)
            yield np.zeros(16_000, np.float32)
        settled.append(stream.settled)

    settled: list[int] = []
    stream = SpeechWindows(blocks(), Stepwise(), SHAPE)
    assert [window.parts for window in stream] == [(Bounds(40_000, 55_000), Bounds(70_000, 80_000))]
    assert [*settled, stream.settled] == [0, 16_000, 31_000, 40_000, 40_000, 40_000, 80_000]


def test_pauses_are_left_out() -> None:
    class TwoWords:
        horizon = 0

        def push(self, block: Samples) -> list[Span]:
            return []

        def finish(self) -> list[Span]:
            return [Span(1000, 5000, closed=True), Span(9000, 12_000, closed=True)]

    (window,) = SpeechWindows([ramp(2)], TwoWords(), SHAPE)
    assert window.bounds == Bounds(1000, 12_000)
    assert window.parts == (Bounds(1000, 5000), Bounds(9000, 12_000))
    np.testing.assert_array_equal(window.samples, np.r_[1000:5000, 9000:12_000])


def windows_of(meeting: Meeting, length: float) -> tuple[list[Window], float]:
    stream = SpeechWindows(
        np.split(meeting.samples, range(16_000, len(meeting.samples), 16_000)),
        SpeechDetector(load_silero(), VadOptions()),
        WindowShape(length),
    )
    return list(stream), stream.speech


@pytest.mark.parametrize("length", [15.0, 30.0])
def test_speech_without_pauses_is_cut_into_overlapping_windows(meeting_without_pauses: Meeting, length: float) -> None:
    windows, _ = windows_of(meeting_without_pauses, length)
    seams = [before.bounds.end > after.bounds.start for before, after in pairwise(windows)]
    overlapping = [any(seams[max(0, i - 1) : i + 1]) for i in range(len(windows))]
    assert np.mean(overlapping) >= 0.90
