"""The commands `funasr-cli export` and `funasr-cli freeze`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import UsageError
from funasr_cli.extras import need
from funasr_cli.models.atomic_folder import atomic_folder


def from_checkpoint(folder: Path, target: Path, *, window: float, topk: int, int8: bool, tell: Tell) -> None:
    """Write graphs to the folder `target`, from a checkpoint `folder`. Raises like `export_checkpoint` and `build`."""
    from funasr_cli.export.checkpoint import export_checkpoint

    with _workplace(target, tell) as (work, scratch):
        tell(f"tracing {folder / 'model.pt'}")
        export_checkpoint(folder, scratch / "traced.onnx")
        _build(scratch / "traced.onnx", folder / "model.pt", work, scratch, window, topk, int8, tell)


def from_graph(graph: Path, target: Path, *, window: float, topk: int, int8: bool, tell: Tell) -> None:
    """Write graphs to the folder `target`, from a published graph with free dimensions. Raises like `build`."""
    with _workplace(target, tell) as (work, scratch):
        _build(graph, graph, work, scratch, window, topk, int8, tell)


def _build(
    dynamic: Path, source: Path, work: Path, scratch: Path, window: float, topk: int, int8: bool, tell: Tell
) -> None:
    need("freeze", "onnx")
    from funasr_cli.export.folder import build

    build(dynamic, source, work, scratch, window=window, topk=topk, int8=int8, tell=tell)


@contextmanager
def _workplace(target: Path, tell: Tell) -> Iterator[tuple[Path, Path]]:
    """Yield the folder that becomes `target`, and a scratch folder; both are removed if anything goes wrong."""
    if target.exists():
        raise UsageError(f"{target} already exists", hint="Nothing is overwritten: name a new folder.")
    with atomic_folder(target) as work:
        scratch = work / "scratch"
        scratch.mkdir()
        yield work, scratch
        shutil.rmtree(scratch)
    tell(f"{target} is ready")
