"""model.yaml, in which our own export accounts for what it made: whether the folder still holds that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from funasr_cli.errors import ModelError

ACCOUNT = "model.yaml"
CHANGED = "The file was changed after it was made. Make the folder anew with funasr-cli export or freeze."


def verify_account(folder: Path, found: Mapping[str, str]) -> None:
    """Raise `ModelError` unless the files that were hashed (`found`, by name) are those of model.yaml, if there is one.

    Other graphs in the folder are not run, and nobody has hashed them.
    """
    path = folder / ACCOUNT
    try:
        expected = yaml.safe_load(path.read_text(encoding="utf-8"))["sha256"]
        changed = [name for name, sha256 in found.items() if expected.get(name) != sha256]
    except FileNotFoundError:
        return
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=path) from error
    except (ValueError, TypeError, LookupError, AttributeError, yaml.YAMLError) as error:
        raise ModelError("does not list the sha256 of the model's files", where=path, hint=CHANGED) from error
    if changed:
        raise ModelError(f"is not the file that {ACCOUNT} accounts for", where=folder / changed[0], hint=CHANGED)
