"""Files of words, which are in UTF-8 or in the encoding of the text."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from corpora import read_lines
from wordvec import Phrases, load_documents, load_vectors, load_vocabulary
from wordvec.errors import InputError

LATIN = ("--encoding", "latin-1")
TRAIN = ("text.txt", "-o", "v.safetensors", "--vector-size", "4", "--epochs", "1", "--no-cache")


@pytest.fixture(autouse=True, params=["latin-1", "utf-8"])
def listed(request, tmp_path, monkeypatch):
    """The encoding of the lists."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("le café à la plage\nle thé à la maison\n" * 9 + "café où\n", "latin-1")
    Path("list.txt").write_text("café\n\noù\n", request.param)
    Path("counts.txt").write_text("café 9\noù 1\n", request.param)
    return request.param


def invoke(command, *arguments, code=0):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_words_to_keep_and_to_drop():
    invoke(main.train_embeddings, *TRAIN, *LATIN, "--keep-words", "list.txt")
    assert {"café", "où"} < set(load_vectors("v.safetensors").tokens)
    invoke(main.train_embeddings, *TRAIN, *LATIN, "--drop-words", "list.txt", "--min-count", 1)
    assert not {"café", "où"} & set(load_vectors("v.safetensors").tokens)


def test_a_vocabulary():
    assert load_vocabulary("counts.txt", encoding="latin-1").tokens == ["café", "où"]
    invoke(main.train_embeddings, *TRAIN, *LATIN, "--vocabulary", "counts.txt")
    assert load_vectors("v.safetensors").tokens == ["café", "où"]


def test_words_of_documents():
    count = ("documents", "count", "text.txt", "-o", "m.npz", *LATIN)
    invoke(main.wordvec, *count, "--drop-words", "list.txt")
    assert not {"café", "où"} & set(load_documents("m.npz").vocabulary.tokens)
    invoke(main.wordvec, *count, "--vocabulary", "counts.txt")
    assert load_documents("m.npz").vocabulary.tokens == ["café", "où"]


def test_connectors_of_phrases(listed):
    Path("list.txt").write_text("à\n", listed)
    learn = ("phrases", "learn", "text.txt", "-o", "p.safetensors", "--threshold", 0.1, "--min-count", 2, *LATIN)
    invoke(main.wordvec, *learn, "--connector-words", "list.txt")
    assert Phrases.load("p.safetensors").connector_words == ("à",)
    train = (*TRAIN, *LATIN, "--phrases", 1, "--phrase-threshold", 0.1, "--phrase-min-count", 2)
    invoke(main.train_embeddings, *train, "--phrase-connectors", "list.txt")
    assert list(load_vectors("v.safetensors").settings["phrases"]["connector_words"]) == ["à"]


def test_words_to_convert():
    Path("v.txt").write_text("2 1\ncafé 1\nla 2\n", "latin-1")
    invoke(main.wordvec, "convert", "v.txt", "w.safetensors", "--words", "list.txt", *LATIN)
    assert load_vectors("w.safetensors").tokens == ["café"]


def test_a_list_in_neither_encoding_is_rejected():
    Path("list.txt").write_text("caf\xe9\n", "latin-1")
    Path("text.txt").write_text("le café\n" * 9, "utf-8")
    result = invoke(main.train_embeddings, *TRAIN, "--keep-words", "list.txt", code=1)
    assert "Error: list.txt: byte 0xe9 at offset 3 is not UTF-8; re-encode the file" in result.stderr
    with pytest.raises(InputError, match=r"list.txt: byte 0xe9 at offset 3 is not ascii"):
        read_lines("list.txt", encoding=("utf-8", "ascii"))
