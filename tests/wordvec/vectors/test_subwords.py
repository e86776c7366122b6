"""Word vectors composed of n-grams: training, queries of unknown words, files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.cases.word2vec import random_corpus
from wordvec import (
    FastText,
    InputError,
    UnknownTokenError,
    Word2VecSettings,
    encode_corpus,
    evaluate_analogies,
    evaluate_similarity,
    load_vectors,
    save_vectors,
    train_word2vec,
)
from wordvec.errors import FormatError
from wordvec.formats.ngrams import Ngrams, fnv_hash, ngram_rows
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.subwords import SubwordVectors
from wordvec.word2vec.buffers import estimate_memory
from wordvec.word2vec.objectives import subwords_of
from wordvec.word2vec.settings import ContinuationSettings

SETTINGS = Word2VecSettings(vector_size=12, epochs=2, subsample=0, subwords="2-3", buckets=500)


@pytest.fixture(scope="module")
def corpus():
    return random_corpus([400] * 4, types=40)


@pytest.fixture(scope="module")
def trained(corpus):
    return train_word2vec(corpus, SETTINGS, threads=1).vectors


def test_a_word_of_the_vocabulary_is_the_mean_of_its_rows(trained):
    _, rows = ngram_rows(trained.subwords, ["t7"])
    parts = [trained.subwords.word_vectors[trained.token_id("t7")], *trained.subwords.ngram_vectors[rows]]
    np.testing.assert_allclose(trained["t7"], np.mean(parts, axis=0), atol=1e-6)


def test_an_unknown_word_is_composed(trained):
    assert "t7t8" in trained and trained.lookup("t7t8") == -1  # noqa: PT018
    near = [word for word, _ in trained.most_similar("t7t8", top=3)]
    assert len(near) == 3
    np.testing.assert_array_equal(trained[["t7", "t7t8"]][1], trained["t7t8"])
    np.testing.assert_array_equal(trained["t7t8"], trained.compose("t7t8"))
    assert trained.similarity("t7t8", "t7") == pytest.approx(trained.similarity("t7", "t7t8"))
    assert trained.mean_vector(["t7", "t7t8"]).shape == (12,)


def test_unseen_ngrams_count_as_zeros(trained):
    _, rows = ngram_rows(trained.subwords, ["t7ωψ"])
    assert 0 < (rows < 0).sum() < len(rows)
    wanted = trained.subwords.ngram_vectors[rows[rows >= 0]].sum(axis=0) / len(rows)
    np.testing.assert_allclose(trained["t7ωψ"], wanted, atol=1e-6)


@pytest.mark.parametrize("word", ["", "ωψ", "t1\udcff"])
def test_a_word_without_a_known_ngram_has_no_vector(word, corpus):
    vectors = train_word2vec(corpus, Word2VecSettings(vector_size=4, epochs=1, subwords="3-4"), threads=1).vectors
    assert word not in vectors
    with pytest.raises(UnknownTokenError, match="no n-gram of 3 to 4 characters"):
        vectors[word]


def test_texts_become_means_of_composed_words():
    model = FastText(vector_size=8, min_count=1, epochs=1, random_state=1, n_jobs=1).fit(["the king rules"] * 9)
    expected = (model.vectors_["king"] + model.vectors_["kingdom"]) / 2
    np.testing.assert_allclose(model.transform(["king kingdom ωψ"])[0], expected, rtol=1e-6)


def test_only_the_vocabulary_without_fallback(trained):
    plain = trained.without_fallback()
    assert "t7t8" not in plain
    np.testing.assert_array_equal(plain["t7"], trained["t7"])


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("loss", ["negative", "hierarchical"])
def test_threads_do_not_change_the_bits(model, loss, corpus):
    settings = Word2VecSettings(model, loss=loss, vector_size=12, epochs=1, subsample=0, subwords="2-4", buckets=300)
    one, two = (train_word2vec(corpus, settings, threads=threads).vectors for threads in (1, 2))
    assert one.vectors.tobytes() == two.vectors.tobytes()
    assert one.subwords.ngram_vectors.tobytes() == two.subwords.ngram_vectors.tobytes()


def test_resuming_gives_the_same_bits(corpus, trained, tmp_path):
    def stop(run):
        raise KeyboardInterrupt

    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_word2vec(corpus, SETTINGS, threads=1, checkpoint=path, callbacks=[stop])
    resumed = train_word2vec(corpus, SETTINGS, threads=1, checkpoint=path, resume=True).vectors
    assert resumed.vectors.tobytes() == trained.vectors.tobytes()
    assert resumed.subwords.ngram_vectors.tobytes() == trained.subwords.ngram_vectors.tobytes()


def test_the_best_epoch_is_kept_with_its_ngrams(corpus):
    scores = iter([2.0, 1.0])
    kept = train_word2vec(corpus, SETTINGS, threads=1, evaluate=lambda vectors: next(scores))
    one = train_word2vec(corpus, SETTINGS, threads=1, evaluate=lambda vectors: 1.0, early_stopping=1)
    assert (kept.kept_epoch, one.kept_epoch) == (1, 1)
    assert kept.vectors.vectors.tobytes() == one.vectors.vectors.tobytes()
    assert kept.vectors.subwords.ngram_vectors.tobytes() == one.vectors.subwords.ngram_vectors.tobytes()


def test_a_file_keeps_the_ngrams(trained, tmp_path):
    path = tmp_path / "v.safetensors"
    trained.save(path)
    loaded = load_vectors(path)
    assert repr(loaded) == repr(trained)
    np.testing.assert_array_equal(loaded["t7t8"], trained["t7t8"])
    assert loaded.settings["subwords"] == "2-3"
    trained.save(tmp_path / "v.vec")
    plain = load_vectors(tmp_path / "v.vec")
    assert type(plain) is WordVectors
    np.testing.assert_array_equal(plain.vectors, trained.vectors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_n": 0}, "1 <= min_n <= max_n"),
        ({"buckets": 3}, "ngram_buckets must ascend within 0..2"),
        ({"buckets": "many"}, "numbers min_n, max_n, buckets, and pruned"),
    ],
)
def test_a_damaged_description_is_rejected(change, message, trained, tmp_path):
    path = tmp_path / "v.safetensors"
    trained.save(path)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    about = json.loads(header["__metadata__"]["wordvec"])
    about["subwords"] |= change
    header["__metadata__"]["wordvec"] = json.dumps(about)
    packed = json.dumps(header).encode()
    path.write_bytes(len(packed).to_bytes(8, "little") + packed + data[8 + size :])
    with pytest.raises(FormatError, match=message):
        load_vectors(path)


def test_similarity_benchmarks_ask_about_unknown_words(trained, tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("t1\tt2\t9\nt1\tt3t4\t5\nt5\tωψω\t1\nt5\tt6\t3\n")
    result = evaluate_similarity(trained, path)
    assert (result.pairs, result.covered, result.composed) == (4, 3, 1)
    assert evaluate_similarity(trained.without_fallback(), path).covered == 2


@pytest.mark.parametrize("subwords", ["6-3", "0-3", "3-", "three", ""])
def test_invalid_ranges_are_rejected(subwords):
    with pytest.raises(InputError, match="subwords must be a range"):
        Word2VecSettings(subwords=subwords)


def test_subwords_need_the_reproducible_mode():
    with pytest.raises(InputError, match="subwords need mode = reproducible"):
        Word2VecSettings(subwords="3-6", mode="hogwild").resolved()


@pytest.mark.parametrize(
    ("options", "rate"),
    [({}, 2), ({"model": "cbow"}, 1), ({"preset": "gensim"}, 1), ({"loss": "hierarchical"}, 1)],
)
def test_rows_of_one_word_learn_faster_in_skipgram(options, rate):
    settings = Word2VecSettings(subwords="2", **options).resolved()
    subwords, _ = subwords_of(settings, ["ab", "abc"])
    assert subwords.rows.tolist() == [0, 4, 5, 6, 1, 4, 5, 7, 8]  # <a and ab are those of both words
    assert subwords.rates.tolist() == [rate, 1, 1, rate, rate, 1, 1, rate, rate]


def test_memory_counts_the_ngrams():
    plain = estimate_memory(Word2VecSettings(), 100_000, threads=1)
    composed = estimate_memory(Word2VecSettings(subwords="3-6"), 100_000, threads=1)
    assert composed["vectors"] > 2 * plain["vectors"]
    assert composed["result"] == (2 + 8) * 100_000 * 100 * 4
    assert composed["composed"] == 100_000 * 100 * 4


COMPACT = replace(SETTINGS, subword_hashes=2, buckets=60)


@pytest.fixture(scope="module")
def compact(corpus):
    return train_word2vec(corpus, COMPACT, threads=1).vectors


def test_compact_words_are_means_of_hashed_rows(compact, corpus, tmp_path):
    assert compact.subwords.word_vectors.shape == (0, 12)
    for word in ("t7", "t7t8", "ωψ"):
        _, rows = ngram_rows(compact.subwords, [word])
        wanted = compact.subwords.ngram_vectors[rows[rows >= 0]].sum(axis=0) / len(rows)
        np.testing.assert_allclose(compact[word], wanted, atol=1e-6)
    two = train_word2vec(corpus, COMPACT, threads=2).vectors
    assert compact.vectors.tobytes() == two.vectors.tobytes()
    compact.save(tmp_path / "v.safetensors")
    loaded = load_vectors(tmp_path / "v.safetensors")
    assert loaded.subwords.hashes == 2
    assert "t7\udcff" not in loaded  # it is not text
    assert loaded.ngrams("t7\udcff") == []
    np.testing.assert_array_equal(loaded[["t7", "t7t8"]], compact[["t7", "t7t8"]])


def test_compact_training_resumes_to_the_same_bits(corpus, compact, tmp_path):
    def stop(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_word2vec(corpus, COMPACT, threads=1, checkpoint=tmp_path / "stopped", callbacks=[stop])
    resumed = train_word2vec(corpus, COMPACT, threads=1, checkpoint=tmp_path / "stopped", resume=True).vectors
    assert resumed.vectors.tobytes() == compact.vectors.tobytes()


def test_compact_training_continues(compact):
    still = replace(COMPACT, epochs=1, learning_rate=1e-12, min_learning_rate=0)
    found = more(compact, still)
    assert {*found.tokens} == {*compact.tokens, "u5", "t3t3"}
    for word in ("t3", "t20", "t7t20"):
        np.testing.assert_allclose(found[word], compact[word], atol=1e-7)
    assert np.abs(more(compact, COMPACT)["t3"] - compact["t3"]).max() > 0.001
    with pytest.raises(InputError, match="2-3 in 60 buckets by 2 hashes, got 2-3 in 60 buckets"):
        more(compact, replace(COMPACT, subword_hashes=None))
    with pytest.raises(InputError, match="subword_hashes = 2 needs initial vectors with n-grams"):
        more(compact.without_fallback(), COMPACT)


def test_compact_memory_does_not_grow_with_the_ngrams():
    few, many = (estimate_memory(replace(COMPACT, buckets=50_000), types, threads=1) for types in (100_000, 200_000))
    assert many["vectors"] - few["vectors"] == 2 * 100_000 * 16 * 4
    assert "composed" not in few


def test_vectors_are_composed_when_they_are_needed(trained):
    lazy = SubwordVectors(trained.vocabulary, trained.subwords)
    assert lazy["t7"].tobytes() == trained["t7"].tobytes()
    assert lazy.similarity("t7", "t9") == trained.similarity("t7", "t9")
    assert lazy.vector_size == 12
    assert "vectors" not in lazy.__dict__
    assert lazy.vectors.tobytes() == trained.vectors.tobytes()
    assert not lazy.vectors.flags.writeable
    damaged = replace(trained.subwords, word_vectors=np.full_like(trained.subwords.word_vectors, np.nan))
    with pytest.raises(InputError, match="the vector of 't7' must be finite"):
        SubwordVectors(trained.vocabulary, damaged)["t7"]
    with pytest.raises(InputError, match="vectors must be finite, got NaN or infinity in row 0"):
        SubwordVectors(trained.vocabulary, damaged).similar_by_vector(trained["t7"])


NEW = ["t3 t7 u5 t3t3 u5", "u5 t9 t3"] * 30
STILL = replace(SETTINGS, epochs=1, learning_rate=1e-12, min_learning_rate=0)


def more(initial, settings=SETTINGS, threads=1, **options):
    corpus = encode_corpus(NEW, min_count=1)
    return train_word2vec(corpus, settings, initial=initial, threads=threads, **options).vectors


@pytest.fixture(params=["safetensors", "fasttext"])
def initial(request, trained, tmp_path):
    """Return the vectors as a file has them: with the rows of their n-grams, or of all buckets."""
    save_vectors(trained, tmp_path / "old", format=request.param)
    return load_vectors(tmp_path / "old")


def test_words_and_ngrams_continue(initial, trained):
    assert (initial.subwords.ngram_buckets is None) == (len(initial.subwords.ngram_vectors) == 500)
    found = more(initial, STILL)
    assert {*found.tokens} == {*trained.tokens, "u5", "t3t3"}
    for word in ("t3", "t7", "t20", "t7t20"):  # of both texts, of the old one alone, of no text
        np.testing.assert_allclose(found[word], trained[word], atol=1e-7)
    row, old = found.token_id("t3"), trained.token_id("t3")
    np.testing.assert_allclose(found.subwords.word_vectors[row], trained.subwords.word_vectors[old], atol=1e-7)
    np.testing.assert_allclose(found.context_vectors[row], trained.context_vectors[old], atol=1e-7)
    moved = more(initial)
    row, old = moved.token_id("t20"), trained.token_id("t20")
    assert moved.subwords.word_vectors[row].tobytes() == trained.subwords.word_vectors[old].tobytes()
    assert np.abs(moved["t3"] - trained["t3"]).max() > 0.001
    assert moved.vectors.tobytes() == more(initial, threads=3).vectors.tobytes()


def test_frozen_words_keep_their_ngrams(initial, trained):
    found = more(initial, continuation=ContinuationSettings(initial_rate=0))
    for word in trained.tokens:
        assert found[word].tobytes() == initial[word].tobytes()
    assert found["t7t20"].tobytes() == initial["t7t20"].tobytes()
    assert np.abs(found["u5"] - more(initial, STILL)["u5"]).max() > 0.001


def test_ngrams_start_from_vectors_without_them(trained):
    plain = trained.without_fallback()
    found = more(plain, STILL)
    for word in trained.tokens:
        np.testing.assert_allclose(found[word], trained[word], atol=1e-6)
    assert "u5u5" in found
    with pytest.raises(
        InputError, match=r"subwords with frozen vectors \(initial_rate = 0\) need initial vectors with n-grams"
    ):
        more(plain, continuation=ContinuationSettings(initial_rate=0))


def test_training_without_ngrams_continues_from_composed_vectors(trained):
    found = more(trained, replace(STILL, subwords=None))
    assert type(found) is WordVectors
    np.testing.assert_allclose(found["t3"], trained["t3"], atol=1e-7)


def test_other_ngrams_are_rejected(trained):
    with pytest.raises(InputError, match="2-3 in 500 buckets, got 2-4 in 500 buckets"):
        more(trained, replace(SETTINGS, subwords="2-4"))
    pruned = type(trained)(trained.vocabulary, replace(trained.subwords, pruned=True))
    with pytest.raises(InputError, match="cannot continue from a pruned model"):
        more(pruned)


def test_a_continuation_with_subwords_resumes_to_the_same_bytes(trained, tmp_path):
    def stop(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        more(trained, checkpoint=tmp_path / "stopped", callbacks=[stop])
    resumed = more(trained, checkpoint=tmp_path / "stopped", resume=True)
    assert resumed.vectors.tobytes() == more(trained).vectors.tobytes()


@pytest.mark.parametrize("method", ["add", "mul"])
def test_analogies_compose_unknown_words(method, trained, tmp_path):
    path = tmp_path / "questions.txt"
    answer = trained.analogy("t1", "t2", "t7t8", top=1, method=method)[0][0]
    path.write_text(f"t1 t2 t7t8 {answer}\nt1 t2 t3 t7t8\nt1 t2 ωψ t4\n")
    full, all_questions, small = (
        evaluate_analogies(trained, path, protocol=protocol, method=method).total
        for protocol in ("Pfull", "Phyp", "P30k")
    )
    assert (full.right, full.asked, full.composed) == (1, 1, 1)
    assert (all_questions.right, all_questions.asked, all_questions.composed) == (1, 3, 1)
    assert (small.asked, small.composed) == (0, 0)


def test_ranks_of_composed_words(trained):
    nearer = trained.closer_than("t1", "t7t8")
    assert trained.rank("t1", "t7t8") == len(nearer) + 1
    limit = trained.similarity("t1", "t7t8")
    assert {*nearer} == {word for word in trained if word != "t1" and trained.similarity("t1", word) > limit}


def test_ngrams_of_a_word_and_their_rows(trained):
    found = trained.ngrams("t7ω")
    _, rows = ngram_rows(trained.subwords, ["t7ω"])
    assert [ngram for ngram, _ in found] == ["<t", "<t7", "t7", "t7ω", "7ω", "7ω>", "ω>"]
    assert [row for _, row in found] == rows.tolist()
    held = trained.subwords.ngram_buckets
    for ngram, row in found:
        bucket = fnv_hash(ngram.encode()) % trained.subwords.buckets
        assert held[row] == bucket if row >= 0 else bucket not in held
    pruned = SubwordVectors(trained.vocabulary, replace(trained.subwords, pruned=True), vectors=trained.vectors)
    assert pruned.ngrams("t7ω") == found
    assert trained.ngrams("") == trained.ngrams("</s>") == []


@pytest.mark.parametrize("lengths", [(1, 1), (1, 3), (0, 2), (3, 6), (5, 5)])
def test_ngrams_are_listed_in_the_order_of_their_hashes(lengths):
    ngrams = Ngrams(*lengths, 997)
    for word in ("cat", "a", "", "</s>", "über", "東京タワー", "🚑🚒a", "<>", "x" * 20):
        _, buckets = ngrams.hash([word])
        assert [fnv_hash(ngram.encode()) % 997 for ngram in ngrams.split(word)] == buckets.tolist()


@pytest.mark.parametrize("hashes", [1, 2, 4])
def test_ngrams_with_several_hashes_are_listed_for_each_of_their_rows(hashes):
    ngrams = Ngrams(2, 3, 997, hashes)
    for word in ("cat", "a", "", "</s>", "über", "東京タワー"):
        _, buckets = ngrams.hash([word])
        assert len(ngrams.split(word)) == len(buckets)
        assert ngrams.split(word)[:hashes] == [f"<{word}>"] * hashes * (word != "")
