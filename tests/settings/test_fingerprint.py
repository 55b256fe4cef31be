"""The settings that an output folder remembers: one more letter, and whole archives would be transcribed again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from funasr_cli.audio.options import VadOptions
from funasr_cli.hotwords import Hotword, read_hotwords
from funasr_cli.models.store import Model
from funasr_cli.outputs.layout import OutputLayout
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.settings.transcription import Settings
from funasr_cli.text.options import SegmentLimits

MODEL = Model("nano", "sensevoice", Path(), Path(), "int8", "file", "all files")

VERSION_0_1_0 = (
    '{"channels": "mix", "correction": "safe", "hotwords": null, "itn": true, "language": null, '
    '"layout": {"bom": false, "crlf": false, "txt": "paragraphs"}, "model": "all files", "overlap": 2.0, '
    '"precision": "int8", "script": "simplified", "segments": {"columns": 42, "pause": 0.8, "seconds": 7.0}, '
    '"vad": {"min_silence": 0.3, "min_speech": 0.1, "padding": 0.3, "threshold": 0.4}}'
)


def test_the_defaults_are_on_record_as_in_version_0_1_0() -> None:
    assert fingerprint(Settings(), MODEL) == VERSION_0_1_0


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        (Settings(layout=OutputLayout(bom=True)), "layout"),
        (Settings(channels="split"), "channels"),
        (Settings(language="zh"), "language"),
        (Settings(vad=None), "vad"),
        (Settings(vad=VadOptions(threshold=0.5)), "vad"),
        (Settings(overlap=1.0), "overlap"),
        (Settings(itn=False), "itn"),
        (Settings(hotwords=(Hotword("word"),)), "hotwords"),
        (Settings(correction=None), "correction"),
        (Settings(script=None), "script"),
        (Settings(segments=SegmentLimits(lines=2)), "segments"),
        (Settings(segments=SegmentLimits(strict=True)), "segments"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_setting_that_matters_is_in_it(changed: Settings, key: str) -> None:
    before, after = json.loads(VERSION_0_1_0), json.loads(fingerprint(changed, MODEL))
    assert {name for name in before if before[name] != after[name]} == {key}


def test_formats_and_the_order_of_hotwords_do_not_matter() -> None:
    one, other = Hotword("one"), Hotword("other", 30.0, where="gov.txt:3")
    listed = fingerprint(Settings(hotwords=(one, other)), MODEL)
    assert listed == fingerprint(Settings(hotwords=(Hotword("other", 30.0), one), formats=("json",)), MODEL)
    assert listed != fingerprint(Settings(hotwords=(one, Hotword("other", 31.0))), MODEL)


def test_lists_that_read_as_ever_are_on_record_as_in_version_0_1_0(tmp_path: Path) -> None:
    path = tmp_path / "gov.txt"
    text = "# 政府\n新发展格局 40\n一带一路\n碳达峰　３０\n人工 智能 0.5\n二十大 20 30\nC# 5\n智能体 30%\n"
    text += "iPhone 15 30\n12306 30\n"
    path.write_text(text, encoding="utf-8")
    record = json.loads(fingerprint(Settings(hotwords=read_hotwords([path]).words), MODEL))
    assert record["hotwords"] == "d2c336a6bc13fe5617c1ac7f334d1de5da3742cbb3d933f45efad4ec8661a8af"
