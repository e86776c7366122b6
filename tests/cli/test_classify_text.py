"""``classify-text``: train, predict, evaluate."""

import importlib.util
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.class_weights import ClassWeight
from seqclf import load_model
from seqclf.classification.answers import answers as answers_of
from tests.cases.fasttext import Supervised
from tests.oracles import naive_fasttext
from wordvec import InputError

TINY = ("--hidden-size", "8", "--vector-size", "8", "--epochs", "2")


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.classify_text, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("data.tsv")
    path.write_text("yes\tthe old king\nno\tthe young queen\nyes\ta man\nno\ta woman\n" * 15)
    return path


# -- train ------------------------------------------------------------------------------------------------------------


def test_defaults_match_the_library():
    from seqclf import ClassifierSettings

    defaults = main.classify_text.commands["train"].make_context("train", ["data", "-o", "model"]).params
    settings = vars(ClassifierSettings())
    assert {name: defaults[name] for name in settings} == settings | {"model": None}
    assert defaults["separator"] is None


def test_choices_match_the_library():
    from corpora import TOKENIZERS
    from seqclf import ClassifierSettings
    from wordvec import InputError

    types = {p.name: p.type for p in main.classify_text.commands["train"].params}
    assert list(types["tokenizer"].choices) == list(TOKENIZERS)
    for name in ("cell", "pooling"):
        for choice in types[name].choices:
            ClassifierSettings(**{name: choice})
        with pytest.raises(InputError) as refused:
            ClassifierSettings(**{name: "none of them"})
        known = str(refused.value).partition("one of ")[2].partition(", got")[0].split(", ")
        assert set(known) == set(types[name].choices)


def test_options_reach_the_library(data, vectors_file):
    from seqclf import load_model

    invoke(
        *("train", "data.tsv", "-o", "m.safetensors", "--vectors", vectors_file, "--dev", "data.tsv", "--one-way"),
        *("--hidden-size", 12, "--pooling", "last", "--dropout", 0.25, "--batch-size", 4, "--learning-rate", 0.01),
        *("--epochs", 3, "--freeze-vectors", "--class-weight", "balanced", "--seed", 5, "--keep-vectors", 2),
        *("--cell", "lstm", "--patience", 2, "--threads", 1, "--tokenizer", "words", "--keep-case"),
    )
    model = load_model("m.safetensors")
    expected = {
        **{"bidirectional": False, "hidden_size": 12, "pooling": "last", "dropout": 0.25, "batch_size": 4},
        **{"learning_rate": 0.01, "epochs": 3, "tune_vectors": False, "class_weight": "balanced", "seed": 5},
        **{"keep_vectors": 2, "cell": "lstm", "patience": 2, "tokenizer": "words", "lowercase": False},
        **{"vector_size": 4},
    }
    assert expected.items() <= model.settings.items()
    assert model.labels == ["no", "yes"]
    assert model.metrics["dev_texts"] == 60


def test_progress_messages_of_training(data):
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY)
    assert "6 of 60 texts, stratified by label, are split off" in result.stderr
    assert "epoch 1/2: loss " in result.stderr
    assert "epoch 2/2: loss " in result.stderr
    assert result.stderr.count("dev accuracy") == 3
    assert re.search("accuracy on the validation texts: network 0.*, linear 1.000, blend .*; kept: ", result.stderr)
    assert "linear model" in result.stderr
    assert result.stdout == ""
    assert invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--quiet").output == ""


def test_validation_data_is_not_split_off_if_given(data):
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--dev", "data.tsv")
    assert "split off" not in result.stderr
    assert "on 60 texts; trained on 60 texts" in result.stderr


def test_tokenizer_and_case_come_from_the_vectors(data, vectors_file):
    from seqclf import load_model

    invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--vector-size", 4, "--vectors", vectors_file)
    model = load_model("m.safetensors")
    assert (model.tokenizer, model.lowercase) == ("whitespace", True)
    capital, small = (invoke("predict", "m.safetensors", text).stdout for text in ("KING", "king"))
    assert capital == small


def test_words_found_only_in_the_vectors_are_kept(data, vectors_file):
    from seqclf import load_model

    for keep, known in [(100, True), (0, False)]:
        invoke(
            "train",
            "data.tsv",
            "-o",
            "m.safetensors",
            *TINY,
            "--vector-size",
            4,
            "--vectors",
            vectors_file,
            "--keep-vectors",
            keep,
        )
        assert ("paris" in load_model("m.safetensors").vocabulary) is known


def test_baselines_are_compared_with_the_model(data):
    Path("test.tsv").write_text("yes\tthe old man\nno\ta young woman\n" * 5)
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--test", "test.tsv", "--baselines")
    assert "training the baselines" in result.stderr
    rows = [line.split("  ")[0].strip() for line in result.stdout.splitlines()]
    assert rows == ["on test.tsv", "this model", "majority class", "TF-IDF + logistic regression", "NB-SVM"]
    assert result.stdout.splitlines()[0].split()[2:] == ["accuracy", "95", "%", "interval", "macro-F1", "p-value"]
    majority = result.stdout.splitlines()[2].split()[2:]
    assert majority[:2] == ["50.0", "%"]
    assert majority[-1] == "0.062"  # right in five of ten texts, the model in all: two of 2^5 outcomes
    single = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--test", "test.tsv")
    assert len(single.stdout.splitlines()) == 2
    assert "--test" in invoke("train", "data.tsv", "-o", "m.safetensors", "--baselines", code=2).stderr


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("data.csv", "text,label\n" + 'the king,yes\n"the, queen",no\n' * 10, []),
        (
            "data.csv",
            "tweet,target\nthe king,1\nthe queen,0\n" * 1,
            ["--text-column", "tweet", "--label-column", "target"],
        ),
        ("data.jsonl", '{"text": "the king", "label": 1}\n{"text": "the queen", "label": 0}\n' * 10, []),
        ("data.txt", "__label__yes the king\n__label__no the queen\n" * 10, []),
    ],
)
def test_labeled_text_formats(data, name, content, options):
    Path(name).write_text(content)
    invoke("train", name, "-o", "m.safetensors", *TINY, *options)
    assert "accuracy" in invoke("evaluate", "m.safetensors", name, *options).stdout


def test_the_same_seed_gives_the_same_bytes(data):
    for name, threads, seed in [("a", 1, 3), ("b", 2, 3), ("c", 2, 4)]:
        invoke("train", "data.tsv", "-o", f"{name}.safetensors", *TINY, "--threads", threads, "--seed", seed)
    a, b, c = (Path(f"{name}.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dropout", "1"], "dropout must be at least 0 and below 1"),
        (["--hidden-size", "0"], "--hidden-size must be at least 1, got 0"),
        (["--learning-rate", "0"], "--learning-rate must be above 0"),
        (["--cell", "transformer"], "is not"),
        (["--threads", "0"], "--threads"),
        (["--epochs", "ten"], "not a valid integer"),
    ],
)
def test_options_out_of_range_are_usage_errors(data, arguments, message):
    assert message in invoke("train", "data.tsv", "-o", "m.safetensors", *arguments, code=2).stderr
    assert not Path("m.safetensors").exists()


def test_each_kind_of_model(data):
    from seqclf import load_model

    expected = {"network": (2, None), "linear": (0, [0, 1]), "blend": (2, [1, 1])}
    for kind, (epochs, used) in expected.items():
        shape = TINY if kind != "linear" else ()
        trained = invoke("train", "data.tsv", "-o", "m.safetensors", *shape, "--model", kind)
        assert ("n-grams" in trained.stderr) is (kind != "network")
        model = load_model("m.safetensors")
        assert len(model.history) == epochs
        assert used is None if model.weights is None else (model.weights > 0).tolist() == used
        assert len(parsed(invoke("predict", "m.safetensors", "a man", "").stdout)) == 2
    for arguments, message in (
        (["--model", "linear", "--epochs", 3], "--epochs has no effect on a linear model"),
        (["--model", "linear", "--character-size", 8], "--character-size has no effect on a linear model"),
        (["--model", "linear", "--resume"], "leave --checkpoint and --resume out"),
        (["--model", "linear", "--log-csv", "log.csv"], "a linear model has no epochs to log"),
        (["--model", "linear", "--plot", "loss.png"], "leave --log-csv, --tensorboard and --plot out"),
        (["--model", "linear", "--multi-label", ","], "--model linear has no effect with --multi-label"),
        (["--calibration", "none"], "calibration none needs model network, got auto"),
    ):
        assert message in invoke("train", "data.tsv", "-o", "m.safetensors", *arguments, code=2).stderr


def test_training_continues_from_a_network(data):
    from corpora import read_labelled
    from seqclf import ClassifierSettings, load_model, train_classifier

    network = ("--model", "network", *TINY, "--threads", 1, "-q")
    invoke("train", data, *network, "--tokenizer", "tweets", "--cell", "gru", "-o", "first.safetensors")
    longer = "train", data, "--continue-from", "first.safetensors", "--epochs", 3, "--threads", 1
    invoke(*longer, "-o", "second.safetensors", "-q")
    first, second = load_model("first.safetensors"), load_model("second.safetensors")
    settings = ClassifierSettings(epochs=3)
    expected = train_classifier(*read_labelled(data), settings=settings, initial=first, threads=1)
    np.testing.assert_array_equal(second.predict_proba(["a king"]), expected.predict_proba(["a king"]))
    kept = {name: second.settings[name] for name in ("cell", "hidden_size", "vector_size", "tokenizer", "epochs")}
    assert kept == {"cell": "gru", "hidden_size": 8, "vector_size": 8, "tokenizer": "tweets", "epochs": 3}
    for option, value in ("--hidden-size", 9), ("--vectors", "x"), ("--folds", 2):
        refused = invoke(*longer, option, value, "-o", "third.safetensors", code=2)
        assert f"{option} has no effect with --continue-from; leave it out" in refused.stderr
    invoke("train", data, "--model", "linear", "-o", "linear.safetensors", "-q")
    refused = invoke("train", data, "--continue-from", "linear.safetensors", "-o", "third.safetensors", code=2)
    assert "needs a recurrent network, linear.safetensors is a linear model; train one with" in refused.stderr


def test_cross_validation(data):
    arguments = ("train", "data.tsv", "-o", "m.safetensors", "--model", "linear", "--folds", 3, "--test", "data.tsv")
    lines = invoke(*arguments).stdout.splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["fold", "1", "2", "3", "mean", "standard"]
    assert [line.split()[1] for line in lines[1:4]] == ["20"] * 3
    assert lines[4].split() == ["mean", "100.0", "%", "1.000"]
    assert lines[7].startswith("on data.tsv")
    assert "--folds has no effect" in invoke(*arguments[:4], "--folds", 2, "--multi-label", ",", code=2).stderr


def test_learning_curve(data):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'wordvec-seqclf[plotting]'")
    arguments = ("train", "data.tsv", "-o", "m.safetensors", "--model", "linear", "--learning-curve")
    found = invoke(*arguments, "--test", "data.tsv", "--learning-curve-plot", "curve.svg")
    head, *rows = found.stdout.splitlines()[-5:]
    names = ("training texts", "this model", "majority class", "TF-IDF + logistic regression", "NB-SVM")
    assert re.split("  +", head) == [*names]
    assert [row.split()[0] for row in rows] == ["8", "16", "30", "60"]
    assert Path("curve.svg").read_bytes().startswith(b"<?xml")
    assert "--learning-curve needs --test FILE" in invoke(*arguments, code=2).stderr
    assert "needs --learning-curve" in invoke(*arguments[:6], "--learning-curve-plot", "curve.svg", code=2).stderr


def test_baselines_and_learning_curve_have_the_settings_of_the_model(data, monkeypatch):
    from seqclf.classification import baselines, cross_validation, tuning

    sizes, settings, features, train = [], [], baselines._tfidf_features, cross_validation.train_classifier
    scores = itertools.count(1)
    monkeypatch.setattr(tuning, "_score", lambda metrics: float(next(scores)))  # the last trial is the best one

    def recorded_features(data):
        sizes.append(len(data.train))
        return features(data)

    def recorded_training(*arguments, **options):
        settings.append(options["settings"].record())
        return train(*arguments, **options)

    monkeypatch.setattr(baselines, "_tfidf_features", recorded_features)
    monkeypatch.setattr(cross_validation, "train_classifier", recorded_training)
    small = ("--hidden-size", 4, "--vector-size", 4, "--validation-fraction", 0.5, "--model", "network", "--epochs", 1)
    tested = ("--test", "data.tsv", "--baselines", "--learning-curve", "--tune", "1s")
    invoke("train", "data.tsv", "-o", "m.safetensors", *small, *tested)
    log = [json.loads(line) for line in Path("m.safetensors.tuning.jsonl").read_text().splitlines()]
    trials = [row for row in log if row.get("state") == "complete"]
    best = max(trials, key=lambda row: row["score"])
    assert sizes == [30, 4, 8, 15, 30]
    assert [{name: each[name] for name in best["settings"]} for each in settings] == [best["settings"]] * 3


@pytest.mark.parametrize("options", [("--model", "linear", "--learning-curve"), ("--multi-label", "|", *TINY)])
def test_numbers_as_labels_are_compared_alike_by_all_measures(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    rows = [f"{row % 2}\t{'fire' if row % 2 else 'calm'} {row}\n" for row in range(40)]
    Path("a.tsv").write_text("".join(rows))
    Path("b.tsv").write_text("".join(row.replace("\t", ".0\t", 1) for row in rows[:10]))
    for test in ("a.tsv", "b.tsv"):
        found = invoke("train", "a.tsv", "-o", "m.safetensors", *options, "--test", test, "--baselines").stdout
        table, *curve = found.split("\n\n")
        scores = [re.findall(r" {2,}([\d.]+)", line)[0] for line in table.splitlines()[1:]]
        assert float(scores[-1]) == pytest.approx(100 if curve else 1), table
        assert all(line.split()[-2] == "100.0" for line in "".join(curve).splitlines()[1:])
        averages = json.loads(invoke("evaluate", "m.safetensors", test, "--precision-recall", "c", "--json").stdout)
        assert averages["average_precision"].keys() == {"0", "1"}


def test_training_warns_of_contradictions_and_of_labels_with_one_text(data):
    Path("odd.tsv").write_text("a\tgood text\na\tfine\nb\tgood text\nb\tbad\nc\tother\nb\tfine\n")
    found = invoke("train", "odd.tsv", "-o", "m.safetensors", *TINY).stderr
    assert "with another label: 2, such as odd.tsv:3 (b) after odd.tsv:1 (a); classify-text check" in found
    assert "labels with a single text can hardly be learned: c (odd.tsv:5); add texts" in found
    assert "Warning: " not in invoke("train", data, "-o", "m.safetensors", *TINY).stderr


def test_training_warns_of_empty_texts(data):
    Path("empty.tsv").write_text(data.read_text() + "yes\t \n" * 7)
    for several in [], ["--multi-label", ","]:
        done = invoke("train", "empty.tsv", *several, *TINY, "-o", "m.safetensors")
        places = ", ".join(f"empty.tsv:{line}" for line in range(61, 66))
        assert f"Warning: texts without a word: {places} and 2 more; fill them in, or leave them out\n" in done.stderr


def test_training_warns_of_very_long_texts(data):
    Path("long.tsv").write_text(data.read_text() + f"yes\t{'kings' * 25_000}\nyes\t{'x' * 99_999}\n")
    done = invoke("train", "long.tsv", "--model", "linear", "-o", "m.safetensors")
    assert "Warning: texts of 100,000 characters or more: long.tsv:61 (125,000); the network reads" in done.stderr


def test_folds_by_groups(data):
    rows = [line.split("\t") for line in data.read_text().splitlines()]
    lines = ["text,label,author", *(f"{text},{label},author {place % 3}" for place, (label, text) in enumerate(rows))]
    Path("data.csv").write_text("\n".join(lines))
    arguments = ("train", "data.csv", "-o", "m.safetensors", "--model", "linear")
    table = invoke(*arguments, "--folds", 3, "--group-column", "author").stdout.splitlines()
    assert [line.split()[:2] for line in table[1:4]] == [["1", "20"], ["2", "20"], ["3", "20"]]
    few = invoke(*arguments, "--folds", 4, "--group-column", "author", code=1).stderr
    assert "4 folds need at least as many groups, got 3" in few
    assert "--group-column needs --folds" in invoke(*arguments, "--group-column", "author", code=2).stderr
    assert "nowhere" in invoke(*arguments, "--folds", 3, "--group-column", "nowhere", code=1).stderr


@pytest.mark.parametrize("name", ["weighted.csv", "weighted.tsv", "weighted.jsonl"])
def test_weights_of_texts(data, name):
    """Each text stands there twice: with its label, and with another one that weighs nothing or little."""
    rows = [line.split("\t") for line in data.read_text().splitlines()]
    rows = [[*row, "2"] for row in rows] + [[{"yes": "no", "no": "yes"}[label], text, "0.1"] for label, text in rows]
    separator = "," if name.endswith("csv") else "\t"
    lines = [separator.join(row) for row in [["label", "text", "weight"], *rows]]
    if name.endswith("jsonl"):
        lines = [json.dumps({"label": label, "text": text, "weight": float(weight)}) for label, text, weight in rows]
    Path(name).write_text("\n".join(lines))
    arguments = ("train", name, "-o", "m.safetensors", "--model", "linear", "--weight-column", "weight")
    evaluated = ("--dev", data, "--test", data, *(["--folds", 2, "--learning-curve"] if name.endswith("csv") else []))
    table = invoke(*arguments, *evaluated).stdout
    assert re.search(r"this model +100\.0 %", table)
    bad = Path(f"bad-{name}")
    bad.write_text("\n".join([*lines[:4], lines[4].replace("2", "heavy").replace("heavy.0", '"heavy"'), *lines[5:]]))
    assert f"{bad}:5: a weight must be a finite number of at least 0, got 'heavy'" in (
        invoke("train", bad, *arguments[2:], code=1).stderr
    )
    other = ("train", name, "-o", "m.safetensors", "--weight-column")
    assert "no column 'mass'; set --weight-column to one of" in invoke(*other, "mass", code=1).stderr
    stdin = invoke("train", "-", *arguments[2:], code=2, input="").stderr
    assert "--weight-column needs a file that can be read twice" in stdin


# -- multiple labels --------------------------------------------------------------------------------------------------


@pytest.fixture
def several(data):
    path = Path("several.tsv")
    path.write_text("royal|old\tthe old king\nroyal\tthe queen\nold\ta old man\n\ta woman\n" * 15)
    return path


MANY = (*TINY, "--epochs", "30", "--learning-rate", "0.02", "--dropout", "0", "--multi-label", "|")


def test_multi_label_models_are_trained_applied_and_evaluated(several):
    trained = invoke(
        *("train", several, "-o", "m.safetensors", *MANY, "--dev", several, "--tune-thresholds"),
        *("--test", several, "--baselines", "--pooling", "attention"),
    )
    assert ", dev micro-F1 1.000" in trained.stderr
    assert "of 30, dev micro-F1 1.000 on 60 texts" in trained.stderr
    rows = [line.split("  ")[0].strip() for line in trained.stdout.splitlines()]
    assert rows == ["on several.tsv", "this model", "most frequent labels", "TF-IDF + logistic regressions"]
    assert trained.stdout.splitlines()[1].split()[2:] == ["1.000", "1.000", "100.0", "%", "0.0000"]
    texts = ["the old king", "the queen", "a woman"]
    lines = [line.split("\t") for line in invoke("predict", "m.safetensors", *texts).stdout.splitlines()]
    assert [given for given, _ in lines] == ["old|royal", "royal", ""]
    ranked = [each.split() for each in lines[1][1].split(", ")]
    assert [name for name, _ in ranked] == ["royal", "old"]
    answer = json.loads(invoke("predict", "m.safetensors", texts[0], "--json").stdout)
    assert answer["labels"] == ["old", "royal"]
    assert list(answer["probabilities"]) == ["old", "royal"]
    why = invoke("explain", "m.safetensors", texts[0], "--label", "old").stdout.splitlines()
    assert re.fullmatch(r"old 0\.\d{4}, against not old 0\.\d{4}", why[0])
    report = invoke("evaluate", "m.safetensors", several).stdout.splitlines()
    assert report[0].split("  ")[0] == "60 texts"
    assert [line.split()[-1] for line in report[1:3]] == ["0.667", "0.667"]
    assert report[3].split() == ["subset", "accuracy", "100.0", "%", "25.0", "%"]
    assert report[4].split() == ["Hamming", "loss", "0.0000", "0.5000"]
    facts = json.loads(invoke("evaluate", "m.safetensors", several, "--json").stdout)
    assert (facts["texts"], facts["micro_f1"], facts["hamming_loss"]) == (60, 1.0, 0.0)
    assert [row["label"] for row in facts["classes"]] == ["old", "royal"]
    Path("new.tsv").write_text("royal\tthe queen\nroyal|young|loud\ta girl\n")
    assert "young (1), loud (1), in new.tsv:2\n" in invoke("evaluate", "m.safetensors", "new.tsv").stderr
    if importlib.util.find_spec("matplotlib"):
        invoke("evaluate", "m.safetensors", several, "--plot", "f1.svg")
        assert re.findall(r">(old|royal|F1|1\.000)<", Path("f1.svg").read_text()).count("1.000") == 2


def test_reports_and_mistakes_of_multi_label_models(several):
    pytest.importorskip("jinja2", reason="Jinja2 is not installed: pip install 'wordvec-seqclf[report]'")
    pytest.importorskip("matplotlib")
    arguments = ("train", several, "-o", "m.safetensors", *TINY, "--multi-label", "|", "--test", several)
    invoke(*arguments, "--baselines", "--report", "folder")
    values = json.loads(Path("folder/report.json").read_text())
    assert values["baselines"].keys() == {"most frequent labels", "TF-IDF + logistic regressions"}
    again = invoke("evaluate", "m.safetensors", several, "--report", "new", "--mistakes", "wrong.tsv", "--json").stdout
    assert json.loads(again) == values["evaluation"]
    lines = Path("wrong.tsv").read_text().splitlines()
    assert lines[0] == "labels\tpredicted\tconfidence\ttext"
    assert any(line.startswith("old|royal\t") for line in lines)
    invoke("evaluate", "m.safetensors", several, "--mistakes", "wrong.jsonl")
    records = [json.loads(line) for line in Path("wrong.jsonl").read_text().splitlines()]
    assert [each["labels"] for each in records[:50]] == [each["labels"] for each in values["mistakes"]]
    assert len(records) == len(lines) - 1


def test_multi_label_errors(several):
    target = ("-o", "m.safetensors", *TINY)
    assert "--multi-label SEP" in invoke("train", several, *target, "--tune-thresholds", code=2).stderr
    Path("one.tsv").write_text("royal\tthe king\n\ta man\n")
    single = invoke("train", "one.tsv", *target, "--multi-label", ",", code=1).stderr
    assert single.startswith("Error: a multi-label classifier needs at least two labels, got ['royal']")
    invoke("train", several, *target, "--multi-label", "|")
    assert invoke("predict", "m.safetensors", "a", "--threshold", 0).stdout.startswith("old|royal\t")
    assert invoke("predict", "m.safetensors", "a", "--threshold", 1).stdout.startswith("\t")
    assert json.loads(invoke("predict", "m.safetensors", "a", "--threshold", 1, "--json").stdout)["labels"] == []
    confident = invoke("predict", "m.safetensors", "a", "--min-confidence", 0.5, code=2).stderr
    assert "one label per text; m.safetensors has several" in confident
    Path("m.safetensors").unlink()
    assert "separator must not be empty" in invoke("train", several, *target, "--multi-label", "", code=1).stderr
    bytes_of_latin1 = invoke("train", several, *target, "--multi-label", "\udca7", code=1).stderr
    assert bytes_of_latin1.startswith("Error: separator: \\udca7 is an unpaired surrogate, which UTF-8 cannot encode")
    weights = ("--multi-label", "|", "--class-weight", "old=2,new=3")
    assert "the unknown label 'new'" in invoke("train", several, *target, *weights, code=1).stderr
    assert "several.tsv:4: the label is empty" in invoke("train", several, *target, code=1).stderr
    Path("dev.tsv").write_text("new\tthe king\n")
    unknown = invoke("train", several, *target, "--multi-label", "|", "--dev", "dev.tsv", code=1).stderr
    assert "label 'new' of the validation texts is not among the training labels: 'old', 'royal'" in unknown
    assert not Path("m.safetensors").exists()


def test_labels_with_line_breaks_and_tabs_stay_on_their_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text('label,text\n"too\nlate",the old king\n"on\ttime",the young queen\n' * 6, newline="")
    invoke("train", "d.csv", "-o", "m.safetensors", "--model", "linear")
    text = "the old king"
    answer = invoke("predict", "m.safetensors", text, "-k", 2).stdout
    assert re.fullmatch(r"too late\t[\d.]+\ton time\t[\d.]+\n", answer)
    assert json.loads(invoke("predict", "m.safetensors", text, "--json").stdout)["label"] == "too\nlate"
    assert invoke("explain", "m.safetensors", text, "--nearest", "d.csv").stdout.count("too late") == 6
    Path("wrong.csv").write_text('label,text\n"on\ttime",the old king\n', newline="")
    files = ("--mistakes", "m.tsv", "--precision-recall", "c.tsv")
    assert "\ntoo late  " in invoke("evaluate", "m.safetensors", "wrong.csv", *files).stdout
    assert Path("m.tsv").read_text().splitlines()[1].startswith("on time\ttoo late\t")
    assert {line.count("\t") for line in Path("c.tsv").read_text().splitlines()} == {3}
    assert "\n  too late" in invoke("check", "d.csv").stdout


# -- predict ----------------------------------------------------------------------------------------------------------


def parsed(output):
    return [(label, float(probability)) for label, probability in (line.split("\t") for line in output.splitlines())]


def test_predict_prints_one_line_per_text_in_order(model_file):
    result = invoke("predict", model_file, "the king of paris", "the queen of london", "a man")
    answers = parsed(result.stdout)
    assert [label for label, _ in answers] == ["yes", "no", "yes"]
    assert all(0.5 <= probability <= 1 for _, probability in answers)
    assert result.stderr == ""


def test_predict_agrees_with_the_library(model_file):
    from seqclf import load_model

    texts = ["the king", "a woman of zzyzx", ""]
    model = load_model(model_file)
    answers = [json.loads(line) for line in invoke("predict", model_file, "--json", *texts).stdout.splitlines()]
    expected = model.predict_proba(texts)
    assert [answer["label"] for answer in answers] == model.predict(texts).tolist()
    for answer, row in zip(answers, expected.tolist(), strict=True):
        assert list(answer["probabilities"].values()) == row
        assert answer["probability"] == max(row)
    assert [answer["unknown_words"] for answer in answers] == model.unknown_share(texts).round(4).tolist()
    assert answers[1]["unknown_words"] > 0


def test_precision_recall_curves(model_file, tmp_path, monkeypatch):
    from seqclf import load_model
    from seqclf.classification.curves import precision_recall

    monkeypatch.chdir(tmp_path)
    Path("test.tsv").write_text("yes\tthe king\nno\ta woman\nyes\ta queen\n")
    given = ("evaluate", model_file, "test.tsv", "--precision-recall", "curves.tsv")
    averages = json.loads(invoke(*given, "--json").stdout)["average_precision"]
    probabilities = load_model(model_file).predict_proba(["the king", "a woman", "a queen"])
    expected = precision_recall([True, False, True], probabilities[:, 1])
    assert averages["yes"] == expected.average_precision
    rows = [line.split("\t") for line in Path("curves.tsv").read_text().splitlines()]
    assert rows[0] == ["label", "threshold", "precision", "recall"]
    assert [float(row[1]) for row in rows if row[0] == "yes"] == pytest.approx(expected.thresholds.tolist(), abs=1e-6)
    assert invoke(*given).stdout.splitlines()[-1].split() == ["yes", f"{averages['yes']:.3f}"]


def test_blank_lines_count_as_texts(model_file, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("the king\n\nthe queen\n\n")
    from_file = invoke("predict", model_file, "--input", path).stdout
    assert len(from_file.splitlines()) == 4
    assert from_file.splitlines()[1] == from_file.splitlines()[3]
    for arguments in (["-"], ["--input", "-"]):
        assert invoke("predict", model_file, *arguments, input="the king\n\nthe queen\n\n").stdout == from_file
    assert invoke("predict", model_file, "-", input="").stdout == ""


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", 'id,text\n7,"the king\nof paris"\n8,the queen\n', []),
        ("a.csv", 'id,body\n7,"the king\nof paris"\n8,the queen\n', ["--text-column", "body"]),
        ("a.tsv", "no\tthe king of paris\nno\tthe queen\n", []),
        ("a.jsonl", '{"text": "the king\\nof paris"}\n{"text": "the queen"}\n', []),
    ],
)
def test_tables_are_predicted_record_by_record(model_file, tmp_path, name, content, options):
    (tmp_path / name).write_text(content)
    expected = invoke("predict", model_file, "the king of paris", "the queen").stdout
    assert invoke("predict", model_file, "--input", tmp_path / name, *options).stdout == expected


def test_columns_need_a_file(model_file, tmp_path):
    assert "needs --input" in invoke("predict", model_file, "a man", "--text-column", "text", code=2).stderr
    (tmp_path / "a.txt").write_text("a man\n")
    result = invoke("predict", model_file, "--input", tmp_path / "a.txt", "--text-column", "text", code=1)
    assert "has no columns" in result.stderr


def test_unusual_texts_get_one_line_each(model_file):
    odd = ["-king", "a\tking\nand more", "", "the café"]
    assert len(parsed(invoke("predict", model_file, "--", *odd).stdout)) == 4


@pytest.mark.parametrize("arguments", [[], ["a text", "--input", "texts.txt"]])
def test_predict_needs_exactly_one_source_of_texts(model_file, arguments):
    assert "--input FILE" in invoke("predict", model_file, *arguments, code=2).stderr


def test_predict_in_a_pipe(shell, model_file, tmp_path):
    two = r"printf 'the king\nthe queen'"
    assert shell(f"{two} | classify-text predict {model_file} - | cut -f 1").stdout == "yes\nno\n"
    many = tmp_path / "many.txt"
    many.write_text("the king\n" * 20000)
    result = shell(f"set -o pipefail; classify-text predict {model_file} --input many.txt | head -n 1")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("yes\t")


def test_predict_does_not_import_sklearn(model_file):
    code = f"""
import sys
from cli.main import classify_text
try:
    classify_text(["predict", {str(model_file)!r}, "the king"])
except SystemExit as leaving:
    assert leaving.code == 0
print(sorted({{"sklearn", "rich"}} & set(sys.modules)))
"""
    root = Path(main.__file__).resolve().parents[1]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


# -- evaluate ---------------------------------------------------------------------------------------------------------


def test_evaluate_prints_all_measures(model_file, tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("yes\tthe king\nno\tthe queen\nno\tthe king\nyes\ta man\n")
    text = invoke("evaluate", model_file, path).stdout
    lines = {line.rsplit("  ", 1)[0].strip(): line.rsplit("  ", 1)[1] for line in text.splitlines() if "  " in line}
    assert 0 < float(lines["expected calibration error"]) < 1
    assert lines["95 % interval"].count(" - ") == 1
    assert lines["accuracy"] == "75.0 %"
    assert lines["of always predicting the most frequent label"] == "50.0 %"
    assert "macro-F1" in text
    assert "true label \\ predicted" in text
    facts = json.loads(invoke("evaluate", model_file, path, "--json").stdout)
    assert (facts["texts"], facts["accuracy"], facts["labels"]) == (4, 0.75, ["no", "yes"])
    assert facts["confusion"] == [[1, 1], [0, 2]]
    assert facts["intervals"]["accuracy"] == [0.25, 1.0]
    assert 0 < facts["calibration_error"] < 1


@pytest.mark.parametrize("name", ["wrong.tsv", "wrong.jsonl"])
def test_mistakes_are_written_most_confident_first(model_file, tmp_path, name):
    from corpora import read_labelled

    path = tmp_path / "test.jsonl"
    texts = ["the king", 'a queen\nand\t"more"', "the queen", "a man"]
    labels = ["no", "yes", "yes", "yes"]
    rows = [json.dumps({"label": label, "text": text}) for label, text in zip(labels, texts, strict=True)]
    path.write_text("\n".join(rows))
    invoke("evaluate", model_file, path, "--mistakes", tmp_path / name)
    found, truth = read_labelled(tmp_path / name)
    assert sorted(found) == sorted(
        texts[:3] if name == "wrong.jsonl" else [" ".join(text.split()) for text in texts[:3]]
    )
    assert sorted(truth) == ["no", "yes", "yes"]
    answers = [json.loads(line) for line in invoke("predict", model_file, *found, "--json").stdout.splitlines()]
    confidence = [answer["probability"] for answer in answers]
    assert confidence == sorted(confidence, reverse=True)
    assert "missing" in invoke("evaluate", model_file, path, "--mistakes", tmp_path / "missing" / name, code=1).stderr


def test_top_labels_and_abstaining(model_file):
    texts = ["the king", "a queen"]
    plain = parsed(invoke("predict", model_file, *texts).stdout)
    both = [line.split("\t") for line in invoke("predict", model_file, *texts, "--top-k", 5).stdout.splitlines()]
    assert [(row[0], float(row[1])) for row in both] == plain
    assert {row[2] for row in both} == {"yes", "no"}
    assert all(float(row[1]) + float(row[3]) == pytest.approx(1, abs=2e-4) for row in both)
    answers = invoke("predict", model_file, *texts, "--min-confidence", 1, "--json").stdout.splitlines()
    assert [json.loads(line)["label"] for line in answers] == [None, None]
    assert parsed(invoke("predict", model_file, *texts, "--min-confidence", 0.5).stdout) == plain
    assert invoke("predict", model_file, "a", "--min-confidence", 1).stdout.startswith("\t")
    for option in ("--min-confidence", "--threshold"):
        assert "nan is not a finite number" in invoke("predict", model_file, "a", option, "nan", code=2).stderr
    with pytest.raises(InputError, match="min_confidence must be a finite number, got nan"):
        answers_of(load_model(model_file), ["a"], min_confidence=float("nan"))
    with pytest.raises(InputError, match=r"threshold must be at least 0 and at most 1, got 1\.5"):
        answers_of(load_model(model_file), ["a"], threshold=1.5)
    found = json.loads(invoke("predict", model_file, "the king", "--top-k", 2, "--json").stdout)
    assert list(found["probabilities"]) == ["yes", "no"]


def test_thresholds_are_found(model_file, tmp_path):
    path = tmp_path / "dev.tsv"
    path.write_text("yes\tthe king\nno\tthe queen\nno\tthe king\nyes\ta man\n" * 5)
    text = invoke("find-threshold", model_file, path, "--accuracy", 0.5).stdout
    assert text.splitlines()[1].split() == ["0.00", "100.0", "%", "75.0", "%"]
    threshold = float(re.search(r"--min-confidence ([\d.]+) answers 100.0 % of the texts", text)[1])
    answered = invoke("predict", model_file, "--input", path, "--min-confidence", threshold).stdout
    assert all(label for label, _ in parsed(answered))
    facts = json.loads(invoke("find-threshold", model_file, path, "--accuracy", 1, "--json").stdout)
    assert facts["thresholds"][0] == {"threshold": 0.0, "coverage": 1.0, "accuracy": 0.75}
    none = "no confidence has" in invoke("find-threshold", model_file, path, "--accuracy", 1).stdout
    assert (facts["found"] is None) == none


def test_coverage_is_drawn(model_file, tmp_path):
    pytest.importorskip("matplotlib")
    path, picture = tmp_path / "dev.tsv", tmp_path / "coverage.svg"
    path.write_text("yes\tthe king\nno\tthe queen\nno\tthe king\nyes\ta man\n")
    plain = invoke("find-threshold", model_file, path).stdout
    assert invoke("find-threshold", model_file, path, "--plot", picture).stdout == plain
    drawn = picture.read_text()
    assert "accuracy of the answers" in drawn
    assert "least confidence" in drawn
    refused = invoke("find-threshold", model_file, path, "--plot", tmp_path / "coverage.jpg", code=1).stderr
    assert "coverage.jpg must end in" in refused


def test_labels_unknown_to_the_model_count_as_errors(model_file, tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("yes\tthe king\nperhaps\tthe queen\n")
    result = invoke("evaluate", model_file, path, "--json")
    facts = json.loads(result.stdout)
    assert (facts["accuracy"], facts["labels"]) == (0.5, ["no", "yes", "perhaps"])
    said = f"Warning: 1 of 2 labels are unknown to the model and count as errors: perhaps (1), in {path}:2"
    assert result.stderr.splitlines() == [said]
    path.write_text("yes\tthe king\n" + "perhaps\tthe queen\n" * 7)
    assert f"perhaps (7), in {path}:2, {path}:3, {path}:4, {path}:5, {path}:6 and 2 more\n" in (
        invoke("find-threshold", model_file, path).stderr
    )


def test_labels_that_are_equal_numbers_are_known(data):
    data.write_text("0\tthe king\n1\tthe queen\n" * 4)
    Path("test.csv").write_text("label,text\n0.0,the king\n1.0,a queen\n2.0,a man\n")
    result = invoke("train", data, "-o", "m.safetensors", *TINY, "--test", "test.csv")
    assert (
        "Warning: 1 of 3 labels are unknown to the model and count as errors: 2.0 (1), in test.csv:4" in result.stderr
    )
    facts = json.loads(invoke("evaluate", "m.safetensors", "test.csv", "--json").stdout)
    assert facts["labels"] == ["0", "1", "2.0"]


def test_a_test_file_with_the_training_texts_is_reported(data):
    Path("copy.jsonl").write_text('{"label": "no", "text": "a woman"}\n{"label": "yes", "text": "a man"}\n')
    result = invoke("train", data, "-o", "m.safetensors", *TINY, "--test", "copy.jsonl")
    said = "Warning: everything in copy.jsonl is also in data.tsv: the scores are not those of unseen data"
    assert said in result.stderr
    Path("copy.jsonl").write_text('{"label": "no", "text": "a woman"}\n{"label": "no", "text": "a man"}\n')
    assert said not in invoke("train", data, "-o", "m.safetensors", *TINY, "--test", "copy.jsonl").stderr


def test_info_describes_a_model(model_file):
    facts = json.loads(CliRunner().invoke(main.wordvec, ["info", str(model_file), "--json"]).stdout)
    assert (facts["kind"], facts["package"]) == ("model", "seqclf")
    assert facts["about"]["labels"] == ["no", "yes"]
    text = CliRunner().invoke(main.wordvec, ["info", str(model_file)]).stdout
    assert "  labels: no, yes\n" in text


# -- models of fastText -----------------------------------------------------------------------------------------------


@pytest.fixture
def supervised(data):
    words = ("the", "fire", "über", "hills", "burn", "wood", "wind")  # without </s>, so that a text can be unknown
    Path("m.bin").write_bytes(Supervised(words=words, labels=("__label__yes", "no"), label_counts=(3, 2)).content())
    return naive_fasttext.predict(Supervised(words=words, labels=("yes", "no"), label_counts=(3, 2)), "the fire burn")


def test_predictions_of_a_fasttext_model(supervised):
    yes, no = supervised
    assert yes > no
    lines = invoke("predict", "m.bin", "the fire burn", "nothing known", "-k", 5).output.splitlines()
    assert lines == [f"yes\t{yes:.4f}\tno\t{no:.4f}", "\t0.0000"]
    found = invoke("predict", "m.bin", "the fire burn", "", "--json", "--top-k", 1).output.splitlines()
    assert json.loads(found[0]) == {
        "label": "yes", "probability": pytest.approx(yes), "probabilities": {"yes": pytest.approx(yes)},
    }  # fmt: skip
    assert json.loads(found[1])["label"] is None


def test_evaluation_of_a_fasttext_model(supervised):
    Path("test.txt").write_text("__label__yes the fire burn\n__label__no the fire burn\n__label__yes nothing\n")
    found = json.loads(invoke("evaluate", "m.bin", "test.txt", "--json").output)
    assert (found["texts"], found["accuracy"]) == (3, pytest.approx(1 / 3))
    assert found["confusion"] == [[1, 0, 1], [1, 0, 0], [0, 0, 0]]  # the last row and column: no label


def test_word_vectors_of_fasttext_are_no_classifier(data):
    from wordvec import WordVectors, save_vectors

    save_vectors(WordVectors(["a", "b"], [[1.0], [2.0]]), "v.bin", format="fasttext")
    assert "not a classifier; pass a supervised model" in invoke("predict", "v.bin", "a", code=1).stderr


def test_the_most_probable_labels_of_a_text(data):
    invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--quiet")
    label, probability = invoke("predict", "m.safetensors", "a man").output.split()
    assert invoke("predict", "m.safetensors", "a man", "-k", 1).output.split() == [label, probability]
    both = invoke("predict", "m.safetensors", "a man", "-k", 2).output.split()
    assert both[:2] == [label, probability]
    assert sorted(both[::2]) == ["no", "yes"]


def test_explain_shows_the_nearest_examples(data, model_file):
    arguments = ("explain", model_file, "the old king", "--nearest", data)
    shown = invoke(*arguments).stdout
    lines = shown[shown.index("most similar texts") :].splitlines()[1:]
    found = json.loads(invoke(*arguments, "--json", "--html", "why.html").stdout)["nearest"]
    assert [f"{each['similarity']:.3f}  {each['label']}  {each['text']}" for each in found] == lines
    assert len(lines) == 5
    page = Path("why.html").read_text()
    assert "Most similar texts" in page
    assert page.count("<tr>") == 1 + 3 + 1 + 5


# -- reports ----------------------------------------------------------------------------------------------------------


def test_evaluate_writes_a_report(data, model_file):
    pytest.importorskip("jinja2", reason="Jinja2 is not installed: pip install 'wordvec-seqclf[report]'")
    pytest.importorskip("matplotlib")
    result = invoke("evaluate", model_file, data, "--report", "folder")
    assert "folder/report.html: report on 60 texts" in result.stderr
    values = json.loads(Path("folder/report.json").read_text())
    assert values["evaluation"] == json.loads(invoke("evaluate", model_file, data, "--json").stdout)
    assert values["data"].keys() == {"file", "BLAKE2b"}
    assert len(values["history"]) == 10
    assert Path("folder/report.html").read_text().startswith("<!DOCTYPE html>")
    before = Path("folder/report.html").read_bytes()
    invoke("evaluate", model_file, data, "--report", "folder")
    assert Path("folder/report.html").read_bytes() == before


def test_evaluate_draws_the_confusion_matrix(data, model_file):
    pytest.importorskip("matplotlib")
    invoke("evaluate", model_file, data, "--plot", "matrix.svg")
    assert {">yes<", ">no<", ">predicted<"} <= set(re.findall(r">\w+<", Path("matrix.svg").read_text()))
    assert "matrix.jpg must end in" in invoke("evaluate", model_file, data, "--plot", "matrix.jpg", code=1).stderr


def test_train_writes_a_report_on_the_test_data(data):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    invoke("train", data, "-o", "m.safetensors", "--model", "linear", "--test", data, "--report", "new")
    values = json.loads(Path("new/report.json").read_text())
    assert (values["name"], values["history"], values["evaluation"]["texts"]) == ("m.safetensors", [], 60)


def test_reports_that_cannot_be_written_are_refused_before_any_work(data, model_file):
    assert "--report needs --test FILE" in invoke(
        "train", data, "-o", "m.safetensors", "--report", "folder", code=2
    ).stderr  # fmt: skip
    assert "data.tsv" in invoke("evaluate", model_file, data, "--report", data, code=2).stderr
    Path("file").write_text("")
    assert "file" in invoke("evaluate", model_file, data, "--report", "file", code=1).stderr
    assert "no/where" in invoke("evaluate", model_file, data, "--report", "no/where/folder", code=1).stderr


def test_one_label_per_text_has_no_threshold(model_file):
    assert "--min-confidence" in invoke("predict", model_file, "a", "--threshold", 0.5, code=2).stderr


def test_a_missing_library_is_named_with_its_extra(data, model_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = invoke("evaluate", model_file, data, "--report", "folder", code=1)
    assert "pip install 'wordvec-seqclf[report]'" in result.stderr
    assert not Path("folder").exists()


# -- tuning -----------------------------------------------------------------------------------------------------------


def test_tune_keeps_the_best_model_and_its_log(data):
    pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'wordvec-seqclf[tuning]'")
    from seqclf import load_model

    small = ("--model", "network", "--hidden-size", 4, "--vector-size", 4, "--epochs", 2, "--batch-size", 8)
    result = invoke("train", data, "-o", "m.safetensors", "--tune", "1s", *small)
    assert "trial 1: " in result.stderr
    log = Path("m.safetensors.tuning.jsonl").read_text().splitlines()
    trials = [json.loads(line) for line in log[1:]]
    assert set(trials[0]["settings"]) == {"learning_rate", "dropout", "pooling", "weight_drop"}
    best = max(trials, key=lambda trial: trial["score"] or 0)
    settings = load_model("m.safetensors").settings
    assert {name: settings[name] for name in best["settings"]} == best["settings"]
    assert settings["hidden_size"] == 4
    again = invoke("train", data, "-o", "m.safetensors", "--tune", "1s", *small, code=1).stderr
    assert "holds a search: resume it" in again
    invoke("train", data, "-o", "m.safetensors", "--tune", "1s", *small, "--resume")


def test_tune_trains_multi_label_models(several):
    pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'wordvec-seqclf[tuning]'")
    small = ("--multi-label", "|", "--tune-thresholds", "--epochs", 2, "--hidden-size", 4, "--vector-size", 4)
    invoke("train", several, "-o", "m.safetensors", "--dev", several, "--tune", "0.1s", *small)
    assert invoke("predict", "m.safetensors", "the king").stdout.count("\t") == 1
    first = json.loads(Path("m.safetensors.tuning.jsonl").read_text().splitlines()[1])
    assert 0 <= first["score"] <= 1


def test_weights_of_texts_with_several_labels(several):
    lines = [line.split("\t") for line in several.read_text().splitlines()]
    rows = [f"{labels}\t{text}\t{int('old' not in text)}" for labels, text in lines]
    Path("weighted.tsv").write_text("\n".join(["label\ttext\tweight", *rows]))
    invoke("train", "weighted.tsv", "-o", "m.safetensors", *MANY, "--dev", several, "--weight-column", "weight")
    answers = invoke("predict", "m.safetensors", "the old king", "the queen").stdout.splitlines()
    assert [answer.split("\t")[0] for answer in answers] == ["royal", "royal"]  # the texts on old men weigh nothing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "linear"], "--tune has no effect with --model linear"),
        (["--checkpoint", "c"], "leave --checkpoint and --checkpoint-every out"),
        (["--log-csv", "log.csv"], "leave --log-csv, --tensorboard and --plot out"),
    ],
)
def test_tune_is_refused_where_it_has_no_effect(data, options, message):
    assert message in invoke("train", data, "-o", "m.safetensors", "--tune", "1m", *options, code=2).stderr


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        *(("balanced", "balanced"), ("spam=5", {"spam": 5.0}), ("a=b=0.5,not it=2", {"a=b": 0.5, "not it": 2.0})),
        *(("a,b=2", {"a,b": 2.0}), ("x=1,a, b, c=2,y=3", {"x": 1.0, "a, b, c": 2.0, "y": 3.0})),
    ],
)
def test_class_weights_are_balanced_or_numbers_by_label(given, weights):
    assert ClassWeight().convert(given, None, None) == weights


@pytest.mark.parametrize(
    "given",
    ["spam", "spam=", "=3", "spam=0", "spam=-1", "spam=nan", "spam=inf", "a=1,,b=2", "a,,b=2", "a,b", ""],
)
def test_wrong_class_weights_are_rejected(given):
    with pytest.raises(click.BadParameter, match="is not LABEL=WEIGHT with a weight above 0; or write balanced"):
        ClassWeight().convert(given, None, None)
