"""What this machine's processor can do."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

VNNI = frozenset({"avx512_vnni", "avx_vnni"})
"""Linux's names of the instructions that add up products of 8-bit numbers in 32 bits (arch/x86: cpufeatures.h)."""


def features() -> frozenset[str]:
    """Linux's names of the instruction sets, of x86 (`flags`) or Arm (`Features`); none if the kernel does not tell."""
    with suppress(OSError):
        for line in CPUINFO.read_text(encoding="ascii", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return frozenset(value.split())
    return frozenset()


def has_vnni() -> bool:
    """Whether this is an x86 processor with fast, exact products of unsigned and signed 8-bit numbers."""
    return not VNNI.isdisjoint(features())
