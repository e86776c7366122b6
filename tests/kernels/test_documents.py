"""Document counting kernels: word and n-gram ids, full tables, sorted rows, dropped columns and TF-IDF weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import fewer_without_jit, wraps_around
from tests.oracles import naive_documents as naive
from wordvec.document_vectors.index import Chunk, PairTable, count_chunk
from wordvec.encoding.scanning import Buffers, Table
from wordvec.kernels.documents import BITS, absorb, number, select, tally, weigh

pytestmark = wraps_around


def numbered(text, table, learns=True, start=0, tokens=0, documents=0):
    ids, ends = np.full(len(text) // 2 + 1, 99, np.int32), np.full(len(text), 99, np.int32)
    where = number(Buffers().padded(text), start, table.types, learns, ids, tokens, ends, documents)
    return where, ids[: where[1]].tolist(), ends[: where[2]].tolist()


def chunk_of(documents):
    ids = [token_id for document in documents for token_id in document]
    return Chunk(np.array(ids, np.int32), np.cumsum([0, *map(len, documents)]))


def test_word_ids_follow_first_occurrence_and_are_counted():
    table = Table(16)
    text = b"b a\tb\n\n c" + b"x" * 70 + b" b\nrest"
    assert numbered(text, table) == ((len(text), 6, 3), [0, 1, 0, 2, 0, 3], [3, 3, 5])
    assert table.counts.tolist() == [3, 1, 1, 1]
    # Without learning, unknown words get -1 and nothing is counted.
    assert numbered(b"a new b\n", table, learns=False) == ((8, 3, 1), [1, -1, 0], [3])
    assert table.counts.tolist() == [3, 1, 1, 1]
    assert numbered(b"", table) == ((0, 0, 0), [], [])


def test_a_full_table_stops_before_the_word_that_does_not_fit():
    table = Table(2)
    text = b"a b\na c b\n"
    (done, tokens, documents), ids, ends = numbered(text, table)
    assert (text[done:], ids, ends) == (b"c b\n", [0, 1, 0], [2])
    table.grow()
    (done, tokens, documents), ids, ends = numbered(text, table, True, done, tokens, documents)
    assert (done, ids[3:], ends[1:]) == (len(text), [2, 1], [5])
    assert table.counts.tolist() == [2, 2, 1]


def test_tables_are_merged():
    table, other = Table(2), Table(4)
    numbered(b"a b b\n", table)
    numbered(b"c b d a\n", other)
    places = np.full(4, 99, np.int32)
    assert absorb(table.types, other.types, 0, places) == 0
    table.grow()
    assert absorb(table.types, other.types, 0, places) == 4
    assert places.tolist() == [2, 1, 3, 0]
    assert table.counts.tolist() == [2, 3, 1, 1]


@settings(max_examples=60 // fewer_without_jit, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(-1, 3), max_size=8), max_size=5),
    low=st.integers(1, 3),
    more=st.integers(0, 2),
)
def test_ngram_ids_identify_ngrams(documents, low, more):
    high = low + more
    chunk = chunk_of(documents)
    table = PairTable(2)
    found = table.expand(chunk, low, high, 4, learns=True)
    spelled = {}
    for place, document in enumerate(documents):
        numbers = found.ids[found.offsets[place] : found.offsets[place + 1]].tolist()
        expected = [
            tuple(document[start : start + size])
            for start in range(len(document))
            for size in range(low, high + 1)
            if start + size <= len(document) and -1 not in document[start : start + size]
        ]
        assert len(numbers) == len(expected)
        for known, ngram in zip(numbers, expected, strict=True):
            assert spelled.setdefault(known, ngram) == ngram
            assert (known < 4) == (len(ngram) == 1)
    assert len(set(spelled.values())) == len(spelled)
    again = table.expand(chunk, low, high, 4, learns=False)
    np.testing.assert_array_equal(again.ids, found.ids)
    sizes, counts = table.pairs.sizes[: len(table)], table.pairs.counts[: len(table)]
    rows = naive.count([[str(k) for k in document] for document in documents], 2, max(high, 2))
    wanted = {f: often for f, often in naive.totals(rows)[0].items() if "-1" not in f.split(" ")} if high > 1 else {}
    assert sorted(counts.tolist()) == sorted(wanted.values())
    assert sorted(sizes.tolist()) == sorted(len(feature.split(" ")) for feature in wanted)


@settings(max_examples=100 // fewer_without_jit, deadline=None)
@given(
    documents=st.lists(st.lists(st.integers(-1, 9), max_size=12), max_size=6),
    columns=st.permutations([0, 1, 2, 3, -1, -1, 2**BITS, 2**BITS + 1, 2**22 + 2, 5]),
)
def test_rows_are_sorted_and_counted(documents, columns):
    chunk = chunk_of(documents)
    found = count_chunk(chunk, np.array(columns, np.int32))
    place = 0
    for document, size in zip(documents, found.sizes.tolist(), strict=True):
        kept = [columns[k] for k in document if k >= 0 and columns[k] >= 0]
        expected = [(column, kept.count(column)) for column in sorted(set(kept))]
        row = slice(place, place + size)
        assert list(zip(found.columns[row].tolist(), found.counts[row].tolist(), strict=True)) == expected
        place += size
    assert place == len(found.columns) == len(found.counts)


def test_columns_are_counted_and_dropped():
    columns, counts, sizes = (
        np.array([0, 2, 3, 1, 2], np.int32),
        np.array([5, 6, 7, 8, 9], np.int32),
        np.array([3, 0, 2]),
    )
    frequencies = np.zeros(4, np.int64)
    tally(columns, frequencies)
    assert frequencies.tolist() == [1, 1, 2, 1]
    left = select(columns, counts, sizes, np.array([-1, 0, 1, -1], np.int32))
    assert (columns[:left].tolist(), counts[:left].tolist(), sizes.tolist()) == ([1, 0, 1], [6, 8, 9], [1, 0, 2])


@pytest.mark.parametrize(("norm", "name"), [(0, None), (1, "l1"), (2, "l2")])
@pytest.mark.parametrize("sublinear", [False, True])
def test_tfidf_weights_match_the_formula(norm, name, sublinear):
    starts, columns = np.array([0, 2, 2, 3]), np.array([0, 2, 1], np.int32)
    counts, idf = np.array([1, 4, 3], np.int32), np.array([0.5, -2.0, 3.0])
    weights = np.full(3, 99.0)
    weigh(starts, columns, counts, idf, sublinear, norm, weights)
    dense = naive.tfidf(np.array([[1, 0, 4], [0, 0, 0], [0, 3, 0]]), idf, sublinear, name)
    np.testing.assert_allclose(weights, [dense[0, 0], dense[0, 2], dense[2, 1]], rtol=1e-15)
    weigh(starts, columns, counts, np.zeros(3), sublinear, norm, weights)
    assert weights.tolist() == [0, 0, 0], "a row of zeros stays zero"
