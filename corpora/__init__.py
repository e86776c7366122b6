"""Text input: readers, named tokenizers, bundled samples and a catalogue of public data sets.

Names are imported on first use, which keeps ``import corpora`` fast.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "DATASETS": "corpora.catalogue",
    "Dataset": "corpora.catalogue",
    "FormatError": "corpora.errors",
    "InputError": "corpora.errors",
    "TOKENIZERS": "corpora.tokenizers",
    "TextCorpus": "corpora.readers",
    "Tokenizer": "corpora.tokenizers",
    "check_labelled": "corpora.checks",
    "english_sentences": "corpora.grammar",
    "find": "corpora.catalogue",
    "get_tokenizer": "corpora.tokenizers",
    "iter_label_sets": "corpora.labelled",
    "iter_labelled": "corpora.labelled",
    "iter_sources": "corpora.parallel",
    "iter_texts": "corpora.labelled",
    "iter_tokens": "corpora.tagged",
    "read_label_sets": "corpora.labelled",
    "read_labelled": "corpora.labelled",
    "read_lines": "corpora.readers",
    "read_parallel": "corpora.parallel",
    "read_dated_series": "corpora.series",
    "read_series": "corpora.series",
    "read_tagged": "corpora.tagged",
    "read_texts": "corpora.labelled",
    "read_tokens": "corpora.tagged",
    "sample_path": "corpora.samples",
    "tokenize": "corpora.tokenizers",
    "TrainingError": "corpora.errors",
    "UnknownTokenError": "corpora.errors",
    "WordvecError": "corpora.errors",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'corpora' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
