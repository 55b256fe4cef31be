"""Export FunASR's torch checkpoint to an ONNX graph with free dimensions. Only this module needs torch and funasr."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from funasr_cli.errors import MachineError, ModelError, reading
from funasr_cli.export.compare import MAX_DIFFERENCE, log_softmax
from funasr_cli.extras import how_to_install
from funasr_cli.features.cmvn import FEATURES
from funasr_cli.recognizers.sensevoice.graph import LANGUAGE_IDS, TEXTNORM_IDS
from funasr_cli.system.onnx_sessions import make_session

OPSET = 14
"""The opset in which torch's TorchScript exporter writes SenseVoice without fused operators."""

MAX_FRAMES = 2048
"""Length of the graph's attention mask in frames: two minutes."""


def export_checkpoint(folder: Path, target: Path) -> None:
    """Write the SenseVoice checkpoint in `folder` (config.yaml, model.pt) as an ONNX graph in FunASR's own dialect.

    No code of the checkpoint is executed: the network comes from the installed funasr package, and only weights are
    loaded. Raises `MachineError` if torch or funasr is not installed, `ModelError` if the checkpoint cannot be read or
    belongs to another model.
    """
    try:
        import torch
        from funasr.models.sense_voice.model import SenseVoiceSmall
    except ImportError as error:
        raise MachineError(
            f"exporting a checkpoint needs torch and funasr: {error}", hint=how_to_install("export")
        ) from error
    config = _config(folder / "config.yaml")
    weights = _weights(torch, folder / "model.pt")
    try:
        network = SenseVoiceSmall(
            specaug=None,
            normalize=None,
            encoder=config["encoder"],
            encoder_conf=config["encoder_conf"],
            input_size=config["frontend_conf"]["n_mels"] * config["frontend_conf"]["lfr_m"],
            vocab_size=weights["ctc.ctc_lo.weight"].shape[0],
            **config.get("model_conf", {}),
        )
        network.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"checkpoint and config.yaml do not match: {error}", where=folder) from error
    graph = network.export(max_seq_len=MAX_FRAMES, device="cpu").eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of what may not hold at other lengths; that is tested below
        torch.onnx.export(
            graph,
            graph.export_dummy_inputs(),
            str(target),
            dynamo=False,  # the newer exporter writes fused LayerNormalization, which older NPU compilers refuse
            opset_version=OPSET,
            input_names=graph.export_input_names(),
            output_names=graph.export_output_names(),
            dynamic_axes=graph.export_dynamic_axes(),
        )
        _hold_against(graph, target, torch)


def _hold_against(network: Any, graph: Path, torch: Any) -> None:
    """Raise `ModelError` unless graph and network agree on a clip of another length than the traced one."""
    frames = 47
    inputs = {"speech": torch.randn(1, frames, FEATURES, generator=torch.Generator().manual_seed(0))}
    scalars = {"speech_lengths": frames, "language": LANGUAGE_IDS["zh"], "textnorm": TEXTNORM_IDS["withitn"]}
    inputs |= {name: torch.tensor([value], dtype=torch.int32) for name, value in scalars.items()}
    expected, _ = network(*inputs.values())
    session = make_session(graph)
    found, _ = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    difference = float(np.abs(log_softmax(found) - log_softmax(expected.numpy())).max())
    if not difference <= MAX_DIFFERENCE:
        raise ModelError(f"results of the graph differ from those of the network (by {difference:.2g})", where=graph)


def _config(path: Path) -> dict[str, Any]:
    try:
        with reading(path, ModelError):
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ModelError(f"not YAML: {error}", where=path) from error
    if not isinstance(config, dict) or config.get("model") != "SenseVoiceSmall":
        name = config.get("model") if isinstance(config, dict) else None
        raise ModelError(f"a checkpoint of {name}; only SenseVoiceSmall can be exported", where=path)
    return config


def _weights(torch: Any, path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=path) from error
    except Exception as error:  # pickle and torch raise many classes
        # Their text is not shown: torch advises to load the file anyway, which would run code from it.
        raise ModelError(f"not a checkpoint with weights only ({type(error).__name__})", where=path) from error
    if isinstance(state, dict):
        state = state.get("state_dict", state)
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ModelError("not a checkpoint: it has no named weights", where=path)
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}
