"""The processor of this machine and its features, as reported by Linux."""

from __future__ import annotations

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

VNNI = ("avx512_vnni", "avx_vnni")
"""Linux's names for instructions that sum products of 8-bit numbers in 32 bits (arch/x86: cpufeatures.h)."""


def cpu_fields() -> dict[str, str]:
    """Fields of the first core in /proc/cpuinfo, by name; empty if the file cannot be read."""
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
    """Linux's names of the instruction sets, for x86 (`flags`) or Arm (`Features`); empty if unknown."""
    fields = cpu_fields()
    return frozenset([*fields.get("flags", "").split(), *fields.get("Features", "").split()])


def has_vnni() -> bool:
    """Whether this x86 processor has fast, exact products of unsigned and signed 8-bit numbers."""
    return not features().isdisjoint(VNNI)
