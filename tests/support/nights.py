"""Runs with the real output store, whose transcripts are made up from the content of the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import InputError, Postponed
from funasr_cli.inputs.scan import scan
from funasr_cli.models.store import Model
from funasr_cli.settings.fingerprint import fingerprint
from funasr_cli.settings.transcription import Settings
from funasr_cli.store.entries import InputContent
from funasr_cli.store.manifest import RunInfo
from funasr_cli.store.opening import open_store
from funasr_cli.store.planner import Action, PlanRules
from funasr_cli.store.sinks import FileSink
from funasr_cli.transcript import Paragraph, Segment, Token, Transcript

MODEL = "d0" * 32


@dataclass(frozen=True)
class Night:
    """Results of one run: the reason for each recording that was done, by relative path; and the warnings."""

    done: dict[str, str]
    left: dict[str, str]
    warnings: list[str]


Sleepless = Callable[..., Night]


def of(sha256: str) -> Model:
    return Model("m", "whisper", Path("m"), Path("m/model.bin"), "float32", sha256, sha256)


def transcript(content: str) -> Transcript:
    token = Token(content, 0.0, 1.0, 0.9)
    return Transcript(
        "s", 1.0, 1.0, "zh", "m", MODEL, "cpu", (Segment(0.0, 1.0, (token,)),), (Paragraph(0.0, content),), ()
    )


def nights(folder: Path) -> Sleepless:
    """Return a function that runs over `in` (or other roots) into `out` with the given settings.

    `while_read` is called during each file. `folder` becomes the current folder, and gets a folder `in`.
    """
    (folder / "in").mkdir()

    def run(
        *roots: str,
        settings: Settings | None = None,
        model: str = MODEL,
        out: str = "out",
        beside: bool = False,
        fail: Sequence[str] = (),
        while_read: Callable[[], object] = lambda: None,
        **rules: object,
    ) -> Night:
        settings = settings or Settings()
        result = Night({}, {}, [])
        run_info = RunInfo("m", model, "cpu", "tests", fingerprint(settings, of(model)))
        with open_store(Path(out), beside=beside, wait=False, tell=result.warnings.append) as store:
            sources = scan(roots or ("in",), Path(out)).sources
            for job in store.jobs(sources, PlanRules(run_info.fingerprint, settings.formats, **rules)):  # type: ignore[arg-type]
                name = str(job.source.relative)
                if job.action is Action.LEAVE:
                    result.left[name] = job.why
                    store.skip(job, job.why, run_info)
                if job.action is not Action.DO:
                    continue
                sink = FileSink(store, job, settings, run_info)
                sink.start()
                found = InputContent.of(job.source.path)
                try:
                    if name in fail:
                        raise InputError("broken", where=job.source.path)
                    content = f"{job.source.path.read_text()} {settings.language} {model[:2]}"
                    while_read()
                    result.warnings.extend(sink.deliver(transcript(content), found, {}))
                    result.done[name] = job.why
                except (InputError, Postponed) as error:
                    sink.fail(error, found, {})
                    result.left[name] = error.what
        return result

    return run


def put(name: str, content: str = "speech") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def outputs(folder: str = "out") -> set[str]:
    hidden = {"manifest.jsonl", ".funasr-cli", ".funasr-cli.damaged"}
    paths = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return {str(path) for path in paths if path.parts[0] not in hidden}


def manifest() -> list[dict[str, object]]:
    return [json.loads(line) for line in Path("out/manifest.jsonl").read_text(encoding="utf-8").splitlines()]
