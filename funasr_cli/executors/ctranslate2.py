"""Executor for CTranslate2's encoder-decoder models (Whisper): a run encodes, generates and aligns a window."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Read by OpenMP when CTranslate2 loads it: threads that wait for each other sleep instead of spinning. On a busy
# machine spinning makes a run take up to twice as long; on an idle one it gains nothing.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import ctranslate2

from funasr_cli.arrays import Arrays, TensorSpec
from funasr_cli.errors import ModelError
from funasr_cli.executors.base import Fetch, check_inputs
from funasr_cli.executors.batch_scheduler import BatchScheduler
from funasr_cli.system.refusals import cure_of

BEAM_SIZE = 5
CONTEXT_TOKENS = 448
"""Length of Whisper's decoder in tokens: prompt, context and text."""

MAX_TOKENS = CONTEXT_TOKENS // 2
"""Maximum length of a text, as in OpenAI's own decoding. CTranslate2 stops at half of its `max_length`, however short
the prompt is."""

logger = logging.getLogger(__name__)

FLOAT, INT = np.dtype(np.float32), np.dtype(np.int32)


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """The encoder's output, and the input of the decoder.

    `start` holds the tokens that precede the text and ends with the `prompt`; `languages` is the output of that name.
    """

    output: ctranslate2.StorageView
    start: Sequence[int]
    prompt: Sequence[int]
    no_repeat: int
    frames: int
    languages: NDArray[np.float32]

    @property
    def kind(self) -> tuple[int, int, int]:
        """Windows of one kind fit into a batch: CTranslate2 needs prompts and contexts of equal lengths."""
        return self.no_repeat, len(self.start), len(self.prompt)


class CTranslate2Executor:
    """A Whisper model in CTranslate2's format, with beam search at temperature 0, so that results are reproducible.

    Windows are encoded and aligned one by one. Windows that run at the same time may be generated as one batch, which
    changes the last bits of `score` and `no_speech`.

    Inputs: `features` float32 `[mels, 3000]`, log-mel, 10 ms per frame; `frames` int32 `[1]`, how many of them are not
    padding; `prompt` int32 `[n]`, the decoder prompt, with -1 in place of a language to be detected; `contexts` int32
    `[max(1, L), c]`, for each language (in the order of the ids given) the tokens that precede the prompt as earlier
    text, followed by -1; `no_repeat` int32 `[1]`, the length of n-grams that may not occur twice (0: any may).

    Outputs: `generated` int32 `[g]`, all tokens before the end of the text, of which the n text tokens are those with
    ids below `end_id`; `complete` int32 `[1]`, 0 if the text was cut off at `MAX_TOKENS`; `probabilities` float32
    `[n]` of the text tokens; `alignment` int32 `[m, 2]`, pairs of text token index and encoder frame (20 ms each) along
    the path of the cross-attention; `score` float32 `[1]`, mean log-probability; `no_speech` float32 `[1]`;
    `languages` float32 `[L]`, probabilities in the order of the ids given, empty unless detected.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        mels: int,
        language_ids: Mapping[str, int],
        end_id: int,
        precision: str,
        threads: int,
        runs: int,
        max_batch: int = 1,
    ) -> None:
        """Load a model.

        `language_ids` maps the tokens of all languages to their ids; `end_id` is the first id that is not text.
        `precision` of weights and computation is `float32` or `int8`, which is faster but less accurate. There are
        `runs` concurrent runs with `threads` each and up to `max_batch` windows; they share the weights.

        Raises `ModelError` if CTranslate2 cannot load `model_dir`.
        """
        try:
            self._model = ctranslate2.models.Whisper(
                str(model_dir), device="cpu", compute_type=precision, intra_threads=threads, inter_threads=runs
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"CTranslate2 cannot load it: {error}", where=model_dir, hint=cure_of(error)) from error
        logger.debug("%s is loaded in %s, for %d runs with %d threads", model_dir, precision, runs, threads)
        self._scheduler = BatchScheduler(self, runs, max_batch)
        self._languages = list(language_ids)
        self._language_ids = dict(language_ids)
        self._end_id = end_id
        self.device = f"cpu ({self._model.compute_type})"
        self.inputs = (
            TensorSpec("features", FLOAT, (mels, 3000)),
            TensorSpec("frames", INT, (1,)),
            TensorSpec("prompt", INT, (None,)),
            TensorSpec("contexts", INT, (max(1, len(language_ids)), None)),
            TensorSpec("no_repeat", INT, (1,)),
        )
        self.outputs = (
            TensorSpec("generated", INT, (None,)),
            TensorSpec("complete", INT, (1,)),
            TensorSpec("probabilities", FLOAT, (None,)),
            TensorSpec("alignment", INT, (None, 2)),
            TensorSpec("score", FLOAT, (1,)),
            TensorSpec("no_speech", FLOAT, (1,)),
            TensorSpec("languages", FLOAT, (None,)),
        )

    def run(self, inputs: Arrays) -> Arrays:
        return self.begin(inputs)()[0]

    def begin(self, inputs: Arrays) -> Fetch:
        check_inputs(self.inputs, inputs)
        return lambda: self._scheduler.submit(inputs).result()

    def encode(self, inputs: Arrays) -> EncodedWindow:
        """Encode a window, and detect its language if requested."""
        encoded = self._model.encode(ctranslate2.StorageView.from_array(inputs["features"][np.newaxis]))
        prompt = inputs["prompt"].tolist()
        languages = np.empty(0, np.float32)
        if -1 in prompt:
            found = dict(self._model.detect_language(encoded)[0])
            languages = np.array([found.get(name, 0.0) for name in self._languages], np.float32)
            prompt[prompt.index(-1)] = self._language_ids[self._languages[int(languages.argmax())]]
        language = next((row for row, token in enumerate(self._language_ids.values()) if token in prompt), 0)
        context = inputs["contexts"][language]
        start = [*context[context >= 0].tolist(), *prompt]
        return EncodedWindow(encoded, start, prompt, int(inputs["no_repeat"][0]), int(inputs["frames"][0]), languages)

    def generate(self, batch: Sequence[EncodedWindow]) -> Sequence[Any]:
        """Return CTranslate2's results for windows of one kind."""
        encoded = batch[0].output
        if len(batch) > 1:
            encoded = ctranslate2.StorageView.from_array(np.concatenate([np.asarray(it.output) for it in batch]))
        results: Sequence[Any] = self._model.generate(
            encoded,
            [it.start for it in batch],
            beam_size=BEAM_SIZE,
            max_length=CONTEXT_TOKENS,
            no_repeat_ngram_size=batch[0].no_repeat,
            sampling_temperature=0,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return results

    def align(self, encoded: EncodedWindow, generated: Any) -> Arrays:
        """Return the outputs for a window, including the times of its tokens."""
        tokens = generated.sequences_ids[0]
        text = [token for token in tokens if token < self._end_id]
        probabilities, alignment = np.empty(0, np.float32), np.empty((0, 2), np.int32)
        if text:
            result = self._model.align(encoded.output, encoded.prompt, [text], encoded.frames)[0]
            probabilities = np.array(result.text_token_probs, np.float32)
            alignment = np.array(result.alignments, np.int32).reshape(-1, 2)
        return {
            "generated": np.array(tokens, np.int32),
            "complete": np.array([len(tokens) < MAX_TOKENS], np.int32),
            "probabilities": probabilities,
            "alignment": alignment,
            "score": np.array(generated.scores[:1], np.float32),
            "no_speech": np.array([generated.no_speech_prob], np.float32),
            "languages": encoded.languages,
        }

    def close(self) -> None:
        self._scheduler.close()
        self._model.unload_model()
