"""What `funasr-cli export` and `funasr-cli freeze` do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from funasr_cli.errors import MachineError, UsageError
from funasr_cli.models.place import whole_folder

Tell = Callable[[str], object]


def from_checkpoint(folder: Path, target: Path, *, window: float, topk: int, int8: bool, tell: Tell) -> None:
    """Graphs in the folder `target`, from FunASR's checkpoint in `folder`. Raises as `export_checkpoint`, `build`."""
    _check_free(target)
    from funasr_cli.export.checkpoint import export_checkpoint

    with tempfile.TemporaryDirectory() as work:
        dynamic = Path(work) / "model.onnx"
        tell(f"tracing {folder / 'model.pt'}")
        export_checkpoint(folder, dynamic)
        _build(dynamic, folder / "model.pt", target, window=window, topk=topk, int8=int8, tell=tell)


def from_graph(graph: Path, target: Path, *, window: float, topk: int, int8: bool, tell: Tell) -> None:
    """Graphs in the folder `target`, from a published one with free dimensions. Raises what `build` does."""
    _check_free(target)
    _build(graph, graph, target, window=window, topk=topk, int8=int8, tell=tell)


def _build(dynamic: Path, source: Path, target: Path, *, window: float, topk: int, int8: bool, tell: Tell) -> None:
    try:
        from funasr_cli.export.folder import build
    except ModuleNotFoundError as error:
        raise MachineError(f"{error}", hint="pip install 'funasr-cli[freeze]'") from error
    with whole_folder(target) as folder:
        build(dynamic, source, folder, window=window, topk=topk, int8=int8, tell=tell)
    tell(f"{target} is ready")


def _check_free(target: Path) -> None:
    if target.exists():
        raise UsageError(f"{target} exists already", hint="Name a folder that does not; nothing is overwritten.")
