"""Training a classifier: learning, reproducibility, best epoch, early stopping, progress, threads."""

import logging
import threading
from dataclasses import replace

import numpy as np
import pytest

from seqclf import ClassifierSettings, train_classifier, train_multi_label
from seqclf.classification.network import Network, NetworkShape, initial_parameters
from seqclf.classification.train import evaluate, train_network
from seqclf.classification.train_vectors import train_vector_classifier
from seqclf.layers.batches import Sequences, Spelling, pack
from seqclf.layers.character_encoder import CharacterShape
from seqclf.layers.workers import Workers, available_cores
from seqclf.metrics import macro_f1
from seqclf.training.dropout import DropoutRates, draw_mask, dropout_key
from seqclf.training.pooled import Trainer
from tests.oracles import naive_recurrent
from tests.oracles.gradients import numerical_gradient
from wordvec import InputError, TrainingError, WordVectors

SMALL = ClassifierSettings(hidden_size=8, vector_size=8, epochs=2, batch_size=4, validation_fraction=0)
ALARM = ["fire in the hills", "the river floods homes", "smoke over the town", "a flood and a fire"]
CALM = ["a warm calm evening", "tea and cake", "the cat sleeps", "we walk in the park"]


def texts_and_labels(copies=3):
    return (ALARM + CALM) * copies, (["alarm"] * 4 + ["calm"] * 4) * copies


def parameters_equal(left, right):
    a, b = left.network.parameters(), right.network.parameters()
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_indicative_words_are_learned():
    texts, labels = texts_and_labels()
    model = train_classifier(texts, labels, settings=replace(SMALL, epochs=10, learning_rate=0.02), threads=1)
    assert (model.predict(texts) == labels).all()
    losses = [row["loss"] for row in model.history]
    assert losses[-1] < 0.75 * losses[0]
    assert losses[0] == pytest.approx(np.log(2), rel=0.3)


def test_word_order_is_learned():
    # The same two words in either order: a bag of words cannot distinguish them.
    texts, labels = ["before after"] * 16 + ["after before"] * 16, [0] * 16 + [1] * 16
    settings = replace(SMALL, epochs=15, learning_rate=0.02, dropout=0.1, pooling="last", bidirectional=False)
    model = train_classifier(texts, labels, settings=settings, threads=1)
    assert model.predict(["before after", "after before"]).tolist() == [0, 1]


@pytest.mark.parametrize("pooling", ["max", "attention"])
def test_parameters_depend_on_the_seed_but_not_on_threads(pooling, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 8)
    texts, labels = texts_and_labels(2)
    settings = replace(SMALL, validation_fraction=0.25, pooling=pooling)
    models = [train_classifier(texts, labels, settings=settings, threads=threads) for threads in (1, 2, 4)]
    assert parameters_equal(models[0], models[1])
    assert parameters_equal(models[0], models[2])
    assert models[0].history == models[1].history == models[2].history
    assert not parameters_equal(models[0], train_classifier(texts, labels, settings=replace(settings, seed=2)))


def test_one_step_is_adam_on_the_oracles_clipped_gradient():
    shape = NetworkShape(vocabulary=6, vector_size=3, hidden_size=4, classes=2)
    random = np.random.default_rng(0)
    table = random.standard_normal((6, 3)).astype(np.float32)
    parameters = initial_parameters(shape, table, random)
    settings = replace(SMALL, dropout=0.0, clip_norm=1e-3, learning_rate=0.1, warmup_steps=0)
    weights, texts, targets = np.array([1.0, 3.0]), [[0, 2], [3], [1, 0, 5]], np.array([0, 1, 1], np.int32)
    _, _, gradients = naive_recurrent.classifier(parameters, texts, targets, weights[targets])
    gradients["embedding"][4:] = 0  # rows 4 and 5 are not trained
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
    assert norm > 1e-3
    network = Network(shape, parameters, np.float64)
    ids, offsets = np.array([0, 2, 3, 1, 0, 5], np.int32), np.array([0, 2, 3, 6])
    with Workers(1) as workers:
        trainer = Trainer(network, settings, rates=DropoutRates(), tuned_rows=4, steps=10, workers=workers)
        batch = pack(ids, offsets, np.arange(3))
        trainer.step(batch, targets[batch.order], weights=weights[targets[batch.order]].astype(np.float32))
    after = network.parameters()
    for name, gradient in gradients.items():
        g = gradient * 1e-3 / norm
        # Adam's first step: both bias corrections cancel the decay.
        expected = parameters[name] - 0.1 * g / (np.abs(g) + 1e-8)
        np.testing.assert_allclose(after[name], expected, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_given_linear_part_must_be_one_of_the_same_labels():
    texts, labels = texts_and_labels()
    linear = train_classifier(texts, labels, settings=replace(SMALL, model="linear"))
    other = [f"no {label}" for label in labels]
    for given in (train_classifier(texts, labels, settings=SMALL), train_classifier(texts, other, settings=SMALL)):
        with pytest.raises(InputError, match="linear must be a linear model of the same labels, got a network"):
            train_classifier(texts, labels, settings=replace(SMALL, model="blend"), dev=(texts, labels), linear=given)
    with pytest.raises(InputError, match="linear must be a linear model of the same labels, got a linear"):
        train_classifier(texts, other, settings=replace(SMALL, model="blend"), dev=(texts, other), linear=linear)


def test_words_of_one_row_are_trained_together():
    shape = NetworkShape(vocabulary=4, vector_size=3, hidden_size=4, classes=2, spelling=CharacterShape(3, 2))
    parameters = initial_parameters(shape, np.ones((4, 3), np.float32), np.random.default_rng(0))
    settings = replace(SMALL, optimizer="sgd", dropout=0.0, learning_rate=1.0, warmup_steps=0)
    # Words 0 and 2 have row 1 and different characters; word 1 has row 3, which is not trained.
    words = Sequences(
        np.array([0, 1, 2], np.int32), np.array([0, 2, 3]), rows=np.array([1, 3, 1], np.int32),
        spelling=Spelling(np.array([0, 1, 1, 2], np.int32), np.array([0, 2, 3, 4])),
    )  # fmt: skip
    network = Network(shape, parameters, np.float64)
    batch, targets = pack(words.ids, words.offsets, np.arange(2)), np.array([0, 1], np.int32)

    def loss():
        tape = network.forward(batch, workers, inputs=words.inputs(batch, network.embedding), spelling=words.spelling)
        return network.loss_and_backward(tape, targets[batch.order], workers)[0]

    with Workers(1) as workers:
        expected = numerical_gradient(loss, network.embedding)
        trainer = Trainer(network, settings, rates=DropoutRates(), tuned_rows=3, steps=10, workers=workers)
        inputs = words.inputs(batch, network.embedding)
        trainer.step(batch, targets[batch.order], inputs, words=words)
    expected[3] = 0
    assert np.abs(expected[1]).max() > 1e-4
    np.testing.assert_allclose(parameters["embedding"] - network.parameters()["embedding"], expected[:, :3], atol=1e-8)


def test_frozen_vectors_are_constant_and_tuned_ones_change():
    texts, labels = texts_and_labels()
    tokens = sorted({token for text in texts for token in text.split()})
    vectors = WordVectors([*tokens, "unseen"], np.random.default_rng(0).standard_normal((len(tokens) + 1, 6)))
    texts, labels = [*texts, "vectorless"], [*labels, "calm"]
    models = {
        tune: train_classifier(texts, labels, vectors=vectors, settings=replace(SMALL, tune_vectors=tune), threads=1)
        for tune in (False, True)
    }
    for tune, model in models.items():
        table = model.network.parameters()["embedding"]
        rows = [model.vocabulary.token_to_id[token] for token in tokens]
        factor = 0.35 / vectors.vectors[:-1].std()
        moved = np.abs(table[rows] - factor * vectors.vectors[:-1]).max(axis=1)
        assert (moved > 1e-3).all() if tune else (moved < 1e-6).all()
        unseen = model.vocabulary.token_to_id["unseen"]
        np.testing.assert_allclose(table[unseen], factor * vectors["unseen"], rtol=1e-5)
        assert not table[-1].any()
        # Tuned, a word without a vector starts at zero and moves a little; frozen, it is a random row.
        size = np.abs(table[model.vocabulary.token_to_id["vectorless"]]).max()
        assert 0 < size < 0.05 if tune else size > 0.1


def make_examples(shape, count, seed):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = random.integers(0, shape.vocabulary - 1, offsets[-1]).astype(np.int32)
    return Sequences(ids, offsets), random.integers(0, 2, count).astype(np.int32)


def test_a_continued_training_keeps_settings_that_files_leave_out():
    texts, labels = texts_and_labels()
    first = train_classifier(texts, labels, settings=SMALL, threads=1)
    del first.settings["normalize"]  # as in files of the first release, which did not normalize
    more = train_classifier(texts, labels, settings=replace(SMALL, character_size=4), initial=first, threads=1)
    assert "character_size" not in more.settings
    assert more.normalize == first.normalize == "none"


def train_on_noise(settings, **options):
    shape = NetworkShape(vocabulary=20, vector_size=4, hidden_size=4, classes=2)
    random = np.random.default_rng(0)
    network = Network(shape, initial_parameters(shape, random.standard_normal((20, 4)).astype(np.float32), random))
    examples, dev = make_examples(shape, 24, 1), make_examples(shape, 40, 2)
    with Workers(1) as workers:
        outcome = train_network(
            network,
            *examples,
            settings=settings,
            weights=np.ones(2),
            shares=np.ones(24),
            trained_words=19,
            workers=workers,
            dev=dev,
            **options,
        )
        return network, outcome, dev, workers


def test_best_epoch_is_kept():
    # Noise cannot be learned, so the best epoch is somewhere in the middle.
    network, outcome, dev, workers = train_on_noise(replace(SMALL, epochs=8, learning_rate=0.05))
    scores = [(row["dev_accuracy"], -row["dev_loss"]) for row in outcome.history]
    assert outcome.best_epoch == 1 + scores.index(max(scores))
    assert outcome.best_epoch < 8
    predicted, loss = evaluate(network, *dev, np.ones(2), workers)
    assert ((predicted == dev[1]).mean(), -loss) == max(scores)


def test_macro_f1_chooses_the_epoch_of_skewed_classes(caplog):
    texts = ["nothing new today"] * 95 + ["fire in town"] * 5
    labels = ["no"] * 95 + ["yes"] * 5
    settings = replace(SMALL, epochs=8, learning_rate=0.02, batch_size=10)
    model = train_classifier(texts, labels, settings=settings, dev=(texts, labels))
    scores = [(row["dev_macro_f1"], row["dev_accuracy"], -row["dev_loss"]) for row in model.history]
    assert model.metrics["best_epoch"] == 1 + scores.index(max(scores))
    assert model.metrics["majority_share"] == 0.95
    predicted = model.predict(texts).tolist()
    assert model.metrics["dev_macro_f1"] == macro_f1(labels, predicted)
    caplog.clear()
    same = ["nothing new today"] * 100
    train_classifier(same, labels, settings=settings, dev=(same, labels))
    assert "the model predicts one label for all 100 validation texts; 95.0 % of the training texts have" in caplog.text
    balanced = train_classifier(texts[80:], labels[80:], settings=settings, dev=(texts, labels))
    assert "dev_macro_f1" not in balanced.metrics


def test_few_validation_texts_are_reported(caplog):
    texts, labels = ["fire", "sun"] * 5, ["yes", "no"] * 5
    train_classifier(texts, labels, settings=replace(SMALL, validation_fraction=0.1))
    assert "only 1 validation text to choose the epoch by" in caplog.text
    train_classifier(texts, labels, settings=SMALL, dev=(texts[:3], labels[:3]))
    assert "only 3 validation texts to choose the epoch by" in caplog.text
    caplog.clear()
    train_classifier(texts, labels, settings=SMALL, dev=(texts, labels))
    assert "only" not in caplog.text


def test_long_texts_are_read_less_often_unless_epochs_are_given(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("seqclf.classification.settings.MOST_TOKENS", 100)
    texts, labels = ["fire in town", "sun"] * 10, ["yes", "no"] * 10  # 40 words
    model = train_classifier(texts, labels, settings=replace(SMALL, epochs=None))
    assert len(model.history) == model.settings["epochs"] == 2
    assert "epochs: 2 instead of 10, as the training texts have 40 words or steps; set epochs to" in caplog.text
    caplog.clear()
    assert len(train_multi_label(texts, [["a"], ["b"]] * 10, settings=replace(SMALL, epochs=None)).history) == 2
    assert len(train_vector_classifier([[1.0] * 7] * 20, labels, settings=replace(SMALL, epochs=None)).history) == 1
    assert len(train_classifier(texts, labels, settings=replace(SMALL, epochs=3)).history) == 3
    assert caplog.text.count("instead of 10") == 2


def test_patience_stops_training_early():
    _, outcome, _, _ = train_on_noise(replace(SMALL, epochs=40, learning_rate=0.05, patience=2))
    assert len(outcome.history) == outcome.best_epoch + 2 < 40


def test_progress_reports():
    seen = []
    train_on_noise(replace(SMALL, epochs=3), on_progress=seen.append)
    ends = [progress for progress in seen if progress.epoch_done]
    assert [progress.epoch for progress in ends] == [0, 1, 2]
    total = ends[-1].done
    assert [progress.done for progress in ends] == [total / 3, 2 * total / 3, total]
    assert all(
        (progress.stage, progress.unit, progress.total, progress.epochs) == ("training", "texts", total, 3)
        for progress in seen
    )
    for progress in ends:
        assert progress.metrics.keys() == {"dev_accuracy", "dev_loss"}
        assert 0 <= progress.metrics["dev_accuracy"] <= 1
    assert ends[-1].seconds_left == 0
    assert ends[0].per_second > 0


def test_interrupt_joins_all_threads(monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 2)
    texts, labels = texts_and_labels()

    def interrupt(progress):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        train_classifier(texts, labels, settings=SMALL, threads=2, on_progress=interrupt)
    assert threading.active_count() == before


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_divergence_is_an_error():
    texts, labels = texts_and_labels()
    vectors = WordVectors(["fire"], np.full((1, 4), 3e38, np.float32))
    with pytest.raises(TrainingError, match=r"NaN or infinite at step \d; lower learning_rate"):
        train_classifier(texts, labels, settings=replace(SMALL, vector_scale=0), vectors=vectors)


def test_class_weights_shift_the_probabilities():
    texts, labels = ["same words"] * 20, ["rare"] * 4 + ["common"] * 16
    settings = replace(SMALL, epochs=6, learning_rate=0.02)
    plain = train_classifier(texts, labels, settings=settings)
    balanced = train_classifier(texts, labels, settings=replace(settings, class_weight="balanced"))
    named = train_classifier(texts, labels, settings=replace(settings, class_weight={"rare": 40.0}))
    rare = [model.predict_proba(["same words"])[0, 1] for model in (plain, balanced, named)]
    assert rare[0] == pytest.approx(0.2, abs=0.1)
    assert rare[1] == pytest.approx(0.5, abs=0.1)
    assert rare[2] > 0.7


def test_dropout_mask_has_its_rate_and_depends_on_its_key():
    key = dropout_key(1, 2, 3)
    mask = draw_mask(50, 64, 0.3, key, np.float32)
    assert mask.dtype == np.float32
    assert set(np.unique(mask).round(4)) == {0.0, np.float32(1 / 0.7).round(4)}
    assert (mask == 0).mean() == pytest.approx(0.3, abs=0.03)
    assert mask.mean() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(mask, draw_mask(50, 64, 0.3, key, np.float32))
    np.testing.assert_array_equal(mask[:10], draw_mask(10, 64, 0.3, key, np.float32))
    others = [dropout_key(2, 2, 3), dropout_key(1, 1, 3), dropout_key(1, 2, 4)]
    for other in others:
        assert (mask != draw_mask(50, 64, 0.3, other, np.float32)).mean() == pytest.approx(0.42, abs=0.05)
    assert (draw_mask(4, 4, 0.0, key, np.float64) == 1).all()


def test_workers_keep_order_propagate_errors_and_are_capped(monkeypatch):
    with pytest.raises(InputError, match="threads must be at least 1, got 0"):
        Workers(0)
    assert Workers(10**6).threads == available_cores()
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 3)
    with Workers(3) as workers:
        assert workers.map(lambda a, b: a - b, range(10), range(0, 20, 2)) == [-i for i in range(10)]
        with pytest.raises(ZeroDivisionError):
            workers.map(lambda a: 1 // a, [1, 0, 1])
        meeting = threading.Barrier(3)
        met = workers.map(lambda _: (meeting.wait(20), threading.get_ident())[1], range(3))
        assert met[0] == threading.get_ident()
        assert len(set(met)) == 3
