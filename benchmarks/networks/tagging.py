"""How accurate is the tagger? UPOS tags of the English Web Treebank, compared with each word's most frequent tag.

    WORDVEC_DATA=/path/to/data python -m benchmarks.networks.tagging --vectors vectors.safetensors

The tagger is trained only on the training set, and the best epoch is chosen on the development set. The table shows
token accuracy in percent for each seed, over all tokens and over words unseen in training, and the means. The baseline
assigns each token its most frequent tag in training, and unseen tokens the most frequent tag overall.
"""

import argparse
import statistics
import time
from collections import Counter, defaultdict
from typing import Any

from corpora import read_tagged
from seqclf import TaggerSettings, train_tagger
from wordvec import load_vectors

Tagged = tuple[list[list[str]], list[list[str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", help="pretrained vectors in any supported format; default: random embeddings")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 1 to N")
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings of the tagger")
    options = parser.parse_args()
    vectors = load_vectors(options.vectors) if options.vectors else None
    changes = dict(_setting(text) for text in options.set)
    train, dev, test = (read_tagged(f"data:ud_ewt/{part}") for part in ("train", "dev", "test"))
    seen = {token for sentence in train[0] for token in sentence}
    baseline = _most_frequent(train, test[0])
    print(f"{'':<28} {'test':>6} {'unseen':>7} {'dev':>6} {'epoch':>5} {'train s':>8}")
    print(f"{'most frequent tag':<28} " + " ".join(f"{100 * x:6.2f}" for x in _shares(test, baseline, seen)))
    rows = []
    for seed in range(1, options.seeds + 1):
        settings = TaggerSettings(seed=seed, **changes)
        began = time.perf_counter()
        model = train_tagger(*train, settings=settings, vectors=vectors, dev=dev, threads=options.threads)
        seconds = time.perf_counter() - began
        shares = _shares(test, model.predict(test[0], threads=options.threads), seen)
        rows.append([100 * share for share in (*shares, model.metrics["dev_accuracy"])])
        numbers = "{:6.2f} {:7.2f} {:6.2f}".format(*rows[-1])
        print(f"{f'tagger, seed {seed}':<28} {numbers} {model.metrics['best_epoch']:5d} {seconds:8.1f}", flush=True)
    means = [statistics.mean(column) for column in zip(*rows, strict=True)]
    print(f"{'tagger, mean':<28} {means[0]:6.2f} {means[1]:7.2f} {means[2]:6.2f}")


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    kind = type(getattr(TaggerSettings(), name))
    return name, value == "True" if kind is bool else kind(value)


def _most_frequent(train: Tagged, sentences: list[list[str]]) -> list[list[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for tokens, tags in zip(*train, strict=True):
        for token, tag in zip(tokens, tags, strict=True):
            counts[token][tag] += 1
    every = sum(counts.values(), Counter()).most_common(1)[0][0]
    best = {token: found.most_common(1)[0][0] for token, found in counts.items()}
    return [[best.get(token, every) for token in sentence] for sentence in sentences]


def _shares(truth: Tagged, found: list[list[str]], seen: set[str]) -> tuple[float, float]:
    """Return the accuracy over all tokens, and over those not ``seen`` in training."""
    rows = [
        (token in seen, tag == answer)
        for sentence in zip(*truth, found, strict=True)
        for token, tag, answer in zip(*sentence, strict=True)
    ]
    unseen = [right for known, right in rows if not known]
    return statistics.mean(right for _, right in rows), statistics.mean(unseen)


if __name__ == "__main__":
    main()
