"""A model: its answers, its file, and every way a file can be wrong."""

import json
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


def test_probabilities_add_up_and_labels_follow_them(model):
    probabilities = model.predict_proba(["Fire!", "tea", "", "unknown words only"])
    assert probabilities.shape == (4, 2)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert model.predict(TEXTS).tolist() == [model.labels[row] for row in model.predict_proba(TEXTS).argmax(axis=1)]
    assert model.predict_proba([]).shape == (0, 2)
    assert model.predict([]).tolist() == []


def test_the_models_own_tokeniser_cuts_the_texts(model):
    assert model.tokenizer == "words"
    assert model.lowercase
    tokens, text = ["FIRE", "in", "the", "hills"], "fire, IN the -- hills!"
    np.testing.assert_array_equal(model.predict_proba([text]), model.predict_proba([tokens]))


def test_neighbours_and_threads_never_change_a_row(model, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    random = np.random.default_rng(0)
    words = [*" ".join(TEXTS).split(), "unknown"]
    texts = [" ".join(random.choice(words, random.integers(0, 9))) for _ in range(70)]
    together = model.predict_proba(texts, threads=1)
    np.testing.assert_array_equal(model.predict_proba(texts, threads=4), together)
    np.testing.assert_array_equal(model.predict_proba(texts[::-1])[::-1], together)
    for row in range(0, 70, 9):
        np.testing.assert_array_equal(model.predict_proba([texts[row]])[0], together[row])


def test_a_text_that_is_none_is_refused(model):
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


def test_a_file_brings_everything_back(model, saved):
    back = load_model(saved)
    np.testing.assert_array_equal(back.predict_proba([*TEXTS, ""]), model.predict_proba([*TEXTS, ""]))
    assert back.labels == model.labels == ["alarm", "calm"]
    assert back.vocabulary == model.vocabulary
    assert back.settings == model.settings
    assert back.metrics == model.metrics
    assert back.history == model.history
    assert isinstance(back, ClassifierModel)
    assert "bidirectional lstm of 5" in repr(back)


def test_the_same_model_gives_the_same_bytes_and_no_secret(model, saved, tmp_path):
    again = train_classifier(TEXTS, LABELS, settings=SETTINGS)
    for source in (model, again, load_model(saved)):
        source.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()
    assert str(tmp_path.parent).encode() not in saved.read_bytes()
    header = header_of(saved)
    assert list(header) == sorted(header)
    assert not {"threads", "seconds", "path", "time"} & {*header, *header["settings"], *header["metrics"]}


@pytest.mark.parametrize("labels", [[0, 1], [True, False], ["ä", "ß"]])
def test_labels_of_any_kind_survive(labels, tmp_path):
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
        {"pooling": "attention", "bidirectional": False},
    ],
)
def test_every_kind_of_net_survives(change, tmp_path):
    settings = replace(SETTINGS, epochs=1, class_weight={"calm": 2.0}, **change)
    model = train_classifier(TEXTS, LABELS, settings=settings)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        load_model(tmp_path / "m.safetensors").predict_proba(TEXTS), model.predict_proba(TEXTS)
    )


def test_a_file_from_before_there_was_a_choice_still_loads(model, saved, tmp_path):
    later = ("reset", "merge", "layers", "zoneout", "zoneout_cell")
    rewrite(saved, tmp_path / "old.safetensors", **dict.fromkeys(later))
    assert not set(later) & header_of(tmp_path / "old.safetensors").keys()
    old = load_model(tmp_path / "old.safetensors")
    np.testing.assert_array_equal(old.predict_proba(TEXTS), model.predict_proba(TEXTS))


def test_vectors_give_tokeniser_casing_and_words_that_training_never_saw():
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


def test_a_stratified_tenth_is_split_off_and_said_so(caplog):
    with caplog.at_level("INFO"):
        model = train_classifier(TEXTS * 4, LABELS * 4, settings=replace(SETTINGS, validation_fraction=0.1))
    assert "5 of 48 texts, stratified by label, are split off" in caplog.text
    assert model.metrics["dev_texts"] == 5
    assert 0 <= model.metrics["dev_accuracy"] <= 1


@pytest.mark.parametrize(
    ("texts", "labels", "options", "message"),
    [
        (["a"] * 4, [1, 2, 1], {}, "3 labels for 4 texts"),
        (["a", "b"], ["x", "x"], {}, "at least two classes, got only one class: 'x'"),
        ([], [], {}, "no texts: 0 given"),
        (["a", "b"], [1, "x"], {}, "labels must be of one kind, got int and str"),
        (["a", "b"], [1, 2], {"dev": (["a"], [3])}, "label 3 of the development texts is not among the training texts"),
        (["a", "b"], [1, 2], {"dev": (["a"], [1, 2])}, "2 labels for 1 development texts"),
        (["a", "b"], [1, 2], {"dev": ([], [])}, "no development texts: 0 given"),
        (["a", "b"], [1, 2], {"settings": {"class_weight": {3: 1.0}}}, "names the label 3"),
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
def test_training_refuses_what_it_cannot_use(texts, labels, options, message):
    with pytest.raises(InputError, match=message):
        train_classifier(texts, labels, **(options | {"settings": replace(SETTINGS, **options.get("settings", {}))}))


# ---------------------------------------------------------------- damaged files


def header_of(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["seqclf"])


def rewrite(source, target, *, tensors=None, **header):
    """A copy of a model file with some tensors or header entries replaced; None removes one."""
    described = {key: value for key, value in {**header_of(source), **header}.items() if value is not None}
    arrays = {key: value for key, value in {**load_file(source), **(tensors or {})}.items() if value is not None}
    save_file(arrays, target, metadata={"seqclf": json.dumps(described)})


def test_what_is_no_model_is_refused(saved, tmp_path):
    bad = tmp_path / "bad.safetensors"
    content = saved.read_bytes()
    for raw in (b"", b"\x00" * 40, np.random.default_rng(0).bytes(2000), content[:6], content[:100], content[:-1]):
        bad.write_bytes(raw)
        with pytest.raises(FormatError, match="not a model file, or it is cut short"):
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
        ({"version": 99}, "a model of version 99, this program reads version 1"),
        ({"kind": "robot"}, "does not say that it is a model"),
        ({"kind": "tagger"}, "holds a tagger, not a text classifier; pass a file that classify-text train wrote"),
        ({"cell": "gru9"}, "cell must be a cell, got 'gru9'"),
        ({"merge": "xor"}, "merge must be a merge, got 'xor'"),
        ({"reset": 1}, "reset must be a reset, got 1"),
        ({"layers": 0}, "layers must be at least 1, got 0"),
        ({"layers": 2}, "too many"),
        ({"layers": 10**12}, "1000000000000 layers, but"),
        ({"zoneout": 1.0}, "zoneout must be a share below 1, got 1.0"),
        ({"labels": ["a"]}, "labels must be at least two"),
        ({"labels": ["a", "a"]}, "labels must be at least two"),
        ({"labels": ["a", "b", "c"]}, "head.weight must be float32"),
        ({"hidden_size": 0}, "hidden_size must be at least 1"),
        ({"hidden_size": 6}, "must be float32"),
        ({"hidden_size": True}, "hidden_size"),
        ({"pooling": ["max"]}, "pooling"),
        ({"pooling": "attention"}, "lacks \\['pooling.bias', 'pooling.query', 'pooling.weight'\\]"),
        ({"bidirectional": False}, "too many"),
        ({"tokenizer": "nobody"}, "tokenizer must be a tokenizer"),
        ({"settings": None}, "settings"),
        ({"history": [1]}, "history"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(saved, tmp_path, header, message):
    rewrite(saved, tmp_path / "bad.safetensors", **header)
    with pytest.raises(FormatError, match=message):
        load_model(tmp_path / "bad.safetensors", "model")


def test_tensors_that_do_not_fit_are_refused(saved, tmp_path):
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
        ({"embedding": broken}, "embedding holds numbers that are not finite"),
        ({"embedding": None}, "no embedding table"),
        ({"embedding": arrays["embedding"][:-1]}, "tokens where"),
        ({"embedding": arrays["embedding"].astype(np.float64)}, "embedding must be float32"),
        ({"head.bias": None}, "lacks \\['head.bias'\\]"),
        ({"extra": np.zeros(2)}, "has \\['extra'\\] too many"),
        ({"token_offsets": swapped}, "token offsets do not fit"),
        ({"token_offsets": offsets[:-1]}, "token offsets do not fit"),
        ({"token_offsets": offsets.astype(np.int32)}, "token offsets do not fit"),
        ({"token_bytes": cut}, "a token is not UTF-8"),
        (twice, "tokens must be distinct"),
    ]:
        rewrite(saved, bad, tensors=tensors)
        with pytest.raises(FormatError, match=message):
            load_model(bad)


def test_a_description_that_is_no_json_is_refused(saved, tmp_path):
    for text in ("{", "[]", "3", "[" * 100_000):
        save_file(load_file(saved), tmp_path / "bad.safetensors", metadata={"seqclf": text})
        with pytest.raises(FormatError, match="damaged"):
            load_model(tmp_path / "bad.safetensors")


def test_a_target_that_cannot_be_written_is_named_and_left_alone(model, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        model.save(tmp_path / "nowhere" / "m.safetensors")
    with pytest.raises(InputError, match="is a directory"):
        model.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tokens_survive_as_bytes():
    tokens = ["a", "grüße", "🔥", "two words"]
    assert split_tokens("file", **join_tokens(tokens)) == tokens
    assert split_tokens("file", **join_tokens([])) == []
