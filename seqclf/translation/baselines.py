"""Baselines of sequence-to-sequence models: copied sources, the most frequent target, a dictionary by IBM model 1."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wordvec import Vocabulary

_ITERATIONS = 8
_MOST = 8_000_000
"""Pairs of a source unit and a target unit in one sentence pair, after which further sentences are left out."""

COPY = "copy of the source"
Units = Sequence[str]


@dataclass(frozen=True)
class Baselines:
    """What the baselines learn.

    Attributes:
        frequent: the most frequent target, as units; of equally frequent ones the first.
        dictionary: for each source unit its most probable target unit.
    """

    frequent: list[str]
    dictionary: dict[str, str]

    def predict(self, sources: Sequence[Units]) -> dict[str, list[list[str]]]:
        """Return the units that each baseline predicts for some sources, by its name.

        A source unit that the dictionary lacks is copied.

        Example:
            >>> Baselines(["ja"], {"yes": "ja"}).predict([["yes", "sir"]])["unit-by-unit dictionary"]
            [['ja', 'sir']]
        """
        return {
            COPY: [list(source) for source in sources],
            "most frequent target": [list(self.frequent) for _ in sources],
            "unit-by-unit dictionary": [[self.dictionary.get(unit, unit) for unit in source] for source in sources],
        }

    def known(self, source: Vocabulary, target: Vocabulary) -> "Baselines":
        """Return the baselines without units that the vocabularies lack, as a file keeps them.

        Example:
            >>> both = Baselines([], {"yes": "ja", "no": "nee"})
            >>> both.known(Vocabulary(["yes", "no"]), Vocabulary(["ja"])).dictionary
            {'yes': 'ja'}
        """
        return Baselines.of_ids(self.frequent, self.as_ids(source, target), source, target)

    def as_ids(self, source: Vocabulary, target: Vocabulary) -> np.ndarray:
        """Return the dictionary as (V,) int32: for each source unit of a vocabulary a target unit, or -1 for none."""
        found = [target.token_to_id.get(self.dictionary.get(unit, ""), -1) for unit in source.tokens]
        return np.array(found, np.int32)

    @classmethod
    def of_ids(cls, frequent: list[str], ids: np.ndarray, source: Vocabulary, target: Vocabulary) -> "Baselines":
        """Return baselines whose dictionary is ``as_ids`` of these vocabularies.

        Example:
            >>> source, target = Vocabulary(["yes", "sir"]), Vocabulary(["no", "ja"])
            >>> Baselines.of_ids([], Baselines([], {"yes": "ja"}).as_ids(source, target), source, target).dictionary
            {'yes': 'ja'}
        """
        pairs = zip(source.tokens, ids.tolist(), strict=True)
        return cls(frequent, {unit: target.tokens[token_id] for unit, token_id in pairs if token_id >= 0})


def train_baselines(sources: Sequence[Units], targets: Sequence[Units]) -> Baselines:
    """Count targets, and learn which target unit each source unit stands for.

    Args:
        sources, targets: the units of each, S of them.

    Example:
        >>> train_baselines(["ab", "a", "b"], ["xy", "x", "y"]).dictionary
        {'a': 'x', 'b': 'y'}
    """
    counts = Counter(map(tuple, targets))
    frequent = list(counts.most_common(1)[0][0]) if counts else []
    return Baselines(frequent, align_units(sources, targets))


def align_units(
    sources: Sequence[Units], targets: Sequence[Units], *, iterations: int = _ITERATIONS, most: int = _MOST
) -> dict[str, str]:
    """Return each source unit's most probable target unit by IBM model 1 (Brown et al. 1993, section 4.1).

    t(target | source) is estimated by expectation maximization from uniform values; a target unit may also come from no
    source unit. Of equally probable target units the one that occurs first wins.

    Args:
        sources, targets: the units of each, S of them.
        iterations: of expectation maximization.
        most: bound of the memory: pairs of units, after which further sentences are left out.
    """
    source_ids = {"": 0}  # of the empty unit come the target units that come from no other
    target_ids: dict[str, int] = {}
    rows, columns, seen = [], [], 0
    for source, target in zip(sources, targets, strict=True):
        seen += (len(source) + 1) * len(target)
        if seen > most:
            break
        own = np.array([0, *(source_ids.setdefault(unit, len(source_ids)) for unit in source)])
        for unit in target:
            rows.append(own)
            columns.append(target_ids.setdefault(unit, len(target_ids)))
    if not rows:
        return {}
    # Entries: for each target unit of a sentence, the source units it may come from, one after another.
    widths = np.array([own.size for own in rows])
    starts = np.cumsum(widths) - widths
    keys = np.concatenate(rows) * len(target_ids) + np.repeat(columns, widths)
    pairs, entries = np.unique(keys, return_inverse=True)
    source_of, target_of = np.divmod(pairs, len(target_ids))
    chances = np.ones(pairs.size)
    for _ in range(iterations):
        each = chances[entries]
        each /= np.repeat(np.add.reduceat(each, starts), widths)
        counts = np.bincount(entries, each, pairs.size)
        chances = counts / np.bincount(source_of, counts)[source_of]
    order = np.lexsort((target_of, -chances, source_of))
    first = np.flatnonzero(np.diff(source_of[order], prepend=-1))
    names, written = list(target_ids), list(source_ids)
    best = zip(source_of[order][first].tolist(), target_of[order][first].tolist(), strict=True)
    return {written[source]: names[target] for source, target in itertools.islice(best, 1, None)}
