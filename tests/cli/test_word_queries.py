"""Queries from a file or pipe, vectors of words, and vectors of texts."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import load_vectors
from wordvec.vectors.distances import relaxed_word_movers_distance, soft_cosine, word_movers_distance
from wordvec.vectors.sentence import sentence_vectors


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.wordvec, [str(argument) for argument in arguments], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_neighbors_of_the_words_of_a_pipe(vectors_file, tmp_path):
    done = invoke("neighbors", vectors_file, "--input", "-", "--top", 2, input="king\n\nKing\n")
    nearest = load_vectors(vectors_file).most_similar("king", top=2)
    assert done.stdout == "".join(f"{word}\t{t}\t{s:.4f}\n" for word in ("king", "King") for t, s in nearest)
    (tmp_path / "words.txt").write_text("queen\nunknown\nking\n")
    done = invoke("neighbors", vectors_file, "--input", tmp_path / "words.txt", "--top", 1, "--json", code=1)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["query"] for each in found] == ["queen", "king"]
    assert found[1]["neighbors"] == [{"token": token, "score": score} for token, score in nearest[:1]]
    assert "'unknown' is not in the vocabulary" in done.stderr
    assert done.stderr.endswith("Error: 1 of 3 lines have no answers\n")


def test_approximate_neighbors_use_an_index_that_is_built_once(vectors_file, tmp_path, monkeypatch):
    pytest.importorskip("usearch", reason="usearch is not installed: pip install 'wordvec-seqclf[approximate]'")
    monkeypatch.chdir(tmp_path)
    vectors = tmp_path / "v.safetensors"
    vectors.write_bytes(Path(vectors_file).read_bytes())
    first = invoke("neighbors", "v.safetensors", "king", "--approximate", "--top", 2)
    assert first.stdout == invoke("neighbors", "v.safetensors", "king", "--top", 2).stdout
    assert "built v.safetensors.index: it finds 100.0 % of the 10 nearest neighbors" in first.stderr
    again = invoke("neighbors", "v.safetensors", "king", "--approximate", "--top", 2)
    assert (again.stdout, again.stderr) == (first.stdout, "")
    load_vectors(vectors).replaced(load_vectors(vectors).vectors * 2).save(vectors)
    stale = invoke("neighbors", "v.safetensors", "king", "--approximate", code=1)
    assert stale.stderr == "Error: v.safetensors.index is the index of other vectors; remove it to build it again\n"


def test_analogies_of_a_pipe(vectors_file):
    done = invoke(
        "word-analogy", vectors_file, "--input", "-", "--top", 1, input="man king woman\nking - man + woman\n"
    )
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == ["queen", "queen"]
    done = invoke("word-analogy", vectors_file, "--input", "-", input="a b\n", code=1)
    assert "give three words, or an expression" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["neighbors"], "give WORDS or --input FILE (- for standard input); without them the prompt needs a terminal"),
        (["neighbors", "king", "--input", "-"], "not both"),
        (["word-analogy", "king", "--input", "-"], "not both"),
        (["word-analogy", "--questions", "q", "--input", "-"], "give --input FILE or --questions FILE, not both"),
        (["vectors"], "give WORDS or --input FILE"),
        (["vectors", "king", "--input", "-"], "not both"),
        (["distance", "king"], "give two TEXTS in quotes, or --files FILE FILE"),
        (["distance", "king", "queen", "--files", "a", "b"], "give two TEXTS in quotes, or --files FILE FILE"),
        (["sentences", "-", "--smoothing", "1"], "--smoothing has no effect without --method sif"),
        (["sentences", "-", "-o", "x.npy", "--json"], "--json has no effect with --output"),
        (["sentences", "-", "-o", "x.txt"], "--output must end in .npy, got x.txt"),
    ],
)
def test_usage_errors(vectors_file, arguments, message):
    assert message in invoke(arguments[0], vectors_file, *arguments[1:], code=2).stderr


def test_vectors_of_words(vectors_file):
    done = invoke("vectors", vectors_file, "Queen", "café", "unknown", code=1)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [word for word, *_ in lines] == ["Queen", "café"]
    found = np.array([numbers for _, *numbers in lines], np.float32)
    np.testing.assert_array_equal(found, load_vectors(vectors_file)[["queen", "café"]])
    assert "'unknown' is not in the vocabulary" in done.stderr
    done = invoke("vectors", vectors_file, "--input", "-", "--json", input="king\n")
    assert json.loads(done.stdout) == [{"word": "king", "vector": [1, 1, 0, 0]}]


@pytest.mark.parametrize(
    ("method", "measure", "key"),
    [
        ("wmd", word_movers_distance, "distance"),
        ("relaxed", relaxed_word_movers_distance, "distance"),
        ("soft-cosine", soft_cosine, "similarity"),
    ],
)
def test_distance_of_texts(vectors_file, tmp_path, method, measure, key):
    first, second = "The king of Paris", "- the queen and london"
    expected = measure(load_vectors(vectors_file), first, second)
    command = ["distance", vectors_file, "--method", method]
    assert invoke(*command, first, second).stdout == f"{expected:.4f}\n"
    assert json.loads(invoke(*command, first, second, "--json").stdout) == {
        "first": first, "second": second, "method": method, key: expected,
    }  # fmt: skip
    (tmp_path / "a.txt").write_text(f"{first}\nnothing\n")
    (tmp_path / "b.txt").write_text(f"{second}\nking\n")
    files = ["--files", tmp_path / "a.txt", tmp_path / "b.txt"]
    done = invoke(*command, *files)
    assert done.stdout == f"{expected:.4f}\n-\n"
    assert done.stderr == "1 of 2 pairs have a text without known words, and no result\n"
    assert [json.loads(line)[key] for line in invoke(*command, *files, "--json").stdout.splitlines()] == [
        expected,
        None,
    ]


def test_texts_without_a_distance(vectors_file, tmp_path):
    message = "no pair of texts has known words on both sides; give texts in the language of the vectors"
    assert invoke("distance", vectors_file, "king", "nothing", code=1).stderr == f"Error: {message}\n"
    (tmp_path / "a.txt").write_text("king\n")
    (tmp_path / "b.txt").write_text("king\nqueen\n")
    done = invoke("distance", vectors_file, "--files", tmp_path / "a.txt", tmp_path / "b.txt", code=1)
    assert "a.txt has 1 texts, " in done.stderr
    assert "both must have the same number" in done.stderr


def test_vectors_of_texts(vectors_file, tmp_path):
    texts = ["the king of paris", "nothing", "a queen"]
    (tmp_path / "texts.tsv").write_text("".join(f"yes\t{text}\n" for text in texts))
    expected = sentence_vectors(load_vectors(vectors_file), texts, "sif", smoothing=0.1)
    options = ["--method", "sif", "--smoothing", "0.1"]
    done = invoke("sentences", vectors_file, tmp_path / "texts.tsv", *options)
    np.testing.assert_allclose(np.loadtxt(done.stdout.splitlines()), expected, atol=1e-5)
    assert done.stderr == "1 of 3 texts have no known word: their vectors are zeros\n"
    output = tmp_path / "texts.npy"
    invoke("sentences", vectors_file, tmp_path / "texts.tsv", *options, "-o", output, "--quiet")
    np.testing.assert_array_equal(np.load(output), expected)
    assert (
        invoke("sentences", vectors_file, "-", input="", code=1).stderr
        == "Error: -: no texts; expected a text per line\n"
    )
    done = invoke("sentences", vectors_file, tmp_path / "texts.tsv", *options, "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"text": text, "vector": row} for text, row in zip(texts, expected.tolist(), strict=True)
    ]
