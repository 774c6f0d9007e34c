"""The worker thread: newest item wins, calls come first and keep their order, it always ends."""

import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.ros.worker import Worker

TIMEOUT_S = 10.0


class Log:
    """What a worker did, and a gate that holds it in the middle of an item."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.groups: list[list[object]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def handle(self, items: Sequence[object]) -> None:
        self.entered.set()
        assert self.gate.wait(TIMEOUT_S)
        self.done += items
        self.groups.append(list(items))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def worker(log: Log) -> Iterator[Worker[object]]:
    worker: Worker[object] = Worker(log.handle)
    worker.start()
    yield worker
    log.gate.set()
    assert worker.stop(TIMEOUT_S)


def hold(worker: Worker[object], log: Log, item: object) -> None:
    """Have the worker stand in the middle of an item."""
    log.gate.clear()
    worker.submit('camera', item)
    assert log.entered.wait(TIMEOUT_S)


def wait_for(worker: Worker[object], log: Log, count: int) -> None:
    """Wait until so many items have been handled."""
    end_s = time.monotonic() + TIMEOUT_S
    while len(log.done) < count and time.monotonic() < end_s:
        worker.call(lambda: None).result(TIMEOUT_S)
    assert len(log.done) == count


def test_newest_item_wins(worker: Worker[object], log: Log) -> None:
    hold(worker, log, 1)
    assert [worker.submit('camera', item) for item in (2, 3, 4)] == [False, True, True]
    log.gate.set()
    worker.call(lambda: None).result(TIMEOUT_S)
    worker.call(lambda: None).result(TIMEOUT_S)
    worker.submit('camera', 5)
    while log.done[-1:] != [5]:
        worker.call(lambda: None).result(TIMEOUT_S)
    assert log.done == [1, 4, 5]


def test_calls_come_before_items_and_in_order(worker: Worker[object], log: Log) -> None:
    hold(worker, log, 'first')
    worker.submit('camera', 'last')
    calls = [worker.call(lambda name=name: log.done.append(name)) for name in 'abc']
    log.gate.set()
    for call in calls:
        call.result(TIMEOUT_S)
    while len(log.done) < 5:
        worker.call(lambda: None).result(TIMEOUT_S)
    assert log.done == ['first', 'a', 'b', 'c', 'last']


def test_what_is_of_one_kind_comes_at_once_and_the_oldest_first(log: Log) -> None:
    worker: Worker[object] = Worker(log.handle, kind=lambda item: len(str(item)))
    worker.start()
    hold(worker, log, 'first')
    for sender, item in (('a', 11), ('b', 222), ('c', 33), ('b', 444), ('d', 5)):
        worker.submit(sender, item)
    log.gate.set()
    wait_for(worker, log, 5)
    assert worker.stop(TIMEOUT_S)
    # That of b keeps the turn of the one whose place it took.
    assert log.groups == [['first'], [11, 33], [444], [5]]


def test_a_sender_clears_its_own_mailbox_only(worker: Worker[object], log: Log) -> None:
    hold(worker, log, 1)
    worker.submit('front', 2)
    worker.submit('rear', 3)
    assert worker.clear('front')
    log.gate.set()
    wait_for(worker, log, 2)
    assert log.done == [1, 3]


def test_call_returns_the_answer_or_the_exception(worker: Worker[object]) -> None:
    assert worker.call(lambda: 6 * 7).result(TIMEOUT_S) == 42
    error = worker.call(lambda: [][0]).exception(TIMEOUT_S)
    assert isinstance(error, IndexError)
    assert worker.call(lambda: 'alive').result(TIMEOUT_S) == 'alive'


def test_calls_run_on_one_other_thread(worker: Worker[object]) -> None:
    threads = {worker.call(threading.get_ident).result(TIMEOUT_S) for _ in range(3)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_cleared_item_is_not_handled(worker: Worker[object], log: Log) -> None:
    hold(worker, log, 1)
    worker.submit('camera', 2)
    assert worker.clear('camera')
    assert not worker.clear('camera')
    log.gate.set()
    worker.call(lambda: None).result(TIMEOUT_S)
    assert log.done == [1]


def test_stop_forgets_what_waits(worker: Worker[object], log: Log) -> None:
    hold(worker, log, 1)
    worker.submit('camera', 2)
    waiting = worker.call(lambda: log.done.append('never'))
    assert not worker.stop(0.01)
    log.gate.set()
    assert worker.stop(TIMEOUT_S)
    assert isinstance(waiting.exception(TIMEOUT_S), MonoDepthError)
    assert log.done == [1]


class Unfinished(Log):
    """Leaves the end of each item for later."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[object] = []

    def handle(self, items: Sequence[object]) -> None:
        super().handle(items)
        self.left += items

    def finish(self) -> None:
        self.done += [f'end {item}' for item in self.left]
        self.left.clear()


@pytest.fixture
def unfinished() -> Iterator[tuple[Worker[object], Unfinished]]:
    log = Unfinished()
    worker: Worker[object] = Worker(log.handle, finish=log.finish)
    worker.start()
    yield worker, log
    log.gate.set()
    assert worker.stop(TIMEOUT_S)


def until(log: Log, last: object) -> None:
    """Wait, without a call, until something is the last thing done."""
    end_s = time.monotonic() + TIMEOUT_S
    while log.done[-1:] != [last] and time.monotonic() < end_s:
        time.sleep(0.001)


def test_what_is_left_ends_when_no_item_waits(
    unfinished: tuple[Worker[object], Unfinished],
) -> None:
    worker, log = unfinished
    worker.submit('camera', 1)
    until(log, 'end 1')
    assert log.done == [1, 'end 1']
    log.entered.clear()
    hold(worker, log, 2)
    worker.submit('camera', 3)
    log.gate.set()
    until(log, 'end 3')
    assert log.done[2:] == [2, 3, 'end 2', 'end 3']


def test_what_is_left_ends_before_a_call(unfinished: tuple[Worker[object], Unfinished]) -> None:
    worker, log = unfinished
    hold(worker, log, 1)
    worker.submit('camera', 2)
    call = worker.call(lambda: log.done.append('call'))
    log.gate.set()
    call.result(TIMEOUT_S)
    assert log.done[:3] == [1, 'end 1', 'call']


def test_what_is_left_ends_before_the_thread_does(
    unfinished: tuple[Worker[object], Unfinished],
) -> None:
    worker, log = unfinished
    hold(worker, log, 1)
    worker.submit('camera', 2)
    assert not worker.stop(0.01)
    log.gate.set()
    assert worker.stop(TIMEOUT_S)
    assert log.done == [1, 'end 1']


def test_call_after_stop_fails_at_once(worker: Worker[object]) -> None:
    assert worker.stop(TIMEOUT_S)
    assert isinstance(worker.call(lambda: None).exception(0), MonoDepthError)


def test_worker_that_never_started_stops() -> None:
    worker: Worker[object] = Worker(lambda item: None)
    waiting = worker.call(lambda: None)
    assert worker.stop(TIMEOUT_S)
    assert isinstance(waiting.exception(TIMEOUT_S), MonoDepthError)
