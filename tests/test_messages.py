"""Errors about files stay short, whatever the files hold."""

import json

import pytest

from corpora import read_dated_series, read_labelled, read_texts
from wordvec import InputError, WordVectors, encode_corpus, evaluate_file, load_vectors, load_vocabulary
from wordvec.checkpointing.checkpoint import differing_settings, listed

LONG = "long" * 1000


def evaluate(path):
    return evaluate_file(WordVectors(["a", "b"], [[0, 1], [1, 0]]), path)


def encode(path):
    return encode_corpus(["a b"], keep_words=path, drop_words=path, cache=False)


def native(about, shape=(1,)):
    header = {"__metadata__": {"wordvec": json.dumps(about)}}
    for name in ("vectors", "data"):
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4] if name == "vectors" else [4, 8]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(8)


ABOUT = {"kind": "sparse vectors", "version": 1, "tokenizer": "words", "lowercase": True, "settings": {}}


@pytest.mark.parametrize(
    ("read", "name", "content", "part"),
    [
        (
            read_labelled,
            "a.tsv",
            f"label\t{LONG}\tx\na\tb\tc\n",
            "no column 'text'; set text_column to one of 'label', 'long",
        ),
        (read_labelled, "a.csv", f"{LONG},b\nx,y\n", "no column 'text'"),
        (read_texts, "a.csv", ",".join(f"{k}{LONG}" for k in range(30)) + "\n", "and 27 more"),
        (read_labelled, "a.jsonl", json.dumps({LONG: 1, "text": "x"}), "no key 'label'"),
        (read_dated_series, "a.csv", f"{LONG}\n1x\n", "no column contains a number"),
        (read_dated_series, "a.csv", f'{LONG},b\n"1,5",2\n', "numbers with a decimal point"),
        (read_dated_series, "a.csv", f"{LONG}\n1\n{LONG}\n", "must be a number, found 'long"),
        (read_dated_series, "a.csv", f'{LONG};b\n1,5;2\n"1.{"5" * 400}";3\n', "other numbers have decimal points"),
        (read_dated_series, "a.csv", f"{LONG};b\n1,500;2\n", "a thousands separator"),
        (read_dated_series, "a.csv", f"{LONG},b\n2024-01-01,2\nx,3\n", "must be a date like '2024-01-01', found 'x'"),
        (read_dated_series, "a.csv", f"{LONG},b\n2024-01-01,2\n2024-01-01,3\n", "repeats the date of line 2"),
        (read_dated_series, "a.csv", f"{LONG},b\n2024-01,2\n2024-02,3\n2024-04,3\n", "jumps from '2024-02' to"),
        (evaluate, "a.tsv", f"a\tb\t1\nc\td\t{LONG}\n", "expected a score, found 'long"),
        (load_vocabulary, "a.txt", f"{LONG} 1\n{LONG} 1\n", "duplicate word 'long"),
        (load_vocabulary, "a.txt", "\U000e0001" * 100, "got '\\U000e0001"),
        (read_labelled, "a.txt", f"__label__x y\n{chr(0xE0001) * 100}\n", "found '\\U000e0001"),
        (encode, "a.txt", f"{LONG}\n", "both contain 'long"),
        (load_vectors, "a.safetensors", native({"kind": LONG}), "expected vectors, found 'long"),
        (load_vectors, "a.safetensors", native({"kind": "vectors", "version": LONG}), "must be 1, got 'long"),
        (load_vectors, "a.safetensors", native({**ABOUT, "columns": 10**4000}), "got 10000"),
        (load_vectors, "a.safetensors", native({**ABOUT, "kind": "vectors"}, [1] * 32), "got F32 of shape (1, 1"),
        (load_vectors, "a.bin", f"2 1\n{LONG} ".encode() + b"\0\0\x80\x7f" + b"b \0\0\0\0", "contains NaN or infinity"),
    ],
)
def test_message_quotes_a_short_part_of_a_long_value(tmp_path, read, name, content, part):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value).replace(str(tmp_path), "")
    assert part in message
    assert len(message) <= 300
    assert "\n" not in message


def test_unknown_word_is_shortened_like_the_near_ones():
    words = WordVectors([f"{LONG}{letter}" for letter in "abc"], [[0, 1], [1, 0], [1, 1]])
    for word in (LONG + "d", "x" * 5000):
        with pytest.raises(InputError) as caught:
            words[word]
        assert len(str(caught.value)) <= 300


def test_differing_settings_are_shortened_and_nested_ones_compared_one_by_one():
    was = {"model": "glove", "alpha": LONG, "counts": {"window": 3, "seed": 1}, **{f"b{k}": k for k in range(40)}}
    now = {"model": "svd", "counts": {"window": 5, "seed": 1}}
    found = differing_settings(was, now)
    assert found[0] == "model was 'glove' and is now 'svd'"
    assert found[-1] == "window was 3 and is now 5"
    assert not any("seed" in phrase for phrase in found)
    assert len(listed(found)) <= 180
    assert listed(found).startswith("model was 'glove' and is now 'svd'; alpha was 'long")
    assert listed(found).endswith(" and 39 more")
    assert listed(found[:1]) == found[0]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("KeyedVectors", r"WordVectors, which wordvec\.load_vectors"), ("Text8Corpus", r"corpora\.TextCorpus\(FILE\)")],
)
def test_names_of_other_packages_are_answered_with_ours(name, remedy):
    with pytest.raises(ImportError, match=rf"^wordvec has no {name}; use {remedy}"):
        exec(f"from wordvec import {name}")
