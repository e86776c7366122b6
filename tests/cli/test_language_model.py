"""``language-model``: train, perplexity, next, generate."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main

TINY = ("--hidden-size", 16, "--epochs", 6, "--batch-size", 3, "--window", 6, "--learning-rate", 0.02, "--dropout", 0)


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.language_model, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A text and a model trained on it."""
    folder = tmp_path_factory.mktemp("language")
    text = "the king rules the land\nthe queen rules the sea\nrain falls on the land\n"
    (folder / "text.txt").write_text(text * 20)
    (folder / "test.txt").write_text(text + "the duke rules\n")
    invoke("train", folder / "text.txt", "-o", folder / "model.safetensors", *TINY, "--threads", 1)
    return folder


@pytest.fixture
def model(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return "model.safetensors"


def test_defaults_and_choices_match_the_library():
    from corpora import TOKENIZERS
    from seqclf import LanguageModelSettings

    command = main.language_model.commands["train"]
    defaults = command.make_context("train", ["text", "-o", "model"]).params
    settings = vars(LanguageModelSettings())
    assert {name: defaults[name] for name in settings} == settings
    types = {parameter.name: parameter.type for parameter in command.params}
    assert list(types["tokenizer"].choices) == list(TOKENIZERS)
    for name in ("unit", "cell", "reset", "optimizer", "schedule"):
        for choice in types[name].choices:
            LanguageModelSettings(**{name: choice})


def test_options_reach_the_library(model):

    given = {
        **{"unit": "character", "cell": "gru", "reset": "before", "layers": 2, "hidden_size": 9, "vector_size": 8},
        **{"samples": 5, "dropout": 0.25, "embedding_dropout": 0.125, "weight_drop": 0.5, "batch_size": 2},
        **{"window": 7, "optimizer": "sgd", "learning_rate": 0.5, "schedule": "plateau", "warmup_steps": 3},
        **{"clip_norm": 0.5, "epochs": 1, "patience": 1, "min_count": 2, "max_vocabulary": 9, "seed": 4},
    }
    options = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    invoke("train", "test.txt", "-o", "other.safetensors", *options, "--untied", "--lowercase", "--dev", "test.txt")
    from seqclf import load_model

    settings = load_model("other.safetensors", "language model").settings
    assert {name: settings[name] for name in given} == given
    assert (settings["tied"], settings["lowercase"]) == (False, True)
    invoke("train", "test.txt", "-o", "other.safetensors", "--tokenizer", "words", "--epochs", 1, "--hidden-size", 4)
    assert load_model("other.safetensors", "language model").settings["tokenizer"] == "words"


def test_training_logs_epochs_and_compares_with_n_grams(model):
    result = invoke("train", "text.txt", "-o", "again.safetensors", *TINY, "--test", "test.txt", "--threads", 2)
    assert Path("again.safetensors").read_bytes() == Path(model).read_bytes()
    assert result.stderr.count("epoch ") >= 6
    assert "dev perplexity" in result.stderr
    assert "trained on 342 words, vocabulary of 11" in result.stderr
    rows = [line.rsplit(None, 1) for line in result.stdout.splitlines()]
    assert [row[0] for row in rows[:5]] == [
        "on test.txt", "this model", "unigram model", "bigram model, Witten-Bell", "5-gram model, Kneser-Ney",
    ]  # fmt: skip
    assert float(rows[2][1]) > float(rows[3][1]) > float(rows[4][1]) > 1
    assert rows[5] == ["1 of 22 words are", "unknown"]


def test_n_grams_learn_from_the_lines_that_the_network_is_trained_on(model):
    from seqclf import load_model

    lines, test = (Path(name).read_text().splitlines() for name in ("text.txt", "test.txt"))
    for options, trained in ((("--validation-fraction", 0.3), 42), (("--dev", "test.txt"), 60)):
        result = invoke("train", "text.txt", "-o", "again.safetensors", *TINY, *options, "--test", "test.txt")
        expected = load_model("again.safetensors").perplexity(test, trained_on=lines[:trained])
        rows = dict(line.rsplit(None, 1) for line in result.stdout.splitlines())
        for name, loss in (("bigram model, Witten-Bell", expected.bigram_loss),
                           ("5-gram model, Kneser-Ney", expected.kneser_ney_loss)):  # fmt: skip
            assert rows[name] == f"{math.exp(loss):.2f}"


def test_an_empty_test_file_is_rejected_before_training(model, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    options = ("-o", tmp_path / "model.safetensors", "--test", tmp_path / "empty.txt")
    assert "at least one line to test on, got 0" in invoke("train", "text.txt", *options, code=1).stderr
    assert not (tmp_path / "model.safetensors").exists()


def test_a_training_text_that_changed_since_is_not_compared(model, tmp_path, monkeypatch):
    from seqclf.language.model import TrainedLanguageModel

    text = tmp_path / "text.txt"
    text.write_bytes(Path("text.txt").read_bytes())
    save = TrainedLanguageModel.save
    monkeypatch.setattr(
        TrainedLanguageModel, "save", lambda *given: (save(*given), text.write_text("the sea rules\n" * 60))
    )
    options = ("-o", tmp_path / "model.safetensors", "--epochs", 1, "--hidden-size", 4, "--test", "test.txt")
    result = invoke("train", text, *options, code=1)
    assert result.stderr.splitlines()[-1].endswith(
        "text.txt changed while it was read; run again when nothing writes to it"
    )
    assert "bigram" not in result.stdout


def test_perplexity_as_text_and_json(model):
    text = invoke("perplexity", model, "test.txt").stdout
    facts = json.loads(invoke("perplexity", model, "test.txt", "--json").stdout)
    assert f"{facts['perplexity']:.2f}" in text
    losses = {"unigram_loss", "bigram_loss", "kneser_ney_loss", "cache_loss"}
    assert facts.keys() == {"tokens", "unknown", "loss", "perplexity", "bits", *losses}
    assert facts["bigram_loss"] is facts["kneser_ney_loss"] is facts["cache_loss"] is None
    assert (facts["tokens"], facts["unknown"]) == (22, 1)
    assert (
        invoke("perplexity", model, "-", input=Path("test.txt").read_text()).stdout.splitlines()[1:]
        == (text.splitlines()[1:])
    )


def test_perplexity_with_a_cache_and_n_grams(model):
    options = ("--trained-on", "text.txt", "--cache", "--cache-theta", 0, "--cache-weight", 0.9, "--cache-size", 9)
    facts = json.loads(invoke("perplexity", model, "test.txt", *options, "--json").stdout)
    assert facts["cache_loss"] > facts["loss"]  # with theta 0, all of the last 9 words are as probable
    assert facts["kneser_ney_loss"] < facts["bigram_loss"] < facts["unigram_loss"]
    lines = invoke("perplexity", model, "test.txt", *options).stdout.splitlines()
    assert [line.rsplit(None, 1)[0] for line in lines[2:6]] == [
        "with a continuous cache", "unigram model", "bigram model, Witten-Bell", "5-gram model, Kneser-Ney",
    ]  # fmt: skip


def test_next_prints_words_and_probabilities(model):
    rows = [line.split("\t") for line in invoke("next", model, "rain falls", "--top", 3).stdout.splitlines()]
    assert rows[0][0] == "on"
    facts = json.loads(invoke("next", model, "rain falls", "--top", 3, "--json").stdout)
    assert [[row["token"], f"{row['probability']:.4f}"] for row in facts] == rows


def test_words_of_a_prompt_are_looked_up_as_written_then_lower_cased(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the king rules\nThe Queen sings\n" * 20)
    invoke("train", "text.txt", "-o", "m.safetensors", "--epochs", 2, "--hidden-size", 8, "--batch-size", 2, "-q")
    known = invoke("next", "m.safetensors", "the king")
    other = invoke("next", "m.safetensors", "the KING")
    assert (known.stdout, known.stderr) == (other.stdout, other.stderr) != ("", "")
    assert known.stderr == ""
    assert invoke("next", "m.safetensors", "The king").stdout != known.stdout  # both are in the vocabulary
    found = invoke("generate", "m.safetensors", "the wizards conjure\nWizards king", "--length", 1)
    assert found.stderr == "Warning: 3 of 5 words of the prompt are unknown: wizards, conjure, Wizards\n"
    assert found.stdout.startswith("the wizards conjure\nWizards king")


def test_characters_of_a_prompt_that_are_unknown_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the king rules\n" * 20)
    arguments = ("--unit", "character", "--epochs", 1, "--hidden-size", 8, "--batch-size", 2, "-q")
    invoke("train", "text.txt", "-o", "m.safetensors", *arguments)
    assert invoke("next", "m.safetensors", "THE").stdout == invoke("next", "m.safetensors", "the").stdout
    assert "1 of 4 characters of the prompt are unknown: ?" in invoke("next", "m.safetensors", "the?").stderr


def test_complete_prints_words_that_begin_with_the_last_one(model):
    rows = [line.split("\t") for line in invoke("complete", model, "rain falls o", "--top", 3).stdout.splitlines()]
    assert [word for word, _ in rows] == ["on"]
    facts = json.loads(invoke("complete", model, "the", "king", "r", "--json").stdout)
    assert {row["token"] for row in facts} == {"rules", "rain"}
    missing = invoke("complete", model, "the xyz", code=1)
    assert "no word of the model begins with 'xyz'; shorten it" in missing.stderr
    warned = invoke("complete", model, "the wizard ru")
    assert "1 of 2 words of the prompt are unknown: wizard" in warned.stderr


def test_complete_answers_lines(model):
    found = invoke("complete", model, "--input", "-", "--top", 1, input="rain falls o\nthe xy\nthe king r\n", code=1)
    assert [line.split("\t")[:2] for line in found.stdout.splitlines()] == [
        ["rain falls o", "on"], ["the king r", "rules"],
    ]  # fmt: skip
    assert "no word of the model completes 'the xy'" in found.stderr
    assert "1 of 3 lines have no answers" in found.stderr
    # A space at the end of a line counts, as in TEXT.
    rows = [
        json.loads(line)
        for line in invoke("complete", model, "--input", "-", "--json", input="the king \n").stdout.splitlines()
    ]
    assert rows == [
        {"query": "the king ", "completions": json.loads(invoke("complete", model, "the king ", "--json").stdout)}
    ]


def test_score_prints_a_line_for_each(model):
    rows = [line.split("\t") for line in invoke("score", model, "test.txt").stdout.splitlines()]
    assert [row[1:] for row in rows] == [
        ["0", "the king rules the land"], ["0", "the queen rules the sea"], ["0", "rain falls on the land"],
        ["1", "the duke rules"],
    ]  # fmt: skip
    assert float(rows[0][0]) < float(rows[3][0])
    facts = [json.loads(line) for line in invoke("score", model, "test.txt", "--json").stdout.splitlines()]
    assert facts[3].keys() == {"line", "tokens", "unknown", "log_probability", "perplexity"}
    assert [f"{each['perplexity']:.2f}" for each in facts] == [row[0] for row in rows]


def test_generate_stops_at_the_end_of_the_line(model):
    assert invoke("generate", model, "rain", "--temperature", 0).stdout == "rain falls on the land\n"
    assert len(invoke("generate", model, "rain", "--length", 12, "--temperature", 0).stdout.split("\n")) > 2
    words = invoke("generate", model, "the", "--length", 30, "--no-repeat", 1, "--temperature", 0).stdout.split()
    assert len(words) == len(set(words)) > 4


def test_generate_prints_text(model):
    assert invoke("generate", model, "rain", "--lines", 1, "--temperature", 0).stdout == "rain falls on the land\n"
    drawn = [
        invoke("generate", model, "--length", 20, "--temperature", 3, "--top-k", 9, "--nucleus", 0.99, "--seed", seed)
        for seed in (1, 1, 2)
    ]
    assert drawn[0].stdout == drawn[1].stdout != drawn[2].stdout


@pytest.mark.parametrize(
    ("arguments", "code", "rule"),
    [
        (("generate", "model.safetensors", "--nucleus", "2"), 2, "nucleus must be above 0 and at most 1"),
        (("train", "text.txt", "-o", "m.safetensors", "--window", "0"), 2, "window must be at least 1"),
        (
            ("train", "text.txt", "-o", "m.safetensors", "--vector-size", "5", "--hidden-size", "6", "--tied"),
            2,
            "tied weights need",
        ),
        (("perplexity", "model.safetensors", "test.txt", "--cache-size", "9"), 2, "has no effect without --cache"),
        (("perplexity", "model.safetensors", "test.txt", "--cache", "--cache-weight", "1"), 2, "weight must be"),
        (("train", "none.txt", "-o", "m.safetensors"), 1, "none.txt"),
        (("perplexity", "text.txt", "text.txt"), 1, "language-model train wrote"),
        (("next", "none.safetensors"), 1, "does not exist"),
    ],
)
def test_bad_input_is_a_one_line_error(model, arguments, code, rule):
    result = invoke(*arguments, code=code)
    assert rule in result.stderr.splitlines()[-1]
    assert result.stdout == ""
