"""Parallel text in one file or two; errors name the file and line."""

import bz2
import json

import pytest

from corpora import InputError, iter_sources, read_parallel

TWO = (["das Haus", 'ein "Tag"'], ["the house", 'a "day"'], None)


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def writer(content, name="a.tsv"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return writer


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("a.tsv", 'das Haus\tthe house\nein "Tag"\ta "day"\n', {}),
        ("a", '\ufeff das Haus \t the house\r\n\n \t\nein "Tag"\ta "day"\tmore\r\n', {}),
        ("a.tsv", '1\tthe house\tdas Haus\n2\ta "day"\tein "Tag"', {"source_column": 3, "target_column": "2"}),
        ("a.tsv", 'en\tde\nthe house\tdas Haus\na "day"\tein "Tag"\n', {"source_column": "de", "target_column": "en"}),
        ("a.jsonl", "\n".join(json.dumps({"source": s, "target": t}) for s, t in zip(*TWO[:2], strict=True)), {}),
        (
            "a.ndjson",
            "\n\n".join(json.dumps({"de": s, "en": t, "n": 1}) for s, t in zip(*TWO[:2], strict=True)),
            {"source_column": "de", "target_column": "en"},
        ),
    ],
)
def test_pairs_in_every_format(write, name, content, columns):
    assert read_parallel(write(content, name), **columns) == TWO
    assert read_parallel(write(bz2.compress(content.encode()), f"{name}.bz2"), **columns) == TWO


def test_features_of_the_targets(write):
    name = write("go\tV;PST\twent\nsee\t\tsee\n")
    found = read_parallel(name, target_column=3, features_column=2)
    assert found == (["go", "see"], ["went", "see"], ["V;PST", ""])
    name = write('{"source": "go", "target": "went", "features": "V;PST"}', "a.jsonl")
    assert read_parallel(name, features_column="features").features == ["V;PST"]


def test_two_aligned_files(write):
    files = write("das Haus\n\nein Tag\n", "a.de"), write("the\thouse\n\na day", "a.en")
    assert read_parallel(*files) == (["das Haus", "ein Tag"], ["the\thouse", "a day"], None)
    write("das Haus\n", "one.de")
    with pytest.raises(InputError, match=r"one\.de has 1 line but a\.en has 3 lines; line n of one must belong"):
        read_parallel("one.de", "a.en")
    write("a\n\nb\n", "gap.de")
    write("a\n \nb\n", "same.en")
    assert read_parallel("gap.de", "same.en").sources == ["a", "b"]
    write("a\nc\nb\n", "more.en")
    with pytest.raises(InputError, match=r"gap\.de:2: the source is empty; give one, or remove the line from both"):
        read_parallel("gap.de", "more.en")
    with pytest.raises(InputError, match=r"gap\.de:2: the target is empty"):
        read_parallel("more.en", "gap.de")
    with pytest.raises(InputError, match="columns do not apply to two files"):
        read_parallel(*files, source_column=1)
    write("\n", "blank")
    with pytest.raises(InputError, match="blank and blank contain no pairs"):
        read_parallel("blank", "blank")


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        ("a.tsv", "a\tb\nc d\n", {}, "a.tsv:2: expected at least 2 columns, found 1 separated by tabs"),
        ("a.tsv", "a\tb\n", {"features_column": 4}, "a.tsv:1: expected at least 4 columns, found 2"),
        ("a.tsv", "a\tb\n \tb\n", {}, "a.tsv:2: the source is empty; give one, or remove the line"),
        ("a.tsv", "a\tb\nb\t\n", {}, "a.tsv:2: the target is empty"),
        ("a.tsv", "", {}, "a.tsv contains no pairs; expected a source, a tab and a target on each line"),
        ("a.tsv", "de\ten\n", {"source_column": "de"}, "a.tsv contains no pairs"),
        ("a.tsv", "de\ten\n", {"source_column": "fr"}, "no column 'fr'; set source_column to one of 'de', 'en'"),
        ("a.tsv", "a\tb\n", {"target_column": 0}, "target_column must be at least 1, got 0"),
        ("a.jsonl", "{", {}, "a.jsonl:1: not JSON"),
        ("a.jsonl", '{"source": "a"}\n', {}, "a.jsonl:1: no key 'target'; set target_column to one of 'source'"),
        ("a.jsonl", '{"source": "a", "target": 3}\n', {}, "a.jsonl:1: 'target' must be a string, found a number"),
        ("a.jsonl", '{"source": "\\ud83d", "target": "b"}\n', {}, "is an unpaired surrogate"),
    ],
)
def test_errors_name_file_and_line(write, name, content, columns, message):
    with pytest.raises(InputError) as error:
        read_parallel(write(content, name), **columns)
    assert message in str(error.value)


def test_sources_without_targets_keep_their_places(write):
    name = write(" a b \n\nc\tx\ty\n")
    assert list(iter_sources(name)) == [("a b", None), ("", None), ("c", None)]
    with pytest.raises(InputError, match=r"a\.tsv:1: expected at least 2 columns, found 1"):
        list(iter_sources(name, features_column=2))
    name = write("go\tPST\n\n \t\nsee\tPRS\tsees\n")
    rows = [("go", "PST"), ("", ""), ("", ""), ("see", "PRS")]
    assert list(iter_sources(name, features_column=2)) == rows
    name = write("tag\tlemma\nPST\tgo\n")
    assert list(iter_sources(name, source_column="lemma", features_column="tag")) == [("go", "PST")]
    name = write('{"text": "go", "x": "PST"}', "a.jsonl")
    assert list(iter_sources(name, source_column="text", features_column="x")) == [("go", "PST")]


def test_the_samples_have_no_date_in_common():
    train, test = read_parallel("sample:dates"), read_parallel("sample:dates-test")
    assert (len(train.sources), len(test.sources)) == (1600, 200)
    assert len({*train.targets, *test.targets}) == 1800
    assert {len(target) for target in train.targets} == {10}
