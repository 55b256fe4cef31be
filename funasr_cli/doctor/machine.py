"""Checks of the machine: system, processor, cores and memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

from funasr_cli.doctor.check import Check
from funasr_cli.files import megabytes
from funasr_cli.system.processor import VNNI, cpu_fields, features
from funasr_cli.system.resources import usable_cores, usable_memory

LOW_MEMORY_BYTES = 2_000_000_000
"""Bytes: the weights of sensevoice-small in float32 take 0.9 GB, and a run needs as much again for computing."""

FEATURES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "x86_64": {"AVX2": ("avx2",), "AVX-512": ("avx512f",), "VNNI": VNNI},
    "aarch64": {"asimddp": ("asimddp",), "i8mm": ("i8mm",), "SVE": ("sve",)},
}
"""Processor features that make matrix products fast, by architecture, with the kernel's flags; any flag suffices."""

EIGHT_BIT: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "x86_64": {"VNNI": VNNI, "AMX": ("amx_int8",)},
    "aarch64": {"asimddp": ("asimddp",), "i8mm": ("i8mm",)},
}
"""The same for products of 8-bit numbers."""

MOUNT_PROC = "mount -t proc proc /proc"

ARM_CORES = {("0x48", "0xd01"): "Kunpeng 920 (TaiShan v110)", ("0x48", "0xd02"): "Kunpeng (TaiShan v120)"}
"""Names by (implementer, part), which most aarch64 kernels print only as numbers; from util-linux's lscpu."""


def machine_checks() -> list[Check]:
    """Check system, processor, cores and memory."""
    return [Check("system", _system()), _processor(), Check("cores", _cores()), _memory()]


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = "unknown distribution"
    library = " ".join(platform.libc_ver()).strip() or "a C library other than glibc"
    return f"{platform.machine()}, {name}, {platform.system()} {platform.release()}, {library}"


def _processor() -> Check:
    if not cpu_fields():
        text = "unknown: /proc/cpuinfo cannot be read, so the runtimes do not use the processor's fast instructions"
        return Check("processor", text, "warning", MOUNT_PROC)
    return Check("processor", processor())


def processor() -> str:
    """The processor's name, and which features for fast matrix products it has and lacks."""
    fields = cpu_fields()
    core = fields.get("CPU implementer", "?"), fields.get("CPU part", "?")
    name = fields.get("model name") or ARM_CORES.get(core) or f"implementer {core[0]}, part {core[1]}"
    return "; ".join([name, *_has_and_lacks(FEATURES)])


def eight_bit_features() -> str:
    """Which features for fast 8-bit products the processor has and lacks."""
    return "; ".join(_has_and_lacks(EIGHT_BIT)) or "unknown"


def _has_and_lacks(groups: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[str]:
    flags, known = features(), groups.get(platform.machine(), {})
    has = [feature for feature, any_of in known.items() if not flags.isdisjoint(any_of)]
    lacks = [feature for feature in known if feature not in has]
    return [*([f"has {', '.join(has)}"] if has else []), *([f"no {', '.join(lacks)}"] if lacks else [])]


def _cores() -> str:
    usable, there = usable_cores(), os.cpu_count() or 1
    return f"{usable}" if usable == there else f"{usable} of {there}: limited by CPU affinity or a control group"


def _memory() -> Check:
    memory = usable_memory()
    if not memory.available:
        return Check("memory", "unknown: /proc/meminfo cannot be read", "warning", MOUNT_PROC)
    text = f"{megabytes(memory.available)} available"
    if memory.limited:
        text += ", the limit of the control group"
    if memory.available < LOW_MEMORY_BYTES:
        return Check("memory", text, "warning", "Free some memory, or use a smaller model: --model whisper-base")
    return Check("memory", text)
