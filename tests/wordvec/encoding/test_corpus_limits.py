"""Encoding: memory, errors, progress, temporary files."""

import gc
import tracemalloc

import numpy as np
import pytest

from corpora import TextCorpus
from tests.cases.encoded import TEXT
from tests.cases.word2vec import wraps_around
from wordvec import Vocabulary, encode_corpus
from wordvec.encoding import corpus as encoded
from wordvec.encoding import scanning
from wordvec.errors import InputError
from wordvec.kernels.simd import JIT_OFF

pytestmark = wraps_around


# -- memory -----------------------------------------------------------------------------------------------------------


def peak_of(path, **options):
    """Return the peak bytes allocated by Python and NumPy while encoding a file, and those still held afterwards."""
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
def test_memory_is_independent_of_text_length_and_released(tmp_path, monkeypatch):
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
def test_memory_is_bounded_for_many_types(tmp_path, monkeypatch):
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
        (["a"], {"keep_words": ["a", "b"], "drop_words": ["c", "b"]}, "keep_words and drop_words both contain 'b'"),
        (["a"], {"keep_words": ["a", "b"], "max_vocabulary": 1}, "keep_words has 2 words, but max_vocabulary is 1"),
        (["a"], {"keep_words": ["a", 7]}, "keep_words contains 7; a word must be a non-empty string"),
        (["a"], {"drop_words": [""]}, "drop_words contains ''; a word must be a non-empty string"),
        (["a"], {"drop_words": ["\udcff"]}, "unpaired surrogate"),
        (["a"], {"drop_words": "nowhere.txt"}, "nowhere.txt: no such file"),
        (["a"], {"drop_words": ["a"]}, "drop_words contains all tokens that occur at least min_count = 1 times"),
        (["a"], {"vocabulary": Vocabulary(["a"]), "drop_words": ["b"]}, "a given vocabulary is used as it is"),
        (["a"], {"vocabulary": Vocabulary(["A"])}, "no word of the vocabulary occurs in the corpus"),
        ("a text", {}, "got one string; put it in a list"),
        (b"a text", {}, "got one string; put it in a list"),
        ([b"a text"], {}, "item 0 is of type bytes, expected a list of tokens"),
        (["a", ["b"]], {}, "item 1 is of type list, but the first is a text"),
        ([["a"], "b"], {}, "item 1 is of type str, expected a list of tokens"),
        ([["a"], 7], {}, "item 1 is of type int, expected a list of tokens"),
        ([["a"], ["b", 7]], {}, "item 1 contains 7; a token must be a non-empty string"),
        ([["a", ""]], {}, "item 0 contains ''; a token must be a non-empty string"),
        (["fine", "not \udcff"], {}, r"\\udcff"),
        ([["not \udcff"]], {}, "UTF-8"),
    ],
)
def test_invalid_input_is_rejected(corpus, options, message, folder_for_temporary_files):
    with pytest.raises(InputError, match=message):
        encode_corpus(corpus, **{"min_count": 1} | options)
    assert not any(folder_for_temporary_files.iterdir()), "no files are left behind"


@pytest.mark.parametrize("corpus", [[], [""], ["", " \n "], [[]], iter(())])
def test_a_corpus_without_a_token_is_an_error(corpus):
    with pytest.raises(InputError, match=r"pass (some text|at least one text)"):
        encode_corpus(corpus, min_count=1)


def test_an_empty_vocabulary_error_suggests_a_remedy(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b b c " * 3)
    with pytest.raises(
        InputError, match=r"at least min_count = 7 times \(the most frequent occurs 6 times\); lower min_count"
    ):
        encode_corpus(TextCorpus(path), min_count=7, cache=False)


def test_invalid_utf_8_leaves_no_files_behind(tmp_path, folder_of_cache, folder_for_temporary_files):
    path = tmp_path / "text"
    path.write_bytes(b"a b c\n\xff d")
    for cache in (True, False):
        with pytest.raises(InputError, match="byte 0xff at offset 6 is not UTF-8"):
            encode_corpus(TextCorpus(path), min_count=1, cache=cache)
    assert not any(folder_of_cache.iterdir())
    assert not any(folder_for_temporary_files.iterdir())


# -- progress and temporary files -------------------------------------------------------------------------------------


def test_progress_is_reported_in_bytes(tmp_path, monkeypatch, folder_of_cache):
    monkeypatch.setattr(encoded, "_BLOCK", 64)
    path = tmp_path / "text"
    path.write_bytes(b"some words\n" * 100)
    reports = []
    encode_corpus(TextCorpus(path), min_count=1, on_progress=lambda state: reports.append((state.done, state.total)))
    assert len(reports) > 10
    assert reports == sorted(reports)
    assert reports[-1] == (1100, 1100)
    assert {total for _, total in reports} == {1100}


def test_files_of_an_uncached_corpus_are_removed_with_it(tmp_path, folder_for_temporary_files, folder_of_cache):
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
        assert ids.tolist() == expected, "existing references to the ids stay readable"
    assert not folder_of_cache.exists()


def test_a_vocabulary_of_zero_counts_is_rejected():
    with pytest.raises(InputError, match="every count of the given vocabulary is 0"):
        encode_corpus(["a b"], vocabulary=Vocabulary(["a", "b"], [0, 0]))
    assert encode_corpus(["a b"], vocabulary=Vocabulary(["a", "b"])).vocabulary.counts.tolist() == [1, 1]
    assert encode_corpus(["a b"], vocabulary=Vocabulary(["a", "b"], [2, 0])).vocabulary.counts.tolist() == [2, 0]
