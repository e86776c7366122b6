"""How accurate and how fast is the classifier? Default settings, compared with linear baselines over several seeds.

    WORDVEC_DATA=/path/to/data python -m benchmarks.networks.classification --vectors vectors.safetensors

Models are trained only on the training set; the best epoch and the baselines' C are chosen on a validation set.
SST-2 has official splits. For TREC-6, a stratified tenth of the training set is used for validation. SMS spam and
disaster tweets have no official splits: duplicates are removed, a stratified fifth is the test set, a tenth of the rest
the validation set; each seed has its own split. The table shows test accuracy in percent, mean and standard deviation
over seeds.
"""

import argparse
import hashlib
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.harness.measuring import Row, Run, WrongResultError
from benchmarks.harness.texts import data_file
from corpora import read_labelled
from seqclf import ClassifierSettings, compare_baselines, score, train_classifier
from seqclf.data.labels import encode_labels
from seqclf.data.splits import stratified_split
from wordvec import WordVectors, load_vectors

Labelled = tuple[list[str], list[str]]

DATASETS = {  # name: tokenizer; the first two are already tokenized
    "sst2": "whitespace",
    "trec6": "whitespace",
    "sms_spam": "tweets",
    "disaster_tweets": "tweets",
}
_FILES = {
    "sst2": ("sst2.train.tsv", "sst2.dev.tsv", "sst2.test.tsv"),
    "trec6": ("trec6.train.tsv", "trec6.test.tsv"),
    "sms_spam": ("sms_spam.all.tsv",),
    "disaster_tweets": ("disaster_tweets.all.tsv",),
}


def rows(run: Run) -> Iterator[Row]:
    """Yield the test accuracy by seed, with random embeddings, compared with each baseline; and the training time."""
    names = [name for name in DATASETS if all(data_file(f"classify/{file}") for file in _FILES[name])]
    names = run.pick([], names[1:3], names) or ["sample"]
    _compile(None, run.threads)
    for name in names:
        ours: list[float] = []
        speeds: list[float] = []
        baselines: dict[str, list[float]] = {}
        for seed in range(1, run.pick(1, 2, 3) + 1):
            train, dev, test = _parts(name, seed)
            cut = {"tokenizer": DATASETS.get(name, "tweets"), "lowercase": True}
            began = time.perf_counter()
            settings = ClassifierSettings(seed=seed, **cut)
            model = train_classifier(*train, settings=settings, dev=dev, threads=run.threads)
            speeds.append(time.perf_counter() - began)
            ours.append(100 * score(test[1], model.predict(test[0], threads=run.threads).tolist()).accuracy)
            for baseline in compare_baselines(*train, *test, dev=dev, **cut):
                baselines.setdefault(baseline.name, []).append(100 * baseline.score.accuracy)
        for baseline_name, theirs in baselines.items():
            yield Row(f"{name}, accuracy", "%", ours, baseline_name, theirs)
        if ours[0] < baselines["majority class"][0]:
            raise WrongResultError(f"{name}: accuracy {ours[0]:.1f} % is below the majority class baseline")
        yield Row(f"{name}, training with early stopping", "s", speeds, more_is_better=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", help="pretrained vectors in any supported format; default: random embeddings")
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings of the classifier")
    options = parser.parse_args()
    vectors = load_vectors(options.vectors) if options.vectors else None
    changes = dict(_setting(text) for text in options.set)
    print(describe_vectors(vectors))
    _compile(vectors, options.threads)
    heads = f"{'accuracy':>14} {'macro-F1':>9} {'dev':>6} {'train s':>8} {'texts/s':>9}"
    print(f"{'data set':<16} {'classifier':<30} {heads}")
    for name in options.datasets:
        _measure(name, vectors, range(1, options.seeds + 1), options.threads, changes, not options.no_baselines)


def describe_vectors(vectors: WordVectors | None) -> str:
    """Return size and checksum: vectors of equal size from two training runs can differ by a point in score."""
    if vectors is None:
        return "vectors: random"
    words, size = vectors.vectors.shape
    return f"vectors: {words:,} words x {size}, checksum {hashlib.sha256(vectors.vectors.tobytes()).hexdigest()[:8]}"


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    kind = type(getattr(ClassifierSettings(), name))
    return name, value == "True" if kind is bool else kind(value)


def _compile(vectors: WordVectors | None, threads: int | None) -> None:
    """Load or compile all kernels, so that compilation is not included in the times."""
    began = time.perf_counter()
    settings = ClassifierSettings(epochs=1, keep_vectors=0)
    train_classifier(["one text", "another"] * 8, [0, 1] * 8, settings=settings, vectors=vectors, threads=threads)
    print(f"kernels ready in {time.perf_counter() - began:.1f} s")


def _measure(
    name: str, vectors: WordVectors | None, seeds: Sequence[int], threads: int | None, changes: dict, baselines: bool
) -> None:
    rows: dict[str, list[tuple[float, ...]]] = {}
    for seed in seeds:
        train, dev, test = _parts(name, seed)
        # Most pretrained vectors are lowercase.
        cut = {"tokenizer": DATASETS[name], "lowercase": True}
        settings = ClassifierSettings(seed=seed, **{**cut, **changes})
        began = time.perf_counter()
        model = train_classifier(*train, settings=settings, vectors=vectors, dev=dev, threads=threads)
        trained = time.perf_counter()
        predicted = model.predict(test[0], threads=threads)
        speed = len(test[0]) / (time.perf_counter() - trained)
        result = score(test[1], predicted.tolist())
        accuracies = 100 * result.accuracy, 100 * result.macro_f1, 100 * model.metrics["dev_accuracy"]
        rows.setdefault(f"BiLSTM, {'given' if vectors else 'random'} vectors", []).append(
            (*accuracies, trained - began, speed)
        )
        # With official splits, the baselines do not depend on the seed.
        if baselines and (seed == seeds[0] or name not in ("sst2",)):
            for baseline in compare_baselines(*train, *test, dev=dev, **cut):
                values = 100 * baseline.score.accuracy, 100 * baseline.score.macro_f1
                rows.setdefault(baseline.name, []).append(values)
    for kind, values in rows.items():
        columns = [list(column) for column in zip(*values, strict=True)]
        spread = statistics.stdev(columns[0]) if len(columns[0]) > 1 else 0.0
        cells = f"{statistics.mean(columns[0]):7.2f} ±{spread:5.2f} {statistics.mean(columns[1]):9.2f}"
        if len(columns) > 2:
            dev, seconds, speed = (statistics.mean(column) for column in columns[2:])
            cells += f" {dev:6.2f} {seconds:8.1f} {speed:9,.0f}"
        print(f"{name:<16} {kind:<30} {cells}", flush=True)


def _parts(name: str, seed: int) -> tuple[Labelled, Labelled, Labelled]:
    """Return the training, validation and test sets."""
    if name == "sample":
        train, dev = _split(read_labelled("sample:disasters"), 0.1, seed)
        return train, dev, read_labelled("sample:disasters-test")
    if name == "sst2":
        train, dev, test = (read_labelled(f"data:sst2/{part}") for part in ("train", "dev", "test"))
        return train, dev, test
    if name == "trec6":
        rest, test = read_labelled("data:trec6/train"), read_labelled("data:trec6/test")
    else:
        texts, labels = read_labelled(f"data:{name}")
        first = dict(zip(reversed(texts), reversed(labels), strict=True))  # duplicates keep their first label
        rest, test = _split((list(reversed(first)), list(reversed(first.values()))), 0.2, seed)
    train, dev = _split(rest, 0.1, seed)
    return train, dev, test


def _split(data: Labelled, fraction: float, seed: int) -> tuple[Labelled, Labelled]:
    texts, labels = data
    targets = encode_labels(labels, sorted(set(labels)), "texts")
    parts = stratified_split(np.asarray(targets), fraction, seed)
    rest, part = (([texts[row] for row in rows], [labels[row] for row in rows]) for rows in parts)
    return rest, part


if __name__ == "__main__":
    main()
