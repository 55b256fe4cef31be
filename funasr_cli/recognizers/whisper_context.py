"""Hotwords in front of what Whisper is to write, as if they had just been said (OpenAI's `initial_prompt`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer as TokenTable

from funasr_cli.errors import ModelError
from funasr_cli.hotwords import Hotword

MOST = 75
"""Tokens, about 25 Chinese words; figures are in benchmarks/README.md. More make a window slower, and bring more words
that nobody said."""

SEPARATOR = "、"


def read_table(model_dir: Path) -> TokenTable:
    """Whisper's tokens. Raises `ModelError` where they cannot be read."""
    path = model_dir / "tokenizer.json"
    try:
        return TokenTable.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"not a tokenizer: {error}", where=path) from error


def choose(table: TokenTable, hotwords: Iterable[Hotword]) -> tuple[list[Hotword], list[int]]:
    """The hotwords that fit, those of more weight first, then those listed first; and the ids of their tokens."""
    chosen: list[Hotword] = []
    ids: list[int] = []
    for word in sorted(hotwords, key=lambda word: -word.weight):
        more = table.encode(f"{SEPARATOR if ids else ' '}{word.text}", add_special_tokens=False).ids
        if len(ids) + len(more) > MOST:
            break
        chosen.append(word)
        ids += more
    return chosen, ids
