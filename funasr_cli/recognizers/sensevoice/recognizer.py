"""FunASR's SenseVoice: 15-second windows, CTC, tags for language, emotion and events before the text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays, Samples, TensorSpec
from funasr_cli.decoding.candidates import candidates_of_logits, candidates_of_topk
from funasr_cli.decoding.ctc import BestPath, Emission, best_path_of_logits, best_path_of_topk, collapse
from funasr_cli.decoding.hotword_decoding import decode_with_hotwords
from funasr_cli.errors import ModelError
from funasr_cli.features.cmvn import find_cmvn
from funasr_cli.features.fbank import fbank
from funasr_cli.features.lfr import SECONDS_PER_FRAME, stack_frames
from funasr_cli.hotwords import Hotword
from funasr_cli.recognizers.base import Hypothesis, Request
from funasr_cli.recognizers.sensevoice.graph import (
    LANGUAGES,
    PROMPT,
    TAG_FRAMES,
    TOPK,
    VALID,
    language_ids,
    recognise_graph,
    textnorm_id,
)
from funasr_cli.recognizers.spelling import Speller, context_graph
from funasr_cli.recognizers.vocabulary import read_vocabulary
from funasr_cli.recognizers.words import attach_punctuation, join_numbers, join_pieces
from funasr_cli.transcript import Token

TAIL_SECONDS = 0.3
"""Seconds from a word's last frame above blank to its end: the median over the training words of one model."""

EMOTIONS = {"HAPPY", "SAD", "ANGRY", "NEUTRAL", "FEARFUL", "DISGUSTED", "SURPRISED"}
EVENTS = {"BGM", "Speech", "Applause", "Laughter", "Cry", "Sneeze", "Breath", "Cough", "Sing", "Speech_Noise"}


class SenseVoiceRecognizer:
    """SenseVoice with any of its graph dialects, decoded greedily except where hotwords apply."""

    writes_numbers = True

    def __init__(
        self,
        model_dir: Path,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        metadata: Mapping[str, str],
        *,
        itn: bool = True,
        hotwords: Sequence[Hotword] = (),
    ) -> None:
        """Set up for a graph with these `inputs`, `outputs` and `metadata`.

        `itn` requests punctuation and numbers in figures. Hotwords that the vocabulary cannot spell are ignored.

        Raises `ModelError` if the folder lacks a file that the graph needs, or the graph is not a SenseVoice graph.
        """
        self._graph = recognise_graph(inputs, outputs)
        self._pieces = read_vocabulary(model_dir)
        self._check_size(outputs, metadata)
        self._context = context_graph(Speller(self._pieces), hotwords) if hotwords else None
        self._cmvn = None if self._graph.normalises else find_cmvn(model_dir, metadata)
        self._language_ids = language_ids(metadata)
        self._textnorm_id = textnorm_id(metadata, itn)
        self.window = self._graph.window

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        features = stack_frames(fbank(samples))
        if self._cmvn is not None:
            features = self._cmvn.apply(features)
        language = self._language_ids[request.language or "auto"]
        values = {
            "speech": features[np.newaxis],
            "lengths": np.array([len(features)], np.int32),
            "language": np.array([language], np.int32),
            "textnorm": np.array([self._textnorm_id], np.int32),
            "prompt": np.array([language, *PROMPT, self._textnorm_id], np.int32),
        }
        return {name: values[role] for role, name in self._graph.inputs.items()}

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        scores = self._scores(outputs)
        try:
            head = self._best_path([array[:TAG_FRAMES] for array in scores])
            emissions = self._emissions([array[TAG_FRAMES:] for array in scores])
        except FloatingPointError as error:
            raise ModelError(f"{error}; the model is damaged or overflows on this device") from error
        tags = [self._tag(int(label)) for label in head.labels]
        tags += [self._tag(emission.token) for emission in emissions]
        pieces = [self._piece(emission) for emission in emissions if not self._tag(emission.token)]
        heard = tags[0] if tags and tags[0] in LANGUAGES else None
        return Hypothesis(
            tuple(join_numbers(attach_punctuation(join_pieces(pieces)))),
            request.language or heard,
            {heard: math.exp(head.log_probs[0])} if heard else {},
            emotion=next((tag.lower() for tag in tags if tag in EMOTIONS), None),
            events=tuple(dict.fromkeys(tag.lower() for tag in tags if tag in EVENTS)),
        )

    def _scores(self, outputs: Arrays) -> list[NDArray[Any]]:
        """Return the scores of the valid frames: the logits, or the best log-probabilities and their labels."""
        frames = slice(int(outputs[VALID][0]) if self._graph.valid else None)
        names = TOPK if self._graph.logits is None else (self._graph.logits,)
        return [outputs[name][0, frames] for name in names]

    def _best_path(self, scores: list[NDArray[Any]]) -> BestPath:
        return best_path_of_topk(*scores) if self._graph.logits is None else best_path_of_logits(*scores)

    def _emissions(self, scores: list[NDArray[Any]]) -> list[Emission]:
        if self._context is None:
            return collapse(self._best_path(scores))
        if self._graph.logits is None:
            return decode_with_hotwords(candidates_of_topk(scores[0], scores[1]), self._context)
        return decode_with_hotwords(candidates_of_logits(scores[0]), self._context)

    def _tag(self, label: int) -> str:
        """Return the name of a tag such as `<|zh|>` or `</s>`; empty if the label is text."""
        piece = self._pieces[label]
        return piece.strip("<|>") if piece.startswith("<") and piece.endswith(">") else ""

    def _piece(self, emission: Emission) -> Token:
        """Return a piece with FunASR's times: half a frame before its first frame to half a frame after its last."""
        start = max(0.0, (emission.first - 0.5) * SECONDS_PER_FRAME)
        end = (emission.last + 0.5) * SECONDS_PER_FRAME
        return Token(self._pieces[emission.token], start, end, math.exp(emission.log_prob), TAIL_SECONDS)

    def _check_size(self, outputs: Sequence[TensorSpec], metadata: Mapping[str, str]) -> None:
        """Raise `ModelError` for the vocabulary of another model, which would give wrong words without any error."""
        logits = next((spec.shape[-1] for spec in outputs if spec.name == self._graph.logits), None)
        for size in (logits, metadata.get("vocab_size")):
            if size is not None and str(size) != str(len(self._pieces)):
                raise ModelError(
                    f"vocabulary and graph belong to different models: {len(self._pieces)} and {size} tokens"
                )
