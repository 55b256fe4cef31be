"""A trial run on an NPU, in its own process, so that this one survives whatever the driver does."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from funasr_cli.errors import DeviceLost, FunasrError, ModelError
from funasr_cli.models.om_files import choose_om
from funasr_cli.system.isolated import NoAnswer, run_isolated

if TYPE_CHECKING:  # NumPy may be the package that cannot be loaded
    from funasr_cli.arrays import Arrays, TensorSpec

TRIAL_TIMEOUT_S = 180.0
"""Seconds: loading a model and its first run take tens of seconds on a busy machine. The run alone gets half of it."""

FREE_FRAMES = 100
"""Size given to a free dimension of the inputs: six seconds of speech."""

MAX_FREE_FRAMES = 4 * FREE_FRAMES
"""Maximum size of a free dimension of the outputs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a trial: the `om` that ran, and in how many `seconds`; None if there is none for this `soc`.

    If the trial failed, `reason` says why and `hint` what may help. `stuck` means that it hung or the device failed
    during the run, so that a reset may help.
    """

    soc: str = ""
    om: Path | None = None
    seconds: float = 0.0
    reason: str = ""
    hint: str = ""
    stuck: bool = False


class _NothingFits(ModelError):
    def __init__(self, soc: str) -> None:
        super().__init__(f"no OM for {soc}")
        self.soc = soc


def run_trial(npu: int, folders: Sequence[Path]) -> Trial:
    """Run the first OM in `folders` that fits this NPU's SoC once, on zeros."""
    try:
        return run_isolated(
            "funasr-trial", TRIAL_TIMEOUT_S, _try, npu, [folder.absolute() for folder in folders], TRIAL_TIMEOUT_S / 2
        )
    except NoAnswer as error:
        return Trial(reason=error.what, stuck=error.hung)


def _try(npu: int, folders: Sequence[Path], time_limit: float) -> Trial:
    _be_silent()
    try:
        return _run(npu, folders, time_limit)
    except _NothingFits as error:
        return Trial(soc=error.soc)
    except DeviceLost as error:
        return Trial(reason=error.what, stuck=True)
    except FunasrError as error:
        return Trial(reason=error.what, hint=error.hint or "")
    except Exception as error:  # the OM may be anything, or NumPy may not load
        return Trial(reason=f"{type(error).__name__}: {error}")


def _run(npu: int, folders: Sequence[Path], time_limit: float) -> Trial:
    from funasr_cli.executors.ascend.executor import AscendExecutor

    found: list[tuple[str, Path]] = []

    def find(soc: str) -> Path:
        om = find_om(folders, soc)
        if om is None:
            raise _NothingFits(soc)
        found.append((soc, om))
        return om

    with closing(AscendExecutor(find, longest=MAX_FREE_FRAMES, npu=npu, time_limit=time_limit)) as executor:
        started = time.perf_counter()
        executor.run(_inputs(executor.inputs))
        return Trial(*found[0], time.perf_counter() - started)


def find_om(folders: Sequence[Path], soc: str) -> Path | None:
    """Find the OM for a SoC in the first folder that has one."""
    for folder in folders:
        try:
            return choose_om(folder, soc)
        except ModelError:
            continue
    return None


def _inputs(specs: Sequence[TensorSpec]) -> Arrays:
    """Make inputs of silence: zeros, but ones for integers, which are lengths and choices."""
    import numpy as np

    return {
        spec.name: np.full(
            [FREE_FRAMES if size is None else size for size in spec.shape], spec.dtype.kind in "iu", spec.dtype
        )
        for spec in specs
    }


def _be_silent() -> None:
    """Discard stdout and stderr: the runtime writes to both, but stdout belongs to the report."""
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
