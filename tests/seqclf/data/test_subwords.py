"""Networks on vectors with n-grams: words without a vector are composed, in training and at prediction."""

import json
import pickle

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from seqclf import (
    ClassifierSettings,
    RegressorSettings,
    TaggerSettings,
    load_model,
    train_classifier,
    train_multi_label,
    train_regressor,
    train_tagger,
)
from seqclf.data.embeddings import build_embedding
from seqclf.data.subwords import Subwords
from seqclf.data.texts import encode
from seqclf.inspection.tracing import trace
from wordvec import FormatError, InputError
from wordvec.formats.ngrams import most_common_ngrams, ngram_rows
from wordvec.formats.table import SubwordTable
from wordvec.vectors.subwords import SubwordVectors

WORDS = ["king", "queen", "town", "rules", "sleeps"]
RANDOM = np.random.default_rng(7)
ROWS, NGRAMS = RANDOM.standard_normal((5, 6), np.float32), RANDOM.standard_normal((60, 6), np.float32)
VECTORS = SubwordVectors(WORDS, SubwordTable(2, 3, 60, ROWS, NGRAMS), lowercase=True)
SOME = np.arange(0, 60, 2, dtype=np.int32)
HALF = SubwordVectors(WORDS, SubwordTable(3, 4, 60, ROWS, NGRAMS[::2], SOME), lowercase=True)
"""Every other bucket has a row."""

SMALL = {"hidden_size": 6, "epochs": 2, "batch_size": 4, "validation_fraction": 0, "learning_rate": 0.02}
TEXTS = [["the", "king", "rules"], ["a", "queen", "sleeps"], ["towns", "sleep"], []] * 3
UNSEEN = [["kingly", "rulers"], ["queens", "sleepy"], ["kingly"]]


def embedding(vectors, counted=(("king", 3), ("kings", 2), ("ωψ", 1)), **changed):
    options = {"vector_size": 1, "scale": 0.35, "min_count": 1, "keep": 2, "keep_ngrams": 99, "tuned": True}
    return build_embedding(counted, vectors, random=np.random.default_rng(0), **options | changed)


def trained(task, vectors, **changed):
    if task == "tagger":
        tags = [["N" if word[0] in "kqt" else "V" for word in text] for text in TEXTS]
        settings = TaggerSettings(**SMALL, feature_size=4, **changed)
        return train_tagger(TEXTS, tags, settings=settings, vectors=vectors, threads=1)
    if task == "regressor":
        settings = RegressorSettings(**SMALL, **changed)
        return train_regressor(TEXTS, np.arange(12.0), settings=settings, vectors=vectors, threads=1)
    settings = ClassifierSettings(**SMALL, **changed)
    if task == "multi-label":
        labels = [["k"] if "king" in text else [] if "queen" in text else ["t", "k"] for text in TEXTS]
        return train_multi_label(TEXTS, labels, settings=settings, vectors=vectors, threads=1)
    labels = ["yes" if "king" in text else "no" for text in TEXTS]
    return train_classifier(TEXTS, labels, settings=settings, vectors=vectors, threads=1)


def outputs(model, texts):
    return [np.asarray(row) for row in getattr(model, "predict_proba", model.predict)(texts)]


TASKS = ["classifier", "multi-label", "regressor", "tagger"]


# -- embeddings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vectors", [VECTORS, HALF])
def test_words_of_the_texts_start_from_composed_vectors(vectors):
    found = embedding(vectors, tuned=False)
    assert found.vocabulary.tokens == ["king", "kings", "ωψ", "queen", "town"]
    assert found.trained == 3
    factor = found.table[0, 0] / vectors["king"][0]
    np.testing.assert_allclose(found.table[:2], factor * vectors[["king", "kings"]], rtol=1e-5)
    plain = embedding(vectors.without_fallback(), tuned=False)
    assert not embedding(vectors).table[1].any()  # tuned words start at zero
    assert plain.subwords is None
    for row in (0, 3, 4, 5):
        np.testing.assert_array_equal(found.table[row], plain.table[row])


def test_rare_words_are_composed_but_not_trained():
    found = embedding(VECTORS, min_count=3)
    assert (found.trained, found.vocabulary.tokens[:1]) == (1, ["king"])
    assert "kings" in found.vocabulary.tokens[1:]
    row = found.table[found.vocabulary.token_to_id["kings"]]
    np.testing.assert_allclose(row, VECTORS["kings"] * (found.table[0, 0] / VECTORS["king"][0]), rtol=1e-5)


def test_without_ngrams_to_keep_nothing_is_composed():
    assert embedding(VECTORS, keep_ngrams=0).subwords is None


def test_the_ngrams_of_most_words_are_kept():
    kept = most_common_ngrams(HALF.subwords, ["sleep", "sleeps", "sleeper"], 3)
    _, rows = ngram_rows(HALF.subwords, ["sleep", "sleeps", "sleeper"])
    counts = np.bincount(rows[rows >= 0], minlength=30)
    assert kept.pruned
    assert len(kept.ngram_vectors) == 3
    assert sorted(counts[kept.ngram_buckets // 2], reverse=True) == sorted(counts, reverse=True)[:3]
    np.testing.assert_array_equal(kept.ngram_vectors, NGRAMS[kept.ngram_buckets])
    assert not most_common_ngrams(VECTORS.subwords, WORDS, 60).pruned


def test_unknown_words_follow_the_table():
    subwords = Subwords.of(VECTORS, np.float32(2), 60)
    ids, _, vectors = encode([["king", "ωψωψ", "Kings"], ["lord", "Kings"]], VECTORS.vocabulary, subwords)
    composed = [word for word in ("ωψωψ", "Kings", "lord") if subwords.compose([word])[1][0]]
    places = {word: 6 + place for place, word in enumerate(composed)}
    assert ids.tolist() == [0, *(places.get(word, 5) for word in ("ωψωψ", "Kings", "lord", "Kings"))]
    np.testing.assert_allclose(vectors[composed.index("Kings")], 2 * VECTORS.compose("kings"), rtol=1e-6)
    assert encode([["king"]], VECTORS.vocabulary, subwords)[2] is None


def test_damaged_vectors_of_ngrams_are_rejected():
    rows = NGRAMS.copy()
    rows[3] = np.nan
    damaged = SubwordVectors(WORDS, SubwordTable(2, 3, 60, ROWS, rows), vectors=ROWS)
    with pytest.raises(InputError, match="NaN or infinity"):
        embedding(damaged)


# -- models -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_unknown_words_at_prediction_get_their_composed_vectors(task, models, tmp_path):
    model = models[task]
    found = outputs(model, UNSEEN)
    plain = trained(task, VECTORS.without_fallback())
    unknown = outputs(plain, UNSEEN)
    assert not np.array_equal(found[0], found[1])
    if task != "tagger":  # whose features tell words apart
        np.testing.assert_array_equal(unknown[0], unknown[1])
    for alone, text in zip(found, UNSEEN, strict=True):
        np.testing.assert_array_equal(outputs(model, [text])[0], alone)
    path = tmp_path / "m.safetensors"
    model.save(path)
    for copy in (load_model(path), pickle.loads(pickle.dumps(model))):
        for one, two in zip(outputs(copy, UNSEEN), found, strict=True):
            np.testing.assert_array_equal(one, two)
    load_model(path).save(tmp_path / "again.safetensors")
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()
    plain.save(path)
    assert not {"ngram_vectors", "ngram_buckets"} & load_file(path).keys()


def test_only_trained_words_change():
    model = trained("classifier", VECTORS, min_count=4)
    rare = model.vocabulary.lookup("towns")
    assert rare >= model.metrics["trained_words"]
    np.testing.assert_array_equal(
        model.network.parameters()["embedding"][rare], model.subwords.compose(["towns"])[0][0]
    )


def test_tagger_baseline_of_composed_words(models):
    model = models["tagger"]
    assert model.most_frequent([["kingly"]]) == model.most_frequent([["ωψ"]])


def test_a_trace_uses_composed_vectors(models):
    model = models["classifier"]
    found = trace(model, ["kingly", "king"])
    assert found.known == [False, True]
    np.testing.assert_array_equal(found.probabilities, model.predict_proba([["kingly", "king"]])[0])


@pytest.fixture(scope="module")
def models():
    return {task: trained(task, VECTORS) for task in TASKS}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_n": 0}, "1 <= min_n <= max_n"),
        ({"max_n": 10**9}, "1 <= min_n <= max_n"),
        ({"buckets": 7}, r"ngram_buckets must ascend within 0\.\.6"),
        ({"lowercase": 1}, "subwords must have"),
        ({"ngram_vectors": np.zeros((60, 5), np.float32)}, "a vector of the embeddings' size for each bucket"),
        ({"ngram_vectors": np.full((60, 6), np.nan, np.float32)}, "ngram_vectors has values that are not finite"),
        ({"ngram_buckets": np.arange(60)}, "a vector of the embeddings' size"),
        ({"ngram_buckets": np.zeros(60, np.int32)}, "ngram_buckets must ascend"),
        (None, "unexpected .*ngram_buckets"),
    ],
)
@pytest.mark.parametrize("task", ["classifier", "regressor", "tagger"])
def test_a_damaged_file_is_rejected(task, change, message, models, tmp_path):
    path = tmp_path / "m.safetensors"
    models[task].save(path)
    tensors = load_file(path)
    with safe_open(path, "np") as file:
        header = json.loads(file.metadata()["seqclf"])
    for key, value in (change or {}).items():
        (tensors if key in tensors else header["subwords"])[key] = value
    if change is None:
        del header["subwords"]
    save_file(tensors, path, metadata={"seqclf": json.dumps(header)})
    with pytest.raises(FormatError, match=message):
        load_model(path)


def test_fewer_ngrams_are_kept_on_demand():
    model = trained("classifier", VECTORS, keep_ngrams=20)
    assert len(model.subwords.table.ngram_vectors) == 20
    assert model.settings["keep_ngrams"] == 20
    assert "keep_ngrams" not in trained("classifier", VECTORS).settings
