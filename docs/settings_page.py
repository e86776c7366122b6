"""Writes docs/reference/settings.md from the declarations of the settings classes: ``python docs/settings_page.py``."""

import dataclasses
from pathlib import Path

from seqclf import (
    ClassifierSettings,
    ForecasterSettings,
    LanguageModelSettings,
    RegressorSettings,
    TaggerSettings,
)
from seqclf.translation.settings import TransducerSettings, VectorTransducerSettings
from wordvec import CooccurrenceSettings, GloveSettings, SvdSettings, Word2VecSettings
from wordvec.distributed.settings import ShardSettings
from wordvec.phrases.settings import PhraseSettings
from wordvec.system.settings import Settings, base_type, declaration, default_text, flags_of
from wordvec.word2vec.settings import ContinuationSettings

PAGE = Path(__file__).parent / "reference" / "settings.md"
SECTIONS: list[tuple[type[Settings], str, str]] = [
    (Word2VecSettings, "CBOW and skip-gram", "`wordvec.Word2Vec`, `train-embeddings --model skipgram`, `cbow`"),
    (ContinuationSettings, "Continued training", "`train_word2vec(continuation=)`, `train-embeddings --continue-from`"),
    (ShardSettings, "Shards", "`train_sharded` of `wordvec.distributed.training`, `train-embeddings --shards`"),
    (
        CooccurrenceSettings,
        "Co-occurrence counts",
        "all count-based estimators, `train-embeddings --model cooccurrence`, `ppmi`, `svd`, `glove`. The defaults\n"
        "are those of GloVe; of the other models, `window` is 5 and `window_weights` is dynamic",
    ),
    (SvdSettings, "Truncated SVD", "`wordvec.Svd`, `train-embeddings --model svd`"),
    (GloveSettings, "GloVe", "`wordvec.Glove`, `train-embeddings --model glove`"),
    (PhraseSettings, "Phrases", "`wordvec.Phrases`, `wordvec phrases learn`"),
    (
        ClassifierSettings,
        "Text classifiers",
        "`seqclf.SequenceClassifier`, `MultiLabelClassifier`, `classify-text train`",
    ),
    (
        RegressorSettings,
        "Regressors",
        "`seqclf.SequenceRegressor`; all as for text classifiers, without `class_weight`",
    ),
    (TaggerSettings, "Sequence taggers", "`seqclf.SequenceTagger`, `tag-text train`"),
    (TransducerSettings, "Sequence to sequence", "`seqclf.SequenceToSequence`, `transduce train`"),
    (VectorTransducerSettings, "Sequences from vectors", "`seqclf.SequenceFromVector`"),
    (LanguageModelSettings, "Language models", "`seqclf.LanguageModel`, `language-model train`"),
    (ForecasterSettings, "Forecasters", "`seqclf.Forecaster`, `forecast train`"),
]


def page() -> str:
    """Return the content of the page."""
    parts = [
        "# Settings",
        "Every setting, its option on the command line, its default and its valid values. Estimators call the seed\n"
        "`random_state`.\n\n"
        "This page is generated from the declarations in the code by `python docs/settings_page.py`.",
    ]
    parts += [section(*each) for each in SECTIONS]
    return "\n\n".join(parts) + "\n"


def section(kind: type[Settings], title: str, used_by: str) -> str:
    """Return the section of one settings class."""
    fields = [] if kind is RegressorSettings else [row(field) for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    table = "\n".join(["| setting | option | default | valid | meaning |", "|-|-|-|-|-|", *fields]) if fields else ""
    return "\n\n".join(filter(None, [f"## {title}", f"`{kind.__name__}`: {used_by}.", table]))


def row(field: "dataclasses.Field[object]") -> str:
    """Return the table row of one setting."""
    declared = declaration(field)
    kind = {bool: "yes or no", int: "integer", float: "number"}.get(base_type(field), "")
    valid = declared.range if declared.choices else " ".join(filter(None, (kind, declared.range)))
    option = " ".join(f"`{flag}`" for flag in flags_of(field).split("/")) if declared.command_line else ""
    meaning = " ".join(filter(None, (declared.help, declared.detail)))
    return (
        f"| `{field.name}` | {option} | {default_text(field)} | {valid.removeprefix('one of ')} | {meaning} |".replace(
            "``", "`"
        )
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
