"""The FunASR path as a user runs it: a small real model, real recordings, exact text."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path

import pytest

from funasr_cli.system.processor import has_vnni
from tests.conftest import NANO
from tests.support.command import Run

WITH_PAUSES = "收缩 大体 专心 报告 大于 结算"
WITHOUT_PAUSES = "学者空间相差比如大局性能一边收缩外国快活推论上台一律交换胡子大于先后发起专心离开分批更换下面生态"


def test_a_model_folder_turns_recordings_into_exact_text(run: Run, tmp_path: Path) -> None:
    done = run("transcribe", NANO, "-o", "out", "-f", "txt,srt,json", "--model", NANO)
    assert done.returncode == 0, done.stderr
    assert "model nano, device cpu (int8" in done.stderr
    device = "cpu (int8, signed)" if has_vnni() else "cpu (int8)"
    assert f"device {device}: no Ascend NPU on this machine" in done.stderr
    texts = {name: (tmp_path / "out" / f"words-{name}-pauses.txt").read_text().strip() for name in ("with", "without")}
    assert texts == {"with": WITH_PAUSES, "without": WITHOUT_PAUSES}
    document = json.loads((tmp_path / "out" / "words-without-pauses.json").read_text())
    assert (document["language"], document["model"], document["device"]) == ("zh", "nano", device)
    tokens = [token for segment in document["segments"] for token in segment["tokens"]]
    assert "".join(token["text"] for token in tokens) == WITHOUT_PAUSES
    assert all(one["start"] < other["start"] for one, other in pairwise(tokens))
    assert all(scene["events"] == ["speech"] for scene in document["scenes"])


def test_results_are_scored_against_references(run: Run, tmp_path: Path) -> None:
    run("transcribe", NANO / "words-with-pauses.flac", "-o", "out", "-f", "txt", "--model", NANO)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "words-with-pauses.txt").write_text("收缩大体专心报告小于结算", encoding="utf-8")
    done = run("score", "out", "reference", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["rate"] == pytest.approx(1 / 12, abs=1e-4)


def test_nothing_is_left_at_home_and_nobody_is_told(run: Run, tmp_path: Path) -> None:
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    places = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    done = run("transcribe", NANO / "words-with-pauses.flac", "--model", NANO, env={**environment, **places})
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home").rglob("*")) == list((tmp_path / "temporary").rglob("*")) == []


def test_a_precision_that_the_model_lacks_is_said(run: Run) -> None:
    done = run("transcribe", NANO, "--model", NANO, "--precision", "float32")
    assert done.returncode == 4
    assert "has no weights for --precision float32, only int8" in done.stderr


def test_a_checkpoint_is_told_how_to_become_a_model(run: Run, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "model.pt").write_bytes(b"")
    done = run("transcribe", NANO, "--model", "checkpoint")
    assert done.returncode == 4
    assert "funasr-cli export checkpoint -o DIR" in done.stderr
