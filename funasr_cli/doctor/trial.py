"""One run on an NPU, in a process of its own: whatever the driver does to that process, this one lives on."""

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

if TYPE_CHECKING:  # NumPy may be what does not load here
    from funasr_cli.arrays import Arrays, TensorSpec

TRIAL_TIMEOUT_S = 180.0
"""Seconds: loading a model and its first run take tens of seconds on a busy machine. The run alone may take half."""

FREE_FRAMES = 100
"""What a free dimension is given: six seconds of speech."""

MAX_FREE_FRAMES = 4 * FREE_FRAMES
"""What a free dimension may come to in the outputs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of it. `om` is what was run, in `seconds`; None where there is none for this `soc`.

    Where it failed, `reason` says why and `hint` what may help; `stuck`: it hung, or the device failed in the run;
    a reset may be what helps then.
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
    """Run the first OM in the folders that is for this NPU's SoC once, with zeros."""
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
    except Exception as error:  # an OM may be of any kind, and NumPy not load
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
    """The OM for a SoC in the first of the folders that has one."""
    for folder in folders:
        try:
            return choose_om(folder, soc)
        except ModelError:
            continue
    return None


def _inputs(specs: Sequence[TensorSpec]) -> Arrays:
    """Silence: zeros, but ones for whole numbers, which are lengths and choices."""
    import numpy as np

    return {
        spec.name: np.full(
            [FREE_FRAMES if size is None else size for size in spec.shape], spec.dtype.kind in "iu", spec.dtype
        )
        for spec in specs
    }


def _be_silent() -> None:
    """The runtime writes where it likes; stdout is the report's."""
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
