"""model.yaml: the record that our export writes of its files, and the check that they are unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from funasr_cli.errors import ModelError, reading
from funasr_cli.files import write_whole

MODEL_YAML = "model.yaml"
CHANGED_HINT = "The file was changed after it was made. Create the folder again with funasr-cli export or freeze."

OMS = "oms"
"""The last key: for each compiled model by name, its source, compiler, target and sha256."""


def read_model_yaml(folder: Path) -> dict[str, Any] | None:
    """The content of the folder's model.yaml; None if there is none. Raises `ModelError`."""
    path = folder / MODEL_YAML
    with reading(path, ModelError):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        account = yaml.safe_load(content.decode())
    except (ValueError, yaml.YAMLError) as error:
        raise ModelError(f"not YAML: {error}", where=path, hint=CHANGED_HINT) from error
    if not isinstance(account, dict):
        raise ModelError("does not describe a model", where=path, hint=CHANGED_HINT)
    return account


def write_model_yaml(folder: Path, account: Mapping[str, Any]) -> None:
    """Write model.yaml. Raises `OSError`."""
    text = yaml.safe_dump(dict(account), sort_keys=False, allow_unicode=True, width=120)
    write_whole(folder / MODEL_YAML, text.encode())


def record_om(folder: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Add a compiled model to model.yaml, replacing an earlier one of the same name."""
    account = read_model_yaml(folder) or {}
    oms = {**account.pop(OMS, {}), name: dict(facts)}
    write_model_yaml(folder, {**account, OMS: oms})


def graph_metadata(folder: Path) -> Mapping[str, str]:
    """Metadata of the folder's ONNX files, for OMs, which have none of their own; statistics are in am.mvn.

    Empty for a folder that our export did not make. Raises `ModelError` if model.yaml cannot be read.
    """
    metadata = (read_model_yaml(folder) or {}).get("metadata", {})
    if not isinstance(metadata, dict):
        raise ModelError("its metadata must be names with values", where=folder / MODEL_YAML, hint=CHANGED_HINT)
    return {str(key): str(value) for key, value in metadata.items()}


def verify_model_yaml(folder: Path, found: Mapping[str, str]) -> None:
    """Raise `ModelError` unless the hashes by name in `found` match model.yaml, if there is one.

    Other graphs in the folder are neither run nor hashed.
    """
    account = read_model_yaml(folder)
    if account is None:
        return
    try:
        expected = {**account["sha256"], **{name: om["sha256"] for name, om in account.get(OMS, {}).items()}}
    except (TypeError, LookupError, AttributeError) as error:
        where = folder / MODEL_YAML
        raise ModelError("does not list the sha256 of the model's files", where=where, hint=CHANGED_HINT) from error
    changed = [name for name, sha256 in found.items() if expected.get(name) != sha256]
    if changed:
        raise ModelError(f"does not match its sha256 in {MODEL_YAML}", where=folder / changed[0], hint=CHANGED_HINT)
