"""Traces of language models and taggers, and the cells that hold a word."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from seqclf import (
    LanguageModelSettings,
    TaggerSettings,
    train_language_model,
    train_tagger,
)
from seqclf.inspection.holding import contributions, find_holders
from seqclf.inspection.tracing import trace_tokens
from wordvec import InputError

TEXT = "the cat sat on the mat"


@pytest.fixture(scope="module")
def language_model():
    settings = LanguageModelSettings(hidden_size=16, layers=2, epochs=4, batch_size=2, window=8, learning_rate=0.02)
    return train_language_model([TEXT, "a dog ran"] * 20, settings=settings, threads=1)


@pytest.fixture(scope="module")
def tagger():
    settings = TaggerSettings(hidden_size=6, epochs=3, validation_fraction=0)
    return train_tagger([["the", "cat"], ["a", "dog"]] * 8, [["D", "N"]] * 16, settings=settings, threads=1)


def test_a_language_model_predicts_after_each_token(language_model):
    found = trace_tokens(language_model, "the cat flew")
    assert found.tokens == ["<eos>", "the", "cat", "flew"]
    assert found.known == [True, True, True, False]
    for place, prompt in enumerate(["", "the", "the cat", "the cat flew"]):
        [(token, probability)] = language_model.next_tokens(prompt, top=1)
        assert found.predictions[place] == token
        assert found.probabilities[place] == pytest.approx(probability, rel=1e-4)
    assert [(each.layer, each.direction, each.h.shape) for each in found.layers] == [
        (0, "forward", (4, 16)), (1, "forward", (4, 16)),
    ]  # fmt: skip
    assert found.title.startswith(found.predictions[-1])


def test_a_tagger_predicts_at_each_token(tagger):
    found = trace_tokens(tagger, "a cat")
    assert (found.tokens, found.known) == (["a", "cat"], [True, True])
    assert found.predictions == tagger.predict([["a", "cat"]])[0]
    chances = tagger.predict_proba([["a", "cat"]])[0]
    expected = [chances[place, tagger.labels.index(tag)] for place, tag in enumerate(found.predictions)]
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-5)
    assert {each.direction for each in found.layers} == {"forward", "reverse"}


def test_the_parts_of_all_tokens_sum_to_the_last_cell(language_model, tagger):
    for found in (trace_tokens(language_model, TEXT), trace_tokens(tagger, "a dog the cat")):
        for layer in found.layers:
            last = layer.c[-1] if layer.direction == "forward" else layer.c[0]
            np.testing.assert_allclose(contributions(layer).sum(axis=0), last, atol=1e-5)


def test_holders_have_most_of_a_token(language_model):
    found = trace_tokens(language_model, TEXT)
    best, *others = find_holders(found, 2, top=4)
    assert best.left == pytest.approx(contributions(found.layers[best.layer])[2, best.unit])
    assert abs(best.written) >= abs(best.left)
    assert all(abs(best.left) * best.share >= abs(each.left) * each.share for each in others)
    with pytest.raises(InputError, match="place must be at most 6, got 7"):
        find_holders(found, 7)


def test_other_models_and_cells_are_refused(tagger):
    with pytest.raises(InputError, match="model must be"):
        trace_tokens("model", "text")
    with pytest.raises(InputError, match="without tokens"):
        trace_tokens(tagger, " ")
    settings = LanguageModelSettings(cell="gru", hidden_size=4, epochs=1)
    found = trace_tokens(train_language_model([TEXT] * 3, settings=settings, threads=1), "the cat")
    with pytest.raises(InputError, match="only an LSTM has cells"):
        find_holders(found, 1)


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, ["inspect", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_the_command_shows_predictions_and_holders(language_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    language_model.save("m.safetensors")
    lines = invoke("m.safetensors", "the cat flew").stdout.splitlines()
    assert lines[0].split()[-2:] == ["predicts", "p"]
    assert lines[4].startswith("flew ?")
    facts = json.loads(invoke("m.safetensors", "the cat", "--json").stdout)
    assert len(facts["predictions"]) == len(facts["tokens"]) == 3
    lines = invoke("m.safetensors", "the cat", "--holds", "cat").stdout.splitlines()
    assert [line.split()[0] for line in lines if line] == [
        "layer:direction:unit", "written", "left", "share", "cell", "<eos>", "the", "cat",
    ]  # fmt: skip
    facts = json.loads(invoke("m.safetensors", "the cat", "--holds", "cat", "--json").stdout)
    assert facts["holders"][0].keys() == {"layer", "direction", "unit", "written", "left", "share"}
    missing = invoke("m.safetensors", "the cat", "--holds", "dog", code=2)
    assert "--holds must be a word of TEXT, got 'dog'" in missing.stderr


def test_pictures(language_model, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    language_model.save("m.safetensors")
    invoke("m.safetensors", TEXT, "-o", "gates.svg")
    invoke("m.safetensors", TEXT, "--holds", "cat", "-o", "cell.svg")
    assert (tmp_path / "gates.svg").read_text() != (tmp_path / "cell.svg").read_text()
