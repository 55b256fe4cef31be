"""What hotwords gain if they were said, and what they cost if they were not.

    python benchmarks/hotwords.py MODEL WORDS RECORDING.wav ... [--ways search corrector ...]
    [--said 30] [--never-said 500]

Next to each RECORDING.wav is RECORDING.json, {"words": [{"text", "start", "end"}]}, times in seconds. Two lists are
drawn at random, seeded with the name of the recording: words of two or more characters that were said in it, and words
of the hotword file WORDS that are not in its text. The recording is transcribed without hotwords, with both lists, and
with the second list alone. `search` is the model's own use of hotwords (beam search, or a prompt), `corrector` the
pinyin corrector alone, `strong-corrector` the same with `--hotword-correction strong`, `both` the default of
`funasr-cli transcribe`. The 95 % intervals are a paired bootstrap over utterances, which long pauses separate.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray
from smoke import NANO, NO_PAUSES, PAUSES, ROOT, CommandLines, parser_of, run_benchmark

from funasr_cli.arrays import Arrays
from funasr_cli.executors.placement import Placement
from funasr_cli.hotwords import Hotword, read_hotwords
from funasr_cli.models.store import Model, find_model
from funasr_cli.pipeline.registry import GraphInfo, load_executor, load_recognizer
from funasr_cli.pipeline.timings import StageTimings
from funasr_cli.pipeline.transcriber import Transcriber
from funasr_cli.pipeline.window_runner import GraphRunner, LocalGraphRunner, RunResult, WindowRunner
from funasr_cli.scoring.align import align
from funasr_cli.scoring.bootstrap import interval
from funasr_cli.scoring.hotword_recall import HotwordScorer, Text, text_of
from funasr_cli.scoring.read import Piece
from funasr_cli.settings.transcription import Settings
from funasr_cli.system.resources import usable_cores
from funasr_cli.text.options import Strength
from funasr_cli.transcript import Token

LONG_PAUSE = 2.0
"""Seconds between two words that separate utterances."""

NOISE = 0.02
"""Standard deviation of the noise in smoke runs, which makes the small model miss a word or two."""


class Way(NamedTuple):
    """Whether the model gets the hotwords, and how readily the corrector inserts them."""

    listens: bool
    correction: Strength | None


WAYS = {
    "search": Way(True, None),
    "corrector": Way(False, "safe"),
    "strong-corrector": Way(False, "strong"),
    "both": Way(True, "safe"),
}
NONE, PLAIN = "none", Way(False, None)


class Utterance(NamedTuple):
    """Counts of an utterance.

    Edits and characters; occurrences of listed words that were said, and how many of them were missed; inserted words
    that were said elsewhere, and inserted words that were never said.
    """

    errors: int
    characters: int
    occurrences: int
    missed: int
    false_said: int
    false_never_said: int


Results: TypeAlias = dict[str, list[Utterance]]
"""All utterances of all recordings, by way."""


class RememberingRunner:
    """Runs the graph only once for the same inputs, even if a recording is transcribed several times."""

    is_crowded = False

    def __init__(self, runner: GraphRunner) -> None:
        self._runner = runner
        self._answers: dict[bytes, RunResult] = {}

    @asynccontextmanager
    async def run(self, inputs: Arrays) -> AsyncIterator[RunResult]:
        key = hashlib.sha256(b"".join(np.ascontiguousarray(inputs[name]).tobytes() for name in sorted(inputs))).digest()
        if key not in self._answers:
            async with self._runner.run(inputs) as outcome:
                copies = {name: np.array(array) for name, array in outcome.outputs.items()}
                self._answers[key] = outcome._replace(outputs=copies)
        yield self._answers[key]


@dataclass(frozen=True)
class Listener:
    """A model, and a runner that remembers its outputs for one recording."""

    model: Model
    graph: GraphInfo
    runner: GraphRunner

    def tokens(self, path: Path, words: Sequence[str], way: Way) -> list[Token]:
        """Transcribe a recording with these hotwords."""
        hotwords = tuple(map(Hotword, words))
        recognizer = load_recognizer(self.model, self.graph, itn=False, hotwords=hotwords if way.listens else ())
        runner = WindowRunner(self.model, recognizer, self.runner, self.graph.device)
        settings = Settings(language="zh", itn=False, hotwords=hotwords, correction=way.correction)
        transcribed = Transcriber(runner, settings).transcribe(path, path.name, lambda *_: None, StageTimings())
        return [token for line in asyncio.run(transcribed).segments for token in line.tokens]


@dataclass(frozen=True)
class Reference:
    """The utterances of a recording, and the seconds of the boundaries between them."""

    texts: Sequence[Text]
    borders: Sequence[float]

    def measured(self, tokens: Iterable[Token], said: Sequence[str], never_said: Sequence[str]) -> list[Utterance]:
        """Score `tokens`, utterance by utterance."""
        parts: list[list[Piece]] = [[] for _ in self.texts]
        for token in tokens:
            middle = (token.start + token.end) / 2
            parts[int(np.searchsorted(self.borders, middle))].append(Piece(token.text, token.start))
        scorer, utterances = HotwordScorer([*said, *never_said]), []
        for reference, part in zip(self.texts, parts, strict=True):
            hypothesis = text_of(part)
            alignment = align(reference.characters, hypothesis.characters)
            hotwords = scorer.score(reference, hypothesis, alignment)
            total = hotwords.total
            false_said = sum(hotwords.words[word].false for word in said if word in hotwords.words)
            utterances.append(
                Utterance(
                    alignment.counts.errors,
                    alignment.counts.reference,
                    total.reference,
                    total.missed,
                    false_said,
                    total.false - false_said,
                )
            )
        return utterances


def reference_of(words: Sequence[dict[str, Any]]) -> Reference:
    """Split the reference at long pauses."""
    borders = [
        (before["end"] + after["start"]) / 2
        for before, after in pairwise(words)
        if after["start"] - before["end"] >= LONG_PAUSE
    ]
    texts: list[list[Piece]] = [[] for _ in range(len(borders) + 1)]
    for word in words:
        texts[int(np.searchsorted(borders, word["start"]))].append(Piece(word["text"], word["start"]))
    return Reference([text_of(pieces) for pieces in texts], borders)


def draw(
    path: Path, words: Sequence[dict[str, Any]], pool: Sequence[str], said: int, never_said: int
) -> tuple[list[str], list[str]]:
    """Draw words that were said in a recording, and words that are not in its text."""
    rnd = random.Random(path.stem)
    text = "".join(word["text"] for word in words)
    candidates = sorted({word["text"] for word in words if len(word["text"]) > 1})
    return rnd.sample(candidates, said), rnd.sample([word for word in pool if word not in text], never_said)


def column(utterances: Sequence[Utterance], name: str) -> NDArray[np.int64]:
    return np.array([getattr(utterance, name) for utterance in utterances], np.int64)


def cer(now: Sequence[Utterance], before: Sequence[Utterance]) -> str:
    """Return two cells: the rate, and by how many points it is higher than before, with the interval."""
    errors, characters = column(now, "errors"), column(now, "characters")
    change = interval(errors - column(before, "errors"), characters)
    difference = sum(errors - column(before, "errors")) / sum(characters)
    return f"{sum(errors) / sum(characters):.2%} | {100 * difference:+.2f}{spread(change, 100, '+.2f')}"


def missed(now: Sequence[Utterance], before: Sequence[Utterance]) -> str:
    """Return two cells: the missed share, and by how much it is lower than before, with the interval."""
    left, had = column(now, "missed"), column(before, "missed")
    fewer = f"{1 - sum(left) / sum(had):.1%}{spread(interval(had - left, had), 1, '.1%')}" if sum(had) else ""
    return f"{sum(left)} | {fewer}"


def spread(bounds: tuple[float, float] | None, factor: float, form: str) -> str:
    return f" ({factor * bounds[0]:{form}} to {factor * bounds[1]:{form}})" if bounds else ""


def print_said(results: Results, said: int, never_said: int) -> None:
    before = results[NONE]
    occurrences = sum(column(before, "occurrences"))
    print(f"\n{said} hotwords that were said, {occurrences} times in all, and {never_said} that were not:\n")
    print("| hotwords | CER | change, points | missed | fewer | false, said elsewhere | false, never said |")
    print("|---|---|---|---|---|---|---|")
    for way, now in results.items():
        false = f"{sum(column(now, 'false_said'))} | {sum(column(now, 'false_never_said'))}"
        print(f"| {way} | {cer(now, before)} | {missed(now, before)} | {false} |")


def print_never_said(results: Results, never_said: int) -> None:
    print(f"\n{never_said} hotwords, none of which was said:\n")
    print("| hotwords | CER | change, points | false |\n|---|---|---|---|")
    for way, now in results.items():
        print(f"| {way} | {cer(now, results[NONE])} | {sum(column(now, 'false_never_said'))} |")


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("model")
    parser.add_argument("words", type=Path)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["search", "corrector", "both"])
    parser.add_argument("--said", type=int, default=30)
    parser.add_argument("--never-said", type=int, default=500)
    arguments = parser.parse_args(command_line)
    model = find_model(arguments.model)
    executor, graph = load_executor(model, Placement(usable_cores()), print)
    pool = [word.text for word in read_hotwords([arguments.words]).words]
    with_said: Results = {way: [] for way in (NONE, *arguments.ways)}
    never_said_alone: Results = {way: [] for way in (NONE, *arguments.ways)}
    rates = []
    for path in arguments.recordings:
        words = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["words"]
        reference = reference_of(words)
        said, never_said = draw(path, words, pool, arguments.said, arguments.never_said)
        listener = Listener(model, graph, RememberingRunner(LocalGraphRunner(executor)))
        plain = listener.tokens(path, [], PLAIN)
        for results, listed in ((with_said, said), (never_said_alone, [])):
            results[NONE] += (utterances := reference.measured(plain, listed, never_said))
            for way in arguments.ways:
                tokens = listener.tokens(path, [*listed, *never_said], WAYS[way])
                results[way] += reference.measured(tokens, listed, never_said)
        rates.append(sum(column(utterances, "errors")) / sum(column(utterances, "characters")))
    count = len(with_said[NONE])
    print(f"{len(rates)} recordings of CER {min(rates):.2%} to {max(rates):.2%} without hotwords, {count} utterances")
    print_said(with_said, arguments.said, arguments.never_said)
    print_never_said(never_said_alone, arguments.never_said)


def smoke(folder: Path) -> CommandLines:
    rng, noisy = np.random.default_rng(0), [folder / f"{path.stem}.wav" for path in (PAUSES, NO_PAUSES)]
    for source, target in zip((PAUSES, NO_PAUSES), noisy, strict=True):
        speech, rate = soundfile.read(source)
        soundfile.write(target, speech + rng.normal(0.0, NOISE, len(speech)), rate)
        shutil.copy(source.with_suffix(".json"), folder)
    words = ROOT / "hotwords" / "finance.txt"
    yield NANO, words, *noisy, "--said", 5, "--never-said", 20, "--ways", *WAYS


if __name__ == "__main__":
    run_benchmark(main, smoke)
