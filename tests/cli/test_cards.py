"""Model cards on the command line: ``classify-text info`` and ``wordvec info --card``."""

import json

import numpy as np
from click.testing import CliRunner

from cli import main
from seqclf import ClassifierSettings
from seqclf.classification.train_vectors import train_vector_classifier
from seqclf.model_file import FASTTEXT, KINDS
from wordvec.formats import phrases, sparse
from wordvec.formats.cards import model_card


def run(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_a_classifier_has_a_card(model_file, vectors_file):
    text = run("classify-text", "info", model_file)
    assert text.startswith("Text classifier\n\nModel\n  kept: ")
    assert "  texts: 72\n" in text
    assert "\nIntended use\n" in text
    markdown = run("classify-text", "info", model_file, "--markdown")
    assert markdown.startswith("# Text classifier\n\n## Model\n\n- kept: ")
    card = json.loads(run("classify-text", "info", model_file, "--json"))
    assert card["training_data"].keys() >= {"texts", "data (BLAKE2b)", "vectors (BLAKE2b)", "versions"}
    assert card["settings"]["hidden size"] == "8"
    refused = run("classify-text", "info", vectors_file, code=1)
    assert "holds vectors, not a classifier; wordvec info " in refused
    assert "--markdown has no effect" in run("classify-text", "info", model_file, "--markdown", "--json", code=2)


def test_vectors_have_a_card(vectors_file):
    assert run("info", vectors_file, "--card").startswith("Word vectors\n\nModel\n  words: 8\n  vector size: 4\n")
    assert run("info", vectors_file, "--markdown").startswith("# Word vectors\n")
    assert json.loads(run("info", vectors_file, "--card", "--json"))["title"] == "Word vectors"


def test_all_kinds_of_files_have_an_intended_use():
    for kind in (*KINDS, FASTTEXT, "vectors", sparse.KIND, phrases.KIND):
        assert model_card({"kind": kind}).intended_use, kind


def test_a_classifier_of_vectors_has_a_card(tmp_path):
    settings = ClassifierSettings(hidden_size=4, epochs=1)
    model = train_vector_classifier(list(np.eye(20)[:, :, None]), ["a", "b"] * 10, settings=settings, threads=1)
    model.save(tmp_path / "m.safetensors")
    card = json.loads(run("info", tmp_path / "m.safetensors", "--card", "--json"))
    assert card["title"] == "Classifier of sequences of vectors"
    assert card["training_data"]["sequences"] == "18"
    assert len(card["limits"]) == 3
