"""Tagged text in columns: every kind of file, and errors that name file and line."""

import bz2
import io
import sys

import pytest

from corpora import InputError, read_tagged

ONE = ([["A", "cat"], ["Sleep"]], [["DET", "NOUN"], ["VERB"]])
CONLLU = """# sent_id = 1
# text = It isn't #1
1\tIt\tit\tPRON\tPRP\t_\t4\tnsubj\t_\t_
2-3\tisn't\t_\t_\t_\t_\t_\t_\t_\t_
2\tis\tbe\tAUX\tVBZ\t_\t4\tcop\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
3.1\tmissing\t_\tX\t_\t_\t_\t_\t_\t_
4\t#1\t#1\tNOUN\tNN\t_\t0\troot\t_\t_

# sent_id = 2
1\tGo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
"""


@pytest.fixture
def write(tmp_path):
    def writer(content, name):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "A\tDET\tDT\ncat\tNOUN\tNN\n\nSleep\tVERB\tVB\n\n"),
        ("a.tsv", "\n\n\nA\tDET\ncat\tNOUN\n \n\nSleep\tVERB"),
        ("a.tsv", "\ufeffA\tDET\r\ncat\tNOUN\r\n\r\nSleep\tVERB\r\n"),
        ("a.conll", "A DET X O\ncat  NOUN X O\n\nSleep VERB X O\n"),
        ("a", "A\tDET\ncat\tNOUN\n\nSleep\tVERB\n"),
    ],
)
def test_sentences_and_their_tags(write, name, content):
    assert read_tagged(write(content, name)) == ONE
    assert read_tagged(write(bz2.compress(content.encode()), f"{name}.bz2")) == ONE


def test_tokens_keep_their_spaces_and_hashes_between_tabs(write):
    path = write("#1\tNOUN\nNew York\tPROPN\n\u00bd\tNUM\n", "a.tsv")
    assert read_tagged(path) == ([["#1", "New York", "\u00bd"]], [["NOUN", "PROPN", "NUM"]])


def test_conllu_passes_over_what_is_no_word(write):
    path = write(CONLLU, "a.conllu")
    assert read_tagged(path) == ([["It", "is", "n't", "#1"], ["Go"]], [["PRON", "AUX", "PART", "NOUN"], ["VERB"]])
    assert read_tagged(path, tag_column=5)[1] == [["PRP", "VBZ", "RB", "NN"], ["VB"]]
    assert read_tagged(path, token_column=3)[0][0][1] == "be"


def test_columns_can_be_chosen(write):
    path = write("1\tDET\tA\n2\tNOUN\tcat\n\n1\tVERB\tSleep\n", "a.tsv")
    assert read_tagged(path, token_column=3) == ONE


def test_standard_input_and_samples(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"A\tDET\n")))
    assert read_tagged("-") == ([["A"]], [["DET"]])
    train, test = read_tagged("sample:tags"), read_tagged("sample:tags-test")
    assert [len(part[0]) for part in (train, test)] == [45, 15]
    assert {tag for row in test[1] for tag in row} <= {tag for row in train[1] for tag in row}
    assert not {" ".join(row) for row in train[0]} & {" ".join(row) for row in test[0]}


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.tsv", "A\tDET\ncat\n", {}, "a.tsv:2: expected at least 2 columns, found 1 separated by tabs"),
        ("a.tsv", "A DET\n\ncat\n", {}, "a.tsv:3: expected at least 2 columns, found 1 separated by spaces"),
        ("a.tsv", "A\tDET\n", {"tag_column": 3}, "a.tsv:1: expected at least 3 columns, found 2 separated by tabs"),
        ("a.tsv", "A\t \n", {}, "a.tsv:1: the tag is empty"),
        ("a.tsv", " \tDET\n", {}, "a.tsv:1: the token is empty"),
        ("a.conllu", "1\tIt\n", {}, "a.conllu:1: expected at least 4 columns, found 2 separated by tabs"),
        ("a.tsv", "", {}, "a.tsv holds no sentence; expected a token, a tab and a tag on each line"),
        ("a.conllu", "# text\n\n", {}, "a.conllu holds no sentence; expected a token, a tab and a tag on each line"),
        (
            "a.tsv",
            "A\tDET\n",
            {"token_column": 0},
            "token_column must be at least 1, got 0: columns are counted from 1",
        ),
    ],
)
def test_errors_name_file_and_line(write, name, content, options, message):
    path = write(content, name)
    with pytest.raises(InputError) as caught:
        read_tagged(path, **options)
    assert str(caught.value).removeprefix(f"{path.parent}/") == message


def test_bytes_that_are_not_utf8_can_be_replaced(write, tmp_path):
    path = write(b"caf\xe9\tX\n", "a.tsv")
    with pytest.raises(InputError, match="byte 0xe9 at offset 3 is not UTF-8"):
        read_tagged(path)
    assert read_tagged(path, encoding_errors="replace")[0] == [["caf\ufffd"]]
    with pytest.raises(InputError, match="is a directory"):
        read_tagged(tmp_path)


def test_the_public_treebank_is_read_whole(public_data):
    sentences, tags = read_tagged("data:ud_ewt/dev")
    assert (len(sentences), sum(map(len, sentences))) == (2001, 25147)
    assert len({tag for row in tags for tag in row}) == 17
