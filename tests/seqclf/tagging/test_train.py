"""Training a tagger: learning, reproducibility, out-of-vocabulary words, model files."""

import itertools
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from seqclf import TaggerModel, TaggerSettings, load_model, score_entities, train_classifier, train_tagger
from seqclf.model_file import join_tokens
from seqclf.tagging.model import as_sentences
from wordvec import FormatError, InputError, WordVectors

SETTINGS = TaggerSettings(
    hidden_size=6, vector_size=6, feature_size=6, epochs=2, batch_size=4, validation_fraction=0, learning_rate=0.02
)
SENTENCES = [["The", "old", "cat", "sleeps"], [], ["A", "dog", "barks", "loudly"], ["Dogs", "sleep"], ["Stop"]] * 3
TAGS = [["D", "A", "N", "V"], [], ["D", "N", "V", "R"], ["N", "V"], ["V"]] * 3


@pytest.fixture(scope="module")
def model():
    return train_tagger(SENTENCES, TAGS, settings=SETTINGS, threads=1)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("tagger") / "tagger.safetensors"
    model.save(path)
    return path


# -- learning ---------------------------------------------------------------------------------------------------------


def test_tags_of_spans_have_a_crf_by_default():
    settings = replace(SETTINGS, epochs=1)
    assert settings.head is None
    models = [train_tagger(SENTENCES, TAGS, settings=settings, threads=1)]
    bio = [["B-A" if tag == TAGS[0][0] else "O" for tag in row] for row in TAGS]
    models += [
        train_tagger(SENTENCES, bio, settings=each, threads=1) for each in (settings, replace(settings, head="softmax"))
    ]
    assert [model.network.shape.head for model in models] == ["softmax", "crf", "softmax"]
    assert [model.settings["head"] for model in models] == ["softmax", "crf", "softmax"]


@pytest.mark.parametrize("head", ["softmax", "crf"])
def test_tags_that_depend_on_the_context_are_learned(head):
    # The tag of "saw" depends on the word before it.
    sentences = [["I", "saw", "him"], ["the", "saw", "broke"]] * 8
    tags = [["P", "V", "P"], ["D", "N", "V"]] * 8
    model = train_tagger(sentences, tags, settings=replace(SETTINGS, epochs=25, dropout=0.1, head=head), threads=1)
    assert model.predict(sentences[:2]) == tags[:2]
    assert model.history[-1]["loss"] < 0.5 * model.history[0]["loss"]
    assert model.most_frequent([["the", "saw", "unseen"]])[0][::2] == ["D", "P"]


def test_suffixes_and_capitals_are_learned():
    random = np.random.default_rng(0)
    stems = ["".join(random.choice(list("abdefgiklmnoprstu"), 4)) for _ in range(60)]
    kinds = [("{}ing", "V"), ("{}ly", "R"), ("{}", "N")]
    sentences, tags = [], []
    for stem in stems:
        sentences.append([form.format(stem) for form, _ in kinds] + [stem.capitalize()])
        tags.append([tag for _, tag in kinds] + ["M"])
    settings = replace(SETTINGS, epochs=10, word_dropout=0.3, bidirectional=False, dropout=0.1)
    model = train_tagger(sentences, tags, settings=settings, threads=1)
    assert model.predict([["zzyking"], ["zzykly"], ["Zzyk"]]) == [["V"], ["R"], ["M"]]


def test_file_depends_on_the_seed_but_not_on_threads(monkeypatch, tmp_path):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 8)
    settings = replace(SETTINGS, validation_fraction=0.3, head="crf", weight_drop=0.2, zoneout=0.1)
    found = []
    for number, (threads, seed) in enumerate([(1, 1), (2, 1), (4, 1), (2, 2)]):
        trained = train_tagger(SENTENCES * 3, TAGS * 3, settings=replace(settings, seed=seed), threads=threads)
        trained.save(tmp_path / f"{number}.safetensors")
        found.append((tmp_path / f"{number}.safetensors").read_bytes())
    assert found[0] == found[1] == found[2] != found[3]


def test_vectors_set_the_casing_and_cover_unseen_words():
    vectors = WordVectors(["cat", "dog", "runs", "eats", "cow", "sings"], np.eye(6)[[0, 0, 1, 1, 0, 1]], lowercase=True)
    sentences, tags = [["Cat", "runs"], ["dog", "eats"]] * 8, [["N", "V"], ["N", "V"]] * 8
    settings = replace(SETTINGS, epochs=20, dropout=0.1, feature_min_count=9)
    model = train_tagger(sentences, tags, settings=settings, vectors=vectors, threads=1)
    assert model.lowercase
    assert model.settings["vector_size"] == 6
    assert model.predict([["COW"], ["sings"]]) == [["N"], ["V"]]
    frozen = train_tagger(sentences, tags, settings=replace(settings, tune_vectors=False), vectors=vectors, threads=1)
    table, row = frozen.network.parameters()["embedding"], frozen.vocabulary.token_to_id["cat"]
    np.testing.assert_array_equal(table[row], table[frozen.vocabulary.token_to_id["cow"]])
    assert not table[-1].any()
    assert not model.network.parameters()["features"][-1].any()
    assert not np.array_equal(model.network.parameters()["embedding"][row], table[row])


def test_validation_sentences_choose_the_epoch(caplog):
    with caplog.at_level("INFO"):
        split = train_tagger(SENTENCES, TAGS, settings=replace(SETTINGS, validation_fraction=0.2), threads=1)
    assert "3 of 15 are split off" in caplog.text
    assert (split.metrics["dev_sentences"], split.metrics["sentences"]) == (3, 12)
    lonely = train_tagger(
        [["a", "b"], [], []], [["X", "Y"], [], []], settings=replace(SETTINGS, validation_fraction=0.9)
    )
    assert (lonely.metrics["dev_sentences"], lonely.metrics["tokens"]) == (0, 2)
    seen = []
    given = train_tagger(
        SENTENCES,
        TAGS,
        settings=replace(SETTINGS, epochs=40, patience=1),
        dev=([["a", "dog"], []], [["R", "A"], []]),  # wrong, so that learning makes it worse
        threads=1,
        on_progress=seen.append,
    )
    scores = [(row["dev_accuracy"], -row["dev_loss"]) for row in given.history]
    assert given.metrics["best_epoch"] == 1 + scores.index(max(scores)) == len(scores) - 1 < 39
    assert [progress.epoch for progress in seen if progress.epoch_done] == list(range(len(scores)))


@pytest.mark.parametrize(
    ("sentences", "tags", "options", "message"),
    [
        ([["a", "b"]], [["X"]], {}, "sentence 0 has 2 tokens but 1 tag$"),
        ([["a"]], [["X"], ["Y"]], {}, "2 lists of tags for 1 sentences"),
        ([["a", "b"]], [["X", "X"]], {}, "at least two different tags, got only one: 'X'"),
        ([], [], {}, "no sentences with tokens, got 0 without"),
        ([[], []], [[], []], {}, "no sentences with tokens, got 2 without"),
        (["a b"], [["X", "Y"]], {}, r"got 'a b' at position 0; pass text.split\(\)"),
        ("a b", [["X"]], {}, "must be a list of lists of tokens, got 'a b'"),
        ([["a", ""]], [["X", "Y"]], {}, "nonempty strings, got '' in sentence 0"),
        ([["a", 3]], [["X", "Y"]], {}, "got 3 in sentence 0"),
        ([3], [["X"]], {}, "got 3 at position 0"),
        ([["a", "b"]], ["XY"], {}, "tags must be lists with one tag per token, got 'XY' at position 0"),
        ([["a", "b"]], "XY", {}, "tags must be a list of lists"),
        ([["a", "b"]], [["X", 1]], {}, "tags must have the same type, got int and str"),
        ([["a", "b"]], [["X", "Y"]], {"dev": ([["a"]], [["Z"]])}, "label 'Z' of the validation sentences"),
        ([["a", "b"]], [["X", "Y"]], {"dev": ([["a"]], [["X", "Y"]])}, "1 token but 2 tags"),
        ([["a", "b"]], [["X", "Y"]], {"settings": {"head": "hmm"}}, "one of crf, softmax, got 'hmm'"),
        ([["a", "b"]], [["X", "Y"]], {"settings": {"feature_size": 0}}, "feature_size must be at least"),
        (
            [["a", "b"]],
            [["X", "Y"]],
            {"settings": {"word_dropout": 1}},
            "word_dropout must be at least 0",
        ),
        ([["a", "b"]], [["X", "Y"]], {"settings": {"hidden_size": 0}}, "hidden_size must be at least 1"),
        ([["a", "b"]], [["X", "Y"]], {"threads": 0}, "threads must be at least 1"),
    ],
)
def test_invalid_training_data_are_rejected(sentences, tags, options, message):
    def train():
        train_tagger(sentences, tags, **(options | {"settings": replace(SETTINGS, **options.get("settings", {}))}))

    with pytest.raises(InputError, match=message):
        train()


# -- predictions ------------------------------------------------------------------------------------------------------


def test_predictions_for_empty_and_unknown_input(model):
    assert model.predict([]) == []
    assert model.predict_proba([]) == []
    assert model.predict([[]]) == [[]]
    assert [array.shape for array in model.predict_proba([[], ["cat"], []])] == [(0, 5), (1, 5), (0, 5)]
    unknown = model.predict([["neverseen", "日本", "\u0301"]])[0]
    assert len(unknown) == 3
    assert set(unknown) <= set(model.labels)
    [tags], [probabilities] = model.predict(SENTENCES[:1]), model.predict_proba(SENTENCES[:1])
    assert tags == [model.labels[column] for column in probabilities.argmax(axis=1)]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert probabilities.dtype == np.float32


def test_sentence_of_100_000_tokens(model):
    [tags] = model.predict([["The", "old", "dog", "sleeps"] * 25_000])
    assert len(tags) == 100_000
    assert len(set(map(tuple, np.array(tags[4000:8000]).reshape(-1, 4)))) == 1


@pytest.mark.parametrize(("head", "character_size"), [("softmax", 4), ("crf", 0)])
def test_predictions_do_not_depend_on_other_sentences_or_threads(head, character_size, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    settings = replace(SETTINGS, head=head, character_size=character_size, epochs=1)
    model = train_tagger(SENTENCES, TAGS, settings=settings, threads=1)
    random = np.random.default_rng(0)
    words = [*(token for row in SENTENCES for token in row), "unknown"]
    sentences = [random.choice(words, random.integers(0, 9)).tolist() for _ in range(70)]
    together, tags = model.predict_proba(sentences, threads=1), model.predict(sentences, threads=1)
    assert model.predict(sentences, threads=4) == tags
    for found, expected in zip(model.predict_proba(sentences[::-1], threads=4)[::-1], together, strict=True):
        np.testing.assert_array_equal(found, expected)
    for row in range(0, 70, 9):
        np.testing.assert_array_equal(model.predict_proba([sentences[row]])[0], together[row])
        assert model.predict([sentences[row]])[0] == tags[row]


def test_sentences_may_be_any_sequences():
    assert as_sentences(iter([("a", "b"), np.array(["c"]), np.array(["d"], dtype=object), []])) == [
        ["a", "b"],
        ["c"],
        ["d"],
        [],
    ]


# -- the file ---------------------------------------------------------------------------------------------------------


def test_save_and_load_round_trip(model, saved, tmp_path):
    back = load_model(saved, "tagger")
    assert back.predict(SENTENCES) == model.predict(SENTENCES)
    for found, expected in zip(back.predict_proba(SENTENCES), model.predict_proba(SENTENCES), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert back.most_frequent([["cat", "barks", "x"]]) == model.most_frequent([["cat", "barks", "x"]])
    for name in ("labels", "vocabulary", "features", "settings", "metrics", "history"):
        assert getattr(back, name) == getattr(model, name)
    assert isinstance(back, TaggerModel)
    assert "bidirectional lstm of 6, softmax head" in repr(back)
    for source in (back, train_tagger(SENTENCES, TAGS, settings=SETTINGS)):
        source.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()
    assert not {"threads", "seconds", "path", "time"} & {*header_of(saved), *model.settings, *model.metrics}


@pytest.mark.parametrize(
    "change",
    [
        {"head": "crf", "cell": "gru", "reset": "before", "layers": 2, "layer_dropout": 0.2},
        {"bidirectional": False, "cell": "rnn", "character_size": 3},
        {"merge": "sum", "zoneout": 0.1, "zoneout_cell": 0.05},
    ],
)
def test_round_trip_of_every_architecture(change, tmp_path):
    tags = [[{"D": 1, "A": 2, "N": 3, "V": 4, "R": 5}[tag] for tag in row] for row in TAGS]
    model = train_tagger(SENTENCES, tags, settings=replace(SETTINGS, epochs=1, **change), threads=1)
    model.save(tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors", "tagger")
    assert back.labels == [1, 2, 3, 4, 5]
    for found, expected in zip(back.predict_proba(SENTENCES), model.predict_proba(SENTENCES), strict=True):
        np.testing.assert_array_equal(found, expected)


def header_of(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["seqclf"])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"version": 99}, "has format version 99"),
        ({"kind": "model"}, "holds a text classifier, not a tagger; pass a file that tag-text train wrote"),
        ({"kind": ["tagger"]}, "does not name a kind of model"),
        ({"head": "hmm"}, "head must be one of crf, softmax, got 'hmm'"),
        ({"head": "crf"}, "missing tensors"),
        ({"cell": "gru9"}, "cell must be one of gru, lstm, rnn, got 'gru9'"),
        ({"layers": 10**12}, "1,000,000,000,000 layers, but"),
        ({"labels": ["a", "a"]}, "labels must be at least two"),
        ({"labels": ["a", "b"]}, "head.weight must be float32"),
        ({"hidden_size": 7}, "must be float32"),
        ({"lowercase": None}, "lowercase must be true or false"),
        ({"settings": None}, "settings"),
    ],
)
def test_damaged_headers_are_rejected(saved, tmp_path, header, message):
    described = {key: value for key, value in {**header_of(saved), **header}.items() if value is not None}
    save_file(load_file(saved), tmp_path / "bad.safetensors", metadata={"seqclf": json.dumps(described)})
    with pytest.raises(FormatError, match=message):
        load_model(tmp_path / "bad.safetensors", "tagger")


def test_damaged_tensors_are_rejected(saved, tmp_path):
    bad, arrays, description = tmp_path / "bad.safetensors", load_file(saved), json.dumps(header_of(saved))
    broken, tags = arrays["features"].copy(), arrays["frequent_tags"]
    broken[0, 0] = np.inf
    for tensors, message in [
        ({"features": broken}, "features has values that are not finite"),
        ({"features": None}, "no features table"),
        ({"features": arrays["features"][:-1]}, "expected .* features, found"),
        ({"features": arrays["features"][:, :-1]}, "w_input must be float32"),
        ({"embedding": arrays["embedding"][0]}, "no embedding table"),
        ({"frequent_tags": tags + 99}, "frequent_tags must be int32"),
        ({"frequent_tags": tags[:-1]}, "frequent_tags must be int32"),
        ({"frequent_tags": None}, "missing tensors"),
        (join_tokens(["x"] * len(arrays["features"]), "feature"), "expected .* features, found"),
        (join_tokens(["x"] * (len(arrays["features"]) - 1), "feature"), "must be distinct"),
    ]:
        changed = {key: value for key, value in {**arrays, **tensors}.items() if value is not None}
        save_file(changed, bad, metadata={"seqclf": description})
        with pytest.raises(FormatError, match=message):
            load_model(bad, "tagger")
    for content in (b"", saved.read_bytes()[:-1], np.random.default_rng(0).bytes(2000)):
        bad.write_bytes(content)
        with pytest.raises(FormatError, match="not a model file, or it is truncated"):
            load_model(bad, "tagger")


def test_other_kinds_of_models_are_rejected(saved, tmp_path):
    with pytest.raises(
        FormatError, match="holds a tagger, not a text classifier; pass a file that classify-text train"
    ):
        load_model(saved, "model")
    train_classifier(["a", "b"] * 4, [0, 1] * 4, threads=1).save(tmp_path / "m.safetensors")
    with pytest.raises(FormatError, match="holds a text classifier, not a tagger"):
        load_model(tmp_path / "m.safetensors", "tagger")


BIO_SENTENCES = [["a", "b", "c"], ["b", "b", "x"], ["x", "c", "x"]] * 6
BIO_TAGS = [["B-A", "I-A", "O"], ["B-A", "I-A", "I-A"], ["O", "B-A", "O"]] * 6


def invalid(predicted):
    rows = [["O", *row] for row in predicted]
    return sum(tag == "I-A" and before == "O" for row in rows for before, tag in itertools.pairwise(row))


def test_a_crf_predicts_no_invalid_transition_unless_asked_to(tmp_path):
    settings = replace(SETTINGS, head="crf", epochs=1)
    unseen = [["b", "x", "b"], ["x", "b", "b"], ["b"], ["q", "q"], []]
    trained = train_tagger(BIO_SENTENCES, BIO_TAGS, settings=settings, threads=1)
    free = train_tagger(BIO_SENTENCES, BIO_TAGS, settings=replace(settings, invalid_tags=True), threads=1)
    for name, value in trained.network.parameters().items():
        np.testing.assert_array_equal(value, free.network.parameters()[name])
    for model in (trained, free):
        model.network.head.views["head.start"][:] = [0, 99, 0]  # prefers to start with I-A
    assert invalid(free.predict(unseen)) == 4
    assert invalid(trained.predict(unseen)) == 0
    for model, expected in ((trained, 0), (free, 4)):
        model.save(tmp_path / "m.safetensors")
        assert invalid(load_model(tmp_path / "m.safetensors").predict(unseen)) == expected
        assert invalid(pickle.loads(pickle.dumps(model)).predict(unseen)) == expected


def test_invalid_transitions_of_the_training_tags_are_allowed():
    tags = [[tag.replace("B-A", "I-A") if place == 0 else tag for place, tag in enumerate(row)] for row in BIO_TAGS]
    trained = train_tagger(BIO_SENTENCES, tags, settings=replace(SETTINGS, head="crf"), threads=1)
    assert trained.network.valid is None
    assert "constrained" not in trained.settings
    other = train_tagger(SENTENCES, TAGS, settings=replace(SETTINGS, head="crf", epochs=1), threads=1)
    assert other.network.valid is None


def test_entities_on_the_validation_sentences_choose_the_epoch():
    settings = replace(SETTINGS, epochs=12)
    dev = ([["a", "b", "c"], ["x", "c", "x"]], [["B-A", "I-A", "O"], ["O", "B-A", "O"]])
    trained = train_tagger(BIO_SENTENCES, BIO_TAGS, settings=settings, dev=dev, threads=1)
    scores = [(row["dev_entity_f1"], row["dev_accuracy"], -row["dev_loss"]) for row in trained.history]
    assert trained.metrics["best_epoch"] == 1 + scores.index(max(scores))
    assert trained.metrics["dev_entity_f1"] == score_entities(dev[1], trained.predict(dev[0])).f1 > 0
    assert trained.marks_entities
    other = train_tagger(SENTENCES, TAGS, settings=SETTINGS, dev=(SENTENCES, TAGS), threads=1)
    assert "dev_entity_f1" not in other.metrics
    assert not other.marks_entities
