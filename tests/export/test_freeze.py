"""From the published form of a small real model to a static graph, without torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import numpy_helper

from funasr_cli.errors import MachineError, ModelError, UsageError
from funasr_cli.executors.placement import Placement
from funasr_cli.export import compare
from funasr_cli.export.make import from_checkpoint, from_graph
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.window_runner import WindowRunner, load_window_runner
from funasr_cli.recognizers.base import Request
from tests.conftest import NANO
from tests.support.meetings import samples_of

STATIC = "model_6s_top5.onnx"


def freeze(graph: Path, target: Path, *, topk: int = 5) -> None:
    from_graph(graph, target, window=6.0, topk=topk, int8=False, tell=lambda _: None)


def load(folder: Path) -> WindowRunner:
    return load_window_runner(find_model(str(folder)), Placement(1))


def test_every_dimension_is_a_number(frozen: Path) -> None:
    graph = onnx.load(frozen / STATIC).graph
    shapes = {
        tensor.name: [size.dim_value for size in tensor.type.tensor_type.shape.dim]
        for tensor in [*graph.input, *graph.value_info, *graph.output]
    }
    assert all(0 not in sizes for sizes in shapes.values())
    assert shapes["speech"] == [1, 100, 560]
    assert shapes["speech_lengths"] == shapes["encoder_out_lens"] == [1]
    assert shapes["log_probs"] == shapes["token_ids"] == [1, 104, 5]


def test_the_static_graph_hears_what_the_free_one_hears(frozen: Path, tmp_path: Path) -> None:
    shutil.copytree(frozen, tmp_path / "static", ignore=shutil.ignore_patterns("model.onnx"))
    static, free = load(tmp_path / "static"), load(frozen)
    assert static.recognizer.window == pytest.approx(6.0)
    for length in (1_600, 30_000, 96_000):
        samples = samples_of(NANO / "words-with-pauses.flac")[:length]
        heard = []
        for runner in (static, free):
            outputs = runner.graph_runner.executor.run(runner.recognizer.prepare(samples, Request()))
            heard.append([(token.text, token.start) for token in runner.recognizer.decode(outputs, Request()).tokens])
        assert heard[0] == heard[1]


def test_the_folder_accounts_for_what_is_in_it(frozen: Path) -> None:
    account = yaml.safe_load((frozen / "model.yaml").read_text(encoding="utf-8"))
    assert (account["family"], account["window"], account["topk"], account["tokens"]) == ("sensevoice", 6.0, 5, 1044)
    assert account["licence"] == "NOTICE"
    assert account["made_from"]["file"] == "model.onnx"
    assert account["graphs"][STATIC]["inputs"]["speech"] == "float [1, 100, 560]"
    assert set(account["sha256"]) == {path.name for path in frozen.iterdir()} - {"model.yaml"}


def test_a_folder_that_was_changed_is_refused(frozen: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(frozen, folder)
    with (folder / "tokens.txt").open("a", encoding="utf-8") as file:
        file.write("x 1044\n")
    with pytest.raises(ModelError, match=r"(?s)tokens\.txt: does not match its sha256.*export or freeze"):
        find_model(str(folder))
    (folder / "model.yaml").write_text("sha256: {}")
    with pytest.raises(ModelError, match=r"model\.onnx: does not match its sha256"):
        find_model(str(folder))
    (folder / "model.yaml").write_text("sha256: 1")
    with pytest.raises(ModelError, match=r"model\.yaml: does not list"):
        find_model(str(folder))


def test_without_topk_the_graph_ends_in_logits(published: Path, tmp_path: Path) -> None:
    freeze(published, tmp_path / "logits", topk=0)
    graph = onnx.load(tmp_path / "logits" / "model_6s_logits.onnx").graph
    assert [output.name for output in graph.output] == ["ctc_logits", "encoder_out_lens"]


def test_nothing_is_left_where_the_result_differs(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MAX_DIFFERENCE", 0.0)
    with pytest.raises(ModelError, match=r"results of model_6s_top5\.onnx differ from those of the original graph"):
        freeze(published, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [3.0, np.nan])
def test_a_graph_that_computes_something_else_is_noticed(frozen: Path, tmp_path: Path, wrong: float) -> None:
    model = onnx.load(frozen / STATIC)
    bias = next(tensor for tensor in model.graph.initializer if list(tensor.dims) == [1044])
    changed = numpy_helper.to_array(bias).copy()
    changed[::2] += np.float32(wrong)
    bias.CopyFrom(numpy_helper.from_array(changed, bias.name))
    onnx.save(model, tmp_path / "wrong.onnx")
    with pytest.raises(ModelError, match="differ from those"):
        compare.hold_against(tmp_path / "wrong.onnx", frozen / "model.onnx", 100)


def damaged() -> Iterator[tuple[str, str]]:
    yield "rubbish.onnx", r"rubbish\.onnx: not an ONNX graph"
    yield STATIC, r"the dimensions are already fixed"
    yield "model_quant.onnx", r"(?s)8-bit.*Freeze the float32 graph"


@pytest.mark.parametrize(("name", "message"), list(damaged()))
def test_what_cannot_be_frozen_is_said(frozen: Path, tmp_path: Path, name: str, message: str) -> None:
    folder = tmp_path / "source"
    shutil.copytree(frozen, folder)
    (folder / "rubbish.onnx").write_bytes(b"rubbish")
    shutil.copyfile(NANO / "model_quant.onnx", folder / "model_quant.onnx")
    with pytest.raises(ModelError, match=message):
        freeze(folder / name, tmp_path / "out")


def test_a_vocabulary_of_another_model_is_refused(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    shutil.copytree(published.parent, folder)
    (folder / "tokens.json").write_text('["<unk>", "x"]')
    with pytest.raises(ModelError, match="the vocabulary has 2 tokens, the graph 1044 labels"):
        freeze(folder / "model.onnx", tmp_path / "out")


def test_a_changed_vocabulary_makes_another_model(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    shutil.copytree(published.parent, folder)
    before = find_model(str(folder))
    tokens = (folder / "tokens.json").read_text(encoding="utf-8")
    (folder / "tokens.json").write_text(tokens.replace("一", "乙"), encoding="utf-8")
    after = find_model(str(folder))
    assert before.content != after.content
    assert before.sha256 == after.sha256  # that of the weights


def test_a_folder_that_exists_is_left_alone(published: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="already exists"):
        freeze(published, tmp_path)


def test_a_checkpoint_without_torch_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MachineError, match=r"(?s)needs torch and funasr.*\[export\]"):
        from_checkpoint(NANO, tmp_path / "out", window=15.0, topk=32, int8=False, tell=lambda _: None)
