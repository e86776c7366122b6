"""Corpora without contexts are rejected, with what they look like and the likely cause."""

import pytest
from click.testing import CliRunner

from cli.main import wordvec
from wordvec import Cooccurrence, Glove, InputError, Ppmi, Svd, Word2Vec, encode_corpus
from wordvec.count_based.models import count_based_settings, train_count_based
from wordvec.encoding.contexts import check_contexts

WORDS = ["red", "green", "blue", "red"] * 10
ESTIMATORS = [
    Word2Vec(subsample=0),
    Word2Vec("cbow", subsample=0),
    Word2Vec(loss="hierarchical"),
    Cooccurrence(),
    Ppmi(),
    Svd(vector_size=2),
    Glove(vector_size=2),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
@pytest.mark.parametrize("texts", [WORDS, [[word] for word in WORDS]], ids=["flat list", "lists of one token"])
def test_every_estimator_rejects_one_word_sentences(estimator, texts):
    with pytest.raises(InputError, match="40 words in 40 sentences; each sentence is a single word, such as 'red'"):
        estimator.fit(texts)


@pytest.mark.parametrize("model", ["skipgram", "cbow", "cooccurrence", "ppmi", "svd", "glove"])
def test_every_model_of_the_command_rejects_one_word_lines(tmp_path, model):
    (tmp_path / "text.txt").write_text("\n".join(WORDS))
    output = tmp_path / "v.safetensors"
    done = CliRunner().invoke(
        wordvec, ["train-embeddings", str(tmp_path / "text.txt"), "--model", model, "--no-cache", "-o", str(output)]
    )
    assert done.exit_code == 1
    assert not output.exists()
    assert "no two words are in the same sentence" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("texts", "min_count", "remedy"),
    [
        (["the cat", "a dog", "the cow"] * 2, 6, "all but 6 of 12 words"),
        (["東京は日本の首都です", "私は東京に住んでいます"], 1, "insert spaces"),
        (["averylonglinewithoutanyspaces", "andanothersuchlineofletters"], 1, "insert spaces"),
        (["", "one", "", "two"], 1, "not a flat list"),
    ],
)
def test_the_likely_cause_is_stated(texts, min_count, remedy):
    if min_count == 6:
        texts = [text.replace("a ", "the ") for text in texts]
    with pytest.raises(InputError, match=remedy) as caught:
        check_contexts(encode_corpus(texts, min_count=min_count))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("texts", [["one"] * 9 + ["a b"], ["a a"], ["a b"] + ["one"] * 9])
def test_one_sentence_of_two_words_suffices(texts):
    check_contexts(encode_corpus(texts, min_count=1))


def test_nothing_left_by_subsampling_is_rejected():
    corpus = encode_corpus(["a b"] * 9, min_count=1)
    with pytest.raises(InputError, match="subsample = 1e-12 left no two words within a window"):
        train_count_based(corpus, count_based_settings("ppmi", subsample=1e-12))
