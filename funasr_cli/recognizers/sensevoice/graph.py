"""The dialects of SenseVoice graphs: what their tensors are called, and what is inside the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from funasr_cli.arrays import TensorSpec
from funasr_cli.errors import ModelError
from funasr_cli.features.lfr import SECONDS_PER_FRAME

WINDOW_SECONDS = 15.0
"""Longest window of a graph whose length is free, in seconds: what static graphs are made for."""

TAG_FRAMES = 4
"""Frames in front of the text that answer language, emotion, event and text norm."""

# Rows of the embedding that ask for them (FunASR, sense_voice/model.py: lid_dict, textnorm_dict).
LANGUAGE_IDS = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12}
LANGUAGES = frozenset(LANGUAGE_IDS) - {"auto"}
TEXTNORM_IDS = {"withitn": 14, "woitn": 15}
PROMPT = (1, 2)
"""Between language and text norm in a prompt: the queries for event and emotion."""

FUNASR = {"speech": "speech", "lengths": "speech_lengths", "language": "language", "textnorm": "textnorm"}
SHERPA_ONNX = {"speech": "x", "lengths": "x_length", "language": "language", "textnorm": "text_norm"}
SHERPA_OM = {"speech": "x", "prompt": "prompt"}
DIALECTS: Sequence[Mapping[str, str]] = (FUNASR, SHERPA_ONNX, SHERPA_OM)
"""What the inputs are called, by what they are for; `prompt` is language, two queries and text norm in one."""

LENGTHS = tuple(dialect["lengths"] for dialect in DIALECTS if "lengths" in dialect)

MAX_FRAMES = round(WINDOW_SECONDS / SECONDS_PER_FRAME) + TAG_FRAMES
"""Frames of the outputs for the longest window of a graph with free dimensions."""

LOGITS = ("ctc_logits", "logits")
TOPK = ("log_probs", "token_ids")
VALID = "encoder_out_lens"


@dataclass(frozen=True, slots=True)
class SenseVoiceGraph:
    """`inputs`: one of `DIALECTS`. `logits`: the name of that output; None for a graph that ends in `TOPK`.

    `valid`: whether it has the output `VALID`, the number of frames that are not padding. `frames`: its fixed length,
    None where it is free.
    """

    inputs: Mapping[str, str]
    logits: str | None
    valid: bool
    frames: int | None

    @property
    def window(self) -> float:
        """The longest window it takes, in seconds."""
        return WINDOW_SECONDS if self.frames is None else self.frames * SECONDS_PER_FRAME

    @property
    def normalises(self) -> bool:
        """Whether mean and variance normalisation is inside the graph: sherpa-onnx builds its OM graphs so."""
        return "prompt" in self.inputs


def recognise_graph(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> SenseVoiceGraph:
    """Which dialect a graph is, by its tensors, and whether it ends in logits or TopK.

    Raises `ModelError` naming the tensors where it is none, and for one that cannot tell padding from speech.
    """
    given, made = {spec.name: spec for spec in inputs}, [spec.name for spec in outputs]
    dialect = next((dialect for dialect in DIALECTS if set(dialect.values()) == set(given)), None)
    logits = next((name for name in LOGITS if name in made), None)
    if dialect is None or (logits is None and not set(TOPK) <= set(made)):
        what = "Paraformer's" if "token_num" in made or "us_alphas" in made else "not a SenseVoice"
        raise ModelError(
            f"{what} graph: it takes {', '.join(given)} and gives {', '.join(made)}",
            hint="Known are FunASR's and sherpa-onnx's graphs, and those that `funasr-cli export` and `freeze` make.",
        )
    frames = given[dialect["speech"]].shape[1]
    if frames is not None and VALID not in made:
        raise ModelError(
            f"a graph of fixed length without the output {VALID}: what pads a short clip would be heard as speech",
            hint="Make one that masks it: funasr-cli freeze, from the graph with free dimensions.",
        )
    return SenseVoiceGraph(dialect, logits, VALID in made, frames)


def language_ids(metadata: Mapping[str, str]) -> Mapping[str, int]:
    """Id to ask for each language: sherpa-onnx's `lang_*` where the graph has them, else FunASR's."""
    return {code: _id(metadata, f"lang_{code}", known) for code, known in LANGUAGE_IDS.items()}


def textnorm_id(metadata: Mapping[str, str], itn: bool) -> int:
    """Id that asks for punctuation and written numbers, or for neither."""
    name, key = ("withitn", "with_itn") if itn else ("woitn", "without_itn")
    return _id(metadata, key, TEXTNORM_IDS[name])


def _id(metadata: Mapping[str, str], key: str, known: int) -> int:
    try:
        return int(metadata.get(key, known))
    except ValueError as error:
        raise ModelError(f"the graph's metadata have no number for {key}: {metadata[key]!r}") from error
