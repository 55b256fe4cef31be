"""Model files and folders that this program does not run: what they are, and what can be done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEAD_BYTES = 512
"""What is read of a file to tell what it is."""

CONFIG_BYTES = 1 << 16

_PULL_SENSEVOICE = "SenseVoice does the same work: funasr-cli models pull sensevoice-small"
_PULL_WHISPER = (
    "The same weights in a form that it runs: funasr-cli models pull whisper-small, or another size (models list)."
)
_CONVERT = (
    "Or: ct2-transformers-converter --model DIR --output_dir OUT --copy_files tokenizer.json preprocessor_config.json"
)


class Stranger(NamedTuple):
    """What a file or folder is, as the end of a sentence, and what to do."""

    what: str
    hint: str


LFS_POINTER = Stranger(
    "a Git LFS pointer, the note that stands for a large file until that is fetched",
    "Fetch the files: git lfs pull, in the clone; or funasr-cli models pull NAME.",
)
WEB_PAGE = Stranger(
    "a web page, probably an error or a sign-in that was saved under the name of the file",
    "Download the file again, and compare its size with that on the hub; or funasr-cli models pull NAME.",
)
CLASSES: dict[str, Stranger] = {
    "paraformer": Stranger("Paraformer, which this version does not run", _PULL_SENSEVOICE),
    "funasrnano": Stranger("Fun-ASR-Nano, which this version does not run", _PULL_SENSEVOICE),
    "fsmnvad": Stranger("a voice detector, which recognises no words", "This program brings its own (--vad silero)."),
    "cttransformer": Stranger("a model for punctuation, which recognises no words", _PULL_SENSEVOICE),
    "campplus": Stranger("a model for speakers, which recognises no words", _PULL_SENSEVOICE),
    "monotonicaligner": Stranger("a model that aligns texts, and recognises no words", _PULL_SENSEVOICE),
    "whisper": Stranger("Whisper in the form of FunASR", _PULL_WHISPER),
}
"""By a part of the class that config.yaml names, in lower case."""

_CLASS = re.compile(r"^model:\s*['\"]?([\w.-]+)", re.MULTILINE)
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".zip", ".7z")
_ARCHIVE = Stranger(
    "an archive", "Unpack it and name its folder; a bundle of this program: funasr-cli models import FILE"
)
_GGML = Stranger("a file of whisper.cpp or llama.cpp (ggml), which this program does not run", _PULL_WHISPER)
_SAFETENSORS = Stranger("a file in safetensors, which this program does not run", f"{_PULL_WHISPER}\n  {_CONVERT}")
_TORCH = Stranger("a PyTorch checkpoint, which runs only under torch", _PULL_WHISPER)


def strange_file(path: Path) -> Stranger | None:
    """What a file is by its first bytes and its name; None for what may belong to a model of ours. Raises `OSError`."""
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
    """What a folder holds by its configuration and its files; None for what may be ours. Raises `OSError`."""
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
        return Stranger("a transducer, which this version does not run", _PULL_SENSEVOICE)
    return None


def strangers_in(folder: Path) -> Iterator[tuple[Path, Stranger]]:
    """The files of a folder without a model of ours that are weights of another kind. Raises `OSError`."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and (stranger := strange_file(path)):
            whisper = stranger is _SAFETENSORS and _model_type(folder) not in ("whisper", "")
            yield path, Stranger(stranger.what, _PULL_SENSEVOICE) if whisper else stranger


def _model_type(folder: Path) -> str:
    """What Hugging Face's config.json says that the model is; empty if it says nothing."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return str(config["model_type"])
    except (OSError, ValueError, TypeError, LookupError):
        return ""
