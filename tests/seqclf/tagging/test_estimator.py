"""SequenceTagger on sentences; what all estimators promise is checked in tests/estimators."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from seqclf import SequenceTagger, TaggerModel
from wordvec import InputError, WordVectors

SENTENCES = [["the", "old", "cat"], ["a", "dog", "barks"], ["Dogs", "bark"], []] * 6
TAGS = [["D", "A", "N"], ["D", "N", "V"], ["N", "V"], []] * 6


def small(**options):
    given = {"hidden_size": 8, "vector_size": 8, "feature_size": 4, "epochs": 10, "learning_rate": 0.02}
    return SequenceTagger(**{**given, "dropout": 0.1, "batch_size": 4, "random_state": 1, "n_jobs": 1, **options})


def test_fit_predict_score():
    tagger = small(validation_fraction=0).fit((row for row in SENTENCES), iter(TAGS))
    assert tagger.classes_.tolist() == ["A", "D", "N", "V"]
    assert tagger.predict(SENTENCES) == TAGS
    assert tagger.score(SENTENCES, TAGS) == 1.0
    assert tagger.score([["the", "dog"]], [["D", "A"]]) == 0.5
    assert [array.shape for array in tagger.predict_proba(SENTENCES[:2])] == [(3, 4), (3, 4)]
    assert isinstance(tagger.model_, TaggerModel)
    assert len(tagger.history_) == 10


def test_grid_search_in_two_processes():
    search = GridSearchCV(small(validation_fraction=0), {"epochs": [1, 15]}, cv=2, n_jobs=2).fit(SENTENCES, TAGS)
    assert search.best_params_ == {"epochs": 15}


def test_vectors_from_a_file_and_validation_data(tmp_path):
    vectors = WordVectors(["cat", "dog"], np.eye(2, dtype=np.float32), lowercase=True)
    vectors.save(tmp_path / "v.safetensors")
    taggers = [small(vectors=given, epochs=2) for given in (tmp_path / "v.safetensors", vectors)]
    for tagger in taggers:
        tagger.fit(SENTENCES, TAGS, validation_data=([["a", "cat"]], [["D", "N"]]))
        assert tagger.model_.metrics["dev_sentences"] == 1
    first, second = (np.concatenate(tagger.predict_proba(SENTENCES)) for tagger in taggers)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("sentences", "tags", "options", "message"),
    [
        (SENTENCES, None, {}, "requires y to be passed, but the target y is None"),
        (SENTENCES, TAGS[:-1], {}, "23 lists of tags for 24 sentences"),
        (np.ones((4, 2)), TAGS[:4], {}, "nonempty strings, got np.float64"),
        (SENTENCES, TAGS, {"head": "none"}, "one of crf, softmax, got 'none'"),
        (SENTENCES, TAGS, {"vectors": "missing.txt"}, "missing.txt"),
    ],
)
def test_invalid_input_is_rejected(sentences, tags, options, message):
    with pytest.raises(InputError, match=message):
        small(**options).fit(sentences, tags)
