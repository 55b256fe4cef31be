"""Which OM of a folder runs on a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.models.om_files import choose_om, fitting_oms, om_name


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_an_om_is_called_after_model_window_variant_and_soc() -> None:
    assert om_name("nano", 15.0, "Ascend310P3") == "nano_15s_Ascend310P3.om"
    assert (
        om_name("my_model", 7.5, "Ascend910_9391", "logits", "gears") == "my_model_7.5s_logits_gears_Ascend910_9391.om"
    )


def test_the_one_for_the_soc_is_taken_and_no_variant_of_it(tmp_path: Path) -> None:
    socs = ("Ascend310P3", "Ascend910B4", "Ascend910B4-1", "Ascend910_9391")
    names = [om_name("my_2s_model", 15, soc, *variant) for soc in socs for variant in ((), ("gears",), ("logits",))]
    folder = folder_with(tmp_path, "model.om", *names)
    for soc in socs:
        assert choose_om(folder, soc).name == om_name("my_2s_model", 15, soc)


def test_all_that_fit_are_listed_and_nothing_for_other_socs(tmp_path: Path) -> None:
    names = ["nano_15s_Ascend310P3.om", "nano_15s_gears_Ascend310P3.om", "nano_15s_logits_Ascend310P3.om"]
    folder = folder_with(tmp_path, "model.om", "nano_15s_Ascend910B2.om", *reversed(names))
    assert [path.name for path in fitting_oms(folder, "Ascend310P3")] == names


def test_a_variant_is_taken_where_there_is_nothing_else(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "nano_15s_gears_Ascend310P3.om", "nano_15s_Ascend910B2.om")
    assert choose_om(folder, "Ascend310P3").name == "nano_15s_gears_Ascend310P3.om"


def test_one_of_others_that_does_not_say_what_it_is_for_is_tried(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "model.om", "nano_15s_Ascend910B2.om")
    assert choose_om(folder, "Ascend310P3").name == "model.om"


def test_where_none_fits_it_says_what_there_is_and_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        choose_om(folder_with(tmp_path, "nano_15s_Ascend910B2.om"), "Ascend310P3")
    for words in (
        "has no OM for Ascend310P3",
        "It has nano_15s_Ascend910B2.om.",
        "funasr-cli convert",
        "--soc Ascend310P3",
    ):
        assert words in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"(?s)no OM for Ascend310P3\n  Compile one"):
        choose_om(tmp_path / "empty", "Ascend310P3")
