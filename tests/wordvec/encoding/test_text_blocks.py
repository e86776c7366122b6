"""What is not a corpus is rejected, with what to pass instead."""

import pathlib

import numpy as np
import pytest

from wordvec import CountVectorizer, InputError, TfidfVectorizer, Word2Vec, count_documents, encode_corpus
from wordvec.encoding.text_blocks import check_item, items_of


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one two three\n" * 9)
    return path


@pytest.mark.parametrize("wrap", [str, pathlib.Path, lambda p: [str(p)], lambda p: [p], lambda p: str(p).encode()])
def test_a_path_instead_of_texts_is_rejected(path, wrap):
    fitted = Word2Vec(min_count=1, epochs=1, vector_size=4).fit(["one two three"] * 5)
    for use in (
        lambda texts: encode_corpus(texts, min_count=1),
        Word2Vec(min_count=1).fit,
        fitted.transform,
        CountVectorizer().fit,
        TfidfVectorizer().fit,
        count_documents,
    ):
        with pytest.raises(InputError, match=r"got a path; pass TextCorpus\('.*text.txt'\) to read the file"):
            use(wrap(path))


def test_texts_that_resemble_paths_are_texts(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    (path.parent / "folder.d").mkdir()
    (path.parent / "word").write_text("")
    for text in ("no-such-file.txt", "read text.txt", "word", "folder.d", "\0.", "a" * 2000 + "."):
        check_item(text, 0)


class Table:
    """The part of a DataFrame that matters: iterating over it yields the names of its columns."""

    columns = ("text", "label")
    ndim = 2

    def __iter__(self):
        return iter(self.columns)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (Table(), r"got a table; pass one column, df\['text'\]"),
        ({"a": "text"}, r"got a mapping; pass its values\(\)"),
        (None, "got None"),
        (7, "got 7"),
        (np.array("text"), "got array"),
        ("text", "got one string; put it in a list"),
    ],
)
def test_other_values_are_rejected(texts, message):
    with pytest.raises(InputError, match=message):
        items_of(texts)


def test_one_column_is_a_list_of_texts():
    texts = ["the cat", "a dog"]
    column = np.array(texts, dtype=object)[:, None]

    class Column(Table):
        columns = ("words",)

        def to_numpy(self):
            return column

    for given in (column, Column()):
        assert list(items_of(given)) == texts
        assert (
            encode_corpus(given, min_count=1).vocabulary.tokens == encode_corpus(texts, min_count=1).vocabulary.tokens
        )
        assert CountVectorizer().fit_transform(given).shape == (2, 4)
        assert Word2Vec(min_count=1, vector_size=2).fit(given).vectors_.tokens == ["a", "cat", "dog", "the"]


def test_no_message_prints_a_corpus():
    sentence = ["word"] * 100_000
    for use in (lambda: encode_corpus([[sentence]]), lambda: Word2Vec([sentence]).fit(["a b"])):
        with pytest.raises(InputError) as caught:
            use()
        assert len(str(caught.value)) < 300
