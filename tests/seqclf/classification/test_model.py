"""Classifier models: predictions, model files, damaged files."""

import copy
import json
import os
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from seqclf import ClassifierModel, ClassifierSettings, load_model, train_classifier
from seqclf.model_file import join_tokens, split_tokens
from wordvec import FormatError, InputError, WordVectors

SETTINGS = ClassifierSettings(hidden_size=5, vector_size=6, epochs=2, batch_size=4, validation_fraction=0, min_count=1)
TEXTS = ["Fire in the hills", "a calm evening", "the river floods", "tea and cake"] * 3
LABELS = ["alarm", "calm", "alarm", "calm"] * 3


@pytest.fixture(scope="module")
def model():
    return train_classifier(TEXTS, LABELS, settings=SETTINGS, threads=1)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model.save(path)
    return path


def test_probabilities_sum_to_1_and_labels_are_their_argmax(model):
    probabilities = model.predict_proba(["Fire!", "tea", "", "unknown words only"])
    assert probabilities.shape == (4, 2)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert model.predict(TEXTS).tolist() == [model.labels[row] for row in model.predict_proba(TEXTS).argmax(axis=1)]
    assert model.predict_proba([]).shape == (0, 2)
    assert model.predict([]).tolist() == []


def test_texts_go_through_the_models_tokenizer(model):
    assert model.tokenizer == "words"
    assert model.lowercase
    tokens, text = ["FIRE", "in", "the", "hills"], "fire, IN the -- hills!"
    np.testing.assert_array_equal(model.predict_proba([text]), model.predict_proba([tokens]))


def test_predictions_do_not_depend_on_other_texts_or_threads(model, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    random = np.random.default_rng(0)
    words = [*" ".join(TEXTS).split(), "unknown"]
    texts = [" ".join(random.choice(words, random.integers(0, 9))) for _ in range(70)]
    together = model.predict_proba(texts, threads=1)
    np.testing.assert_array_equal(model.predict_proba(texts, threads=4), together)
    np.testing.assert_array_equal(model.predict_proba(texts[::-1])[::-1], together)
    for row in range(0, 70, 9):
        np.testing.assert_array_equal(model.predict_proba([texts[row]])[0], together[row])


def test_invalid_texts_are_rejected(model):
    for bad, message in [
        ("one text", "got the single text 'one text'; pass \\[text\\]"),
        ([["a"], 3.5], "got 3.5 \\(float\\) at position 1"),
        ([None], "got None \\(NoneType\\) at position 0"),
        ([b"bytes"], "bytes"),
        ([[1, 2]], "got a list of int at position 0"),
        (7, "got int"),
    ]:
        with pytest.raises(InputError, match=message):
            model.predict(bad)


def test_save_and_load_round_trip(model, saved):
    back = load_model(saved)
    np.testing.assert_array_equal(back.predict_proba([*TEXTS, ""]), model.predict_proba([*TEXTS, ""]))
    assert back.labels == model.labels == ["alarm", "calm"]
    assert back.vocabulary == model.vocabulary
    assert back.settings == model.settings
    assert back.metrics == model.metrics
    assert back.history == model.history
    assert isinstance(back, ClassifierModel)
    assert "bidirectional lstm of 5" in repr(back)


def test_file_is_reproducible_and_has_no_paths_or_times(model, saved, tmp_path):
    again = train_classifier(TEXTS, LABELS, settings=SETTINGS)
    for source in (model, again, load_model(saved)):
        source.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()
    assert str(tmp_path.parent).encode() not in saved.read_bytes()
    header = header_of(saved)
    assert list(header) == sorted(header)
    assert not {"threads", "seconds", "path", "time"} & {*header, *header["settings"], *header["metrics"]}


@pytest.mark.parametrize("labels", [[0, 1], [True, False], ["ä", "ß"]])
def test_round_trip_of_label_types(labels, tmp_path):
    model = train_classifier(TEXTS[:4], labels * 2, settings=replace(SETTINGS, epochs=1))
    model.save(tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors")
    assert back.labels == sorted(labels)
    assert [type(label) for label in back.labels] == [type(label) for label in sorted(labels)]
    assert back.predict(TEXTS[:1]).tolist()[0] in labels


@pytest.mark.parametrize(
    "change",
    [
        {"bidirectional": False, "cell": "rnn", "layers": 2},
        {"pooling": "mean", "merge": "sum"},
        {"pooling": "last", "cell": "gru", "layers": 2},
        {"cell": "gru", "reset": "before", "merge": "multiply"},
        {"pooling": "attention", "bidirectional": False, "character_size": 3},
    ],
)
def test_round_trip_of_every_architecture(change, tmp_path):
    settings = replace(SETTINGS, epochs=1, class_weight={"calm": 2.0}, **change)
    model = train_classifier(TEXTS, LABELS, settings=settings)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        load_model(tmp_path / "m.safetensors").predict_proba(TEXTS), model.predict_proba(TEXTS)
    )


def test_first_file_version_still_loads(model, saved, tmp_path):
    later = ("reset", "merge", "layers", "zoneout", "zoneout_cell")
    rewrite(saved, tmp_path / "old.safetensors", **dict.fromkeys(later))
    assert not set(later) & header_of(tmp_path / "old.safetensors").keys()
    old = load_model(tmp_path / "old.safetensors")
    np.testing.assert_array_equal(old.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_vectors_set_tokenizer_and_casing_and_cover_unseen_words():
    vectors = WordVectors(
        ["fire", "tea", "blaze", "coffee"],
        [[1, 0.2], [-1, 0.1], [0.9, 0.3], [-1, 0.2]],
        tokenizer="tweets",
        lowercase=True,
    )
    texts, labels = ["Fire", "tea"] * 8, ["alarm", "calm"] * 8
    settings = replace(SETTINGS, epochs=8, learning_rate=0.05)
    model = train_classifier(texts, labels, settings=settings, vectors=vectors)
    assert (model.tokenizer, model.lowercase) == ("tweets", True)
    assert model.settings["vector_size"] == 2
    assert model.predict(["BLAZE", "coffee"]).tolist() == ["alarm", "calm"]
    capped = train_classifier(texts, labels, settings=replace(settings, keep_vectors=1), vectors=vectors)
    assert capped.vocabulary.tokens == ["fire", "tea", "blaze"]
    cased = train_classifier(
        texts, labels, settings=replace(settings, lowercase=False, tokenizer="words"), vectors=vectors
    )
    assert cased.vocabulary.tokens == ["Fire", "tea", "fire", "blaze", "coffee"]
    # "Fire" is found as written, "FIRE" lower-cased: the vector that training never touched.
    assert cased.predict(["Fire", "FIRE"]).tolist() == ["alarm", "alarm"]


def test_rare_words_count_as_unknown():
    model = train_classifier([*TEXTS, "a rarity"], [*LABELS, "calm"], settings=replace(SETTINGS, min_count=2))
    assert "rarity" not in model.vocabulary
    np.testing.assert_array_equal(model.predict_proba(["rarity"]), model.predict_proba(["neverseen"]))


def test_stratified_split_is_logged(caplog):
    with caplog.at_level("INFO"):
        model = train_classifier(TEXTS * 4, LABELS * 4, settings=replace(SETTINGS, validation_fraction=0.1))
    assert "5 of 48 texts, stratified by label, are split off" in caplog.text
    assert model.metrics["dev_texts"] == 5
    assert 0 <= model.metrics["dev_accuracy"] <= 1


@pytest.mark.parametrize(("copies", "line"), [(4, "5 of 48 texts, stratified by label, are split off"), (0, "")])
def test_a_linear_model_chooses_its_regularization_by_the_split(caplog, copies, line):
    texts, labels = (TEXTS * copies, LABELS * copies) if copies else (["a", "b"], [0, 1])
    with caplog.at_level("INFO"):
        train_classifier(texts, labels, settings=ClassifierSettings(model="linear"), threads=1)
    assert f"{line} to choose the regularization" in caplog.text if line else "split off" not in caplog.text


@pytest.mark.parametrize(
    ("texts", "labels", "options", "message"),
    [
        (["a"] * 4, [1, 2, 1], {}, "3 labels for 4 texts"),
        (["a", "b"], ["x", "x"], {}, "at least two classes, got only one class: 'x'"),
        ([], [], {}, "no texts given"),
        (["a", "b"], [1, "x"], {}, "labels must have the same type, got int and str"),
        (["a", "b"], [1, 2], {"dev": (["a"], [3])}, "label 3 of the validation texts is not among the training labels"),
        (["a", "b"], [1, 2], {"dev": (["a"], [1, 2])}, "2 labels for 1 validation texts"),
        (["a", "b"], [1, 2], {"dev": ([], [])}, "no validation texts given"),
        (["a", "b"], [1, 2], {"settings": {"class_weight": {3: 1.0}}}, "has the unknown label 3"),
        (["a", "b"], [1, 2], {"settings": {"hidden_size": 0}}, "hidden_size must be at least 1, got 0"),
        (["a", "b"], [1, 2], {"settings": {"epochs": 1.5}}, "epochs must be a whole number, got 1.5"),
        (["a", "b"], [1, 2], {"settings": {"dropout": 1.0}}, "dropout must be at least 0 and below 1"),
        (
            ["a", "b"],
            [1, 2],
            {"settings": {"pooling": "sum"}},
            "one of max, mean, last, attention, got 'sum'",
        ),
        (["a", "b"], [1, 2], {"settings": {"learning_rate": 0}}, "learning_rate must be above 0, got 0"),
        (["a", "b"], [1, 2], {"settings": {"tokenizer": "no"}}, "no"),
        (["a", "b"], [1, 2], {"threads": 0}, "threads must be at least 1, got 0"),
    ],
)
def test_invalid_training_data_are_rejected(texts, labels, options, message):
    with pytest.raises(InputError, match=message):
        train_classifier(texts, labels, **(options | {"settings": replace(SETTINGS, **options.get("settings", {}))}))


# -- damaged files ----------------------------------------------------------------------------------------------------


def header_of(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["seqclf"])


def rewrite(source, target, *, tensors=None, **header):
    """Copy a model file with some tensors or header entries replaced; None removes one."""
    described = {key: value for key, value in {**header_of(source), **header}.items() if value is not None}
    arrays = {key: value for key, value in {**load_file(source), **(tensors or {})}.items() if value is not None}
    save_file(arrays, target, metadata={"seqclf": json.dumps(described)})


def test_other_files_are_rejected(saved, tmp_path):
    bad = tmp_path / "bad.safetensors"
    content = saved.read_bytes()
    for raw in (b"", b"\x00" * 40, np.random.default_rng(0).bytes(2000), content[:6], content[:100], content[:-1]):
        bad.write_bytes(raw)
        with pytest.raises(FormatError, match="not a model file, or it is truncated"):
            load_model(bad)
    bad.write_bytes(content + b"more")
    with pytest.raises(FormatError):
        load_model(bad)
    save_file({"vectors": np.zeros((2, 2), np.float32)}, bad, metadata={"wordvec": "{}"})
    with pytest.raises(FormatError, match="holds word vectors, not a model"):
        load_model(bad)
    bad.write_bytes(save({"weight": np.zeros(3)}))
    with pytest.raises(FormatError, match="another program"):
        load_model(bad)
    with pytest.raises(InputError, match="is a directory"):
        load_model(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        load_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"version": 99}, "has format version 99, but this program reads version 1"),
        ({"kind": "robot"}, "does not name a kind of model"),
        ({"kind": "tagger"}, "holds a tagger, not a text classifier; pass a file that classify-text train wrote"),
        ({"cell": "gru9"}, "cell must be one of gru, lstm, rnn, got 'gru9'"),
        ({"merge": "xor"}, "merge must be one of concatenate, sum, average, multiply, got 'xor'"),
        ({"reset": 1}, "reset must be one of after, before, got 1"),
        ({"layers": 0}, "layers must be at least 1, got 0"),
        ({"layers": 2}, "unexpected none"),
        ({"layers": 10**12}, "1,000,000,000,000 layers, but"),
        ({"zoneout": 1.0}, "zoneout must be at least 0 and below 1, got 1.0"),
        ({"labels": ["a"]}, "labels must be at least two"),
        ({"labels": ["a", "a"]}, "labels must be at least two"),
        ({"labels": ["a", "b", "c"]}, "head.weight must be float32"),
        ({"hidden_size": 0}, "hidden_size must be at least 1"),
        ({"hidden_size": 6}, "must be float32"),
        ({"hidden_size": True}, "hidden_size"),
        ({"pooling": ["max"]}, "pooling"),
        ({"pooling": "attention"}, "missing tensors \\['pooling.bias', 'pooling.query', 'pooling.weight'\\]"),
        ({"bidirectional": False}, "missing tensors none, unexpected"),
        ({"tokenizer": "nobody"}, "tokenizer must be the name of a tokenizer"),
        ({"settings": None}, "settings"),
        ({"history": [1]}, "history"),
    ],
)
def test_damaged_headers_are_rejected(saved, tmp_path, header, message):
    rewrite(saved, tmp_path / "bad.safetensors", **header)
    with pytest.raises(FormatError, match=message):
        load_model(tmp_path / "bad.safetensors", "model")


def test_damaged_tensors_are_rejected(saved, tmp_path):
    bad, arrays = tmp_path / "bad.safetensors", load_file(saved)
    broken = arrays["embedding"].copy()
    broken[2, 3] = np.nan
    offsets = arrays["token_offsets"]
    swapped = offsets.copy()
    swapped[1:3] = swapped[2], swapped[1]
    twice = join_tokens(["the"] * (len(offsets) - 1))
    cut = arrays["token_bytes"].copy()
    cut[0] = 0xFF
    for tensors, message in [
        ({"embedding": broken}, "embedding has values that are not finite"),
        ({"embedding": None}, "no embedding table"),
        ({"embedding": arrays["embedding"][:-1]}, "expected .* tokens, found"),
        ({"embedding": arrays["embedding"].astype(np.float64)}, "embedding must be float32"),
        ({"head.bias": None}, "missing tensors \\['head.bias'\\]"),
        ({"extra": np.zeros(2)}, "unexpected \\['extra'\\]"),
        ({"token_offsets": swapped}, "token offsets must strictly increase from 0 to"),
        ({"token_offsets": offsets[:-1]}, "token offsets must strictly increase from 0 to .* at the end"),
        (
            {"token_offsets": np.array([0, 2**63 - 1, -5, *offsets[3:]])},
            "token offsets must strictly increase from 0 to .* after 9,223,372,036,",
        ),
        ({"token_offsets": offsets.astype(np.int32)}, "token offsets do not match"),
        ({"token_bytes": cut}, "a token is not UTF-8"),
        (twice, "tokens must be distinct"),
    ]:
        rewrite(saved, bad, tensors=tensors)
        with pytest.raises(FormatError, match=message):
            load_model(bad)


def test_header_that_is_not_json_is_rejected(saved, tmp_path):
    for text in ("{", "[]", "3", "[" * 100_000):
        save_file(load_file(saved), tmp_path / "bad.safetensors", metadata={"seqclf": text})
        with pytest.raises(FormatError, match="damaged"):
            load_model(tmp_path / "bad.safetensors")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are not supported")
def test_pipes_and_devices_are_rejected(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(InputError, match=rf"^{path} is not a regular file; copy it to one first$"):
            load_model(path)


def test_unwritable_paths_are_rejected(model, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        model.save(tmp_path / "nowhere" / "m.safetensors")
    with pytest.raises(InputError, match="is a directory"):
        model.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tokens_round_trip_as_bytes():
    tokens = ["a", "grüße", "🔥", "two words"]
    assert split_tokens("file", **join_tokens(tokens)) == tokens
    assert split_tokens("file", **join_tokens([])) == []


# -- linear models and blends -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["linear", "blend", "network"])
def calibrated(request):
    change = {"model": request.param, "calibration": "temperature"}
    return train_classifier(TEXTS, LABELS, settings=replace(SETTINGS, **change), dev=(TEXTS, LABELS), threads=1)


def test_round_trip_of_weighted_parts(calibrated, tmp_path):
    path = tmp_path / "m.safetensors"
    calibrated.save(path)
    back = load_model(path)
    np.testing.assert_array_equal(back.predict_proba([*TEXTS, ""]), calibrated.predict_proba([*TEXTS, ""]))
    back.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert (back.parts, repr(back)) == (calibrated.parts, repr(calibrated))
    assert ("n-grams" in repr(back)) is (back.parts != "network")
    assert back.metrics["model"] == back.parts
    for row, text in enumerate(TEXTS[:4]):
        np.testing.assert_array_equal(back.predict_proba([text])[0], back.predict_proba(TEXTS)[row])


def test_a_blend_is_the_weighted_product_of_its_parts(calibrated):
    if calibrated.parts != "blend":
        return
    parts = []
    for weights in ([1.0, 0.0], [0.0, 1.0]):
        one = copy.copy(calibrated)
        one.weights = np.array(weights)
        parts.append(np.log(one.predict_proba(TEXTS).astype(float)))
    expected = np.exp(np.tensordot(calibrated.weights, np.stack(parts), 1))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(calibrated.predict_proba(TEXTS), expected, atol=1e-5)


def test_a_linear_model_has_no_network(calibrated):
    if calibrated.parts == "linear":
        with pytest.raises(InputError, match="the model is linear and has no recurrent network"):
            calibrated.network  # noqa: B018


def test_models_that_need_validation_texts(caplog):
    assert train_classifier(TEXTS, LABELS, settings=replace(SETTINGS, model="auto")).weights is None
    assert "no validation texts to choose a model by: the network is trained" in caplog.text
    for change, message in (
        ({"model": "blend"}, "model blend needs validation texts, got none"),
        ({"calibration": "temperature"}, "calibration temperature needs validation texts, got 0"),
    ):
        with pytest.raises(InputError, match=message):
            train_classifier(TEXTS, LABELS, settings=replace(SETTINGS, **change))
    alone = train_classifier(TEXTS, LABELS, settings=replace(SETTINGS, model="linear"))
    assert alone.weights.tolist() == [0.0, 1.0]
    assert alone.predict(TEXTS).tolist() == LABELS


@pytest.mark.parametrize(
    ("tensors", "header", "message"),
    [
        ({"ngram_keys": lambda a: a[::-1].copy()}, {}, "in ascending order"),
        ({"ngram_idf": lambda a: a[:-1]}, {}, "a key and a weight for each"),
        ({"ngram_idf": lambda a: -a}, {}, "with positive weights"),
        ({"linear_weight": lambda a: a[1:]}, {}, "linear_weight must be finite float32"),
        ({"linear_bias": lambda a: a * np.nan}, {}, "linear_bias must be finite float32"),
        ({}, {"weights": [0.0, 0.0]}, "weights must be two numbers"),
        ({}, {"weights": [1.0, float("1e9")]}, "weights must be two numbers"),
        ({}, {"ngrams": None}, "must have characters"),
        ({}, {"weights": None}, "layers|cell"),
    ],
)
def test_damaged_linear_parts(tmp_path_factory, tensors, header, message):
    path = tmp_path_factory.mktemp("damaged") / "m.safetensors"
    train_classifier(TEXTS, LABELS, settings=replace(SETTINGS, model="linear")).save(path)
    arrays = load_file(path)
    full = header_of(path) | header
    for name, change in tensors.items():
        arrays[name] = np.ascontiguousarray(change(arrays[name]))
    save_file(arrays, path, metadata={"seqclf": json.dumps(full)})
    with pytest.raises(FormatError, match=message):
        load_model(path)
