"""The cache of encoded corpora: hits, invalidation, size limit, damage."""

import gc
import json
import logging
import os
import time
from pathlib import Path

import numpy as np
import pytest

from corpora import TextCorpus
from tests.cases.encoded import TEXT, assert_encodes, sentences_of
from tests.cases.word2vec import wraps_around
from wordvec import Vocabulary, encode_corpus
from wordvec.encoding import corpus as encoded
from wordvec.errors import InputError

pytestmark = wraps_around


@pytest.fixture
def encodings(monkeypatch):
    """Record every corpus that is encoded rather than found in the cache."""
    found, write = [], encoded._Writer.write
    monkeypatch.setattr(encoded._Writer, "write", lambda self, *given: found.append(given) or write(self, *given))
    return found


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return path


def test_a_second_call_uses_the_cache(text_file, folder_of_cache, encodings):
    first = encode_corpus(TextCorpus(text_file), min_count=1)
    reports = []
    second = encode_corpus(TextCorpus(text_file), min_count=1, on_progress=lambda *p: reports.append(p))
    assert len(encodings) == 1
    for corpus in (first, second):
        assert_encodes(corpus, sentences_of(TEXT))
    assert len(list(folder_of_cache.iterdir())) == 1
    # The key is the content, not the file name.
    moved = text_file.rename(text_file.with_name("moved"))
    assert_encodes(encode_corpus(TextCorpus(moved), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 1


def test_changes_are_never_served_stale(text_file, folder_of_cache, encodings):
    encode_corpus(TextCorpus(text_file), min_count=1)
    # Same size and same modification time.
    before = text_file.stat()
    changed = TEXT.replace(b"cat", b"dog")
    text_file.write_bytes(changed)
    os.utime(text_file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(changed))
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=2), sentences_of(changed), min_count=2)
    found = encode_corpus(TextCorpus(text_file), min_count=1, max_vocabulary=2)
    assert_encodes(found, sentences_of(changed), max_vocabulary=2)
    text_file.write_bytes(changed.upper())
    upper = sentences_of(changed.upper())
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), upper)
    lower = encode_corpus(TextCorpus(text_file, lowercase=True), min_count=1)
    assert_encodes(lower, [[token.lower() for token in sentence] for sentence in upper])
    words = encode_corpus(TextCorpus(text_file, tokenizer="words"), min_count=1)
    assert words.tokenizer == "words"
    for option in ({"keep_words": ["Z"]}, {"drop_words": ["Z"]}, {"max_types_in_memory": 50}):
        encode_corpus(TextCorpus(text_file), min_count=1, **option)
    for vocabulary in (Vocabulary(["A", "B"]), Vocabulary(["A", "B"], [2, 1]), Vocabulary(["B", "A"])):
        assert len(encode_corpus(TextCorpus(text_file), vocabulary=vocabulary).vocabulary) == 2
    assert len(encodings) == 13


def test_nothing_is_cached_without_the_cache(text_file, folder_of_cache, encodings):
    for _ in range(2):
        encode_corpus(TextCorpus(text_file), min_count=1, cache=False)
    assert len(encodings) == 2
    assert not folder_of_cache.exists()


def test_plain_texts_are_not_cached(folder_of_cache):
    encode_corpus(["a b"], min_count=1)
    assert not folder_of_cache.exists()


def test_the_least_recently_used_corpus_is_evicted(text_file, folder_of_cache, encodings, monkeypatch):
    def encode(max_vocabulary):
        known = {*folder_of_cache.iterdir()} if folder_of_cache.exists() else set()
        encode_corpus(TextCorpus(text_file), min_count=1, max_vocabulary=max_vocabulary)
        return next(iter({*folder_of_cache.iterdir()} - known), None)

    first, second = encode(1), encode(2)
    now = time.time()
    os.utime(first, (now - 500, now - 500))
    os.utime(second, (now - 900, now - 900))
    size = sum(file.stat().st_size for file in first.iterdir())
    # Room for about two: the third evicts the second, which is older than the first.
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", str(int(2.5 * size)))
    third = encode(3)
    assert {*folder_of_cache.iterdir()} == {first, third}
    # A cache hit counts as use: the first is now the most recent.
    os.utime(third, (now - 100, now - 100))
    os.utime(first, (now - 500, now - 500))
    assert encode(1) is None
    fourth = encode(4)
    assert {*folder_of_cache.iterdir()} == {first, fourth}
    # No room at all: the newest is kept anyway.
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", "0")
    fifth = encode(5)
    assert {*folder_of_cache.iterdir()} == {fifth}
    assert len(encodings) == 5


def test_an_invalid_cache_size_is_rejected(text_file, folder_of_cache, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", "4 GB")
    with pytest.raises(InputError, match="WORDVEC_CACHE_BYTES must be a whole number of bytes, got '4 GB'"):
        encode_corpus(TextCorpus(text_file), min_count=1)
    assert not any(folder_of_cache.iterdir())
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", "")
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))


def test_leftovers_of_a_killed_process_are_removed_after_a_day(text_file, folder_of_cache):
    old, young = folder_of_cache / "new-old", folder_of_cache / "new-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "text").write_bytes(bytes(100))
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert not old.exists()
    assert young.exists(), "it may belong to a running process"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ids", b""),
        ("ids", b"\1\2\3"),
        ("offsets", b""),
        ("offsets", bytes(8)),
        ("tokens", b""),
        ("tokens", b"\xff\n"),
        ("tokens", b"a\na\n"),
        ("counts", b""),
        ("counts", bytes(7)),
        ("tokens", None),
        ("corpus.json", b"{}"),
        ("corpus.json", b"[]"),
        ("corpus.json", b"\xff"),
        ("corpus.json", None),
        ("offsets", None),
        *(("corpus.json", b"1"), ("corpus.json", b"[]"), ("corpus.json", b"[" * 100_000)),
    ],
)
def test_a_damaged_cache_entry_is_encoded_again(text_file, folder_of_cache, encodings, name, content):
    encode_corpus(TextCorpus(text_file), min_count=1)
    (entry,) = folder_of_cache.iterdir()
    if content is None:
        (entry / name).unlink()
    else:
        (entry / name).write_bytes(content)
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2, "the new entry is cached"


@pytest.mark.parametrize("checksum", [True, False], ids=["checked", "forged"])
@pytest.mark.parametrize(
    ("name", "dtype", "place", "value"),
    [
        *(("ids", np.int32, 7, 2**31 - 1), ("ids", np.int32, 0, -1)),
        *(("offsets", np.int64, 1, 2**62), ("offsets", np.int64, 1, -3), ("offsets", np.int64, 0, 1)),
        ("counts", np.int64, 0, -1),
    ],
)
def test_damaged_numbers_in_the_cache_are_never_used(
    text_file, folder_of_cache, encodings, caplog, monkeypatch, name, dtype, place, value, checksum
):
    encode_corpus(TextCorpus(text_file), min_count=1)
    (entry,) = folder_of_cache.iterdir()
    numbers = np.fromfile(entry / name, dtype)
    numbers[place] = value
    numbers.tofile(entry / name)
    if not checksum:
        facts = json.loads((entry / "corpus.json").read_text()) | {"checksum": encoded._checksum(entry)}
        (entry / "corpus.json").write_text(json.dumps(facts))
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2
    assert "the encoded corpus in the cache is damaged" in caplog.text


@pytest.mark.parametrize(
    "changed",
    [{"raw_tokens": "9"}, {"raw_types": -1}, {"count_error": None}, {"tokenizer": 3}, {"lowercase": "no"}, {"x": 1}],
)
def test_damaged_metadata_in_the_cache_are_never_used(text_file, folder_of_cache, encodings, changed):
    encode_corpus(TextCorpus(text_file), min_count=1)
    (entry,) = folder_of_cache.iterdir()
    facts = json.loads((entry / "corpus.json").read_text())
    (entry / "corpus.json").write_text(json.dumps(facts | changed))
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2


@pytest.mark.parametrize("name", ["ids", "offsets", "tokens", "counts"])
def test_any_changed_byte_in_the_cache_is_noticed(text_file, folder_of_cache, encodings, name):
    encode_corpus(TextCorpus(text_file), min_count=1)
    (entry,) = folder_of_cache.iterdir()
    sound = (entry / name).read_bytes()
    times = 1
    for place in (0, len(sound) // 2, len(sound) - 1):
        for damaged in (sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :], sound[:place]):
            (entry / name).write_bytes(damaged)
            assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
            times += 1
            assert len(encodings) == times, place
            assert (entry / name).read_bytes() == sound


def test_a_cache_folder_that_cannot_be_created_gives_a_warning(text_file, tmp_path, monkeypatch, caplog, encodings):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORDVEC_CACHE", str(tmp_path / "file" / "below"))
    with caplog.at_level(logging.WARNING):
        assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert "encoded corpora are not cached" in caplog.text
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert len(encodings) == 2


def test_nothing_is_cached_for_a_user_without_a_home(text_file, monkeypatch, encodings):
    def home():
        raise RuntimeError("Could not determine home directory.")

    for name in ("WORDVEC_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    for _ in range(2):
        assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2


def test_the_default_cache_is_in_the_users_cache_folder(tmp_path, text_file, monkeypatch):
    monkeypatch.delenv("WORDVEC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert len(list((tmp_path / "xdg" / "wordvec").iterdir())) == 1
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert len(list((tmp_path / "home" / ".cache" / "wordvec").iterdir())) == 1


def test_two_processes_may_encode_the_same_corpus(text_file, folder_of_cache, monkeypatch):
    rename = os.rename

    def after_another(source, target):
        monkeypatch.setattr(os, "rename", rename)
        encode_corpus(TextCorpus(text_file), min_count=1)  # another process is first
        rename(source, target)

    monkeypatch.setattr(os, "rename", after_another)
    second = encode_corpus(TextCorpus(text_file), min_count=1)
    assert_encodes(second, sentences_of(TEXT))
    del second
    gc.collect()
    (entry,) = folder_of_cache.iterdir()
    assert not entry.name.startswith("new-"), "the files of the second process were removed with its corpus"
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
