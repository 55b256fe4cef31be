"""The features of a processor, as Linux lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.system import processor

X86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu sse2 avx2 {}\nbugs\t\t: none\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nCPU implementer\t: 0x48\n"


@pytest.mark.parametrize(
    ("text", "vnni"),
    [(X86.format("avx512_vnni"), True), (X86.format("avx_vnni"), True), (X86.format(""), False), (ARM, False)],
)
def test_vnni_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, vnni: bool) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    assert processor.has_vnni() == vnni
    assert processor.features()


def test_a_kernel_that_does_not_tell_has_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert processor.features() == frozenset()
