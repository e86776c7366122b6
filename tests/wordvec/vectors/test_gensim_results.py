"""Queries give the results that gensim 4.4 gives on the same file, recorded as numbers."""

import numpy as np
import pytest

from wordvec import InputError, SparseWordVectors, UnknownTokenError, Vocabulary, WordVectors, load_vectors

CLOSE = 1e-5


@pytest.fixture(scope="module")
def wv(tmp_path_factory):
    """Forty words, as gensim read them from the same text file."""
    k = np.arange(40 * 6).reshape(40, 6)
    rows = np.round(np.sin(k * k * 0.37 + k) * 2, 3)
    lines = [f"w{i} " + " ".join(f"{x:.3f}" for x in row) for i, row in enumerate(rows)]
    path = tmp_path_factory.mktemp("gensim") / "small.txt"
    path.write_text("40 6\n" + "\n".join(lines) + "\n")
    return load_vectors(path)


RANKED = {
    "most_similar": [("w12", 0.8275487), ("w36", 0.7503821), ("w5", 0.6422159), ("w13", 0.6023365)],
    "restrict": [("w9", 0.5984402), ("w3", 0.380302), ("w1", 0.13693)],
    "mul": [("w30", 1.3466359), ("w13", 1.3030851), ("w28", 1.1491684), ("w38", 1.1239415)],
    "mul2": [("w27", 4.5649691), ("w2", 3.6640184), ("w19", 2.5626197), ("w15", 2.186214)],
    "by_vector": [("w0", 0.8970618), ("w17", 0.6297459), ("w35", 0.6277913)],
}


@pytest.mark.parametrize(
    ("expected", "ask"),
    [
        # A weight in gensim's ``negative`` replaces the -1: ("w2", 2.0) here is ("w2", -2.0) there.
        ("most_similar", lambda wv: wv.most_similar(["w3", ("w7", 0.5)], ["w11", ("w2", 2.0)], 4)),
        ("restrict", lambda wv: wv.most_similar("w20", top=3, restrict=12)),
        ("mul", lambda wv: wv.most_similar(["w3", "w7"], ["w11"], 4, method="mul", epsilon=1e-6)),
        ("mul2", lambda wv: wv.most_similar(["w3", "w7"], ["w11", "w4"], 4, method="mul", epsilon=1e-6)),
        ("by_vector", lambda wv: wv.similar_by_vector([1, 2, -1, 0.5, 0, 3], 3)),
        ("most_similar", lambda wv: wv.most_similar(["w3", "no", ("w7", 0.5)], ["w11", ("w2", 2), ("none", 9)], 4,
                                                    ignore_missing=True)),
        ("restrict", lambda wv: wv.most_similar_batch(["none", "w20"], 3, restrict=12, ignore_missing=True)[1]),
    ],
)  # fmt: skip
def test_neighbors(wv, expected, ask):
    tokens, scores = zip(*ask(wv), strict=True)
    assert list(tokens) == [token for token, _ in RANKED[expected]]
    np.testing.assert_allclose(scores, [score for _, score in RANKED[expected]], rtol=CLOSE, atol=CLOSE)


def test_numbers(wv):
    found = [
        wv.similarity("w1", "w2"), wv.distance("w1", "w2"), *wv.distances("w1", ["w2", "w5", "w9"]),
        wv.n_similarity(["w1", "w2"], ["w3", "w4", "w5"]), wv.relative_cosine("w5", "w6", 7),
    ]  # fmt: skip
    expected = [-0.0357422, 1.0357422, 1.0357422, 0.5152172, 0.7892810, 0.0823592, -0.0616190]
    np.testing.assert_allclose(found, expected, atol=CLOSE)
    mean = wv.mean_vector(["w1", "w2", "nope", "w3"], [1, -2, 3, 0.5], ignore_missing=True)
    expected = [-0.1226083, 0.0308542, 0.2897716, 0.5114132, 0.2416822, 0.0821052]
    np.testing.assert_allclose(mean, expected, atol=CLOSE)
    matrix = [[0.4415934, -0.0831015, 0.4847828], [0.3040659, -0.3872228, -0.2899348]]
    np.testing.assert_allclose(wv.similarity_matrix(["w1", "w2"], ["w3", "w4", "w5"]), matrix, atol=CLOSE)


def test_choices(wv):
    assert wv.odd_one_out(["w1", "w2", "w3", "w4", "nope"], ignore_missing=True) == "w4"
    assert wv.most_similar_to_given("w8", ["w1", "w2", "w3", "w9"]) == "w1"
    assert (wv.rank("w5", "w6"), len(wv.closer_than("w5", "w6"))) == (33, 32)
    assert set(wv.tokens) - set(wv.closer_than("w5", "w6")) == {"w0", "w5", "w6", "w9", "w20", "w22", "w24", "w35"}
    assert wv.subset(["w9", "nope", "w1", "w9"], ignore_missing=True).tokens == ["w9", "w1"]


def test_analogies_in_a_batch(wv):
    questions = [("w1", "w2", "w3"), ("w9", "w1", "w4")]
    assert wv.analogy_batch(questions, 3) == [wv.analogy(*question, 3) for question in questions]
    assert wv.analogy_batch([]) == []
    with pytest.raises(InputError, match="a question must be three words, got 'abc'"):
        wv.analogy_batch(["abc"])


# -- other words ------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted():
    wv = WordVectors(Vocabulary(["up", "down", "left"], [5, 3, 2]), [[0, 1], [0, -1], [-1, 0]], lowercase=True)
    wv.set_attribute("year", [3, 1, 2])
    wv.set_attribute("weight", [0.5, 0.25, 2])
    return wv


def test_a_subset_keeps_counts_and_attributes(counted, tmp_path):
    some = counted.subset(["left", "up"])
    assert (some.tokens, some.counts.tolist()) == (["left", "up"], [2, 5])
    assert some.lowercase
    np.testing.assert_array_equal(some["up"], counted["up"])
    assert {name: held.tolist() for name, held in some.attributes.items()} == {"year": [2, 3], "weight": [2, 0.5]}
    with pytest.raises(UnknownTokenError):
        counted.subset(["up", "no"])
    with pytest.raises(InputError, match="at least one word with a vector, got 1 without"):
        counted.subset(["no"], ignore_missing=True)


def test_vectors_added_and_replaced(counted):
    more = counted.with_vectors(["right", "up"], [[1, 0], [0, 7]])
    assert (more.tokens, more.counts.tolist()) == (["up", "down", "left", "right"], [5, 3, 2, 0])
    assert more.vectors.tolist() == [[0, 7], [0, -1], [-1, 0], [1, 0]]
    assert more.attributes["year"].tolist() == [3, 1, 2, 0]
    assert counted["up"].tolist() == [0, 1]
    for words, rows, message in (
        (["a", "a"], [[1, 2]] * 2, "tokens must be distinct"),
        (["a"], [[1, 2, 3]], "must have 2 columns, got 3"),
    ):
        with pytest.raises(InputError, match=message):
            counted.with_vectors(words, rows)


def test_attributes_are_stored(counted, tmp_path):
    counted.save(tmp_path / "v.safetensors")
    found = load_vectors(tmp_path / "v.safetensors", limit=2).attributes
    assert {name: (held.dtype.str[1:], held.tolist()) for name, held in found.items()} == {
        "year": ("i8", [3, 1]), "weight": ("f8", [0.5, 0.25]),
    }  # fmt: skip
    for name, values, message in (("a b", [1, 2, 3], "letters, digits"), ("a", [1, 2], r"shape \(3,\)")):
        with pytest.raises(InputError, match=message):
            counted.set_attribute(name, values)


def test_sparse_vectors_too(tmp_path):
    import scipy.sparse as sp

    wv = SparseWordVectors(["a", "b", "c"], sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 1], [2, 0, 4]])))
    wv.set_attribute("year", [1, 2, 3])
    wv.save(tmp_path / "v.safetensors")
    some = load_vectors(tmp_path / "v.safetensors").subset(["c", "b"])
    assert isinstance(some, SparseWordVectors)
    assert some.matrix.toarray().tolist() == [[2, 0, 4], [0, 3, 1]]
    assert some.attributes["year"].tolist() == [3, 2]
    np.testing.assert_allclose(wv.similarity_matrix(["a", "b"], ["c"]), [[1], [0.2828427]], atol=1e-6)
    assert wv.relative_cosine("a", "c", 2) == pytest.approx(1 / (1 + 2 / 50**0.5))
