"""Names of outputs."""

from __future__ import annotations

from pathlib import Path, PurePath

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.store.entries import KnownInput
from funasr_cli.store.naming import OutputNames


def known(name: str, path: str) -> KnownInput:
    """An input that was given a name; its id is made of both."""
    return KnownInput(hash((name, path)), path.encode(), name.encode(), None, None, None, None, 0)


def names(*relatives: str, taken: tuple[str, ...] = (), exact: bool = True, beside: bool = False) -> list[str]:
    """The names of recordings, whose outputs lie on a file system that tells `exact` names apart."""
    owners = OutputNames(lambda _: exact, beside=beside)
    for name in taken:
        owners.take(known(name, f"/in/{name}.wav"))
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


def test_rivals_are_those_whose_names_may_be_taken_for_one() -> None:
    owners = OutputNames(lambda _: False, beside=False)
    one, two, other = known("Talk", "/in/Talk.wav"), known("talk", "/in/talk.wav"), known("b", "/in/b.wav")
    for each in (one, other):
        owners.take(each)
    assert list(owners.rivals) == []
    owners.add(PurePath("new.wav"), Path("/in/new.wav"))
    late = known("NEW", "/in/NEW.wav")
    for each in (two, late):
        owners.take(each)
    assert list(owners.rivals) == [one, two, late]
    assert [owners.is_clear(each) for each in (one, two, other, late)] == [True, False, True, False]


def test_a_distinct_name_is_so_on_any_file_system() -> None:
    for distinct, name in ((False, "talk"), (True, "talk.wav")):
        owners = OutputNames(lambda _: True, beside=False)
        owners.take(known("Talk", "/in/Talk.wav"))
        assert owners.add(PurePath("talk.wav"), Path("/in/talk.wav"), distinct=distinct) == PurePath(name)


def test_what_lies_beside_a_recording_matters_only_beside_it() -> None:
    for beside, name in ((False, "b/a"), (True, "b/a.mp3")):
        owners = OutputNames(lambda _: True, beside=beside)
        owners.take(known("a", "/in/a.wav"))
        assert owners.add(PurePath("b/a.mp3"), Path("/in/a.mp3")) == PurePath(name)


def test_beside_a_name_is_clear_if_it_is_in_both_places() -> None:
    owners = OutputNames(lambda folder: folder != "/in", beside=True)
    one, two, three = known("a", "/in/a.wav"), known("A", "/in/b/A.wav"), known("c/a", "/in/A.mp3")
    for each in (one, two, three):
        owners.take(each)
    assert [owners.is_told_apart(each) for each in (one, two, three)] == [False, True, False]
    assert [owners.is_clear(each) for each in (one, two, three)] == [True, False, False]
