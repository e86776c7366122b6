"""``Phrases``: texts, corpora, files, gensim's names, damaged files."""

import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import wordvec
from corpora import TextCorpus
from tests.cases.word2vec import wraps_around
from wordvec import FormatError, InputError, Phrases, encode_corpus, load_vectors
from wordvec.formats.registry import describe
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.phrases import joining
from wordvec.phrases.corpus import PhraseCorpus

pytestmark = wraps_around

TEXTS = [
    *("the bank of america in new york", "new york times", "", "old york", "new york times", "a bank of america"),
    *("now york", "bank of america fell", "new york times", "york"),
]


@pytest.fixture(scope="module")
def model():
    return Phrases(min_count=2, threshold=1, passes=2, connector_words=("of", "the"), n_jobs=1).fit(TEXTS)


def test_phrases_and_scores(model):
    assert model.phrases_["bank_of_america"] == max(model.passes_[0].values())
    assert list(model.phrases_)[-1] == "new_york_times"
    assert [set(found) for found in model.passes_] == [
        {("bank", "of", "america"), ("new", "york")}, {("new_york", "times")},
    ]  # fmt: skip


def test_texts_and_lists_of_tokens_are_joined(model):
    texts = ["New york  times", "new york times of new york", ""]
    expected = [["New", "york", "times"], ["new_york_times", "of", "new_york"], []]
    assert model.transform(texts) == expected
    assert model.transform([text.split() for text in texts]) == expected
    assert model.transform([]) == []
    assert Phrases(min_count=2, threshold=1, lowercase=True).fit(TEXTS).transform(texts[:1]) == [["new_york", "times"]]


def test_a_generator_is_read_once():
    model = Phrases(min_count=2, threshold=0.8)
    assert model.fit_transform(text for text in TEXTS) == model.fit(TEXTS).transform(TEXTS)


# -- corpora ----------------------------------------------------------------------------------------------------------


def test_a_text_of_phrases_alone_is_cut_between_words(monkeypatch, tmp_path):
    (tmp_path / "text").write_text("new york " * 500)
    corpus = PhraseCorpus(TextCorpus(tmp_path / "text"), [{("new", "york"): 1.0}], (), "_")
    assert list(corpus) == ["new_york " * 500]
    monkeypatch.setattr(joining, "_LONGEST", 100)
    assert "".join(corpus).replace("_", " ") == "new york " * 500
    assert max(map(len, corpus.blocks(20))) < 200


def test_training_on_joined_text(model, tmp_path, folder_of_cache):
    (tmp_path / "text").write_text("\n".join(TEXTS))
    corpus = TextCorpus(tmp_path / "text")
    joined = encode_corpus(model.transform(corpus), min_count=1)
    same = encode_corpus(model.transform(list(corpus)), min_count=1)
    assert joined.vocabulary == same.vocabulary
    assert joined.ids.tolist() == same.ids.tolist()
    assert joined.offsets.tolist() == same.offsets.tolist()
    assert "new_york_times" in joined.vocabulary
    assert "new_york_times" not in encode_corpus(corpus, min_count=1).vocabulary  # the cache distinguishes them


def test_fitting_a_corpus(model, tmp_path):
    (tmp_path / "text").write_text("\n".join(TEXTS))
    assert copy.copy(model).fit(TextCorpus(tmp_path / "text")).passes_ == model.passes_


# -- files ------------------------------------------------------------------------------------------------------------


def test_files_round_trip(model, tmp_path):
    path = tmp_path / "phrases.safetensors"
    model.save(path)
    first = path.read_bytes()
    loaded = Phrases.load(path)
    assert loaded.passes_ == model.passes_
    assert list(loaded.phrases_.items()) == list(model.phrases_.items())
    assert loaded.get_params() == model.get_params() | {"n_jobs": None}
    assert loaded.transform(TEXTS) == model.transform(TEXTS)
    loaded.save(path)
    assert path.read_bytes() == first
    assert describe(path)["kind"] == "phrases"
    with pytest.raises(FormatError, match="expected vectors, found 'phrases'"):
        load_vectors(path)


@pytest.mark.parametrize("words", [(), "english"])
def test_loaded_phrases_have_the_parameters_of_the_saved(tmp_path, words):
    saved = Phrases(min_count=1, threshold=0.1, connector_words=words).fit(["new york", "old new york"])
    saved.save(tmp_path / "phrases.safetensors")
    assert repr(Phrases.load(tmp_path / "phrases.safetensors")) == repr(saved)


def test_a_file_does_not_store_the_function_that_scored_its_phrases(tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    Phrases(1, 0.5, lambda first, second, pairs, **_: pairs / first).fit(["a b", "b"]).save(first)
    loaded = Phrases.load(first)
    assert loaded.phrases_ == {"a_b": 1.0}
    assert loaded.transform(["b a b"]) == [["b", "a_b"]]
    with pytest.raises(InputError, match=r"a file does not store the function .* set scoring before fitting again"):
        loaded.fit(["a b"])
    loaded.save(again)
    assert again.read_bytes() == first.read_bytes()


def damaged(model, path, about=(), **arrays):
    """Write the model's file with other arrays or metadata."""
    model.save(path)
    file = TensorFile(path)
    tensors = {name: file.read(name) for name in file.described()} | {
        name: np.asarray(array) for name, array in arrays.items()
    }
    write_tensors(path, tensors, "wordvec", file.metadata_of("wordvec") | dict(about))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": np.array([np.nan, 1, 1])}, "scores must be finite"),
        ({"parts": np.array([0, 1, 2, 3, 4, 5, 99], np.int32)}, "parts must be in"),
        ({"part_offsets": np.array([0, 3, 5, 7, 7])}, "part_offsets must have 4 values, got 5"),
        ({"part_offsets": np.array([0, 3, 6, 7])}, "at least 2 words"),
        ({"part_offsets": np.array([0, 5, 3, 7])}, "part_offsets must increase"),
        ({"pass_offsets": np.array([0, 9])}, "pass_offsets must increase"),
        ({"parts": np.array([0, 1, 2, 0, 1, 2, 3], np.int32), "part_offsets": np.array([0, 3, 6, 7])}, "at least 2"),
        ({"parts": np.array([1, 0, 2, 3, 4, 5, 6], np.int32)}, "connector words of"),
        ({"token_bytes": np.array([255] * 9, np.uint8)}, "token"),
        ({"token_offsets": np.array([], np.int64)}, "token_offsets must start with 0"),
        ({"scores": np.ones(3, np.float32)}, "array 'scores' must be F64"),
        ({"about": {"kind": "vectors"}}, "expected phrases, found 'vectors'"),
        ({"about": {"version": 2}}, "version must be 1, got 2; it was written by a newer release, so upgrade"),
        ({"about": {"settings": {"threshold": -1}}}, "threshold must be above 0"),
        ({"about": {"settings": {"speed": 1}}}, "unknown settings speed"),
        ({"about": {"settings": {"connector_words": [5]}}}, "connector_words contains 5"),
    ],
)
def test_damaged_files_are_rejected(model, tmp_path, changes, message):
    path = tmp_path / "phrases.safetensors"
    damaged(model, path, **changes)
    with pytest.raises(FormatError) as error:
        Phrases.load(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_repeated_phrase_is_rejected(model, tmp_path):
    damaged(
        model, tmp_path / "p", parts=np.array([0, 2, 0, 2], np.int32), part_offsets=np.array([0, 2, 4]),
        scores=np.ones(2), pass_offsets=np.array([0, 2]),
    )  # fmt: skip
    with pytest.raises(FormatError, match="a phrase occurs twice"):
        Phrases.load(tmp_path / "p")


def test_a_file_with_a_huge_trie_is_rejected(tmp_path):
    words = [f"w{number}" for number in range(9000)]
    model = Phrases(connector_words=words)
    model.passes_, model.tokenizer_, model.lowercase_ = [{("a", *words, "b"): 1.0}], "whitespace", False
    model.normalize_ = "none"
    model.save(tmp_path / "p")
    (tmp_path / "text").write_text("a b")
    with pytest.raises(InputError, match=r"too many words .*; use fewer connector words"):
        Phrases.load(tmp_path / "p").transform(TextCorpus(tmp_path / "text"))


def test_truncated_files_are_rejected(model, tmp_path):
    path = tmp_path / "phrases.safetensors"
    model.save(path)
    whole = path.read_bytes()
    for size in (0, 7, 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(FormatError):
            Phrases.load(path)
    with pytest.raises(InputError, match="no such file"):
        Phrases.load(tmp_path / "nothere")


# -- names ------------------------------------------------------------------------------------------------------------


def test_names_of_gensim_are_explained(model):
    with pytest.raises(TypeError, match=r"has no argument 'sentences'; use fit\(texts\)"):
        Phrases(sentences=TEXTS)
    with pytest.raises(TypeError, match=r"use transform\(\[sentence\]\)"):
        Phrases()[["new", "york"]]
    with pytest.raises(AttributeError, match="has no attribute 'export_phrases'; use phrases_"):
        model.export_phrases()
    with pytest.raises(NotFittedError):
        Phrases().transform(TEXTS)


def test_describe_has_moved():
    with pytest.warns(FutureWarning, match=r"use wordvec\.formats\.registry\.describe"):
        assert wordvec.describe is describe
