"""Modules and kernels of counting and combining, loaded when this module is imported: once, before workers fork."""

import io

import numpy as np

from wordvec.distributed.combining import combine
from wordvec.encoding.scanning import Counter, Table, encode


def _load() -> None:
    block = b"a b a\n"
    counter = Counter(1, 2, [])
    counter.count([block])
    encode([block], Table.of(b"a\nb\n"), 1, io.BytesIO(), io.BytesIO())
    combine(None, [np.ones((1, 1), np.float32)] * 2)


_load()
