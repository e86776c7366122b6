"""Prediction of a single sequence on two threads."""

import os
import threading
import time

import numpy as np
import pytest

from seqclf.kernels.pairing import AWAKE, COMPILED
from seqclf.layers import second_thread
from seqclf.layers.batches import pack_alone
from seqclf.layers.cells import get_cell
from seqclf.layers.heads import RegressionHead
from seqclf.layers.parameters import EncoderShape, Workspace, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork

pytestmark = pytest.mark.skipif(not COMPILED, reason="kernels in Python are never shared")
LSTM = get_cell("lstm")


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(second_thread, "available_cores", lambda: 2)
    monkeypatch.setattr(second_thread, "_FIRST_CALLS", 0)
    monkeypatch.setattr(second_thread, "_WORTH_SHARING", 1)
    second_thread._started.cache_clear()
    yield
    second_thread._started.cache_clear()


def make(cell="lstm", reset="after", merge="concatenate"):
    random = np.random.default_rng(3)
    shape = EncoderShape(7, 20, 24, cell=cell, reset=reset, merge=merge, layers=2)
    head = RegressionHead(2, 24, parts=shape.parts, random=random)
    table = random.standard_normal((7, 20)).astype(np.float32)
    return PooledNetwork(shape, head, initial_encoder(shape, table, random) | head.parameters(), pooling="mean")


@pytest.mark.parametrize(
    ("cell", "reset", "merge"),
    [
        ("lstm", "after", "concatenate"),
        ("gru", "after", "sum"),
        ("gru", "before", "concatenate"),
        ("rnn", "after", "average"),
    ],
)
def test_the_second_thread_computes_the_same_bits(cell, reset, merge, monkeypatch):
    from seqclf.kernels import pairing

    run_both, helped = pairing.run_both, []
    monkeypatch.setattr(pairing, "run_both", lambda *given: helped.append(run_both(*given)) or helped[-1])
    monkeypatch.setattr(second_thread, "_PAUSE", 0)
    network, space = make(cell, reset, merge), Workspace(np.float32)
    batches = [pack_alone((np.arange(length) % 7).astype(np.int32)) for length in (9, 4_000)]
    expected = [network.predict(batch).tobytes() for batch in batches]
    end = time.monotonic() + 20
    while not any(helped) and time.monotonic() < end:  # on a busy machine the caller computes both
        assert [network.predict(batch, space, paired=True).tobytes() for batch in batches] == expected
    assert any(helped)


def test_the_thread_sleeps_when_no_sequence_follows():
    thread = second_thread.second_thread(LSTM, 64, 9)
    thread._pause = 0
    make().predict(pack_alone(np.arange(7, dtype=np.int32)), paired=True)
    end = time.monotonic() + 20
    while thread._bell[AWAKE] and time.monotonic() < end:
        time.sleep(0.01)
    assert not thread._bell[AWAKE]


def test_callers_at_the_same_time_get_their_own_results():
    network, ids = make(), [np.array(ids, np.int32) for ids in ([5, 0, 2], [1, 1, 6, 4], [2], [3, 4])]
    expected = [network.predict(pack_alone(own)).tobytes() for own in ids]
    wrong = []

    def predict(number):
        space = Workspace(np.float32)
        for _ in range(50):
            found = network.predict(pack_alone(ids[number]), space, paired=True).tobytes()
            wrong.extend([number] if found != expected[number] else [])

    threads = [threading.Thread(target=predict, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_is_not_asked_while_it_comes_too_late():
    thread = second_thread.second_thread(LSTM, 64, 9)
    thread._wake = threading.Lock()  # nobody wakes up
    thread._wake.acquire()
    network, batch = make(), pack_alone(np.arange(7, dtype=np.int32))
    expected = network.predict(batch).tobytes()
    found = [network.predict(batch, paired=True).tobytes() for _ in range(4)]
    assert set(found) == {expected}
    assert thread._pause > 0


@pytest.mark.parametrize(("cores", "hidden"), [(1, 64), (2, 8)])
def test_there_is_none_without_a_core_or_for_little_work(cores, hidden, monkeypatch):
    monkeypatch.setattr(second_thread, "available_cores", lambda: cores)
    monkeypatch.setattr(second_thread, "_WORTH_SHARING", 4 * 64 * 64 * 9)
    assert second_thread.second_thread(LSTM, hidden, 9) is None


def test_it_starts_after_some_calls(monkeypatch):
    monkeypatch.setattr(second_thread, "_FIRST_CALLS", next(second_thread._calls) + 3)
    found = [second_thread.second_thread(LSTM, 64, 9) for _ in range(3)]
    assert [thread is None for thread in found] == [True, True, False]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded")
def test_a_forked_process_starts_its_own():
    network, batch = make(), pack_alone(np.arange(7, dtype=np.int32))
    expected = network.predict(batch, paired=True).tobytes()
    child = os.fork()
    if child == 0:
        os._exit(0 if network.predict(batch, paired=True).tobytes() == expected else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two cores"
)
def test_a_thread_is_tied_to_the_cores_that_its_caller_does_not_use():
    mine, end = os.sched_getaffinity(0), threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        os.sched_setaffinity(0, {min(mine)})
        second_thread.avoid_this_core(other.native_id)
        assert os.sched_getaffinity(other.native_id) == mine, "a caller that is tied to one core ties no other"
        os.sched_setaffinity(0, mine)
        second_thread.avoid_this_core(other.native_id)
        tied = os.sched_getaffinity(other.native_id)
        assert tied < mine
        assert len(tied) == len(mine) - 1
        assert os.sched_getaffinity(0) == mine
    finally:
        os.sched_setaffinity(0, mine)
        end.set()
        other.join()
    second_thread.avoid_this_core(other.native_id)  # it has ended
