"""Whisper's inputs and the decoding of its outputs, without a device."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.arrays import SAMPLE_RATE, Arrays
from funasr_cli.errors import ModelError
from funasr_cli.pipeline.window_runner import WindowRunner
from funasr_cli.recognizers.base import Hypothesis, Request
from funasr_cli.recognizers.whisper.recognizer import WhisperRecognizer

NO_LANGUAGES = np.empty(0, np.float32)


@pytest.fixture(scope="module")
def whisper(runner: WindowRunner) -> WhisperRecognizer:
    assert isinstance(runner.recognizer, WhisperRecognizer)
    return runner.recognizer


def outputs(
    whisper: WhisperRecognizer,
    text: str,
    *,
    end: float | None = None,
    languages: Arrays | None = None,
    said: int | None = None,
    **scores: float,
) -> Arrays:
    """What the graph would return for `text` and a time stamp at the end.

    Each token takes 0.2 s; of a loop only the first `said` do, and the others none.
    """
    ids = whisper._table.encode(text, add_special_tokens=False).ids
    firsts = [10 * min(i, len(ids) if said is None else said) for i in range(len(ids) + 2)]
    stamp = [] if end is None else [whisper._id("<|notimestamps|>") + 1 + round(end / 0.02)]
    return {
        "generated": np.array(ids + stamp, np.int32),
        "complete": np.array([scores.get("complete", 1)], np.int32),
        "probabilities": np.full(len(ids), scores.get("probability", 0.5), np.float32),
        "alignment": np.array(
            [(i, frame) for i in range(len(ids) + 1) for frame in range(firsts[i], max(firsts[i] + 1, firsts[i + 1]))],
            np.int32,
        ),
        "score": np.array([scores.get("score", -0.2)], np.float32),
        "no_speech": np.array([scores.get("no_speech", 0.0)], np.float32),
        "languages": NO_LANGUAGES if languages is None else np.array(languages, np.float32),
    }


def decode(whisper: WhisperRecognizer, text: str, language: str = "en", attempt: int = 0, **kinds: float) -> Hypothesis:
    return whisper.decode(outputs(whisper, text, **kinds), Request(language, attempt))  # type: ignore[arg-type]


def test_features_are_log_mel_of_the_valid_part_and_zero_behind(whisper: WhisperRecognizer) -> None:
    second = np.sin(np.arange(SAMPLE_RATE, dtype=np.float32) / 5)
    inputs = whisper.prepare(second, Request("zh"))
    assert inputs["features"].shape == (80, 3000)
    assert inputs["features"].dtype == np.float32
    assert inputs["frames"].tolist() == [100]
    assert inputs["features"][:, :100].any(axis=0).all()
    assert not inputs["features"][:, 102:].any()


@pytest.mark.parametrize("samples", [1, 159, 30 * SAMPLE_RATE])
def test_any_length_up_to_the_window_can_be_prepared(whisper: WhisperRecognizer, samples: int) -> None:
    inputs = whisper.prepare(np.zeros(samples, np.float32), Request())
    assert inputs["features"].shape == (80, 3000)
    assert inputs["frames"].tolist() == [-(-samples // 160)]


def test_the_prompt_names_the_language_or_asks_for_it(whisper: WhisperRecognizer) -> None:
    def prompt(request: Request) -> list[str | None]:
        ids = whisper.prepare(np.zeros(160, np.float32), request)["prompt"].tolist()
        return [whisper._table.id_to_token(i) if i >= 0 else None for i in ids]

    assert prompt(Request("zh")) == ["<|startoftranscript|>", "<|zh|>", "<|transcribe|>"]
    assert prompt(Request(None)) == ["<|startoftranscript|>", None, "<|transcribe|>"]


def test_words_have_times_and_confidence_and_their_punctuation(whisper: WhisperRecognizer) -> None:
    tokens = decode(whisper, ' Well, he said "no" (twice).').tokens
    assert [token.text for token in tokens] == [" Well,", " he", " said", ' "no"', " (twice)."]
    assert tokens[0].start == 0.0
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)
    assert all(token.end > token.start and token.confidence == pytest.approx(0.5) for token in tokens)


def test_characters_that_take_several_tokens_are_whole(whisper: WhisperRecognizer) -> None:
    tokens = decode(whisper, "达摩院，语音识别。", "zh").tokens
    assert "".join(token.text for token in tokens) == "达摩院，语音识别。"
    assert not any("\ufffd" in token.text for token in tokens)


def test_a_window_without_speech_is_empty(whisper: WhisperRecognizer) -> None:
    assert decode(whisper, " Thank you.", no_speech=0.9, score=-1.5).tokens == ()
    assert decode(whisper, " Thank you.", no_speech=0.9, score=-0.3).tokens != ()
    assert decode(whisper, "").tokens == ()
    assert decode(whisper, " Thank you.", no_speech=0.9, score=-1.5).no_speech == pytest.approx(0.9)


def test_full_stops_without_words_are_left_out(whisper: WhisperRecognizer) -> None:
    assert decode(whisper, " . . . . .").tokens == ()
    assert [token.text for token in decode(whisper, " Wait ... what. . .").tokens] == [" Wait", " ...", " what."]


def test_a_loop_does_not_make_a_noise_a_speech(whisper: WhisperRecognizer) -> None:
    """The score of a loop is high, whatever it began with."""
    text = " Thank you for watching this little video of mine today" + " again" * 100
    noise = outputs(whisper, text, said=14, no_speech=0.9, score=-0.1)
    noise["probabilities"][:14] = 0.2
    assert whisper.decode(noise, Request("en")).tokens == ()


def test_a_loop_goes_and_what_was_said_before_it_stays(whisper: WhisperRecognizer) -> None:
    ids = whisper._table.encode(" Good morning to all of you here", add_special_tokens=False).ids
    loop = decode(whisper, " Good morning to all of you here" + " and so on" * 20, said=len(ids) + 6, probability=0.9)
    text = "".join(token.text for token in loop.tokens)
    assert text.startswith(" Good morning to all of you here")
    assert len(loop.tokens) <= 7 + 6
    assert loop.heard == pytest.approx(loop.tokens[-1].end)
    assert not loop.retry
    assert loop.warning is None


def test_a_loop_from_the_beginning_is_tried_again(whisper: WhisperRecognizer) -> None:
    loop = " and so on" * 20
    assert decode(whisper, loop, said=3).retry
    again = decode(whisper, loop, attempt=1, said=3)
    assert not again.retry
    assert (again.tokens, again.heard) == ((), 0.0)
    assert whisper.prepare(np.zeros(160, np.float32), Request("en", attempt=1))["no_repeat"][0] > 0


def test_a_repetition_that_was_said_is_not_taken_for_a_loop(whisper: WhisperRecognizer) -> None:
    refrain = decode(whisper, " Row, row, row your boat." * 5, probability=0.9)
    assert len(refrain.tokens) == 25
    assert not refrain.retry
    assert refrain.warning is None


def test_a_repetition_of_which_the_model_is_unsure_is_tried_again_and_then_marked(whisper: WhisperRecognizer) -> None:
    assert decode(whisper, " and so on" * 20, probability=0.5).retry
    again = decode(whisper, " and so on" * 20, attempt=1, probability=0.5)
    assert not again.retry
    assert again.warning == "the text repeats itself and may be wrong"


def test_a_text_that_was_cut_off_is_heard_as_far_as_its_times_can_be_trusted(whisper: WhisperRecognizer) -> None:
    text = " one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    whole, cut = decode(whisper, text, probability=0.9), decode(whisper, text, complete=0, probability=0.9)
    assert whole.heard is None
    assert 4 <= len(cut.tokens) <= len(whole.tokens) - 3
    assert cut.heard == cut.tokens[-1].end
    assert not cut.retry


def test_the_last_time_stamp_tells_what_was_heard(whisper: WhisperRecognizer) -> None:
    assert decode(whisper, " Hello", end=18.4).heard == pytest.approx(18.4)
    assert decode(whisper, " Hello").heard is None


def test_the_likeliest_language_is_taken_where_none_was_asked_for(whisper: WhisperRecognizer) -> None:
    chances = np.zeros(len(whisper.language_ids))
    chances[list(whisper.language_ids).index("<|zh|>")] = 0.8
    hypothesis = whisper.decode(outputs(whisper, "好", languages=chances), Request(None))  # type: ignore[arg-type]
    assert hypothesis.language == "zh"
    assert hypothesis.languages["zh"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "config.json: cannot be read"),
        ("config.json", "{", "config.json: not JSON"),
        ("config.json", "[]", "config.json: not a JSON object"),
        ("tokenizer.json", "{}", "tokenizer.json: not a tokenizer"),
    ],
)
def test_a_damaged_model_is_told(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}))
    (tmp_path / "tokenizer.json").write_text("{}")
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(ModelError, match=message):
        WhisperRecognizer(tmp_path)
