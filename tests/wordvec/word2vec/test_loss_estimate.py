"""The memory estimate of training: accuracy, and rejection if memory is insufficient."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import wordvec
from tests.cases.word2vec import random_corpus, wraps_around
from wordvec import Word2VecSettings, encode_corpus, estimate_memory
from wordvec.errors import InputError, TrainingError
from wordvec.kernels.simd import JIT_OFF
from wordvec.word2vec import buffers as memory
from wordvec.word2vec.epoch import Trainer
from wordvec.word2vec.training import train_word2vec

pytestmark = wraps_around


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
@pytest.mark.parametrize(("size", "threads"), [(20, 1), (100, 3)])
def test_estimates_match_array_sizes(monkeypatch, mode, size, threads):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    monkeypatch.setattr("wordvec.word2vec.epoch.safe_round", lambda _, of, *__: (of.lanes, of.lane_tokens))
    settings = Word2VecSettings(mode=mode, vector_size=size).resolved()
    parts = estimate_memory(settings, 3000, threads)
    trainer = Trainer(random_corpus([4000], types=3000), settings, threads)
    arrays = [trainer.memory, trainer.users, *trainer.lanes, *trainer.tiles]
    estimate = parts["vectors"] + parts["lanes"] + parts["threads"]
    assert estimate == pytest.approx(sum(array.nbytes for array in arrays), rel=0.01)
    assert parts["vectors"] == trainer.table.nbytes
    assert parts["best epoch"] == 0
    assert estimate_memory(settings, 3000, threads, keeps_best=True)["best epoch"] > trainer.table.nbytes


MEASURE = """
import sys
from wordvec import Word2VecSettings, encode_corpus, estimate_memory, train_word2vec

def peak_and_now():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith("Vm"))
    return [int(lines[name].split()[0]) * 1024 for name in ("VmHWM", "VmRSS")]

settings = Word2VecSettings(vector_size=100, epochs=1)
train_word2vec(encode_corpus(["a b c d e f"] * 50), settings, threads=2)
texts = (" ".join(f"w{k + i}" for i in range(0, 60_000, 3000)) for k in range(3000) for _ in range(2))
corpus = encode_corpus(texts, min_count=1)
before = peak_and_now()[1]
open("/proc/self/clear_refs", "w").write("5")
result = train_word2vec(corpus, settings, threads=2)
estimate = sum(estimate_memory(settings, 60_000, 2).values()) - estimate_memory(settings, 60_000, 2)["vocabulary"]
print(len(result.vectors), peak_and_now()[0] - before, estimate)
"""


@pytest.mark.skipif(sys.platform != "linux" or JIT_OFF, reason="reads /proc; trains 120,000 tokens")
def test_estimate_matches_actual_memory():
    root = Path(wordvec.__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", MEASURE], cwd=root, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    words, taken, estimate = map(int, result.stdout.split())
    assert words == 60_000
    # Ids and offsets, which are memory-mapped, are not included.
    assert 0.8 * estimate < taken < 1.2 * estimate


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_sizes_beyond_the_memory_are_refused_before_anything_is_allocated(mode):
    corpus = encode_corpus(["a b c", "b c d"] * 9, min_count=1)
    for size in (10**9, 2**63 - 1):
        settings = Word2VecSettings(vector_size=size, mode=mode)
        with pytest.raises(TrainingError, match=rf"training 4 words x {size} needs .* GB of memory, but only .* free"):
            train_word2vec(corpus, settings)
    settings = Word2VecSettings(shared_negatives=10**10, mode=mode)
    with pytest.raises(TrainingError, match="the buffers of the threads need more memory than there is; lower threads"):
        train_word2vec(corpus, settings, threads=2)


def test_insufficient_memory_error_suggests_a_remedy(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 20_000_000_000)
    with pytest.raises(
        TrainingError,
        match=r"training 10,000,000 words x 300 needs 2\d\.\d GB of memory, but only 20\.0 GB are free; "
        r"raise min_count, or set max_vocabulary to at most 7,\d{3},\d{3} or vector_size to at most 2\d\d$",
    ):
        memory.check_memory(Word2VecSettings(vector_size=300), 10_000_000, 2)
    # The proposed values are sufficient, given that the words are already in memory.
    memory.check_memory(Word2VecSettings(vector_size=300), 7_000_000, 2)
    memory.check_memory(Word2VecSettings(vector_size=200), 10_000_000, 2)
    with pytest.raises(TrainingError, match="turn off evaluation and early stopping, raise min_count"):
        memory.check_memory(Word2VecSettings(vector_size=200), 10_000_000, 2, keeps_best=True)
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    memory.check_memory(Word2VecSettings(vector_size=300), 2_000_000_000, 2)


def test_memory_is_checked_before_any_work(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    monkeypatch.setattr("wordvec.word2vec.training.Trainer", None)
    with pytest.raises(TrainingError, match=r"needs \d\.\d MB of memory, but only 0\.0 MB are free"):
        train_word2vec(random_corpus())


def test_the_result_includes_the_estimate():
    settings = Word2VecSettings(vector_size=4, epochs=1)
    result = train_word2vec(random_corpus(), settings, threads=1)
    assert result.memory == estimate_memory(settings, 30, 1)
    assert json.loads(json.dumps(result.summary()))["memory"]["vectors"] == 2 * 30 * 16 * 4


def test_settings_are_checked():
    with pytest.raises(InputError, match="vector_size must be at least 1, got 0"):
        estimate_memory(Word2VecSettings(vector_size=0), 100)
    with pytest.raises(InputError, match="threads must be at least 1, got 0"):
        estimate_memory(Word2VecSettings(), 100, 0)
