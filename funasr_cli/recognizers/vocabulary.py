"""Read the vocabulary of a FunASR model, which maps the labels of its graph to pieces."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from funasr_cli.errors import ModelError, reading

Pieces = Sequence[str]
"""Sentencepiece's pieces by id; `▁` represents a space."""


def read_vocabulary(model_dir: Path) -> Pieces:
    """Read the pieces from `tokens.json`, `tokens.txt` or the sentencepiece model, the first that exists.

    Raises `ModelError` if there is none, or it does not have the format of its name.
    """
    for name, read in READERS.items():
        path = model_dir / name
        if not path.is_file():
            continue
        try:
            with reading(path, ModelError):
                return read(path)
        except (ValueError, RuntimeError) as error:  # RuntimeError: sentencepiece's own
            raise ModelError(f"not a vocabulary: {error}", where=path) from error
    raise ModelError(f"no vocabulary: none of {', '.join(READERS)} exists", where=model_dir)


def _from_json(path: Path) -> Pieces:
    pieces = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
        raise ValueError("not a list of strings")
    return pieces


def _from_lines(path: Path) -> Pieces:
    """Read lines of a piece and its id."""
    lines = [line.rsplit(maxsplit=1) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    by_id = {int(line[-1]): line[0] if len(line) > 1 else " " for line in lines}
    if set(by_id) != set(range(len(by_id))):
        raise ValueError("the ids are not 0, 1, 2, …")
    return [by_id[index] for index in range(len(by_id))]


def _from_sentencepiece(path: Path) -> Pieces:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(path))
    return [processor.id_to_piece(index) for index in range(processor.get_piece_size())]


READERS: Mapping[str, Callable[[Path], Pieces]] = {
    "tokens.json": _from_json,
    "tokens.txt": _from_lines,
    "chn_jpn_yue_eng_ko_spectok.bpe.model": _from_sentencepiece,
}
