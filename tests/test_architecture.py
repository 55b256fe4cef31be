"""Imports point one way, there are no cycles, each name has one meaning, and cheap commands stay cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "funasr_cli"

LAYERS = [
    {"cli"},
    {"batch", "doctor"},
    {"pool", "render"},
    {"reporting"},
    {"store"},
    {"inputs"},
    {"pipeline"},
    {"export", "settings"},
    {"recognizers", "executors", "text", "outputs", "models", "audio", "scoring"},
    {"features", "decoding", "system"},
    {"hotwords", "extras"},
    {"errors", "walk", "late_fields", "package_data", "text_encoding", "hotword_lines", "json_paths"},
    {
        "exit_codes",
        "files",
        "arrays",
        "transcript",
        "unicode_ranges",
        "surnames",
        "lexicon",
        "languages",
        "callbacks",
        "protobuf",
    },
]
"""A package may import from the layers below it and from itself, not from the others of its layer."""

LAYER = {package: level for level, packages in enumerate(LAYERS) for package in packages}

MAX_SHARE = 0.13
"""Largest share of all lines in one package."""

MAX_LINES = 300
"""Lines in one file, at most; a longer file has more than one job."""


def modules() -> Mapping[str, ast.Module]:
    """Map dotted names without `funasr_cli.` to modules; packages have their own names."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name not in ("", "__main__"):
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of this package that a module imports, including those within functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "funasr_cli":
            base = node.module.removeprefix("funasr_cli").lstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                if inner in MODULES:
                    yield inner
                elif base:
                    yield base
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("funasr_cli."):
                    yield alias.name.removeprefix("funasr_cli.")


IMPORTS = {module: sorted(set(imports(tree))) for module, tree in MODULES.items()}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down_one_way(module: str) -> None:
    package = module.split(".")[0]
    for imported in IMPORTS[module]:
        other = imported.split(".")[0]
        assert package == other or LAYER[package] < LAYER[other], f"{module} must not import from {imported}"


def test_files_do_not_import_in_circles() -> None:
    left = {module: {other for other in IMPORTS[module] if other != module} for module in MODULES}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert not left, f"these import each other, or what does: {sorted(left)}"


def test_a_public_class_has_its_name_to_itself() -> None:
    places = defaultdict(list)
    for module, tree in MODULES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_package_and_no_file_grows_too_large() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    packages: Counter[str] = Counter()
    for path, count in lines.items():
        packages[path.relative_to(PACKAGE).parts[0]] += count
    assert {package for package, count in packages.items() if count > MAX_SHARE * sum(lines.values())} == set()
    assert {path.name for path, count in lines.items() if count > MAX_LINES} == set()


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


def test_a_worker_loads_no_runtime() -> None:
    script = "import sys, funasr_cli.pool.worker; from funasr_cli.audio.silero import load_silero; load_silero(); "
    done = subprocess.run(
        [sys.executable, "-c", script + "print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "numpy" in loaded
    assert not loaded & {"onnxruntime", "ctranslate2", "faster_whisper"}
