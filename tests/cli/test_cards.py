"""Model cards on the command line: ``classify-text info`` and ``wordvec info --card``."""

import json

from click.testing import CliRunner

from cli import main


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
