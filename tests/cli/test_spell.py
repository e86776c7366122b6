"""``wordvec spell``."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main

CORPUS = "They said that their address was there. The bread and the beard. Eat bread. Shave the beard.\n" * 3


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "corpus.txt").write_text(CORPUS)
    return str(tmp_path / "corpus.txt")


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.wordvec, ["spell", *map(str, arguments)], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_one_line_a_word(corpus):
    assert invoke("--corpus", corpus, "thier", "Adress", "the", "zzz").stdout == (
        "thier\ttheir\nAdress\tAddress\nthe\tthe\nzzz\tzzz\n"
    )


def test_standard_input_in_order(corpus):
    words = ["thier", "the", "adress"] * 2000
    result = invoke("--corpus", corpus, "-", input="\n".join(words) + "\n\nthre there")
    lines = result.stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [*words, "thre", "there"]
    assert lines[:3] == ["thier\ttheir", "the\tthe", "adress\taddress"]


def test_json_lists_suggestions(corpus):
    known, typed = map(json.loads, invoke("--corpus", corpus, "--json", "the", "thier").stdout.splitlines())
    assert known == {"word": "the", "correction": "the", "suggestions": []}
    assert (typed["correction"], typed["suggestions"][0]["word"]) == ("their", "their")
    scores = [each["score"] for each in typed["suggestions"]]
    assert scores == sorted(scores, reverse=True)


def test_running_text_with_and_without_vectors(corpus, tmp_path):
    from wordvec import WordVectors

    (tmp_path / "text.txt").write_text("Eat breaad, thier!\n\nShave berad\n")
    assert invoke("--corpus", corpus, "--text", tmp_path / "text.txt").stdout.splitlines()[:2] == [
        "Eat bread, their!",
        "",
    ]
    rows = np.array([[2, 0], [0, 2], [2, 0], [0, 2]])
    WordVectors(["bread", "beard", "eat", "shave"], rows, context_vectors=rows).save(tmp_path / "v.safetensors")
    options = ["--corpus", corpus, "--vectors", tmp_path / "v.safetensors"]
    assert invoke(*options, "--text", tmp_path / "text.txt").stdout == "Eat bread, their!\n\nShave beard\n"
    assert invoke(*options, "--text", "-", input="Shave berad").stdout == "Shave beard\n"


def test_errors_are_learned_and_min_count_is_used(corpus, tmp_path):
    (tmp_path / "errors.txt").write_text("there: therk tkere thekre\nwas: kwas waks\n" * 20)
    learned = json.loads(invoke("--corpus", corpus, "--errors", tmp_path / "errors.txt", "--json", "thekir").stdout)
    plain = json.loads(invoke("--corpus", corpus, "--json", "thekir").stdout)
    assert learned["suggestions"][0]["score"] > plain["suggestions"][0]["score"]
    assert invoke("--corpus", corpus, "--min-count", 4, "there").stdout == "there\tthe\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Error: give WORDS, or - for standard input, or --text FILE"),
        (["a", "--text", "t.txt"], 2, "Error: give WORDS, or - for standard input, or --text FILE"),
        (["a", "--vectors", "v.txt"], 2, "Error: --vectors needs --text FILE: a single word has no context"),
        (["--text", "t.txt", "--json"], 2, "Error: --json has no effect with --text; leave it out"),
        (["--text", "nothere.txt"], 1, "Error: nothere.txt: no such file"),
        (["a", "--errors", "{corpus}"], 1, "{corpus}:1: expected a word, a colon and its misspellings, got 'They"),
    ],
)
def test_errors_are_one_line(corpus, arguments, code, message):
    arguments = [argument.format(corpus=corpus) for argument in arguments]
    result = invoke("--corpus", corpus, *arguments, code=code)
    assert message.format(corpus=corpus) in result.stderr.splitlines()[-1]
    assert result.stdout == ""
