"""The thread that keeps the record: a real record, and what reaches the disk together."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from funasr_cli.errors import InputError, RecordError
from funasr_cli.store import writer as writer_module
from funasr_cli.store.opening import open_store
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.writer import StoreWriter
from tests.support.descriptors import open_files


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OutputStore]:
    with open_store(tmp_path, beside=False, wait=False, tell=print) as store:
        yield store


def count_transactions(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    honest = store.transaction

    def transaction() -> object:
        seen.append("transaction")
        return honest()

    monkeypatch.setattr(store, "transaction", transaction)
    return seen


def note(into: list[object]) -> Callable[[Future[object]], None]:
    return lambda outcome: into.append(outcome.exception() or outcome.result())


def test_what_came_in_meanwhile_is_put_down_together(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    transactions, answers = count_transactions(store, monkeypatch), list[object]()
    begun, gate = threading.Event(), threading.Event()
    with StoreWriter(store) as writer:
        writer.submit(lambda: begun.set() or gate.wait(), note(answers), urgent=True)  # type: ignore[func-returns-value]
        begun.wait()
        for number in range(10):
            writer.submit(lambda number=number: number, note(answers))  # type: ignore[misc]
        gate.set()
        while len(answers) < 11:
            writer.answer()
    assert answers == [True, *range(10)]
    assert len(transactions) == 2


def test_what_nobody_waits_for_goes_with_what_comes_after_it(
    store: OutputStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "GROUP_WAIT_S", 60.0)
    transactions, answers = count_transactions(store, monkeypatch), list[object]()
    with StoreWriter(store) as writer:
        writer.submit(lambda: "begun", note(answers))
        writer.submit(lambda: "placed", note(answers), urgent=True)
        while len(answers) < 2:
            writer.answer()
    assert answers == ["begun", "placed"]
    assert len(transactions) == 1


def test_what_nobody_waits_for_does_wait_for_others(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GROUP_WAIT_S", 60.0)
    transactions, answers = count_transactions(store, monkeypatch), list[object]()
    with StoreWriter(store) as writer:
        for number in range(3):
            writer.submit(lambda number=number: number, note(answers))  # type: ignore[misc]
            while not writer._handed_in.empty():  # until it was taken up
                time.sleep(0.001)
            assert transactions == []
        writer.submit(lambda: 3, note(answers), urgent=True)
        while len(answers) < 4:
            writer.answer()
    assert answers == [0, 1, 2, 3]
    assert len(transactions) == 1


def test_a_writer_leaves_nothing_open(store: OutputStore) -> None:
    before = open_files()
    with StoreWriter(store):
        pass
    assert open_files() <= before


def test_what_nobody_waits_for_does_not_wait_for_ever(store: OutputStore) -> None:
    answers = list[object]()
    with StoreWriter(store) as writer:
        writer.submit(lambda: "done", note(answers))
        writer.answer()
    assert answers == ["done"]


def test_an_entry_that_fails_costs_only_itself(store: OutputStore) -> None:
    def refuse() -> None:
        raise InputError("no")

    answers: list[object] = []
    with StoreWriter(store) as writer:
        writer.submit(refuse, note(answers))
        writer.submit(lambda: "yes", note(answers))
        while len(answers) < 2:
            writer.answer()
    assert isinstance(answers[0], InputError)
    assert answers[1] == "yes"


def test_a_record_that_cannot_be_kept_ends_the_run(store: OutputStore) -> None:
    def break_down() -> None:
        raise RecordError("disk full")

    answers: list[object] = []
    with StoreWriter(store) as writer:
        writer.submit(break_down, note(answers))
        with pytest.raises(RecordError, match="disk full"):
            writer.answer()
        writer.submit(lambda: "too late", note(answers))
    assert answers == []


def test_nothing_is_answered_for_that_was_not_committed(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def full() -> Iterator[None]:
        yield
        raise RecordError("disk full")

    monkeypatch.setattr(store, "transaction", full)
    answers: list[object] = []
    with StoreWriter(store) as writer:
        writer.submit(lambda: "done", note(answers))
        with pytest.raises(RecordError, match="disk full"):
            writer.answer()
    assert answers == []


def test_all_that_was_handed_in_is_on_the_disk_at_the_end(store: OutputStore) -> None:
    done: list[int] = []
    with StoreWriter(store) as writer:
        for number in range(100):
            writer.submit(lambda number=number: done.append(number), lambda _: None)  # type: ignore[misc]
    assert done == list(range(100))


def test_each_of_many_urgent_entries_is_answered(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that sometimes never ends shows only in many of them."""
    monkeypatch.setattr(store, "transaction", nullcontext)
    answers: list[object] = []
    with StoreWriter(store) as writer:
        for number in range(3_000):
            writer.submit(lambda number=number: number, note(answers), urgent=True)  # type: ignore[misc]
            while len(answers) <= number:
                readable, _, _ = select.select([writer], [], [], 10.0)
                assert readable, f"entry {number} is never answered"
                writer.answer()
    assert answers == list(range(3_000))
