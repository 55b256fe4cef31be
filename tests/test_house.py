"""The house: imports point one way, and what is cheap stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "funasr_cli"

FLOORS = [
    {"cli"},
    {"diagnosis"},
    {"batch", "export"},
    {"audio", "recognizers", "executors", "text", "outputs", "models", "scoring"},
    {"config", "features", "decoding"},
    {"hotwords", "extras"},
    {"errors"},
    {"files", "arrays", "transcript", "characters"},
]
"""A room may import from the floors below it and from itself, not from its neighbours."""

FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def imports() -> Iterator[tuple[str, str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts in {("__init__",), ("__main__",)}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("funasr_cli."):
                yield "/".join(parts), parts[0], node.module.split(".")[1]


@pytest.mark.parametrize(("module", "room", "imported"), list(imports()))
def test_imports_point_down_one_way(module: str, room: str, imported: str) -> None:
    assert room == imported or FLOOR[room] < FLOOR[imported], f"{module} must not import from {imported}"


def test_help_loads_neither_numpy_nor_a_runtime() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "funasr_cli", "transcribe", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    heavy = {"numpy", "onnxruntime", "ctranslate2", "faster_whisper", "av", "soundfile", "rich", "tqdm", "yaml"}
    heavy |= {"opencc", "pypinyin", "rjieba"}
    assert "click" in loaded
    assert not loaded & heavy
