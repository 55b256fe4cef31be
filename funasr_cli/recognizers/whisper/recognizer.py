"""OpenAI's Whisper: 30-second windows, generated text, word times from the cross-attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from funasr_cli.arrays import SAMPLE_RATE, Arrays, Samples
from funasr_cli.errors import ModelError
from funasr_cli.hotwords import Hotword
from funasr_cli.recognizers.base import Hypothesis, Request
from funasr_cli.recognizers.whisper.files import read_json, read_table
from funasr_cli.recognizers.whisper.languages import ENGLISH, codes, language_ids
from funasr_cli.recognizers.whisper.loops import is_plausible, is_repetitive, trusted_words
from funasr_cli.recognizers.whisper.prompt import contexts
from funasr_cli.recognizers.words import attach_punctuation, mean_log_probability
from funasr_cli.transcript import Token

WINDOW_SECONDS = 30.0
FRAMES = 3000
SAMPLES_PER_FRAME = SAMPLE_RATE // 100
SECONDS_PER_FRAME = 0.02
"""Frame length of the encoder's output, and so the resolution of time stamps and alignments."""

# OpenAI's own thresholds (whisper/transcribe.py).
MAX_NO_SPEECH = 0.6
MIN_SCORE = -1.0

MIN_TRUSTED_S = 2.0
"""Minimum seconds of the trusted part of a text. If it is shorter, as in a loop from the start, the window is rerun."""

RETRY_NO_REPEAT = 5
"""In the second attempt no five tokens may occur twice. Unlike OpenAI's, it stays at temperature 0, so that results are
reproducible."""

REPETITIVE = "the text repeats itself and may be wrong"


class WhisperRecognizer:
    """Whisper in faster-whisper's layout: config.json, tokenizer.json and, if newer, preprocessor_config.json."""

    window = WINDOW_SECONDS
    writes_numbers = False  # sometimes in figures, sometimes in words

    def __init__(self, model_dir: Path, hotwords: Sequence[Hotword] = ()) -> None:
        """Read the model's files. Raises `ModelError` if one is missing or damaged."""
        config = read_json(model_dir / "config.json")
        self._table = read_table(model_dir)
        preprocessor = model_dir / "preprocessor_config.json"
        self.mels = int(read_json(preprocessor).get("feature_size", 80)) if preprocessor.exists() else 80
        self._features = FeatureExtractor(feature_size=self.mels)
        self.language_ids = language_ids(config, self._table)
        """Maps the token of each language, e.g. `<|zh|>`, to its id."""
        self._codes = codes(self.language_ids)
        self._contexts = contexts(self._table, hotwords, self._codes or [ENGLISH], self._id("<|startofprev|>"))

    @property
    def end_id(self) -> int:
        """Id of the token that ends the text; all lower ids are text."""
        return self._id("<|endoftext|>")

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        features, frames = self._log_mel(samples)
        return {
            "features": features,
            "frames": np.array([frames], np.int32),
            "prompt": np.array(self._prompt(request.language), np.int32),
            # Retry without hotwords, because they may have misled the first attempt.
            "contexts": self._contexts[:, :0] if request.attempt else self._contexts,
            "no_repeat": np.array([RETRY_NO_REPEAT if request.attempt else 0], np.int32),
        }

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        detected = dict(zip(self._codes, outputs["languages"].tolist(), strict=False))
        language = request.language or (max(detected, key=detected.__getitem__) if detected else ENGLISH)
        no_speech = float(outputs["no_speech"][0])
        words = self._words(outputs, language)
        tokens = words[: trusted_words(words, complete=bool(outputs["complete"][0]))]
        # A loop raises the score of a text, so only the words before it count.
        is_cut = len(tokens) < len(words) or not outputs["complete"][0]
        score = mean_log_probability(tokens) if is_cut else float(outputs["score"][0])
        if no_speech > MAX_NO_SPEECH and score < MIN_SCORE:
            return Hypothesis((), language, detected, no_speech=no_speech)
        heard = self._heard(outputs["generated"])
        if is_cut:
            heard = tokens[-1].end if tokens else 0.0
        repetitive = is_repetitive("".join(token.text for token in tokens))
        doubtful = repetitive and (is_cut or not is_plausible(tokens))
        stuck = is_cut and heard is not None and heard < MIN_TRUSTED_S
        return Hypothesis(
            tokens,
            language,
            detected,
            heard=heard,
            retry=(doubtful or stuck) and request.attempt == 0,
            warning=REPETITIVE if doubtful else None,
            no_speech=no_speech,
        )

    def _log_mel(self, samples: Samples) -> tuple[NDArray[np.float32], int]:
        """Return log-mel features, float32 `[mels, 3000]`, zero-padded as in faster-whisper, and how many are valid."""
        spectrum = self._features(samples)[:, :FRAMES]
        features = np.zeros((self.mels, FRAMES), np.float32)
        features[:, : spectrum.shape[1]] = spectrum
        return features, min(FRAMES, math.ceil(len(samples) / SAMPLES_PER_FRAME))

    def _prompt(self, language: str | None) -> list[int]:
        # With time stamps, because without them Whisper tends to stop after the first sentences of a full window.
        start = self._id("<|startoftranscript|>")
        if not self.language_ids:
            return [start]
        language_id = -1 if language is None else self.language_ids[f"<|{language}|>"]
        return [start, language_id, self._id("<|transcribe|>")]

    def _id(self, token: str) -> int:
        token_id = self._table.token_to_id(token)
        if token_id is None:
            raise ModelError(f"the tokenizer has no token {token}: not a Whisper model")
        return token_id

    def _heard(self, generated: NDArray[np.int32]) -> float | None:
        """Return the last time stamp, in seconds; None if text follows it, up to the end of the window."""
        first = self._id("<|notimestamps|>") + 1
        if not len(generated) or generated[-1] < first:
            return None
        return float(generated[-1] - first) * SECONDS_PER_FRAME

    def _words(self, outputs: Arrays, language: str) -> tuple[Token, ...]:
        """Return words, or characters in scripts without spaces, with their times and mean probabilities."""
        ids: list[int] = outputs["generated"][outputs["generated"] < self.end_id].tolist()
        if not ids:
            return ()
        tokenizer = Tokenizer(self._table, bool(self.language_ids), task="transcribe", language=language)
        starts = _start_times(outputs["alignment"], len(ids))
        probabilities = outputs["probabilities"]
        words, at = [], 0
        for text, word_ids in zip(*tokenizer.split_to_word_tokens(ids), strict=True):
            after = at + len(word_ids)
            confidence = float(probabilities[at:after].mean())
            words.append(Token(text, float(starts[at]), float(starts[after]), confidence))
            at = after
        # For noise, Whisper writes a series of full stops.
        return tuple(word for word in attach_punctuation(words) if word.text.strip() != ".")


def _start_times(alignment: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Return the start of each of `count` tokens and the end of the last one, in seconds; float64 `[count + 1]`.

    `alignment` int32 `[m, 2]` is the path through (token, frame); its last token is the end of the text.
    """
    firsts = np.searchsorted(alignment[:, 0], np.arange(count + 1))
    frames = alignment[np.minimum(firsts, len(alignment) - 1), 1]
    return np.asarray(frames * SECONDS_PER_FRAME)
