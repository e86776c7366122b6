"""Continued training from existing vectors: more epochs, new text, new words."""

from dataclasses import replace

import numpy as np
import pytest

from tests.cases.word2vec import wraps_around
from wordvec import (
    Word2VecSettings,
    WordVectors,
    encode_corpus,
    load_vectors,
    save_vectors,
    train_count_based,
)
from wordvec.count_based.models import count_based_settings
from wordvec.errors import InputError
from wordvec.kernels.simd import JIT_OFF
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.epoch import Trainer
from wordvec.word2vec.sampling import alias_table
from wordvec.word2vec.settings import ContinuationSettings
from wordvec.word2vec.training import train_word2vec

pytestmark = wraps_around

OLD = ["the cat sat on the mat", "the dog sat on the mat"] * 30
NEW = ["the fox ate the mat", "an emu ate the cat", "the fox saw"] * 30
SETTINGS = Word2VecSettings(vector_size=20, epochs=3, learning_rate=0.1, subsample=0)


@pytest.fixture(scope="module")
def old():
    return train_word2vec(encode_corpus(OLD), SETTINGS, threads=1).vectors


def more(initial, texts=NEW, settings=SETTINGS, **options):
    return train_word2vec(encode_corpus(texts), settings, threads=1, initial=initial, **options)


def test_vocabularies_are_merged_and_counts_added(old):
    found = more(old).vectors
    counts = dict(zip(found.tokens, found.counts.tolist(), strict=True))
    assert counts == {
        **{"the": 240, "mat": 90, "cat": 60, "sat": 60, "on": 60, "dog": 30},
        **{"fox": 60, "ate": 60, "an": 30, "emu": 30, "saw": 30},
    }
    assert found.tokens == sorted(counts, key=lambda word: (-counts[word], word.encode()))
    assert found.context_vectors.shape == found.vectors.shape == (11, 20)


def test_words_missing_from_the_new_text_are_unchanged(old):
    found = more(old).vectors
    for word in ("dog", "sat", "on"):
        for side in ("vectors", "context_vectors"):
            np.testing.assert_array_equal(
                getattr(found, side)[found.token_id(word)], getattr(old, side)[old.token_id(word)]
            )


def test_known_words_start_from_their_vectors(old):
    still = Word2VecSettings(**vars(SETTINGS) | {"learning_rate": 1e-12, "min_learning_rate": 0, "epochs": 1})
    found, fresh = more(old, settings=still).vectors, train_word2vec(encode_corpus(NEW), still, threads=1).vectors
    for word in ("the", "mat", "cat"):
        np.testing.assert_allclose(found[word], old[word], atol=1e-9)
        k = found.token_id(word)
        np.testing.assert_allclose(found.context_vectors[k], old.context_vectors[old.token_id(word)], atol=1e-9)
    for word in ("fox", "emu", "saw"):
        np.testing.assert_allclose(found[word], fresh[word], atol=1e-9)
        assert np.abs(found.context_vectors[found.token_id(word)]).max() < 1e-9
    moved = more(old).vectors
    assert np.abs(moved["the"] - old["the"]).max() > 0.01


def test_more_epochs_on_the_same_text_lower_the_loss():
    texts = [f"{a} likes {b}" for a, b in ("ab", "cd", "ef")] * 200
    settings = Word2VecSettings(vector_size=16, epochs=1 if JIT_OFF else 4, subsample=0)
    first = train_word2vec(encode_corpus(texts), settings, threads=1)
    second = more(first.vectors, texts, settings)
    assert second.losses[0] < first.losses[-1] + 0.05
    assert second.losses[-1] < first.losses[-1]
    assert second.vectors.counts.sum() == 2 * first.vectors.counts.sum()


def test_continuation_is_reproducible_and_works_through_a_file(old, tmp_path):
    save_vectors(old, tmp_path / "old.safetensors")
    first, second = more(old).vectors, more(load_vectors(tmp_path / "old.safetensors")).vectors
    assert first.vectors.tobytes() == second.vectors.tobytes()
    assert first.vectors.tobytes() != more(None).vectors.vectors.tobytes()


def test_a_text_without_known_words(old, caplog):
    caplog.set_level("INFO", logger="wordvec")
    found = more(old, ["entirely different words"] * 9).vectors
    assert len(found) == len(old) + 3
    np.testing.assert_array_equal(found["dog"], old["dog"])
    assert "0 of 3 words continue from existing vectors" in caplog.text


@pytest.mark.parametrize("name", ["old.txt", "old.vec", "old.bin", "old.glove"])
def test_any_vector_file_starts_a_training(old, name, tmp_path, caplog):
    """Files of other programs have neither context vectors nor counts nor a tokenizer."""
    caplog.set_level("INFO", logger="wordvec")
    save_vectors(old, tmp_path / name, format="glove" if name == "old.glove" else None)
    initial = load_vectors(tmp_path / name)
    assert initial.context_vectors is None
    still = Word2VecSettings(**vars(SETTINGS) | {"learning_rate": 1e-12, "min_learning_rate": 0, "epochs": 1})
    corpus = encode_corpus(NEW, tokenizer="words", lowercase=True)
    found = train_word2vec(corpus, still, threads=1, initial=initial).vectors
    assert "3 of 8 words continue from existing vectors; the output side of training starts at zero" in caplog.text
    assert found.tokenizer == "words"
    for word in ("the", "cat", "dog"):
        np.testing.assert_allclose(found[word], old[word], atol=1e-9)
    assert np.abs(found.context_vectors).max() < 1e-9
    unseen = [word for word in found.tokens if found.counts[found.token_id(word)] == 0]
    assert unseen == [word for word in old.tokens if word in unseen]  # the order of the file


def test_hierarchical_softmax_continues(old, caplog):
    caplog.set_level("INFO", logger="wordvec")
    settings = Word2VecSettings(**vars(SETTINGS) | {"loss": "hierarchical"})
    first = more(old, settings=settings).vectors
    assert "the output side of training starts at zero" in caplog.text
    caplog.clear()
    second = more(first, OLD, settings).vectors
    assert "starts at zero" not in caplog.text
    assert first.context_vectors is second.context_vectors is None
    for before, after in ((old, first), (first, second)):
        unseen = "dog" if after is first else "fox"
        np.testing.assert_array_equal(after[unseen], before[unseen])
        assert np.abs(after["the"] - before["the"]).max() > 0.001
    still = Word2VecSettings(**vars(settings) | {"learning_rate": 1e-12, "min_learning_rate": 0})
    np.testing.assert_allclose(more(first, settings=still).vectors["fox"], first["fox"], atol=1e-9)


@pytest.mark.parametrize("change", [{}, {"model": "cbow"}, {"loss": "hierarchical"}, {"fresh_negatives": True}])
def test_frozen_vectors_stay_bit_for_bit(old, change):
    settings = Word2VecSettings(**vars(SETTINGS) | change)
    frozen = ContinuationSettings(initial_rate=0)
    runs = [
        train_word2vec(encode_corpus(NEW), settings, threads=threads, initial=old, continuation=frozen).vectors
        for threads in (1, 2)
    ]
    assert runs[0].vectors.tobytes() == runs[1].vectors.tobytes()
    for word in old.tokens:
        assert runs[0][word].tobytes() == old[word].tobytes()
    free = more(old, settings=settings).vectors
    start = train_word2vec(encode_corpus(NEW), replace(settings, learning_rate=1e-12, min_learning_rate=0)).vectors
    for word in ("fox", "ate", "emu"):
        assert np.abs(runs[0][word] - start[word]).max() > 0.001
        assert np.abs(runs[0][word] - free[word]).max() > 0
    if change.get("loss") != "hierarchical":
        row = runs[0].token_id("the")
        assert np.abs(runs[0].context_vectors[row] - old.context_vectors[old.token_id("the")]).max() > 0.001
    assert runs[0].settings["initial_rate"] == 0
    assert "initial_rate" not in free.settings


def test_a_smaller_rate_moves_known_words_less(old):
    moved = [
        np.abs(more(old, continuation=ContinuationSettings(initial_rate=rate)).vectors["the"] - old["the"]).max()
        for rate in (0.1, 0.5, 1.0)
    ]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_a_frozen_continuation_resumes_to_the_same_bytes(old, tmp_path):
    def stop(run):
        if run.epoch == 1:
            raise KeyboardInterrupt

    slow = ContinuationSettings(initial_rate=0.3)
    path = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        more(old, continuation=slow, checkpoint=path, callbacks=[stop])
    with pytest.raises(InputError, match=r"initial_rate was 0\.3 and is now 0\.0"):
        more(old, continuation=ContinuationSettings(initial_rate=0), checkpoint=path, resume=True)
    resumed = more(old, continuation=slow, checkpoint=path, resume=True).vectors
    assert resumed.vectors.tobytes() == more(old, continuation=slow).vectors.vectors.tobytes()


def test_rates_need_initial_vectors_and_rounds(old):
    frozen = ContinuationSettings(initial_rate=0)
    with pytest.raises(InputError, match="continuation needs initial"):
        more(None, continuation=frozen)
    with pytest.raises(
        InputError, match=r"mode must be reproducible with frozen vectors \(initial_rate = 0\), got hogwild"
    ):
        more(old, settings=replace(SETTINGS, mode="hogwild"), continuation=frozen)
    with pytest.raises(InputError, match="initial_rate must be at least 0 and at most 1, got 2"):
        ContinuationSettings(initial_rate=2)


@pytest.mark.parametrize("of", ["merged", "new", "old"])
def test_noise_and_subsampling_follow_the_chosen_counts(of, monkeypatch):
    """Worked out by hand for one word of both texts, one of the new text, and one of the old, which is not trained."""
    initial = WordVectors(Vocabulary(["gone", "both"], [60, 40]), np.ones((2, 8)))
    corpus = encode_corpus([["both", "new"]] * 20 + [["both", "both"]] * 10, min_count=1)  # both 40, new 20
    noise, keep = {
        # counts of (both, new), and the tokens: (80, 20) of 160, (40, 20) of 60, (40, 0) of 100
        "merged": ([80**0.5, 20**0.5], [0.1 * 160 / 80, 0.1 * 160 / 20]),
        "new": ([40**0.5, 20**0.5], [0.1 * 60 / 40, 0.1 * 60 / 20]),
        "old": ([1.0, 0.0], [0.1 * 100 / 40, np.inf]),
    }[of]
    seen = []
    monkeypatch.setattr("wordvec.word2vec.epoch.alias_table", lambda found: seen.append(found) or alias_table(found))
    settings = Word2VecSettings(vector_size=8, epochs=1, subsample=0.1, noise_exponent=0.5)
    trainers = []
    monkeypatch.setattr(Trainer, "compile", lambda self: trainers.append(self))
    found = more_of(corpus, initial, settings, ContinuationSettings(initial_counts=of))
    assert corpus.vocabulary.tokens == ["both", "new"]
    np.testing.assert_allclose(seen[0], np.array(noise) / sum(noise), rtol=1e-12)
    keep = [min(np.sqrt(ratio) + ratio, 1) for ratio in keep]
    np.testing.assert_allclose(trainers[0].text.keep_thresholds / 2.0**32, keep, rtol=1e-8)
    assert dict(zip(found.tokens, found.counts.tolist(), strict=True)) == {"both": 80, "gone": 60, "new": 20}


def more_of(corpus, initial, settings, continuation):
    return train_word2vec(corpus, settings, threads=1, initial=initial, continuation=continuation).vectors


def test_old_counts_must_exist(old):
    bare = WordVectors(old.tokens, old.vectors)
    with pytest.raises(InputError, match="initial_counts = old needs vectors with counts"):
        more(bare, continuation=ContinuationSettings(initial_counts="old"))


def test_sparse_vectors_are_rejected():
    corpus = encode_corpus(NEW)
    sparse = train_count_based(corpus, count_based_settings("ppmi")).vectors
    with pytest.raises(InputError, match="cannot continue from sparse vectors"):
        more(sparse)


def test_missing_counts_stay_none(old):
    bare = WordVectors(old.tokens, old.vectors, context_vectors=old.context_vectors)
    found = more(bare).vectors
    assert found.counts[found.token_id("the")] == 120
    assert found.counts[found.token_id("dog")] == 0


def test_callbacks_see_the_merged_vocabulary(old):
    seen = []
    more(old, evaluate=lambda vectors: seen.append(len(vectors)) or 1.0)
    assert seen == [11, 11, 11]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokenizer": "words"}, r"another tokenizer \(words\) than this text \(whitespace\)"),
        ({"lowercase": True}, r"tokenizer \(whitespace, lower-cased\) than this text \(whitespace\); use the same one"),
    ],
)
def test_incompatible_vectors_are_rejected(old, change, message):
    given = {"context_vectors": old.context_vectors} | change
    with pytest.raises(InputError, match=message):
        more(WordVectors(old.vocabulary, old.vectors, **given))


def test_the_vector_size_cannot_change(old):
    with pytest.raises(InputError, match="vector_size must be that of the vectors to continue from, 20, got 8"):
        more(old, settings=Word2VecSettings(vector_size=8))
