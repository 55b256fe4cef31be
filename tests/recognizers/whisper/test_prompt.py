"""Hotwords before Whisper's windows: which of them fit, how they are written, and their effect on a text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.hotwords import Hotword, read_hotwords
from funasr_cli.pipeline.registry import hotword_warnings
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.pipeline.window_runner import WindowRunner
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.whisper.files import read_table
from funasr_cli.recognizers.whisper.prompt import MAX_MISSES, MAX_PROMPT_TOKENS, choose, contexts
from funasr_cli.recognizers.whisper.recognizer import WhisperRecognizer
from funasr_cli.settings.transcription import Settings
from tests.conftest import ENERGY_REPORT, ROOT, SAMPLES

MIXED = [Hotword("碳达峰"), Hotword("OpenAI"), Hotword("machine learning"), Hotword("碳中和", 40)]
LONG = [Hotword(f"{first}{second}国有资本经营预算支出") for first in "甲乙丙丁戊己庚" for second in "子丑寅卯"]
CHINESE = read_hotwords([ROOT / "hotwords" / "finance.txt"]).words


def chosen(runner: WindowRunner, hotwords: Iterable[Hotword], *, unspaced: bool = True) -> list[str]:
    words, _ = choose(read_table(runner.model.path), hotwords, unspaced=unspaced)
    return [word.text for word in words]


def in_front(runner: WindowRunner, hotwords: Iterable[Hotword], language: str) -> str:
    """The text before windows in a language."""
    recognizer = WhisperRecognizer(runner.model.path, list(hotwords))
    context = recognizer.prepare(np.zeros(160, np.float32), Request(None))["contexts"]
    row = context[list(recognizer.language_ids).index(f"<|{language}|>")]
    ids = row[row >= 0].tolist()
    assert not ids or recognizer._table.id_to_token(ids[0]) == "<|startofprev|>"
    return str(recognizer._table.decode(ids, skip_special_tokens=True))


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh", "碳中和、OpenAI、machine learning、碳达峰。"),
        ("ja", "碳中和、OpenAI、machine learning、碳达峰。"),
        ("en", " OpenAI, machine learning."),
        ("ko", " OpenAI, machine learning."),
        ("ru", " OpenAI, machine learning."),
    ],
)
def test_they_are_a_sentence_of_the_language(runner: WindowRunner, language: str, expected: str) -> None:
    assert in_front(runner, MIXED, language) == expected


def test_a_language_gets_no_words_of_another_script(runner: WindowRunner) -> None:
    assert in_front(runner, CHINESE, "en") == ""
    assert (
        in_front(runner, [Hotword("машинное обучение"), Hotword("음성 인식")], "ru") == " машинное обучение, 음성 인식."
    )


def test_without_hotwords_and_at_a_second_attempt_nothing_is_in_front(runner: WindowRunner) -> None:
    second = np.zeros(160, np.float32)
    assert runner.recognizer.prepare(second, Request("zh"))["contexts"].shape == (99, 0)
    recognizer = WhisperRecognizer(runner.model.path, MIXED)
    assert recognizer.prepare(second, Request("zh"))["contexts"].shape[1] > 0
    assert recognizer.prepare(second, Request("zh", attempt=1))["contexts"].shape == (99, 0)


def test_there_is_one_for_each_language_of_the_model(runner: WindowRunner) -> None:
    table = read_table(runner.model.path)
    english, cantonese, chinese = contexts(table, MIXED, ["en", "yue", "zh"], 7).tolist()
    assert cantonese == chinese != english
    assert english[0] == chinese[0] == 7
    assert -1 not in chinese
    assert set(english[english.index(-1) :]) == {-1}
    assert contexts(table, [], ["en"], 7).shape == (1, 0)


def test_more_weight_goes_first_then_what_no_correction_can_find_then_the_order_of_the_list(
    runner: WindowRunner,
) -> None:
    listed = [
        Hotword("碳达峰"),
        Hotword("GPU", 5),
        Hotword("碳汇"),
        Hotword("NPU"),
        Hotword("绿证", 40),
        Hotword("5G网络"),
    ]
    assert chosen(runner, listed) == ["绿证", "NPU", "碳达峰", "碳汇", "5G网络", "GPU"]


def test_the_heaviest_are_those_that_fit(runner: WindowRunner) -> None:
    assert chosen(runner, [*LONG, Hotword("碳汇", 21)])[0] == "碳汇"
    assert "碳汇" not in chosen(runner, [*LONG, *LONG, Hotword("碳达峰碳中和目标任务", 19)])


def test_one_that_does_not_fit_makes_room_for_shorter_ones(runner: WindowRunner) -> None:
    fitting = chosen(runner, [*LONG, Hotword("天气")])
    assert fitting[-1] == "天气"
    assert 3 <= len(fitting) < len(LONG)
    assert chosen(runner, [Hotword("长" * 200), Hotword("碳汇")]) == ["碳汇"]


@pytest.mark.parametrize("unspaced", [True, False])
def test_they_stay_within_their_tokens(runner: WindowRunner, unspaced: bool) -> None:
    names = [Hotword(f"Name{number}") for number in range(300)]
    for hotwords in (names, [*CHINESE, *names]):
        words, ids = choose(read_table(runner.model.path), hotwords, unspaced=unspaced)
        assert MAX_PROMPT_TOKENS - 8 <= len(ids) <= MAX_PROMPT_TOKENS
        assert words


def test_what_does_not_fit_is_told(runner: WindowRunner) -> None:
    assert hotword_warnings(runner.model, MIXED) == ()
    (warning,) = hotword_warnings(runner.model, CHINESE)
    fit = len(chosen(runner, CHINESE))
    assert warning.startswith(f"only {fit} of {len(CHINESE)} hotwords fit into the prompt of whisper-base: ")
    assert warning.endswith(
        f"of the others, {len(CHINESE) - fit} in Chinese characters are still corrected by their Mandarin sound"
    )
    names = [Hotword(f"Name{number}") for number in range(99)]
    (warning,) = hotword_warnings(runner.model, names)
    assert warning.endswith(f", and {99 - len(chosen(runner, names, unspaced=False))} have no effect")
    assert warning.startswith(f"only {len(chosen(runner, names, unspaced=False))} of 99 hotwords fit")


def heard(runner: WindowRunner, hotwords: Iterable[Hotword], path: Path, language: str | None = None) -> str:
    listening = WindowRunner(
        runner.model, WhisperRecognizer(runner.model.path, list(hotwords)), runner.graph_runner, runner.device
    )
    transcriber = Transcriber(listening, Settings(language=language, itn=False))
    return asyncio.run(transcriber.transcribe(path, path.name, lambda *_: None, StageTimings())).text


@pytest.mark.parametrize("language", ["en", None], ids=["named", "detected"])
def test_a_word_that_is_said_is_written_as_it_is_listed(runner: WindowRunner, language: str | None) -> None:
    listed = [Hotword("碳达峰"), Hotword("Annual Report on Energy")]
    said = heard(runner, listed, SAMPLES / "energy-report.flac", language)
    assert said == ENERGY_REPORT.replace("annual report on energy", "Annual Report on Energy")


@pytest.mark.parametrize(
    "hotwords",
    [CHINESE, [Hotword("railway station"), Hotword("committee")]],
    ids=["of another language", "never said, in lower case"],
)
def test_words_that_are_not_said_leave_the_text_and_its_marks_alone(
    runner: WindowRunner, hotwords: list[Hotword]
) -> None:
    assert heard(runner, hotwords, SAMPLES / "energy-report.flac") == ENERGY_REPORT


class Counting:
    """A tokenizer with one token per character that counts its calls."""

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, text: str, *, add_special_tokens: bool) -> Counting:
        self.asked += 1
        self.ids = list(map(ord, text))
        return self


def test_a_long_list_is_not_tried_to_its_end() -> None:
    table = Counting()
    listed = [Hotword(f"{number:06}号供电所") for number in range(20_000)]
    words, ids = choose(table, listed, unspaced=True)  # type: ignore[arg-type]
    assert words == listed[: len(words)]
    assert len(ids) <= MAX_PROMPT_TOKENS
    assert table.asked == len(words) + MAX_MISSES
