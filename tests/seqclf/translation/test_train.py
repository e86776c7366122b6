"""Training of sequence-to-sequence models: what they learn, bits at any number of threads, resuming, bad input."""

import logging

import numpy as np
import pytest
from scipy.sparse import csr_array

from seqclf import load_model
from seqclf.layers.vocabulary_gradients import SoftmaxGradients
from seqclf.model_file import read_model, write_model
from seqclf.training.loop import StopTraining
from seqclf.translation.model import TransducerModel
from seqclf.translation.settings import TransducerSettings, VectorTransducerSettings
from seqclf.translation.train import read_pairs, train_transducer
from seqclf.translation.train_vectors import train_vector_transducer
from wordvec import FormatError, InputError, WordVectors

WORDS = ["abc", "cab", "bca", "aab", "bbc", "ccab", "acb", "ba", "c", "abab", "bcc", "cba"] * 4
REVERSED = [word[::-1] for word in WORDS]
TINY = {"hidden_size": 8, "vector_size": 8, "target_vector_size": 8, "batch_size": 8, "epochs": 2}


def tiny(**options):
    return TransducerSettings(**TINY | options)


def bits(model):
    return {name: array.tobytes() for name, array in model.network.parameters().items()}


@pytest.fixture(scope="module")
def reverser():
    settings = TransducerSettings(hidden_size=32, epochs=30, learning_rate=0.01, batch_size=8, dropout=0.1)
    return train_transducer(WORDS, REVERSED, settings=settings, dev=(WORDS[:12], REVERSED[:12]), threads=1)


def test_it_learns_to_reverse_words(reverser):
    assert [each.text for each in reverser.predict(WORDS[:12])] == REVERSED[:12]
    assert reverser.metrics["dev_exact"] == 1
    assert len(reverser.history) == 30


def test_predictions_depend_on_neither_threads_nor_the_other_sources(reverser):
    words = [a + b for a in WORDS[:12] for b in WORDS[:12]]
    together = reverser.predict(words, n_best=2, threads=2)
    one = reverser.predict(words, n_best=2, threads=1)
    for row in (0, 7, 143):
        alone = reverser.predict([words[row]], n_best=2)[0]
        for found in (together[row], one[row]):
            assert (found.text, found.score) == (alone.text, alone.score)
            np.testing.assert_array_equal(found.attention, alone.attention)
            assert [(x.text, x.score) for x in found.alternatives] == [(x.text, x.score) for x in alone.alternatives]


def test_attention_has_a_row_for_each_unit_and_sums_to_one(reverser):
    found = reverser.predict(["abc"])[0]
    assert found.attention.shape == (len(found.units), 3)
    assert found.source == ["a", "b", "c"]
    np.testing.assert_allclose(found.attention.sum(axis=1), 1, rtol=1e-5)


def test_samples_follow_their_seed(reverser):
    def draw(seed):
        found = reverser.predict(["abcabc"], n_best=4, temperature=3.0, seed=seed)[0]
        return [found.text, *(each.text for each in found.alternatives)]

    assert draw(1) == draw(1) != draw(2)


def test_unknown_units_of_sources_are_named_in_a_warning(reverser, caplog):
    with caplog.at_level(logging.WARNING):
        reverser.predict(["axb"])
    assert caplog.messages == ["units that the training data lack are read as unknown: 'x'"]


def test_files_are_equal_and_load_to_the_same_predictions(reverser, tmp_path):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    reverser.save(first)
    loaded = load_model(first, "transducer")
    loaded.save(second)
    assert first.read_bytes() == second.read_bytes()
    assert isinstance(loaded, TransducerModel)
    assert [each.score for each in loaded.predict(WORDS[:5])] == [each.score for each in reverser.predict(WORDS[:5])]
    assert loaded.summary() == reverser.summary()


def test_damaged_files_are_rejected(reverser, tmp_path):
    reverser.save(tmp_path / "model.safetensors")
    tensors, header = read_model(tmp_path / "model.safetensors")
    header = {name: value for name, value in header.items() if name not in ("kind", "version")}
    path = tmp_path / "damaged.safetensors"
    for changed, rule in (
        ({**tensors, "decoder.combine.bias": np.zeros(3, np.float32)}, "decoder.combine.bias"),
        ({name: array for name, array in tensors.items() if name != "head.bias"}, "head.bias"),
        ({**tensors, "target_embedding": np.zeros((2, 8), np.float32)}, "damaged"),
    ):
        write_model(path, changed, header, kind="transducer")
        with pytest.raises(FormatError, match=rule):
            load_model(path)


@pytest.mark.parametrize(
    "options",
    [{"attention": "additive", "cell": "gru"}, {"scheduled_sampling": 0.5, "weight_drop": 0.2, "zoneout": 0.1}],
    ids=["additive", "sampling"],
)
def test_threads_do_not_change_the_bits(options):
    one, two = (train_transducer(WORDS, REVERSED, settings=tiny(**options), threads=n) for n in (1, 2))
    assert bits(one) == bits(two)
    assert one.history == two.history


def test_with_many_units_the_softmax_skips_what_dropout_zeroed(monkeypatch):
    options = {"settings": tiny(batch_size=16, epochs=1, optimizer="sgd", learning_rate=0.1)}
    monkeypatch.setattr("seqclf.translation.trainer.MANY_UNITS", 1)
    one, two = (train_transducer(WORDS, REVERSED, **options, threads=n) for n in (1, 2))
    assert bits(one) == bits(two)
    run, shares = SoftmaxGradients.run, []

    def without(self, states, weight, bias, goal, slopes, live, workers):
        np.testing.assert_array_equal(live.live[live.sequences][:, :8], states[:, :8] != 0)
        shares.append(live.live.mean())
        assert np.bincount(live.sequences)[:-1].tolist() == [32] * live.sequences[-1]
        return run(self, states, weight, bias, goal, slopes, None, workers)

    monkeypatch.setattr(SoftmaxGradients, "run", without)
    other = train_transducer(WORDS, REVERSED, **options, threads=1).network.parameters()
    assert 0.5 < np.mean(shares) < 0.9
    for name, array in one.network.parameters().items():
        np.testing.assert_allclose(array, other[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_an_interrupted_training_resumes_to_the_same_bits(tmp_path):
    path, options = tmp_path / "checkpoint", {"settings": tiny(epochs=3), "threads": 1}

    def stop(progress):
        if progress.epoch_done and progress.epoch == 1:
            raise StopTraining

    train_transducer(WORDS, REVERSED, **options, checkpoint=path, on_progress=stop)
    resumed = train_transducer(WORDS, REVERSED, **options, checkpoint=path, resume=True)
    assert bits(resumed) == bits(train_transducer(WORDS, REVERSED, **options))


def test_features_are_read_before_the_source():
    settings = tiny(epochs=60, hidden_size=32, learning_rate=0.01, dropout=0.0, validation_fraction=0)
    words, features = WORDS[:12], ["UP"] * 12 + ["N;DOWN"] * 12
    targets = [*(word.upper() for word in words), *words]
    model = train_transducer(words * 2, targets, features=features, settings=settings, threads=1)
    found = model.predict(["abc", "abc"], features=["UP", "N DOWN"])
    assert [each.text for each in found] == ["ABC", "abc"]
    assert found[1].source == ["<N>", "<DOWN>", "a", "b", "c"]
    with pytest.raises(InputError, match="trained with features; pass features="):
        model.predict(["abc"])
    with pytest.raises(InputError, match="1 features for 2 sources"):
        model.predict(["abc", "a"], features=["UP"])


def test_pretrained_vectors_are_kept_if_frozen():
    vectors = WordVectors(["a", "b", "z"], np.eye(3, 5))
    settings = tiny(tune_vectors=False, vector_scale=0)
    model = train_transducer(WORDS, REVERSED, settings=settings, vectors=vectors, threads=1)
    table = model.network.parameters()["embedding"]
    rows = [model.source_vocabulary.token_to_id[unit] for unit in ("a", "b", "z")]
    np.testing.assert_array_equal(table[rows], np.eye(3, 5, dtype=np.float32))


def test_rare_target_units_are_unknown_and_can_be_replaced():
    settings = tiny(
        source_units="spaces", target_units="spaces", target_min_count=2, epochs=60, hidden_size=32,
        learning_rate=0.01, dropout=0.0, validation_fraction=0,
    )  # fmt: skip
    names = [f"hello name{row}" for row in range(12)]
    model = train_transducer(names, [each.replace("hello", "bye") for each in names], settings=settings, threads=1)
    assert model.target_vocabulary.tokens == ["<eos>", "<unk>", "bye"]
    assert model.predict(["hello name3"])[0].text == "bye <unk>"
    replaced = model.predict(["hello name3"], replace_unknown=True)[0]
    assert replaced.units[0] == "bye"
    assert replaced.units[1] in ("hello", "name3")


def test_the_units_of_features_replace_no_unknown_unit(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "seqclf.translation.predictions.replace_unknown",
        lambda units, unknown, source, attention: seen.append((source, attention.shape[1])) or units,
    )
    settings = tiny(source_units="spaces", epochs=1, validation_fraction=0)
    model = train_transducer(["go", "see it"], ["went", "saw"], features=["V;PST", "V"], settings=settings, threads=1)
    model.predict(["go", "see it"], features=iter(["V;PST", "V"]), replace_unknown=True)
    assert seen == [(["go"], 1), (["see", "it"], 2)]


def test_a_single_pair_is_enough():
    model = train_transducer(["a b"], ["c"], settings=tiny(source_units="spaces"), threads=1)
    assert model.metrics["pairs"] == 1
    assert model.metrics["dev_pairs"] == 0


@pytest.mark.parametrize(
    ("sources", "targets", "message"),
    [
        ([], [], "needs at least one pair, got none"),
        (["a", ""], ["b", "c"], "sources must have at least one unit each, got none at position 1"),
        (["a"], [""], "targets must have at least one unit each, got none at position 0"),
        (["a"], ["b", "c"], "2 targets for 1 source"),
        ("abc", ["b"], r"sources must be a list of strings, got the string 'abc'; pass \['abc'\]"),
        (["a", 3], ["b", "c"], r"sources must be strings, got 3 \(int\) at position 1"),
        (["a" * 100_000], ["b"], "at most 10,000 units each, got 100,000 at position 0; set the units to spaces"),
        (["a"], ["b" * 10_001], "targets must have at most 10,000 units each, got 10,001 at position 0"),
    ],
)
def test_bad_pairs_are_rejected(sources, targets, message):
    with pytest.raises(InputError, match=message):
        train_transducer(sources, targets, settings=tiny())


def test_bad_sources_and_options_of_predictions_are_rejected(reverser):
    for arguments, message in (
        ({"sources": ["a", ""]}, "at least one unit each, got none at position 1"),
        ({"sources": ["a"], "features": ["V"]}, "trained without features; leave features out"),
        ({"sources": ["a"], "beam": 0}, "beam must be at least 1, got 0"),
        ({"sources": ["a"], "n_best": 9}, "n_best must be at most 5, got 9"),
        ({"sources": ["a"], "max_length": 0}, "max_length must be at least 1, got 0"),
    ):
        with pytest.raises(InputError, match=message):
            reverser.predict(**arguments)


def test_vectors_generate_their_texts(tmp_path):
    random = np.random.default_rng(7)
    vectors, texts = random.standard_normal((12, 6)) * 10, WORDS[:12]
    settings = VectorTransducerSettings(
        hidden_size=32, epochs=60, batch_size=4, learning_rate=0.01, validation_fraction=0, dropout=0.0
    )
    one, two = (train_vector_transducer(vectors, texts, settings=settings, threads=n) for n in (1, 2))
    assert bits(one) == bits(two)
    assert [each.text for each in one.predict(vectors)] == texts
    one.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert [each.score for each in loaded.predict(vectors[:3])] == [each.score for each in one.predict(vectors[:3])]
    assert one.predict(vectors[4:5])[0].score == one.predict(vectors)[4].score
    assert one.predict(csr_array(vectors[4:5]))[0].score == one.predict(vectors)[4].score
    for bad, message in (
        (np.zeros((1, 5)), "must have 6 dimensions, as in training, got 5"),
        ([[np.nan] * 6], "got NaN or infinity in row 0"),
        (["a"], "must be a matrix"),
    ):
        with pytest.raises(InputError, match=message):
            one.predict(bad)
    with pytest.raises(InputError, match="11 targets for 12 vectors"):
        train_vector_transducer(vectors, texts[:11])


def test_sources_are_decomposed_into_letters():
    assert read_pairs(["\uac01"], ["k"], None, tiny(normalize="NFD"))[0] == [["\u1100", "\u1161", "\u11a8"]]
