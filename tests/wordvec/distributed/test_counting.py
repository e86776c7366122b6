"""Vocabulary and encoding by map-reduce: those of one machine, whatever the ranges."""

import numpy as np
import pytest

from corpora import TextCorpus
from corpora.ranges import ranges_of, reading_of
from wordvec import encode_corpus
from wordvec.distributed import counting
from wordvec.distributed.rounds import cut
from wordvec.encoding.scanning import join_tokens, split_tokens


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    numbers = np.random.default_rng(4).zipf(1.3, 3_000) % 700
    lines = [" ".join(f"w{number}" for number in line) for line in np.array_split(numbers, 60)]
    lines[7] += " a-very-long-word-of-more-than-fifteen-bytes" * 3
    path.write_text("\n\n".join(lines))
    return path


@pytest.mark.parametrize("buckets", [1, 5])
@pytest.mark.parametrize("size", [100, 3_000, 1 << 20])
def test_counts_are_exact(text, size, buckets):
    corpus = TextCorpus(text)
    parts, how = ranges_of(corpus, size), reading_of(corpus)
    counted = [counting.count_range(part, how, buckets) for part in parts]
    merged = [counting.merge_counts(same) for same in zip(*counted, strict=True)]
    found = {word: count for part in merged for word, count in zip(split_tokens(part.words), part.counts, strict=True)}
    expected = encode_corpus(corpus, min_count=1).vocabulary
    assert found == dict(zip(expected.tokens, expected.counts, strict=True))
    assert sum(part.tokens for part in merged) == expected.counts.sum()
    selected = [counting.select(part, 5, ["w699"]) for part in merged]
    assert sum(each.raw_types for each in selected) == len(expected)
    words = {word for each in selected for word in split_tokens(each.types.words)}
    assert {word for word, count in found.items() if count >= 5} <= words
    assert len(words) < len(expected) / 2


@pytest.mark.parametrize("size", [100, 3_000, 1 << 20])
def test_encoded_ranges_are_the_corpus(text, size):
    corpus = TextCorpus(text)
    expected = encode_corpus(corpus, min_count=3)
    words, how = join_tokens(expected.vocabulary.tokens), reading_of(corpus)
    encoded = [counting.encode_range(part, how, words) for part in ranges_of(corpus, size)]
    shapes = [counting.shape_of(part) for part in encoded]
    assert sum(shape.tokens for shape in shapes) == expected.raw_tokens
    assert counting.longest_sentence(shapes) == np.diff(expected.offsets).max()
    starts = np.cumsum([0, *(shape.ids for shape in shapes)])
    assert starts[-1] == len(expected.ids)
    for first, last in [(0, len(expected.ids)), (17, 18), (0, 900), (901, 1800)]:
        used = np.flatnonzero((starts[1:] > first) & (starts[:-1] < last))
        parts = [encoded[number] for number in used]
        found = counting.tokens_of(parts, int(starts[used[0]]), first, last)
        wanted = cut(expected.ids, expected.offsets, first, last)
        np.testing.assert_array_equal(found.ids, wanted.ids)
        np.testing.assert_array_equal(found.offsets, wanted.offsets)


def test_a_sentence_over_several_ranges():
    shapes = [counting.Shape(3, 3, 0, -1, 3), counting.Shape(2, 2, 0, -1, 2), counting.Shape(5, 5, 1, 2, 2)]
    assert counting.longest_sentence(shapes) == 7
    assert counting.longest_sentence(shapes[:2]) == 5
