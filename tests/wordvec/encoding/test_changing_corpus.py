"""Corpora whose files change while they are read: rejected, and never cached."""

import bz2
import gzip
import hashlib
import lzma
import os

import numpy as np
import pytest

from corpora import TextCorpus
from tests.cases.encoded import assert_encodes, sentences_of
from wordvec import InputError, encode_corpus
from wordvec.encoding import corpus as encoded

TEXT = b"alpha beta gamma delta\n" * 1000


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(encoded, "_BLOCK", 1 << 12)


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return path


def keep_times(path, change):
    """Change a file but neither its size nor its modification time."""
    before = path.stat()
    content = path.read_bytes()
    path.write_bytes(change(content))
    assert path.stat().st_size == len(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "truncated": lambda path: os.truncate(path, 2000),
    "appended": lambda path: path.write_bytes(path.read_bytes() + b"alpha new\n"),
    "replaced": lambda path: (path.with_name("new").write_bytes(TEXT[:-100]), os.replace(path.with_name("new"), path)),
    "a word at the end": lambda path: keep_times(path, lambda text: text[:-6] + b"dolta\n"),
    "words that change places": lambda path: keep_times(path, lambda text: text[:-12] + b"delta gamma\n"),
    "lines that change places": lambda path: keep_times(path, lambda text: text[2300:4600] + text[:2300] + text[4600:]),
}


def after_first_block(change):
    done = []

    def on_progress(_):
        if not done:
            done.append(change())

    return on_progress


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("cache", [True, False])
def test_a_corpus_that_changes_between_counting_and_encoding_is_rejected(text_file, monkeypatch, cache, change):
    """It is read twice if types are discarded."""
    if change == "lines that change places":
        text_file.write_bytes(b"".join(b"line number %09d\n" % k for k in range(1000)))
    write, counted = encoded._Writer._count, []

    def change_afterwards(self, *args):
        found = write(self, *args)
        CHANGES[change](text_file)
        counted.append(found)
        return found

    monkeypatch.setattr(encoded._Writer, "_count", change_afterwards)
    with pytest.raises(InputError, match=r"text changed while it was read; run again when nothing writes to it$"):
        encode_corpus(
            TextCorpus(text_file), min_count=1, cache=cache, max_types_in_memory=2, keep_words=["alpha", "line"]
        )
    assert counted


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_what_is_cached_under_a_fingerprint_had_it(text_file, folder_of_cache, monkeypatch, compress):
    text_file.write_bytes(compress(TEXT))
    fingerprint = TextCorpus.fingerprint

    def change_afterwards(self):
        found = fingerprint(self)
        monkeypatch.undo()
        monkeypatch.setenv("WORDVEC_CACHE", str(folder_of_cache))
        text_file.write_bytes(compress(TEXT + b"alpha new\n"))
        return found

    monkeypatch.setattr(TextCorpus, "fingerprint", change_afterwards)
    with pytest.raises(InputError, match="changed while it was read"):
        encode_corpus(TextCorpus(text_file), min_count=1)
    assert not any(folder_of_cache.iterdir())
    text_file.write_bytes(compress(TEXT))
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))


def test_a_corpus_that_grows_while_it_is_counted_is_not_cached(text_file, folder_of_cache):
    def grow():
        with open(text_file, "ab") as file:
            file.write(b"alpha new\n" * 1000)

    with pytest.raises(InputError, match="changed while it was read"):
        encode_corpus(TextCorpus(text_file), min_count=1, threads=1, on_progress=after_first_block(grow))
    text_file.write_bytes(TEXT)
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))


def test_a_compressed_corpus_is_read_once_so_that_counts_match_ids(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(TEXT))
    remove = after_first_block(lambda: os.replace(path, tmp_path / "moved"))
    corpus = encode_corpus(TextCorpus(path), min_count=1, cache=False, threads=1, on_progress=remove)
    assert np.bincount(corpus.ids).tolist() == list(corpus.vocabulary.counts)


def test_the_same_corpus_object_may_be_encoded_again_after_a_change(text_file):
    corpus = TextCorpus(text_file)
    assert_encodes(encode_corpus(corpus, min_count=1), sentences_of(TEXT))
    text_file.write_bytes(TEXT + b"alpha new\n")
    assert_encodes(encode_corpus(corpus, min_count=1), sentences_of(TEXT + b"alpha new\n"))


def test_the_digests_of_a_corpus_are_those_of_the_text_that_was_encoded(tmp_path, monkeypatch):
    path = tmp_path / "text"
    path.write_text("a rose is a rose\n" * 9)
    digest = hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
    expected = [{"name": str(path), "bytes": 153, "blake2b": digest}]
    assert TextCorpus(path).provenance() == expected
    corpus = TextCorpus(path)
    encode_corpus(corpus, min_count=1)
    path.write_text("a rose is a rise\n" * 9)
    assert corpus.provenance() == expected, "taken before encoding, and not again"
    encode_corpus(corpus, min_count=1, cache=False)
    path.write_text("a rise is a rise\n" * 9)
    with pytest.raises(InputError, match="text changed while it was read"):
        corpus.provenance()
