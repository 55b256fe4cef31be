"""Each rule of the runtime is broken once on purpose, and the simulator records it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.simulator.fixtures import Npu
from tests.simulator.program import TO_DEVICE, TO_HOST, X_BYTES, Program

Breaking = Callable[[Program], Any]

RULES: list[Any] = []


def rule(given: Any, message: str) -> Callable[[Breaking], Breaking]:
    """Register a function that breaks a rule, with the result of its last call and the recorded message."""

    def register(breaking: Breaking) -> Breaking:
        RULES.append(pytest.param(breaking, given, message, id=breaking.__name__))
        return breaking

    return register


def all_well(*codes: int) -> None:
    assert set(codes) <= {0}, codes


def in_another_thread(function: Callable[[], Any]) -> Any:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


# The life of the runtime, devices and contexts


@rule(100002, "initialised twice")
def initialised_twice(p: Program) -> Any:
    return p.acl.init()


@rule(0, "finalised while there is stream")
def finalised_while_something_is_left(p: Program) -> Any:
    return p.acl.finalize()


@rule(100037, "finalised twice")
def finalised_twice(p: Program) -> Any:
    p.end()
    return p.acl.finalize()


@rule(100001, "set_device called outside of init and finalize")
def used_after_the_end(p: Program) -> Any:
    p.end()
    return p.acl.rt.set_device(0)


@rule(107000, "reset more often than set")
def reset_too_often(p: Program) -> Any:
    p.acl.rt.reset_device(0)
    return p.acl.rt.reset_device(0)


@rule(0, "reset before the context made at .* was released")
def reset_before_the_context_is_destroyed(p: Program) -> Any:
    return p.acl.rt.reset_device(0)


@rule((0, 107002), "without a context")
def a_thread_without_a_context(p: Program) -> Any:
    return in_another_thread(lambda: p.acl.rt.malloc(64, 0))


@rule(107002, "without a context")
def host_memory_freed_by_a_thread_without_a_context(p: Program) -> Any:
    return in_another_thread(lambda: p.acl.rt.free_host(p.host[0]))


@rule(107003, "stream used from another context")
def a_stream_of_another_context(p: Program) -> Any:
    p.value(p.acl.rt.create_context(0))
    return p.wait()


@rule(107004, "model run in another context")
def a_model_of_another_context(p: Program) -> Any:
    p.value(p.acl.rt.create_context(0))
    return p.start(p.value(p.acl.rt.create_stream()))


@rule(107004, "model unloaded in another context")
def a_model_unloaded_in_another_context(p: Program) -> Any:
    p.value(p.acl.rt.create_context(0))
    return p.acl.mdl.unload(p.model)


# The order of release


@rule(0, "context destroyed before the stream")
def the_context_before_the_stream(p: Program) -> Any:
    return p.acl.rt.destroy_context(p.context)


@rule(0, "stream destroyed before the model that ran in it")
def the_stream_before_the_model(p: Program) -> Any:
    p.upload()
    all_well(p.start(), p.wait())
    return p.acl.rt.destroy_stream(p.stream)


@rule(0, "model released before the modeldesc")
def the_model_before_its_description(p: Program) -> Any:
    return p.acl.mdl.unload(p.model)


@rule(0, "modeldesc released before the device memory")
def the_description_before_device_memory(p: Program) -> Any:
    return p.acl.mdl.destroy_desc(p.desc)


@rule(0, "device memory freed before its data buffer")
def device_memory_before_its_data_buffer(p: Program) -> Any:
    return p.acl.rt.free(p.memory[0])


@rule(0, "context destroyed before the host memory")
def the_context_before_host_memory(p: Program) -> Any:
    return p.acl.rt.destroy_context(p.context)


@rule(0, "dataset destroyed before its data buffer")
def a_dataset_before_its_data_buffers(p: Program) -> Any:
    return p.acl.mdl.destroy_dataset(p.inputs)


# Use after free


@rule(100000, "a devicememory used after it was released")
def device_memory_freed_twice(p: Program) -> Any:
    spare = p.value(p.acl.rt.malloc(64, 0))
    all_well(p.acl.rt.free(spare))
    return p.acl.rt.free(spare)


@rule(100000, "device memory used after it was freed")
def device_memory_used_after_it_was_freed(p: Program) -> Any:
    spare = p.value(p.acl.rt.malloc(64, 0))
    all_well(p.acl.rt.free(spare))
    return p.acl.rt.memcpy(spare, 64, p.host[0], 64, TO_DEVICE)


@rule(100000, "host memory used after it was freed")
def host_memory_used_after_it_was_freed(p: Program) -> Any:
    spare = p.value(p.acl.rt.malloc_host(64))
    all_well(p.acl.rt.free_host(spare))
    return p.acl.rt.memcpy(p.memory[0], 64, spare, 64, TO_DEVICE)


@rule(100000, "a databuffer used after it was released")
def a_data_buffer_used_after_it_was_destroyed(p: Program) -> Any:
    p.upload()
    all_well(p.acl.destroy_data_buffer(p.input_buffers[0]))
    return p.start()


@rule(100000, "a model used that never existed")
def a_model_that_was_never_loaded(p: Program) -> Any:
    return p.acl.mdl.unload(77)


# Sizes, addresses and kinds


@rule(100000, "a copy of 16 bytes into 8")
def a_copy_longer_than_its_target(p: Program) -> Any:
    return p.acl.rt.memcpy(p.memory[0], 8, p.host[0], 16, TO_DEVICE)


@rule(100000, "reach beyond their device memory")
def a_copy_beyond_device_memory(p: Program) -> Any:
    return p.acl.rt.memcpy(p.host[0], X_BYTES, p.memory[1], X_BYTES, TO_HOST)


@rule(100000, "reach beyond their host memory")
def a_copy_beyond_host_memory(p: Program) -> Any:
    return p.acl.rt.memcpy(p.memory[0], X_BYTES, p.host[1], X_BYTES, TO_DEVICE)


@rule(100000, "a copy of kind 2 between other memory")
def a_copy_of_the_wrong_kind(p: Program) -> Any:
    return p.acl.rt.memcpy(p.memory[0], 8, p.host[0], 8, TO_HOST)


@rule(None, "device memory read from the host")
def device_memory_taken_for_the_hosts(p: Program) -> Any:
    return p.acl.util.ptr_to_bytes(p.memory[0], 8)


@rule(100000, "copied before it was written")
def results_copied_that_no_run_has_made(p: Program) -> Any:
    return p.acl.rt.memcpy(p.host[2], 8, p.memory[2], 8, TO_HOST)


@rule(107000, "malloc_host did not allocate")
def memory_that_is_not_pinned_copied_asynchronously(p: Program) -> Any:
    room = ctypes.create_string_buffer(256)
    aligned = -(-ctypes.addressof(room) // 64) * 64
    return p.acl.rt.memcpy_async(p.memory[0], 64, aligned, 64, TO_DEVICE, p.stream)


@rule(107000, "not multiples of 64")
def an_asynchronous_copy_that_is_not_aligned(p: Program) -> Any:
    return p.acl.rt.memcpy_async(p.memory[0] + 4, 8, p.host[0], 8, TO_DEVICE, p.stream)


@rule((0, 100000), "device memory of 0 bytes")
def memory_of_no_size(p: Program) -> Any:
    return p.acl.rt.malloc(0, 0)


@rule(100000, "input x has 80 bytes, not 76")
def an_input_of_another_size(p: Program) -> Any:
    p.sizes[0] -= 4
    p.inputs, _ = p.dataset(0, 1)
    return p.start()


@rule(100000, "output divide:0:mean has 8 bytes, not 64")
def an_output_of_another_size(p: Program) -> Any:
    p.memory[2], p.sizes[2] = p.value(p.acl.rt.malloc(64, 0)), 64
    p.outputs, _ = p.dataset(2)
    p.upload()
    return p.start()


@rule(100000, "1 inputs for a model of 2")
def an_input_too_few(p: Program) -> Any:
    p.inputs, _ = p.dataset(0)
    return p.start()


@rule(100000, "2 outputs for a model of 1")
def an_output_too_many(p: Program) -> Any:
    p.upload()
    p.memory.append(p.value(p.acl.rt.malloc(64, 0)))
    p.sizes.append(64)
    p.outputs, _ = p.dataset(2, 3)
    return p.start()


@rule((0, 107000), "a context on device 0, which is not set")
def a_context_on_a_device_that_was_given_back(p: Program) -> Any:
    p.acl.rt.reset_device(0)
    return p.acl.rt.create_context(0)


@rule((0, 100000), "3 is not an allocation policy")
def memory_by_a_policy_that_is_none(p: Program) -> Any:
    return p.acl.rt.malloc(64, 3)


@rule(100000, "a copy of 0 bytes")
def a_copy_of_nothing(p: Program) -> Any:
    return p.acl.rt.memcpy(p.memory[0], 8, p.host[0], 0, TO_DEVICE)


@rule(None, "a description that was never filled")
def a_description_of_no_model(p: Program) -> Any:
    return p.acl.mdl.get_num_inputs(p.acl.mdl.create_desc())


@rule(None, "there is no tensor 7")
def a_tensor_that_is_not_there(p: Program) -> Any:
    return p.acl.mdl.get_input_name_by_index(p.desc, 7)


@rule((0, 100000), "the index of the gears is not -1")
def gears_of_one_input(p: Program) -> Any:
    return p.acl.mdl.get_input_dynamic_gear_count(p.desc, 0)


@rule(({}, 100000), "3 gears asked for, there are 0")
def gears_that_are_not_there(p: Program) -> Any:
    return p.acl.mdl.get_input_dynamic_dims(p.desc, -1, 3)


@rule(145000, "input count was never written")
def an_input_that_was_never_written(p: Program) -> Any:
    p.copy(0, TO_DEVICE)
    return p.start()


# What is under way


@rule(100000, "device memory freed while a run is under way")
def device_memory_freed_during_a_run(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    return p.acl.rt.free(p.memory[0])


@rule(0, "databuffer released while a run with it is under way")
def a_data_buffer_destroyed_during_a_run(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    return p.acl.destroy_data_buffer(p.input_buffers[0])


@rule(0, "model released while a run with it is under way")
def a_model_unloaded_during_a_run(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    return p.acl.mdl.unload(p.model)


@rule(100000, "a copy while a run is under way")
def an_input_overwritten_during_a_run(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    return p.acl.rt.memcpy(p.memory[0], 8, p.host[0], 8, TO_DEVICE)


@rule(100000, "a copy while a run is under way")
def a_result_read_before_the_stream_is_synchronised(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    return p.acl.rt.memcpy(p.host[2], 8, p.memory[2], 8, TO_HOST)


@rule(507046, "a call to a device that hangs")
def a_device_asked_that_hangs(p: Program) -> Any:
    p.acl._process.process.machine.faults["1"] = "hang"
    p.upload()
    all_well(p.start())
    assert p.acl.rt.synchronize_stream_with_timeout(p.stream, 50) == 507046
    return p.acl.rt.free(p.memory[0])


@rule(100000, "host memory freed while a copy is under way")
def host_memory_freed_during_its_copy(p: Program) -> Any:
    all_well(p.copy_async(0, TO_DEVICE))
    return p.acl.rt.free_host(p.host[0])


@rule(0, "host memory written while its copy is under way")
def host_memory_written_during_its_copy(p: Program) -> Any:
    all_well(p.copy_async(0, TO_DEVICE))
    p.write(0, [7.0])
    return p.wait()


@rule(0, "host memory written while its copy is under way")
def host_memory_written_during_a_copy_into_it(p: Program) -> Any:
    p.copy(0, TO_DEVICE)
    all_well(p.copy_async(0, TO_HOST))
    p.write(0, [7.0])
    return p.wait()


@rule(100000, "a copy in one stream while a run is under way")
def two_streams_on_one_memory_without_an_event(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    return p.copy_async(2, TO_HOST, p.value(p.acl.rt.create_stream()))


@rule(100000, "one model run in two streams at once")
def one_model_in_two_streams(p: Program) -> Any:
    p.upload()
    all_well(p.start())
    p.memory[2] = p.value(p.acl.rt.malloc(8, 0))
    p.outputs, _ = p.dataset(2)
    return p.start(p.value(p.acl.rt.create_stream()))


@rule(0, "stream destroyed before it was synchronised")
def a_stream_destroyed_with_work_in_it(p: Program) -> Any:
    all_well(p.copy_async(0, TO_DEVICE))
    return p.acl.rt.destroy_stream(p.stream)


@rule(100000, "never recorded")
def an_event_waited_for_that_was_never_recorded(p: Program) -> Any:
    return p.acl.rt.synchronize_event(p.value(p.acl.rt.create_event()))


@rule(107000, "a limit of 0 ms")
def a_limit_that_is_none(p: Program) -> Any:
    return p.acl.rt.synchronize_stream_with_timeout(p.stream, 0)


@pytest.mark.parametrize(("breaking", "given", "message"), RULES)
def test_what_is_broken_is_written_down(
    bare: Npu, acl: ModuleType, oms: dict[str, Path], breaking: Breaking, given: Any, message: str
) -> None:
    program = Program(acl, str(oms["static"]))
    bare.process.machine.run_ms = 20  # so that tasks are still in progress
    assert not bare.violations()
    assert breaking(program) == given
    assert bare.violations()
    with pytest.raises(AssertionError, match=message):
        bare.check()
