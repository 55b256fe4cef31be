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
    ticks: list[tuple[float, float | None]] = []
    timings = StageTimings()
    transcript = asyncio.run(
        Transcriber(runner, settings or Settings()).transcribe(
            path, path.name, lambda done, length: ticks.append((done, length)), timings
        )
    )
    assert set(timings.seconds) <= {"listen", "prepare", "run", "decode"}
    assert [done for done, _ in ticks] == sorted(done for done, _ in ticks)
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
    """Whisper gives the pause to the word after it, and windows have most of the pause cut out."""
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
    """Three windows of Mandarin, one of English, one of Mandarin; numbers are written by the rules of each."""
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
