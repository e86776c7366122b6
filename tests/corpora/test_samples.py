"""Bundled samples and the labeled-text readers in four formats; errors name the file and line."""

import bz2
import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import InputError, TextCorpus, read_label_sets, read_labelled, read_texts, sample_path, samples

ROOT = Path(__file__).resolve().parents[2]
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\",;' {}[]:\\"), max_size=20)
LABELS = WORDS.map(str.strip).filter(bool)
EXAMPLES = st.lists(st.tuples(LABELS, WORDS), min_size=1, max_size=6)
ANY_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def write(tmp_path):
    def to_file(content, name):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file


# -- samples -----------------------------------------------------------------------------------------------------------


def test_labeled_samples_have_disjoint_train_and_test_sets():
    train, train_labels = read_labelled("sample:disasters")
    test, test_labels = read_labelled("sample:disasters-test")
    assert set(train_labels) == set(test_labels) == {"disaster", "other"}
    assert 600 <= len(train) <= 1_500
    assert 150 <= len(test) <= 500
    assert len({*train, *test}) == len(train) + len(test)
    for labels in (train_labels, test_labels):
        assert 0.3 <= labels.count("disaster") / len(labels) <= 0.7


def test_every_stored_sample_is_a_package_file():
    for name in samples.FILES:
        assert sample_path(name).is_file()
        assert sample_path(f"sample:{name}") == sample_path(name)
    with pytest.raises(
        InputError, match="sample:english is generated on reading and has no file; read it with TextCorpus"
    ):
        sample_path("english")
    with pytest.raises(
        InputError, match=r"unknown sample 'disaster'; choose one of .*; did you mean sample:disasters\?"
    ):
        sample_path("disaster")


def test_the_generated_sample_reads_like_a_file():
    corpus = TextCorpus("sample:english")
    data = b"".join(corpus.blocks())
    assert 1_200_000 <= len(data.split()) < 1_200_100
    assert corpus.size() == corpus.bytes_read() == len(data)
    assert corpus.fingerprint() == TextCorpus("sample:english").fingerprint()
    assert next(iter(corpus)) == data.split(b"\n", 1)[0].decode()


def test_importing_corpora_loads_no_submodules():
    code = "import sys, corpora; print(*sorted(name for name in sys.modules if name.startswith('corpora')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["corpora"]


def test_every_public_name_is_importable():
    import corpora

    for name in corpora.__all__:
        assert getattr(corpora, name) is not None
    assert set(corpora.__all__) <= set(dir(corpora))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = corpora.nothing


# -- round trips -------------------------------------------------------------------------------------------------------


@ANY_FILE
@given(EXAMPLES)
def test_tsv_round_trip(write, examples):
    path = write("label\ttext\n" + "".join(f"{label}\t{text}\n" for label, text in examples), "a.tsv")
    assert read_labelled(path) == ([text for _, text in examples], [label for label, _ in examples])


@ANY_FILE
@given(st.lists(st.tuples(LABELS, WORDS | st.just("two\nlines") | st.just('"')), min_size=1, max_size=6))
def test_csv_round_trip(write, examples):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(
        [("id", "text", "label"), *((7, text, label) for label, text in examples)]
    )
    path = write(gzip.compress(out.getvalue().encode()), "a.csv.gz")
    assert read_labelled(path) == ([text for _, text in examples], [label for label, _ in examples])


@ANY_FILE
@given(EXAMPLES)
def test_jsonl_round_trip(write, examples):
    lines = [
        json.dumps({"text": text, "label": label, "id": 1}, ensure_ascii=len(text) % 2 == 0) for label, text in examples
    ]
    path = write("\n".join(lines), "a.jsonl")
    assert read_labelled(path) == ([text for _, text in examples], [label for label, _ in examples])


@ANY_FILE
@given(EXAMPLES)
def test_fasttext_round_trip(write, examples):
    examples = [("-".join(label.split()), " ".join(text.split())) for label, text in examples]
    path = write("".join(f"__label__{label} {text}\n" for label, text in examples), "a.txt")
    assert read_labelled(path) == ([text for _, text in examples], [label for label, _ in examples])


# -- formats -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "texts", "labels"),
    [
        ("a.tsv", "a\tx\n\nb\t\nc\t y \r\n", ["x", "", " y "], ["a", "b", "c"]),
        ("a.tsv", "text\tlabel\nx\ta\n", ["x"], ["a"]),
        ("a.tsv", "\ufefflabel\ttext\na\tx", ["x"], ["a"]),
        ("a.csv", 'label,text\na,"x, ""y""\nz"\n\nb,\n', ['x, "y"\nz', ""], ["a", "b"]),
        ("a.csv", "text;label\nx;a\n", ["x"], ["a"]),
        ("a.csv", "text\tlabel\nx; y\ta\n", ["x; y"], ["a"]),
        ("a.csv", "label , text\na,x\n", ["x"], ["a"]),
        ("a.ndjson", '{"text": "x", "label": 1}\n\n{"label": true, "text": ""}\n', ["x", ""], ["1", "true"]),
        ("a.txt", "__label__a x y \n\n__label__b\n", ["x y", ""], ["a", "b"]),
        ("a.txt", "x __label__a y z\nx __label__b\n", ["x y z", "x"], ["a", "b"]),
        ("a.tsv", "sentence\tlabel\nx\ta\n", ["x"], ["a"]),
        ("a.tsv", "Label\tid\tText\na\t7\tx\n", ["x"], ["a"]),
        ("a.csv", "review,label\nx,a\n", ["x"], ["a"]),
        ("a.csv", "Sentiment,Text\na,x\n", ["x"], ["a"]),
        ("a.txt", "a\tx\n", ["x"], ["a"]),
        ("a", '{"text": "x", "label": "a"}', ["x"], ["a"]),
        ("A.TSV", "a\tx\n", ["x"], ["a"]),
        # As Excel and CSV writers quote.
        ("a.tsv", 'a\t"say ""y"""\nb\tx\n', ['say "y"', "x"], ["a", "b"]),
        ("a.tsv", 'label\ttext\na\t"x, y"\nb\t"x\ny"\n', ["x, y", "x\ny"], ["a", "b"]),
        ("a.tsv", '"label"\t"text"\n"a"\t"x"\n', ["x"], ["a"]),
        ("a.tsv", 'a\t"x\ty"\n', ["x\ty"], ["a"]),
        # Quotes that belong to the text.
        ("a.tsv", 'a\t"x" y, ""z""\nb\t"x, y"\n', ['"x" y, ""z""', '"x, y"'], ["a", "b"]),
        ("a.tsv", 'a\t"x y"\nb\tsay "z"\n', ['"x y"', 'say "z"'], ["a", "b"]),
        ("a.tsv", 'a\t"x, y\nb\tz"\n', ['"x, y', 'z"'], ["a", "b"]),
    ],
)
def test_accepted_variants_of_each_format(write, name, content, texts, labels):
    assert read_labelled(write(content, name)) == (texts, labels)
    assert read_labelled(write(bz2.compress(content.encode()), f"{name}.bz2")) == (texts, labels)


def test_columns_can_be_chosen(write):
    table = "id,keyword,location,text,target\n1,,,Fire!,1\n"
    chosen = {"label_column": "target"}
    assert read_labelled(write(table, "a.csv"), **chosen) == (["Fire!"], ["1"])
    assert read_labelled(write(table.replace(",", "\t"), "a.tsv"), **chosen) == (["Fire!"], ["1"])
    record = json.dumps({"body": "x", "y": "a"})
    assert read_labelled(write(record, "a.jsonl"), text_column="body", label_column="y") == (["x"], ["a"])


def test_long_csv_fields_are_read_and_the_limit_is_restored(write):
    before = csv.field_size_limit()
    long = "x" * 200_000
    assert read_labelled(write(f"text,label\n{long},a\n", "a.csv")) == ([long], ["a"])
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "content", "separator"),
    [
        ("a.tsv", "a, b\tx\n\ty\nb,b,\tz\n", ","),
        ("a.csv", "text,label\nx,a | b\ny,\nz,b\n", "|"),
        ("a.jsonl", '{"text": "x", "label": ["a", "b"]}\n{"text": "y", "label": []}\n{"text": "z", "label": "b"}', ";"),
    ],
)
def test_texts_may_have_several_labels_or_none(write, name, content, separator):
    assert read_label_sets(write(content, name), separator) == (["x", "y", "z"], [["a", "b"], [], ["b"]])


def test_cells_may_hold_lists_as_pandas_writes_them(write):
    cells = ["\"['fire', 'flood']\"", "[]", "['flood']", '"[""it\'s"", \'b\']"', "{'a'}", "\"('a',)\"", "[a]", "('a')"]
    path = write("text,label\n" + "".join(f"x,{cell}\n" for cell in cells), "a.csv")
    sets = [["fire", "flood"], [], ["flood"], ["it's", "b"], ["a"], ["a"], ["[a]"], ["a"]]
    assert read_label_sets(path) == (["x"] * len(cells), sets)
    path = write("text,label\nx,['fire' 'flood']\n", "a.csv")
    with pytest.raises(
        InputError, match=r"a\.csv:2: the label .* is not a list of labels; write names separated by ','"
    ):
        read_label_sets(path)


def test_fasttext_lines_may_have_several_labels(write):
    path = write("__label__a __label__b x\n__label__b y\n", "a.txt")
    assert read_label_sets(path) == (["x", "y"], [["a", "b"], ["b"]])
    with pytest.raises(InputError, match="must not be empty"):
        read_label_sets(path, "")


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", 'id,text\n7,"x, ""y""\nz"\n8,b\n', {}),
        ("a.csv", 'sentence\n"x, ""y""\nz"\nb\n', {}),
        ("a.csv", 'Label;Review\na;"x, ""y""\nz"\nb;b\n', {}),
        ("a.csv", 'id;body\na;"x, ""y""\nz"\nb;b\n', {"text_column": "body"}),
        ("a.jsonl", '{"text": "x, \\"y\\"\\nz"}\n\n{"text": "b", "label": null}\n', {}),
    ],
)
def test_texts_of_tables_need_no_labels(write, name, content, options):
    assert read_texts(write(content, name), **options) == ['x, "y"\nz', "b"]
    assert read_texts(write(gzip.compress(content.encode()), f"{name}.gz"), **options) == ['x, "y"\nz', "b"]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.tsv", "l\tx y\n\nl\tz\n", {}),
        ("a.tsv", "x y\nz\n", {}),
        ("a.tsv", "text\nx y\nz\n", {}),
        ("a.tsv", "sentence\tlabel\nx y\ta\nz\tb\n", {}),
        ("a.tsv", "id\ttext\tclass\n1\tx y\ta\n2\tz\tb\n", {}),
        ("a.tsv", "id\tbody\tclass\n1\tx y\ta\n2\tz\tb\n", {"text_column": "body"}),
        ("a.txt", "x y\nz\n", {}),
        ("a.txt", "__label__a x y\n__label__b z\n", {}),
    ],
)
def test_texts_of_lines_need_no_labels(write, name, content, options):
    assert read_texts(write(content, name), **options) == ["x y", "z"]


def test_lines_without_columns_are_kept_as_they_are(write):
    assert read_texts(write("a\tb\n\nx,y __label__z\n", "a.txt")) == ["a\tb", "", "x,y __label__z"]
    assert read_texts(write("", "a.txt")) == read_texts(write("", "a.csv")) == []


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.csv", "id,body\n1,x\n", {}, "a.csv:1: no column 'text'; set text_column to one of 'id', 'body'"),
        ("a.csv", "id,text\n1\n", {}, "a.csv:2: expected 2 columns, found 1"),
        ("a.tsv", "1\ta\tx\n", {}, "a.tsv:1: expected label<TAB>text or a text, found 3 columns; add a header"),
        ("a.tsv", "a\tx\nb\n", {}, "a.tsv:2: expected 2 columns, found 1"),
        ("a.jsonl", '{"body": "x"}', {}, "a.jsonl:1: no key 'text'; set text_column to one of 'body'"),
        ("a.txt", "x", {"text_column": "t"}, "a.txt has no columns, but text_column is 't'; leave it out, or name the"),
    ],
)
def test_errors_of_texts_name_file_and_line(write, name, content, options, message):
    path = write(content, name)
    with pytest.raises(InputError) as caught:
        read_texts(path, **options)
    assert str(caught.value).removeprefix(f"{path.parent}/").startswith(message)


def test_examples_are_read_from_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\tx\n")))
    assert read_labelled("-") == (["x"], ["a"])


# -- errors ------------------------------------------------------------------------------------------------------------

ONE_LABEL = "expected one label, found a list of {}; use one label per line or read label sets"
ERRORS = [
    ("a.tsv", "a\tx\n" * 16 + "only one", {}, "a.tsv:17: expected 2 columns, found 1"),
    (
        "a.tsv",
        "a\tx\ty\n",
        {},
        "a.tsv:1: expected 2 columns, found 3; texts must not contain tabs, and more columns need a header",
    ),
    (
        "a.tsv",
        "a;one text\n",
        {},
        "a.tsv:1: expected label<TAB>text, found no tab in 'a;one text'; name the file .csv if its columns are "
        "separated otherwise",
    ),
    ("a.tsv", "a\tx\n \tx\n", {}, "a.tsv:2: the label is empty; add it, or leave the text out"),
    (
        "a.tsv",
        "".join(f"text {number}\t{number % 2}\n" for number in range(8)),
        {},
        "a.tsv: 8 of 8 labels are different, but only 2 texts; without a header the columns are label<TAB>text: swap "
        "them, or put the header text<TAB>label on the first line",
    ),
    (
        "a.tsv",
        "id\tlabel\tsentence\n1\ta\tx\n",
        {},
        "a.tsv:1: no column 'text'; set text_column to one of 'id', 'label', 'sentence'",
    ),
    ("a.tsv", "", {}, "a.tsv is empty; expected labels and texts"),
    ("a.tsv", "\n\n", {}, "a.tsv contains no examples, only empty lines"),
    ("a.tsv", "label\ttext\n", {}, "a.tsv contains no examples, only a header"),
    ("a.csv", "text,label\n", {}, "a.csv contains no examples, only a header"),
    (
        "a.csv",
        "id,text,target\n1,x,a\n",
        {},
        "a.csv:1: no column 'label'; set label_column to one of 'id', 'text', 'target'",
    ),
    (
        "a.csv",
        "id,text,target\n1,x,a\n",
        {"text_column": "body"},
        "a.csv:1: no column 'body'; set text_column to one of 'id', 'text', 'target'",
    ),
    ("a.csv", "text,text,label\n", {}, "a.csv:1: 2 columns are named 'text'; column names must be unique"),
    ("a.csv", 'text,label\n"x\ny\nz",a\nx\n', {}, "a.csv:5: expected 2 columns, found 1"),
    (
        "a.csv",
        "text,label\nx, y,a\n",
        {},
        "a.csv:2: expected 2 columns, found 3; put texts that contain ',' in double quotes",
    ),
    (
        "a.csv",
        'text,label\nx,a\n"y,b\nz,c\n',
        {},
        "a.csv:3: not CSV: the double quote that opens a field here is never closed",
    ),
    (
        "a.csv",
        'text,label\n"x"y,b\n',
        {},
        "a.csv:2: not CSV: ',' expected after '\"'; double the quotes inside a quoted field",
    ),
    ("a.jsonl", '{"text": "x", "label": "a"}\n{"text"', {}, "a.jsonl:2: not JSON: Expecting ':' delimiter at column 8"),
    ("a.jsonl", "[1]", {}, "a.jsonl:1: expected one JSON object per line, found a list"),
    (
        "a.jsonl",
        '{"texts": "x", "label": "a"}',
        {},
        "a.jsonl:1: no key 'text'; set text_column to one of 'texts', 'label'",
    ),
    ("a.jsonl", "{}", {}, "a.jsonl:1: no key 'text'; the object is empty"),
    ("a.jsonl", '{"text": null, "label": "a"}', {}, "a.jsonl:1: 'text' must be a string, found null"),
    (
        "a.jsonl",
        '{"text": "x", "label": ["a"]}',
        {},
        "a.jsonl:1: expected one label, found a list of 1; use one label per line or read label sets",
    ),
    (
        "a.jsonl",
        '{"text": "x", "label": NaN}',
        {},
        "a.jsonl:1: 'label' must not be missing; add it, or leave the text out",
    ),
    (
        "a.jsonl",
        '{"text": "x", "sentiment": null}',
        {"label_column": "sentiment"},
        "a.jsonl:1: 'sentiment' must not be missing; add it, or leave the text out",
    ),
    ("a.jsonl", '{"text": "x", "label": ""}', {}, "a.jsonl:1: the label is empty; add it, or leave the text out"),
    ("a.jsonl", '{"text": "x", "label": [{}]}', {}, "a.jsonl:1: 'label' must be a string or a number, found an object"),
    (
        "a.jsonl",
        '{"text": "\\ud83d", "label": "a"}',
        {},
        "a.jsonl:1: \\ud83d is an unpaired surrogate, which UTF-8 cannot encode; write the pair or remove it",
    ),
    (
        "a.jsonl",
        '{"text": "x", "label": "a"}\n{"text": "y", "label": "b", "text": "z"}',
        {},
        "a.jsonl:2: the key 'text' occurs 2 times in an object; rename or remove all but one",
    ),
    ("a.jsonl", "[" * 100_000, {}, "a.jsonl:1: the JSON is nested too deeply; expected a flat object"),
    ("a.txt", "__label__a x\nno label\n", {}, "a.txt:2: expected a label __label__NAME, found 'no label'"),
    (
        "a.txt",
        "__label__a __label__b x\n",
        {},
        "a.txt:1: expected one label, found a list of 2; use one label per line or read label sets",
    ),
    ("a.txt", "__label__ x\n", {}, "a.txt:1: the label is empty; add it, or leave the text out"),
    (
        "a.txt",
        "__label__a x",
        {"text_column": "t"},
        "a.txt: text_column and label_column do not apply to fastText lines",
    ),
    (
        "a.txt",
        "just a text\n",
        {},
        "a.txt: cannot determine the label format; expected .tsv (label<TAB>text), .csv, .jsonl or lines with "
        "__label__NAME",
    ),
    ("a.tsv", "a\tx\n", {"encoding_errors": "skip"}, "encoding_errors must be 'strict' or 'replace', got 'skip'"),
]


@pytest.mark.parametrize(("name", "content", "options", "message"), ERRORS)
def test_errors_name_file_and_line(write, name, content, options, message):
    path = write(content, name)
    with pytest.raises(InputError) as caught:
        read_labelled(path, **options)
    assert str(caught.value).removeprefix(f"{path.parent}/") == message


def test_invalid_utf8_can_be_replaced(write):
    path = write(b"a\tx\xff\n", "a.tsv")
    with pytest.raises(InputError, match=r"a\.tsv: byte 0xff at offset 3 is not UTF-8; re-encode"):
        read_labelled(path)
    assert read_labelled(path, encoding_errors="replace") == (["x\ufffd"], ["a"])


def test_directories_and_missing_files_are_rejected(write, tmp_path):
    with pytest.raises(InputError, match="is a directory; name a file in it"):
        read_labelled(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_labelled(tmp_path / "a.tsv")
