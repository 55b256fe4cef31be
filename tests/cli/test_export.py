"""`funasr-cli export` and `freeze` report missing packages before any work."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from funasr_cli import extras
from funasr_cli.cli import cli
from funasr_cli.errors import MachineError
from funasr_cli.extras import how_to_install
from tests.support.command import Run


@pytest.mark.parametrize("missing", ["config.yaml", "model.pt"])
def test_a_folder_that_is_no_checkpoint_is_not_even_traced(run: Run, tmp_path: Path, missing: str) -> None:
    (tmp_path / "small").mkdir()
    for name in {"config.yaml", "model.pt"} - {missing}:
        (tmp_path / "small" / name).touch()
    done = run("export", "small", "-o", "new")
    assert done.returncode == 4
    assert done.stderr.startswith(f"error: small: has no {missing}\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("extra", "missing"), [("export", "torch, funasr, onnx"), ("freeze", "onnx")])
def test_a_missing_extra_is_named_with_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str, missing: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    for name in ("config.yaml", "model.pt", "model.onnx"):
        (tmp_path / name).touch()
    named = tmp_path if extra == "export" else tmp_path / "model.onnx"
    error = CliRunner().invoke(cli, [extra, str(named), "-o", str(tmp_path / "new")]).exception
    assert isinstance(error, MachineError)
    assert error.what == f"this command needs the extra [{extra}]; not installed: {missing}"
    assert error.hint == how_to_install(extra)
