"""Benchmark texts: wiki8 if available in WORDVEC_DATA, else words sampled from a Zipf distribution."""

import lzma
import os
from pathlib import Path

import numpy as np

GENERATED_TOKENS = 17_000_000
"""The size of wiki8."""


def data_file(name: str) -> Path | None:
    """Return a file in the folder $WORDVEC_DATA, or None if it does not exist."""
    folder = os.environ.get("WORDVEC_DATA")
    path = Path(folder, name) if folder else None
    return path if path and path.is_file() else None


def speed_source() -> str:
    """Return the name of the text that ``speed_text`` writes."""
    return "wiki8" if data_file("text/wiki8.xz") else "generated: 50,000 words by Zipf's law"


def speed_text(folder: Path, tokens: int | None = None) -> Path:
    """Write at most ``tokens`` of the text to a file in ``folder``, in lines of 1,000 tokens, and return its path."""
    target = folder / f"text-{tokens or 'all'}.txt"
    source = data_file("text/wiki8.xz")
    if target.exists():
        return target
    if source is None:
        write_zipf(target, tokens=tokens or GENERATED_TOKENS)
        return target
    with lzma.open(source, "rt", encoding="utf-8") as file:
        words = file.read(-1 if tokens is None else 8 * tokens).split()[:tokens]
    with open(target, "w", encoding="utf-8") as out:
        for start in range(0, len(words), 1000):
            out.write(" ".join(words[start : start + 1000]) + "\n")
    return target


def write_zipf(
    path: Path,
    *,
    tokens: int | None = None,
    size: int | None = None,
    types: int = 50_000,
    new_words: int = 0,
    every_word: bool = False,
    seed: int = 1,
) -> None:
    """Write ``tokens`` tokens or ``size`` bytes in lines of 1,000 tokens; word k has a frequency proportional to 1 / k.

    ``new_words`` words of each line occur nowhere else; with ``every_word``, the text starts with each word once.
    """
    random = np.random.default_rng(seed)
    words = np.array([f"w{k:x}" for k in range(types)], object)
    chances = np.cumsum(1 / np.arange(1, types + 1))
    lines = written = 0
    with open(path, "w", encoding="ascii") as file:
        if every_word:
            for part in np.array_split(random.permutation(words), -(-types // 1000)):
                written += file.write(" ".join(part) + "\n")
                lines += 1
        while written < size if size is not None else 1000 * lines < (tokens or 0):
            ranks = np.searchsorted(chances, random.random((200, 1000 - new_words)) * chances[-1])
            for line in words[np.minimum(ranks, types - 1)].tolist():
                if size is None and 1000 * lines >= (tokens or 0):
                    break
                line += [f"once{new_words * lines + k:x}" for k in range(new_words)]
                written += file.write(" ".join(line) + "\n")
                lines += 1
