"""The simulated atc accepts only the arguments of the real one, and makes the requested model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import helper

from tests.simulator.fixtures import ATC, Npu
from tests.support.graphs import write_graph

GOOD = {
    "framework": "5",
    "input_format": "ND",
    "input_shape": "x:1,10,2;count:1",
    "soc_version": "Ascend310P3",
    "host_env_os": "linux",
    "host_env_cpu": "aarch64",
    "precision_mode": "allow_mix_precision",
    "log": "error",
}
FREE = {"input_shape": "x:1,-1,2;count:1"}


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    return write_graph(tmp_path / "graph.onnx", "frames")


Compile = Callable[..., tuple[int, str]]


@pytest.fixture
def compiled(bare: Npu, graph: Path, capsys: pytest.CaptureFixture[str]) -> Compile:
    """Runs the compiler with valid arguments, except those given; returns its status and output."""
    from acl._compiler import main

    def run(*more: str, **options: str | None) -> tuple[int, str]:
        given = {"model": str(graph), "output": str(graph.parent / "out"), **GOOD, **options}
        status = main([f"--{name}={value}" for name, value in given.items() if value is not None] + list(more))
        return status, capsys.readouterr().out

    return run


def test_the_om_is_called_after_what_will_run_it(compiled: Compile, tmp_path: Path) -> None:
    status, said = compiled()
    assert (status, "ATC run success" in said) == (0, True)
    assert compiled(host_env_os=None, host_env_cpu=None)[0] == 0
    assert {path.name for path in tmp_path.glob("*.om")} == {"out_linux_aarch64.om", "out.om"}


def test_it_is_a_program_and_tells_what_an_om_was_made_by_and_for(oms: dict[str, Path]) -> None:
    command = [sys.executable, str(ATC), "--mode=6", f"--om={oms['static']}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "atc_version[7.6.0.1.220], soc_version[Ascend310P3], framework_type[Onnx]" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": None}, "E10054: The required parameter [--model]"),
        ({"model": "nothing.onnx"}, "E10410: File [nothing.onnx]"),
        ({"framework": "3"}, "E10001: Value [3] for parameter [--framework]"),
        ({"framework": None}, "E10054: The required parameter [--framework]"),
        ({"output": "/nowhere/out"}, "E10001: Value [/nowhere/out] for parameter [--output]"),
        ({"output": "out.om"}, "E10001: Value [out.om] for parameter [--output]"),
        ({"output": "a folder/out"}, "for parameter [--output]"),
        ({"input_format": "NCHW"}, "for parameter [--input_format]"),
        ({"soc_version": "310P3"}, "E10001: Value [310P3] for parameter [--soc_version]"),
        ({"soc_version": None}, "E10054: The required parameter [--soc_version]"),
        ({"host_env_cpu": "arm64"}, "for parameter [--host_env_cpu]"),
        ({"host_env_os": None}, "--host_env_os and --host_env_cpu are used together"),
        ({"precision_mode": "mixed"}, "for parameter [--precision_mode]"),
        ({"log": "quiet"}, "for parameter [--log]"),
        ({"input_shape": "x:1,10,2"}, None),  # the graph fixes the other dims
        ({"input_shape": "count:1"}, "the shape of input [x] is not known"),
        ({"input_shape": "x:1,10;count:1"}, "E10003: The shape [1, 10] of input [x] does not fit its rank 3"),
        ({"input_shape": "x:1,10,3;count:1"}, "E11018: The shape [1, 10, 3] of input [x] differs"),
        ({"input_shape": "x:1,0,2;count:1"}, "E10003"),
        ({"input_shape": "x=1,10,2"}, "E10002"),
        ({"input_shape": "x:1,10,2;y:1"}, "E10016: Opname [y]"),
        ({"dynamic_dims": "4;10"}, "E10042: each gear"),
        ({**FREE, "dynamic_dims": "4"}, "E10036"),
        ({**FREE, "dynamic_dims": "4,4;10,10"}, "E10042: each gear"),
        ({**FREE, "dynamic_dims": "4;x"}, "E10042: each gear"),
        ({**FREE, "dynamic_dims": "4;10", "input_format": None}, "E10045"),
        ({"output_type": "half"}, "for parameter [--output_type]"),
    ],
)
def test_each_argument_is_checked(
    compiled: Compile, tmp_path: Path, options: dict[str, Any], message: str | None
) -> None:
    status, said = compiled(**options)
    assert status == (255 if message else 0)
    assert (message or "ATC run success") in said
    assert bool(list(tmp_path.glob("*.om"))) == (message is None)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--soc=Ascend310P3", "unknown command line flag"),
        ("-log=error", "unknown command line flag"),
        ("--log", "unknown command line flag"),
        ("--log=error", "given twice"),
    ],
)
def test_arguments_that_are_none_are_refused(compiled: Compile, argument: str, message: str) -> None:
    status, said = compiled(argument)
    assert (status, message in said) == (255, True)


def test_operators_that_older_compilers_do_not_know_are_refused(compiled: Compile, graph: Path) -> None:
    model = onnx.load(graph)
    model.graph.node[0].CopyFrom(helper.make_node("LayerNormalization", ["x", "axes"], ["total"], name="norm"))
    onnx.save(model, graph)
    _, said = compiled()
    assert "E19010: No parser is registered for Op [norm, optype [ai.onnx::14::LayerNormalization]]" in said


def test_outputs_are_named_after_operator_edge_and_tensor(bare: Npu, oms: dict[str, Path]) -> None:
    from acl._om import read_om

    om, _ = read_om(oms["gears"])
    assert (om.kind, om.outputs[0].name, om.outputs[0].dims) == ("gears", "divide:0:mean", [1, 2])
    assert om.inputs[0].gears == [[1, 4, 2], [1, 10, 2]]
