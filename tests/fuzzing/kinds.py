"""Every kind of file that the packages read: small valid examples, and the calls that read and use them."""

import functools
import json
import random
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from corpora import (
    TextCorpus,
    iter_sources,
    read_dated_series,
    read_label_sets,
    read_labelled,
    read_lines,
    read_parallel,
    read_tagged,
    read_texts,
    read_tokens,
)
from seqclf import ClassifierSettings, ForecasterSettings, load_model, train_forecaster
from seqclf.classification.train_vectors import train_vector_classifier
from seqclf.forecasting.automatic import train_automatic
from seqclf.forecasting.blend import BlendedForecaster
from tests.cases.fasttext import HIERARCHICAL, ONE_VS_ALL, Supervised
from tests.compatibility import readings, runs
from tests.fuzzing.mutations import (
    Mutation,
    changed_json,
    compressed,
    in_archive,
    in_arrays,
    in_compressed,
    in_json_header,
)
from wordvec import (
    InputError,
    Vocabulary,
    WordVectors,
    count_cooccurrences,
    count_documents,
    describe,
    encode_corpus,
    evaluate_file,
    load_documents,
    load_vectors,
    load_vocabulary,
    save_vectors,
    train_word2vec,
    weigh_documents,
)
from wordvec.checkpointing import checkpoint
from wordvec.encoding import corpus as encoding
from wordvec.encoding.vocabulary_rules import word_list
from wordvec.formats.table import NodeTable

Read = Callable[[Path], Any]
OLD_FILES = Path(__file__).resolve().parent.parent / "compatibility" / "files-0.1"


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        file: the name that the files get; its extension may select the reader.
        examples: valid files.
        reads: calls that read a file, each of which returns a result or raises ``InputError``.
        inner: mutations of what its container holds.
    """

    file: str
    examples: tuple[bytes, ...]
    reads: tuple[Read, ...]
    inner: tuple[Mutation, ...] = ()


# -- reading ----------------------------------------------------------------------------------------------------------


def _query(path: Path, **options: Any) -> None:
    vectors = load_vectors(path, **options)
    if len(vectors) > 1:
        vectors.most_similar(vectors.tokens[0], top=3)


def _first_vector(path: Path) -> None:
    load_vectors(path, limit=1)


def _all_but_bad_rows(path: Path) -> None:
    _query(path, skip_bad_rows=True)


def _supervised(path: Path) -> None:
    load_model(path, "fastText classifier").predict(["the fire burn", "überall", ""])


def _documents(path: Path) -> None:
    found = load_documents(path)
    matrix, _ = count_documents(["the old king", ""], vocabulary=found.vocabulary, threads=1)
    if found.idf is not None:
        weigh_documents(matrix, found.idf, threads=1)
        weigh_documents(found.matrix, found.idf, threads=1)


def _vocabulary(path: Path) -> None:
    encode_corpus(runs.SENTENCES[:5], vocabulary=load_vocabulary(path), cache=False, threads=1)


def _word_list(path: Path) -> None:
    word_list(path, "keep_words", True, "NFC")


def _encode(path: Path) -> None:
    encode_corpus(TextCorpus(path), min_count=1, cache=False, threads=1)


def _encode_words(path: Path) -> None:
    corpus = TextCorpus(path, tokenizer="words", lowercase=True, encoding_errors="replace")
    encode_corpus(corpus, min_count=1, cache=False, threads=1)


def _sources(path: Path) -> None:
    list(iter_sources(path, encoding_errors="replace"))


def _lines(path: Path) -> None:
    read_lines(path, encoding_errors="replace")


@functools.cache
def _words() -> WordVectors:
    words = ["king", "queen", "man", "woman", "paris", "london", "france", "england", "the", "old"]
    return WordVectors(words, np.random.default_rng(7).normal(size=(len(words), 4)).astype(np.float32))


def _evaluate(path: Path) -> None:
    evaluate_file(_words(), path)


class _EqualToAny(str):
    """A digest that every file matches, so that its other checks are reached."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def _without_digest(read: Read) -> Read:
    def read_anyway(path: Path) -> None:
        with mock.patch.object(checkpoint, "digest", return_value=_EqualToAny("x")):
            read(path)

    return read_anyway


_encoded = functools.cache(runs.corpus)
_cooccurrence = functools.cache(runs.cooccurrence)


def _resume_word2vec(path: Path) -> None:
    train_word2vec(_encoded(), runs.WORD2VEC, threads=1, checkpoint=path, checkpoint_every=3600, resume=True)


def _resume_glove(path: Path) -> None:
    from wordvec import train_glove

    train_glove(_cooccurrence(), runs.GLOVE, threads=1, checkpoint=path, resume=True)


def _cached_corpus(path: Path, *, checksum: bool = False) -> None:
    """Open the folder of an encoded corpus, whose files are the members of an archive, and use it."""
    folder = path.parent / "encoded"
    folder.mkdir(exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("ids", "offsets", "tokens", "counts", "corpus.json"):
                (folder / name).write_bytes(archive.read(name) if name in archive.namelist() else b"")
    except Exception as error:  # damage to the archive itself
        raise InputError("not an archive") from error
    try:
        if checksum:
            facts = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
            facts["checksum"] = encoding._checksum(folder)
            (folder / "corpus.json").write_text(json.dumps(facts), encoding="utf-8")
        found = encoding._open(folder)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:  # as encode_corpus does
        raise InputError("it is encoded again") from error
    count_cooccurrences(found, threads=1)


def _cached_corpus_with_checksum(path: Path) -> None:
    _cached_corpus(path, checksum=True)


# -- examples ---------------------------------------------------------------------------------------------------------


def _old(name: str) -> bytes:
    return (OLD_FILES / name).read_bytes()


def _binary() -> bytes:
    rows = np.random.default_rng(7).normal(size=(6, 4)).astype("<f4")
    tokens = ["the", "of", "old car", "café", "king", "queen"]
    return b"6 4\n" + b"".join(f"{token} ".encode() + row.tobytes() for token, row in zip(tokens, rows, strict=True))


def _with_nodes() -> bytes:
    """Vectors of hierarchical softmax, which version 0.1 saved without their tree."""
    vectors = WordVectors(["the", "of", "king"], np.ones((3, 4)))
    vectors.nodes = NodeTable(np.ones((2, 4), np.float32), np.array([[2, 1], [3, 0]], np.int32))
    with tempfile.TemporaryDirectory() as folder:
        vectors.save(Path(folder) / "v.safetensors")
        return (Path(folder) / "v.safetensors").read_bytes()


def _with_calendar(content: bytes) -> bytes:
    """Add to a forecaster's header the calendar that version 0.1 lacks."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    model = json.loads(header["__metadata__"]["seqclf"])
    header["__metadata__"]["seqclf"] = json.dumps(model | {"calendar": {"unit": "month", "first": 24012, "step": 1}})
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[end:]


def _cache_archive() -> bytes:
    import io

    corpus = _encoded()
    facts = {"tokenizer": "whitespace", "lowercase": False, "raw_types": 14, "raw_tokens": 100, "count_error": 0}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("ids", corpus.ids[:60].tobytes())
        archive.writestr("offsets", np.r_[corpus.offsets[corpus.offsets < 60], 60].astype(np.int64).tobytes())
        archive.writestr("tokens", b"\n".join(token.encode() for token in corpus.vocabulary.tokens) + b"\n")
        archive.writestr("counts", np.asarray(corpus.vocabulary.counts).tobytes())
        archive.writestr("corpus.json", json.dumps(facts))
    return out.getvalue()


_TEXT = "The old king ruled the land.\nÉtude no. 5, for piano\r\n\nto be or not to be\n".encode() * 3
_ROWS = b"the 0.5 -1.25 3e-2\nof 1 2 3\nking 0.1 .2 -3\ncaf\xc3\xa9 4 5 6\n"
_TSV = b"label\ttext\nfire\tThe hills burn\ncalm\tTea and cake\n"
_CONLLU = (
    b"# sent_id = 1\n# text = Old dogs bark\n"
    b"1-2\tOlddogs\t_\t_\t_\t_\t_\t_\t_\t_\n"
    b"1\tOld\told\tADJ\tJJ\t_\t2\tamod\t_\t_\n2\tdogs\tdog\tNOUN\tNNS\t_\t3\tnsubj\t_\t_\n"
    b"2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n3\tbark\tbark\tVERB\tVBP\t_\t0\troot\t_\t_\n\n"
    b"1\tRain\train\tNOUN\tNN\t_\t2\tnsubj\t_\t_\n2\tfalls\tfall\tVERB\tVBZ\t_\t0\troot\t_\t_\n\n"
)
_CONLL = b"-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nGerman JJ B-NP B-MISC\ncalls NNS I-NP O\n"
_SERIES = b"date,sales,visits\n2024-01,10.5,1\n2024-02,11,2\n2024-03,9.5,4\n"
_FASTTEXT_MODEL = (793_712_314).to_bytes(4, "little") + bytes([12, 0, 0, 0, 4, 0, 0, 0]) * 9

_SUPERVISED = (
    Supervised(loss=ONE_VS_ALL, word_ngrams=2, min_n=2, max_n=3, buckets=30).content(),
    Supervised(loss=HIERARCHICAL, buckets=30, max_n=2, quantized=True, pruned={7: 0, 4: 2, 9: 1}).content(),
)

_HEADER = (in_json_header, in_json_header, in_arrays, in_arrays)
_VECTORS: tuple[Read, ...] = (describe, _query, _first_vector, _all_but_bad_rows)
_LABELED: tuple[Read, ...] = (read_labelled, read_label_sets, read_texts)
_TAGGED: tuple[Read, ...] = (read_tagged, read_tokens)
_PARALLEL: tuple[Read, ...] = (read_parallel, _sources)
_CORPUS: tuple[Read, ...] = (_encode, _lines)


def _plain(*examples: bytes, reads: tuple[Read, ...], file: str, inner: tuple[Mutation, ...] = ()) -> Kind:
    return Kind(file, examples, reads, inner)


def _native(read: Read, *names: str) -> Kind:
    examples = tuple(_old(f"{name}.safetensors") for name in names)
    return Kind("m.safetensors", examples, (describe, read), _HEADER)


def _packed(ending: str, content: bytes, reads: tuple[Read, ...], file: str) -> Kind:
    packed = compressed(ending, content)
    several = (packed + packed,) if reads is _CORPUS else ()
    return Kind(file + ending, (packed, *several), reads, (in_compressed(ending),))


def _small_file(storage: str = "") -> bytes:
    """Return a .safetensors file of vectors with that storage, else an .npz archive."""
    vectors = WordVectors(Vocabulary(["the", "of", "king"], [5, 3, 1]), [[1, 2], [0, -1], [3, 0.5]])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "v.safetensors" if storage else "v.npz")
        save_vectors(vectors, path, storage=storage or "float32")
        return path.read_bytes()


def _saved(model: Any) -> bytes:
    """Return the file of a model."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "m.safetensors"))
        return Path(folder, "m.safetensors").read_bytes()


def _blended_forecasters() -> tuple[bytes, ...]:
    """Return a file with networks and exponential smoothing, and one with exponential smoothing alone."""
    values = runs.series()
    options = {"horizon": 2, "hidden_size": 3, "window": 4, "epochs": 1, "threads": 1}
    smoothed = train_automatic(values, **options)
    network = train_forecaster(
        values, settings=ForecasterSettings(horizon=2, hidden_size=3, window=4, epochs=1, log=smoothed.settings.log),
        threads=1,
    )  # fmt: skip
    both = BlendedForecaster(
        [(0.5, smoothed.parts[0][1]), (0.5, network)], settings=network.settings, names=["a", "b"],
        tail=smoothed.tail, length=60, residuals=smoothed.residuals, history=[], metrics={},
        calendar={"unit": "day", "first": 9, "step": 1},
    )  # fmt: skip
    return _saved(smoothed), _saved(both)


def _vector_classifier() -> bytes:
    settings = ClassifierSettings(hidden_size=3, epochs=1)
    sequences = [np.arange(2.0 * length).reshape(length, 2) % 5 for length in (1, 2, 3, 4) * 5]
    return _saved(train_vector_classifier(sequences, ["a", "b"] * 10, settings=settings, threads=1))


def _classify_vectors(path: Path) -> Any:
    return load_model(path, "vector classifier").predict_proba([np.ones((3, 2))]).tolist()


@functools.cache
def kinds() -> dict[str, Kind]:
    """Return every kind by its name."""
    model = _old("forecaster.safetensors")
    return {
        "word2vec text": _plain(b"4 3\n" + _ROWS, reads=_VECTORS, file="v.txt"),
        "word2vec binary": _plain(_binary(), reads=_VECTORS, file="v.bin"),
        "GloVe text": _plain(_ROWS, reads=_VECTORS, file="v.txt"),
        "fastText vectors": _plain(b"4 3\n" + _ROWS.replace(b"\n", b" \n"), reads=_VECTORS, file="v.vec"),
        "fastText model": _plain(_FASTTEXT_MODEL, reads=_VECTORS, file="v.bin"),
        "word2vec text, gzip": _packed(".gz", b"4 3\n" + _ROWS, _VECTORS, "v.txt"),
        "word2vec binary, gzip": _packed(".gz", _binary(), _VECTORS, "v.bin"),
        "dense vectors": Kind(
            "v.safetensors",
            (*map(_old, ("word2vec.safetensors", "glove.safetensors", "svd.safetensors")), _with_nodes()),
            _VECTORS,
            _HEADER,
        ),
        "sparse vectors": Kind("v.safetensors", (_old("ppmi.safetensors"),), _VECTORS, _HEADER),
        "int8 vectors": Kind("v.safetensors", (_small_file("int8"), _small_file("float16")), _VECTORS, _HEADER),
        "NumPy archive": _plain(_small_file(), reads=_VECTORS, file="v.npz", inner=(in_archive,)),
        "document counts": _plain(_old("counts.npz"), reads=(_documents,), file="d.npz", inner=(in_archive,)),
        "TF-IDF": _plain(_old("tfidf.npz"), reads=(_documents,), file="d.npz", inner=(in_archive,)),
        "vocabulary": _plain(_old("vocabulary.txt"), reads=(_vocabulary, _word_list), file="w.txt"),
        "classifier": _native(readings.classifier, "classifier", "classifier-attention"),
        "fastText classifier": _plain(*_SUPERVISED, reads=(*_VECTORS, _supervised), file="m.bin"),
        "multi-label model": _native(readings.multi_label, "multi-label"),
        "regressor": _native(readings.regressor, "regressor"),
        "regressor of numbers": _native(readings.number_regressor, "number-regressor"),
        "tagger": _native(readings.tagger, "tagger", "tagger-crf"),
        "language model": _native(readings.language_model, "language-model", "character-model"),
        "forecaster": Kind(
            "m.safetensors", (model, _with_calendar(model)), (describe, readings.forecaster), _HEADER
        ),
        "blended forecaster": Kind(
            "m.safetensors", _blended_forecasters(), (describe, readings.forecaster), _HEADER
        ),
        "vector classifier": Kind("m.safetensors", (_vector_classifier(),), (describe, _classify_vectors), _HEADER),
        "word2vec checkpoint": Kind("c", (_old("word2vec.checkpoint"),), (_resume_word2vec,), _HEADER),
        "GloVe checkpoint": Kind("c", (_old("glove.checkpoint"),), (_resume_glove,), _HEADER),
        "word2vec checkpoint, any digest": Kind(
            "c", (_old("word2vec.checkpoint"),), (_without_digest(_resume_word2vec),), _HEADER
        ),
        "GloVe checkpoint, any digest": Kind(
            "c", (_old("glove.checkpoint"),), (_without_digest(_resume_glove),), _HEADER
        ),
        "cached corpus": Kind(
            "corpus.zip", (_cache_archive(),), (_cached_corpus, _cached_corpus_with_checksum), (in_archive,)
        ),
        "corpus": _plain(_TEXT, reads=(*_CORPUS, _encode_words), file="t.txt"),
        **{f"corpus, {ending}": _packed(ending, _TEXT, _CORPUS, "t.txt") for ending in (".gz", ".bz2", ".xz", ".zst")},
        "labeled .tsv": _plain(_TSV, _TSV.partition(b"\n")[2], reads=_LABELED, file="l.tsv"),
        "labeled .csv": _plain(
            b'text,label\n"Fire, ""now""",fire\nTea,"calm, tea"\n', b"text;label\na;['x', 'y']\n", reads=_LABELED,
            file="l.csv",
        ),
        "labeled .jsonl": _plain(
            b'{"text": "Fire", "label": "fire"}\n{"text": "Tea", "label": ["calm", "tea"]}\n', reads=_LABELED,
            file="l.jsonl", inner=(_in_json_line,),
        ),
        "labeled fastText": _plain(
            b"__label__fire __label__x The hills burn\nTea __label__calm\n", reads=_LABELED, file="l.txt"
        ),
        "tagged columns": _plain(_CONLL, reads=_TAGGED, file="t.conll"),
        "tagged .tsv": _plain(b"the\tD\ndog\tN\n\na\tD\nking\tN\n", reads=_TAGGED, file="t.tsv"),
        "CoNLL-U": _plain(_CONLLU, reads=_TAGGED, file="t.conllu"),
        "parallel .tsv": _plain(b"das Haus\tthe house\nein Tag\ta day\n", reads=_PARALLEL, file="p.tsv"),
        "parallel .jsonl": _plain(
            b'{"source": "go", "target": "went"}\n', reads=_PARALLEL, file="p.jsonl", inner=(_in_json_line,)
        ),
        "series": _plain(
            _SERIES, b"Datum;Wert\n01.02.2024;1,5\n02.02.2024;2,25\n", b"year,month,value\n2024,1,5\n2024,2,6\n",
            b"t,v\n2024-01-01T00:00:00,1\n2024-01-01T01:00:00,2\n", reads=(read_dated_series,), file="s.csv",
        ),
        "analogies": _plain(
            b": capitals\nparis france london england\nking man queen woman\n", reads=(_evaluate,), file="q.txt"
        ),
        "word similarity": _plain(
            b"king\tqueen\t8.5\nman\twoman\t9\nparis\tthe\t0\n", reads=(_evaluate,), file="q.tsv"
        ),
    }  # fmt: skip


def _in_json_line(content: bytes, random: random.Random) -> bytes:
    lines = content.split(b"\n")
    place = random.randrange(len(lines))
    lines[place] = changed_json(lines[place], random)
    return b"\n".join(lines)
