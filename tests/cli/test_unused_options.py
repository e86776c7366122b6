"""Options that have no effect with the others are usage errors before any work."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main

CLASSIFY, TAG = ["classify_text", "train", "labels.tsv"], ["tag_text", "train", "tags.tsv"]
TRANSDUCE = ["transduce", "train", "labels.tsv"]
LANGUAGE, FORECAST = ["language_model", "train", "text.txt"], ["forecast", "train", "series.csv"]


@pytest.fixture
def folder(tmp_path, monkeypatch, vectors_file):
    monkeypatch.chdir(tmp_path)
    Path("labels.tsv").write_text("yes\tthe king\nno\tthe queen\n" * 10)
    Path("v.safetensors").write_bytes(vectors_file.read_bytes())
    Path("questions.txt").write_text(": a\nking queen man woman\n")
    Path("pairs.tsv").write_text("king\tqueen\t9\nman\twoman\t8\nking\tparis\t1\n")


def run(command, line):
    return CliRunner().invoke(getattr(main, command[0]), [*command[1:], *line.split()])


@pytest.mark.parametrize(
    ("command", "line", "message"),
    [
        (CLASSIFY, "--layer-dropout 0.5", "--layer-dropout has no effect with one layer; needs --layers 2 or more"),
        (TAG, "--layer-dropout 0.5 --layers 1", "--layer-dropout has no effect with one layer"),
        (FORECAST, "--layer-dropout 0.5", "--layer-dropout has no effect with one layer"),
        (
            CLASSIFY,
            "--layers 2 --free-dropout",
            "--locked-dropout/--free-dropout has no effect without dropout",
        ),
        (CLASSIFY, "--cell rnn --zoneout-cell 0.5", "--zoneout-cell has no effect without an LSTM's cell"),
        (TAG, "--cell gru --zoneout-cell 0.5", "--zoneout-cell has no effect"),
        (CLASSIFY, "--cell rnn --reset before", "--reset has no effect without a reset gate; needs --cell gru"),
        (LANGUAGE, "--reset before", "--reset has no effect"),
        (FORECAST, "--reset after", "--reset has no effect"),
        (CLASSIFY, "--one-way --merge sum", "--merge has no effect with one direction"),
        (CLASSIFY, "--keep-vectors 9", "--keep-vectors has no effect without pretrained vectors"),
        (CLASSIFY, "--dev labels.tsv --validation-fraction 0.2", "--validation-fraction has no effect with --dev"),
        (LANGUAGE, "--dev text.txt --validation-fraction 0.2", "--validation-fraction has no effect with --dev"),
        (FORECAST, "--validation-fraction 0 --patience 2", "--patience has no effect without validation data"),
        (FORECAST, "--seasonal difference", "--seasonal has no effect without a season; needs --season N"),
        (LANGUAGE, "--unit character --tokenizer words", "--tokenizer has no effect on characters; needs --unit word"),
        (TRANSDUCE, "--layer-dropout 0.5", "--layer-dropout has no effect with one layer"),
        (TRANSDUCE, "--validation-fraction 0 --choose-by exact", "--choose-by has no effect without validation data"),
        (TRANSDUCE, "--dev labels.tsv --validation-fraction 0.2", "--validation-fraction has no effect with --dev"),
        (TAG, "--head softmax --invalid-tags", "-invalid-tags has no effect without a CRF"),
        (CLASSIFY, "--vector-scale 0.5", "--vector-scale has no effect without pretrained or frozen vectors"),
        (LANGUAGE, "--schedule plateau --validation-fraction 0", "--schedule plateau needs validation data"),
        (
            CLASSIFY,
            "--vectors v.safetensors --vector-size 300",
            "--vector-size 300 has no effect: the vectors of v.safetensors have 4 dimensions; leave it out",
        ),
    ],
)
def test_a_training_option_without_an_effect_is_a_usage_error(folder, command, line, message):
    result = run(command, line + " -o m.safetensors")
    assert (result.exit_code, message in result.stderr) == (2, True), result.output
    assert not Path("m.safetensors").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--cbow-gradient mean", "--cbow-gradient has no effect without CBOW; needs --model cbow"),
        ("--loss hierarchical --negatives 9", "--negatives has no effect without negative samples"),
        ("--loss softmax --noise-exponent 1", "--noise-exponent has no effect without negative samples"),
        ("--fresh-negatives --block-size 8", "--block-size has no effect with --fresh-negatives"),
        ("--model svd --subsample-mode clean", "--subsample-mode has no effect without subsampling"),
    ],
)
def test_an_option_of_word_vectors_without_an_effect_is_a_usage_error(folder, line, message):
    result = run(["train_embeddings", "labels.tsv", "-o", "v.vec"], line)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output


@pytest.mark.parametrize(
    ("command", "line", "option"),
    [
        (["wordvec", "evaluate", "v.safetensors"], "--similarity pairs.tsv --protocol Pfull", "--protocol"),
        (["wordvec", "evaluate", "v.safetensors"], "--similarity pairs.tsv --method mul", "--method"),
        (["wordvec", "evaluate", "v.safetensors"], "--similarity pairs.tsv --case-sensitive", "--case-sensitive"),
        (["word_analogy", "v.safetensors"], "king - man + woman --protocol Pfull", "--protocol"),
        (["word_analogy", "v.safetensors"], "king - man + woman --case-sensitive", "--case-sensitive"),
    ],
)
def test_an_evaluation_option_without_questions_is_a_usage_error(folder, command, line, option):
    result = run(command, line)
    assert result.exit_code == 2, result.output
    assert f"{option} has no effect without --" in result.stderr


@pytest.mark.parametrize(
    ("command", "line", "message"),
    [
        (
            ["word_analogy", "v.safetensors"],
            "--questions questions.txt --top 3",
            "--top has no effect with --questions",
        ),
        (["language_model", "generate", "m"], "--temperature 0 --seed 2", "--seed has no effect with --temperature 0"),
        (
            ["language_model", "generate", "m"],
            "--temperature 0 --top-k 2",
            "--top-k has no effect with --temperature 0",
        ),
        (
            ["wordvec", "documents", "tfidf", "text.txt", "-o", "m.npz"],
            "--binary --sublinear-tf",
            "--sublinear-tf has no effect with --binary",
        ),
    ],
)
def test_an_option_that_another_makes_ineffective_is_a_usage_error(folder, command, line, message):
    result = run(command, line)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output


@pytest.mark.parametrize(
    "line",
    [
        "--cell gru --reset before --layers 2 --layer-dropout 0.2 --free-dropout",
        "--vectors v.safetensors --vector-size 4 --keep-vectors 9",
        "--zoneout-cell 0.1 --merge sum --patience 1",
        "--vector-scale 0.5 --freeze-vectors",
    ],
)
def test_options_with_an_effect_are_accepted(folder, line):
    result = run(CLASSIFY, line + " -o m.safetensors --epochs 1 --hidden-size 4")
    assert result.exit_code == 0, result.output
