"""The dialects of SenseVoice graphs: names of their tensors, and what the graph includes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from funasr_cli.arrays import TensorSpec
from funasr_cli.errors import ModelError
from funasr_cli.features.lfr import SECONDS_PER_FRAME

WINDOW_SECONDS = 15.0
"""Longest window of a graph with free length, in seconds; static graphs are made for the same length."""

TAG_FRAMES = 4
"""Frames before the text, which contain language, emotion, event and text norm."""

# Rows of the embedding that request them (FunASR, sense_voice/model.py: lid_dict, textnorm_dict).
LANGUAGE_IDS = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12}
LANGUAGES = frozenset(LANGUAGE_IDS) - {"auto"}
TEXTNORM_IDS = {"withitn": 14, "woitn": 15}
PROMPT = (1, 2)
"""The queries for event and emotion, which come between language and text norm in a prompt."""

FUNASR = {"speech": "speech", "lengths": "speech_lengths", "language": "language", "textnorm": "textnorm"}
SHERPA_ONNX = {"speech": "x", "lengths": "x_length", "language": "language", "textnorm": "text_norm"}
SHERPA_OM = {"speech": "x", "prompt": "prompt"}
DIALECTS: Sequence[Mapping[str, str]] = (FUNASR, SHERPA_ONNX, SHERPA_OM)
"""Names of the inputs by their purpose; `prompt` combines language, two queries and text norm."""

LENGTHS = tuple(dialect["lengths"] for dialect in DIALECTS if "lengths" in dialect)

MAX_FRAMES = round(WINDOW_SECONDS / SECONDS_PER_FRAME) + TAG_FRAMES
"""Number of output frames for the longest window of a graph with free dimensions."""

LOGITS = ("ctc_logits", "logits")
TOPK = ("log_probs", "token_ids")
VALID = "encoder_out_lens"


@dataclass(frozen=True, slots=True)
class SenseVoiceGraph:
    """A graph's dialect.

    `inputs` is one of `DIALECTS`. `logits` is the name of that output; None for a graph that ends in `TOPK`. `valid`
    says whether it has the output `VALID`, the number of frames that are not padding. `frames` is its fixed length;
    None if the length is free.
    """

    inputs: Mapping[str, str]
    logits: str | None
    valid: bool
    frames: int | None

    @property
    def window(self) -> float:
        """The longest window that the graph accepts, in seconds."""
        return WINDOW_SECONDS if self.frames is None else self.frames * SECONDS_PER_FRAME

    @property
    def normalises(self) -> bool:
        """Whether the graph includes mean and variance normalisation, as sherpa-onnx's OM graphs do."""
        return "prompt" in self.inputs


def recognise_graph(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> SenseVoiceGraph:
    """Identify the dialect of a graph by its tensors, and whether it ends in logits or TopK.

    Raises `ModelError` with the names of the tensors if it is not a SenseVoice graph, and if it cannot distinguish
    padding from speech.
    """
    given, made = {spec.name: spec for spec in inputs}, [spec.name for spec in outputs]
    dialect = next((dialect for dialect in DIALECTS if set(dialect.values()) == set(given)), None)
    logits = next((name for name in LOGITS if name in made), None)
    if dialect is None or (logits is None and not set(TOPK) <= set(made)):
        what = "a Paraformer" if "token_num" in made or "us_alphas" in made else "not a SenseVoice"
        raise ModelError(
            f"{what} graph: its inputs are {', '.join(given)}, its outputs {', '.join(made)}",
            hint="Supported are graphs by FunASR and sherpa-onnx, and those made by `funasr-cli export` and `freeze`.",
        )
    frames = given[dialect["speech"]].shape[1]
    if frames is not None and VALID not in made:
        raise ModelError(
            f"graph of fixed length without the output {VALID}: the padding of short clips would be taken for speech",
            hint="Make one that masks padding: run funasr-cli freeze on the graph with free dimensions.",
        )
    return SenseVoiceGraph(dialect, logits, VALID in made, frames)


def language_ids(metadata: Mapping[str, str]) -> Mapping[str, int]:
    """Return the id that requests each language: sherpa-onnx's `lang_*` if the graph has them, otherwise FunASR's."""
    return {code: _id(metadata, f"lang_{code}", known) for code, known in LANGUAGE_IDS.items()}


def textnorm_id(metadata: Mapping[str, str], itn: bool) -> int:
    """Return the id that requests punctuation and numbers in figures, or neither."""
    name, key = ("withitn", "with_itn") if itn else ("woitn", "without_itn")
    return _id(metadata, key, TEXTNORM_IDS[name])


def _id(metadata: Mapping[str, str], key: str, known: int) -> int:
    try:
        return int(metadata.get(key, known))
    except ValueError as error:
        raise ModelError(f"the graph's metadata entry {key} is not a number: {metadata[key]!r}") from error
