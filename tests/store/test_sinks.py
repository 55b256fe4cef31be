"""Where results go: onto stdout, or into files that are on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from funasr_cli.errors import InputError, OutputError, Postponed
from funasr_cli.files import sha256_of
from funasr_cli.inputs.scan import Source, scan
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
from funasr_cli.store.output_files import write_outputs
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.planner import PlanRules
from funasr_cli.store.sinks import FileSink, StdoutSink
from funasr_cli.transcript import Paragraph, Segment, Token, Transcript

RUN = RunInfo("m", "d0" * 32, "cpu", "tests", "{}")
SETTINGS = Settings(formats=("txt", "tsv"))


def transcript(*words: str) -> Transcript:
    segments = tuple(Segment(0.0, 1.0, (Token(word, 0.0, 1.0, 0.9),)) for word in words)
    paragraphs = tuple(Paragraph(0.0, word) for word in words)
    return Transcript("a", 1.0, 1.0, "en", "m", "d0", "cpu", segments, paragraphs, ())


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(b"sound")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OutputStore]:
    with open_store(tmp_path / "out", beside=False, wait=False, tell=print) as store:
        yield store


def source_of(recording: Path) -> Source:
    (source,) = scan([str(recording)], None).sources
    return source


def sink_of(store: OutputStore, recording: Path) -> FileSink:
    (job,) = store.jobs([source_of(recording)], PlanRules(RUN.fingerprint, SETTINGS.formats))
    sink = FileSink(store, job, SETTINGS, RUN)
    sink.start()
    return sink


def last_line(recording: Path) -> dict[str, Any]:
    lines = (recording.parent / "out" / "manifest.jsonl").read_text().splitlines()
    line: dict[str, Any] = json.loads(lines[-1])
    return line


def test_stdout_gets_each_format_in_turn_and_nothing_for_a_failure(recording: Path) -> None:
    printed: list[bytes] = []
    sink = StdoutSink(source_of(recording), SETTINGS, printed.append)
    sink.start()
    assert (sink.source.path, sink.size, sink.failed_before) == (recording, 5, False)
    assert sink.deliver(transcript("word"), InputContent(), {}) == []
    (text,) = printed
    assert text.startswith(b"word\n")
    assert b"\tword" in text.partition(b"\n")[2]
    sink.fail(InputError("broken"), InputContent(), {})
    assert len(printed) == 1


@pytest.mark.parametrize(("content", "size"), [(b"", 1), (b"s", 1), (b"sound", 5), (None, 1)])
def test_a_job_is_as_large_as_its_file_and_never_nothing(
    store: OutputStore, recording: Path, content: bytes | None, size: int
) -> None:
    source, sink = source_of(recording), sink_of(store, recording)
    if content is None:
        recording.unlink()
    else:
        recording.write_bytes(content)
    assert StdoutSink(source, SETTINGS, print).size == size
    assert FileSink(store, sink._job, SETTINGS, RUN).size == size


@pytest.mark.parametrize(("words", "status"), [(["word"], "done"), ([], "empty")])
def test_a_result_is_written_and_put_down(store: OutputStore, recording: Path, words: list[str], status: str) -> None:
    sink, content = sink_of(store, recording), InputContent.of(recording)
    assert sink.deliver(transcript(*words), content, {"recognize": 1.23456}) == []
    line = last_line(recording)
    assert (line["status"], line["sha256"], line["seconds"]) == (status, content.sha256, {"recognize": 1.235})
    out = recording.parent / "out"
    assert line["outputs"] == {name: sha256_of(out / name) for name in ("a.txt", "a.tsv")}
    assert sink.failed_before is False


def test_an_output_that_cannot_be_written_is_an_error_of_its_recording(store: OutputStore, recording: Path) -> None:
    sink = sink_of(store, recording)
    writes = sink.place(InputContent.of(recording), {"txt": "11"})
    writes[0].path.mkdir()
    with pytest.raises(OutputError, match=r"out/a\.txt"):
        sink.deliver(transcript("word"), InputContent.of(recording), {})


def test_an_output_whose_folder_cannot_be_made_is_an_error_too(store: OutputStore, recording: Path) -> None:
    writes = sink_of(store, recording).place(InputContent.of(recording), {"txt": "11"})
    elsewhere = recording / "a.txt"
    with pytest.raises(OutputError, match=r"Not a directory|File exists"):
        write_outputs([replace(writes[0], path=elsewhere, temporary=elsewhere.with_name(".tmp"))], {"txt": b"word"})


def test_what_was_half_written_goes_when_its_writer_is_dead(store: OutputStore, recording: Path) -> None:
    sink = sink_of(store, recording)
    text, table = sink.place(InputContent.of(recording), {"txt": "11", "tsv": "22"})
    table.temporary.write_text("half")  # the writer died before it began on the other
    sink.abandon()
    assert not table.temporary.exists()
    text.temporary.mkdir()  # cannot be removed: left for the next run
    sink.abandon()


def test_what_changed_while_it_was_read_is_put_down_as_skipped(store: OutputStore, recording: Path) -> None:
    sink = sink_of(store, recording)
    sink.fail(Postponed("changed while it was read", where=recording), InputContent.of(recording), {})
    line = last_line(recording)
    assert (line["status"], line["error"]) == ("skipped", "changed while it was read")


def test_a_failure_is_of_the_content_that_was_read(store: OutputStore, recording: Path) -> None:
    content = InputContent.of(recording)
    recording.write_bytes(b"another")
    sink_of(store, recording).fail(InputError("broken", where=recording), content, {})
    assert last_line(recording)["sha256"] == content.sha256
    sink = sink_of(store, recording)
    sink.fail(InputError("broken", where=recording), InputContent(), {})  # who read it died before it could say what
    assert last_line(recording)["sha256"] == sha256_of(recording)
    assert (last_line(recording)["failed_before"], sink.failed_before) == (False, False)
    again = sink_of(store, recording)
    again.fail(InputError("broken", where=recording), InputContent(), {})
    assert (last_line(recording)["failed_before"], again.failed_before) == (True, True)
