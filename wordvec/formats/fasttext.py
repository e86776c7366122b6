"""Detection of fastText binary models, which are rejected with a specific error.

Both layouts start with the training arguments (``args.cc``, ``Args::save``) and the dictionary sizes
(``dictionary.cc``, ``Dictionary::save``); since version 11 they are preceded by a magic number and the version.
"""

import struct

MAGIC = 793_712_314

_ARGUMENTS = struct.Struct("<12id3iq")


def looks_like(sample: bytes) -> bool:
    """Whether a file that starts with ``sample`` is a fastText model, with its magic number or in the old layout."""
    if len(sample) >= 4 and int.from_bytes(sample[:4], "little", signed=True) == MAGIC:
        return True
    if len(sample) < _ARGUMENTS.size:
        return False
    fields = _ARGUMENTS.unpack_from(sample)
    dim, window, epochs, _min_count, negatives, word_ngrams, loss, model, bucket, min_n, max_n, rate = fields[:12]
    threshold, size, words, labels, tokens = fields[12:]
    return (
        1 <= dim <= 100_000
        and min(window, epochs, negatives, word_ngrams, bucket, min_n, max_n, rate) >= 0
        and loss in (1, 2, 3, 4)
        and model in (1, 2, 3)
        and 0 <= threshold <= 1
        and size == words + labels
        and min(words, labels, tokens) >= 0
        and size > 0
    )
