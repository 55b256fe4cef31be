"""What is kept of a recording is small, and comes out as it went in."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.outputs.packing import UnknownForm, pack, unpack
from funasr_cli.transcript import Recognition, RecognizedChannel, Scene, Token

SAMPLES = st.integers(0, 40 * 3600 * 16_000).map(lambda count: count / 16_000)
TOKENS = st.builds(
    Token,
    text=st.text(st.characters(exclude_categories=["Cs"])),
    start=SAMPLES,
    end=SAMPLES,
    confidence=st.integers(0, 10_000).map(lambda steps: steps / 10_000),
    tail=SAMPLES,
    language=st.sampled_from([None, "zh", "en"]),
)
SCENES = st.builds(Scene, st.floats(0, 1e5), st.floats(0, 1e5), st.none() | st.just("happy"), st.just(("laughter",)))
CHANNELS = st.builds(
    RecognizedChannel,
    st.none() | st.integers(1, 8),
    st.none() | st.just("zh"),
    st.lists(TOKENS, max_size=5).map(tuple),
    st.lists(SCENES, max_size=2).map(tuple),
)
RECOGNITIONS = st.builds(
    Recognition,
    duration=st.floats(0, 1e6),
    speech_seconds=st.floats(0, 1e6),
    language=st.none() | st.just("zh"),
    model=st.sampled_from(["whisper-base", "/models/\udcff"]),
    model_sha256=st.just("d0" * 32),
    device=st.just("cpu"),
    writes_numbers=st.booleans(),
    channels=st.lists(CHANNELS, max_size=3).map(tuple),
    warnings=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=2).map(tuple),
    extra_runs=st.dictionaries(st.sampled_from(["loop", "hole"]), st.integers(1, 9)),
)


@given(RECOGNITIONS)
def test_what_is_unpacked_is_what_was_packed(recognition: Recognition) -> None:
    assert unpack(pack(recognition)) == recognition


def test_times_are_rounded_to_samples_and_confidences_to_four_digits() -> None:
    token = Token("好", 1 / 3, 2 / 3, 0.123456)
    channels = (RecognizedChannel(None, "zh", (token,)),)
    kept = unpack(pack(Recognition(1.0, 1.0, "zh", "m", "", "cpu", False, channels))).channels[0].tokens[0]
    assert (kept.start, kept.end, kept.confidence) == (5333 / 16_000, 10_667 / 16_000, 0.1235)


def test_an_hour_of_fast_speech_takes_less_than_120_kb() -> None:
    """Five characters a second without a pause, drawn from 2,000, with times and confidences that say nothing."""
    draw, tokens, end = random.Random(1), [], 0.0
    while end < 3600:
        start, end = end, end + draw.choice([0.12, 0.18, 0.18, 0.24, 0.3])
        tokens.append(Token(chr(0x4E00 + int(2000 * draw.random() ** 2)), start, end, draw.uniform(0.3, 1.0), 0.06))
    kept = pack(Recognition(end, end, "zh", "m", "", "cpu", False, (RecognizedChannel(None, "zh", tuple(tokens)),)))
    assert len(tokens) > 17_000
    assert len(kept) < 120_000


@pytest.mark.parametrize("packed", [b"", b"no zlib", zlib.compress(b"{}"), zlib.compress(b'{"version":2}\n[]\n')])
def test_what_cannot_be_read_is_refused(packed: bytes) -> None:
    with pytest.raises(UnknownForm):
        unpack(packed)
