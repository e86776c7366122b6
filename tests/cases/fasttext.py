"""Supervised fastText models, built byte by byte."""

import struct
from dataclasses import dataclass

import numpy as np

HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4


@dataclass
class Supervised:
    """A model of random numbers: seven words, four labels, D = 5."""

    loss: int = SOFTMAX
    word_ngrams: int = 1
    min_n: int = 0
    max_n: int = 0
    buckets: int = 0
    pruned: dict[int, int] | None = None
    quantized: bool = False
    version: int = 12
    words: tuple[str, ...] = ("</s>", "the", "fire", "über", "hills", "burn", "##odd")
    labels: tuple[str, ...] = ("__label__calm", "__label__fire", "__label__flood", "odd")
    label_counts: tuple[int, ...] = (9, 7, 4, 4)

    def __post_init__(self):
        random = np.random.default_rng(3)
        rows = len(self.words) + (self.buckets if self.pruned is None else len(self.pruned))
        self.inputs, self.outputs = (random.normal(size=(n, 5)).astype("<f4") for n in (rows, len(self.labels)))
        if self.quantized:
            self.codes, self.norm_codes = random.integers(0, 256, (rows, 3)), random.integers(0, 256, rows)
            self.centroids, self.norms = random.normal(size=256 * 5).astype("<f4"), random.random(256).astype("<f4")
            parts = np.split(self.centroids, [256 * 2, 256 * 4])  # of two, two and one number
            columns = [part.reshape(256, -1)[self.codes[:, k]] for k, part in enumerate(parts)]
            self.inputs = np.concatenate(columns, axis=1) * self.norms[self.norm_codes][:, None]

    def content(self):
        arguments = struct.pack(
            "<12id", 5, 5, 5, 1, 5, self.word_ngrams, self.loss, 3, self.buckets, self.min_n, self.max_n, 100, 1e-4
        )
        size, pruned = len(self.words) + len(self.labels), -1 if self.pruned is None else len(self.pruned)
        sizes = struct.pack("<iiiq", size, len(self.words), len(self.labels), 100)
        entries = [(word, 9, 0) for word in self.words]
        entries += [(label, count, 1) for label, count in zip(self.labels, self.label_counts, strict=True)]
        dictionary = b"".join(word.encode() + b"\0" + struct.pack("<qb", count, kind) for word, count, kind in entries)
        kept = b"".join(struct.pack("<ii", *pair) for pair in (self.pruned or {}).items())
        if not self.version:  # the layout before version 11
            return arguments + sizes + dictionary + _dense(self.inputs) + _dense(self.outputs)
        head, sizes = struct.pack("<ii", 793_712_314, self.version), sizes + struct.pack("<q", pruned)
        return head + arguments + sizes + dictionary + kept + self._inputs() + b"\0" + _dense(self.outputs)

    def _inputs(self):
        if not self.quantized:
            return b"\0" + _dense(self.inputs)
        rows = len(self.inputs)
        return (
            b"\1" + struct.pack("<Bqqi", 1, rows, 5, 3 * rows) + self.codes.astype("u1").tobytes()
            + struct.pack("<4i", 5, 3, 2, 1) + self.centroids.tobytes() + self.norm_codes.astype("u1").tobytes()
            + struct.pack("<4i", 1, 1, 1, 1) + self.norms.tobytes()
        )  # fmt: skip


def _dense(matrix):
    return struct.pack("<qq", *matrix.shape) + matrix.astype("<f4").tobytes()
