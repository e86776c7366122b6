"""Tagged text in column formats; errors name the file and line."""

import bz2
import io
import sys

import pytest

from corpora import InputError, read_tagged, read_tokens

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
def test_sentences_and_tags_in_every_format(write, name, content):
    assert read_tagged(write(content, name)) == ONE
    assert read_tagged(write(bz2.compress(content.encode()), f"{name}.bz2")) == ONE


def test_tab_separated_tokens_may_contain_spaces_and_hashes(write):
    path = write("#1\tNOUN\nNew York\tPROPN\n\u00bd\tNUM\n", "a.tsv")
    assert read_tagged(path) == ([["#1", "New York", "\u00bd"]], [["NOUN", "PROPN", "NUM"]])


def test_conllu_comments_ranges_and_empty_nodes_are_skipped(write):
    path = write(CONLLU, "a.conllu")
    assert read_tagged(path) == ([["It", "is", "n't", "#1"], ["Go"]], [["PRON", "AUX", "PART", "NOUN"], ["VERB"]])
    assert read_tagged(path, tag_column=5)[1] == [["PRP", "VBZ", "RB", "NN"], ["VB"]]
    assert read_tagged(path, token_column=3)[0][0][1] == "be"


@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.tsv", "a"])
def test_conllu_is_recognized_under_any_name(write, name):
    assert read_tagged(write(CONLLU, name)) == read_tagged(write(CONLLU, "a.conllu"))
    chosen = {"tag_column": 5}
    assert read_tagged(write(CONLLU, name), **chosen) == read_tagged(write(CONLLU, "a.conllu"), **chosen)


@pytest.mark.parametrize(
    "content",
    [
        "-DOCSTART- -X- -X- O\n\nA DET X O\ncat NOUN X O\n\n-DOCSTART- -X- -X- O\n\nSleep VERB X O\n",
        "-DOCSTART-\tO\nA\tDET\ncat\tNOUN\n-DOCSTART-\tO\nSleep\tVERB\n",
        "-DOCSTART-\n\nA\tDET\ncat\tNOUN\n\nSleep\tVERB\n",
    ],
)
def test_document_borders_are_not_tokens(write, content):
    assert read_tagged(write(content, "a.txt")) == ONE


@pytest.mark.parametrize(
    "content",
    [
        "# id 17 domain=social\nA\tDET\ncat\tNOUN\n\n# id 18\tdomain=social\tx\nSleep\tVERB\n",
        "# id 5a domain=en\nA DET _\ncat NOUN _\n\n# id 6b\tdomain=en\nSleep VERB _\n",
        "# text = A\nA DET X O\ncat NOUN X O\n\n#\n#x = Sleep\nSleep VERB X O\n",
        "# id 5a\tdomain=en\nA _ _ DET\ncat _ _ NOUN\n\n# id 5a\tdomain=en\nSleep _ _ VERB\n",
    ],
)
def test_comments_before_a_sentence_are_skipped(write, content):
    assert read_tagged(write(content, "a.conll"), tag_column=4 if " _ _ " in content else 2) == ONE


def test_hashes_with_the_columns_of_a_token_are_tokens(write):
    assert read_tagged(write("# SYM\n1 NUM\n# SYM\n", "a")) == ([["#", "1", "#"]], [["SYM", "NUM", "SYM"]])
    assert read_tagged(write("a DET\n\n# # \n1 NUM\n", "a")) == ([["a"], ["#", "1"]], [["DET"], ["#", "NUM"]])
    assert read_tagged(write("#\tSYM\n#1\tX\n", "a")) == ([["#", "#1"]], [["SYM", "X"]])


def test_only_tabs_and_spaces_separate_columns(write):
    assert read_tagged(write("10\u00a0000 NUM\nx\u3000y X\n", "a")) == ([["10\u00a0000", "x\u3000y"]], [["NUM", "X"]])
    assert read_tagged(write("\u00a0\tPUNCT\n", "a")) == ([["\u00a0"]], [["PUNCT"]])


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.tsv", "A\tDET\ncat\tNOUN\n\n\nSleep\tVERB\n\n", {}),
        ("a.conll", "A\ncat\n\nSleep\n", {}),
        ("a.conll", "A DET\ncat NOUN\n-DOCSTART- O\nSleep VERB\n", {}),
        ("a.txt", "1 A\n2 cat\n\n1 Sleep\n", {"token_column": 2}),
        ("a.txt", "A cat\nSleep\n", {}),
        ("a.tsv", "A cat\nSleep\n", {}),
    ],
)
def test_tokens_need_no_tags(write, name, content, options):
    assert read_tokens(write(content, name), **options) == ONE[0]


def test_tokens_of_conllu_and_of_blank_lines(write):
    assert read_tokens(write(CONLLU, "a.txt")) == read_tagged(write(CONLLU, "a.conllu"))[0]
    assert read_tokens(write("a\tb\n\nc\n", "a.txt")) == [["a", "b"], [], ["c"]]
    assert read_tokens(write("", "a.tsv")) == read_tokens(write("", "a.conll")) == []
    with pytest.raises(InputError, match="token_column must be at least 1, got 0"):
        read_tokens(write("a\tb\n", "a.tsv"), token_column=0)


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
        ("a.tsv", "", {}, "a.tsv contains no sentences; expected a token, a tab and a tag on each line"),
        ("a.conllu", "It\tPRON\n", {}, "a.conllu:1: the first column of CoNLL-U must be a token number, got 'It'"),
        (
            "a.conllu",
            "# text\n\n",
            {},
            "a.conllu contains no sentences; expected a token, a tab and a tag on each line",
        ),
        (
            "a.tsv",
            "A\tDET\n",
            {"token_column": 0},
            "token_column must be at least 1, got 0; columns are numbered from 1",
        ),
    ],
)
def test_errors_name_file_and_line(write, name, content, options, message):
    path = write(content, name)
    with pytest.raises(InputError) as caught:
        read_tagged(path, **options)
    assert str(caught.value).removeprefix(f"{path.parent}/") == message


def test_invalid_utf8_can_be_replaced(write, tmp_path):
    path = write(b"caf\xe9\tX\n", "a.tsv")
    with pytest.raises(InputError, match="byte 0xe9 at offset 3 is not UTF-8"):
        read_tagged(path)
    assert read_tagged(path, encoding_errors="replace")[0] == [["caf\ufffd"]]
    with pytest.raises(InputError, match="is a directory"):
        read_tagged(tmp_path)


def test_public_treebank_is_read_completely(public_data):
    sentences, tags = read_tagged("data:ud_ewt/dev")
    assert (len(sentences), sum(map(len, sentences))) == (2001, 25147)
    assert len({tag for row in tags for tag in row}) == 17
