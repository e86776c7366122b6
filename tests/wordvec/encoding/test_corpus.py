"""Encoding: comparison with a naive version for every kind of corpus, block boundaries, vocabulary rules."""

import bz2
import gzip
import logging
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import TextCorpus
from tests.cases.encoded import TEXT, assert_encodes, sentences_of
from tests.cases.word2vec import fewer_without_jit, wraps_around
from wordvec import Vocabulary, encode_corpus
from wordvec.encoding import corpus as encoded
from wordvec.encoding import scanning
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.kernels.simd import JIT_OFF

pytestmark = wraps_around

# Letters, everything that some function treats as white space, NUL, and characters of one to four bytes.
CHARACTERS = st.sampled_from("aaabbc \t\n\r\v\f\x00\x1c\x1f\x85\xa0\u2028é߷😀\u0301\ufeff") | st.characters(
    exclude_categories=["Cs"]
)


# -- comparison with the naive version --------------------------------------------------------------------------------


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
def test_encoding_matches_the_naive_version(
    tmp_path, texts, min_count, max_vocabulary, piece, threads, keep, drop, kind
):
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
        # Boundaries everywhere: of blocks, and of the rounds after which the threads' tables are merged.
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
            with pytest.raises(InputError):
                encode_corpus(source, **options)
        else:
            found = encode_corpus(source, **options)
            assert_encodes(found, sentences, min_count=min_count, max_vocabulary=max_vocabulary, keep=keep, drop=drop)


def test_ids_are_sorted_by_count_then_bytes():
    # In UTF-16 order, which some languages use, the emoji would come before the last of these.
    texts = ["x z \uff5e 😀 é Z y y y", "x"]
    assert encode_corpus(texts, min_count=1).vocabulary.tokens == ["y", "x", "Z", "z", "é", "\uff5e", "😀"]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_plain_and_compressed_files(tmp_path, compress):
    suffix = {bytes: "", gzip.compress: ".gz", bz2.compress: ".bz2"}[compress]
    path = tmp_path / f"text.txt{suffix}"
    path.write_bytes(compress(TEXT))
    assert_encodes(encode_corpus(TextCorpus(path), min_count=2, cache=False), sentences_of(TEXT), min_count=2)
    assert sentences_of(TEXT)[1] == []


def test_sentences_end_at_file_ends(tmp_path):
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
    # A corpus has its own; the arguments apply to texts.
    own = TextCorpus(tmp_path / "text", tokenizer="words", lowercase=True)
    found = encode_corpus(own, min_count=1, cache=False, tokenizer="whitespace", lowercase=False)
    assert_encodes(found, [["it's", "gold"], ["gold", "it's"]])
    assert (found.tokenizer, found.lowercase) == ("words", True)
    listed = encode_corpus([["A", "a"]], min_count=1, lowercase=True)
    assert listed.vocabulary.tokens == ["A", "a"], "lists of tokens are used as they are"


def test_many_types_are_counted_correctly(tmp_path):
    # Far more types than the initial table size, each as often as its number, not in order of their counts.
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


def test_repr_of_a_corpus():
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


# -- word lists, vocabularies, pruning --------------------------------------------------------------------------------


def test_keep_and_drop_words_from_files(tmp_path, caplog):
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
    assert "1 of 2 keep_words do not occur" in caplog.text
    # For lists of tokens, which are used as they are, the words are not lower-cased either.
    listed = encode_corpus([["The", "the"]], min_count=1, drop_words=["The"], lowercase=True)
    assert listed.vocabulary.tokens == ["the"]


def test_keep_words_count_toward_max_vocabulary():
    found = encode_corpus(["a a a b b b c c d"], min_count=1, max_vocabulary=2, keep_words=["d"])
    assert found.vocabulary.tokens == ["a", "d"]
    assert encode_corpus(["a a d"], min_count=1, max_vocabulary=1, keep_words=["d"]).vocabulary.tokens == ["d"]


def test_a_given_vocabulary_is_used_as_it_is(tmp_path):
    vocabulary = Vocabulary(["rare", "unseen", "a b", "the"], [1, 2, 3, 900])
    (tmp_path / "text").write_text("the rare the cat\nthe")
    found = encode_corpus(TextCorpus(tmp_path / "text"), vocabulary=vocabulary, cache=False)
    assert found.vocabulary == vocabulary
    assert (found.ids.tolist(), found.offsets.tolist()) == ([3, 0, 3, 3], [0, 3, 4])
    assert (found.raw_tokens, found.raw_types, found.count_error) == (5, 4, 0)
    listed = encode_corpus([["a b", "the"], ["a", "b"]], vocabulary=Vocabulary(vocabulary.tokens))
    assert (listed.ids.tolist(), listed.offsets.tolist()) == ([2, 3], [0, 2, 2])
    assert listed.vocabulary.counts.tolist() == [0, 0, 1, 1], "missing counts are computed from this text"


def test_missing_counts_are_computed_in_pieces(monkeypatch):
    monkeypatch.setattr(encoded, "_PIECE", 3)
    found = encode_corpus(["a b c a"] * 5, vocabulary=Vocabulary(["c", "a"]))
    assert found.vocabulary.counts.tolist() == [5, 10]


def many_types(path):
    """Write 200 frequent types and as many new ones in every line."""
    lines = [" ".join([*(f"often{k}" for k in range(200)), *(f"new{n}-{k}" for k in range(200))]) for n in range(30)]
    path.write_text("\n".join(lines))
    return [line.split() for line in lines]


@pytest.mark.parametrize("kind", ["file", "texts", "lists"])
def test_more_types_than_fit_in_memory(tmp_path, monkeypatch, caplog, kind):
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
        caplog.records[-1].getMessage().index("counts may be too low by up to")
    corpus = found[0]
    truth = Counter(token for sentence in sentences for token in sentence)
    assert 0 < corpus.count_error <= 30 * 400 / 301
    assert set(corpus.vocabulary.tokens) == {*(f"often{k}" for k in range(200)), "new3-7"}
    for token, count in zip(corpus.vocabulary.tokens, corpus.vocabulary.counts.tolist(), strict=True):
        assert truth[token] - corpus.count_error <= count <= truth[token]
    assert corpus.raw_tokens == 30 * 400
    assert corpus.raw_types <= 601
    assert len(corpus.ids) == 30 * 200 + 1, "all occurrences are encoded"
    for other in found[1:]:
        assert other.vocabulary == corpus.vocabulary
        assert other.ids.tolist() == corpus.ids.tolist()
        assert (other.count_error, other.raw_types) == (corpus.count_error, corpus.raw_types)


@pytest.mark.parametrize(
    ("ids", "offsets", "message"),
    [
        ([0, 2, 1], [0, 3], r"ids must be in 0\.\.1, got 2 at position 1"),
        ([0, -1, 1], [0, 3], r"ids must be in 0\.\.1, got -1 at position 1"),
        ([0, 1, 1], [0, 2], "offsets must increase from 0 to 3, got 2 at the end"),
        ([0, 1, 1], [0, 4, 3], "offsets must increase from 0 to 3, got 3 after 4 at position 2"),
        ([0, 1, 1], [1, 3], "offsets must increase from 0 to 3, got 1 at position 0"),
        ([0, 1, 1], np.array([0, 3], np.int32), r"offsets must be an int64 array, got int32; use numpy\.asarray"),
        (np.array([0, 1, 1]), [0, 3], r"ids must be an int32 array, got int64; use numpy\.asarray"),
    ],
)
def test_ids_and_offsets_from_callers_are_checked(ids, offsets, message):
    ids = np.array(ids, np.int32) if isinstance(ids, list) else ids
    offsets = np.array(offsets, np.int64) if isinstance(offsets, list) else offsets
    with pytest.raises(InputError, match=message):
        EncodedCorpus(Vocabulary(["a", "b"]), ids, offsets, raw_tokens=3, raw_types=2)


def test_an_unpickled_corpus_is_read_only():
    twin = pickle.loads(pickle.dumps(encode_corpus(["a rose is a rose"], min_count=1)))
    assert twin.ids.tolist() == [0, 1, 2, 0, 1]
    assert not twin.ids.flags.writeable
    assert not twin.offsets.flags.writeable
