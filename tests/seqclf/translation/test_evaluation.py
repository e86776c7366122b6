"""Evaluation of a model next to the baselines, which its file holds."""

import numpy as np
import pytest

from seqclf import SequenceFromVector, SequenceToSequence, load_model
from seqclf.translation.evaluation import evaluate_transducer
from seqclf.translation.settings import TransducerSettings
from seqclf.translation.train import train_transducer
from wordvec import FormatError, InputError

SOURCES, TARGETS = ["ab", "b", "a", "a", "ba"], ["x y", "y", "x", "x", "y x"]


def make(**options):
    settings = {"hidden_size": 8, "vector_size": 4, "target_vector_size": 4, "epochs": 1, "validation_fraction": 0}
    given = {key: options.pop(key) for key in ("features",) if key in options}
    targets = options.pop("targets", TARGETS)
    settings = TransducerSettings(**{**settings, "target_units": "spaces", **options})
    return train_transducer(SOURCES, targets, settings=settings, threads=1, **given)


def test_scores_of_the_model_and_of_the_baselines():
    model = make()
    found = evaluate_transducer(model, ["ab", "c"], ["x y", "x"], beam=2, bleu="none")
    predicted = [each.text for each in model.predict(["ab", "c"], beam=2)]
    assert found.scores["this model"].exact_match == np.mean([predicted[0] == "x y", predicted[1] == "x"])
    rows = {name: (score.exact_match, score.edit_distance) for name, score in found.scores.items()}
    assert rows["copy of the source"] == (0.0, 1.5)
    assert rows["most frequent target"] == (0.5, 0.5)
    assert rows["unit-by-unit dictionary"] == (0.5, 0.5)
    assert found.translations.keys() == found.scores.keys()
    values = found.as_dict()
    assert values["bleu_signature"].startswith("nrefs:1|")
    assert values["baselines"]["most frequent target"]["exact_match"] == 0.5
    with pytest.raises(InputError, match="1 target for 2 sources"):
        evaluate_transducer(model, ["ab", "c"], ["x y"])


@pytest.mark.parametrize(
    ("units", "targets"), [("words", ["Go, now!", "Stay here."]), ("spaces", ["a  b", "b a "])], ids=["words", "spaces"]
)
def test_scores_of_estimators_compare_units(units, targets):
    options = {
        "target_units": units, "hidden_size": 32, "epochs": 60, "learning_rate": 0.01, "validation_fraction": 0,
        "random_state": 1, "n_jobs": 1,
    }  # fmt: skip
    assert SequenceToSequence(**options).fit(["ab", "ba"], targets).score(["ab", "ba"], targets) == 1
    vectors = [[0, 1], [1, 0]]
    found = SequenceFromVector(**options).fit(vectors, targets)
    assert found.score(vectors, targets) == 1
    assert found.score(vectors, targets[::-1]) == 0


def test_features_play_no_part_in_the_baselines():
    model = make(features=["P", "Q", "P;Q", "P", "Q"])
    assert model.baselines.dictionary == make().baselines.dictionary == {"a": "x", "b": "y"}
    assert model.predict_baselines(["ba"])["copy of the source"] == [["b", "a"]]


def test_a_copy_has_the_units_of_the_targets():
    targets = [text.replace(" ", "") for text in TARGETS]
    model = make(targets=targets, source_units="spaces", target_units="characters")
    assert model.predict_baselines(["ab b"])["copy of the source"] == [list("ab b")]


def test_the_file_holds_the_baselines(tmp_path):
    model, path = make(), tmp_path / "m.safetensors"
    model.save(path)
    assert load_model(path, "transducer").baselines == model.baselines
    model.baselines.dictionary["b"] = "no such unit"
    model.save(path)
    assert load_model(path, "transducer").baselines.dictionary == {"a": "x"}


def test_a_damaged_dictionary_is_an_error(tmp_path):
    from seqclf.model_file import read_model
    from seqclf.translation.model import TransducerModel

    make().save(tmp_path / "m.safetensors")
    tensors, header = read_model(tmp_path / "m.safetensors", ["transducer"])
    for name, bad in (
        ("dictionary", np.full(2, 99, np.int32)),
        ("dictionary", np.zeros(3, np.int32)),
        ("dictionary", np.zeros(2, np.int64)),
        ("frequent_target", "x"),
    ):
        changed = [{**part, name: bad} if name in part else part for part in (tensors, header)]
        with pytest.raises(FormatError, match=f"damaged: {name} must be"):
            TransducerModel.from_file("m.safetensors", *changed)
