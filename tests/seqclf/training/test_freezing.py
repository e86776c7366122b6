"""Freezing by layer: frozen parameters keep their bits in every network, the others are trained."""

import numpy as np
import pytest

import seqclf
from seqclf.classification.settings import ClassifierSettings
from seqclf.summary import summarize
from seqclf.training.freezing import frozen_parameters
from seqclf.translation.settings import TransducerSettings
from seqclf.translation.train import train_transducer
from wordvec import InputError

SMALL = {"hidden_size": 4, "validation_fraction": 0.0}
TEXTS = ["fire in the hills", "lovely warm evening", "the river floods"] * 4
TAGS = [["N" if len(word) > 3 else "D" for word in text.split()] for text in TEXTS]


def classifier(**options):
    settings = ClassifierSettings(**SMALL, vector_size=4, layers=2, pooling="attention", cell="gru", **options)
    return seqclf.train_classifier(TEXTS, ["a", "b", "c"] * 4, settings=settings, threads=1)


def tagger(**options):
    settings = seqclf.TaggerSettings(**SMALL, vector_size=4, head="crf", **options)
    return seqclf.train_tagger([text.split() for text in TEXTS], TAGS, settings=settings, threads=1)


def language_model(**options):
    settings = seqclf.LanguageModelSettings(**SMALL, window=3, **options)
    return seqclf.train_language_model(TEXTS, settings=settings, threads=1)


def tied_language_model(**options):
    return language_model(tied=True, samples=2, optimizer="sgd", **options)


def transducer(**options):
    settings = TransducerSettings(**SMALL, vector_size=4, target_vector_size=4, layers=2, choose_by="loss", **options)
    return train_transducer(TEXTS, TEXTS, settings=settings, threads=1)


def forecaster(**options):
    settings = seqclf.ForecasterSettings(**SMALL, window=4, horizon=2, **options)
    return seqclf.train_forecaster(np.sin(np.arange(40) / 3), settings=settings, threads=1)


@pytest.mark.parametrize(
    ("train", "names"),
    [
        (classifier, "embedding, layers.1.forward, pooling.weight"),
        (tagger, "features,layers,head.transitions"),
        (language_model, "layers,head.weight"),
        (tied_language_model, "embedding"),
        (transducer, "embedding,decoder,target_embedding"),
        (forecaster, "layers.0.forward.w_hidden"),
    ],
)
def test_frozen_parameters_keep_their_bits(train, names):
    first = train(epochs=1, freeze=names).network.parameters()
    second = train(epochs=2, freeze=names).network.parameters()
    wanted = [name.strip() for name in names.split(",")]
    for name, array in first.items():
        frozen = any(name == one or name.startswith(f"{one}.") for one in wanted)
        assert array.any() or "bias" in name or "transitions" in name
        assert np.array_equal(array, second[name]) == frozen, name


def test_names_are_those_of_the_summary():
    model = language_model(epochs=1)
    names = ",".join(list(summarize(model).shapes)[:-1])
    frozen = frozen_parameters(model.network, names)
    assert frozen.tables == [True]
    assert 0 < np.count_nonzero(~frozen.dense) < model.network.dense.size
    before = model.network.parameters()
    frozen_parameters(model.network, "layers")
    for name, array in model.network.parameters().items():
        np.testing.assert_array_equal(array, before[name])


def test_names_that_fit_nothing_or_everything_are_refused():
    with pytest.raises(InputError, match=r"such as embedding, layers\.0, head, got 'layer'"):
        language_model(epochs=1, freeze="layer")
    with pytest.raises(InputError, match="freeze must leave something to train, got 'embedding,layers,head'"):
        language_model(epochs=1, freeze="embedding,layers,head")
