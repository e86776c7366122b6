"""``wordvec phrases``: learning, joining, listing, invalid input."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from wordvec import Phrases, load_vectors

LINES = [
    *("the bank of america in new york", "new york times", "", "old york", "new york times", "a bank of america"),
    *("now york", "bank of america fell", "new york times", "york"),
]
LEARN = ["--min-count", "2", "--threshold", "1", "--passes", "2"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("\n".join(LINES) + "\n")
    Path("connectors.txt").write_text("of\n\nthe\n")


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, ["phrases", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.parametrize("connectors", ["connectors.txt", "english"])
def test_phrases_are_those_of_the_library(connectors):
    result = invoke("learn", "text.txt", "-o", "p.safetensors", *LEARN, "--connector-words", connectors)
    words = ("of", "the") if connectors != "english" else "english"
    expected = Phrases(min_count=2, threshold=1, passes=2, connector_words=words).fit(LINES)
    found = Phrases.load("p.safetensors")
    assert found.passes_ == expected.passes_
    assert found.connector_words == words
    assert f"p.safetensors: {len(found.phrases_)} phrases" in result.stderr
    assert "pass 1 found 2 phrases" in result.stderr
    joined = invoke("apply", "p.safetensors", "text.txt").stdout
    assert joined.split("\n")[:-1] == [" ".join(tokens) for tokens in expected.transform(LINES)]
    invoke("apply", "p.safetensors", "text.txt", "-o", "joined.txt", "--quiet")
    assert Path("joined.txt").read_text() == joined


def test_the_tokenizer_is_that_of_the_learned_text():
    Path("cased.txt").write_text("New York!\n" * 9 + "old\n" * 3)
    invoke(
        "learn", "cased.txt", "-o", "p.safetensors", *LEARN, "--threshold", ".1", "--tokenizer", "words", "--lowercase"
    )
    Path("new.txt").write_text("NEW, york\n")
    assert invoke("apply", "p.safetensors", "new.txt").stdout == "new_york\n"


def test_phrases_are_listed_by_score():
    invoke("learn", "text.txt", "-o", "p.safetensors", *LEARN, "--connector-words", "connectors.txt")
    best = invoke("show", "p.safetensors", "--top", 2).stdout
    assert best == "bank_of_america  2.111\nnew_york         1.357\n"
    listed = json.loads(invoke("show", "p.safetensors", "--json").stdout)
    assert [entry["phrase"] for entry in listed] == ["bank_of_america", "new_york", "new_york_times"]
    assert listed[0]["score"] == pytest.approx(19 / 9)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (
            "learn text.txt -o p.safetensors",
            1,
            "Error: the text has no phrases: no pair of words occurs at least --min-count",
        ),
        ("learn text.txt -o p.safetensors --min-count 0", 2, "--min-count must be at least 1, got 0"),
        ("learn text.txt -o p.safetensors --threshold -1", 2, "threshold must be above 0, got -1"),
        ("learn text.txt -o p.safetensors --scoring npmi", 2, "threshold must be between -1 and 1 with scoring npmi"),
        ("learn text.txt -o p.safetensors --connector-words nothere", 1, "Error: nothere: no such file"),
        ("learn text.txt -o text.txt", 2, "--output would overwrite text.txt"),
        ("learn nothere.txt -o p.safetensors", 1, "nothere.txt"),
        ("learn text.txt -o nowhere/p.safetensors", 1, "nowhere"),
        ("apply text.txt text.txt", 1, "Error: text.txt: not a safetensors file"),
        ("apply text.txt text.txt -o text.txt", 2, "--output would overwrite text.txt"),
        ("show nothere", 1, "Error: nothere: no such file"),
    ],
)
def test_invalid_input_is_one_line(line, code, message):
    result = invoke(*line.split(), code=code)
    assert message in result.stderr
    if code == 1:
        assert message in result.stderr.splitlines()[-1]
    assert not Path("p.safetensors").exists()
    assert Path("text.txt").read_text() == "\n".join(LINES) + "\n"


# -- train-embeddings -------------------------------------------------------------------------------------------------

TRAIN = ["--vector-size", "4", "--epochs", "1", "--quiet"]
PHRASES = [
    "--phrases",
    "2",
    "--phrase-min-count",
    "2",
    "--phrase-threshold",
    "1",
    "--phrase-connectors",
    "connectors.txt",
]


def train(*arguments, code=0):
    arguments = ["text.txt", *TRAIN, *map(str, arguments)]
    if "--min-count" not in arguments:
        arguments += ["--min-count", "1"]
    result = CliRunner().invoke(main.train_embeddings, arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.parametrize("model", [[], ["--model", "svd", "--shift", "2"], ["--model", "ppmi"]])
def test_training_joins_and_records_phrases(model):
    size = TRAIN if not model else (["--quiet"] if "ppmi" in model else ["--vector-size", "4", "--quiet"])
    arguments = ["text.txt", "--min-count", "1", *size, *model, *PHRASES, "-o", "v.safetensors"]
    result = CliRunner().invoke(main.train_embeddings, arguments)
    assert result.exit_code == 0, result.output
    vectors = load_vectors("v.safetensors")
    assert {"bank_of_america", "new_york", "new_york_times"} <= set(vectors.tokens)
    assert vectors.settings["phrases"]["passes"] == 2
    assert vectors.settings["phrases"]["connector_words"] == ["of", "the"]
    assert vectors.lookup("New York Times") == vectors.tokens.index("new_york_times")
    answer = CliRunner().invoke(main.wordvec, ["similarity", "v.safetensors", "new york", "bank of america"])
    assert answer.exit_code == 0, answer.output


def test_saved_phrases_give_the_same_vectors():
    train(*PHRASES, "-o", "v.safetensors", "--save-phrases", "p.safetensors")
    train("--phrases-from", "p.safetensors", "-o", "w.safetensors")
    assert Path("v.safetensors").read_bytes() == Path("w.safetensors").read_bytes()
    invoke("apply", "p.safetensors", "text.txt", "-o", "joined.txt")
    result = CliRunner().invoke(main.train_embeddings, ["joined.txt", "--min-count", "1", *TRAIN, "-o", "x.vec"])
    assert result.exit_code == 0, result.output
    assert (load_vectors("x.vec").vectors == load_vectors("v.safetensors").vectors).all()


def test_a_delimiter_of_the_saved_phrases_is_recorded():
    invoke("learn", "text.txt", "-o", "p.safetensors", *LEARN, "--delimiter", "+")
    train("--phrases-from", "p.safetensors", "-o", "v.safetensors")
    assert load_vectors("v.safetensors").lookup("new york") == load_vectors("v.safetensors").tokens.index("new+york")


def test_a_finished_training_is_recognized_by_its_phrases():
    train(*PHRASES, "-o", "v.safetensors", "--resume")
    before = Path("v.safetensors").stat().st_mtime_ns
    train(*PHRASES, "-o", "v.safetensors", "--resume")
    assert Path("v.safetensors").stat().st_mtime_ns == before
    assert "phrases was" in train("-o", "v.safetensors", "--resume", code=1).stderr


def test_continued_vectors_keep_their_record():
    train(*PHRASES, "-o", "v.safetensors")
    arguments = [
        "text.txt",
        "--min-count",
        "1",
        "--epochs",
        "1",
        "-o",
        "w.safetensors",
        "--continue-from",
        "v.safetensors",
    ]
    result = CliRunner().invoke(main.train_embeddings, arguments)
    assert "Note: v.safetensors was trained with phrases; to join them here too" in result.stderr
    assert load_vectors("w.safetensors").settings["phrases"]["passes"] == 2


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("--phrase-threshold 5", 2, "--phrase-threshold has no effect without --phrases PASSES; leave it out"),
        ("--save-phrases p.safetensors", 2, "--save-phrases has no effect without --phrases PASSES"),
        ("--phrases 1 --phrases-from p.safetensors", 2, "leave one out"),
        ("--phrases 0", 2, "--phrases"),
        ("--phrases 1 --phrase-min-count 0", 2, "--phrase-min-count must be at least 1, got 0"),
        ("--phrases 1", 1, "the text has no phrases"),
        ("--phrases-from text.txt", 1, "text.txt: not a safetensors file"),
        ("--phrases 1 --save-phrases v.vec", 2, "name the same file"),
    ],
)
def test_invalid_options_of_a_training(line, code, message):
    assert message in train(*line.split(), "-o", "v.vec", code=code).stderr
    assert not Path("v.vec").exists()


def test_phrases_need_the_tokenizer_of_the_text():
    invoke("learn", "text.txt", "-o", "p.safetensors", *LEARN, "--lowercase")
    result = train("--phrases-from", "p.safetensors", "-o", "v.vec", code=1)
    assert (
        "found in text with tokenizer whitespace, lower-cased, NFC, but this text has whitespace, NFC" in result.stderr
    )
