"""Dropout and zoneout masks: rates and shapes; masks depend only on seed and step."""

from dataclasses import replace

import numpy as np
import pytest

from seqclf import ClassifierSettings, train_classifier
from seqclf.layers.batches import pack
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape
from seqclf.training.dropout import DropoutRates, draw_dropout_masks

SHAPE = EncoderShape(50, 16, 32, layers=3, zoneout=0.2, zoneout_cell=0.7)
RATES = DropoutRates(words=0.4, between=0.3, weights=0.6)


def make_batch(count=40, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 9, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pack(random.integers(0, 50, offsets[-1]).astype(np.int32), offsets, np.arange(count))


def flat(noise):
    layers = [*noise.w_hidden, *noise.hold_h, *noise.hold_c]
    return [noise.words, *noise.between, *(mask for layer in layers for mask in layer)]


def test_rates_and_shapes_of_masks():
    encoder, batch = Encoder(SHAPE), make_batch()
    noise = draw_dropout_masks(encoder, batch, RATES, seed=1, step=2)
    packed = int(batch.starts[-1])
    assert noise.words.shape == (batch.token_ids.size, 16)
    assert (noise.words == 0).mean() == pytest.approx(0.4, abs=0.06)
    assert [each.shape for each in noise.between] == [(packed, 64)] * 2
    for masks, rate, shape in ((noise.w_hidden, 0.6, (8, 32, 16)), (noise.hold_h, 0.8, (packed, 32))):
        assert [len(layer) for layer in masks] == [2, 2, 2]
        for each in (each for layer in masks for each in layer):
            assert each.shape == shape
            assert (each == 0).mean() == pytest.approx(rate, abs=0.05)
    assert {0.0, 1.0} == set(np.unique(noise.hold_c[1][0]))
    assert np.mean(noise.hold_c) == pytest.approx(0.7, abs=0.03)
    assert np.mean(noise.w_hidden) == pytest.approx(1, abs=0.05)


def test_locked_dropout_uses_one_mask_for_all_steps_of_a_text():
    encoder, batch = Encoder(SHAPE), make_batch()
    for locked in (True, False):
        noise = draw_dropout_masks(encoder, batch, replace(RATES, locked=locked), seed=1, step=2)
        for factors in noise.between:
            first = factors[batch.starts[0] : batch.starts[1]]
            second = factors[batch.starts[1] : batch.starts[2]]
            assert (first[: len(second)] == second).all() == locked
            assert (first[0] != first[1]).any()
            assert np.mean(factors == 0) == pytest.approx(0.3, abs=0.05)
        assert (noise.between[0] != noise.between[1]).any()


def test_masks_depend_on_seed_and_step_and_are_all_different():
    encoder, batch = Encoder(SHAPE), make_batch()
    one, again = (flat(draw_dropout_masks(encoder, batch, RATES, seed=1, step=2)) for _ in range(2))
    for left, right in zip(one, again, strict=True):
        np.testing.assert_array_equal(left, right)
    for seed, step in ((2, 2), (1, 3)):
        for left, right in zip(one, flat(draw_dropout_masks(encoder, batch, RATES, seed=seed, step=step)), strict=True):
            assert (left != right).mean() > 0.1
    masks = flat(draw_dropout_masks(encoder, batch, DropoutRates(), seed=1, step=2))[1:]
    assert len(masks) == 12
    for i in range(12):
        for k in range(i):
            assert (masks[i] != masks[k]).mean() > 0.1


def test_no_masks_at_rate_0():
    noise = draw_dropout_masks(
        Encoder(replace(SHAPE, zoneout=0.0, zoneout_cell=0.0)), make_batch(), DropoutRates(), 1, 2
    )
    assert noise.words is None
    assert not any(len(part) for part in (noise.between, noise.w_hidden, noise.hold_h, noise.hold_c))


def test_training_converges_with_every_kind_of_dropout():
    texts = ["fire in the hills", "river floods homes", "smoke over town", "a calm evening", "tea", "we walk"] * 3
    labels = (["alarm"] * 3 + ["calm"] * 3) * 3
    settings = ClassifierSettings(
        cell="lstm", layers=2, hidden_size=16, vector_size=16, epochs=12, batch_size=6, learning_rate=0.02,
        validation_fraction=0, dropout=0.1, layer_dropout=0.2, weight_drop=0.3, zoneout=0.1, zoneout_cell=0.2,
    )  # fmt: skip
    model = train_classifier(texts, labels, settings=settings, threads=1)
    assert (model.predict(texts) == labels).all()
    assert model.network.shape.zoneout_cell == 0.2
