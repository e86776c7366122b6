"""Code written for gensim's KeyedVectors gets an answer, or an error that names our way; zero vectors are named."""

import json
import logging

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.sparse import csr_array

from cli.main import wordvec
from wordvec import (
    FastText,
    InputError,
    SparseWordVectors,
    UnknownTokenError,
    Word2Vec,
    Word2VecSettings,
    WordVectors,
    train_word2vec,
)

TOKENS = ["cat", "dog", "tax", "pad"]
ROWS = [[1, 0.1], [1, 0.2], [-0.3, 1], [0, 0]]


@pytest.fixture(params=["dense", "sparse"])
def wv(request):
    if request.param == "dense":
        return WordVectors(TOKENS, ROWS)
    return SparseWordVectors(TOKENS, csr_array(np.array(ROWS, np.float32)))


def test_an_unknown_word_is_a_key_error(wv):
    with pytest.raises(KeyError):
        wv["unknown"]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda wv: wv[0], r"expected a word or a list of words, got 0; wv\.vectors\[row\]"),
        (lambda wv: wv[np.int64(1)], "got 1"),
        (lambda wv: wv[:2], "got slice"),
        (lambda wv: wv[None], "got None"),
        (lambda wv: wv[b"cat"], "got the bytes b'cat'"),
        (lambda wv: wv[["cat", 3]], "a word must be a string, got 3"),
        (lambda wv: wv.similarity(["cat"], "dog"), r"a word must be a string, got \['cat'\]"),
        (lambda wv: wv.most_similar(5), "expected words or vectors, got 5"),
        (lambda wv: wv.most_similar(None), "expected words or vectors, got None"),
        (lambda wv: wv.most_similar([("cat", float("nan"))]), "a weight must be a finite number"),
        (lambda wv: wv.most_similar([("cat", 2)], method="mul"), "weights need method 'add'"),
        (lambda wv: wv.mean_vector(["no", "none"], ignore_missing=True), "none of the 2 words is in the vocabulary"),
    ],
)
def test_invalid_words_are_rejected(wv, ask, message):
    with pytest.raises(InputError, match=message):
        ask(wv)


def test_numpy_strings_are_words(wv):
    np.testing.assert_array_equal(wv[np.str_("cat")], wv["cat"])


def test_pairs_of_words_and_weights(wv):
    cat, dog, tax = (np.array(row) / np.linalg.norm(row) for row in ROWS[:3])
    query = 2 * cat - 0.5 * dog
    score = query @ tax / np.linalg.norm(query)
    [(token, found)] = wv.most_similar([("cat", 2.0), ("dog", -0.5)], restrict=["cat", "dog", "tax"])
    assert token == "tax"
    assert found == pytest.approx(score, abs=1e-6)
    assert wv.most_similar(("cat", 1.0)) == wv.most_similar("cat")
    assert wv.most_similar("cat", [("dog", -1)]) == wv.most_similar(["cat", "dog"])
    with pytest.raises(InputError, match="cancel out"):
        wv.most_similar(("cat", 0.0))


def test_means_that_ignore_missing_words(wv):
    np.testing.assert_array_equal(
        wv.mean_vector(["cat", "no", "tax"], [1, 5, 2], ignore_missing=True), wv.mean_vector(["cat", "tax"], [1, 2])
    )
    assert wv.n_similarity(["cat", "no"], ["tax"], ignore_missing=True) == wv.n_similarity(["cat"], ["tax"])
    with pytest.raises(UnknownTokenError):
        wv.mean_vector(["cat", "no"])


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("doesnt_match", "odd_one_out"),
        ("key_to_index", "vocabulary.token_to_id"),
        ("get_vector", r"wv\[word\]"),
        ("get_nearest_neighbors", "most_similar"),
        ("get_dimension", "vector_size"),
    ],
)
def test_attributes_of_gensim_and_fasttext_name_ours(wv, name, ours):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'; use {ours}"):
        getattr(wv, name)
    assert not hasattr(wv, "other")


def test_arguments_of_gensim_name_ours(wv):
    with pytest.raises(TypeError, match=r"most_similar\(\) has no argument 'topn'; use top"):
        wv.most_similar("cat", topn=2)
    with pytest.raises(TypeError, match=r"Word2Vec\(\) has no argument 'workers'; use n_jobs"):
        Word2Vec(workers=3)
    with pytest.raises(TypeError, match=r"FastText\(\) has no argument 'workers'; use n_jobs"):
        FastText(workers=3)
    with pytest.raises(TypeError, match=r"FastText\(\) has no argument 'minn'; use subwords"):
        FastText(minn=3, maxn=6)
    with pytest.raises(TypeError, match="has no argument 'sg'; use model="):
        Word2Vec(sg=1)
    with pytest.raises(AttributeError, match="'wv'; use vectors_ after fit"):
        Word2Vec().wv  # noqa: B018
    with pytest.raises(InputError, match=r"Word2Vec\(\).fit\(texts\)"):
        Word2Vec([["a", "b"]]).fit(["a b"])
    assert Word2Vec(window=3).get_params()["window"] == 3


# -- zero vectors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["add", "mul"])
def test_a_zero_vector_has_no_neighbors(wv, method):
    with pytest.raises(InputError, match="the vector of 'pad' is all zeros, which has no direction"):
        wv.most_similar("pad", method=method)
    with pytest.raises(InputError, match="the query vector is all zeros"):
        wv.most_similar(np.zeros(2), method=method)
    with pytest.raises(InputError, match="the vector of 'pad' is all zeros"):
        wv.most_similar_batch(["cat", "pad"])


def test_a_zero_vector_among_others_is_warned_of(wv, caplog):
    with caplog.at_level(logging.WARNING):
        found = wv.most_similar(["cat", "pad"], "dog", top=1)
    assert found == wv.most_similar("cat", ["dog", "pad"], top=1)
    assert caplog.messages[0] == "the vector of 'pad' is all zeros and does not influence the result"


# -- commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    WordVectors(TOKENS, ROWS).save(tmp_path / "v.vec")
    return lambda command, *words: CliRunner().invoke(wordvec, [command, str(tmp_path / "v.vec"), *words])


def test_one_unknown_word_does_not_withhold_the_others_neighbors(run):
    done = run("neighbors", "cat", "unknown", "pad", "tax", "--top", "1")
    assert done.exit_code == 1
    assert done.stdout == "cat:\ndog  0.9952\n\ntax:\npad  0.0000\n"
    assert [line.split(";")[0] for line in done.stderr.splitlines()] == [
        "Error: token 'unknown' is not in the vocabulary (4 tokens)",
        "Error: the vector of 'pad' is all zeros, which has no direction",
    ]
    done = run("neighbors", "cat", "unknown", "--json")
    assert [found["word"] for found in json.loads(done.stdout)] == ["cat"]
    assert run("neighbors", "unknown").stdout == ""


@pytest.mark.parametrize(("command", "words"), [("similarity", ["pad", "cat"]), ("odd-one-out", ["cat", "dog", "pad"])])
def test_commands_note_zero_vectors(run, command, words):
    done = run(command, *words)
    assert done.exit_code == 0
    assert done.stderr == "Note: the vector of 'pad' is all zeros, and its similarity to every word is 0\n"


def test_texts_where_an_encoded_corpus_is_needed_are_refused_with_the_remedy():
    with pytest.raises(InputError, match=r"must be EncodedCorpus, got list; pass encode_corpus\(texts\)"):
        train_word2vec([["cat", "dog"]], Word2VecSettings())
