"""Counting in rounds and threads: determinism, bounded memory, bounded error."""

from collections import Counter as Tally

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import fewer_without_jit, wraps_around
from tests.oracles import naive
from wordvec.encoding import scanning
from wordvec.encoding.scanning import Counter, Table, hide, join_tokens, split_tokens
from wordvec.kernels.simd import JIT_OFF

pytestmark = wraps_around

# Few frequent types, many rare ones, some too long to be compared as integers.
NAMES = st.sampled_from(
    [*"aaaabbbccd", *(f"rare{k}" for k in range(40)), *(f"a-much-longer-token-{k}" for k in range(9))]
)
BLOCKS = st.lists(st.lists(NAMES, max_size=12), max_size=30)


def counted(blocks, monkeypatch, *, threads=1, max_types=10**6, pinned=(), round_bytes=1, largest=1):
    monkeypatch.setattr(scanning, "_FIRST_ROUND", round_bytes)
    monkeypatch.setattr(scanning, "_LARGEST_ROUND", largest)
    counter = Counter(threads, max_types, list(pinned))
    counter.count(" ".join(tokens).encode() for tokens in blocks if tokens)
    words = split_tokens(counter.table.spell(np.arange(len(counter.table))))
    return counter, dict(zip(words, counter.table.counts.tolist(), strict=True))


@settings(max_examples=60 // fewer_without_jit, deadline=None)
@given(blocks=BLOCKS, round_bytes=st.sampled_from([1, 30, 1000]), often=st.sampled_from([0, 3, 1 << 16]))
def test_the_number_of_threads_does_not_affect_counts(blocks, round_bytes, often):
    found = []
    for threads in (1, 2, 3, 8):
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(scanning, "_OFTEN", often)
            counter, counts = counted(
                blocks, monkeypatch, threads=threads, max_types=6, pinned=["c", "rare7"], round_bytes=round_bytes
            )
        numbers = counter.table.ordered(np.arange(len(counter.table)))
        found.append((counts, counter.error, counter.tokens, counter.table.spell(numbers)))
    assert found[1:] == found[:1] * 3
    assert counter.tokens == sum(map(len, blocks))


@settings(max_examples=150 // fewer_without_jit, deadline=None)
@given(blocks=BLOCKS, max_types=st.integers(1, 12), pinned=st.sets(NAMES, max_size=3))
def test_pruned_counts_are_within_the_reported_error(blocks, max_types, pinned):
    with pytest.MonkeyPatch.context() as monkeypatch:
        counter, counts = counted(blocks, monkeypatch, max_types=max_types, pinned=sorted(pinned))
    filled = [tokens for tokens in blocks if tokens]
    expected, taken = naive.count_in_rounds(filled, max_types, pinned)
    assert (counts, counter.error) == (expected, taken)
    truth = Tally(token for tokens in filled for token in tokens)
    assert len(counts.keys() - pinned) <= max_types
    for token in {*truth, *pinned}:
        missing = truth[token] - counts.get(token, 0)
        assert 0 <= missing <= (0 if token in pinned else counter.error)
    # Each type's own error is a bound, too.
    for token, error in zip(counts, counter.table.errors.tolist(), strict=True):
        assert truth[token] <= counts[token] + error <= counts[token] + counter.error
    assert counter.error * (max_types // 2 + 1) <= truth.total(), "Misra and Gries' bound"


def test_only_rare_words_are_counted_in_bounded_memory(monkeypatch):
    blocks = [[f"once{k}" for k in range(start, start + 50)] for start in range(0, 3000, 50)]
    counter, counts = counted(blocks, monkeypatch, max_types=100, pinned=["once7"])
    assert len(counter.table) <= 101
    assert 1 <= counter.error <= 3000 / 51
    assert counts["once7"] == 1, "a pinned word is never discarded"


def test_pruning_keeps_exact_counts_of_types_frequent_from_the_start(monkeypatch):
    blocks = [["the", "of", f"x{k}", f"y{k}"] for k in range(500)]
    counter, counts = counted(blocks, monkeypatch, max_types=20)
    assert counter.error > 0
    assert (counts["the"], counts["of"]) == (500, 500)


def test_rounds_grow_and_include_every_block():
    blocks = [bytes(size) for size in (300_000, 900_000, 1, 5_000_000, 40_000_000, 3)]
    rounds = list(scanning._rounds(blocks, 1 << 24))
    assert [block for parcel in rounds for block in parcel] == blocks
    assert [len(parcel) for parcel in rounds] == [2, 2, 1, 1]


@pytest.mark.parametrize("threads", [1, 3])
def test_results_are_in_order_with_few_in_flight(threads):
    asked = []

    def items():
        for item in range(50):
            asked.append(item)
            yield item

    for place, result in enumerate(scanning.in_order(lambda item: item * item, items(), threads)):
        assert result == place * place
        assert len(asked) <= place + 2 * threads + 1
    assert len(asked) == 50


@pytest.mark.parametrize("threads", [1, 2])
def test_a_read_error_ends_the_counting(threads, monkeypatch):
    monkeypatch.setattr(scanning, "_FIRST_ROUND", 100)

    def blocks():
        yield b"a b " * 30
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        Counter(threads, 10, []).count(blocks())


# -- tables -----------------------------------------------------------------------------------------------------------


@settings(max_examples=100 // fewer_without_jit, deadline=None)
@given(
    st.dictionaries(
        st.text(st.sampled_from("ab \t\né\0zyxwvutsrq"), min_size=1, max_size=12), st.integers(1, 3), max_size=30
    )
)
def test_types_are_sorted_by_count_then_bytes(counts):
    tokens = sorted(counts, key=hash)
    table = Table.of(join_tokens(tokens))
    table.counts[:] = [counts[token] for token in tokens]
    found = split_tokens(table.spell(table.ordered(np.arange(len(tokens)))))
    assert found == sorted(tokens, key=lambda token: (-counts[token], token.encode()))


@pytest.mark.parametrize(
    "tokens", [[], ["a"], ["a b"], ["\n"], ["a\n", "b"], [" ", "a b"], ["é", "\0", "a\tb", "\xa0"]]
)
def test_joined_tokens_split_into_the_same_tokens(tokens):
    text = join_tokens(tokens)
    assert split_tokens(text) == tokens
    assert len(text.split()) == text.count(b"\n") == len(tokens)
    assert hide(b"no white space") == b"no\xfdwhite\xfdspace"


def test_a_table_grows_in_types_and_letters():
    tokens = [f"{'x' * 30}{k}" for k in range(300)] if JIT_OFF else [f"{'x' * 30}{k}" for k in range(20_000)]
    table = Table.of(join_tokens(tokens))
    other = Table(2)
    other.merge(table, 5)
    for grown in (table, other):
        assert split_tokens(grown.spell(np.arange(len(tokens)))) == tokens
        assert grown.counts.tolist() == [1] * len(tokens)
        assert grown.find([tokens[-1], "nowhere", tokens[3]]).tolist() == [len(tokens) - 1, 3]
    assert (other.errors == 5).all()
    table.clear()
    assert len(table) == len(table.find(tokens[:3])) == 0
