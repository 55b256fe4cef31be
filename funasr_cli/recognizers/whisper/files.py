"""Read the files that accompany a Whisper model's weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as TokenTable

from funasr_cli.errors import ModelError, reading


def read_table(model_dir: Path) -> TokenTable:
    """Read Whisper's tokenizer. Raises `ModelError` if it cannot be read."""
    path = model_dir / "tokenizer.json"
    try:
        return TokenTable.from_file(str(path))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"not a tokenizer: {error}", where=path) from error


def read_json(path: Path) -> Mapping[str, Any]:
    """Read a JSON object. Raises `ModelError` if the file does not contain one."""
    try:
        with reading(path, ModelError):
            value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"not JSON: {error}", where=path) from error
    if not isinstance(value, dict):
        raise ModelError("not a JSON object", where=path)
    return value
