"""How the simulated runtime treats a program that keeps its rules, including machine faults."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.simulator.fixtures import Npu
from tests.simulator.program import FRAMES, TO_DEVICE, TO_HOST, Program


@pytest.fixture
def program(acl: ModuleType, oms: dict[str, Path]) -> Program:
    return Program(acl, str(oms["static"]))


def test_a_program_that_breaks_no_rule_gets_its_result(bare: Npu, program: Program) -> None:
    program.upload()
    assert program.start() == program.wait() == 0
    program.copy(2, TO_HOST)
    assert program.read() == [5.0, 5.0]
    program.end()
    bare.check()


def test_copies_and_runs_of_one_stream_are_in_order(bare: Npu, program: Program) -> None:
    program.upload()
    program.write(0, [2.0] * 20)
    assert program.copy_async(0, TO_DEVICE) == program.start() == program.copy_async(2, TO_HOST) == program.wait() == 0
    assert program.read() == [10.0, 10.0]
    program.end()
    bare.check()


def test_another_stream_may_go_on_after_an_event(bare: Npu, program: Program) -> None:
    rt = program.acl.rt
    bare.process.machine.run_ms = 50
    other, event = program.value(rt.create_stream()), program.value(rt.create_event())
    program.upload()
    assert program.start() == rt.record_event(event, program.stream) == rt.stream_wait_event(other, event) == 0
    assert program.copy_async(2, TO_HOST, other) == rt.synchronize_event(event) == rt.synchronize_stream(other) == 0
    assert program.read() == [5.0, 5.0]
    assert program.wait() == rt.destroy_event(event) == rt.destroy_stream(other) == 0
    program.end()
    bare.check()


def test_results_are_not_there_before_the_stream_is_synchronised(program: Program) -> None:
    program.upload()
    assert program.start() == program.copy_async(2, TO_HOST) == 0
    time.sleep(0.1)
    assert program.read() != [5.0, 5.0]
    assert program.wait() == 0
    assert program.read() == [5.0, 5.0]


def test_what_is_not_given_back_is_a_leak(bare: Npu, program: Program) -> None:
    assert bare.violations() == []
    with pytest.raises(AssertionError) as caught:
        bare.check()
    kinds = {line.split(" made at")[0] for line in str(caught.value).splitlines()}
    assert {"context", "stream", "model", "modeldesc", "device memory", "host memory", "dataset", "databuffer"} <= kinds
    assert {"device 0, set 1 times more than reset", "acl, not finalised"} <= kinds


def test_pinned_memory_written_after_it_was_freed_is_found(bare: Npu, program: Program) -> None:
    address = program.host[0]
    program.end()
    bare.check()
    ctypes.memset(address, 1, 4)
    with pytest.raises(AssertionError, match="written after it was freed"):
        bare.check()


def test_arguments_are_as_strict_as_those_of_c(program: Program) -> None:
    for arguments in (("64", 0), (64,), (64.0, 0), (np.int64(64), 0)):
        with pytest.raises(TypeError):
            program.acl.rt.malloc(*arguments)
    with pytest.raises(TypeError):
        program.acl.rt.malloc(64, policy=0)


def test_device_memory_cannot_be_touched(program: Program) -> None:
    touch = f"import ctypes; ctypes.string_at({program.memory[0]}, 1)"
    assert subprocess.run([sys.executable, "-c", touch], check=False).returncode < 0


FORK = """
import os, sys
import acl
acl.init()
if os.fork() == 0:
    os._exit(acl.rt.set_device(0) != 0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_a_forked_process_may_not_use_it(bare: Npu) -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr


def ticks_during(function: Callable[[], Any]) -> int:
    """Return how often another Python thread runs in the meantime, with pauses of 2 ms."""
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.wait(0.002):
            ticks[0] += 1

    ticker = threading.Thread(target=tick)
    ticker.start()
    before = ticks[0]
    function()
    after = ticks[0]
    done.set()
    ticker.join()
    return after - before


def test_execute_holds_the_interpreter_and_waiting_for_a_stream_does_not(bare: Npu, program: Program) -> None:
    bare.process.machine.run_ms = 200
    program.upload()
    held = ticks_during(lambda: program.acl.mdl.execute(program.model, program.inputs, program.outputs))
    free = ticks_during(lambda: (program.start(), program.wait()))
    assert free > 20 > held


def test_gears_are_chosen_before_a_run_and_described_afterwards(
    bare: Npu, acl: ModuleType, oms: dict[str, Path]
) -> None:
    program = Program(acl, str(oms["gears"]))
    mdl, desc = acl.mdl, program.desc
    index = program.value(mdl.get_input_index_by_name(desc, "ascend_mbatch_shape_data"))
    assert (index, mdl.get_num_inputs(desc)) == (2, 3)
    assert program.value(mdl.get_input_dims(desc, 0))["dims"] == [1, -1, 2]
    assert mdl.get_input_size_by_index(desc, 0) == 4 * FRAMES * 2
    assert program.value(mdl.get_input_dynamic_gear_count(desc, -1)) == 2
    gears = [gear["dims"] for gear in program.value(mdl.get_input_dynamic_dims(desc, -1, 2))]
    assert gears == [[1, 4, 2, 1], [1, 10, 2, 1]]
    program.sizes.append(mdl.get_input_size_by_index(desc, index))
    program.memory.append(program.value(acl.rt.malloc(program.sizes[3], 0)))
    program.inputs, _ = program.dataset(0, 1, 3)
    program.upload()
    assert program.start() == 145000
    for gear, mean in zip(gears, (2.0, 5.0), strict=True):
        dims = {"name": "", "dimCount": 4, "dims": gear}
        assert mdl.set_input_dynamic_dims(program.model, program.inputs, index, dims) == 0
        assert program.start() == program.wait() == 0
        program.copy(2, TO_HOST)
        assert program.read() == [mean, mean]
    program.ok(acl.rt.memcpy(program.memory[3], 4, program.host[1], 4, TO_DEVICE))
    assert program.start() == 145000
    dims["dims"] = [1, 5, 2, 1]
    assert mdl.set_input_dynamic_dims(program.model, program.inputs, index, dims) == 145000
    assert [line.split(";")[0] for line in bare.violations()] == [
        "a run before set_input_dynamic_dims, or its memory was written to",
        "a run before set_input_dynamic_dims, or its memory was written to",
        "[1, 5, 2, 1] is not a gear of the model",
    ]


def test_a_model_of_any_shape_wants_the_shapes_of_a_run(bare: Npu, acl: ModuleType, oms: dict[str, Path]) -> None:
    program = Program(acl, str(oms["dynamic"]), room=3)
    assert acl.mdl.get_input_size_by_index(program.desc, 0) == 0
    program.upload()
    assert program.start() == 145000
    for index, shape in enumerate([[1, 3, 2], [1]]):
        program.value(acl.mdl.set_dataset_tensor_desc(program.inputs, acl.create_tensor_desc(0, shape, 2), index))
    assert program.start() == 0
    assert acl.mdl.get_dataset_tensor_desc(program.outputs, 0) is None
    assert program.wait() == 0
    made = acl.mdl.get_dataset_tensor_desc(program.outputs, 0)
    assert acl.destroy_tensor_desc(made) is None
    assert bare.violations()[-1].startswith("destroyed a tensor description that belongs to a dataset")
    assert [program.value(acl.get_tensor_desc_dim_v2(made, axis)) for axis in range(2)] == [1, 2]
    program.copy(2, TO_HOST)
    assert program.read() == [1.5, 1.5]


@pytest.mark.parametrize(
    ("settings", "device", "code"),
    [({"socs": []}, 0, 107001), ({}, 1, 107001), ({"busy": [0]}, 0, 507033)],
)
def test_a_device_may_be_missing_or_busy(
    bare: Npu, acl: ModuleType, settings: dict[str, Any], device: int, code: int
) -> None:
    bare.set(**settings)
    assert acl.init() == 0
    assert acl.rt.set_device(device) == code
    assert str(code) in acl.get_recent_err_msg()
    assert acl.finalize() == 0
    bare.check()


def test_visible_devices_are_counted_anew(bare: Npu, acl: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "2,0,x")
    bare.set(socs=["Ascend310P3", "Ascend910B2", "Ascend910B4"])
    assert acl.init() == 0
    assert acl.rt.get_device_count() == (2, 0)
    assert acl.rt.set_device(0) == 0
    assert acl.get_soc_name() == "Ascend910B4"


def test_memory_ends_where_the_machine_says(bare: Npu, program: Program) -> None:
    rt = program.acl.rt
    free, total = rt.get_mem_info(1)[:2]
    assert total == 4096e6 > free
    assert rt.malloc(free + 1, 0) == (0, 207001)
    assert bare.violations() == []


def test_a_model_for_another_soc_is_not_loaded(bare: Npu, acl: ModuleType, oms: dict[str, Path]) -> None:
    bare.set(socs=["Ascend910B2"])
    assert acl.init() == acl.rt.set_device(0) == 0
    assert acl.mdl.load_from_file(str(oms["static"])) == (0, 500002)
    assert "for Ascend310P3, the device is Ascend910B2" in acl.get_recent_err_msg()
    assert acl.rt.reset_device(0) == acl.finalize() == 0
    bare.set(load_error=545005)
    assert acl.init() == acl.rt.set_device(0) == 0
    assert acl.mdl.load_from_file(str(oms["static"])) == (0, 545005)


def test_after_a_fault_only_destruction_and_reset_help(bare: Npu, program: Program) -> None:
    rt = program.acl.rt
    bare.process.machine.faults["2"] = 507011
    program.upload()
    assert program.start() == program.wait() == program.start() == 0
    assert program.wait() == 507011
    assert rt.malloc(64, 0) == (0, 507011)
    assert rt.free(program.memory[0]) == program.start() == 507011
    give_back_what_is_the_hosts(program)
    assert rt.destroy_context(program.context) == 0
    assert rt.create_context(0) == (0, 507011)
    assert rt.reset_device(0) == rt.set_device(0) == rt.reset_device(0) == program.acl.finalize() == 0
    bare.check()


def test_a_run_that_hangs_is_given_up_after_the_limit(bare: Npu, program: Program) -> None:
    bare.process.machine.faults["1"] = "hang"
    program.upload()
    assert program.start() == 0
    assert program.acl.rt.synchronize_stream_with_timeout(program.stream, 50) == 507046
    give_back_what_is_the_hosts(program)
    assert program.acl.rt.destroy_context(program.context) == program.acl.rt.reset_device(0) == 0
    assert program.acl.finalize() == 0
    bare.check()


@pytest.mark.parametrize("call", ["execute", "synchronize_stream"])
def test_waiting_without_a_limit_for_a_run_that_hangs_is_a_fault_of_the_program(
    bare: Npu, program: Program, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    from acl import _streams

    monkeypatch.setattr(_streams, "PATIENCE", 0.1)
    bare.process.machine.faults["1"] = "hang"
    program.upload()
    if call == "execute":
        assert program.acl.mdl.execute(program.model, program.inputs, program.outputs) == 507046
    else:
        assert (program.start(), program.wait()) == (0, 507046)
    assert bare.violations()[0].startswith("waited without a limit for a run that hangs")


def give_back_what_is_the_hosts(program: Program) -> None:
    acl = program.acl
    for buffer in (*program.input_buffers, *program.output_buffers):
        program.ok(acl.destroy_data_buffer(buffer))
    for dataset in (program.inputs, program.outputs):
        program.ok(acl.mdl.destroy_dataset(dataset))
    for host in program.host:
        program.ok(acl.rt.free_host(host))
    program.ok(acl.mdl.destroy_desc(program.desc))


def test_faults_are_counted_over_processes_and_resets_may_fail(bare: Npu, acl: ModuleType) -> None:
    bare.set(failing_resets=1)
    assert acl.init() == acl.rt.set_device(0) == 0
    assert acl.rt.reset_device(0) == 507899
    bare.process = None  # the process ends like this
    bare.new_process()
    assert acl.init() == acl.rt.set_device(0) == acl.rt.reset_device(0) == acl.finalize() == 0
    bare.check()


def test_a_call_may_fail_by_itself_once_or_from_then_on(bare: Npu, program: Program) -> None:
    bare.process.machine.failures = {"rt.malloc 4": 207001, "rt.malloc_host 5+": 107000}
    made = [(program.acl.rt.malloc(64, 0)[1], program.acl.rt.malloc_host(64)[1]) for _ in range(3)]
    assert made == [(207001, 0), (0, 107000), (0, 107000)]
    assert "rt.malloc_host failed by itself" in program.acl.get_recent_err_msg()
    bare.process.machine.failures = {"create_data_buffer 4": 100000}
    assert program.acl.create_data_buffer(program.memory[0], 64) is None
    assert bare.violations() == []


def test_a_call_that_fails_by_itself_does_nothing(bare: Npu, program: Program) -> None:
    bare.process.machine.failures = {"rt.memcpy 1+": 107000, "rt.destroy_stream 1": 107000}
    with pytest.raises(AssertionError):
        program.upload()
    bare.process.machine.failures.pop("rt.memcpy 1+")
    assert program.start() == 145000  # nothing was written
    assert program.acl.rt.destroy_stream(program.stream) == 107000
    assert program.wait() == 0


def test_a_fault_of_the_device_may_come_with_any_call(bare: Npu, program: Program) -> None:
    bare.process.machine.failures = {"rt.memcpy 1": 507899}
    with pytest.raises(AssertionError):
        program.upload()
    assert program.acl.rt.malloc(64, 0) == (0, 507899)
    give_back_what_is_the_hosts(program)
    assert program.acl.rt.destroy_context(program.context) == program.acl.rt.reset_device(0) == 0
    assert program.acl.finalize() == 0
    bare.check()


def test_what_is_late_happens_when_the_host_waits_for_it(bare: Npu, program: Program) -> None:
    bare.process.machine.late = True
    rt = program.acl.rt
    other, event = program.value(rt.create_stream()), program.value(rt.create_event())
    program.upload()
    program.write(0, [2.0] * 20)
    assert program.copy_async(0, TO_DEVICE) == program.start() == 0
    assert rt.record_event(event, program.stream) == rt.stream_wait_event(other, event) == 0
    assert program.copy_async(2, TO_HOST, other) == 0
    assert bare.process.runs == 0
    assert rt.synchronize_stream(other) == 0
    assert (bare.process.runs, program.read()) == (1, [10.0, 10.0])
    assert program.wait() == rt.destroy_event(event) == rt.destroy_stream(other) == 0
    program.end()
    bare.check()


CHILD = """
import acl
acl.init(), acl.rt.set_device(0), acl.rt.malloc(64, 0)
"""


def test_processes_that_are_started_see_the_machine_and_leave_a_report(bare: Npu) -> None:
    subprocess.run([sys.executable, "-c", CHILD], check=True)
    (report,) = bare.reports()
    assert report["violations"] == []
    assert any(leak.startswith("device memory made at <string>:3") for leak in report["leaks"])
