"""acl.rt: devices, contexts, streams, events, memory and copies."""

from __future__ import annotations

import ctypes
import os
import time

from acl import _process
from acl._memory import (
    DeviceMemory,
    HostMemory,
    Span,
    allocate,
    device_span,
    is_device_address,
    move,
    pinned_span,
)
from acl._models import DataBuffer
from acl._process import (
    ALIGNMENT,
    DEVICE_BUSY,
    DRIVER_ERROR,
    INVALID,
    NOT_SUPPORTED,
    RT_INVALID,
    SUCCESS,
    Context,
    Device,
    Resource,
    call,
)
from acl._streams import Event, Mark, Stream, Task, check_free, current_stream

HOST_TO_HOST, HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE = range(4)


@call("value")
def get_device_count() -> int:
    return len(_process.process.devices)


@call()
def set_device(device: int) -> None:
    process = _process.process
    chosen = process.device(device)
    if chosen.index in process.machine.deadly:
        os.abort()
    if chosen.index in process.machine.busy:
        process.fail(DEVICE_BUSY, f"device {device} is held by another process")
    if chosen.fault:
        process.fail(chosen.fault, f"device {device} was lost and not reset")
    chosen.sets += 1
    chosen.default = chosen.default or Context(process, chosen, explicit=False)
    process.thread.context = chosen.default


@call()
def reset_device(device: int) -> None:
    _reset(device, force=False)


@call()
def reset_device_force(device: int) -> None:
    _reset(device, force=True)


def _reset(index: int, *, force: bool) -> None:
    process = _process.process
    device = process.device(index)
    if not device.sets:
        process.refuse(RT_INVALID, f"device {index} reset more often than set")
    machine = process.machine
    if machine.failing_resets or machine.hanging_resets:
        number = machine.count("resets")
        while number <= machine.hanging_resets:
            time.sleep(1)
        if number <= machine.failing_resets:
            process.fail(DRIVER_ERROR, f"device {index} cannot be reset")
    device.sets = 0 if force else device.sets - 1
    if device.sets:
        return
    for resource in process.of(Resource):
        if isinstance(resource, Context):
            foreign = resource.device is not device
        else:
            foreign = resource.context is None or resource.context.device is not device
        if foreign:
            continue
        if isinstance(resource, DeviceMemory) and device.fault:
            resource.forget()  # a reset releases the resources of a lost device
        elif resource is not device.default:
            process.violation(f"device {index} reset before the {resource.kind} made at {resource.made} was released")
            resource.forget()
    if device.default is not None:
        device.default.forget()
    device.default, device.used, device.fault = None, 0, SUCCESS


@call("value")
def create_context(device: int) -> int:
    process = _process.process
    chosen: Device = process.device(device)
    if not chosen.sets:
        process.refuse(RT_INVALID, f"a context on device {device}, which is not set")
    if chosen.fault:
        process.fail(chosen.fault, f"device {device} was lost and not reset")
    process.thread.context = context = Context(process, chosen, explicit=True)
    return context.handle


@call()
def set_context(context: int) -> None:
    process = _process.process
    process.thread.context = process.get(context, Context)


@call()
def destroy_context(context: int) -> None:
    process = _process.process
    doomed: Context = process.get(context, Context)
    for resource in process.of(Resource):
        if resource.context is not doomed:
            continue
        if isinstance(resource, Stream):
            resource.cancel()
        if not doomed.fault:
            process.violation(f"context destroyed before the {resource.kind} made at {resource.made} was released")
        elif not isinstance(resource, Stream | Event) and resource.rank != 4:
            continue  # memory belongs to the device, everything else to the context
        resource.forget()
    doomed.forget()


@call("value")
def create_stream() -> int:
    process = _process.process
    return Stream(process, process.context).handle


@call()
def destroy_stream(stream: int) -> None:
    doomed = current_stream(stream)
    if doomed.outstanding():
        doomed.process.violation("stream destroyed before it was synchronised")
        doomed.wait(doomed.outstanding(), None)
    doomed.release()


@call()
def synchronize_stream(stream: int) -> None:
    _synchronize(stream, None)


@call()
def synchronize_stream_with_timeout(stream: int, timeout: int) -> None:
    if timeout != -1 and timeout <= 0:
        _process.process.refuse(RT_INVALID, f"a limit of {timeout} ms")
    _synchronize(stream, None if timeout == -1 else timeout / 1000)


def _synchronize(handle: int, seconds: float | None) -> None:
    stream = current_stream(handle)
    code = stream.wait(stream.outstanding(), seconds)
    if code:
        _process.process.fail(code, "a task of the stream failed, or did not end in time")


@call("value")
def create_event() -> int:
    process = _process.process
    return Event(process, process.context).handle


@call()
def record_event(event: int, stream: int) -> None:
    recorded: Event = _process.process.get(event, Event)
    recording = current_stream(stream)
    mark = Mark([*recording.outstanding(), *recording.after])
    recorded.mark = mark

    def act() -> int:
        mark.reached.set()
        return SUCCESS

    recording.put(Task("an event", act))


@call()
def stream_wait_event(stream: int, event: int) -> None:
    waiting = current_stream(stream)
    mark = _mark(event)
    waiting.after.update(mark.tasks)

    def act() -> int:
        mark.reached.wait()
        return SUCCESS

    waiting.put(Task("a wait for an event", act))


@call()
def synchronize_event(event: int) -> None:
    mark = _mark(event)
    for stream in _process.process.of(Stream):
        code = stream.wait([task for task in mark.tasks if task.stream is stream], None)
        if code:
            _process.process.fail(code, "a task before the event failed")


def _mark(event: int) -> Mark:
    waited: Event = _process.process.get(event, Event)
    if waited.mark is None:
        _process.process.refuse(INVALID, "waited for an event that was never recorded")
    return waited.mark


@call()
def destroy_event(event: int) -> None:
    _process.process.get(event, Event).release()


@call("value")
def malloc(size: int, policy: int) -> int:
    if policy not in (0, 1, 2):
        _process.process.refuse(INVALID, f"{policy} is not an allocation policy")
    return allocate(size).handle


@call()
def free(ptr: int) -> None:
    process = _process.process
    device = process.context.device
    memory: DeviceMemory = process.get(ptr, DeviceMemory)
    for buffer in process.of(DataBuffer):
        if memory.handle <= buffer.address < memory.handle + memory.size:
            process.violation(f"device memory freed before its data buffer made at {buffer.made}")
    check_free([], [Span(memory, 0, memory.size)], "device memory freed")
    memory.release()
    device.used -= memory.size


@call("value")
def malloc_host(size: int) -> int:
    process = _process.process
    if size <= 0:
        process.refuse(INVALID, f"host memory of {size} bytes asked for")
    return HostMemory(process, process.context, size).handle


@call()
def free_host(ptr: int) -> None:
    process = _process.process
    process.require_context(lost=True)
    memory: HostMemory = process.get(ptr, HostMemory)
    check_free([], [Span(memory, 0, memory.size)], "host memory freed")
    memory.release()


@call()
def memcpy(dst: int, dst_max: int, src: int, count: int, kind: int) -> None:
    process = _process.process
    _check_copy(dst, dst_max, src, count, kind)
    reads = [span for span in (_span(src, count, kind in (2, 3)),) if span]
    writes = [span for span in (_span(dst, count, kind in (1, 3)),) if span]
    check_free(reads, writes, "a copy")
    if kind in (2, 3) and isinstance(reads[0].memory, DeviceMemory) and not reads[0].memory.written:
        process.refuse(INVALID, "device memory copied before it was written")
    move(writes[0] if writes else dst, reads[0] if reads else src, count)


@call()
def memcpy_async(dst: int, dst_max: int, src: int, count: int, kind: int, stream: int) -> None:
    process = _process.process
    queue = current_stream(stream)
    _check_copy(dst, dst_max, src, count, kind)
    if kind == HOST_TO_HOST:
        process.fail(NOT_SUPPORTED, "asynchronous copies within the host are not supported")
    if dst % ALIGNMENT or src % ALIGNMENT:
        process.refuse(RT_INVALID, f"an asynchronous copy between addresses that are not multiples of {ALIGNMENT}")
    source, target = _span(src, count, kind in (2, 3)), _span(dst, count, kind in (1, 3))
    if source is None or target is None:
        process.refuse(RT_INVALID, "an asynchronous copy of host memory that malloc_host did not allocate")
    if kind == DEVICE_TO_HOST:
        target.memory.write(target.start, b"\xee" * count)  # so that data read too early is wrong
    before = source.checksum(), target.checksum()
    taken: list[bytes] = []

    def unchanged(span: Span, checksum: int) -> None:
        if isinstance(span.memory, HostMemory) and span.checksum() != checksum:
            process.violation("host memory written while its copy is under way")

    def act() -> int:
        unchanged(source, before[0])
        taken.append(source.memory.read(source.start, count))
        if isinstance(target.memory, DeviceMemory):
            target.memory.write(target.start, taken[0])
        return SUCCESS

    def settle() -> None:
        unchanged(source, before[0])
        unchanged(target, before[1])
        if isinstance(target.memory, HostMemory):
            target.memory.write(target.start, taken[0] if taken else b"")

    queue.put(Task("a copy", act, settle, [source], [target]))


def _check_copy(dst: int, dst_max: int, src: int, count: int, kind: int) -> None:
    process = _process.process
    process.require_context()
    if kind not in range(4) or count <= 0:
        process.refuse(INVALID, f"a copy of {count} bytes of kind {kind}")
    if count > dst_max:
        process.refuse(INVALID, f"a copy of {count} bytes into {dst_max}")
    if is_device_address(src) != (kind in (2, 3)) or is_device_address(dst) != (kind in (1, 3)):
        process.refuse(INVALID, f"a copy of kind {kind} between other memory")


def _span(address: int, count: int, on_device: bool) -> Span | None:
    return device_span(address, count) if on_device else pinned_span(address, count)


@call("values")
def get_mem_info(attr: int) -> tuple[int, int]:
    device = _process.process.context.device
    return (device.memory - device.used, device.memory) if attr == 1 else (0, 0)


def sleep_with_gil(seconds: float) -> None:
    """Block all threads of Python, like calls that hold the GIL."""
    ctypes.PyDLL(None).poll(None, 0, int(seconds * 1000))
