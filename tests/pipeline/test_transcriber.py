"""A recording becomes a transcript: real audio through the real model."""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path

import numpy as np
import opencc
import pytest
import soundfile

from funasr_cli.arrays import SAMPLE_RATE, Samples
from funasr_cli.audio.reader import open_recording
from funasr_cli.audio.windows import Window
from funasr_cli.errors import InputError
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.pipeline.window_runner import WindowRunner
from funasr_cli.recognizers.base import Hypothesis
from funasr_cli.settings.transcription import Settings
from funasr_cli.transcript import Transcript, join
from tests.conftest import ENERGY_REPORT, SAMPLES
from tests.support.meetings import samples_of


def transcribe(runner: WindowRunner, path: Path, settings: Settings | None = None) -> Transcript:
    ticks: list[tuple[float, float, float | None]] = []
    timings = StageTimings()
    transcript = asyncio.run(
        Transcriber(runner, settings or Settings()).transcribe(path, path.name, lambda *at: ticks.append(at), timings)
    )
    assert set(timings.seconds) <= {"listen", "prepare", "run", "decode"}
    for seconds in zip(*(at[:2] for at in ticks), strict=True):  # read; recognised
        assert list(seconds) == sorted(seconds)
    assert all(recognized <= read for read, recognized, _ in ticks)
    assert ticks[-1][1] == ticks[-1][0] or transcript.speech_seconds == 0
    return transcript


@pytest.fixture(scope="module")
def spoken(runner: WindowRunner) -> Transcript:
    """The transcript of seven seconds of English."""
    return transcribe(runner, SAMPLES / "energy-report.flac")


def test_a_sentence_word_for_word(spoken: Transcript, sample: Path) -> None:
    assert spoken.text == ENERGY_REPORT
    assert spoken.language == "en"
    assert spoken.source == sample.name
    assert 0 < spoken.speech_seconds <= spoken.duration == pytest.approx(8.46, abs=0.01)
    assert spoken.warnings == ()
    assert spoken.extra_runs == {}
    words = [token.text.strip() for line in spoken.segments for token in line.tokens]
    assert words == ENERGY_REPORT.split()


def test_the_same_recording_gives_the_same_transcript(runner: WindowRunner, spoken: Transcript, sample: Path) -> None:
    assert transcribe(runner, sample) == spoken


def test_without_the_voice_detector_the_text_is_the_same(runner: WindowRunner, sample: Path) -> None:
    transcript = transcribe(runner, sample, Settings(vad=None))
    assert transcript.text == ENERGY_REPORT
    assert transcript.speech_seconds == transcript.duration


@pytest.fixture
def long_talk(sample: Path, tmp_path: Path) -> Path:
    """The sample three times with silence between: more than one window, and known times."""
    with open_recording(sample) as recording:
        speech = np.concatenate(list(recording.blocks()))
    parts = [np.zeros(16_000 * 5, np.float32), speech] * 3 + [np.zeros(16_000 * 5, np.float32)]
    path = tmp_path / "long.wav"
    soundfile.write(path, np.concatenate(parts), 16_000)
    return path


def test_a_long_recording_keeps_its_times(runner: WindowRunner, long_talk: Path, sample: Path) -> None:
    length = soundfile.info(sample).duration
    transcript = transcribe(runner, long_talk)
    assert [paragraph.text for paragraph in transcript.paragraphs] == [ENERGY_REPORT] * 3
    starts = [line.start for line in transcript.segments if line.text.startswith("Good morning")]
    assert starts == pytest.approx([5 + i * (5 + length) for i in range(3)], abs=0.35)


def test_silence_is_a_success_without_text(runner: WindowRunner, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000 * 40, np.float32), 16_000)
    transcript = transcribe(runner, tmp_path / "silence.wav")
    assert (transcript.text, transcript.segments, transcript.language) == ("", (), None)
    assert (transcript.duration, transcript.speech_seconds) == (40.0, 0.0)


def test_one_sample_is_a_success_without_text(runner: WindowRunner, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.zeros(1, np.float32), 16_000)
    assert transcribe(runner, tmp_path / "one.wav").text == ""


def test_no_sample_at_all_is_an_error(runner: WindowRunner, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0, np.float32), 16_000)
    with pytest.raises(InputError, match=r"none\.wav"):
        transcribe(runner, tmp_path / "none.wav")


def test_the_language_that_was_asked_for_is_used(runner: WindowRunner, sample: Path) -> None:
    assert transcribe(runner, sample, Settings(language="de")).language == "de"


def test_windows_that_stand_apart_from_the_vote_follow_it(
    runner: WindowRunner, long_talk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second window claims to be German; the others outvote it and it is run again in English."""
    asked: list[str | None] = []

    honest = WindowRunner.recognize

    async def recognize(self: WindowRunner, window: Window, language: str | None, timings: StageTimings) -> Hypothesis:
        asked.append(language)
        return await honest(self, window, "de" if len(asked) == 2 else language, timings)

    monkeypatch.setattr(WindowRunner, "recognize", recognize)
    transcript = transcribe(runner, long_talk)
    assert transcript.language == "en"
    assert asked == [None, None, None, "en"]
    assert transcript.extra_runs["language"] == 1
    assert [paragraph.text for paragraph in transcript.paragraphs] == [ENERGY_REPORT] * 3


REFERENCES = {
    "asr_example.wav": "欢迎大家来体验达摩院推出的语音识别模型",
    "asr_example.mp3": "欢迎大家来体验达摩院推出的语音识别模型",
    "jfk.flac": (
        "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_real_speech_reads_as_it_was_said(runner: WindowRunner, shared: Path, name: str) -> None:
    text = transcribe(runner, shared / "speech" / "sentences" / name).text
    simplified = opencc.OpenCC("t2s").convert(text)  # whisper-base writes either script
    said = "".join(char for char in simplified.casefold() if char.isalnum() or char == " ")
    assert said == REFERENCES[name]


def test_the_first_word_after_a_pause_is_on_time(runner: WindowRunner, shared: Path, tmp_path: Path) -> None:
    """Whisper counts the pause to the word after it, and most of the pause is cut out of windows."""
    parts, expected, at = list[Samples](), list[tuple[str, float]](), 0.0
    for name, first, pause in (("mid", "大", 1.0), ("asr_example", "欢", 2.9), ("mid", "大", 0.0)):
        speech = samples_of(shared / "speech" / "sentences" / f"{name}.wav")
        loud = np.flatnonzero(np.abs(speech) > 0.05 * np.abs(speech).max())
        parts += [speech[loud[0] : loud[-1]], np.zeros(round(pause * SAMPLE_RATE), np.float32)]
        expected.append((first, at))
        at += (loud[-1] - loud[0]) / SAMPLE_RATE + pause
    soundfile.write(tmp_path / "pauses.wav", np.concatenate(parts), SAMPLE_RATE)
    lines = transcribe(runner, tmp_path / "pauses.wav", Settings(language="zh")).segments
    starts = [(line.text[0], line.start) for line in lines if line.text[0] in "大欢"]
    assert starts == [(first, pytest.approx(begins, abs=0.3)) for first, begins in expected]


def test_the_language_follows_the_recording(runner: WindowRunner, shared: Path, sample: Path, tmp_path: Path) -> None:
    """Three windows of Mandarin, one of English, one of Mandarin; each language has its own rules for numbers."""
    chinese = [samples_of(shared / "speech" / "sentences" / f"{name}.wav") for name in ("asr_example", "mid", "long")]
    english = [samples_of(sample), samples_of(SAMPLES / "railway-station.flac")]
    silence = np.zeros(4 * SAMPLE_RATE, np.float32)
    parts = [*chinese, silence, *chinese, silence, *english, silence, *chinese]
    soundfile.write(tmp_path / "both.wav", np.concatenate(parts), SAMPLE_RATE)
    transcript = transcribe(runner, tmp_path / "both.wav")
    assert transcript.language == "zh"
    assert [code for code, _ in groupby(line.language for line in transcript.segments)] == ["zh", "en", "zh"]
    text = join([token for line in transcript.segments if line.language == "en" for token in line.tokens])
    assert text.startswith(ENERGY_REPORT)


def test_a_repetition_that_was_said_stays_as_it_was_said(runner: WindowRunner, sample: Path, tmp_path: Path) -> None:
    with open_recording(sample) as recording:
        speech = np.concatenate(list(recording.blocks()))
    soundfile.write(tmp_path / "thrice.wav", np.concatenate([speech] * 3), 16_000)
    transcript = transcribe(runner, tmp_path / "thrice.wav")
    assert transcript.text.replace("\n", " ") == " ".join([ENERGY_REPORT] * 3)
    assert transcript.warnings == ()


def test_laughter_is_not_taken_for_words_and_its_place_is_reported(
    runner: WindowRunner, sample: Path, tmp_path: Path
) -> None:
    with open_recording(sample) as recording:
        speech = np.concatenate(list(recording.blocks()))
    soundfile.write(tmp_path / "laughter.wav", np.concatenate([speech, laughter(8.0)]), 16_000)
    transcript = transcribe(runner, tmp_path / "laughter.wav")
    assert transcript.text == ENERGY_REPORT
    (warning,) = transcript.warnings
    start, end = (float(second) for second in warning.split(" s: ")[0].split("–"))
    assert 7.0 < start < 9.0  # the last word ends at 7.8 s
    assert end == pytest.approx(16.5, abs=0.6)


def laughter(seconds: float) -> np.ndarray:
    """Bursts of breath and voice, five a second, which the voice detector takes for speech."""
    noise = np.random.default_rng(1)
    bursts = []
    for number in range(round(seconds / 0.22)):
        breath = 0.03 * noise.standard_normal(1280)
        pitch = 220 - 2 * number % 40
        voice = np.arange(1920) * pitch // 16_000
        clicks = np.diff(voice, prepend=0).astype(float)
        bursts += [breath, resonant(clicks), np.zeros(320)]
    return np.concatenate(bursts).astype(np.float32)


def resonant(clicks: np.ndarray) -> np.ndarray:
    """A voice saying "ah": clicks through three formants, each 80 Hz wide."""
    times = np.arange(800) / 16_000
    for formant in (730, 1090, 2440):
        ringing = np.exp(-np.pi * 80 * times) * np.sin(2 * np.pi * formant * times)
        clicks = np.convolve(clicks, ringing)[: len(clicks)]
    return 0.3 * clicks / np.abs(clicks).max()


def test_dense_speech_is_written_to_its_end(runner: WindowRunner, shared: Path) -> None:
    """140 digits in 26 s need more tokens than Whisper writes at a time."""
    transcript = transcribe(runner, case(shared, "dense-140-digits-in-26s.opus"), Settings(itn=False))
    digits = [char for char in transcript.text if char.isdigit()]
    assert 126 <= len(digits) <= 154
    tokens = [token for line in transcript.segments for token in line.tokens]
    assert tokens[-1].end == pytest.approx(26, abs=1.5)
    assert sum(char.isdigit() for token in tokens if token.middle < 13 for char in token.text) == pytest.approx(
        69, abs=7
    )
    assert transcript.warnings == ()


def test_a_sentence_that_was_said_twice_is_written_alike(runner: WindowRunner, shared: Path) -> None:
    text = transcribe(runner, case(shared, "repeat-en-sentence-twice.opus")).text
    words = text.casefold().split()
    assert len(words) == 60
    assert words[:30] == words[30:]


def test_a_sentence_that_was_said_five_times_is_written_five_times(runner: WindowRunner, shared: Path) -> None:
    transcript = transcribe(runner, case(shared, "repeat-zh-sentence-5-times.opus"))
    tokens = [token for line in transcript.segments for token in line.tokens]
    starts = [token.start for token in tokens if token.text.strip().startswith("大")]
    assert starts == pytest.approx([at + 0.7 for at in (0.0, 5.2, 10.6, 16.1, 21.6)], abs=0.6)


def case(shared: Path, name: str) -> Path:
    path = shared / "cases" / "audio" / name
    if not path.exists():
        pytest.skip(f"needs ../shared/cases/audio/{name}")
    return path
