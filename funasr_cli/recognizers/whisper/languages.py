"""Find the languages of a Whisper model from the files in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as TokenTable

from funasr_cli.recognizers.whisper.files import read_json, read_table

ENGLISH = "en"
"""Language of a model that lists none."""


def languages_of(model_dir: Path) -> frozenset[str]:
    """Return the codes of the languages. Raises `ModelError` if a file of the model is missing or damaged."""
    ids = language_ids(read_json(model_dir / "config.json"), read_table(model_dir))
    return frozenset(codes(ids) or [ENGLISH])


def language_ids(config: Mapping[str, Any], table: TokenTable) -> dict[str, int]:
    """Map the token of each language, e.g. `<|zh|>`, to its id."""
    return {str(table.id_to_token(token)): token for token in config.get("lang_ids", [])}


def codes(ids: Mapping[str, int]) -> list[str]:
    """Return the codes of the languages in the order of their tokens."""
    return [token[2:-2] for token in ids]
