"""What this machine's processor is and can do, as Linux tells of it."""

from __future__ import annotations

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

VNNI = ("avx512_vnni", "avx_vnni")
"""Linux's names of the instructions that add up products of 8-bit numbers in 32 bits (arch/x86: cpufeatures.h)."""


def cpu_fields() -> dict[str, str]:
    """What the kernel says of the first core, by name; empty if it says nothing."""
    fields: dict[str, str] = {}
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return fields
    for line in lines:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def features() -> frozenset[str]:
    """Linux's names of the instruction sets, of x86 (`flags`) or Arm (`Features`); none if the kernel does not tell."""
    fields = cpu_fields()
    return frozenset([*fields.get("flags", "").split(), *fields.get("Features", "").split()])


def has_vnni() -> bool:
    """Whether this is an x86 processor with fast, exact products of unsigned and signed 8-bit numbers."""
    return not features().isdisjoint(VNNI)
