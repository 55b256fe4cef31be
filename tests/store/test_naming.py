"""Names of outputs."""

from __future__ import annotations

from pathlib import Path, PurePath

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.store.entries import KnownInput
from funasr_cli.store.naming import OutputNames


def names(*relatives: str, taken: tuple[str, ...] = (), exact: bool = True, beside: bool = False) -> list[str]:
    """The names of recordings, whose outputs lie on a file system that tells `exact` names apart."""
    owners = OutputNames(lambda _: exact, beside=beside)
    for ident, name in enumerate(taken):
        owners.take(KnownInput(ident, f"/in/{name}.wav".encode(), name.encode(), None, None, None, None, 0))
    return [str(owners.add(PurePath(relative), Path("/in") / relative)) for relative in relatives]


def test_the_stem_where_it_is_free_else_the_full_name() -> None:
    assert names("a.wav", "a.mp3", "sub/a.wav") == ["a", "a.mp3", "sub/a"]


def test_a_stem_that_is_anothers_full_name_is_not_free() -> None:
    assert names("a.wav", "a.mp3", "a.mp3.wav") == ["a", "a.mp3", "a.mp3.wav"]


def test_names_of_recordings_seen_before_are_not_free() -> None:
    assert names("a.wav", taken=("a", "a.wav")) == ["a.wav.2"]


@given(st.lists(st.sampled_from(["a", "a.wav", "a.mp3", "a.mp3.wav", "b/a.wav", "a.2", ".wav", "a..wav"]), unique=True))
def test_no_two_recordings_share_a_name(relatives: list[str]) -> None:
    given_names = names(*relatives)
    assert len(set(given_names)) == len(relatives)
