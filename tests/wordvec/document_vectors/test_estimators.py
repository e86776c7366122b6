"""CountVectorizer and TfidfVectorizer: comparison with scikit-learn, and the transformer contract."""

import inspect
import pickle
import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction import text as sklearn_text
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from corpora import TextCorpus
from tests.cases.word2vec import wraps_around
from wordvec import CountVectorizer, TfidfVectorizer, Vocabulary, count_documents, encode_corpus
from wordvec.document_vectors.estimator import PATTERN, SCIKIT_LEARN
from wordvec.document_vectors.hashing.estimator import HashingVectorizer
from wordvec.errors import InputError

pytestmark = wraps_around

TEXTS = ["To be, or not to be", "", "that is the question: to be", "b", "to b or not", "To be the b"] * 2 + [
    "once more"
]
NEW = ["not to be", "never seen", "", "To be, or b b b"]
AS_OURS = {"token_pattern": r"\S+", "lowercase": False}
IDF_OPTIONS = {"smooth": {}, "plain": {"smooth_idf": False}, "none": {"use_idf": False}}


def columns_of(model, tokens):
    """Return the columns of the tokens in a model, ours or scikit-learn's."""
    place = {token: k for k, token in enumerate(model.get_feature_names_out())}
    assert place.keys() == set(tokens)
    return [place[token] for token in tokens]


def assert_same_as_theirs(ours, theirs, texts=TEXTS, new=NEW, rtol=1e-12):
    found, expected = ours.fit_transform(texts), theirs.fit_transform(texts)
    tokens = theirs.get_feature_names_out()
    order = columns_of(ours, tokens)
    np.testing.assert_allclose(found[:, order].toarray(), expected.toarray(), rtol=rtol, atol=0)
    np.testing.assert_allclose(
        ours.transform(new)[:, order].toarray(), theirs.transform(new).toarray(), rtol=rtol, atol=0
    )
    assert found.dtype == expected.dtype
    if hasattr(theirs, "idf_"):
        np.testing.assert_allclose(ours.idf_[order], theirs.idf_, rtol=rtol)


# -- comparison with scikit-learn -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ngram_range": (1, 3)},
        {"ngram_range": (2, 2), "binary": True},
        {"min_df": 3, "max_df": 0.5},
        {"max_features": 3},
        {"max_features": 1, "binary": True, "ngram_range": (1, 2)},
        {"dtype": np.float32},
        {"vocabulary": ["or", "be", "nowhere"]},
    ],
)
def test_counts_match_scikit_learn(options):
    # There must be no tie at the max_features cutoff, because scikit-learn does not break ties deterministically.
    texts = [*TEXTS, "to to to be be", "be"] if "max_features" in options else TEXTS
    assert_same_as_theirs(CountVectorizer(**options), sklearn_text.CountVectorizer(**AS_OURS, **options), texts)


@pytest.mark.parametrize("idf", IDF_OPTIONS)
@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("sublinear_tf", [False, True])
def test_weights_match_scikit_learn(idf, norm, sublinear_tf):
    common = {"norm": norm, "sublinear_tf": sublinear_tf, "ngram_range": (1, 2)}
    assert_same_as_theirs(
        TfidfVectorizer(idf=idf, **common), sklearn_text.TfidfVectorizer(**AS_OURS, **IDF_OPTIONS[idf], **common)
    )


@pytest.mark.parametrize(
    "options", [{"binary": True}, {"min_df": 2, "max_df": 6}, {"ngram_range": (3, 4)}, {"max_df": 0.4}]
)
def test_other_options_match_scikit_learn(options):
    assert_same_as_theirs(TfidfVectorizer(**options), sklearn_text.TfidfVectorizer(**AS_OURS, **options))


def test_float32_weights_match_scikit_learn():
    assert_same_as_theirs(
        TfidfVectorizer(dtype="float32"), sklearn_text.TfidfVectorizer(dtype=np.float32, **AS_OURS), rtol=1e-6
    )


def test_public_texts_match_scikit_learn(public_data):
    texts = (public_data / "text/lee_background.txt").read_text(encoding="utf-8").splitlines()
    for sizes in ((1, 1), (1, 2)):
        options = {"ngram_range": sizes, "min_df": 2}
        assert_same_as_theirs(
            TfidfVectorizer(**options), sklearn_text.TfidfVectorizer(**AS_OURS, **options), texts, texts[::-1]
        )


def test_only_ascii_white_space_separates_tokens():
    """Python's str.split and \\S also split at 23 other characters; our tokenizers do not."""
    ours, theirs = CountVectorizer(normalize="none"), sklearn_text.CountVectorizer(**AS_OURS)
    apart = [chr(k) for k in range(0x110000) if chr(k).isspace() and chr(k) not in "\t\n\v\f\r "]
    assert len(apart) == 23
    for space in apart:
        assert ours.fit([f"a{space}b"]).get_feature_names_out().tolist() == [f"a{space}b"]
        assert theirs.fit([f"a{space}b"]).get_feature_names_out().tolist() == ["a", "b"]
    everything_else = "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x3000)]))
    text = "".join(letter for letter in everything_else if letter not in apart)
    assert {*ours.fit([text]).vocabulary_} == {*theirs.fit([text]).vocabulary_}


# -- transformer contract ---------------------------------------------------------------------------------------------


def test_parameters_match_count_documents():
    engine = {
        n: p.default for n, p in inspect.signature(count_documents).parameters.items() if p.kind == p.KEYWORD_ONLY
    }
    del engine["threads"], engine["on_progress"]
    counts = {name: p.default for name, p in inspect.signature(CountVectorizer).parameters.items()}
    weights = {name: p.default for name, p in inspect.signature(TfidfVectorizer).parameters.items()}
    assert counts == engine | {"n_jobs": None} | dict.fromkeys(("preprocessor", "strip_accents", "encoding")) | {
        "analyzer": "word", "token_pattern": PATTERN, "input": "content", "decode_error": "strict"
    }  # fmt: skip
    assert weights == counts | {"dtype": np.float64, "idf": "smooth", "sublinear_tf": False, "norm": "l2"}


def test_in_a_pipeline_and_a_search():
    labels = [int("to" in text) for text in TEXTS]
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression(C=100))
    search = GridSearchCV(pipeline, {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)]}, cv=2).fit(TEXTS, labels)
    assert search.best_estimator_.score(TEXTS, labels) > 0.8


@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer])
def test_all_kinds_of_corpora_give_the_same_result(kind, tmp_path):
    expected = kind().fit_transform(TEXTS).toarray()
    (tmp_path / "text").write_text("\n".join(TEXTS) + "\n")
    for corpus in (
        [text.split() for text in TEXTS],
        TextCorpus(tmp_path / "text"),
        encode_corpus(TEXTS, min_count=1),
    ):
        np.testing.assert_array_equal(kind().fit_transform(corpus).toarray(), expected)
        np.testing.assert_array_equal(kind().fit(corpus).transform(corpus).toarray(), expected)


def test_the_tokenizer_of_a_corpus_is_recorded(tmp_path):
    (tmp_path / "text").write_text("The King, the king!\n")
    model = CountVectorizer().fit(TextCorpus(tmp_path / "text", tokenizer="words", lowercase=True))
    assert (model.tokenizer_, model.lowercase_) == ("words", True)
    assert model.transform(["KING? The king!"]).toarray().tolist() == [[2, 1]]


def test_inverse_transform_returns_features():
    model = TfidfVectorizer(idf="textbook").fit(TEXTS)
    matrix = model.transform(NEW)
    found = model.inverse_transform(matrix)
    known = {*model.vocabulary_}
    assert [set(row) for row in found] == [known & set(text.split()) for text in NEW]
    unsorted = matrix[:, ::-1][:, ::-1]
    order = unsorted.indices.copy()
    for given in (matrix.toarray(), unsorted):
        for row, expected in zip(model.inverse_transform(given), found, strict=True):
            assert row.tolist() == expected.tolist()
    np.testing.assert_array_equal(unsorted.indices, order, "what is given is left as it is")
    with pytest.raises(InputError, match="the matrix must have 13 columns, one per feature, got 3"):
        model.inverse_transform(np.ones((2, 3)))


def test_a_fixed_vocabulary_determines_the_columns():
    vocabulary = Vocabulary(["be", "nowhere", "to"], [5, 4, 3])
    model = TfidfVectorizer(vocabulary=vocabulary, idf="plain", norm=None).fit(TEXTS)
    assert model.vocabulary_ is vocabulary
    assert np.isfinite(model.idf_).all()
    assert model.transform(["nowhere to be be"]).toarray()[0] == pytest.approx(model.idf_ * [2, 1, 1])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (CountVectorizer(dtype="int8"), "dtype must be one of int32, int64"),
        (TfidfVectorizer(dtype="int64"), "dtype must be one of float32, float64, got int64"),
        (TfidfVectorizer(norm="l3"), "norm must be"),
        (TfidfVectorizer(idf="log"), "idf must be one of"),
        (TfidfVectorizer(n_jobs=0), "n_jobs must be at least 1"),
        (TfidfVectorizer(min_df=99), "is below min_df .99.; widen the range"),
        (CountVectorizer(vocabulary=["a", "a"]), "tokens must be distinct"),
    ],
)
def test_fit_rejects_parameters_out_of_range(model, message):
    with pytest.raises(InputError, match=message):
        model.fit(TEXTS)


@pytest.mark.parametrize("texts", ["to be", [b"to be"], ["to be", 7], [["to", 7.5]]])
def test_invalid_texts_are_rejected(texts):
    model = CountVectorizer().fit(TEXTS)
    for call in (model.transform, CountVectorizer().fit):
        with pytest.raises(InputError, match=r"put it in a list|is of type|contains 7\.5"):
            call(texts)
    assert model.transform([]).shape == (0, 13)
    with pytest.raises(InputError, match="no text has a word"):
        model.fit([])


# -- fixed vocabularies, and parameters changed after fit -------------------------------------------------------------


@pytest.mark.parametrize("vocabulary", [["b", "a"], {"b": 0, "a": 1}, {"a": 1, "b": 0}, Vocabulary(["b", "a"])])
def test_a_fixed_vocabulary_keeps_its_order(vocabulary):
    model = CountVectorizer(vocabulary=vocabulary)
    assert model.fit_transform(["a a b"]).toarray().tolist() == [[1, 2]]
    assert model.get_feature_names_out().tolist() == ["b", "a"]


def test_a_set_as_vocabulary_is_sorted():
    assert CountVectorizer(vocabulary={"c", "a", "b"}).fit(["a"]).get_feature_names_out().tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ([], "empty vocabulary: it must have at least one word"),
        ({}, "empty vocabulary: it must have at least one word"),
        ({"a": 1, "b": 2}, r"the indices of vocabulary must be 0 to 1, got \[1, 2\]"),
        ({"a": 0, "b": 0}, r"the indices of vocabulary must be 0 to 1, got \[0, 0\]"),
        ({"a": "0"}, r"the indices of vocabulary must be 0 to 0, got \['0'\]"),
        (["a", "a"], "tokens must be distinct"),
    ],
)
def test_invalid_vocabularies_are_rejected(vocabulary, message):
    with pytest.raises(InputError, match=message):
        CountVectorizer(vocabulary=vocabulary).fit(["a b"])


def test_counting_a_fixed_vocabulary_needs_no_fit():
    model = CountVectorizer(vocabulary=["b", "a"])
    before = dict(vars(model))
    assert model.transform(["a a b"]).toarray().tolist() == [[1, 2]]
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        TfidfVectorizer(vocabulary=["b", "a"]).transform(["a"])


def test_capital_letters_in_a_vocabulary_of_lower_cased_texts_are_reported(caplog):
    CountVectorizer(vocabulary=["Upper", "lower"], lowercase=True).fit(["upper"])
    assert "words with capital letters, which lower-cased texts never contain" in caplog.text


def test_parameters_changed_after_fit_have_no_effect_and_transform_changes_nothing():
    model = TfidfVectorizer().fit(["a a b", "b c"])
    expected = model.transform(["a a b c"]).toarray()
    model.set_params(norm=None, sublinear_tf=True, binary=True, ngram_range=(1, 2), dtype=np.float32, lowercase=True)
    before = dict(vars(model))
    found = model.transform(["a a b c"])
    np.testing.assert_array_equal(found.toarray(), expected, strict=True)
    assert vars(model) == before


def test_weights_of_another_length_are_rejected():
    model = TfidfVectorizer().fit(["a a b", "b c"])
    model.idf_ = np.ones(2)
    with pytest.raises(InputError, match=r"idf_ must have one weight per column, \(3,\), got shape \(2,\)"):
        model.transform(["a"])


def test_sparse_results_do_not_offer_set_output():
    for model in (CountVectorizer(), TfidfVectorizer()):
        assert not hasattr(model, "set_output")


def test_stop_words_are_left_out_before_ngrams_as_in_scikit_learn():
    texts, stop = ["the king of spain rules", "a king of the hill"], ["the", "of"]
    found, vocabulary = count_documents(encode_corpus(texts, min_count=1, drop_words=stop), ngram_range=(1, 2))
    theirs = sklearn_text.CountVectorizer(**AS_OURS, stop_words=stop, ngram_range=(1, 2))
    expected = theirs.fit_transform(texts)
    assert theirs.vocabulary_.keys() == set(vocabulary.tokens)
    assert (found != expected[:, [theirs.vocabulary_[token] for token in vocabulary.tokens]]).nnz == 0


# -- analyzers --------------------------------------------------------------------------------------------------------

ODD = [
    "To be, or NOT to be: a 'question'!", "", "  two\t\n spaces\u3000and\xa0a\x85line  ", "naïve Café Ægir x_y É",
    "中文 字符 İstanbul ΣΑΣ", "a\x1cb to be or", "ab", "z", "e\u0301te\u0301 to be",
]  # fmt: skip


def shouted(text):
    return text.upper().replace("BE", "bee")


def words_of(text):
    return list(filter(None, text.split("o")))


OPTIONS = [
    {},
    {"token_pattern": r"(?u)\b\w+\b", "ngram_range": (1, 3)},
    {"token_pattern": r"[a-z]+|\d"},
    {"stop_words": ["to", "be"], "ngram_range": (1, 3)},
    {"stop_words": "english"},
    {"strip_accents": "unicode", "ngram_range": (2, 2)},
    {"strip_accents": "ascii", "lowercase": False},
    {"preprocessor": shouted, "ngram_range": (1, 2)},
    {"strip_accents": shouted},
    {"tokenizer": str.split, "ngram_range": (1, 2)},
    {"analyzer": words_of},
    {"analyzer": "char", "ngram_range": (1, 1)},
    {"analyzer": "char", "ngram_range": (1, 4), "strip_accents": "unicode"},
    {"analyzer": "char", "ngram_range": (2, 3), "preprocessor": shouted, "binary": True},
    {"analyzer": "char_wb", "ngram_range": (1, 3)},
    {"analyzer": "char_wb", "ngram_range": (4, 6), "min_df": 2},
    {"analyzer": "char_wb", "ngram_range": (5, 5), "lowercase": False},
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: re.sub(r" at 0x\w+", "", str(options)))
def test_every_analyzer_finds_the_features_of_scikit_learn(options):
    """In its order; on two threads, from pickled models, and for features that a vocabulary lists."""
    pattern = {"token_pattern": None} if "tokenizer" in options else {}
    theirs = sklearn_text.CountVectorizer(**pattern | options)
    ours = CountVectorizer(**SCIKIT_LEARN | options, n_jobs=2)
    texts = ODD * 2
    expected = theirs.fit_transform(texts)
    found = ours.fit_transform(texts)
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    np.testing.assert_array_equal(found.toarray(), expected.toarray())
    names = [*theirs.get_feature_names_out()[::-2]]
    listed = {name: value for name, value in options.items() if name != "min_df"} | {"vocabulary": names}
    for model, reference in (
        (pickle.loads(pickle.dumps(ours)), theirs),
        (CountVectorizer(**SCIKIT_LEARN | listed), sklearn_text.CountVectorizer(**pattern | listed)),
    ):
        np.testing.assert_array_equal(
            model.transform(ODD[::-1] + NEW).toarray(), reference.transform(ODD[::-1] + NEW).toarray()
        )
    unsorted = CountVectorizer(**SCIKIT_LEARN | options | {"order": "count"}, n_jobs=1).fit(texts)
    counts = unsorted.vocabulary_.counts
    assert (np.diff(counts) <= 0).all()
    assert sorted(unsorted.vocabulary_) == [*theirs.get_feature_names_out()]
    np.testing.assert_array_equal(
        np.sort(counts), np.sort(theirs.set_params(binary=False).fit_transform(texts).sum(0).A1)
    )
    assert ours.build_analyzer()(ODD[0]) == theirs.build_analyzer()(ODD[0])


def test_stop_words_of_lists_of_tokens_and_named_tokenizers():
    for texts in ([["to", "be", "or", "Not"]], ["to be or Not"]):
        model = CountVectorizer(stop_words=["be", "or"], ngram_range=(1, 2), order="name").fit(texts)
        assert model.get_feature_names_out().tolist() == ["Not", "to", "to Not"]
        assert model.transform(
            [texts[0], ["to", "x", "Not"] if isinstance(texts[0], list) else "to x Not"]
        ).toarray().tolist() == [[1, 1, 1], [1, 1, 0]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"norm": "l1", "ngram_range": (1, 2)},
        {"binary": True, "alternate_sign": False},
        {"analyzer": "char_wb", "n_features": 50, "norm": None},
        {"analyzer": words_of},
    ],
)
def test_hashed_counts_match_scikit_learn(options):
    expected = sklearn_text.HashingVectorizer(**options).transform(ODD)
    given = {name: value for name, value in SCIKIT_LEARN.items() if name != "order"}
    found = HashingVectorizer(**given, **options, n_jobs=2).partial_fit(ODD[:2]).transform(iter(ODD))
    assert abs(found - expected).max() < 1e-15
    named = HashingVectorizer(n_features=1000, norm=None).transform([["b", "a b"], ["b"]])
    assert named.shape == (2, 1000)
    assert abs(named).sum() == 3
    assert HashingVectorizer(**options).transform(["", ""]).toarray().any(axis=1).tolist() == [False, False]


@pytest.mark.parametrize(
    ("options", "texts", "message"),
    [
        ({"analyzer": "words"}, TEXTS, "analyzer must be one of"),
        ({"strip_accents": "all"}, TEXTS, "strip_accents must be 'ascii', 'unicode', a function or None, got 'all'"),
        ({"tokenizer": 3}, TEXTS, "tokenizer must be a function or a name, got 3"),
        ({"order": "size"}, TEXTS, "order must be one of"),
        ({"input": "folder"}, TEXTS, "input must be one of"),
        ({"analyzer": "char"}, [["to", "be"]], "item 0 is of type list, expected a text"),
        ({"analyzer": "char"}, encode_corpus(TEXTS, min_count=1), "is tokenized already"),
        ({"stop_words": ["to"]}, encode_corpus(TEXTS, min_count=1), "drop_words"),
        ({"analyzer": lambda text: [("to", "be")]}, TEXTS, "an analyzer must return non-empty strings"),
        ({"tokenizer": None, "stop_words": ["to", "be"]}, ["to be"], "empty vocabulary"),
    ],
)
def test_wrong_analyzers_are_rejected(options, texts, message):
    with pytest.raises(InputError, match=message):
        CountVectorizer(**options).fit(texts)


def test_documents_are_read_from_files_and_bytes(tmp_path):
    path = tmp_path / "latin"
    path.write_bytes("été là".encode("latin-1"))
    for options, document in (
        ({}, path.read_bytes()),
        ({"input": "filename"}, path),
        ({"input": "file"}, path.open("rb")),
    ):
        model = CountVectorizer(encoding="latin-1", **options).fit([document])
        assert model.get_feature_names_out().tolist() == ["là", "été"]
