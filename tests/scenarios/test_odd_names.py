"""Recordings with odd names: every record, in every locale, has a distinct path for each that leads to it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NANO
from tests.support.command import Run, run_command

ODD = (
    *("会议", "全角\u3000空格", "硬\u00a0空格", "零\u200b宽", "连\u200d字", "非\u200c连", "软\u00ad连", "\ufeff头"),
    *(
        "行\n末",
        "回\r车",
        "制\t表",
        "\x1b[31m红",
        "删\x7f",
        "\x85",
        "线\u2028段\u2029",
        "\u202e反",
        "\u2066隔",
        "填\u3164",
    ),
    *("é", "e\u0301", "豈", "👨\u200d👩\u200d👧", "\U000e0041标", "\ue000", "\uffff", "\ufffd", "𠮷野家"),
    *(" 前", "后 ", "  ", "-o", "--help", "*", "[a]", "?", "a;b", "$HOME", "`id`", "'", '"', "#", "&amp;"),
    *("\\", "\\n", "\\xff", "\\udcff", "\\u3000", "%FF", "%BB%E1", "file:a%FF", "长" * 60),
)
RAW = (
    *("会议".encode("gbk"), "會議".encode("big5"), "会議".encode("shift_jis"), "é".encode("latin-1"), b"\xff", b"\xfe"),
    *(b"\xed\xa0\x80", b"\xe4\xbc", b"\xc0\xaf", b"\\xff\xff", b"%FF\xff", b"\xff\n", "会".encode() + b"\xff\xe3\x80"),
)
NAMES = [*(name.encode() for name in ODD), *RAW]


@pytest.fixture
def recordings(tmp_path: Path) -> Mapping[str, bytes]:
    """Recordings of silence with odd names, in `in` and in a folder with an odd name there: path by sha256."""
    found = {}
    for number, name in enumerate(NAMES):
        folder = tmp_path / "in" / (os.fsdecode("不听\n".encode("gbk")) if number % 7 == 0 else "")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / os.fsdecode(name + b".wav")
        path.write_bytes(data := _silence(800 + number))
        found[hashlib.sha256(data).hexdigest()] = os.fsencode(path)
    return found


def _silence(samples: int) -> bytes:
    size = 2 * samples
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\1\0\1\0"
    return (
        head
        + (16_000).to_bytes(4, "little")
        + (32_000).to_bytes(4, "little")
        + b"\2\0\x10\0data"
        + (size.to_bytes(4, "little") + bytes(size))
    )


def path_of(fields: Mapping[str, Any], name: str) -> bytes:
    """Return the bytes of the path in the field `name`."""
    return base64.b64decode(fields[f"{name}_bytes"]) if f"{name}_bytes" in fields else fields[name].encode()


def check(folder: Path, recordings: Mapping[str, bytes]) -> None:
    """Check that manifest and JSON name each recording by a distinct path that leads to it."""
    lines = [json.loads(line) for line in (folder / "out/manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["sha256"]: path_of(line, "path") for line in lines} == recordings
    assert len({line["path"] for line in lines}) == len(recordings)
    sources = set()
    for line in lines:
        ((text, sha256),) = line["outputs"].items()
        name = base64.b64decode(line["outputs_bytes"][text]) if "outputs_bytes" in line else text.encode()
        place = os.path.relpath(path_of(line, "path"), os.fsencode(folder / "in"))
        content = (folder / "out" / os.fsdecode(place)).with_name(os.fsdecode(name)).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256
        document = json.loads(content)
        assert path_of(document, "source") == place
        sources.add(document["source"])
    assert len(sources) == len(recordings)


def test_every_record_has_the_path_as_it_is(run: Run, tmp_path: Path, recordings: Mapping[str, bytes]) -> None:
    done = run("transcribe", "in", "-o", "out", "-f", "json", "--model", NANO)
    assert done.returncode == 0, done.stderr
    check(tmp_path, recordings)
    again = run("transcribe", "in", "-o", "out", "-f", "json", "--model", NANO)
    assert f"nothing to do: {len(recordings)} already done" in again.stderr
    score = json.loads(run("score", "out", "out", "--json").stdout)
    names = {path_of(file, "name") for file in score["files"]}
    assert names == {os.path.relpath(path, os.fsencode(tmp_path / "in"))[:-4] for path in recordings.values()}
    assert len({file["name"] for file in score["files"]}) == len(recordings)


LOCALES = {"zh_CN": "GB18030", "en_US": "ISO-8859-1"}


@pytest.mark.parametrize("language", [*LOCALES, "C"])
def test_records_are_in_utf8_whatever_the_locale(
    tmp_path: Path, recordings: Mapping[str, bytes], language: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    environment |= {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": language}
    if language in LOCALES:
        charset = LOCALES[language]
        environment |= {"LOCPATH": str(tmp_path / "locale"), "LC_ALL": f"{language}.{charset}"}
        (tmp_path / "locale").mkdir()
        if shutil.which("localedef") is None:
            pytest.skip("needs localedef to make a locale")
        making = ["localedef", "-i", language, "-f", charset, tmp_path / "locale" / f"{language}.{charset}"]
        if subprocess.run(making, capture_output=True, check=False).returncode > 1:  # 1 means warnings
            pytest.skip(f"localedef cannot make {language}.{charset} here")
    options = {"env": environment, "errors": "surrogateescape"}
    done = run_command(tmp_path, "transcribe", "in", "-o", "out", "-f", "json", "--model", NANO, **options)
    assert done.returncode == 0, done.stderr
    check(tmp_path, recordings)
    store = tmp_path / "店\u3000é"
    listed = run_command(
        tmp_path, "models", "list", "--json", **options | {"env": environment | {"FUNASR_CLI_MODELS": str(store)}}
    )
    assert json.loads(listed.stdout.encode("ascii"))["store"] == str(store)
    score = run_command(tmp_path, "score", "out", "out", "--json", **options).stdout
    assert {path_of(file, "name") for file in json.loads(score)["files"]} == {
        os.path.relpath(path, os.fsencode(tmp_path / "in"))[:-4] for path in recordings.values()
    }
