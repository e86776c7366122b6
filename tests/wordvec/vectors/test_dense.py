"""WordVectors: comparison of nearest neighbors and analogies with naive oracles, and errors."""

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import naive
from wordvec import InputError, UnknownTokenError, Vocabulary, WordVectors
from wordvec.vectors.similarities import normalized_rows

V, D = 300, 7


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(V, D)).astype(np.float32) * rng.uniform(0.1, 9, size=(V, 1)).astype(np.float32)
    vectors[120] = vectors[40] = vectors[250]  # ties
    return WordVectors([f"t{row}" for row in range(V)], vectors)


def check(answers, expected, wv):
    """Check that the answers are the oracle's rows and scores."""
    assert [token for token, _ in answers] == [wv.tokens[row] for row, _ in expected]
    np.testing.assert_allclose([s for _, s in answers], [s for _, s in expected], rtol=1e-12, atol=1e-12)


# -- nearest neighbors and analogies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize("top", [1, 2, 3, 10, V])
@pytest.mark.parametrize(
    ("positive", "negative"),
    [([3], []), ([3, 7], []), ([3, 7], [11]), ([3], [11, 12]), ([40], []), ([3, 3], [7]), ([], [9])],
)
def test_most_similar_matches_the_oracle(wv, positive, negative, top, method):
    answers = wv.most_similar([f"t{r}" for r in positive], [f"t{r}" for r in negative], top, method=method)
    near, far = [wv.vectors[r] for r in positive], [wv.vectors[r] for r in negative]
    check(answers, naive.most_similar(wv.vectors, near, far, [*positive, *negative], top, method=method), wv)


@pytest.mark.parametrize("method", ["add", "mul"])
def test_restrict_by_rows_and_by_words(wv, method):
    near, far = [wv.vectors[100], wv.vectors[7]], [wv.vectors[3]]
    by_rows = wv.most_similar(["t100", "t7"], "t3", 5, restrict=50, method=method)
    check(by_rows, naive.most_similar(wv.vectors, near, far, [100, 7, 3], 5, range(50), method), wv)
    some = [250, 3, 40, 120, 7, 260]
    by_words = wv.most_similar(["t100", "t7"], "t3", 5, restrict=[f"t{r}" for r in some], method=method)
    check(by_words, naive.most_similar(wv.vectors, near, far, [100, 7, 3], 5, some, method), wv)
    assert len(by_words) == 4


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_small_integer_vectors_with_many_ties(data):
    size = data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(st.integers(-2, 2), min_size=size, max_size=size), min_size=2, max_size=12))
    wv = WordVectors([f"t{r}" for r in range(len(rows))], np.array(rows, np.float32))
    query = np.array(data.draw(st.lists(st.integers(-2, 2), min_size=size, max_size=size)), float)
    top = data.draw(st.integers(1, 13))
    if query.any():
        answers = wv.similar_by_vector(query, top)
        scores = [naive.cosine(row, query) for row in rows]
        # Scores equal in exact arithmetic may differ in the last bit; those of identical rows may not.
        np.testing.assert_allclose([s for _, s in answers], sorted(scores, reverse=True)[:top], atol=1e-12)
        for (one, _), (two, _) in itertools.pairwise(answers):
            if np.array_equal(wv[one], wv[two]):
                assert wv.token_id(one) < wv.token_id(two)


def test_ties_are_in_row_order(wv):
    assert [token for token, _ in wv.most_similar("t120", top=2)] == ["t40", "t250"]
    assert wv.most_similar("t120", top=1)[0] == ("t40", pytest.approx(1, abs=1e-12))
    assert [token for token, _ in wv.similar_by_vector(wv["t250"], top=3)] == ["t40", "t120", "t250"]


def test_the_direction_of_a_word_has_its_scores_to_the_last_bit(wv):
    for word in wv.tokens[:30]:
        direction = normalized_rows(wv[word][None])[0]
        others = [answer for answer in wv.similar_by_vector(direction, top=6) if answer[0] != word]
        assert others == wv.most_similar(word, top=5)


def test_queries_by_vector_exclude_nothing(wv):
    assert wv.similar_by_vector(2 * wv["t9"], top=1)[0][0] == "t9"
    assert wv.most_similar([wv["t9"], "t10"], top=V)[-1] != ("t9", 0)
    answers = wv.most_similar([wv["t9"], "t10"], top=4)
    check(answers, naive.most_similar(wv.vectors, [wv.vectors[9], wv.vectors[10]], [], [10], 4), wv)


def test_the_norm_of_a_term_does_not_matter(wv):
    answers = wv.most_similar([wv["t9"], wv["t10"]], top=4)
    scaled = wv.most_similar([50 * wv["t9"].astype(float), wv["t10"] / 7], top=4)
    assert [token for token, _ in answers] == [token for token, _ in scaled]


@pytest.mark.parametrize("block", [1, 7, 256])
def test_batches_match_single_queries_bit_for_bit(wv, block, monkeypatch):
    monkeypatch.setattr("wordvec.vectors.search.QUERY_BLOCK", block)
    words = [f"t{r}" for r in range(40)]
    asked = [*words, wv["t5"]]
    assert wv.most_similar_batch(asked, 6, restrict=200) == [wv.most_similar(q, top=6, restrict=200) for q in asked]
    assert wv.most_similar_batch([]) == []
    assert wv.most_similar(word for word in ["t1", "t2"]) == wv.most_similar(("t1", "t2"))
    assert wv.most_similar_batch(wv.vectors[:2], 3) == [wv.similar_by_vector(v, 3) for v in wv.vectors[:2]]


def test_large_vocabularies_are_scored_in_several_blocks(monkeypatch):
    monkeypatch.setattr("wordvec.vectors.search._ROWS_AT_ONCE", 11)
    rng = np.random.default_rng(1)
    wv = WordVectors([f"t{r}" for r in range(100)], rng.normal(size=(100, 3)))
    check(wv.most_similar("t60", top=100), naive.most_similar(wv.vectors, [wv.vectors[60]], [], [60], 100), wv)
    np.testing.assert_allclose(np.linalg.norm(wv.unit_vectors, axis=1), 1, rtol=1e-6)


def test_analogy_solves_a_is_to_b_as_c_is_to():
    wv = WordVectors(
        ["man", "king", "woman", "queen", "apple"], [[1, 0, 0.1], [1, 1, 0], [-1, 0, 0.1], [-1, 1, 0], [0, 0, 1]]
    )
    for method in ("add", "mul"):
        assert wv.analogy("man", "king", "woman", method=method)[0][0] == "queen"
        assert wv.analogy("man", "king", "woman", method=method) == wv.most_similar(
            ["king", "woman"], ["man"], method=method
        )


def test_words_found_lower_cased_are_excluded():
    wv = WordVectors(["king", "King", "queen"], [[1, 0], [0.9, 0.1], [0, 1]])
    assert [t for t, _ in wv.most_similar("KING")] == ["King", "queen"]
    assert [t for t, _ in wv.most_similar("King")] == ["king", "queen"]
    assert "KING" in wv
    assert wv.lookup("KING") == 0


# -- similarity -------------------------------------------------------------------------------------------------------


def test_similarity_and_distance(wv):
    expected = naive.cosine(wv["t1"], wv["t2"])
    assert wv.similarity("t1", "t2") == pytest.approx(expected, abs=1e-12)
    assert wv.similarity("t2", "t1") == pytest.approx(expected, abs=1e-12)
    assert wv.distance("t1", "t2") == pytest.approx(1 - expected, abs=1e-12)
    assert wv.similarity("t1", "t1") == pytest.approx(1, abs=1e-12)
    others = wv.similarities("t1", ["t9", "t2"])
    assert others.tolist() == [wv.similarity("t1", "t9"), wv.similarity("t1", "t2")]
    assert wv.similarities("t1").shape == (V,)
    np.testing.assert_array_equal(wv.distances("t1", ["t9", "t2"]), 1 - others)


def test_a_zero_vector_has_similarity_zero():
    wv = WordVectors(["nil", "one", "two"], [[0, 0], [1, 0], [0, 1]])
    assert wv.similarity("nil", "one") == 0
    assert not wv.unit_vectors[0].any()
    assert wv.most_similar("one") == [("nil", 0), ("two", 0)]
    with pytest.raises(InputError, match="no direction"):
        wv.most_similar("nil")
    with pytest.raises(InputError, match="cancel out"):
        wv.most_similar("one", "one")


def test_extreme_values_do_not_overflow():
    wv = WordVectors(["huge", "tiny", "other"], [[3e38, 3e38], [1e-42, 1e-42], [1, -1]])
    assert wv.similarity("huge", "tiny") == pytest.approx(1, abs=1e-6)
    assert wv.most_similar("huge")[0][0] == "tiny"


def test_mean_vector_and_n_similarity(wv):
    units = [wv[w].astype(float) / np.linalg.norm(wv[w].astype(float)) for w in ("t1", "t2", "t3")]
    np.testing.assert_allclose(wv.mean_vector(["t1", "t2", "t3"]), np.mean(units, axis=0), rtol=1e-6)
    weighted = (2 * units[0] - units[1]) / 3
    np.testing.assert_allclose(wv.mean_vector(["t1", "t2"], [2, -1]), weighted, rtol=1e-5)
    raw = (wv["t1"].astype(float) + wv["t2"]) / 2
    np.testing.assert_allclose(wv.mean_vector(["t1", "t2"], unit=False), raw, rtol=1e-6)
    several = [wv.tokens[:3], wv.tokens[1:4], wv.tokens[2:7], wv.tokens[4:]]
    assert all(wv.n_similarity(a, b) == wv.n_similarity(b, a) for a in several for b in several)
    assert wv.n_similarity(["t1", "t2"], ["t3"]) == pytest.approx(naive.cosine(raw, wv["t3"]), abs=1e-6)


def test_odd_one_out_has_the_lowest_cosine_with_the_mean(wv):
    words = ["t5", "t90", "t17", "t33"]
    units = [wv[w] / np.linalg.norm(wv[w]) for w in words]
    scores = [naive.cosine(u, np.mean(units, axis=0)) for u in units]
    assert wv.odd_one_out(words) == words[int(np.argmin(scores))]
    assert wv.odd_one_out(iter(words)) == wv.odd_one_out(words)


def test_rank_closer_than_and_most_similar_to_given(wv):
    order = [token for token, _ in wv.most_similar("t8", top=V)]
    for place, token in enumerate(order[:5], 1):
        assert wv.rank("t8", token) == place
        assert wv.closer_than("t8", token) == order[: place - 1]
    assert wv.closer_than("t8", "t8") == []
    assert wv.most_similar_to_given("t8", order[7:3:-1]) == order[4]


# -- lookup and errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "token"),
    [({}, "new_york"), ({"phrases": {"delimiter": "+"}}, "new+york"), ({"phrases": 7}, "new_york")],
)
def test_several_words_are_looked_up_as_a_phrase(settings, token):
    vectors = WordVectors(["new york city", "york", token], np.eye(3), settings=settings)
    assert vectors.lookup("new york") == vectors.lookup(" New  York") == vectors.token_id("new york") == 2
    assert vectors.lookup("new york city") == 0
    assert vectors["new york"].tolist() == [0, 0, 1]
    assert "new york" in vectors
    assert "new jersey" not in vectors
    assert "york " not in vectors
    with pytest.raises(UnknownTokenError, match="'new jersey' is not in the vocabulary"):
        vectors.token_id("new jersey")
    assert vectors.most_similar(["york", "new york"], top=1) == [("new york city", 0.0)]


def test_lookup_of_one_and_several_words(wv):
    np.testing.assert_array_equal(wv["t3"], wv.vectors[3])
    np.testing.assert_array_equal(wv[["t3", "T1"]], wv.vectors[[3, 1]])
    assert "t3" in wv
    assert "x" not in wv
    assert 3 not in wv
    assert wv.lookup("x") == -1
    assert len(wv) == V
    assert list(wv)[:2] == ["t0", "t1"]
    assert repr(wv) == "<WordVectors of 300 tokens x 7>"


def test_unknown_words_are_reported_with_suggestions():
    wv = WordVectors(["queen", "queens", "queer", "king"], np.eye(4))
    with pytest.raises(
        UnknownTokenError,
        match=r"^token 'qeen' is not in the vocabulary \(4 tokens\); did you mean 'queen'\?$",
    ):
        wv["qeen"]
    with pytest.raises(UnknownTokenError, match=r"did you mean 'queen', 'queens' or 'queer'\?"):
        wv.most_similar("queenz")
    with pytest.raises(UnknownTokenError, match="check the spelling, or train with a lower min_count"):
        wv.similarity("king", "zebra")
    with pytest.raises(KeyError):
        wv["zebra"]
    for ask in (wv.token_id, wv.most_similar, lambda w: wv.analogy("king", w, "queen")):
        with pytest.raises(UnknownTokenError, match="'zebra'"):
            ask("zebra")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda wv: wv.most_similar("t1", top=0), "top must be at least 1, got 0"),
        (lambda wv: wv.most_similar([]), "at least one word"),
        (lambda wv: wv.most_similar("t1", method="max"), "'add' or 'mul', got 'max'"),
        (lambda wv: wv.most_similar("t1", restrict=0), "restrict must be at least 1, got 0"),
        (lambda wv: wv.most_similar("t1", restrict="t2"), "got the string 't2'"),
        (lambda wv: wv.similar_by_vector([1, 2]), r"7 numbers, got shape \(2,\)"),
        (lambda wv: wv.similar_by_vector(["t1"]), "a query vector must hold real numbers, got <U2"),
        (lambda wv: wv.most_similar([{}]), "a query vector must hold real numbers, got {}"),
        (lambda wv: wv.similar_by_vector([math.nan] * 7), "NaN or infinity"),
        (lambda wv: wv.most_similar_batch([["t1", "t2"]]), "got a list among the terms"),
        (lambda wv: wv.odd_one_out(["t1", "t2"]), "at least 3 words, got 2"),
        (lambda wv: wv.odd_one_out("t1 t2 t3"), "list of words, got the string 't1 t2 t3'"),
        (lambda wv: wv.odd_one_out("abc", ignore_missing=True), "list of words, got the string 'abc'"),
        (lambda wv: wv.most_similar_to_given("t1", []), "at least one other word"),
        (lambda wv: wv.most_similar_to_given("t1", "t2"), "list of words, got the string 't2'"),
        (lambda wv: wv.most_similar_batch("t1"), "list of words or vectors, got the string 't1'"),
        (lambda wv: wv.mean_vector([]), "at least one word"),
        (lambda wv: wv.mean_vector("t1"), "got the string 't1'"),
        (lambda wv: wv.mean_vector(["t1"], [1, 2]), r"1 words, weights of shape \(2,\)"),
        (lambda wv: wv.mean_vector(["t1"], [0]), "not all be 0"),
        (lambda wv: wv.combined(), "no context vectors"),
    ],
)
def test_invalid_queries_are_rejected(wv, ask, message):
    with pytest.raises(InputError, match=message):
        ask(wv)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vectors": np.zeros((2, 3))}, r"3 rows, one per token, got shape \(2, 3\)"),
        ({"vectors": np.zeros((3, 0))}, r"got shape \(3, 0\)"),
        ({"vectors": [[0, 1], [2], [0, 0]]}, "vectors must hold real numbers, got"),
        ({"vectors": np.zeros(3)}, r"got shape \(3,\)"),
        ({"vectors": [[0, 1], [2, math.inf], [0, 0]]}, "NaN or infinity in row 1"),
        ({"vectors": [[0, 1], [2, 1], [0, 1e40]]}, "NaN or infinity in row 2"),
        ({"vectors": np.zeros((3, 2)), "context_vectors": np.zeros((3, 4))}, r"\(3, 2\), got \(3, 4\)"),
    ],
)
def test_invalid_arrays_are_rejected(arguments, message):
    with pytest.raises(InputError, match=message):
        WordVectors(["a", "b", "c"], **arguments)


def test_similarity_is_symmetric():
    random = np.random.default_rng(5)
    wv = WordVectors([f"w{row}" for row in range(40)], random.normal(size=(40, 50)))
    for a in wv.tokens:
        for b in wv.tokens:
            assert wv.similarity(a, b) == wv.similarity(b, a)


def test_writable_arrays_are_copied_and_read_only_ones_shared():
    mine = np.ones((2, 3), np.float32)
    wv = WordVectors(Vocabulary(["a", "b"], [2, 1]), mine, context_vectors=2 * mine)
    assert not np.shares_memory(wv.vectors, mine)
    assert mine.flags.writeable
    view = mine[:]
    view.flags.writeable = False
    assert not np.shares_memory(WordVectors(["a", "b"], view).vectors, mine)
    mine.flags.writeable = False
    assert np.shares_memory(WordVectors(["a", "b"], view).vectors, mine)
    for array in (wv.vectors, wv["a"], wv.unit_vectors, wv.context_vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    assert wv.counts.tolist() == [2, 1]


def test_combined_adds_the_context_vectors():
    wv = WordVectors(["a"], [[1, 2]], context_vectors=[[10, 20]], tokenizer="words", lowercase=True, settings={"x": 1})
    both = wv.combined()
    assert both["a"].tolist() == [11, 22]
    assert (both.tokenizer, both.lowercase, both.settings, both.context_vectors) == ("words", True, {"x": 1}, None)


def test_pickling_round_trip(wv):
    wv.most_similar("t1")
    twin = pickle.loads(pickle.dumps(wv))
    assert twin.most_similar("t1") == wv.most_similar("t1")
    with pytest.raises(ValueError, match="read-only"):
        twin.vectors[0] = 1


def test_encode_text_uses_the_training_tokenizer():
    wv = WordVectors(["the", "king"], np.eye(2), tokenizer="whitespace", lowercase=True)
    assert wv.encode_text("The old KING\tthe").tolist() == [0, 1, 0]
    wv = WordVectors(["the", "king"], np.eye(2))
    assert wv.encode_text("The old king").tolist() == [1]
