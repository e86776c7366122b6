"""Encoding against a counter and a dictionary: every kind of corpus, the borders inside, the cache."""

import bz2
import gc
import gzip
import logging
import os
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import TextCorpus
from tests import naive
from tests.word2vec_cases import fewer_without_jit, wraps_around
from wordvec import Vocabulary, encode_corpus, encoded, scanning
from wordvec.errors import InputError, VocabularyError
from wordvec.kernels.simd import JIT_OFF

pytestmark = wraps_around

TEXT = b"b a\tc a\r\n\nthe cat\x00sat \xc3\xa9 a\n  \n\xf0\x9f\x99\x82 b\x0bb\x0cz\nlast line a"

# Letters, everything that some function takes for white space, NUL, and what takes one to four bytes.
CHARACTERS = st.sampled_from("aaabbc \t\n\r\v\f\x00\x1c\x1f\x85\xa0\u2028é߷😀\u0301\ufeff") | st.characters(
    exclude_categories=["Cs"]
)


def sentences_of(data):
    """What a file means: lines of tokens, split as bytes are; the last line may lack its end."""
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [[token.decode() for token in line.split()] for line in lines]


def assert_encodes(corpus, sentences, *, min_count=1, max_vocabulary=None, keep=(), drop=()):
    tokens, counts, ids, offsets = naive.encode(sentences, min_count, max_vocabulary, keep, drop)
    assert corpus.vocabulary.tokens == tokens
    assert corpus.vocabulary.counts.tolist() == counts
    assert corpus.ids.tolist() == ids
    assert corpus.offsets.tolist() == offsets
    assert (corpus.ids.dtype, corpus.offsets.dtype) == (np.int32, np.int64)
    assert len(corpus) == len(sentences)
    counted = Counter(token for sentence in sentences for token in sentence)
    assert (corpus.raw_tokens, corpus.raw_types, corpus.count_error) == (counted.total(), len(counted), 0)


@pytest.fixture
def folder_of_cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("WORDVEC_CACHE", str(folder))
    return folder


@pytest.fixture
def folder_for_temporary_files(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


# -- equal to counting in Python --------------------------------------------------------------------------------------


@settings(
    max_examples=150 // fewer_without_jit,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    texts=st.lists(st.text(CHARACTERS, max_size=25), max_size=5),
    min_count=st.integers(1, 3),
    max_vocabulary=st.none() | st.integers(1, 4),
    piece=st.sampled_from([1, 2, 7, 1 << 18]),
    threads=st.sampled_from([1, 2, 3, 8]),
    keep=st.sets(st.sampled_from(["a", "b", "c", "é", "aa", "\x00"]), max_size=2),
    drop=st.sets(st.sampled_from(["A", "bb", "b\x1c", "ab", "x"]), max_size=2),
    kind=st.sampled_from(["file", "files", "texts", "lists"]),
)
def test_any_text_encodes_as_in_python(tmp_path, texts, min_count, max_vocabulary, piece, threads, keep, drop, kind):
    if kind == "texts":
        source, sentences = texts, [[t.decode() for t in text.encode().split()] for text in texts]
    elif kind == "lists":
        source = sentences = [text.split("a") for text in texts]
        sentences[:] = [[token for token in sentence if token] for sentence in sentences]
    else:
        contents = [text.encode() for text in texts] if kind == "files" else ["\n".join(texts).encode()]
        paths = [tmp_path / f"{k}.txt" for k in range(max(len(contents), 1))]
        for path, content in zip(paths, contents or [b""], strict=True):
            path.write_bytes(content)
        source = TextCorpus(*paths)
        sentences = [sentence for content in contents for sentence in sentences_of(content)]
    counts = Counter(token for sentence in sentences for token in sentence)
    with pytest.MonkeyPatch.context() as monkeypatch:
        # Borders everywhere: of blocks of text, and of what is counted before the threads' tables are merged.
        monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
        monkeypatch.setattr(encoded, "_BLOCK", max(piece, 4))
        monkeypatch.setattr(scanning, "_FIRST_ROUND", piece)
        monkeypatch.setattr(scanning, "_LARGEST_ROUND", 2 * piece)
        options = {"min_count": min_count, "max_vocabulary": max_vocabulary, "cache": False, "threads": threads}
        if max_vocabulary is not None and len(keep) > max_vocabulary:
            keep = set()
        options |= {"keep_words": keep, "drop_words": drop}
        allowed = [count for token, count in counts.items() if token not in drop]
        if max(allowed, default=0) < min_count and not keep & counts.keys():
            with pytest.raises(VocabularyError):
                encode_corpus(source, **options)
        else:
            found = encode_corpus(source, **options)
            assert_encodes(found, sentences, min_count=min_count, max_vocabulary=max_vocabulary, keep=keep, drop=drop)


def test_ids_go_by_falling_count_and_then_by_bytes():
    # In UTF-16, as some languages sort, the emoji would come before the last of these.
    texts = ["x z \uff5e 😀 é Z y y y", "x"]
    assert encode_corpus(texts, min_count=1).vocabulary.tokens == ["y", "x", "Z", "z", "é", "\uff5e", "😀"]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_files_plain_and_compressed(tmp_path, compress):
    suffix = {bytes: "", gzip.compress: ".gz", bz2.compress: ".bz2"}[compress]
    path = tmp_path / f"text.txt{suffix}"
    path.write_bytes(compress(TEXT))
    assert_encodes(encode_corpus(TextCorpus(path), min_count=2, cache=False), sentences_of(TEXT), min_count=2)
    assert sentences_of(TEXT)[1] == []


def test_several_files_end_their_sentences(tmp_path):
    for name, content in (("a", b"x y"), ("b", b""), ("c", b"y z\n")):
        (tmp_path / name).write_bytes(content)
    corpus = encode_corpus(TextCorpus(*(tmp_path / name for name in "abc")), min_count=1, cache=False)
    assert_encodes(corpus, [["x", "y"], ["y", "z"]])


def test_one_shot_generators_of_texts_and_of_lists():
    assert_encodes(encode_corpus((text for text in ["a b", "", "b\nc"]), min_count=1), [["a", "b"], [], ["b", "c"]])
    lists = (iter(tokens) for tokens in [["a b", "\n"], [], ["a b"]])
    assert_encodes(encode_corpus(lists, min_count=1), [["a b", "\n"], [], ["a b"]])


def test_tokenizer_and_casing_of_texts_and_of_a_corpus(tmp_path):
    texts = ["It's Gold!", "GOLD, it's."]
    found = encode_corpus(texts, min_count=1, tokenizer="words", lowercase=True)
    assert_encodes(found, [["it's", "gold"], ["gold", "it's"]])
    assert (found.tokenizer, found.lowercase) == ("words", True)
    (tmp_path / "text").write_text("\n".join(texts))
    # The corpus has its own: what the arguments say is for texts.
    own = TextCorpus(tmp_path / "text", tokenizer="words", lowercase=True)
    found = encode_corpus(own, min_count=1, cache=False, tokenizer="whitespace", lowercase=False)
    assert_encodes(found, [["it's", "gold"], ["gold", "it's"]])
    assert (found.tokenizer, found.lowercase) == ("words", True)
    listed = encode_corpus([["A", "a"]], min_count=1, lowercase=True)
    assert listed.vocabulary.tokens == ["A", "a"], "lists of tokens are taken as they are"


def test_many_types_are_all_counted_right(tmp_path):
    # Far more than the table starts with; each as often as its number says, in an order unlike that of the counts.
    types = 5_000 if JIT_OFF else 200_000
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(types), 1 + np.arange(types) % 3))
    path = tmp_path / "types.txt"
    path.write_text(" ".join(f"{k:x}" for k in order))
    corpus = encode_corpus(TextCorpus(path), min_count=1, cache=False)
    counted = Counter(f"{k:x}" for k in order.tolist())
    assert len(corpus.vocabulary) == types == len(counted)
    assert dict(zip(corpus.vocabulary.tokens, corpus.vocabulary.counts.tolist(), strict=True)) == counted
    spelled = np.array(corpus.vocabulary.tokens)[corpus.ids]
    assert spelled.tolist() == [f"{k:x}" for k in order.tolist()]


def test_tokens_of_one_byte_and_of_100_kilobytes():
    size = 2_000 if JIT_OFF else 100_000
    long = "x" * size
    tokens = ["x", long + "a", long + "b", long, "y", long + "a", "x", "x"]
    assert_encodes(encode_corpus([" ".join(tokens)], min_count=1), [tokens])


def test_a_corpus_says_what_it_is():
    corpus = encode_corpus(["a a b"] * 400, min_count=1)
    assert repr(corpus) == "EncodedCorpus(1,200 tokens, 400 sentences, 2 types)"
    with pytest.raises(ValueError, match="read-only"):
        corpus.ids[0] = 1


def test_a_file_of_one_word_and_no_line_end(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"w")
    for threads in (1, 2):
        found = encode_corpus(TextCorpus(path), min_count=1, cache=False, threads=threads)
        assert_encodes(found, [["w"]])


def test_tokens_longer_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(encoded, "_BLOCK", 100)
    tokens = ["x" * 99, "x" * 100, "x" * 101, "a", "y" * 1000, "a", "x" * 100]
    path = tmp_path / "text"
    path.write_text(" ".join(tokens))
    assert_encodes(encode_corpus(TextCorpus(path), min_count=1, cache=False), [tokens])


# -- lists of words, vocabularies, pruning ----------------------------------------------------------------------------


def test_words_to_keep_and_to_drop_from_files(tmp_path, caplog):
    texts = ["the cat sat on the mat", "The the dog"] * 3 + ["Zebra"]
    (tmp_path / "keep").write_text("zebra\n\n unicorn \r\nZebra\n")
    (tmp_path / "drop").write_text("the\n")
    sentences = [text.lower().split() for text in texts]
    with caplog.at_level(logging.INFO):
        found = encode_corpus(
            texts, min_count=3, keep_words=tmp_path / "keep", drop_words=str(tmp_path / "drop"), lowercase=True
        )
    assert_encodes(found, sentences, min_count=3, keep=["zebra", "unicorn"], drop=["the"])
    assert "zebra" in found.vocabulary
    assert "1 of the 2 words to keep do not occur" in caplog.text
    # Lists of tokens are taken as they are, and so are the words.
    listed = encode_corpus([["The", "the"]], min_count=1, drop_words=["The"], lowercase=True)
    assert listed.vocabulary.tokens == ["the"]


def test_words_to_keep_take_their_part_of_a_limited_vocabulary():
    found = encode_corpus(["a a a b b b c c d"], min_count=1, max_vocabulary=2, keep_words=["d"])
    assert found.vocabulary.tokens == ["a", "d"]
    assert encode_corpus(["a a d"], min_count=1, max_vocabulary=1, keep_words=["d"]).vocabulary.tokens == ["d"]


def test_a_vocabulary_that_is_given_is_taken_as_it_is(tmp_path):
    vocabulary = Vocabulary(["rare", "unseen", "a b", "the"], [1, 2, 3, 900])
    (tmp_path / "text").write_text("the rare the cat\nthe")
    found = encode_corpus(TextCorpus(tmp_path / "text"), vocabulary=vocabulary, cache=False)
    assert found.vocabulary == vocabulary
    assert (found.ids.tolist(), found.offsets.tolist()) == ([3, 0, 3, 3], [0, 3, 4])
    assert (found.raw_tokens, found.raw_types, found.count_error) == (5, 4, 0)
    listed = encode_corpus([["a b", "the"], ["a", "b"]], vocabulary=Vocabulary(vocabulary.tokens))
    assert (listed.ids.tolist(), listed.offsets.tolist()) == ([2, 3], [0, 2, 2])
    assert listed.vocabulary.counts.tolist() == [0, 0, 1, 1], "without counts: those of this text"


def test_the_counts_of_a_text_are_counted_in_pieces(monkeypatch):
    monkeypatch.setattr(encoded, "_PIECE", 3)
    found = encode_corpus(["a b c a"] * 5, vocabulary=Vocabulary(["c", "a"]))
    assert found.vocabulary.counts.tolist() == [5, 10]


def many_types(path):
    """200 frequent types and as many new ones in every line."""
    lines = [" ".join([*(f"often{k}" for k in range(200)), *(f"new{n}-{k}" for k in range(200))]) for n in range(30)]
    path.write_text("\n".join(lines))
    return [line.split() for line in lines]


@pytest.mark.parametrize("kind", ["file", "texts", "lists"])
def test_types_that_do_not_fit_into_memory(tmp_path, monkeypatch, caplog, kind):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    monkeypatch.setattr(encoded, "_BLOCK", 500)
    monkeypatch.setattr(scanning, "_FIRST_ROUND", 4000)
    sentences = many_types(tmp_path / "text")
    found = []
    for threads in (1, 2, 8):
        source = {"file": TextCorpus(tmp_path / "text"), "texts": map(" ".join, sentences), "lists": iter(sentences)}
        with caplog.at_level(logging.WARNING):
            found.append(
                encode_corpus(
                    source[kind],
                    min_count=20,
                    max_types_in_memory=600,
                    keep_words=["new3-7"],
                    threads=threads,
                    cache=False,
                )
            )
        caplog.records[-1].getMessage().index("counts may be too low by at most")
    corpus = found[0]
    truth = Counter(token for sentence in sentences for token in sentence)
    assert 0 < corpus.count_error <= 30 * 400 / 301
    assert set(corpus.vocabulary.tokens) == {*(f"often{k}" for k in range(200)), "new3-7"}
    for token, count in zip(corpus.vocabulary.tokens, corpus.vocabulary.counts.tolist(), strict=True):
        assert truth[token] - corpus.count_error <= count <= truth[token]
    assert corpus.raw_tokens == 30 * 400
    assert corpus.raw_types <= 601
    assert len(corpus.ids) == 30 * 200 + 1, "the ids are those of all occurrences"
    for other in found[1:]:
        assert other.vocabulary == corpus.vocabulary
        assert other.ids.tolist() == corpus.ids.tolist()
        assert (other.count_error, other.raw_types) == (corpus.count_error, corpus.raw_types)


# -- memory -----------------------------------------------------------------------------------------------------------


def peak_of(path, **options):
    """The most bytes that Python and NumPy hold while a file is encoded, and what they hold of it afterwards."""
    gc.collect()
    tracemalloc.start()
    corpus = encode_corpus(TextCorpus(path), cache=False, threads=2, **options)
    peak = tracemalloc.get_traced_memory()[1]
    del corpus
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return peak, left


@pytest.mark.skipif(JIT_OFF, reason="megabytes of text take too long without compiled kernels")
def test_memory_does_not_grow_with_the_text_and_is_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(encoded, "_BLOCK", 1 << 16)
    monkeypatch.setattr(scanning, "_FIRST_ROUND", 1 << 18)
    monkeypatch.setattr(scanning, "_LARGEST_ROUND", 1 << 18)
    words = [f"{k:x}" for k in np.random.default_rng(0).zipf(1.3, 150_000) % 20_000]
    text = "\n".join(" ".join(words[k : k + 5]) for k in range(0, len(words), 5)) + "\n"
    (tmp_path / "short").write_text(text)
    (tmp_path / "long").write_text(text * 16)
    peak_of(tmp_path / "short")
    (short, left), (long, left_of_long) = peak_of(tmp_path / "short"), peak_of(tmp_path / "long")
    assert long < short + 0.25 * 15 * len(text), "sixteen times the text, hardly more memory"
    assert max(left, left_of_long) < 200_000


@pytest.mark.skipif(JIT_OFF, reason="megabytes of text take too long without compiled kernels")
def test_memory_does_not_grow_with_the_number_of_types(tmp_path, monkeypatch):
    monkeypatch.setattr(scanning, "_FIRST_ROUND", 1 << 18)
    monkeypatch.setattr(scanning, "_LARGEST_ROUND", 1 << 18)
    monkeypatch.setattr(encoded, "_BLOCK", 1 << 16)
    (tmp_path / "text").write_text(" ".join(f"once{k} often" for k in range(400_000)))
    options = {"min_count": 100}
    all_of_them, few = (
        peak_of(tmp_path / "text", **options),
        peak_of(tmp_path / "text", **options, max_types_in_memory=9_000),
    )
    assert few[0] < all_of_them[0] / 2


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        (["a"], {"min_count": 0}, "min_count must be at least 1, got 0"),
        (["a"], {"max_vocabulary": 0}, "max_vocabulary must be at least 1, got 0"),
        (["a"], {"tokenizer": "letters"}, "letters"),
        (["a"], {"max_types_in_memory": 0}, "max_types_in_memory must be at least 1, got 0"),
        (["a"], {"threads": 0}, "threads must be at least 1, got 0"),
        (["a"], {"keep_words": ["a", "b"], "drop_words": ["c", "b"]}, "keep_words and drop_words both hold 'b'"),
        (["a"], {"keep_words": ["a", "b"], "max_vocabulary": 1}, "keep_words holds 2 words, max_vocabulary is 1"),
        (["a"], {"keep_words": ["a", 7]}, "keep_words holds 7; a word must be a string"),
        (["a"], {"drop_words": [""]}, "drop_words holds ''; a word must be a string that is not empty"),
        (["a"], {"drop_words": ["\udcff"]}, "half of a character"),
        (["a"], {"drop_words": "nowhere.txt"}, "nowhere.txt: no such file"),
        (["a"], {"drop_words": ["a"]}, "drop_words holds every token that occurs at least min_count = 1 times"),
        (["a"], {"vocabulary": Vocabulary(["a"]), "drop_words": ["b"]}, "a vocabulary that is given is taken as it is"),
        (["a"], {"vocabulary": Vocabulary(["A"])}, "no word of the vocabulary occurs in the corpus"),
        ("a text", {}, "got one string; put it into a list"),
        (b"a text", {}, "got one string; put it into a list"),
        ([b"a text"], {}, "item 0 is of type bytes, expected a list of tokens"),
        (["a", ["b"]], {}, "item 1 is of type list, the first is a text"),
        ([["a"], "b"], {}, "item 1 is of type str, expected a list of tokens"),
        ([["a"], 7], {}, "item 1 is of type int, expected a list of tokens"),
        ([["a"], ["b", 7]], {}, "item 1 holds 7; a token must be a string"),
        ([["a", ""]], {}, "item 0 holds ''; a token must be a string that is not empty"),
        (["fine", "not \udcff"], {}, r"\\udcff"),
        ([["not \udcff"]], {}, "UTF-8"),
    ],
)
def test_what_cannot_be_encoded_is_named(corpus, options, message, folder_for_temporary_files):
    with pytest.raises(InputError, match=message):
        encode_corpus(corpus, **{"min_count": 1} | options)
    assert not any(folder_for_temporary_files.iterdir()), "nothing is left behind"


@pytest.mark.parametrize("corpus", [[], [""], ["", " \n "], [[]], iter(())])
def test_a_corpus_without_a_token_is_an_error(corpus):
    with pytest.raises(VocabularyError, match="give it"):
        encode_corpus(corpus, min_count=1)


def test_an_emptied_vocabulary_says_what_to_lower(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b b c " * 3)
    with pytest.raises(
        VocabularyError, match=r"at least min_count = 7 times \(the most frequent occurs 6 times\); lower min_count"
    ):
        encode_corpus(TextCorpus(path), min_count=7, cache=False)


def test_text_that_is_not_utf_8_leaves_nothing_behind(tmp_path, folder_of_cache, folder_for_temporary_files):
    path = tmp_path / "text"
    path.write_bytes(b"a b c\n\xff d")
    for cache in (True, False):
        with pytest.raises(InputError, match="byte 0xff at offset 6 is not UTF-8"):
            encode_corpus(TextCorpus(path), min_count=1, cache=cache)
    assert not any(folder_of_cache.iterdir())
    assert not any(folder_for_temporary_files.iterdir())


# -- progress and temporary files -------------------------------------------------------------------------------------


def test_progress_is_told_in_bytes(tmp_path, monkeypatch, folder_of_cache):
    monkeypatch.setattr(encoded, "_BLOCK", 64)
    path = tmp_path / "text"
    path.write_bytes(b"some words\n" * 100)
    told = []
    encode_corpus(TextCorpus(path), min_count=1, on_progress=lambda done, total: told.append((done, total)))
    assert len(told) > 10
    assert told == sorted(told)
    assert told[-1] == (1100, 1100)
    assert {total for _, total in told} == {1100}


def test_the_files_of_an_uncached_corpus_go_with_it(tmp_path, folder_for_temporary_files, folder_of_cache):
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    for source in (TextCorpus(path), ["a b", "c"]):
        corpus = encode_corpus(source, min_count=1, cache=False)
        assert len(list(folder_for_temporary_files.iterdir())) == 1
        ids = np.asarray(corpus.ids)
        expected = ids.tolist()
        del corpus
        gc.collect()
        assert not any(folder_for_temporary_files.iterdir())
        assert ids.tolist() == expected, "who still holds the ids may read them"
    assert not folder_of_cache.exists()


# -- the cache --------------------------------------------------------------------------------------------------------


@pytest.fixture
def encodings(monkeypatch):
    """Every corpus that is encoded and not found in the cache."""
    found, write = [], encoded._Writer.write
    monkeypatch.setattr(encoded._Writer, "write", lambda self, *given: found.append(given) or write(self, *given))
    return found


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return path


def test_a_second_call_reads_no_text(text_file, folder_of_cache, encodings):
    first = encode_corpus(TextCorpus(text_file), min_count=1)
    told = []
    second = encode_corpus(TextCorpus(text_file), min_count=1, on_progress=lambda *p: told.append(p))
    assert len(encodings) == 1
    for corpus in (first, second):
        assert_encodes(corpus, sentences_of(TEXT))
    assert len(list(folder_of_cache.iterdir())) == 1
    # Found by content, not by name.
    moved = text_file.rename(text_file.with_name("moved"))
    assert_encodes(encode_corpus(TextCorpus(moved), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 1


def test_what_changed_is_never_served_stale(text_file, folder_of_cache, encodings):
    encode_corpus(TextCorpus(text_file), min_count=1)
    # The same size and the same time of change.
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


def test_without_the_cache_nothing_is_kept(text_file, folder_of_cache, encodings):
    for _ in range(2):
        encode_corpus(TextCorpus(text_file), min_count=1, cache=False)
    assert len(encodings) == 2
    assert not folder_of_cache.exists()


def test_texts_are_not_kept(folder_of_cache):
    encode_corpus(["a b"], min_count=1)
    assert not folder_of_cache.exists()


def test_what_was_not_used_for_longest_makes_room(text_file, folder_of_cache, encodings, monkeypatch):
    def encode(max_vocabulary):
        known = {*folder_of_cache.iterdir()} if folder_of_cache.exists() else set()
        encode_corpus(TextCorpus(text_file), min_count=1, max_vocabulary=max_vocabulary)
        return next(iter({*folder_of_cache.iterdir()} - known), None)

    first, second = encode(1), encode(2)
    now = time.time()
    os.utime(first, (now - 500, now - 500))
    os.utime(second, (now - 900, now - 900))
    size = sum(file.stat().st_size for file in first.iterdir())
    # Room for about two: the third pushes out the second, which is older than the first.
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", str(int(2.5 * size)))
    third = encode(3)
    assert {*folder_of_cache.iterdir()} == {first, third}
    # A use counts: the first is now the youngest.
    os.utime(third, (now - 100, now - 100))
    os.utime(first, (now - 500, now - 500))
    assert encode(1) is None
    fourth = encode(4)
    assert {*folder_of_cache.iterdir()} == {first, fourth}
    # No room at all: the newest stays all the same.
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", "0")
    fifth = encode(5)
    assert {*folder_of_cache.iterdir()} == {fifth}
    assert len(encodings) == 5


def test_a_size_of_the_cache_that_is_no_number(text_file, folder_of_cache, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", "4 GB")
    with pytest.raises(InputError, match="WORDVEC_CACHE_BYTES must be a whole number of bytes, got '4 GB'"):
        encode_corpus(TextCorpus(text_file), min_count=1)
    assert not any(folder_of_cache.iterdir())
    monkeypatch.setenv("WORDVEC_CACHE_BYTES", "")
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))


def test_what_a_killed_process_left_is_removed_after_a_day(text_file, folder_of_cache):
    old, young = folder_of_cache / "new-old", folder_of_cache / "new-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "text").write_bytes(bytes(100))
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert not old.exists()
    assert young.exists(), "it may belong to a process that is still at work"


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
    ],
)
def test_a_damaged_cache_is_encoded_anew(text_file, folder_of_cache, encodings, name, content):
    encode_corpus(TextCorpus(text_file), min_count=1)
    (entry,) = folder_of_cache.iterdir()
    if content is None:
        (entry / name).unlink()
    else:
        (entry / name).write_bytes(content)
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2, "and the new one is kept"


def test_a_cache_folder_that_cannot_be_made_is_a_warning(text_file, tmp_path, monkeypatch, caplog, encodings):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORDVEC_CACHE", str(tmp_path / "file" / "below"))
    with caplog.at_level(logging.WARNING):
        assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert "the corpus is encoded anew each time" in caplog.text
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert len(encodings) == 2


def test_a_cache_folder_that_may_not_be_written_to_is_not_used(text_file, folder_of_cache, monkeypatch, encodings):
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder_of_cache and access(path, mode))
    for _ in range(2):
        assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
    assert len(encodings) == 2
    assert not any(folder_of_cache.iterdir())


def test_the_cache_is_under_the_users_cache_folder_unless_named(tmp_path, text_file, monkeypatch):
    monkeypatch.delenv("WORDVEC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert len(list((tmp_path / "xdg" / "wordvec").iterdir())) == 1
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    encode_corpus(TextCorpus(text_file), min_count=1)
    assert len(list((tmp_path / "home" / ".cache" / "wordvec").iterdir())) == 1


def test_two_processes_that_encode_the_same_do_not_hurt_each_other(text_file, folder_of_cache, monkeypatch):
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
    assert not entry.name.startswith("new-"), "what the second one wrote has gone with it"
    assert_encodes(encode_corpus(TextCorpus(text_file), min_count=1), sentences_of(TEXT))
