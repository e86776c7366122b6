"""A text with every kind of boundary, and its expected encoding."""

import re
from collections import Counter

import numpy as np

from tests.oracles import naive

TEXT = b"b a\tc a\r\n\nthe cat\x00sat \xc3\xa9 a\n  \n\xf0\x9f\x99\x82 b\x0bb\x0cz\nlast line a"


def sentences_of(data):
    """Return the sentences of a file: lines of tokens, split like bytes; the last line may lack its line end."""
    lines = re.split("\r\n|[\n\r\u2028\u2029]", data.decode().removeprefix("\ufeff"))
    if lines[-1] == "":
        lines.pop()
    return [[token.decode() for token in line.removeprefix("\ufeff").encode().split()] for line in lines]


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
