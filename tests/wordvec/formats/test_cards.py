"""Model cards: from the facts of a file to text, Markdown and JSON values."""

import json

from wordvec import WordVectors, save_vectors
from wordvec.formats.cards import model_card
from wordvec.formats.registry import describe

DIGEST = "5" * 64
CLASSIFIER = {
    "kind": "model",
    "package": "seqclf",
    "format": "safetensors",
    "bytes": 4321,
    "tensors": {"a": {"dtype": "F32", "shape": [3, 4]}, "b": {"dtype": "F32", "shape": [5]}},
    "about": {
        "cell": "lstm",
        "labels": ["no_way", "yes*"],
        "tokenizer": "words",
        "settings": {"learning_rate": 0.002, "patience": None, "bidirectional": True},
        "metrics": {"texts": 1720, "dev_accuracy": 0.81234, "dev_macro_f1": 0.8, "dev_texts": 80, "best_epoch": 3},
        "origin": {"data_blake2b": DIGEST, "versions": {"numpy": "2.1", "python": "3.12"}},
    },
}


def test_the_card_of_a_forecaster_names_its_method_and_series():
    about = {"names": ["Low"], "metrics": {"choice": {"forecast": "Theta"}}}
    assert model_card({"kind": "forecaster", "about": about}).model == {"method": "Theta", "series": "Low"}
    assert model_card({"kind": "forecaster", "about": {"names": ["Low"]}}).model["method"] == "network"


def test_a_card_has_data_settings_measures_use_and_limits():
    card = model_card(CLASSIFIER)
    assert card.title == "Text classifier"
    assert card.model["labels"] == "2: no_way, yes*"
    assert card.training_data == {
        "texts": "1,720", "data (BLAKE2b)": DIGEST, "versions": "numpy 2.1, python 3.12",
    }  # fmt: skip
    assert card.settings == {"learning rate": "0.002", "patience": "not set", "bidirectional": "yes"}
    assert card.measures == {
        "validation accuracy": "0.8123", "validation macro-F1": "0.8", "validation texts": "80", "best epoch": "3",
    }  # fmt: skip
    assert card.intended_use
    assert len(card.limits) == 3
    assert json.loads(json.dumps(card.as_dict()))["measures"] == card.measures


def test_text_and_markdown_have_the_same_sections():
    card = model_card(CLASSIFIER)
    headings = ["Model", "Training data", "Settings", "Measured", "Intended use", "Limits"]
    assert list(card.sections()) == headings
    text, markdown = card.text(), card.markdown()
    assert [line for line in text.splitlines() if line and not line.startswith(" ")] == ["Text classifier", *headings]
    assert [line[3:] for line in markdown.splitlines() if line.startswith("## ")] == headings
    assert max(map(len, text.splitlines())) <= 120
    assert "- labels: 2: no\\_way, yes\\*" in markdown


def test_a_file_without_metadata_says_so(tmp_path):
    save_vectors(WordVectors(["up", "down"], [[0.0, 1.0], [0.0, -1.0]]), tmp_path / "v.txt")
    card = model_card(describe(tmp_path / "v.txt"))
    assert card.model["words"] == "2"
    assert card.training_data == {"data": "not recorded in this file"}
    assert "Settings" not in card.sections()


def test_many_labels_are_cut():
    facts = {**CLASSIFIER, "about": {"labels": [f"label{n}" for n in range(50)]}}
    assert model_card(facts).model["labels"].endswith("label19 and 30 more")
    assert model_card(facts).training_data == {"data": "not recorded in this file"}
