"""Document counts and TF-IDF weights: comparison with naive versions, properties, edge cases and errors."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora import TextCorpus
from tests.cases.word2vec import fewer_without_jit, wraps_around
from tests.oracles import naive_documents as naive
from wordvec import (
    Vocabulary,
    count_documents,
    document_frequencies,
    encode_corpus,
    inverse_document_frequency,
    weigh_documents,
)
from wordvec.document_vectors import index as counting
from wordvec.document_vectors.matrices import IDF, one_hot
from wordvec.errors import InputError, UnknownTokenError
from wordvec.kernels.simd import JIT_OFF

pytestmark = wraps_around

# Tokens that differ in one byte, are longer than what is compared as integers, or are in other scripts.
WORDS = st.sampled_from(["b", "a", "c", "é", "B", "a\xa0b", "x" * 16 + "y", "x" * 17, "\x1f"])
DOCUMENTS = st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=8)
TEXTS = ["to be or not to be", "", "that is the question to be", "b", "to"]


def word_counts(documents):
    return naive.totals(naive.count(documents))[0]


# -- comparison with the naive version --------------------------------------------------------------------------------


@settings(max_examples=150 // fewer_without_jit, deadline=None)
@given(
    documents=DOCUMENTS,
    sizes=st.sampled_from([(1, 1), (1, 2), (2, 2), (2, 4), (1, 5)]),
    chunk=st.sampled_from([1, 7, 1 << 18]),
    min_count=st.sampled_from([1, 2]),
    df=st.sampled_from([(1, 1.0), (2, 4), (0.2, 0.7)]),
    max_features=st.sampled_from([None, 3]),
)
def test_counts_match_the_naive_version(documents, sizes, chunk, min_count, df, max_features):
    rows = naive.count(documents, *sizes)
    features = naive.chosen(rows, word_counts(documents), min_count, *df, max_features)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(counting, "_CHUNK", chunk)
        options = {"ngram_range": sizes, "threads": 1}
        limits = {"min_count": min_count, "min_df": df[0], "max_df": df[1], "max_features": max_features}
        if not features:
            with pytest.raises(InputError):
                count_documents(documents, **options, **limits)
            return
        matrix, vocabulary = count_documents(documents, **options, **limits)
        again, same = count_documents([" ".join(tokens) for tokens in documents], vocabulary=vocabulary, **options)
    assert vocabulary.tokens == features
    np.testing.assert_array_equal(matrix.toarray(), naive.matrix(rows, features))
    np.testing.assert_array_equal(again.toarray(), matrix.toarray())
    counts = naive.totals(rows)[0]
    assert vocabulary.counts.tolist() == [counts[feature] for feature in features]
    assert same is vocabulary
    assert matrix.dtype == np.int64
    matrix.check_format(full_check=True)
    assert all((np.diff(row.indices) > 0).all() for row in matrix)


@pytest.mark.parametrize("formula", IDF)
@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("sublinear", [False, True])
def test_weights_match_the_naive_version(formula, norm, sublinear):
    documents = [text.split() for text in TEXTS]
    counts, vocabulary = count_documents(documents, dtype=np.int32)
    rows = naive.count(documents)
    frequencies = document_frequencies(counts)
    assert frequencies.tolist() == [naive.totals(rows)[1][token] for token in vocabulary]
    idf = inverse_document_frequency(frequencies, len(TEXTS), formula)
    np.testing.assert_allclose(idf, naive.idf(rows, vocabulary.tokens, formula), rtol=1e-15)
    expected = naive.tfidf(naive.matrix(rows, vocabulary.tokens), idf, sublinear, norm)
    found = weigh_documents(counts, idf, sublinear_tf=sublinear, norm=norm)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-14, atol=0)
    assert not np.shares_memory(found.indices, counts.indices)
    single = weigh_documents(counts, idf, sublinear_tf=sublinear, norm=norm, dtype="float32")
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.data, found.data, rtol=2e-7, atol=0)


def test_one_hot_rows():
    tokens = ["Hey,", "this", "is", "sample", "corpus", "using", "only", "one", "context", "word."]
    vocabulary = Vocabulary(tokens)
    np.testing.assert_array_equal(one_hot(tokens, vocabulary).toarray(), np.eye(10, dtype=int))
    window = ["is", "Hey,", "SAMPLE", "is"]
    expected = naive.one_hot(["is", "Hey,", "sample", "is"], tokens)
    np.testing.assert_array_equal(one_hot(window, vocabulary, "float32").toarray(), expected)
    assert one_hot([], vocabulary).shape == (0, 10)
    with pytest.raises(UnknownTokenError, match="did you mean 'sample'"):
        one_hot(["samples"], vocabulary)
    with pytest.raises(InputError, match="split it into tokens first"):
        one_hot("Hey", vocabulary)


# -- properties -------------------------------------------------------------------------------------------------------


@settings(max_examples=60 // fewer_without_jit, deadline=None)
@given(documents=DOCUMENTS, data=st.data())
def test_counts_sum_to_tokens_in_any_document_order(documents, data):
    tokens = sum(map(len, documents))
    if not tokens:
        return
    matrix, vocabulary = count_documents(documents)
    assert matrix.sum() == vocabulary.counts.sum() == tokens
    assert matrix.sum(axis=1).ravel().tolist()[0] == [len(document) for document in documents]
    order = data.draw(st.permutations(range(len(documents))))
    shuffled, same = count_documents([documents[k] for k in order])
    assert same == vocabulary
    assert (shuffled != matrix[order]).nnz == 0
    ones, _ = count_documents(documents, binary=True)
    assert ones.toarray().tolist() == (matrix.toarray() > 0).astype(int).tolist()
    assert (document_frequencies(matrix) == ones.sum(axis=0)).all()


@pytest.mark.parametrize("formula", IDF)
def test_rarer_features_never_weigh_less(formula):
    idf = inverse_document_frequency(np.arange(21), 20, formula)
    assert (np.diff(idf) <= 0).all()
    assert np.isfinite(idf).all()
    assert idf[-1] == (0 if formula == "textbook" else 1)
    assert idf[0] == pytest.approx({"smooth": math.log(21) + 1, "plain": math.log(20) + 1}.get(formula, idf[1]))


@pytest.mark.skipif(JIT_OFF, reason="20,000 tokens take long in Python")
def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    monkeypatch.setattr(counting, "_CHUNK", 500)
    monkeypatch.setattr("wordvec.encoding.text_blocks._BLOCK", 1000)
    random = np.random.default_rng(0)
    texts = [" ".join(f"w{k}" for k in random.zipf(1.3, size) % 5000) for size in random.integers(0, 60, 700)]
    for sizes, min_count in (((1, 1), 1), ((1, 3), 2)):
        options = {"ngram_range": sizes, "min_count": min_count}
        first, vocabulary = count_documents(texts, threads=1, **options)
        idf = inverse_document_frequency(document_frequencies(first), len(texts))
        weights = weigh_documents(first, idf, threads=1)
        for threads in (2, 5):
            found, same = count_documents(texts, threads=threads, **options)
            assert same == vocabulary
            for name in ("data", "indices", "indptr"):
                np.testing.assert_array_equal(getattr(found, name), getattr(first, name))
            again, _ = count_documents(texts, vocabulary=vocabulary, threads=threads, ngram_range=sizes)
            assert (again != first).nnz == 0
            np.testing.assert_array_equal(weigh_documents(found, idf, threads=threads).data, weights.data)


# -- kinds of input ---------------------------------------------------------------------------------------------------


def test_all_kinds_of_corpora_give_the_same_result(tmp_path):
    expected, vocabulary = count_documents(TEXTS, ngram_range=(1, 2))
    (tmp_path / "text").write_text("\n".join(TEXTS) + "\n")
    for corpus in (
        [text.split() for text in TEXTS],
        (text for text in TEXTS),
        (text.split() for text in TEXTS),
        np.array(TEXTS),
        TextCorpus(tmp_path / "text"),
        encode_corpus(TEXTS, min_count=1),
    ):
        for known in (None,) if hasattr(corpus, "__next__") else (None, vocabulary):
            found, same = count_documents(corpus, ngram_range=(1, 2), vocabulary=known)
            assert same == vocabulary
            np.testing.assert_array_equal(found.toarray(), expected.toarray())


def test_generators_are_read_once_and_line_ends_are_white_space():
    texts = iter(["a\nb a", "\n", "c\r\n\tb\n"])
    matrix, vocabulary = count_documents(texts)
    assert vocabulary.tokens == ["a", "b", "c"]
    assert matrix.toarray().tolist() == [[2, 1, 0], [0, 0, 0], [0, 1, 1]]


def test_the_vocabulary_of_vectors_determines_the_columns():
    corpus = encode_corpus(TEXTS, min_count=2)
    matrix, vocabulary = count_documents(TEXTS, vocabulary=corpus.vocabulary)
    assert vocabulary is corpus.vocabulary
    assert matrix.sum(axis=0).tolist() == [vocabulary.counts.tolist()]
    of_ids, same = count_documents(corpus)
    assert same == vocabulary
    np.testing.assert_array_equal(of_ids.toarray(), matrix.toarray())
    # N-grams do not span unknown words, as in the text.
    pairs = Vocabulary(["to be", "be not"])
    assert count_documents(["to be or not to be", "be what not"], vocabulary=pairs, ngram_range=(2, 2))[
        0
    ].toarray().tolist() == [[2, 0], [0, 0]]


def test_tokenizers_and_casing(tmp_path):
    options = {"tokenizer": "words", "lowercase": True}
    expected = count_documents(["the king the", "old king"])
    (tmp_path / "text").write_text("The King, the!\nOld king.\n")
    for texts, settled in (
        (["The King,\nthe!", "Old king."], options),
        (TextCorpus(tmp_path / "text", **options), {}),
    ):
        matrix, vocabulary = count_documents(texts, **settled)
        assert vocabulary == expected[1]
        np.testing.assert_array_equal(matrix.toarray(), expected[0].toarray())
    assert count_documents(["ΟΔΟΣ", "ΟΔΟΣ ΑΣ"], lowercase=True)[1].tokens == ["οδος", "ας"]


# -- edge cases -------------------------------------------------------------------------------------------------------


def test_empty_documents_keep_their_rows():
    matrix, _ = count_documents(["", "a", "", ""])
    assert matrix.toarray().tolist() == [[0], [1], [0], [0]]
    weights = weigh_documents(matrix, np.array([2.0]))
    assert weights.toarray().tolist() == [[0], [1], [0], [0]]
    assert count_documents([], vocabulary=Vocabulary(["a", "b"]))[0].shape == (0, 2)
    assert count_documents(["", ""], vocabulary=Vocabulary(["a", "b"]))[0].toarray().tolist() == [[0, 0], [0, 0]]


def test_a_vocabulary_of_one_word():
    assert count_documents(["a a", "a"], ngram_range=(1, 2))[1].tokens == ["a", "a a"]
    for formula, expected in (("textbook", [0, 0]), ("smooth", [1, 1])):
        single, _ = count_documents(["a a", "a"])
        idf = inverse_document_frequency(document_frequencies(single), 2, formula)
        assert weigh_documents(single, idf).toarray().ravel().tolist() == expected


def test_an_ngram_longer_than_every_document():
    with pytest.raises(InputError, match="no text has 4 words"):
        count_documents(["a b c", "a"], ngram_range=(4, 6))
    matrix, vocabulary = count_documents(["a b c", "a"], ngram_range=(3, 250))
    assert (matrix.toarray().tolist(), vocabulary.tokens) == ([[1], [0]], ["a b c"])


@pytest.mark.skipif(JIT_OFF, reason="ten million tokens take hours in Python")
def test_a_document_of_ten_million_tokens(tmp_path):
    words = np.arange(10_000_000) * 48_271 % 9973
    path = tmp_path / "long"
    path.write_text(" ".join(f"w{word}" for word in words.tolist()) + "\nshort w1\n")
    matrix, vocabulary = count_documents(TextCorpus(path))
    assert matrix.shape == (2, 9974)
    assert matrix.sum(axis=1).ravel().tolist() == [[10_000_000, 2]]
    assert matrix[0, vocabulary.token_to_id["w17"]] == np.count_nonzero(words == 17)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("long", [1, 10, 1 << 20])
def test_long_documents_are_counted_piece_by_piece(tmp_path, monkeypatch, threads, long):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    monkeypatch.setattr(counting, "_LONG", long)
    monkeypatch.setattr(counting, "_CHUNK", 8)
    monkeypatch.setattr("wordvec.document_vectors.analysis.BLOCK", 16)
    words = np.random.default_rng(5).zipf(1.5, 400) % 50
    sizes = [3, 0, 120, 1, 0, 0, 200, 76, 0]
    texts = [" ".join(f"w{k}" for k in piece) for piece in np.split(words, np.cumsum(sizes)[:-1])]
    (tmp_path / "text").write_text("\n".join(texts) + "\n")
    corpus = TextCorpus(tmp_path / "text")
    rows = naive.count([text.split() for text in texts])
    known = Vocabulary(["w3", "w1", "w49", "missing"])
    expected = naive.matrix(rows, known.tokens)
    for given_texts in (corpus, encode_corpus(corpus, min_count=1)):
        matrix, vocabulary = count_documents(given_texts, threads=threads)
        np.testing.assert_array_equal(matrix.toarray(), naive.matrix(rows, vocabulary.tokens))
        matrix.check_format(full_check=True)
        found, _ = count_documents(given_texts, vocabulary=known, threads=threads)
        np.testing.assert_array_equal(found.toarray(), expected)
        pairs, bigrams = count_documents(given_texts, ngram_range=(2, 2), threads=threads)
        np.testing.assert_array_equal(
            pairs.toarray(), naive.matrix(naive.count([text.split() for text in texts], 2, 2), bigrams.tokens)
        )


@pytest.mark.skipif(JIT_OFF, reason="millions of tokens take hours in Python")
def test_memory_does_not_grow_with_the_length_of_a_document(tmp_path):
    def peak(repeats):
        path = tmp_path / "long"
        path.write_text("to be or not to be " * repeats)
        tracemalloc.start()
        matrix, _ = count_documents(TextCorpus(path), threads=1)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert matrix.sum() == 6 * repeats
        return found

    peak(1000)
    assert peak(1_200_000) < 40_000_000, "7.2 million tokens are 29 MB as ids, and 115 MB while they are sorted"


@pytest.mark.skipif(JIT_OFF, reason="70,000 types take long in Python")
def test_tables_grow_by_words_and_by_ngrams():
    words = [f"{k:x}" for k in range(70_000)]
    matrix, vocabulary = count_documents([words, words[::-1]], ngram_range=(1, 2), threads=1)
    assert matrix.shape == (2, 70_000 + 2 * 69_999)
    assert matrix[0, vocabulary.token_to_id["ffff 10000"]] == matrix[1, vocabulary.token_to_id["10000 ffff"]] == 1
    assert matrix.sum() == 2 * (70_000 + 69_999)


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ngram_range": (0, 1)}, r"1 <= shortest <= longest <= 255, got \(0, 1\)"),
        ({"ngram_range": (2, 1)}, r"got \(2, 1\)"),
        ({"ngram_range": 2}, "two whole numbers.*got 2"),
        ({"min_count": 0}, "min_count must be at least 1, got 0"),
        ({"max_features": 0}, "max_features must be at least 1, got 0"),
        ({"min_df": 0}, "min_df must be an integer of at least 1 or a fraction from 0.0 to 1.0, got 0"),
        ({"max_df": 1.5}, "max_df .* got 1.5"),
        ({"min_df": 3, "max_df": 2}, r"max_df \(2 of 5 documents\) is below min_df \(3\)"),
        ({"min_df": 0.9}, "none of the 9 features is in 4.5 to 5 of 5 documents"),
        ({"min_count": 99}, "min_count = 99"),
        ({"dtype": np.int8}, "dtype must be one of int32, int64, float32, float64, got int8"),
        ({"dtype": "nonsense"}, "got 'nonsense'"),
        ({"tokenizer": "letters"}, "letters"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"vocabulary": Vocabulary(["to"]), "max_features": 2}, "omit .* max_features"),
        (
            {"vocabulary": Vocabulary(["to  be"]), "ngram_range": (1, 2)},
            "words separated by single spaces, got 'to  be'",
        ),
        ({"vocabulary": Vocabulary(["to", "be\n"]), "ngram_range": (1, 2)}, "single spaces, got 'be"),
    ],
)
def test_options_out_of_range_are_rejected(options, message):
    with pytest.raises(InputError, match=message):
        count_documents(TEXTS, **options)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("to be", "put it in a list"),
        ([], "no text has a word"),
        (["", " "], "no text has a word"),
        (["to be", 7], "item 1 is of type int"),
        ([["to", ""]], "item 0 contains ''"),
        (["\ud800"], "unpaired surrogate"),
    ],
)
def test_invalid_documents_are_rejected(texts, message):
    with pytest.raises(InputError, match=message):
        count_documents(texts)


def test_tokens_with_spaces_are_features_but_not_allowed_in_ngrams():
    texts = [["new york", "x"], ["new york"], ["a\tb\n"]]
    matrix, vocabulary = count_documents(texts)
    assert vocabulary.tokens == ["new york", "a\tb\n", "x"]
    assert matrix.toarray().tolist() == [[1, 0, 1], [1, 0, 0], [0, 1, 0]]
    np.testing.assert_array_equal(count_documents(texts, vocabulary=vocabulary)[0].toarray(), matrix.toarray())
    with pytest.raises(InputError, match="'new york' contains one; replace it"):
        count_documents(texts, ngram_range=(1, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: weigh_documents(m, np.ones(1), norm="l3"), "norm must be 'l1', 'l2' or None, got 'l3'"),
        (lambda m: weigh_documents(m, np.ones(1), dtype=int), "one of float32, float64, got int64"),
        (lambda m: inverse_document_frequency([1], 1, "log"), "idf must be one of smooth, plain, textbook, none"),
    ],
)
def test_invalid_weighting_options_are_rejected(call, message):
    with pytest.raises(InputError, match=message):
        call(count_documents(["a"])[0])


# -- matrices from callers --------------------------------------------------------------------------------------------


def changed(name, place, value):
    matrix = count_documents(["a b a", "", "b c d", "d"])[0]
    array = getattr(matrix, name).copy()
    array[place] = value
    setattr(matrix, name, array)
    return matrix


@pytest.mark.parametrize("ask", [document_frequencies, lambda matrix: weigh_documents(matrix, np.ones(4))])
def test_matrices_whose_arrays_disagree_are_rejected(ask):
    sound = changed("data", 0, 2)
    for matrix, message in [
        (sound.tocsc(), r"must be sparse, in CSR format, got csc_matrix; call tocsr\(\)"),
        (sound.toarray(), "must be sparse, in CSR format, got ndarray"),
        (changed("indices", 3, 2**31 - 1), r"indices must be in 0\.\.3, got 2,147,483,647 at position 3"),
        (changed("indices", 3, -1), r"indices must be in 0\.\.3, got -1 at position 3"),
        (changed("indptr", 2, 2**31 - 1), "indptr must increase from 0 to 6"),
        (changed("indptr", 4, 5), "indptr must increase from 0 to 6, got 5 at the end"),
    ]:
        with pytest.raises(InputError, match=message):
            ask(matrix)
    short = sound.copy()
    short.data = short.data[:-1]
    with pytest.raises(InputError, match="must have a column index per value: 5 values, 6 indices"):
        ask(short)


def test_weights_must_be_one_finite_number_per_column():
    counts = count_documents(["a b a", "b c d"])[0]
    for idf, message in [
        (np.ones(3), r"idf must have one weight per column, \(4,\), got shape \(3,\)"),
        (np.ones((4, 1)), r"got shape \(4, 1\)"),
        (1.0, r"got shape \(\)"),
        ([1, 1, np.nan, 1], "idf must be finite, got nan at position 2"),
        (["1"] * 4, "idf must hold real numbers, got <U1"),
    ]:
        with pytest.raises(InputError, match=message):
            weigh_documents(counts, idf)
    expected = weigh_documents(counts, np.array([1.0, 2, 3, 4])).toarray()
    assert np.array_equal(weigh_documents(counts, [1, 2, 3, 4]).toarray(), expected)
    assert np.array_equal(weigh_documents(counts, np.array([1, 0, 2, 0, 3, 0, 4.0])[::2]).toarray(), expected)
