"""Graphs made by `export` and `freeze` return the log-probabilities of FunASR's torch code."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from funasr_cli.arrays import Samples
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.export.compare import CLEAR_LEAD, MAX_DIFFERENCE
from funasr_cli.export.cpu_form import cpu_form
from funasr_cli.export.folder import sherpa_metadata
from funasr_cli.export.freeze import append_topk
from funasr_cli.export.make import from_graph
from funasr_cli.features.cmvn import read_cmvn
from funasr_cli.recognizers.base import Request
from funasr_cli.recognizers.sensevoice.recognizer import SenseVoiceRecognizer
from tests.parity.conftest import LENGTHS, Exported

STATIC = "model_15s_top32.onnx"


@cache
def network(checkpoint: Path) -> Any:
    """Load FunASR's torch code with the checkpoint's weights."""
    import torch
    import yaml
    from funasr.models.sense_voice.model import SenseVoiceSmall

    config = yaml.safe_load((checkpoint / "config.yaml").read_text(encoding="utf-8"))
    weights = torch.load(checkpoint / "model.pt", map_location="cpu", weights_only=True)
    weights = weights.get("state_dict", weights)
    model = SenseVoiceSmall(
        encoder=config["encoder"],
        encoder_conf=config["encoder_conf"],
        input_size=560,
        vocab_size=weights["ctc.ctc_lo.weight"].shape[0],
        **config["model_conf"],
    )
    model.load_state_dict(weights)
    return model.eval()


def expected_log_probs(checkpoint: Path, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute log-probabilities like FunASR's `inference`, language auto, without ITN: `[frames + 4, vocabulary]`."""
    import torch

    model = network(checkpoint)
    with torch.no_grad():
        query = model.embed(torch.LongTensor([[0, 1, 2, 15]]))  # language, event, emotion, text norm
        speech = torch.cat([query, torch.from_numpy(features)], dim=1)
        encoded, _ = model.encoder(speech, torch.tensor([speech.shape[1]]))
        log_probs: NDArray[np.float32] = model.ctc.log_softmax(encoded)[0].numpy()
    return log_probs


def check(folder: Path, checkpoint: Path, clips: Iterator[Samples], graph: Path | None = None) -> None:
    """Compare a graph that ends in TopK, by default the static one in `folder`, with torch."""
    executor = OnnxExecutor(graph or folder / STATIC, precision="float32", threads=2)
    recognizer = SenseVoiceRecognizer(folder, executor.inputs, executor.outputs, executor.metadata, itn=False)
    for samples in clips:
        inputs = recognizer.prepare(samples, Request())
        outputs = executor.run(inputs)
        expected = expected_log_probs(checkpoint, inputs["speech"])
        valid = len(expected)
        assert outputs["encoder_out_lens"].tolist() == [valid]
        ids = outputs["token_ids"][0, :valid].astype(np.int64)
        wanted = np.take_along_axis(expected, ids, axis=-1)
        assert np.abs(outputs["log_probs"][0, :valid] - wanted).max() < MAX_DIFFERENCE
        second, first = np.sort(expected, axis=-1)[:, -2:].T
        assert (ids[:, 0] == expected.argmax(axis=-1))[first - second > CLEAR_LEAD].all()


def clips(speech: Samples) -> Iterator[Samples]:
    return (speech[:length] for length in LENGTHS)


@pytest.mark.parametrize("name", ["nano", "full"])
def test_the_static_graph_of_a_checkpoint_at_any_length(
    request: pytest.FixtureRequest, speech: Samples, name: str
) -> None:
    model: Exported = request.getfixturevalue(name)
    check(model.folder, model.checkpoint, clips(speech))


@pytest.mark.parametrize("name", ["nano", "full"])
def test_the_cpu_form_of_a_checkpoint_at_any_length(
    request: pytest.FixtureRequest, tmp_path: Path, speech: Samples, name: str
) -> None:
    model: Exported = request.getfixturevalue(name)
    check(model.folder, model.checkpoint, clips(speech), write_cpu_form(model.folder, tmp_path))


def test_a_published_graph_with_fused_operators_and_weights_in_a_file_of_their_own(
    nano: Exported, tmp_path: Path, speech: Samples
) -> None:
    pytest.importorskip("onnxscript", reason="FunASR's export under a current torch needs onnxscript")
    import onnx
    import torch

    published = tmp_path / "published"
    published.mkdir()
    graph = network(nano.checkpoint).export(max_seq_len=512, device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        torch.onnx.export(
            graph,
            graph.export_dummy_inputs(),
            str(published / "model.onnx"),
            input_names=graph.export_input_names(),
            output_names=graph.export_output_names(),
            dynamic_axes=graph.export_dynamic_axes(),
            verbose=False,
        )
    network.cache_clear()  # exporting changed the model's forward method
    model = onnx.load(published / "model.onnx", load_external_data=False)
    assert any(node.op_type == "LayerNormalization" for node in model.graph.node)
    assert (published / "model.onnx.data").is_file()
    for name in ("am.mvn", "tokens.json"):
        shutil.copyfile(nano.checkpoint / name, published / name)
    folder = frozen(published, tmp_path / "frozen")
    check(folder, nano.checkpoint, clips(speech))
    check(folder, nano.checkpoint, clips(speech), write_cpu_form(folder, tmp_path))


def test_a_graph_of_sherpa_onnx(nano: Exported, tmp_path: Path, speech: Samples) -> None:
    published = tmp_path / "published"
    published.mkdir()
    write_sherpa_graph(nano.folder, published)
    check(frozen(published, tmp_path / "frozen"), nano.checkpoint, clips(speech))


def frozen(published: Path, target: Path) -> Path:
    """Return the folder made by `freeze`; older NPU compilers accept its graph."""
    import onnx

    from_graph(published / "model.onnx", target, window=15.0, topk=32, int8=False, tell=lambda _: None)
    graph = onnx.load(target / STATIC)
    assert graph.opset_import[0].version <= 16
    assert not any(node.op_type == "LayerNormalization" for node in graph.graph.node)
    return target


def write_cpu_form(folder: Path, target: Path) -> Path:
    """Write the graph that `--int8` quantises, from the graph with free dimensions; it ends in TopK."""
    import onnx

    model = cpu_form(onnx.load(folder / "model.onnx"), target)
    operators = [node.op_type for node in model.graph.node]
    kernels = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    assert "Where" not in operators
    assert {kernels[node.input[1]] for node in model.graph.node if node.op_type == "Conv"} == {4}
    append_topk(model, 32)
    onnx.save(model, target / "model_cpu_top32.onnx")
    return target / "model_cpu_top32.onnx"


def write_sherpa_graph(exported: Path, folder: Path) -> None:
    """Write the same network under sherpa-onnx's names, with its metadata and tokens.txt; nothing else."""
    import onnx

    model = onnx.load(exported / "model.onnx")
    names = {
        "speech": "x",
        "speech_lengths": "x_length",
        "textnorm": "text_norm",
        "ctc_logits": "logits",
        "encoder_out_lens": "unused",
    }
    for tensor in [*model.graph.input, *model.graph.output]:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in model.graph.node:
        for edges in (node.input, node.output):
            edges[:] = [names.get(name, name) for name in edges]
    del model.graph.output[1:]
    tokens = (exported / "tokens.txt").read_text(encoding="utf-8")
    metadata = sherpa_metadata(read_cmvn(exported / "am.mvn"), tokens.count("\n"))
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, folder / "model.onnx")
    (folder / "tokens.txt").write_text(tokens, encoding="utf-8")
