"""Identifies model files and folders that this program cannot run, and says what to do instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEAD_BYTES = 512
"""Bytes read from a file to identify it."""

CONFIG_BYTES = 1 << 16

_PULL_SENSEVOICE = "Use SenseVoice for the same task: funasr-cli models pull sensevoice-small"
_PULL_WHISPER = (
    "Get the same weights in a supported format: funasr-cli models pull whisper-small, or another size (models list)."
)
_CONVERT = (
    "Or: ct2-transformers-converter --model DIR --output_dir OUT --copy_files tokenizer.json preprocessor_config.json"
)


class Stranger(NamedTuple):
    """What a file or folder is, to follow "is" in a sentence, and what to do."""

    what: str
    hint: str


LFS_POINTER = Stranger(
    "a Git LFS pointer, a placeholder for a large file that was not downloaded",
    "Download the files: run git lfs pull in the clone, or funasr-cli models pull NAME.",
)
WEB_PAGE = Stranger(
    "a web page, probably an error or sign-in page saved under the name of the file",
    "Download the file again and compare its size with that on the hub, or run funasr-cli models pull NAME.",
)
CLASSES: dict[str, Stranger] = {
    "paraformer": Stranger("a Paraformer model, which this version does not support", _PULL_SENSEVOICE),
    "funasrnano": Stranger("a Fun-ASR-Nano model, which this version does not support", _PULL_SENSEVOICE),
    "fsmnvad": Stranger("a voice detector, not a speech recogniser", "One is built in (--vad silero)."),
    "cttransformer": Stranger("a punctuation model, not a speech recogniser", _PULL_SENSEVOICE),
    "campplus": Stranger("a speaker model, not a speech recogniser", _PULL_SENSEVOICE),
    "monotonicaligner": Stranger("a model that aligns texts, not a speech recogniser", _PULL_SENSEVOICE),
    "whisper": Stranger("a Whisper model in FunASR's format", _PULL_WHISPER),
}
"""Keys are parts of the class name in config.yaml, in lower case."""

_CLASS = re.compile(r"^model:\s*['\"]?([\w.-]+)", re.MULTILINE)
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip", ".7z")
_ARCHIVE = Stranger(
    "an archive",
    "Unpack it and name its folder; for a bundle made by models pack, run: funasr-cli models import FILE",
)
_GGML = Stranger("a whisper.cpp or llama.cpp file (ggml), which this program does not support", _PULL_WHISPER)
_SAFETENSORS = Stranger("a safetensors file, which this program does not support", f"{_PULL_WHISPER}\n  {_CONVERT}")
_TORCH = Stranger("a PyTorch checkpoint, which only PyTorch can run", _PULL_WHISPER)


def strange_file(path: Path) -> Stranger | None:
    """Identify a file by its first bytes and name; None if it may be part of a supported model. Raises `OSError`."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"version https://git-lfs"):
        return LFS_POINTER
    if re.match(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|\?xml)", head, re.IGNORECASE):
        return WEB_PAGE
    if head.startswith((b"GGUF", b"lmgg", b"ggml", b"tjgg")):
        return _GGML
    if path.name.endswith(".safetensors"):
        return _SAFETENSORS
    if path.name.lower().endswith(_ARCHIVES):
        return _ARCHIVE
    return _TORCH if path.suffix == ".pt" and path.name != "model.pt" else None


def strange_folder(folder: Path) -> Stranger | None:
    """Identify a folder by its configuration and files; None if it may be a supported model. Raises `OSError`."""
    config = folder / "config.yaml"
    if config.is_file():
        with config.open("rb") as file:
            named = _CLASS.search(file.read(CONFIG_BYTES).decode(errors="replace"))
        name = re.sub("[^a-z]", "", named[1].lower()) if named else ""
        for part, stranger in CLASSES.items():
            if part in name:
                return stranger
    if any(folder.glob("encoder_adaptor*.onnx")) or any(folder.glob("Qwen3*")):
        return CLASSES["funasrnano"]
    if all(any(folder.glob(f"{part}*.onnx")) for part in ("encoder", "decoder", "joiner")):
        return Stranger("a transducer model, which this version does not support", _PULL_SENSEVOICE)
    return None


def strangers_in(folder: Path) -> Iterator[tuple[Path, Stranger]]:
    """Yield files with unsupported weights in a folder without a supported model. Raises `OSError`."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and (stranger := strange_file(path)):
            whisper = stranger is _SAFETENSORS and _model_type(folder) not in ("whisper", "")
            yield path, Stranger(stranger.what, _PULL_SENSEVOICE) if whisper else stranger


def _model_type(folder: Path) -> str:
    """The model type in Hugging Face's config.json; empty if it has none."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str(config["model_type"])
    except (OSError, ValueError, TypeError, LookupError):
        return ""
