"""The documents for developers match the code: names, layers, columns, numbers."""

from __future__ import annotations

import importlib
import re
import sqlite3
from pathlib import Path

import pytest

from funasr_cli import exit_codes
from funasr_cli.models.store import Model
from funasr_cli.pool import sizing
from funasr_cli.store.schema import KEPT_TABLES, STATE_TABLES, Tables
from funasr_cli.system.resources import Memory
from funasr_cli.system.signals import STOPPING
from tests.conftest import ROOT
from tests.support.documents import blocks, inline, rows
from tests.test_architecture import LAYERS, MODULES, PACKAGE

DOCUMENTS = ("architecture.md", "processes.md", "recipes.md", "style.md")

PACKAGES = set().union(*LAYERS)

EXIT_CODES = {value for name, value in vars(exit_codes).items() if name.isupper()} | {0}

PATH = re.compile(r"[\w./-]+(/|\.(py|md|yaml|cfg))")
DOTTED = re.compile(r"([a-z_]\w*)(\.\w+)+")

TO_BE_MADE = {block.file.removeprefix("funasr_cli/") for block in blocks("recipes.md")}
"""Files that a recipe makes."""

FILES_OF_USERS = {"levels.f32", "words.txt"}
"""Names of model files, which look like names of the code."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_that_a_document_names_exist(document: str) -> None:
    paths = [text for text in inline(document) if PATH.fullmatch(text) and not text.startswith(("/", "."))]
    missing = [path for path in paths if not ((ROOT / path).exists() or (PACKAGE / path).exists())]
    assert set(missing) <= TO_BE_MADE


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_names_that_a_document_uses_are_in_the_code(document: str) -> None:
    names = {text for text in inline(document) if DOTTED.fullmatch(text) and not PATH.fullmatch(text)} - FILES_OF_USERS
    assert {name for name in names if not is_in_the_code(name)} == set()


def is_in_the_code(name: str) -> bool:
    """Whether a name such as `package.module.Class.method` exists."""
    parts = name.split(".")
    modules = [count for count in range(1, len(parts) + 1) if ".".join(parts[:count]) in MODULES]
    if not modules:
        return False
    found: object = importlib.import_module(f"funasr_cli.{'.'.join(parts[: modules[-1]])}")
    for part in parts[modules[-1] :]:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def test_a_name_that_is_not_in_the_code_is_noticed() -> None:
    assert is_in_the_code("store.schema.STATE")
    assert is_in_the_code("pool.worker.Lane.serve")
    assert not is_in_the_code("pool.worker.Lane.rest")
    assert not is_in_the_code("pool.office.Clerk")
    assert not is_in_the_code("office.Clerk")


def test_the_picture_of_the_packages_has_the_layers_of_the_code() -> None:
    picture = blocks("architecture.md", "Packages")[0].content
    layers: list[set[str]] = []
    for line in picture.splitlines()[1:]:
        layer, package = re.match(r"\s*(\d*)\s+(\S+)", line).groups()  # type: ignore[union-attr]
        if layer:
            assert int(layer) == len(LAYERS) - len(layers)
            layers.append(set())
        if not package.startswith("("):
            layers[-1].add(package)
    assert layers == LAYERS


def test_reserved_packages_do_not_exist_yet() -> None:
    picture = blocks("architecture.md", "Packages")[0].content
    reserved = re.findall(r"^\s+\((\w+)\)", picture, re.MULTILINE)
    assert reserved
    assert PACKAGES.isdisjoint(reserved)


@pytest.mark.parametrize(("document", "heading"), [("exit-codes.md", "code"), ("exit-codes.zh-CN.md", "退出码")])
def test_every_exit_code_is_explained(document: str, heading: str) -> None:
    table = rows(document, heading)
    assert [int(row[0]) for row in table] == sorted(EXIT_CODES)
    assert all(len(row) == 3 and all(row) for row in table)


def test_every_exit_code_is_in_the_help() -> None:
    text = (PACKAGE / "cli/transcribe.py").read_text("utf-8")
    summary = re.search(r"(?s)Exit codes: 0 done.*?\n\n", text + "\n\n")
    assert summary is not None
    assert {int(number) for number in re.findall(r"\b\d+\b", summary[0])} == EXIT_CODES


@pytest.mark.parametrize(("document", "heading"), [("README.md", "code"), ("README.zh-CN.md", "退出码")])
def test_every_exit_code_is_in_the_summary(document: str, heading: str) -> None:
    listed = [int(code) for row in rows(ROOT / document, heading) for code in row[0].split(", ")]
    assert sorted(listed) == sorted(EXIT_CODES)


def test_the_signals_are_those_that_end_a_run() -> None:
    text = {int(row[0]): row[1] for row in rows("exit-codes.md", "code")}
    assert {number for number in STOPPING if number.name in text[128 + number]} == set(STOPPING)


def test_the_script_of_the_exit_codes_knows_them() -> None:
    (english,), (chinese,) = (blocks(f"exit-codes{kind}.md") for kind in ("", ".zh-CN"))
    numbers = re.findall(r"^  ([\d |]+)\)", english.content, re.MULTILINE)
    assert numbers == re.findall(r"^  ([\d |]+)\)", chinese.content, re.MULTILINE)
    named = {int(number) for line in numbers for number in line.split(" | ")}
    assert named <= {int(row[0]) for row in rows("exit-codes.md", "code")}


@pytest.mark.parametrize(
    ("tables", "table"),
    [(STATE_TABLES, "input"), (STATE_TABLES, "output"), (KEPT_TABLES, "recognition"), (KEPT_TABLES, "hotwords")],
)
def test_every_column_of_the_state_is_described(tables: Tables, table: str) -> None:
    db = sqlite3.connect(":memory:")
    tables.create(db)
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
    db.close()
    described = [
        name for row in rows("architecture.md", f"column of {table}") for name in re.findall("`(.+?)`", row[0])
    ]
    assert sorted(described) == sorted(columns)


def test_the_numbers_of_processes_are_those_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"weights")
    model = Model("m", "sensevoice", tmp_path, tmp_path / "model.onnx", "float32", "", "")
    monkeypatch.setattr(sizing, "usable_memory", lambda: Memory(10**12, limited=False))
    table = rows("processes.md", "cores")
    assert [row[0] for row in table] == ["2", "8", "64"]
    for cores, *expected in (map(int, row) for row in table):
        monkeypatch.setattr(sizing, "usable_cores", lambda: cores)  # noqa: B023
        size = sizing.cpu_pool_size(model, None, recordings=1000)
        found = size.placements[0]
        assert [size.workers, len(size.placements), found.runs, found.threads] == expected
