"""Traces against the oracle for every cell, direction and depth; heat maps; gradient flow; the commands."""

import sys

import numpy as np
import pytest

from seqclf import ClassifierModel, ClassifierSettings, trace, train_classifier
from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.inspection.plotting import save_gate_heatmap
from seqclf.layers.parameters import EncoderShape
from seqclf.layers.tape import States
from tests.oracles import naive_heads, naive_recurrent
from wordvec import InputError, Vocabulary

WORDS = ["fire", "in", "the", "hills", "tea", "cake"]
TEXT = ["the", "fire", "in", "oslo", "the"]


def make(**changes):
    shape = NetworkShape(len(WORDS) + 1, 3, 5, 2, **changes)
    random = np.random.default_rng(7)
    parameters = {
        name: (random.standard_normal(size) * 0.7).astype(np.float32) for name, size in parameter_shapes(shape).items()
    }
    settings = ClassifierSettings(tokenizer="words", lowercase=True).record()
    return ClassifierModel(
        Network(shape, parameters), Vocabulary(WORDS), labels=["a", "b"], settings=settings
    ), parameters


SHAPES = [
    {"cell": "lstm"},
    {"cell": "lstm", "bidirectional": False, "layers": 2, "pooling": "mean", "zoneout": 0.2, "zoneout_cell": 0.3},
    {"cell": "gru", "layers": 2, "merge": "sum", "pooling": "last"},
    {"cell": "gru", "reset": "before", "bidirectional": False, "pooling": "last"},
    {"cell": "rnn", "layers": 2},
]


@pytest.mark.parametrize("changes", SHAPES)
def test_gates_cells_and_states_match_the_oracle(changes):
    model, parameters = make(**changes)
    shape = model.network.shape
    ids = [WORDS.index(word) if word in WORDS else len(WORDS) for word in TEXT]
    holds = {
        (layer, direction): [np.full((len(TEXT), 5), share) for share in (shape.zoneout, shape.zoneout_cell)]
        for layer in range(shape.layers)
        for direction in shape.encoder.directions
    }
    table = {name: array.astype(float) for name, array in parameters.items()}
    states, _, tape = naive_recurrent.encode(table, table["embedding"][ids], merge=shape.merge, holds=holds)
    found = trace(model, TEXT)
    assert found.tokens == TEXT
    assert found.known == [True, True, True, False, True]
    assert len(found.layers) == shape.layers * len(shape.encoder.directions)
    for each in found.layers:
        steps = tape[each.layer][1][each.direction]
        steps = steps if each.direction == "forward" else steps[::-1]
        expected = {"lstm": ["i", "f", "g", "o"], "gru": ["r", "z", "n"], "rnn": ["n"]}[shape.cell]
        assert list(each.gates) == expected
        assert (each.c is not None) == (shape.cell == "lstm")
        values = each.gates | {"h": each.h} | ({"c": each.c} if shape.cell == "lstm" else {})
        for name, array in values.items():
            np.testing.assert_allclose(array, [step[name] for step in steps], atol=2e-6, err_msg=name)
    np.testing.assert_array_equal(found.probabilities, model.predict_proba([TEXT])[0])
    assert found.chosen.sum() == pytest.approx(1)
    if shape.pooling == "max":
        counts = np.bincount(states.argmax(axis=0), minlength=len(TEXT))
        np.testing.assert_allclose(found.chosen, counts / states.shape[1])


def test_shares_of_the_pooled_features():
    assert trace(make(pooling="mean")[0], TEXT).chosen.tolist() == [0.2] * 5
    assert trace(make(pooling="last")[0], TEXT).chosen.tolist() == [0.5, 0, 0, 0, 0.5]
    assert trace(make(pooling="last", bidirectional=False)[0], TEXT).chosen.tolist() == [0, 0, 0, 0, 1]
    assert trace(make(pooling="last")[0], ["tea"]).chosen.tolist() == [1]


def test_attention_weights_match_the_oracle():
    model, parameters = make(pooling="attention")
    found = trace(model, TEXT)
    states = np.concatenate([each.h for each in found.layers], axis=1)
    layer = [parameters[f"pooling.{name}"] for name in ("weight", "bias", "query")]
    expected, _ = naive_heads.attention(states.astype(float), np.arange(len(TEXT) + 1), *layer, 1)
    np.testing.assert_allclose(found.chosen, expected, atol=1e-6)
    assert trace(model, "").chosen.size == 0


@pytest.mark.parametrize("bidirectional", [True, False])
def test_empty_text_has_an_empty_trace(bidirectional):
    model, _ = make(bidirectional=bidirectional)
    found = trace(model, "")
    assert [each.h.shape for each in found.layers] == [(0, 5)] * (1 + bidirectional)
    assert all(gate.shape == (0, 5) for each in found.layers for gate in each.gates.values())
    np.testing.assert_array_equal(found.probabilities, model.predict_proba([""])[0])
    assert found.chosen.size == 0


def test_strings_go_through_the_models_tokenizer():
    assert trace(make()[0], "The FIRE, in Paris").tokens == ["the", "fire", "in", "paris"]


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_heat_maps_are_reproducible(tmp_path, ending):
    pytest.importorskip("matplotlib")
    found = trace(make(cell="rnn", bidirectional=False)[0], TEXT)
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path in paths:
        save_gate_heatmap(found, path)
    first, second = (path.read_bytes() for path in paths)
    assert first.startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    assert first == second


def test_invalid_heat_maps_are_rejected(tmp_path, monkeypatch):
    found = trace(make()[0], TEXT)
    with pytest.raises(InputError, match=r"gates.jpg must end in .png, .svg, .pdf"):
        save_gate_heatmap(found, tmp_path / "gates.jpg")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"not installed: pip install 'wordvec-seqclf\[plotting\]'"):
        save_gate_heatmap(found, tmp_path / "gates.png")
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    with pytest.raises(InputError, match="cannot draw the trace of a text without tokens"):
        save_gate_heatmap(trace(make()[0], ""), tmp_path / "a.png")


# -- gradient flow ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_state_gradients_are_numerically_correct(cell):
    """A state is perturbed by starting a second pass from it, with the same cell state."""
    from seqclf.inspection.gradient_flow import state_gradients
    from seqclf.layers.batches import pack
    from seqclf.layers.encoder import Encoder
    from seqclf.layers.parameters import FlatParameters, initial_encoder

    shape, length, hidden = EncoderShape(0, 2, 3, cell=cell, bidirectional=False), 5, 3
    encoder = Encoder(shape, np.float64)
    encoder.attach(FlatParameters(encoder.layout(), np.float64))
    random = np.random.default_rng(2)
    encoder.load(initial_encoder(shape, None, random))
    inputs = random.standard_normal((2 * length, 2))
    batch = pack(np.arange(2 * length, dtype=np.int32), np.array([0, length, 2 * length]), np.arange(2))
    d_final = np.zeros((2, encoder.features))
    d_final[:, :hidden] = random.standard_normal((2, hidden))
    tape = encoder.forward(batch, inputs=inputs)
    encoder.backward(tape, None, d_final=d_final, tune_vectors=False)
    found = state_gradients(tape)[batch.starts[1] : batch.starts[2], :hidden].copy()  # after two steps

    def piece(start, stop, first=None):
        rows = np.concatenate([inputs[start:stop], inputs[length + start : length + stop]])
        part = pack(np.arange(len(rows), dtype=np.int32), np.arange(3) * (stop - start), np.arange(2))
        return encoder.forward(part, inputs=rows, first=first)

    last = piece(0, 2).last
    for sequence in range(2):
        for unit in range(hidden):
            losses = []
            for move in (1e-5, -1e-5):
                h = last.h.copy()
                h[0, sequence, unit] += move
                losses.append((piece(2, length, States(h, last.c)).final * d_final).sum())
            assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(found[sequence, unit], abs=1e-8)


def test_gradients_vanish_or_explode_in_simple_rnns_but_not_in_an_lstm():
    from seqclf import measure_gradient_flow

    shares = {}
    for cell, scale in (("rnn", 0.5), ("rnn", 2.0), ("gru", 1.0), ("lstm", 1.0)):
        norms = measure_gradient_flow(cell, scale=scale, length=30, hidden_size=16).norms
        shares[cell if scale == 1 else f"{cell}, weights x {scale:g}"] = norms[29] / norms[0]
    # Half of an orthogonal matrix halves the gradient in each step, apart from tanh.
    assert 0.1 * 0.5**29 < shares["rnn, weights x 0.5"] < 1.1 * 0.5**29
    assert shares["rnn, weights x 2"] > 10
    assert shares["lstm"] > 1e-3
    assert shares["rnn, weights x 0.5"] < shares["gru"] < shares["lstm"]


def test_training_reduces_the_error():
    from seqclf import measure_gradient_flow

    assert measure_gradient_flow("rnn", length=10, hidden_size=16, steps=150).loss < 0.3
    with pytest.raises(InputError, match="length must be at least 1, got 0"):
        measure_gradient_flow("rnn", length=0)


# -- the commands -----------------------------------------------------------------------------------------------------


def test_inspect_prints_tables_and_draws_a_heat_map(model_file, tmp_path):
    pytest.importorskip("matplotlib")
    import json

    from click.testing import CliRunner

    from cli.main import wordvec

    def invoke(*arguments, code=0):
        result = CliRunner().invoke(wordvec, ["inspect", str(model_file), *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result

    picture = tmp_path / "gates.png"
    result = invoke("The king of Oslo", "-o", picture)
    answer, forward, reverse = result.stdout.strip().split("\n\n")
    assert sorted(line.split()[0] for line in answer.splitlines()) == ["no", "yes"]
    assert forward.splitlines()[0].split() == ["layer", "1,", "forward", *"ifgo", "|c|", "|h|", "pooled"]
    assert reverse.startswith("layer 1, reverse")
    assert [line.split("  ")[0] for line in forward.splitlines()[1:]] == ["the", "king", "of", "oslo ?"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    everything = json.loads(invoke("the king", "--json").stdout)
    assert np.shape(everything["layers"][1]["gates"]["f"]) == (2, 8)
    assert "gates.jpg must end in .png" in invoke("the king", "-o", "gates.jpg", code=1).stderr


def test_gradient_flow_prints_a_table():
    from click.testing import CliRunner

    from cli.main import wordvec

    result = CliRunner().invoke(wordvec, ["gradient-flow", "--length", "12", "--hidden-size", "16"])
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["steps", "back", "0", "1", "5", "10", "11", "error"]
    assert [row.split("  ")[0] for row in rows] == ["rnn", "rnn, weights x 0.5", "rnn, weights x 2", "gru", "lstm"]
    assert all(" 1.0e+00 " in row for row in rows)


def test_trace_of_a_trained_model():
    settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0)
    model = train_classifier(["a b", "c"] * 4, ["yes", "no"] * 4, settings=settings, threads=1)
    assert trace(model, "a c").layers[0].gates["f"].shape == (2, 4)
