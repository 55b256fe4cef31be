"""Each format as its readers expect it."""

from __future__ import annotations

import codecs
import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import srt

from funasr_cli.outputs.layout import OutputLayout, TxtLayout
from funasr_cli.outputs.writers import encode
from funasr_cli.transcript import Correction, Paragraph, Scene, Segment, Token, Transcript


def transcript(*lines: tuple[float, float, str]) -> Transcript:
    return Transcript(
        source="会议/a.wav",
        duration=4000.0,
        speech_seconds=12.3456,
        language="zh",
        model="whisper-base",
        model_sha256="d0" * 32,
        device="cpu (float32)",
        segments=tuple(Segment(start, end, (Token(text, start, end, 0.98765),)) for start, end, text in lines),
        paragraphs=tuple(Paragraph(start, text) for start, _, text in lines),
        warnings=("cut off",),
        scenes=(Scene(0.0, 15.0, "happy", ("speech", "laughter")),),
        corrections=(Correction("心发展隔局", "新发展格局", 0.98765, 1.0, 2.0004),),
    )


TALK = transcript((0.5, 2.0, "各位好。"), (3599.9996, 3661.25, "a < b & c\t--> d"))
CALL = replace(
    TALK,
    segments=(replace(TALK.segments[0], channel=2), Segment(1.0, 3.0, (Token("a < b\t1", 1.0, 3.0, 1.0),), channel=1)),
    paragraphs=(Paragraph(0.5, "各位好。", channel=2), Paragraph(1.0, "a < b\t1", channel=1)),
    scenes=(replace(TALK.scenes[0], channel=1),),
    corrections=(replace(TALK.corrections[0], channel=2),),
)
"""Two channels, transcribed separately, that speak at the same time."""

SILENCE = transcript()


PLAIN = OutputLayout()


def written(kind: str, transcript: Transcript, layout: OutputLayout = PLAIN) -> str:
    return encode(kind, transcript, layout).decode()


def test_srt_is_read_by_a_library() -> None:
    cues = list(srt.parse(written("srt", TALK)))
    assert [cue.content for cue in cues] == ["各位好。", "a < b & c\t--> d"]
    assert [cue.index for cue in cues] == [1, 2]
    assert cues[0].end == timedelta(seconds=2)
    assert (cues[1].start, cues[1].end) == (timedelta(hours=1), timedelta(hours=1, seconds=61.25))


def test_vtt_escapes_what_it_reserves() -> None:
    assert written("vtt", TALK) == (
        "WEBVTT\n"
        "\n00:00:00.500 --> 00:00:02.000\n各位好。\n"
        "\n01:00:00.000 --> 01:01:01.250\na &lt; b &amp; c\t--&gt; d\n"
    )


def test_txt_has_a_paragraph_a_line() -> None:
    assert written("txt", TALK) == "各位好。\na < b & c\t--> d\n"


@pytest.mark.parametrize(
    ("layout", "content"),
    [
        ("paragraphs", "各位好。\na < b & c\t--> d\n"),
        ("plain", "各位好。 a < b & c\t--> d\n"),
        ("timestamps", "[00:00:00] 各位好。\n[01:00:00] a < b & c\t--> d\n"),
    ],
)
def test_txt_has_three_layouts(layout: TxtLayout, content: str) -> None:
    assert written("txt", TALK, OutputLayout(layout)) == content
    assert written("txt", SILENCE, OutputLayout(layout)) == ""


def test_times_from_a_hundred_hours_on_are_whole() -> None:
    long = replace(TALK, paragraphs=(Paragraph(360_061.0, "各位好。"),))
    assert written("txt", long, OutputLayout("timestamps")) == "[100:01:01] 各位好。\n"


def test_tsv_has_milliseconds_and_one_line_a_segment() -> None:
    rows = list(csv.DictReader(io.StringIO(written("tsv", TALK)), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows == [
        {"start": "500", "end": "2000", "text": "各位好。"},
        {"start": "3600000", "end": "3661250", "text": "a < b & c --> d"},
    ]


def test_only_subtitles_break_lines() -> None:
    tokens = (Token("各位好，", 0.5, 1.0, 0.9), Token(" a <", 1.0, 1.5, 0.9), Token(" b", 1.5, 2.0, 0.9))
    talk = replace(TALK, segments=(Segment(0.5, 2.0, tokens, channel=2, breaks=(1,)),))
    (cue,) = srt.parse(written("srt", talk))
    assert cue.content == "[2] 各位好，\na < b"
    assert written("vtt", talk).endswith("\n<v 2>各位好，\na &lt; b\n")
    assert json.loads(written("json", talk))["segments"][0]["text"] == "各位好， a < b"
    assert written("tsv", talk).splitlines()[1:] == ["500\t2000\t各位好， a < b\t2"]
    assert written("srt", talk, OutputLayout(crlf=True)).endswith("各位好，\r\na < b\r\n")


def test_json_tells_everything() -> None:
    document = json.loads(written("json", TALK))
    assert document["segments"][0] == {
        "start": 0.5,
        "end": 2.0,
        "text": "各位好。",
        "tokens": [{"text": "各位好。", "start": 0.5, "end": 2.0, "confidence": 0.9877}],
    }
    del document["segments"]
    assert document == {
        "version": 1,
        "source": "会议/a.wav",
        "duration": 4000.0,
        "speech_seconds": 12.346,
        "language": "zh",
        "model": "whisper-base",
        "model_sha256": "d0" * 32,
        "device": "cpu (float32)",
        "warnings": ["cut off"],
        "scenes": [{"start": 0.0, "end": 15.0, "emotion": "happy", "events": ["speech", "laughter"]}],
        "corrections": [{"from": "心发展隔局", "to": "新发展格局", "score": 0.9877, "start": 1.0, "end": 2.0}],
        "text": "各位好。\na < b & c\t--> d",
    }


@pytest.mark.parametrize(
    ("layout", "content"),
    [
        ("paragraphs", "[2] 各位好。\n[1] a < b\t1\n"),
        ("plain", "[2] 各位好。 [1] a < b\t1\n"),
        ("timestamps", "[00:00:00] [2] 各位好。\n[00:00:01] [1] a < b\t1\n"),
    ],
)
def test_txt_labels_paragraphs_with_their_channel(layout: TxtLayout, content: str) -> None:
    assert written("txt", CALL, OutputLayout(layout)) == content


def test_srt_labels_cues_with_their_channel() -> None:
    cues = list(srt.parse(written("srt", CALL)))
    assert [cue.content for cue in cues] == ["[2] 各位好。", "[1] a < b\t1"]
    assert cues[1].start < cues[0].end


def test_vtt_has_a_voice_for_each_channel() -> None:
    assert written("vtt", CALL) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.000\n<v 2>各位好。\n\n00:00:01.000 --> 00:00:03.000\n<v 1>a &lt; b\t1\n"
    )


def test_tsv_names_the_channel_in_a_last_column() -> None:
    assert written("tsv", CALL) == "start\tend\ttext\tchannel\n500\t2000\t各位好。\t2\n1000\t3000\ta < b 1\t1\n"


def test_json_has_the_channel_of_what_was_heard() -> None:
    document = json.loads(written("json", CALL))
    assert [segment["channel"] for segment in document["segments"]] == [2, 1]
    assert (document["scenes"][0]["channel"], document["corrections"][0]["channel"]) == (1, 2)
    assert document["text"] == "各位好。\na < b\t1"


@pytest.mark.parametrize(
    ("kind", "content"), [("txt", ""), ("srt", ""), ("vtt", "WEBVTT\n"), ("tsv", "start\tend\ttext\n")]
)
def test_silence_makes_a_file_without_lines(kind: str, content: str) -> None:
    assert written(kind, SILENCE) == content


@pytest.mark.parametrize("kind", ["txt", "srt", "vtt", "tsv"])
def test_windows_programs_get_a_byte_order_mark_and_their_line_ends(kind: str) -> None:
    plain, windows = encode(kind, TALK, PLAIN), encode(kind, TALK, OutputLayout(bom=True, crlf=True))
    assert windows == codecs.BOM_UTF8 + plain.replace(b"\n", b"\r\n")
    assert windows.count(b"\n") == windows.count(b"\r\n") > 0


def test_json_is_the_same_for_windows() -> None:
    assert encode("json", TALK, OutputLayout(bom=True, crlf=True)) == encode("json", TALK, PLAIN)


def test_json_has_the_language_of_a_segment_if_it_is_known() -> None:
    talk = replace(TALK, segments=(replace(TALK.segments[0], language="zh"), TALK.segments[1]))
    assert [segment.get("language") for segment in json.loads(written("json", talk))["segments"]] == ["zh", None]
