"""Co-occurrence counts: comparison with exact fractions, at any number of threads and in any memory budget."""

import gc
import io
import itertools
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cases.word2vec import corpus_of, random_corpus, wraps_around
from tests.oracles import naive_frequency
from wordvec import encode_corpus
from wordvec.count_based.cooccurrence import count_cooccurrences
from wordvec.count_based.pair_counting import plan_of, whole_weights
from wordvec.count_based.settings import CooccurrenceSettings
from wordvec.errors import InputError, UnknownTokenError
from wordvec.system.scratch import Growing, Scratch

pytestmark = wraps_around

SIDES, WEIGHTINGS = ("both", "left", "right"), ("harmonic", "flat", "dynamic")
LEAST = 15_000
"""A budget that fits only a few hundred tokens of a small vocabulary at a time."""


def sentences_of(corpus):
    ids, offsets = corpus.ids.tolist(), corpus.offsets.tolist()
    return [ids[start:end] for start, end in itertools.pairwise(offsets)]


def bytes_of(found):
    matrix = found.counts
    return matrix.indptr.tobytes(), matrix.indices.tobytes(), matrix.data.tobytes()


@pytest.mark.parametrize("window", [40, 32_767])
def test_a_window_longer_than_every_sentence_covers_it(window):
    corpus = random_corpus([3, 1, 0, 17], types=6)
    matrix = count_cooccurrences(corpus, CooccurrenceSettings(window), threads=1).counts
    expected = naive_frequency.dense(naive_frequency.cooccurrences(sentences_of(corpus), 6, window), 6)
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=2e-7)  # 1/13 and the like are rounded to 2^-32


def test_a_single_word_is_its_only_context():
    corpus = encode_corpus(["a a a", "", "a"], min_count=1)
    found = count_cooccurrences(corpus, CooccurrenceSettings(window=2), threads=1)
    assert found.counts.toarray().tolist() == [[5.0]]  # 1 + 1/2 from the ends, 2 from the middle
    assert found.count("a", "A") == 5.0


def test_one_word_sentences_give_an_empty_matrix():
    corpus = encode_corpus(["a", "b", "", "a"], min_count=1)
    found = count_cooccurrences(corpus, threads=1)
    assert len(found.counts.data) == 0
    assert found.counts.indptr.tolist() == [0, 0, 0]
    assert found.count("a", "b") == 0.0
    assert repr(found) == "<CooccurrenceCounts of 2 tokens, 0 pairs>"


def test_settings_and_tokenizer_are_recorded():
    corpus = encode_corpus(["The cat sat"], min_count=1, lowercase=True, tokenizer="words")
    found = count_cooccurrences(corpus, CooccurrenceSettings(window=1, contexts="left"))
    assert (found.tokenizer, found.lowercase, found.settings.contexts) == ("words", True, "left")
    assert found.vocabulary is corpus.vocabulary
    assert (found.count("cat", "the"), found.count("the", "cat")) == (1.0, 0.0)
    with pytest.raises(UnknownTokenError, match="'dog' is not in the vocabulary"):
        found.count("dog", "cat")


# -- properties -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corpus():
    return random_corpus([0, 30, 0, 1, 200, 2, 0, 500, 90, 5, 700, 17, 0], types=60)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_symmetric_counts_are_the_sum_of_left_and_right(corpus, weighting):
    both, left, right = (
        count_cooccurrences(corpus, CooccurrenceSettings(7, side, weighting), threads=1).counts.toarray()
        for side in SIDES
    )
    assert np.array_equal(both, both.T)
    assert np.array_equal(left, right.T)
    np.testing.assert_allclose(both, left + right, rtol=2e-7)
    assert not np.array_equal(left, right)


def test_row_sums_equal_total_window_weights(corpus):
    matrix = count_cooccurrences(corpus, CooccurrenceSettings(5, window_weights="flat"), threads=1).counts
    reach = np.zeros(len(corpus.vocabulary))
    for sentence in sentences_of(corpus):
        for place, token_id in enumerate(sentence):
            reach[token_id] += min(place, 5) + min(len(sentence) - 1 - place, 5)
    assert matrix.sum(axis=1).tolist() == matrix.sum(axis=0).tolist() == reach.tolist()


def test_the_order_of_sentences_does_not_matter(corpus):
    sentences = sentences_of(corpus)
    order = np.random.default_rng(3).permutation(len(sentences))
    shuffled = [sentences[k] for k in order]
    ids = [token for sentence in shuffled for token in sentence]
    other = corpus_of(ids, np.cumsum([0, *map(len, shuffled)]), types=60)
    assert not np.array_equal(other.ids, corpus.ids)
    assert bytes_of(count_cooccurrences(other, threads=1)) == bytes_of(count_cooccurrences(corpus, threads=1))


# -- threads and memory -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """Return the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("memory", [LEAST, 200_000, 1 << 30])
def test_threads_and_memory_do_not_affect_the_result(corpus, threads, memory, folder, monkeypatch, caplog):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    monkeypatch.setattr("wordvec.count_based.pair_counting._BLOCK", 100)  # so that there are several blocks
    caplog.set_level(logging.INFO, "wordvec")
    expected = bytes_of(count_cooccurrences(corpus, threads=1, memory=1 << 30))
    found = count_cooccurrences(corpus, threads=threads, memory=memory)
    assert bytes_of(found) == expected
    assert not found.counts.data.flags.writeable
    assert ("temporary files" in caplog.text) == (memory == LEAST)
    assert any(folder.iterdir()) == (memory == LEAST)


def test_temporary_files_are_removed_with_the_matrix(corpus, folder):
    found = count_cooccurrences(corpus, threads=1, memory=LEAST)
    assert {path.name for path in folder.glob("*/*")} == {"result-columns", "result-values"}
    del found
    gc.collect()
    assert not list(folder.iterdir())


def test_runs_are_removed_after_merging(corpus, folder):
    found = count_cooccurrences(corpus, threads=1, memory=LEAST)
    assert not list(folder.glob("*/run*"))
    assert len(found.counts.data)


def test_temporary_files_are_removed_after_an_error(corpus, folder):
    def stop(state):
        assert list(folder.glob("*/run*"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        count_cooccurrences(corpus, threads=1, memory=LEAST, on_progress=stop)
    gc.collect()
    assert not list(folder.iterdir())


class FullDisk(io.FileIO):
    """A file on a disk with room for ``room`` bytes more, of which a write may be cut short."""

    room = 0

    def write(self, content):
        if not FullDisk.room:
            raise OSError(28, "No space left on device")
        content = content[: FullDisk.room]
        FullDisk.room -= len(content)
        return super().write(content)


@pytest.fixture
def full_disk(monkeypatch, folder):
    monkeypatch.setattr(FullDisk, "room", 0)
    monkeypatch.setattr(
        "wordvec.system.scratch.open", lambda path, mode, buffering: FullDisk(path, mode), raising=False
    )
    return FullDisk


@pytest.mark.parametrize("room", [0, 1001, 5000, 20_000])
@pytest.mark.parametrize("subsample", [0, 0.005])
def test_counts_return_to_memory_when_the_disk_is_full(corpus, full_disk, caplog, room, subsample):
    settings = CooccurrenceSettings(subsample=subsample)
    expected = bytes_of(count_cooccurrences(corpus, settings, threads=1, memory=1 << 30))
    full_disk.room, caplog.records[:] = room, []
    found = count_cooccurrences(corpus, settings, threads=1, memory=LEAST)
    assert bytes_of(found) == expected
    assert caplog.messages == ["temporary files cannot be written (no space left on device); memory is used instead"]


def test_without_a_temporary_folder_memory_is_used(corpus, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    expected = bytes_of(count_cooccurrences(corpus, threads=1, memory=1 << 30))
    assert bytes_of(count_cooccurrences(corpus, threads=1, memory=LEAST)) == expected
    assert "no such file or directory" in caplog.messages[0]


def test_a_full_disk_is_reported_if_memory_is_short(corpus, full_disk, monkeypatch):
    monkeypatch.setattr("wordvec.system.scratch.available_memory", lambda: 1000)
    with pytest.raises(
        InputError,
        match="temporary files cannot be written: no space left on device; free space, set TMPDIR to a directory on "
        "another disk, or allow more memory",
    ):
        count_cooccurrences(corpus, threads=1, memory=LEAST)


@pytest.mark.parametrize("memory", [LEAST, 1 << 30])
@pytest.mark.parametrize("subsample", [0, 0.005])
def test_progress_ends_with_all_tokens(corpus, memory, subsample):
    seen = []
    counting = CooccurrenceSettings(subsample=subsample, subsample_mode="clean")
    count_cooccurrences(
        corpus, counting, threads=1, memory=memory, on_progress=lambda state: seen.append((state.done, state.total))
    )
    done = [tokens for tokens, _ in seen]
    assert done == sorted(done)
    assert seen[-1] == (len(corpus.ids), len(corpus.ids))


def test_insufficient_memory_states_the_requirement(corpus):
    with pytest.raises(InputError, match=r"memory must be at least [\d,]+ bytes for 60 words, got 5,000; increase it"):
        count_cooccurrences(corpus, memory=5000)


@pytest.mark.parametrize("memory", [2 * 10**8, 2 * 10**9, 2 * 10**10])
@pytest.mark.parametrize("threads", [1, 2, 16])
def test_a_plan_stays_within_its_memory(memory, threads):
    types = 1_000_000
    plan = plan_of(10**9, types, threads, memory)
    waiting = 2 if plan.threads == 1 else 2 * plan.threads + 3
    scratch = plan.threads * 12 * types + waiting * 12 * plan.block + 56 * types
    assert plan.block >= types
    assert scratch + max(8 * plan.piece, 8 * plan.reserve) <= memory
    assert plan.threads == threads or memory == 2 * 10**8


def test_a_growing_array_spills_to_a_file(folder):
    scratch, expected = Scratch(), np.arange(10) ** 2
    small, large = Growing(np.int64, 10, scratch, "small"), Growing(np.int64, 7, scratch, "large")
    for part in np.array_split(expected, [3, 3, 7]):
        small.append(part)
        large.append(part)
    assert not list(folder.glob("*/small"))
    assert np.array_equal(small.finish(), expected)
    assert np.array_equal(large.finish(), expected)
    assert [path.stat().st_size for path in folder.glob("*/large")] == [80]
    scratch.close()
    assert not list(folder.iterdir())


# -- subsampling ------------------------------------------------------------------------------------------------------


def test_the_seed_changes_the_subsample(corpus):
    one, same, other = (
        count_cooccurrences(corpus, CooccurrenceSettings(subsample=0.005, seed=seed), threads=1) for seed in (1, 1, 2)
    )
    assert bytes_of(one) == bytes_of(same) != bytes_of(other)


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"window": 32_768}, "window must be at most 32,767, got 32,768"),
        ({"window": 2.5}, "window must be a whole number, got 2.5"),
        ({"contexts": "all"}, "contexts must be one of both, left, right, got 'all'"),
        ({"window_weights": "linear"}, "window_weights must be one of harmonic, dynamic, flat, got 'linear'"),
        ({"subsample": -1}, "subsample must be at least 0, got -1"),
        ({"subsample": float("nan")}, "subsample must be a finite number, got nan"),
        ({"subsample_mode": "new"}, "subsample_mode must be one of dirty, clean, got 'new'"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range_are_rejected(chosen, message):
    with pytest.raises(InputError, match=message):
        CooccurrenceSettings(**chosen)


@pytest.mark.parametrize("window", [1, 2, 15, 22])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_weights_have_a_common_unit(window, weighting):
    weights, unit = whole_weights(CooccurrenceSettings(window, window_weights=weighting), 10**9)
    distances = np.arange(1, window + 1)
    expected = {"flat": distances / distances, "harmonic": 1 / distances, "dynamic": (window + 1 - distances) / window}
    assert weights[0] == 0
    np.testing.assert_allclose(weights[1:] / unit, expected[weighting], rtol=1e-15)


@pytest.mark.parametrize("tokens", [1, 10**8, 10**11])
def test_sums_of_weights_do_not_overflow(tokens):
    weights, unit = whole_weights(CooccurrenceSettings(1000), tokens)
    assert 2 * int(weights.sum()) * tokens < 2**63
    np.testing.assert_allclose(weights[1:] / unit, 1 / np.arange(1, 1001), rtol=1e-6 if tokens < 10**9 else 1e-3)
