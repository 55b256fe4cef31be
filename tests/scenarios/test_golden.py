"""What users depend on, pinned: names, codes, fields, schema, processes, bytes. It may grow but must not change.

The expected values are in tests/assets/golden; whatever a user could have written into a script stays as it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import soundfile

from funasr_cli.cli import cli

ASSETS = Path(__file__).resolve().parents[1] / "assets"
GOLDEN, OLD, NANO = ASSETS / "golden", ASSETS / "old", ASSETS / "nano"

ALL_FORMATS = ("-f", "txt,srt,vtt,json,tsv")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def loads(text: str) -> Any:
    """Parse JSON, with the usual device name on processors on which weights stay unsigned."""
    return json.loads(text.replace("cpu (int8, signed)", "cpu (int8)"))


def start(folder: Path, *arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "funasr_cli", *map(str, arguments)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def run(folder: Path, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    process = start(folder, *arguments, **more)
    printed, said = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, printed, said)


# The command line.


def interface(command: click.Command, name: str = "") -> dict[str, Any]:
    """Return the parameters of each command: their spelling, their types, and their defaults."""
    found: dict[str, Any] = {}
    if isinstance(command, click.Group):
        for child in command.commands.values():
            found |= interface(child, f"{name} {child.name}".strip())
        return found
    found[name] = {str(param.name): _parameter(param) for param in command.params}
    return found


def _parameter(param: click.Parameter) -> dict[str, Any]:
    facts = param.to_info_dict()
    described = {key: facts.get(key) for key in ("param_type_name", "opts", "secondary_opts", "nargs", "multiple")}
    described |= {key: facts[key] for key in ("is_flag", "required") if facts.get(key)}
    default = facts["default"]
    if not param.required and default is not None and not callable(default) and "Sentinel" not in repr(default):
        described["default"] = default
    if isinstance(param.type, click.Choice):
        described["choices"] = list(param.type.choices)
    return described


@pytest.mark.parametrize("name", golden("interface.json"))
def test_every_option_is_spelt_as_ever_and_has_its_default(name: str) -> None:
    wanted, found = golden("interface.json")[name], interface(cli)[name]
    for param, facts in wanted.items():
        choices = facts.pop("choices", [])
        assert set(choices) <= set(found[param].pop("choices", []))
        assert found[param] == facts, param


def test_every_setting_is_a_key_and_a_variable(tmp_path: Path) -> None:
    shown = run(tmp_path, "config", "show").stdout.splitlines()
    defaults = {line.split()[0]: line.split()[1] for line in shown}
    wanted = golden("settings.json")
    assert {name: defaults.get(name) for name in wanted} == {name: default for name, (default, _) in wanted.items()}

    (tmp_path / "words.txt").write_text("word\n", encoding="utf-8")
    lines = [f"{name}: {value}" for name, (_, value) in wanted.items()]
    (tmp_path / "all.yaml").write_text("\n".join(lines), encoding="utf-8")
    from_file = run(tmp_path, "config", "show", "--config", "all.yaml")
    assert from_file.returncode == 0, from_file.stderr
    assert {line.split()[0] for line in from_file.stdout.splitlines() if "configuration file" in line} >= set(wanted)

    variables = {f"FUNASR_CLI_{name.upper()}": value.strip("\"'") for name, (_, value) in wanted.items()}
    from_variables = run(tmp_path, "config", "show", env={**os.environ, **variables})
    assert from_variables.returncode == 0, from_variables.stderr
    assert {line.split()[0] for line in from_variables.stdout.splitlines() if line.endswith("environment")} >= set(
        wanted
    )


# Exit codes.


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    shutil.copytree(OLD / "recordings", tmp_path / "recordings")
    return tmp_path / "recordings"


def test_exit_codes(recordings: Path) -> None:
    folder = recordings.parent
    (folder / "empty").mkdir()
    (folder / "bad.wav").write_bytes(b"no audio")
    (folder / "unwritable" / "manifest.jsonl").mkdir(parents=True)
    model = ("--model", NANO)
    codes = {
        0: run(folder, "transcribe", "recordings/meeting.flac", *model),
        1: run(folder, "transcribe", "bad.wav", *model),
        2: run(folder, "transcribe", "recordings", "--format", "doc"),
        3: run(folder, "transcribe", "empty", *model),
        4: run(folder, "transcribe", "recordings", "--model", "no-such-model"),
        5: run(folder, "transcribe", "recordings/meeting.flac", "-o", "unwritable", *model),
    }
    assert {code: done.returncode for code, done in codes.items()} == {code: code for code in codes}, codes
    reader, writer = os.pipe()
    os.close(reader)
    piped = subprocess.run(
        [sys.executable, "-m", "funasr_cli", "transcribe", "recordings/meeting.flac", "-o", "-", "--model", str(NANO)],
        cwd=folder,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert piped.returncode == 141


def test_exit_codes_beside_another_run(recordings: Path) -> None:
    folder = recordings.parent
    (folder / "transcripts" / ".funasr-cli").mkdir(parents=True)
    with (folder / "transcripts" / ".funasr-cli" / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        assert run(folder, "transcribe", "recordings", "--model", NANO).returncode == 6
        for number, code in ((signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)):
            waiting = start(folder, "transcribe", "recordings", "--wait", "--model", NANO)
            assert waiting.stderr is not None
            for line in waiting.stderr:
                if line.startswith("waiting for another run to end"):
                    break
            waiting.send_signal(number)
            waiting.communicate(timeout=60)
            assert waiting.returncode == code


# What is on the disk, and on stdout.


def shape(value: Any) -> Any:
    """Return the fields of a JSON value and the types of their values."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def has_shape(found: Any, wanted: Any) -> bool:
    """Whether all fields exist with the right types; there may be more."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            name in found and has_shape(found[name], part) for name, part in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and all(has_shape(found[0], part) for part in wanted)
    return bool(found == wanted)


def test_fields_of_manifest_and_summary(recordings: Path) -> None:
    folder = recordings.parent
    (recordings / "damaged.flac").write_bytes(b"fLaC")
    soundfile.write(recordings / "silence.flac", np.zeros(32_000, np.int16), 16_000)
    (recordings / "young.flac").write_bytes((recordings / "meeting.flac").read_bytes())
    for path in recordings.rglob("*.flac"):
        if path.name != "young.flac":
            os.utime(path, (0, 0))
    done = run(folder, "transcribe", "recordings", "--min-age", "600", "--json-summary", "--model", NANO)
    assert done.returncode == 1
    wanted = golden("fields.json")
    assert has_shape(shape(loads(done.stdout)), wanted["summary"])
    lines = [json.loads(line) for line in (folder / "transcripts" / "manifest.jsonl").read_text().splitlines()]
    assert {line["status"] for line in lines} == set(wanted["manifest"])
    for line in lines:
        if "outputs" in line:
            line["outputs"] = sorted(line["outputs"])
        assert has_shape(shape(line), wanted["manifest"][line["status"]])


def test_fields_of_the_json_of_whisper(embedded: None, sample: Path, tmp_path: Path) -> None:
    """Only the shape: floating-point results of Whisper may differ between processors."""
    done = run(tmp_path, "transcribe", sample, "-f", "json", "--model", "whisper-base")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "transcripts" / "energy-report.json").read_text(encoding="utf-8"))
    assert has_shape(shape(document), golden("fields.json")["whisper"])


def test_the_schema_of_the_state(recordings: Path) -> None:
    run(recordings.parent, "transcribe", "recordings", "--model", NANO)
    with closing(sqlite3.connect(recordings.parent / "transcripts" / ".funasr-cli" / "state.sqlite")) as state:
        (version,) = state.execute("PRAGMA user_version").fetchone()
        statements = [row[0] for row in state.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    assert version == 1
    wanted = _plain((GOLDEN / "schema.sql").read_text(encoding="utf-8")).split(";")
    assert [_plain(sql) for sql in statements] == [sql.strip() for sql in wanted if sql]


def _plain(sql: str) -> str:
    """Return SQL without comments and layout."""
    return " ".join(re.sub("--.*", "", sql).split())


def test_the_names_of_processes(recordings: Path) -> None:
    process = start(recordings.parent, "transcribe", "recordings", "--model", NANO)
    names: set[str] = set()
    while process.poll() is None:
        names |= _descendants(process.pid)
        time.sleep(0.005)
    process.communicate()
    assert process.returncode == 0
    assert {"funasr-worker", "funasr-device"} <= names


def _descendants(pid: int) -> set[str]:
    names: set[str] = set()
    children: dict[int, list[tuple[int, str]]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        number, _, name = head.partition(" (")
        children.setdefault(int(rest.split()[1]), []).append((int(number), name))
    pending = [pid]
    while pending:
        for child, name in children.get(pending.pop(), []):
            names.add(name)
            pending.append(child)
    return names


@pytest.mark.parametrize(
    ("made", "options"),
    [
        ("defaults", ()),
        ("hotwords-split", ("--hotwords", str(OLD / "words.txt"), "--channels", "split", *ALL_FORMATS)),
    ],
)
def test_the_bytes_of_outputs(recordings: Path, made: str, options: tuple[str, ...]) -> None:
    done = run(recordings.parent, "transcribe", "recordings", "-o", "out", "--model", NANO, *options)
    assert done.returncode == 0, done.stderr
    for wanted in sorted((OLD / made).rglob("*.*")):
        place = wanted.relative_to(OLD / made)
        if wanted.is_dir() or place.parts[0] in (".funasr-cli", "manifest.jsonl"):
            continue
        found = recordings.parent / "out" / place
        if wanted.suffix == ".json":
            document = loads(found.read_text(encoding="utf-8"))
            assert all(segment.pop("language") == "zh" for segment in document["segments"])  # new since then
            assert _rounded(document) == _rounded(json.loads(wanted.read_text()))
            assert list(document) == list(json.loads(wanted.read_text()))
        else:
            assert found.read_bytes() == wanted.read_bytes(), place


def _rounded(document: Any) -> Any:
    """Round confidences to two digits: the last digits may differ between processors."""
    if isinstance(document, dict):
        return {
            name: pytest.approx(part, abs=0.02) if name == "confidence" else _rounded(part)
            for name, part in document.items()
        }
    return [_rounded(part) for part in document] if isinstance(document, list) else document
