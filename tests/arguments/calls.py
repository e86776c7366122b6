"""Every public callable with a valid value for each of its arguments, and the forms in which callers may pass it."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

import corpora
import seqclf
import wordvec
from seqclf.classification.baselines import compare_multi_label_baselines
from seqclf.inspection.plotting import save_gate_heatmap
from tests.arguments.forms import (
    TEXTS,
    Form,
    of_matrix,
    of_number,
    of_object,
    of_path,
    of_real_array,
    of_texts,
    of_whole_array,
    of_whole_number,
)
from wordvec.count_based.cooccurrence import CooccurrenceCounts
from wordvec.count_based.models import count_based_settings
from wordvec.formats.documents import DocumentMatrix
from wordvec.system.settings import base_type, declaration

WORDS = ["the", "cat", "sat", "dog"]
DENSE = np.array([[1.0, 0, 2, 4], [0, 0, 0, 0], [2, 1, 0, 0], [0, 4, 2, 0]])
SQUARE = np.array([[0.0, 2, 4, 0], [2, 0, 0, 6], [4, 0, 0, 2], [0, 6, 2, 0]])
VECTORS = np.array([[1.0, 2, 0], [2, 1, 4], [0, 8, 1], [3, 1, 1]])
SERIES = np.array([1.0, 4, 2, 5, 3, 6] * 3)
VALUES = np.array([1.0, 4, 2, 5])


class Argument(NamedTuple):
    """An argument of a public callable.

    Attributes:
        of, name: the callable and the argument.
        value: a valid value.
        forms: how callers may pass it.
        call: the call with a value of this argument; returns the object that keeps it, or the result.
        read: what the caller sees of that object, as arrays.
        valid: names of forms that are valid here, besides those that are anyway.
    """

    of: str
    name: str
    value: Any
    forms: Callable[[], Iterator[Form]]
    call: Callable[[Any], Any]
    read: Callable[[Any], Any] = lambda result: result
    valid: tuple[str, ...] = ()


def _dense(matrix: Any) -> Any:
    return matrix.toarray()


@cache
def vectors() -> Any:
    return wordvec.WordVectors(wordvec.Vocabulary(WORDS, [4, 3, 2, 1]), VECTORS, context_vectors=VECTORS + 1)


@cache
def sparse_vectors() -> Any:
    return wordvec.SparseWordVectors(WORDS, sp.csr_array(SQUARE))


@cache
def corpus() -> Any:
    return wordvec.encode_corpus(TEXTS, min_count=1)


@cache
def counts() -> Any:
    return wordvec.count_cooccurrences(corpus())


def _fast(kind: type, **options: Any) -> Any:
    return kind(hidden_size=4, epochs=1, validation_fraction=0, **options)


ANY_LABEL = (
    *("half", "negative", "beyond int64", "beyond uint64", "2", "2147483647", "-2147483648", "1099511627776"),
    *("-9223372036854775808", "infinity", "complex", "complex objects", "durations"),
)
"""Labels may be any numbers or strings; those of the metrics anything that can be sorted."""

LABELS = np.array([1, 0, 1, 0])
SETS = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
NETWORK = {"settings": _fast(seqclf.ClassifierSettings, vector_size=4), "threads": 1}
REGRESSOR = {"settings": _fast(seqclf.RegressorSettings, vector_size=4), "threads": 1}
FORECASTER = _fast(seqclf.ForecasterSettings, window=4, horizon=2)


@cache
def classifier() -> Any:
    return seqclf.train_classifier(TEXTS, LABELS, **NETWORK)


@cache
def multi_label() -> Any:
    return seqclf.train_multi_label(TEXTS, SETS, **NETWORK)


@cache
def regressor() -> Any:
    return seqclf.train_regressor([SERIES[:3], SERIES[2:7], SERIES[3:9], SERIES[1:2]], VALUES, **REGRESSOR)


@cache
def forecaster() -> Any:
    return seqclf.train_forecaster(SERIES, settings=FORECASTER, threads=1)


@cache
def tagger() -> Any:
    settings = _fast(seqclf.TaggerSettings, vector_size=4, feature_size=3)
    tags = [["B" if len(word) > 2 else "O" for word in text.split()] for text in TEXTS]
    return seqclf.train_tagger([text.split() for text in TEXTS], tags, settings=settings, threads=1)


@cache
def language_model() -> Any:
    settings = _fast(seqclf.LanguageModelSettings, vector_size=4, batch_size=2, window=5)
    return seqclf.train_language_model(TEXTS, settings=settings, threads=1)


def _encoded(ids: Any, offsets: Any) -> Any:
    words = wordvec.Vocabulary(WORDS, [4, 3, 2, 1])
    return wordvec.EncodedCorpus(words, ids, offsets, raw_tokens=10, raw_types=4)


IDS = np.array([0, 1, 2, 0, 3, 2, 0, 1, 0, 1], np.int32)
OFFSETS = np.array([0, 3, 3, 6, 10], np.int64)


def _seen(encoded: Any) -> Any:
    return [wordvec.count_cooccurrences(encoded, threads=1).counts.toarray(), encoded.ids.tolist()]


def _table(matrix: Any) -> Any:
    words = wordvec.Vocabulary(WORDS, [4, 3, 2, 1])
    return CooccurrenceCounts(words, matrix, settings=wordvec.CooccurrenceSettings())


def _glove(matrix: Any) -> Any:
    settings = wordvec.GloveSettings(vector_size=4, epochs=1)
    return wordvec.train_glove(_table(matrix), settings, threads=1).vectors.vectors


def _saved(documents: Any, path: str) -> Any:
    wordvec.save_documents(documents, path)
    found = wordvec.load_documents(path)
    return [found.matrix.toarray(), found.idf]


def _word2vec(**given: Any) -> Any:
    settings = wordvec.Word2VecSettings(vector_size=4, epochs=1)
    return wordvec.train_word2vec(corpus(), settings, **{"threads": 1} | given).vectors.vectors


def _reads(series: Any) -> Any:
    return [series.names, series.values] if hasattr(series, "names") else series


def _backtest(**given: Any) -> Any:
    options = {"series": SERIES, "settings": FORECASTER, "test": 4, "threads": 1} | given
    return seqclf.backtest(**options).forecasts


def arguments() -> Iterator[Argument]:
    """Yield the arguments of all public callables, except those that ``COVERED_ELSEWHERE`` explains."""
    yield from _of_vectors()
    yield from _of_corpora()
    yield from _of_matrices()
    yield from _of_networks()
    yield from _of_settings()
    yield from _of_paths()
    yield from _of_objects()


def _of_vectors() -> Iterator[Argument]:
    whole = np.array([4, 3, 2, 1])
    yield Argument(
        "Vocabulary", "counts", whole, lambda: of_whole_array(whole, None),
        lambda x: wordvec.Vocabulary(WORDS, x), lambda v: v.counts, valid=("None",),
    )  # fmt: skip
    yield Argument(
        "Vocabulary", "tokens", TEXTS[:2], lambda: of_texts(TEXTS[:2]), wordvec.Vocabulary, lambda v: v.tokens
    )
    for name, other in (("vectors", {}), ("context_vectors", {"vectors": VECTORS})):
        yield Argument(
            "WordVectors", name, VECTORS, lambda: of_real_array(VECTORS),
            lambda x, name=name, other=other: wordvec.WordVectors(WORDS, **{**other, name: x}),
            lambda wv, name=name: [getattr(wv, name), wv.unit_vectors], valid=("None",) * (name != "vectors"),
        )  # fmt: skip
    weights = np.array([2.0, 1.0, 4.0])
    for kind, wv in (("WordVectors", vectors()), ("SparseWordVectors", sparse_vectors())):
        row = wv["cat"].astype(float)
        yield Argument(
            kind, "mean_vector(weights)", weights, lambda: of_real_array(weights),
            lambda x, wv=wv: wv.mean_vector(WORDS[:3], x), valid=("None",),
        )  # fmt: skip
        yield Argument(
            kind, "similar_by_vector(vector)", row, lambda row=row: of_real_array(row),
            lambda x, wv=wv: wv.similar_by_vector(x),
        )  # fmt: skip
        yield Argument(
            kind, "most_similar(positive)", row, lambda row=row: of_real_array(row),
            lambda x, wv=wv: wv.most_similar([x, "the"]),
        )  # fmt: skip
        yield Argument(
            kind, "most_similar(weight)", 2.0, lambda: of_number(2.0),
            lambda x, wv=wv: wv.most_similar([("cat", x), "dog"]),
        )  # fmt: skip
        two = np.stack([row, row + 1])
        yield Argument(
            kind, "most_similar_batch(terms)", two, lambda two=two: of_real_array(two, fixed=False),
            lambda x, wv=wv: wv.most_similar_batch(x), valid=("no rows", "an empty list"),
        )  # fmt: skip
        for name in ("top", "restrict"):
            yield Argument(
                kind, f"most_similar({name})", 3, lambda none=name == "restrict": of_whole_number(3, none=none),
                lambda x, wv=wv, name=name: wv.most_similar("cat", **{name: x}),
            )  # fmt: skip
        rows = np.array([0, 2, 1])
        yield Argument(
            kind, "row_similarities(left)", rows, lambda rows=rows: of_whole_array(rows, 4),
            lambda x, wv=wv, rows=rows: wv.row_similarities(x, rows),
        )  # fmt: skip
        yield Argument(
            kind, "[words]", WORDS[:2], lambda: of_texts(WORDS[:2]), lambda x, wv=wv: wv[x], valid=("generator",)
        )
    yield Argument(
        "SparseWordVectors", "matrix", sp.csr_array(SQUARE), lambda: of_matrix(SQUARE),
        lambda x: wordvec.SparseWordVectors(WORDS, x), lambda wv: [wv.matrix.toarray(), wv.similarities("cat")],
    )  # fmt: skip
    yield Argument(
        "train_word2vec", "threads", 1, lambda: of_whole_number(1, none=True), lambda x: _word2vec(threads=x)
    )
    yield Argument(
        "train_word2vec", "evaluate_every", 1, lambda: of_whole_number(1), lambda x: _word2vec(evaluate_every=x)
    )
    yield Argument(
        "estimate_memory", "types", 1000, lambda: of_whole_number(1000),
        lambda x: list(wordvec.estimate_memory(wordvec.Word2VecSettings(), x, 1).values()),
    )  # fmt: skip


def _of_corpora() -> Iterator[Argument]:
    yield Argument("EncodedCorpus", "ids", IDS, lambda: of_whole_array(IDS, 4), lambda x: _encoded(x, OFFSETS), _seen)
    yield Argument(
        "EncodedCorpus",
        "offsets",
        OFFSETS,
        lambda: of_whole_array(OFFSETS, 11),
        lambda x: _encoded(IDS, x),
        _seen,
        valid=("one row more",),
    )
    numbers = ("None", "1.5", "list", "object", "True", "number")
    yield Argument(
        "tokenize", "text", None, lambda: (form for form in of_path() if form.name in numbers), corpora.tokenize
    )
    yield Argument(
        "encode_corpus", "corpus", TEXTS, lambda: of_texts(TEXTS),
        lambda x: wordvec.encode_corpus(x, min_count=1, threads=1), lambda c: [c.vocabulary.tokens, c.ids, c.offsets],
    )  # fmt: skip
    for name, value in (("min_count", 2), ("max_vocabulary", 3), ("max_types_in_memory", 9), ("threads", 1)):
        yield Argument(
            "encode_corpus", name, value,
            lambda value=value, none=name in ("max_vocabulary", "threads"): of_whole_number(value, none=none),
            lambda x, name=name: wordvec.encode_corpus(TEXTS, **{"min_count": 1, name: x}).ids,
        )  # fmt: skip
    yield Argument(
        "count_documents", "texts", TEXTS, lambda: of_texts(TEXTS),
        lambda x: wordvec.count_documents(x, threads=1), lambda found: [found[0].toarray(), found[1].tokens],
    )  # fmt: skip
    for name in ("min_count", "min_df", "max_features", "threads"):
        yield Argument(
            "count_documents", name, 1, lambda name=name: of_whole_number(1, none=name in ("max_features", "threads")),
            lambda x, name=name: wordvec.count_documents(TEXTS, **{name: x})[0].toarray(),
        )  # fmt: skip
    yield Argument(
        "count_documents", "max_df", 0.5, lambda: of_number(0.5),
        lambda x: wordvec.count_documents(TEXTS, max_df=x)[0].toarray(),
    )  # fmt: skip
    for name in ("threads", "memory"):
        yield Argument(
            "count_cooccurrences", name, 10**8, lambda: of_whole_number(10**8, none=True),
            lambda x, name=name: wordvec.count_cooccurrences(corpus(), **{name: x}).counts.toarray(), valid=("2**64",),
        )  # fmt: skip
        yield Argument(
            "train_count_based", name, 10**8, lambda: of_whole_number(10**8, none=True),
            lambda x, name=name: wordvec.train_count_based(
                corpus(), count_based_settings("ppmi"), **{name: x}
            ).vectors.matrix.toarray(),
            valid=("2**64",),
        )  # fmt: skip


def _of_matrices() -> Iterator[Argument]:
    matrix, idf = sp.csr_array(DENSE), np.array([1.0, 2, 1, 4])
    words = wordvec.Vocabulary(WORDS)
    forms = lambda: of_matrix(DENSE)  # noqa: E731
    yield Argument("document_frequencies", "matrix", matrix, forms, wordvec.document_frequencies)
    yield Argument(
        "weigh_documents", "counts", matrix, forms, lambda x: wordvec.weigh_documents(x, idf, threads=1), _dense
    )
    yield Argument(
        "weigh_documents", "idf", idf, lambda: of_real_array(idf),
        lambda x: wordvec.weigh_documents(matrix, x, threads=1), _dense,
    )  # fmt: skip
    yield Argument(
        "summarize", "ratio", 0.5, lambda: of_number(0.5), lambda x: wordvec.summarize(". ".join(TEXTS), x),
    )  # fmt: skip
    yield Argument(
        "save_documents", "matrix", matrix, forms,
        lambda x: _saved(DocumentMatrix(x, words), "m.npz")[0],
    )  # fmt: skip
    yield Argument(
        "save_documents", "idf", idf, lambda: of_real_array(idf),
        lambda x: _saved(DocumentMatrix(sp.csr_array(DENSE), words, x), "m.npz"), valid=("None",),
    )  # fmt: skip
    yield Argument("truncated_svd", "matrix", matrix, forms, lambda x: list(wordvec.truncated_svd(x, 2, threads=1)))
    for name, value in (("rank", 2), ("iterations", 2), ("oversampling", 2), ("seed", 2), ("threads", 2)):
        yield Argument(
            "truncated_svd", name, value, lambda v=value, n=name == "threads": of_whole_number(v, none=n),
            lambda x, name=name: list(wordvec.truncated_svd(matrix, **{"rank": 2, name: x})),
        )  # fmt: skip
    for weighting in ("ppmi", "npmi", "count"):
        yield Argument(
            "association_matrix", f"counts, {weighting}", sp.csr_array(SQUARE), lambda: of_matrix(SQUARE),
            lambda x, weighting=weighting: wordvec.association_matrix(x, weighting), _dense,
        )  # fmt: skip
    for name, value in (("smoothing", 0.5), ("shift", 2.0)):
        yield Argument(
            "association_matrix", name, value, lambda v=value, n=name == "smoothing": of_number(v, none=n),
            lambda x, name=name: wordvec.association_matrix(sp.csr_array(SQUARE), **{name: x}), _dense,
        )  # fmt: skip
    yield Argument("train_glove", "counts", sp.csr_array(SQUARE), lambda: of_matrix(SQUARE), _glove)


def _of_networks() -> Iterator[Argument]:
    def labels(x: Any) -> Any:
        return seqclf.train_classifier(TEXTS, x, **NETWORK).predict(TEXTS, threads=1).astype(float)

    yield Argument("train_classifier", "labels", LABELS, lambda: of_whole_array(LABELS, None), labels, valid=ANY_LABEL)
    yield Argument(
        "train_classifier", "texts", TEXTS, lambda: of_texts(TEXTS),
        lambda x: seqclf.train_classifier(x, LABELS, **NETWORK).predict_proba(TEXTS, threads=1), valid=("surrogate",),
    )  # fmt: skip
    yield Argument(
        "train_multi_label", "labels", SETS, lambda: of_whole_array(SETS, 2),
        lambda x: seqclf.train_multi_label(TEXTS, x, **NETWORK).predict_proba(TEXTS, threads=1),
        valid=("a sparse matrix",),
    )  # fmt: skip
    yield Argument(
        "train_regressor", "values", VALUES, lambda: of_real_array(VALUES),
        lambda x: seqclf.train_regressor(TEXTS, x, **REGRESSOR).predict(TEXTS, threads=1),
    )  # fmt: skip
    lengths = np.array([[1.0, 2], [3, 1], [4, 4], [2, 0]])
    yield Argument(
        "train_regressor", "sequences", lengths, lambda: of_real_array(lengths),
        lambda x: seqclf.train_regressor(x, VALUES, **REGRESSOR).predict(lengths, threads=1),
    )  # fmt: skip
    yield Argument(
        "RegressorModel", "predict(sequences)", lengths, lambda: of_real_array(lengths, fixed=False),
        lambda x: regressor().predict(x, threads=1), valid=("no rows", "an empty list"),
    )  # fmt: skip
    sequences = [SERIES[:3], SERIES[2:7], SERIES[3:9], SERIES[1:2]]
    yield Argument(
        "RegressorModel", "score(values)", VALUES, lambda: of_real_array(VALUES),
        lambda x: list(regressor().score(sequences, x, threads=1)),
    )  # fmt: skip
    for of, model in (("ClassifierModel", classifier), ("MultiLabelModel", multi_label)):
        yield Argument(
            of, "predict_proba(texts)", TEXTS, lambda: of_texts(TEXTS),
            lambda x, model=model: model().predict_proba(x, threads=1), valid=("surrogate",),
        )  # fmt: skip
        yield Argument(
            of, "predict_proba(threads)", 1, lambda: of_whole_number(1, none=True),
            lambda x, model=model: model().predict_proba(TEXTS, threads=x),
        )  # fmt: skip
    words = TEXTS[0].split()
    yield Argument(
        "trace", "text", words, lambda: of_texts(words), lambda x: seqclf.trace(classifier(), x).probabilities,
        valid=("one text", "surrogate", "0-d", "an empty list"),
    )  # fmt: skip
    yield Argument(
        "save_gate_heatmap",
        "path",
        None,
        of_path,
        lambda x: save_gate_heatmap(seqclf.trace(classifier(), words), x),
    )
    for compare, labels in ((seqclf.compare_baselines, LABELS), (compare_multi_label_baselines, SETS)):
        yield Argument(
            compare.__name__, "test_texts", None, lambda: (form for form in of_texts(TEXTS) if not form.valid),
            lambda x, compare=compare, labels=labels: compare(TEXTS, labels, x, labels), valid=("surrogate",),
        )  # fmt: skip
    half = np.array([0.5, 0.25])
    yield Argument(
        "MultiLabelModel", "thresholds", half, lambda: of_real_array(half),
        lambda x: seqclf.MultiLabelModel(
            multi_label().network, multi_label().vocabulary, labels=[0, 1], settings=multi_label().settings,
            thresholds=x,
        ),
        lambda model: model.predict(TEXTS, threads=1), valid=("None",),
    )  # fmt: skip
    yield Argument(
        "TaggerModel", "predict(sentences)", [text.split() for text in TEXTS], lambda: of_texts(TEXTS),
        lambda x: tagger().predict(x, threads=1),
    )  # fmt: skip
    yield Argument(
        "TrainedLanguageModel", "perplexity(lines)", TEXTS, lambda: of_texts(TEXTS), _perplexity, valid=("surrogate",)
    )
    yield Argument("train_language_model", "lines", TEXTS, lambda: of_texts(TEXTS), _trained_language)
    sentences = [text.split() for text in TEXTS]
    yield Argument("train_tagger", "sentences", sentences, lambda: of_texts(TEXTS), _trained_tagger)
    yield Argument(
        "train_forecaster", "series", SERIES, lambda: of_real_array(SERIES, fixed=False),
        lambda x: seqclf.train_forecaster(x, settings=FORECASTER, threads=1), lambda model: model.predict(),
    )  # fmt: skip
    for name in ("predict", "predict_interval"):
        yield Argument(
            "ForecasterModel", f"{name}(steps)", 2, lambda: of_whole_number(2, none=True),
            lambda x, name=name: getattr(_calibrated(), name)(steps=x),
        )  # fmt: skip
        yield Argument(
            "ForecasterModel", f"{name}(start)", 2, lambda: of_whole_number(2),
            lambda x, name=name: getattr(_calibrated(), name)(series=SERIES, start=x), valid=("-1",),
        )  # fmt: skip
        yield Argument(
            "ForecasterModel", f"{name}(series)", SERIES, lambda: of_real_array(SERIES, fixed=False),
            lambda x, name=name: getattr(_calibrated(), name)(series=x), valid=("None",),
        )  # fmt: skip
    yield Argument(
        "ForecasterModel", "predict_interval(level)", 0.5, lambda: of_number(0.5),
        lambda x: _calibrated().predict_interval(x),
    )  # fmt: skip
    origins = np.array([6, 9, 12])
    yield Argument(
        "ForecasterModel", "forecast(origins)", origins, lambda: of_whole_array(origins, 19, fixed=False),
        lambda x: forecaster().forecast(SERIES, x), valid=("no rows", "an empty list"),
    )  # fmt: skip
    residuals = np.arange(12.0).reshape(6, 2, 1)
    yield Argument(
        "ForecasterModel", "calibrate(residuals)", residuals, lambda: of_real_array(residuals, fixed=False),
        _calibrated, lambda model: model.predict_interval(0.5), valid=("no rows",),
    )  # fmt: skip
    yield Argument(
        "backtest", "series", SERIES, lambda: of_real_array(SERIES, fixed=False), lambda x: _backtest(series=x)
    )
    yield Argument("backtest", "test", 4, lambda: of_whole_number(4), lambda x: _backtest(test=x))
    yield Argument("backtest", "refits", 1, lambda: of_whole_number(1), lambda x: _backtest(refits=x))
    yield Argument(
        "backtest",
        "seasons",
        [2],
        lambda: of_whole_array(np.array([2]), None),
        lambda x: _backtest(seasons=x),
        valid=("no rows", "an empty list", "one row more", "one row less", "a set", "2"),
    )
    yield Argument(
        "score", "predicted", LABELS, lambda: of_whole_array(LABELS, 2),
        lambda x: seqclf.score(LABELS, x).confusion, valid=ANY_LABEL,
    )  # fmt: skip
    yield Argument(
        "score_label_sets", "predicted", SETS, lambda: of_whole_array(SETS, 2),
        lambda x: [seqclf.score_label_sets(SETS, x).micro_f1], valid=("a sparse matrix",),
    )  # fmt: skip
    for name, value in (("length", 8), ("hidden_size", 4), ("steps", 1), ("seed", 3)):
        yield Argument(
            "measure_gradient_flow", name, value, lambda value=value: of_whole_number(value),
            lambda x, name=name: seqclf.measure_gradient_flow(**{"cell": "gru", "length": 6, name: x}).norms,
        )  # fmt: skip
    yield Argument(
        "measure_gradient_flow", "scale", 0.5, lambda: of_number(0.5),
        lambda x: seqclf.measure_gradient_flow("rnn", length=6, scale=x).norms,
    )  # fmt: skip
    yield Argument(
        "english_sentences",
        "tokens",
        20,
        lambda: of_whole_number(20),
        lambda x: list(islice(corpora.english_sentences(x), 9)),
        valid=("10**400", "2**64"),
    )


def _perplexity(lines: Any) -> Any:
    return language_model().perplexity(lines, threads=1).loss


def _trained_language(lines: Any) -> Any:
    settings = _fast(seqclf.LanguageModelSettings, vector_size=4, batch_size=2, window=5)
    return _of_language(seqclf.train_language_model(lines, settings=settings, threads=1))


def _of_language(model: Any) -> Any:
    return model.perplexity(TEXTS, threads=1).loss


def _trained_tagger(sentences: Any) -> Any:
    settings = _fast(seqclf.TaggerSettings, vector_size=4, feature_size=3)
    tags = [["B" if len(word) > 2 else "O" for word in text.split()] for text in TEXTS]
    return seqclf.train_tagger(sentences, tags, settings=settings, threads=1).predict(
        [text.split() for text in TEXTS], threads=1
    )


class _Report(NamedTuple):
    residuals: Any


@cache
def _fresh_forecaster() -> Any:
    return seqclf.train_forecaster(SERIES, settings=FORECASTER, threads=1)


RESIDUALS = np.arange(40.0).reshape(20, 2, 1)


def _calibrated(residuals: Any = RESIDUALS) -> Any:
    model = _fresh_forecaster()
    model.calibrate(_Report(residuals))
    return model


SETTINGS = (
    wordvec.CooccurrenceSettings,
    wordvec.GloveSettings,
    wordvec.SvdSettings,
    wordvec.Word2VecSettings,
    seqclf.ClassifierSettings,
    seqclf.ForecasterSettings,
    seqclf.LanguageModelSettings,
    seqclf.RegressorSettings,
    seqclf.TaggerSettings,
)


def _of_settings() -> Iterator[Argument]:
    """Yield the numbers among the settings, as they are declared."""
    for kind in SETTINGS:
        for field in dataclasses.fields(kind):
            number = base_type(field)
            if number not in (int, float):
                continue
            declared = declaration(field)
            value = max(1, int(declared.least or 1)) if number is int else 0.5
            forms = of_whole_number if number is int else of_number
            if kind is seqclf.LanguageModelSettings and field.name in ("vector_size", "hidden_size"):
                continue  # each must equal the other
            yield Argument(
                kind.__name__, field.name, value,
                lambda forms=forms, value=value, field=field: forms(value, none="None" in str(field.type)),
                lambda x, kind=kind, name=field.name: getattr(kind(**{name: x}), name),
            )  # fmt: skip


def _of_objects() -> Iterator[Argument]:
    """Yield the arguments that are objects of this library."""
    words = "words"
    for of, name, call in (
        ("train_word2vec", "corpus", wordvec.train_word2vec),
        ("train_word2vec", "settings", lambda x: wordvec.train_word2vec(corpus(), x)),
        ("train_word2vec", "initial", lambda x: wordvec.train_word2vec(corpus(), initial=x)),
        ("train_count_based", "corpus", wordvec.train_count_based),
        ("train_count_based", "settings", lambda x: wordvec.train_count_based(corpus(), x)),
        ("count_cooccurrences", "corpus", wordvec.count_cooccurrences),
        ("count_cooccurrences", "settings", lambda x: wordvec.count_cooccurrences(corpus(), x)),
        ("train_glove", "cooccurrence", wordvec.train_glove),
        ("train_glove", "settings", lambda x: wordvec.train_glove(counts(), x)),
        ("estimate_memory", "settings", lambda x: wordvec.estimate_memory(x, 9)),
        ("save_documents", "documents", lambda x: wordvec.save_documents(x, words)),
        ("save_vectors", "vectors", lambda x: wordvec.save_vectors(x, words)),
        ("evaluate_similarity", "vectors", lambda x: wordvec.evaluate_similarity(x, words)),
        ("evaluate_analogies", "vectors", lambda x: wordvec.evaluate_analogies(x, words)),
        ("save_vocabulary", "vocabulary", lambda x: wordvec.save_vocabulary(x, words)),
        ("WordVectors", "vocabulary", lambda x: wordvec.WordVectors(x, VECTORS)),
        ("EncodedCorpus", "vocabulary", lambda x: wordvec.EncodedCorpus(x, IDS, OFFSETS, raw_tokens=9, raw_types=4)),
        ("encode_corpus", "vocabulary", lambda x: wordvec.encode_corpus(TEXTS, min_count=1, vocabulary=x)),
        ("count_documents", "vocabulary", lambda x: wordvec.count_documents(TEXTS, vocabulary=x)),
        ("train_classifier", "settings", lambda x: seqclf.train_classifier(TEXTS, LABELS, settings=x)),
        ("train_classifier", "vectors", lambda x: seqclf.train_classifier(TEXTS, LABELS, **NETWORK, vectors=x)),
        ("train_multi_label", "settings", lambda x: seqclf.train_multi_label(TEXTS, SETS, settings=x)),
        ("train_regressor", "settings", lambda x: seqclf.train_regressor(TEXTS, VALUES, settings=x)),
        ("train_forecaster", "settings", lambda x: seqclf.train_forecaster(SERIES, settings=x)),
        ("train_language_model", "settings", lambda x: seqclf.train_language_model(TEXTS, settings=x)),
        ("train_tagger", "settings", lambda x: seqclf.train_tagger([], [], settings=x)),
        ("backtest", "settings", lambda x: seqclf.backtest(SERIES, x, 4)),
        ("trace", "model", lambda x: seqclf.trace(x, "a text")),
        ("save_gate_heatmap", "trace", lambda x: save_gate_heatmap(x, "gates.png")),
    ):
        yield Argument(of, name, None, of_object, call)


def _of_paths() -> Iterator[Argument]:
    readers = {
        "wordvec": ("load_documents", "load_vectors", "load_vocabulary"),
        "seqclf": ("load_model",),
        "corpora": (
            "find", "read_dated_series", "read_label_sets", "read_labelled", "read_lines", "read_parallel",
            "read_series", "read_tagged", "read_texts", "read_tokens", "sample_path",
        ),
    }  # fmt: skip
    for package, names in readers.items():
        for name in names:
            function = getattr({"wordvec": wordvec, "seqclf": seqclf, "corpora": corpora}[package], name)
            yield Argument(name, "path", None, of_path, function)
    for name in ("iter_label_sets", "iter_labelled", "iter_sources", "iter_texts", "iter_tokens"):
        yield Argument(name, "path", None, of_path, lambda x, name=name: list(getattr(corpora, name)(x)))
    yield Argument("TextCorpus", "source", None, of_path, lambda x: list(corpora.TextCorpus(x)))
    for name in ("evaluate_analogies", "evaluate_file", "evaluate_similarity"):
        yield Argument(name, "path", None, of_path, lambda x, name=name: getattr(wordvec, name)(vectors(), x))
    yield Argument(
        "save_vectors", "path", None, of_path, lambda x: wordvec.save_vectors(vectors(), x), valid=("missing",)
    )
    yield Argument(
        "save_vocabulary", "path", None, of_path, lambda x: wordvec.save_vocabulary(vectors().vocabulary, x),
        valid=("missing",),
    )  # fmt: skip
    yield Argument(
        "save_documents", "path", None, of_path,
        lambda x: wordvec.save_documents(DocumentMatrix(sp.csr_matrix(DENSE), wordvec.Vocabulary(WORDS)), x),
        valid=("missing",),
    )  # fmt: skip


COVERED_ELSEWHERE = {
    "check_labelled": "it takes what iter_labelled yields",
    "score_entities": "it takes lists of tags",
    "get_tokenizer": "it takes a name",
    **dict.fromkeys(
        ("FormatError", "InputError", "TrainingError", "UnknownTokenError", "WordvecError", "StopTraining"),
        "an exception",
    ),
    **dict.fromkeys(("Progress", "TrainingCallback", "Score", "Dataset", "Tokenizer"), "the library fills it"),
    **dict.fromkeys(("DATASETS", "TOKENIZERS"), "a mapping"),
}
