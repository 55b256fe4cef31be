"""Each call that the executor makes fails by itself, anywhere in its life: the right text or an error, never another
window's text, and nothing is left on the device.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.arrays import Arrays
from funasr_cli.errors import DeviceError, FunasrError
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.failover import FailoverExecutor
from tests.simulator.conftest import bare as bare
from tests.simulator.fixtures import Npu, compile_om
from tests.support.graphs import write_graph

LOST, REFUSED = 507011, 107000
"""An error that makes the device unusable until a reset, and one that does not."""

FRAMES = 10
LENGTHS = (FRAMES, 3, FRAMES, 4)
LAYOUTS = ("static", "gears", "dynamic")

WITHOUT_CODE = {
    "get_soc_name", "get_recent_err_msg", "get_tensor_desc_num_dims", "destroy_tensor_desc", "mdl.get_num_inputs",
    "mdl.get_num_outputs", "mdl.get_input_name_by_index", "mdl.get_output_name_by_index", "mdl.get_input_data_type",
    "mdl.get_output_data_type", "mdl.get_input_size_by_index", "mdl.get_output_size_by_index",
}  # fmt: skip
"""Calls that do not report failures."""

HANDLES = {"mdl.create_desc", "mdl.create_dataset", "create_data_buffer"}
"""Calls that return nothing if they fail, so that a later call reports the reason."""

RELEASES = {
    "destroy_data_buffer", "mdl.destroy_dataset", "mdl.destroy_desc", "mdl.unload", "rt.free", "rt.free_host",
    "rt.destroy_stream", "rt.destroy_context", "rt.reset_device", "finalize",
}  # fmt: skip
"""Calls after whose failure something is still held, through no fault of the program."""

LAST = ("rt.destroy_context", "rt.reset_device")
"""The runtime is not ended if it does not release the device."""

NEEDED = {"rt.set_context", "rt.synchronize_stream_with_timeout"}
"""Without these calls nothing can be released."""


@pytest.fixture(scope="module")
def oms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of the mean of ten frames, of 4 or 10 frames, and of any number of frames."""
    folder = tmp_path_factory.mktemp("oms")
    fixed, free = write_graph(folder / "fixed.onnx", FRAMES), write_graph(folder / "free.onnx", "frames")
    return {
        "static": compile_om(fixed, folder / "static.om", "x:1,10,2;count:1"),
        "gears": compile_om(free, folder / "gears.om", "x:1,-1,2;count:1", "--dynamic_dims=4;10"),
        "dynamic": compile_om(free, folder / "dynamic.om", "x:1,-1,2;count:1"),
    }


def window(number: int) -> Arrays:
    """Frames whose values, and so their mean, are the number of the window."""
    frames = LENGTHS[number]
    return {"x": np.full((1, frames, 2), number, np.float32), "count": np.array([frames], np.int32)}


@dataclass
class Life:
    """The results of a process that opened an OM, ran its windows two at a time, and closed the OM."""

    outcomes: list[float | FunasrError] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    error: FunasrError | None = None
    calls: list[Counter[str]] = field(default_factory=list)
    """How often each call had been made when the OM was open, after the windows were run, and at the end."""
    problems: list[str] = field(default_factory=list)
    """Broken rules, and what was not released."""


def live(bare: Npu, om: Path, failures: Mapping[str, int]) -> Life:
    bare.process = None  # what the last one left behind was checked
    bare.set(late=True, failures=failures)
    life = Life()
    try:
        ascend = AscendExecutor(lambda _: om, longest=FRAMES)
        life.calls.append(bare.process.calls.copy())
        executor = FailoverExecutor(ascend, None, life.told.append)
        run_all(executor, life.outcomes)
        life.calls.append(bare.process.calls.copy())
        executor.close()
    except FunasrError as error:
        life.error = error
    life.calls.append(bare.process.calls.copy())
    life.problems = bare.violations() + bare.process.leaks()
    return life


def run_all(executor: FailoverExecutor, outcomes: list[float | FunasrError]) -> None:
    begun = [executor.begin(window(0))]
    for number in range(1, len(LENGTHS) + 1):
        if number < len(LENGTHS):
            begun.append(executor.begin(window(number)))
        try:
            outputs, _ = begun.pop(0)()
            (mean,) = set(outputs["mean"].ravel().tolist())
            outcomes.append(mean)
        except DeviceError as error:
            outcomes.append(error)


RIGHT = [float(number) for number in range(len(LENGTHS))]
OPENING, RUNNING, CLOSING = range(3)


def made_in(life: Life, phase: int) -> Iterator[tuple[str, range]]:
    """The calls that were made in a phase, each with its ordinal number."""
    for call, count in life.calls[phase].items():
        before = life.calls[phase - 1][call] if phase else 0
        if count > before and call not in WITHOUT_CODE:
            yield call, range(before + 1, count + 1)


@pytest.mark.parametrize("code", [REFUSED, LOST])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_cannot_be_opened_is_given_back_and_says_why(
    bare: Npu, oms: Mapping[str, Path], layout: str, code: int
) -> None:
    clean = live(bare, oms[layout], {})
    assert (clean.outcomes, clean.told, clean.error, clean.problems) == (RIGHT, [], None, [])
    for call, times in made_in(clean, OPENING):
        for at in {times[0], times[-1]}:
            life = live(bare, oms[layout], {f"{call} {at}": code})
            assert f"acl.{call} failed" in str(life.error) or (code == LOST and call in HANDLES)
            assert (life.outcomes, life.problems) == ([], []), (call, at)


@pytest.mark.parametrize("code", [REFUSED, LOST])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_call_that_fails_once_costs_no_window(bare: Npu, oms: Mapping[str, Path], layout: str, code: int) -> None:
    for call, times in made_in(live(bare, oms[layout], {}), RUNNING):
        for at in times:
            life = live(bare, oms[layout], {f"{call} {at}": code})
            assert (life.outcomes, life.error) == (RIGHT, None), (call, at)
            (told,) = life.told
            assert f"acl.{call} failed" in told or code == LOST  # then it may show in another call
            assert not life.problems or call in RELEASES, (call, at)


@pytest.mark.parametrize("code", [REFUSED, LOST])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_call_that_fails_for_good_gives_errors_and_never_another_windows_text(
    bare: Npu, oms: Mapping[str, Path], layout: str, code: int
) -> None:
    for call, times in made_in(live(bare, oms[layout], {}), RUNNING):
        for at in {times[0], times[-1]}:
            life = live(bare, oms[layout], {f"{call} {at}+": code})
            right = [outcome for outcome in life.outcomes if isinstance(outcome, float)]
            assert right == RIGHT[: len(right)], (call, at)
            assert len(right) < len(life.outcomes) == len(RIGHT), (call, at)
            assert not life.problems or call in RELEASES | NEEDED, (call, at)


@pytest.mark.parametrize(
    ("window", "code", "runs"),
    [
        (0, LOST, (1, 2)),
        *((number, REFUSED, (number + 1, number + 3)) for number in range(3)),  # the next one is started in between
        (3, REFUSED, (4, 5)),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_window_that_cannot_be_run_again_either_takes_no_other_with_it(
    bare: Npu, oms: Mapping[str, Path], layout: str, window: int, code: int, runs: tuple[int, int]
) -> None:
    life = live(bare, oms[layout], {f"mdl.execute_async {run}": code for run in runs})
    assert isinstance(life.outcomes[window], DeviceError)
    assert life.outcomes[:window] + life.outcomes[window + 1 :] == RIGHT[:window] + RIGHT[window + 1 :]
    assert not life.problems


@pytest.mark.parametrize("call", ["mdl.execute_async", "rt.synchronize_stream_with_timeout", "rt.memcpy"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_a_reset_the_next_windows_are_right_as_well(
    bare: Npu, oms: Mapping[str, Path], layout: str, call: str
) -> None:
    bare.set(late=True, failures={f"{call} 1": REFUSED})
    with closing(AscendExecutor(lambda _: oms[layout], longest=FRAMES)) as executor:
        with pytest.raises(DeviceError, match=f"acl.{call} failed"):
            executor.run(window(0))
        assert [executor.run(window(number))["mean"][0, 0] for number in range(len(LENGTHS))] == RIGHT
    bare.check()


@pytest.mark.parametrize("code", [REFUSED, LOST])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_cannot_be_given_back_keeps_nothing_else_back(
    bare: Npu, oms: Mapping[str, Path], layout: str, code: int
) -> None:
    clean = live(bare, oms[layout], {})
    for call, times in made_in(clean, CLOSING):
        for at in {times[0], times[-1]}:
            life = live(bare, oms[layout], {f"{call} {at}": code})
            assert life.outcomes == RIGHT
            assert f"acl.{call} failed" in str(life.error)
            assert not life.problems or call in RELEASES
            if code == REFUSED:
                made = clean.calls[-1] - Counter(["finalize"] if call in LAST else [])
                assert life.calls[-1] - Counter(["get_recent_err_msg"]) == made, (call, at)
            else:
                assert bare.process.finalised or call in (*LAST, "finalize")
