"""``tag-text``: train, predict, evaluate."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main

TINY = ("--hidden-size", "8", "--vector-size", "8", "--feature-size", "8", "--epochs", "2")
DATA = "The\tDET\nking\tNOUN\nsleeps\tVERB\n\nA\tDET\nqueen\tNOUN\nreads\tVERB\n\n" * 15


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.tag_text, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.tsv").write_text(DATA)


@pytest.fixture(scope="module")
def tagger_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagger")
    (folder / "data.tsv").write_text(DATA)
    path = folder / "tagger.safetensors"
    learning = ("--epochs", 20, "--learning-rate", "0.02", "--dropout", 0.1)
    invoke("train", folder / "data.tsv", "-o", path, "--hidden-size", 8, "--vector-size", 8, *learning)
    return path


# -- train ------------------------------------------------------------------------------------------------------------


def test_defaults_match_the_library():
    from seqclf import TaggerSettings

    defaults = main.tag_text.commands["train"].make_context("train", ["data", "-o", "model"]).params
    settings = vars(TaggerSettings())
    assert {name: defaults[name] for name in settings} == settings


def test_options_reach_the_library(data, vectors_file):
    from seqclf import load_model

    invoke(
        *("train", "data.tsv", "-o", "m.safetensors", "--vectors", vectors_file, "--dev", "data.tsv", "--one-way"),
        *("--hidden-size", 12, "--head", "crf", "--dropout", 0.25, "--batch-size", 4, "--learning-rate", 0.01),
        *("--epochs", 3, "--freeze-vectors", "--seed", 5, "--keep-vectors", 2, "--feature-size", 7, "--cell", "gru"),
        *("--word-dropout", 0.2, "--patience", 2, "--threads", 1, "--keep-case", "--quiet"),
    )
    model = load_model("m.safetensors", "tagger")
    expected = {
        **{"bidirectional": False, "hidden_size": 12, "head": "crf", "dropout": 0.25, "batch_size": 4, "cell": "gru"},
        **{"learning_rate": 0.01, "epochs": 3, "tune_vectors": False, "seed": 5, "keep_vectors": 2, "patience": 2},
        **{"feature_size": 7, "word_dropout": 0.2, "lowercase": False, "vector_size": 4},
    }
    assert expected.items() <= model.settings.items()
    assert model.labels == ["DET", "NOUN", "VERB"]
    assert model.metrics["dev_sentences"] == 30


def test_progress_messages_of_training(data):
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY)
    assert "3 of 30 are split off" in result.stderr
    assert "epoch 2/2: loss " in result.stderr
    assert result.stderr.count("dev accuracy") == 3
    assert "trained on 27 sentences, 81 tokens, 3 tags, 6 words" in result.stderr
    assert result.stdout == ""
    assert invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--quiet").output == ""


def test_baseline_is_compared_with_the_model(data):
    Path("test.tsv").write_text("The\tDET\nqueen\tNOUN\n\nold\tADJ\n")
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *TINY, "--test", "test.tsv")
    rows = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert rows == ["on test.tsv", "this model", "most frequent tag of each word"]
    assert "66.7 %" in result.stdout.splitlines()[2]


def test_columns_and_compressed_conllu(data):
    import gzip

    lines = ["# text", "1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_", "2\tking\tking\tNOUN\tNN\t_\t0\troot\t_\t_", ""]
    Path("data.conllu.gz").write_bytes(gzip.compress("\n".join(lines * 5).encode()))
    invoke("train", "data.conllu.gz", "-o", "m.safetensors", *TINY, "--tag-column", 5)
    found = json.loads(invoke("evaluate", "m.safetensors", "data.conllu.gz", "--tag-column", 5, "--json").stdout)
    assert found["labels"] == ["DT", "NN"]
    assert (found["sentences"], found["tokens"]) == (5, 10)


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
        (["--feature-size", "0"], "--feature-size must be at least 1, got 0"),
        (["--head", "hmm"], "'hmm' is not one of"),
        (["--tag-column", "0"], "0 is not in the range"),
        (["--threads", "0"], "0 is not in the range"),
    ],
)
def test_bad_options_are_usage_errors(data, arguments, message):
    result = invoke("train", "data.tsv", "-o", "m.safetensors", *arguments, code=2)
    assert message in result.stderr
    assert not Path("m.safetensors").exists()


# -- predict ----------------------------------------------------------------------------------------------------------


def test_predict_prints_one_line_per_token(tagger_file):
    expected = "The\tDET\nqueen\tNOUN\nsleeps\tVERB\n\n\nA\tDET\nking\tNOUN\n\n"
    assert invoke("predict", tagger_file, "The queen  sleeps", "", "A king").stdout == expected
    lines = "The queen sleeps\n\nA king\n"
    for arguments in (["-"], ["--input", "-"]):
        assert invoke("predict", tagger_file, *arguments, input=lines).stdout == expected
    assert invoke("predict", tagger_file, "-", input="").stdout == ""


def test_evaluate_reads_the_output_of_predict(tagger_file, tmp_path):
    path = tmp_path / "tagged.tsv"
    path.write_text(invoke("predict", tagger_file, "The queen sleeps", "", "A king").stdout)
    found = json.loads(invoke("evaluate", tagger_file, path, "--json").stdout)
    assert (found["sentences"], found["tokens"], found["accuracy"]) == (2, 5, 1.0)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.tsv", "{}\tX\n{}\tX\n\n{}\tX\n", []),
        ("a.conll", "{}\n{}\n\n{}\n", []),
        ("a.txt", "1\t{}\n2\t{}\n\n1\t{}\n", ["--token-column", "2"]),
        ("a.txt", "{} {}\n{}\n", []),
    ],
)
def test_predict_reads_one_token_per_line(tagger_file, tmp_path, name, content, options):
    (tmp_path / name).write_text(content.format("the", "cat", "sleeps"))
    expected = invoke("predict", tagger_file, "the cat", "sleeps").stdout
    assert invoke("predict", tagger_file, "--input", tmp_path / name, *options).stdout == expected
    assert "needs --input" in invoke("predict", tagger_file, "a", "--token-column", 2, code=2).stderr


def test_predict_as_json(tagger_file):
    first, second = map(json.loads, invoke("predict", tagger_file, "--json", "The café", "").stdout.splitlines())
    assert first["tokens"] == ["The", "café"]
    assert first["tags"][0] == "DET"
    assert all(0 < share <= 1 for share in first["probabilities"])
    assert second == {"tokens": [], "tags": [], "probabilities": []}


@pytest.mark.parametrize("arguments", [[], ["a sentence", "--input", "sentences.txt"]])
def test_predict_needs_exactly_one_source_of_sentences(tagger_file, arguments):
    assert "--input FILE" in invoke("predict", tagger_file, *arguments, code=2).stderr


def test_training_and_prediction_do_not_import_sklearn(tagger_file, tmp_path):
    (tmp_path / "data.tsv").write_text(DATA)
    target = tmp_path / "m.safetensors"
    code = f"""
import sys
from cli.main import tag_text
for arguments in [
    ["train", {str(tmp_path / "data.tsv")!r}, "-o", {str(target)!r}, "--quiet", "--epochs", "1", "--hidden-size", "8"],
    ["predict", {str(tagger_file)!r}, "The king"],
]:
    tag_text(arguments, standalone_mode=False)
print(sorted({{"sklearn", "rich"}} & set(sys.modules)))
"""
    root = Path(main.__file__).resolve().parents[1]
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
    assert target.exists()


# -- evaluate ---------------------------------------------------------------------------------------------------------


def test_evaluate_draws_the_confusion_matrix(tagger_file, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "test.tsv").write_text("The\tDET\nking\tNOUN\n\nA\tX\n")
    invoke("evaluate", tagger_file, tmp_path / "test.tsv", "--plot", tmp_path / "matrix.svg")
    drawn = (tmp_path / "matrix.svg").read_text()
    assert drawn.count(">DET<") == drawn.count(">X<") == 2, "a row and a column"


def test_evaluate_prints_all_measures(tagger_file, tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("The\tDET\nking\tNOUN\n\nA\tX\n")
    text = invoke("evaluate", tagger_file, path).stdout
    lines = {line.rsplit("  ", 1)[0].strip(): line.rsplit("  ", 1)[1] for line in text.splitlines() if "  " in line}
    assert lines["tokens"].strip() == "3"
    assert lines["accuracy"] == "66.7 %"
    assert lines["of each word's most frequent tag"] == "66.7 %"
    facts = json.loads(invoke("evaluate", tagger_file, path, "--json").stdout)
    assert facts["labels"] == ["DET", "NOUN", "VERB", "X"]
    assert facts["accuracy_of_most_frequent_tags"] == pytest.approx(2 / 3)


def test_whole_entities_are_scored_if_tags_mark_them(data):
    Path("bio.tsv").write_text("The\tO\nold\tB-A\nking\tI-A\n\nA\tB-A\nking\tO\n\n" * 9)
    arguments = ["--epochs", "2", "--hidden-size", "4", "--dev", "bio.tsv", "--test", "bio.tsv"]
    trained = invoke("train", "bio.tsv", "-o", "bio.safetensors", *arguments)
    assert "dev entity F1" in trained.stderr
    assert trained.stdout.splitlines()[0].split()[-2:] == ["entity", "F1"]
    text = invoke("evaluate", "bio.safetensors", "bio.tsv").stdout
    assert all(f"entity {name}" in text for name in ("precision", "recall", "F1"))
    facts = json.loads(invoke("evaluate", "bio.safetensors", "bio.tsv", "--json").stdout)
    assert facts["entities"]["support"] == 18
    Path("other.tsv").write_text("The\tX\n")
    assert "entity" not in invoke("evaluate", "bio.safetensors", "other.tsv").stdout


def test_info_describes_a_tagger(tagger_file):
    facts = json.loads(CliRunner().invoke(main.wordvec, ["info", str(tagger_file), "--json"]).stdout)
    assert (facts["kind"], facts["package"]) == ("tagger", "seqclf")
    assert facts["about"]["labels"] == ["DET", "NOUN", "VERB"]


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothere.tsv", "-o", "old.safetensors"], "nothere.tsv: no such file"),
        (["train", "short.tsv", "-o", "old.safetensors"], "short.tsv:2: expected at least 2 columns, found 1"),
        (["train", "empty.tsv", "-o", "old.safetensors"], "empty.tsv contains no sentences"),
        (["train", "one.tsv", "-o", "old.safetensors"], "at least two different tags, got only one: 'X'"),
        (["train", "latin1.tsv", "-o", "old.safetensors"], "latin1.tsv: byte 0xe9 at offset 3 is not UTF-8"),
        (["train", "data.tsv", "-o", "nowhere/m.safetensors"], "the directory nowhere does not exist"),
        (["train", "data.tsv", "-o", "old.safetensors", "--vectors", "no.txt"], "no.txt"),
        (["train", "data.tsv", "-o", "old.safetensors", "--dev", "no.tsv"], "no.tsv: no such file"),
        (
            ["train", "data.tsv", "-o", "old.safetensors", "--tag-column", "3"],
            "data.tsv:1: expected at least 3 columns",
        ),
        (["predict", "nothere.safetensors", "The king"], "nothere.safetensors does not exist"),
        (["predict", "old.safetensors", "The king"], "old.safetensors is not a model file, or it is truncated"),
        (
            ["predict", "classifier.safetensors", "x"],
            "holds a text classifier, not a tagger; pass a file that tag-text",
        ),
        (["evaluate", "old.safetensors", "data.tsv"], "old.safetensors is not a model file"),
    ],
)
def test_bad_input_is_a_one_line_error_and_changes_no_file(data, model_file, arguments, message):
    Path("short.tsv").write_text("The\tDET\nking\n")
    Path("empty.tsv").write_text("\n")
    Path("one.tsv").write_text("The\tX\nking\tX\n")
    Path("latin1.tsv").write_bytes(b"caf\xe9\tX\n")
    Path("old.safetensors").write_bytes(b"previous content")
    Path("classifier.safetensors").write_bytes(model_file.read_bytes())
    before = {path: path.read_bytes() for path in Path().iterdir()}
    result = invoke(*arguments, code=1)
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert message in result.stderr.splitlines()[-1]
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_unknown_tags_and_the_training_sentences_are_reported(tagger_file, tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("The\tDET\ncat\tCAT\n\n")
    said = "Warning: 1 of 2 tags are unknown to the model and count as errors: CAT (1)"
    assert said in invoke("evaluate", tagger_file, path).stderr
    (tmp_path / "data.tsv").write_text("a\tDET\ncat\tNOUN\n\nit\tPRON\nsleeps\tVERB\n\n")
    options = (tmp_path / "data.tsv", "-o", tmp_path / "m.safetensors", "--epochs", 1, "--test", tmp_path / "data.tsv")
    assert f"everything in {tmp_path}/data.tsv is also in" in invoke("train", *options).stderr
