"""model.yaml, in which our own export accounts for what it made: whether the folder still holds that."""

from __future__ import annotations

from pathlib import Path

import yaml

from funasr_cli.errors import ModelError
from funasr_cli.files import sha256_of

ACCOUNT = "model.yaml"
CHANGED = "The file was changed after it was made. Make the folder anew with funasr-cli export or freeze."


def verify_account(folder: Path, weights: Path) -> None:
    """Raise `ModelError` unless `weights` and what is not a graph are as model.yaml says; all is well without one.

    Other graphs in the folder are not run, and not hashed.
    """
    path = folder / ACCOUNT
    try:
        hashes = yaml.safe_load(path.read_text(encoding="utf-8"))["sha256"].items()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=path) from error
    except (ValueError, TypeError, LookupError, AttributeError, yaml.YAMLError) as error:
        raise ModelError("does not list the sha256 of the model's files", where=path, hint=CHANGED) from error
    for name, expected in hashes:
        file = folder / name
        if file.suffix == ".onnx" and file != weights:
            continue
        if not file.is_file():
            raise ModelError("is missing", where=file, hint=CHANGED)
        found = sha256_of(file)
        if found != expected:
            raise ModelError(f"has the sha256 {found}, expected {expected}", where=file, hint=CHANGED)
