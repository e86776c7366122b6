"""Lines, paragraphs and files as units of text, and wrapped lines."""

import logging
import re
import textwrap

import pytest

from corpora import InputError, TextCorpus
from corpora.units import wrapped_width
from wordvec import count_documents, encode_corpus

BOOK = "\n \nThe cat sat\non the mat.\r\n\r\nIt slept;\nit purred.\n \t\n\n\nThe end.  "
PARAGRAPHS = ["The cat sat on the mat.", "It slept; it purred.", "The end."]


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(BOOK.encode())
    return path


def words(lines):
    return [line.split() for line in lines]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9, 16, 1000])
@pytest.mark.parametrize("tokenizer", ["whitespace", "tweets"])
def test_paragraphs_and_files_at_any_block_size(book, tmp_path, size, tokenizer):
    (tmp_path / "empty.txt").write_text("")
    other = tmp_path / "other.txt"
    other.write_text("Another book\nof two lines")
    for unit, expected in (
        ("paragraph", [*PARAGRAPHS, "Another book of two lines"]),
        ("file", [" ".join(PARAGRAPHS), "", "Another book of two lines"]),
        ("line", [*re.split("\r\n|\n", BOOK), "Another book", "of two lines"]),
    ):
        corpus = TextCorpus(book, tmp_path / "empty.txt", other, unit=unit, tokenizer=tokenizer)
        found = b"".join(corpus.blocks(size)).decode()
        assert found.endswith("\n")
        joined = found.replace(" .", ".").replace(" ;", ";")
        assert words(joined.split("\n")[:-1]) == words(expected)


def test_iterating_yields_paragraphs(book):
    assert words(TextCorpus(book, unit="paragraph")) == words(PARAGRAPHS)


def test_contexts_and_documents_follow_the_unit(book, tmp_path, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE", str(tmp_path / "cache"))
    sizes = [
        len(encode_corpus(TextCorpus(book, unit=unit), min_count=1)) for unit in ("paragraph", "file", "paragraph")
    ]
    assert sizes == [3, 1, 3]
    assert count_documents(TextCorpus(book, unit="file"))[0].shape[0] == 1


def test_unknown_unit_is_rejected(book):
    with pytest.raises(InputError, match="unit must be one of line, paragraph, file, got 'page'"):
        TextCorpus(book, unit="page")


SENTENCES = [
    "It was in July, 1805, and the speaker was the well known Anna, maid of honor and favorite of the Empress.",
    "She had had a cough for some days and was, as she said, suffering from la grippe, a new word then in the city.",
    "All her invitations without exception, written in French and delivered by a footman, ran as follows.",
    "He spoke in that refined French in which our grandfathers not only spoke but thought, with gentle intonation.",
]
PROSE = [" ".join(SENTENCES[k:] + SENTENCES[:k]) for k in range(4)] * 8
VERSE = "I wandered lonely as a cloud\nThat floats on high over vales and hills\nWhen all at once\nI saw a crowd\n" * 40


@pytest.mark.parametrize("width", [40, 65, 79])
@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_wrapped_prose_is_recognized(width, between):
    assert wrapped_width(between.join(textwrap.fill(text, width) for text in PROSE)) in range(width - 5, width + 1)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(SENTENCES * 20),
        "\n".join(PROSE * 3),
        VERSE,
        "the end of it all and the rest too\n" * 100,
        ("ACGT" * 15 + "\n") * 100,
        "",
    ],
    ids=["sentences", "paragraphs", "verse", "short lines", "one word a line", "nothing"],
)
def test_other_text_is_not_called_wrapped(text):
    assert wrapped_width(text) is None


def test_wrapped_lines_are_reported_once(tmp_path, caplog):
    path = tmp_path / "book.txt"
    path.write_text("\n\n".join(textwrap.fill(text, 70) for text in PROSE))
    with caplog.at_level(logging.WARNING):
        encode_corpus(TextCorpus(path, path), cache=False)
    assert [re.sub(r".*/", "", record.message) for record in caplog.records] == [
        "book.txt: most lines break within a sentence at about 70 characters, and contexts end there; unit='paragraph' "
        "(--unit paragraph) reads the lines up to an empty one as one"
    ]
    caplog.clear()
    encode_corpus(TextCorpus(path, unit="paragraph"), cache=False)
    assert not caplog.records


@pytest.mark.parametrize("start", ['<?xml version="1.0"?>\n<TEI>', "\n<!DOCTYPE html>", "<html lang='de'>"])
@pytest.mark.parametrize("unit", ["line", "file"])
def test_markup_is_reported_once(tmp_path, caplog, start, unit):
    for name in "ab":
        (tmp_path / f"{name}.xml").write_text(f"{start}<p>The end</p>\n")
    (tmp_path / "c.txt").write_text("<p> and <i> are tags\n")
    list(TextCorpus(tmp_path / "c.txt", unit=unit).blocks())
    assert not caplog.messages
    list(TextCorpus(tmp_path, unit=unit).blocks())
    assert len(caplog.messages) == 1
    assert "a.xml: its tags are read as words" in caplog.messages[0]
