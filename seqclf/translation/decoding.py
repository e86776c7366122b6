"""Greedy decoding, beam search and sampling over a stepper, which gives the probabilities of the next unit.

The search knows nothing of networks. Sources are decoded side by side, and a hypothesis leaves the batch when it ends.
Scores are sums of float64 in a fixed order, and ties go to the earlier hypothesis, then to the lower unit: if the rows
of a stepper do not depend on each other, neither does a result depend on the other sources.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from seqclf.translation.hypotheses import Hypothesis, Ranking
from seqclf.translation.steppers import NarrowStepper, Stepper
from wordvec.system.validation import check_number, check_whole

_SAMPLING = 0x5A3B
"""Stream of random numbers."""
_BLOCKS = 16
"""From as many blocks of units on, and as wide ones, blocks save time."""


class _Chosen(NamedTuple):
    """Continuations, those of one source one after another, the best first."""

    rows: np.ndarray
    """(M,) int64, the hypothesis that each continues."""
    tokens: np.ndarray
    """(M,) int64, its next unit."""
    totals: np.ndarray
    """(M,) float64, its log-probability."""


def greedy(
    stepper: Stepper,
    n_sources: int,
    *,
    bos: int,
    eos: int,
    max_lengths: Sequence[int] | np.ndarray,
    length_penalty: float = 0.0,
    no_repeat: int = 0,
    banned: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """Return one hypothesis for each source, which takes the most probable unit at each step.

    Arguments as :func:`beam_search`, which gives the same with a beam of 1.
    """
    return beam_search(
        stepper, n_sources, beam=1, bos=bos, eos=eos, max_lengths=max_lengths, length_penalty=length_penalty,
        no_repeat=no_repeat, banned=banned,
    )  # fmt: skip


def beam_search(
    stepper: Stepper,
    n_sources: int,
    *,
    beam: int,
    n_best: int = 1,
    bos: int,
    eos: int,
    max_lengths: Sequence[int] | np.ndarray,
    length_penalty: float = 0.0,
    coverage_penalty: float = 0.0,
    no_repeat: int = 0,
    banned: Sequence[int] = (),
    source_lengths: Sequence[int] | np.ndarray | None = None,
) -> list[list[Hypothesis]]:
    """Return the best hypotheses of each source that a beam search finds.

    At each step a source keeps its ``beam`` most probable continuations. One that ends takes its place in the beam with
    it (Bahdanau et al. 2015), so that a search ends with ``beam`` hypotheses; it ends earlier where no open hypothesis
    can be among the best any more. They are ranked by Wu et al. 2016, equation 14: log P / ((5 + L) / 6) **
    length_penalty + coverage_penalty * sum over the source's units of log(min(their attention, 1)), with L units, the
    end included.

    Args:
        stepper: of these sources, N hypotheses at a time.
        n_sources: S.
        beam: continuations to keep; 1 is greedy decoding.
        n_best: hypotheses to return, at most ``beam``; there may be fewer if few are possible.
        bos, eos: the units that begin and end a target.
        max_lengths: (S,) units after which a hypothesis must end.
        length_penalty, coverage_penalty: at least 0; 0 is none.
        no_repeat: the length of n-grams that a hypothesis may contain only once; 0 allows all. One that has no other
            unit left ends.
        banned: units that are never chosen, besides ``bos``.
        source_lengths: (S,) units of each source, for the coverage; None: the attention has no padding.

    Raises:
        InputError: ``beam``, ``n_best``, ``no_repeat`` or a penalty out of range.

    Example:
        >>> import numpy as np
        >>> class Bigrams:  # the next unit depends on the last one alone: 0 begins, 1 ends
        ...     table = np.log([[1e-9, 0.1, 0.5, 0.4], [1, 1, 1, 1], [1e-9, 0.3, 0.35, 0.35], [1e-9, 0.9, 0.05, 0.05]])
        ...     def start(self):
        ...         return None
        ...     def step(self, state, parents, tokens, sources):
        ...         return self.table[tokens].astype(np.float32), None, None
        >>> found = beam_search(Bigrams(), 1, beam=3, n_best=2, bos=0, eos=1, max_lengths=[4])
        >>> [(each.tokens, round(each.score, 3)) for each in found[0]]
        [([3], -1.022), ([], -2.303)]
        >>> greedy(Bigrams(), 1, bos=0, eos=1, max_lengths=[4])[0][0].tokens
        [2, 2, 2, 2]
    """
    check_search(beam, n_best, length_penalty, coverage_penalty, no_repeat)

    def choose(log_probabilities: np.ndarray, totals: np.ndarray, sources: np.ndarray, room: np.ndarray) -> _Chosen:
        return _best(log_probabilities, totals, sources, room, beam)

    ranking = Ranking(length_penalty, coverage_penalty, source_lengths)
    narrow = not no_repeat and not banned and bool(getattr(stepper, "narrow", False))
    if narrow and beam == 1:
        found = cast(NarrowStepper, stepper).greedy(bos, eos, np.asarray(max_lengths, np.int64))
        return [[ranking.hypothesis(source, *each)] for source, each in enumerate(found)]
    search = _Search(stepper, n_sources, beam, bos, eos, max_lengths, no_repeat, banned)
    search.ranking, search.narrow = ranking, narrow
    return search.run(choose, n_best)


def sample(
    stepper: Stepper,
    n_sources: int,
    *,
    n_samples: int = 1,
    temperature: float = 1.0,
    seed: int = 1,
    bos: int,
    eos: int,
    max_lengths: Sequence[int] | np.ndarray,
    length_penalty: float = 0.0,
    no_repeat: int = 0,
    banned: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """Return random hypotheses of each source, in the order of their scores.

    A unit is drawn with a probability proportional to ``p ** (1 / temperature)``. The random numbers depend on the
    seed, the sample and the step, not on the source: equal sources have equal samples.

    Args:
        n_samples: hypotheses for each source.
        temperature: above 0; below 1 sharpens the distribution, above 1 flattens it.
        seed: of the random numbers.
        stepper, n_sources, bos, eos, max_lengths, length_penalty, no_repeat, banned: see :func:`beam_search`.

    Raises:
        InputError: ``n_samples``, ``temperature``, ``seed`` or ``no_repeat`` out of range.
    """
    check_search(1, 1, length_penalty, 0.0, no_repeat)
    check_whole("n_samples", n_samples, 1)
    check_number("temperature", temperature, above=0)
    check_whole("seed", seed, 0)
    samples = np.tile(np.arange(n_samples), n_sources)  # of each live hypothesis
    steps = 0

    def choose(log_probabilities: np.ndarray, totals: np.ndarray, sources: np.ndarray, room: np.ndarray) -> _Chosen:
        nonlocal samples, steps
        random = np.random.default_rng([seed, _SAMPLING, steps]).random(n_samples)
        tokens = _draw(log_probabilities, temperature, random[samples])
        steps += 1
        samples = samples[tokens != eos]
        rows = np.arange(tokens.size)
        return _Chosen(rows, tokens, totals + log_probabilities[rows, tokens])

    search = _Search(stepper, n_sources, n_samples, bos, eos, max_lengths, no_repeat, banned)
    search.ranking = Ranking(length_penalty, 0.0, None)
    return search.run(choose, n_samples, start=n_samples)


def check_search(beam: int, n_best: int, length_penalty: float, coverage_penalty: float, no_repeat: int) -> None:
    """Raise InputError if an argument of :func:`beam_search` is out of range.

    Example:
        >>> check_search(beam=2, n_best=5, length_penalty=0, coverage_penalty=0, no_repeat=0)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: n_best must be at most 2, got 5
    """
    check_whole("beam", beam, 1)
    check_whole("n_best", n_best, 1, beam)
    check_number("length_penalty", length_penalty, least=0)
    check_number("coverage_penalty", coverage_penalty, least=0)
    check_whole("no_repeat", no_repeat, 0)


def replace_unknown(tokens: Sequence[str], unknown: str, source: Sequence[str], attention: np.ndarray) -> list[str]:
    """Return the units of a target, each unknown one replaced by the source's unit with the most attention.

    Args:
        tokens: T units. unknown: the unknown unit.
        source: S units.
        attention: (T, S or more) weights; of equal ones the first wins.

    Example:
        >>> replace_unknown(["hello", "<unk>"], "<unk>", ["bonjour", "Zoé"], np.array([[0.9, 0.1], [0.2, 0.8]]))
        ['hello', 'Zoé']
    """
    if not source:
        return list(tokens)
    places = np.argmax(attention[:, : len(source)], axis=1).tolist() if len(tokens) else []
    return [source[place] if token == unknown else token for token, place in zip(tokens, places, strict=True)]


class _Ended(NamedTuple):
    """A hypothesis that has ended."""

    score: float
    source: int
    tokens: np.ndarray
    total: float
    """Its log-probability."""
    step: int
    row: int
    """Its place in that step."""


class _Search:
    """The live hypotheses of all sources and those that have ended."""

    ranking: Ranking
    narrow = False
    """Whether the stepper finds the most probable units."""

    def __init__(
        self,
        stepper: Any,
        n_sources: int,
        places: int,
        bos: int,
        eos: int,
        max_lengths: Sequence[int] | np.ndarray,
        no_repeat: int,
        banned: Sequence[int],
    ) -> None:
        self.stepper, self.bos, self.eos, self.no_repeat = stepper, bos, eos, no_repeat
        self.limits = np.asarray(max_lengths, np.int64)
        self.banned = sorted({bos, *banned} - {eos})
        self.room = np.full(n_sources, places)
        # The score that a hypothesis must exceed to be among the best.
        self.worst = np.full(n_sources, -np.inf)
        self.ended: list[list[_Ended]] = [[] for _ in range(n_sources)]
        self.parents: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []

    def run(self, choose: Callable[..., _Chosen], n_best: int, start: int = 1) -> list[list[Hypothesis]]:
        """Decode until no hypothesis is live, and return the best of each source; ``start`` at first for each."""
        sources = np.repeat(np.arange(self.room.size), start)
        parents, totals = sources, np.zeros(sources.size)
        last = np.full(sources.size, self.bos, np.int32)
        history = np.empty((sources.size, 0), np.int32)
        state = self.stepper.start()
        while sources.size:
            full = self.limits[sources] <= history.shape[1]
            if self.narrow:
                best, attention, state = self.stepper.best(
                    state, parents, last, sources, int(self.room.max()), self.eos
                )
                found = _ranked(*_possible(best, full, self.eos), totals, sources, self.room)
            else:
                scores, attention, state = self.stepper.step(state, parents, last, sources)
                self._restrict(scores, history, full)
                found = choose(scores, totals, sources, self.room)
            self.parents.append(parents)
            if attention is not None:
                self.weights.append(attention)
            ends = found.tokens == self.eos
            self._end(found.rows[ends], found.totals[ends], history, sources, n_best)
            parents, totals = found.rows[~ends], found.totals[~ends]
            last, sources = found.tokens[~ends].astype(np.int32), sources[parents]
            open_ones = self._can_win(totals, sources)
            parents, totals, last, sources = (each[open_ones] for each in (parents, totals, last, sources))
            history = np.concatenate([history[parents], last[:, None]], axis=1)
        best = [sorted(each, key=lambda found: -found.score)[:n_best] for each in self.ended]
        hypotheses = iter(self._hypotheses([each for found in best for each in found]))
        return [[next(hypotheses) for _ in found] for found in best]

    def _restrict(self, scores: np.ndarray, history: np.ndarray, full: np.ndarray) -> None:
        """Set the log-probabilities of units that must not come next to minus infinity, in place.

        A hypothesis that is ``full`` ends, and so does one without any possible unit, however improbable its end is.
        """
        scores[:, self.banned] = -np.inf
        if self.no_repeat and history.shape[1] >= self.no_repeat:
            size = self.no_repeat
            same = np.ones((len(history), history.shape[1] - size + 1), np.bool_)
            for place in range(size - 1):
                newest = history[:, history.shape[1] - size + 1 + place]
                same &= history[:, place : place + same.shape[1]] == newest[:, None]
            rows, places = np.nonzero(same)
            scores[rows, history[rows, places + size - 1]] = -np.inf
        full = full | (scores.max(axis=1) == -np.inf)
        if full.any():
            ends = scores[full, self.eos]
            scores[full] = -np.inf
            scores[full, self.eos] = np.maximum(ends, np.finfo(np.float32).min)

    def _end(self, rows: np.ndarray, totals: np.ndarray, history: np.ndarray, sources: np.ndarray, n_best: int) -> None:
        """Add the hypotheses at some rows of the last step, which end with these log-probabilities."""
        step, length = len(self.parents) - 1, float(self.ranking.by_length(history.shape[1] + 1))
        found = [
            _Ended(total / length, source, history[row], total, step, row)
            for row, total, source in zip(rows.tolist(), totals.tolist(), sources[rows].tolist(), strict=True)
        ]
        if self.ranking.coverage_penalty:
            scored = self._hypotheses(found)
            found = [each._replace(score=own.score) for each, own in zip(found, scored, strict=True)]
        for each in found:
            self.ended[each.source].append(each)
            self.room[each.source] -= 1
        for source in {each.source for each in found}:
            if len(self.ended[source]) >= n_best:
                self.worst[source] = sorted(each.score for each in self.ended[source])[-n_best]

    def _hypotheses(self, ended: Sequence[_Ended]) -> list[Hypothesis]:
        """Return ended hypotheses with their attention, collected from those that they continue."""
        attention: list[np.ndarray | None] = [None] * len(ended)
        if self.weights and ended:
            steps, rows = np.array([each.step for each in ended]), np.array([each.row for each in ended])
            table = np.empty((len(ended), steps.max() + 1, self.weights[0].shape[1]), self.weights[0].dtype)
            for step in range(steps.max(), -1, -1):
                open_ones = np.flatnonzero(steps >= step)
                table[open_ones, step] = self.weights[step][rows[open_ones]]
                rows[open_ones] = self.parents[step][rows[open_ones]]
            attention = [own[: each.step + 1] for own, each in zip(table, ended, strict=True)]
        return [
            self.ranking.hypothesis(each.source, each.tokens.tolist(), each.total, own)
            for each, own in zip(ended, attention, strict=True)
        ]

    def _can_win(self, totals: np.ndarray, sources: np.ndarray) -> np.ndarray:
        """Return (N,) bool: whether a live hypothesis' source may still find one that is among its best.

        The score of a hypothesis is at most its log-probability now, divided by the penalty of the largest length.
        """
        bounds = totals / self.ranking.by_length(self.limits[sources] + 1.0)
        best = np.full(self.room.size, -np.inf)
        np.maximum.at(best, sources, bounds)
        return np.asarray((best > self.worst)[sources])


def _best(
    log_probabilities: np.ndarray, totals: np.ndarray, sources: np.ndarray, room: np.ndarray, beam: int
) -> _Chosen:
    """Return the most probable continuations of each source, as many as it has room for."""
    if beam == 1:
        tokens = np.argmax(log_probabilities, axis=1)
        rows = np.arange(tokens.size)
    else:
        enough = log_probabilities >= _at_least(log_probabilities, beam)[:, None]
        rows, tokens = np.divmod(np.flatnonzero(enough), log_probabilities.shape[1])
        possible = log_probabilities[rows, tokens] > -np.inf
        rows, tokens = rows[possible], tokens[possible]
    return _ranked(rows, tokens, log_probabilities[rows, tokens], totals, sources, room)


def _possible(
    best: tuple[np.ndarray, np.ndarray, np.ndarray], full: np.ndarray, eos: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, unit and log-probability of the continuations that ``NarrowStepper.best`` found; those that are
    ``full`` (N,) end."""
    tokens, logs, ends = best
    tokens[full, 0], logs[full] = eos, -np.inf
    logs[full, 0] = np.maximum(ends[full], np.finfo(np.float32).min)
    rows, places = np.nonzero(logs > -np.inf)
    return rows, tokens[rows, places], logs[rows, places]


def _ranked(
    rows: np.ndarray, tokens: np.ndarray, logs: np.ndarray, totals: np.ndarray, sources: np.ndarray, room: np.ndarray
) -> _Chosen:
    """Return the most probable of some continuations for each source, as many as it has room for.

    ``rows`` ascend, and of equal scores in a row the lower unit comes first: the sort, which is stable, keeps that.
    """
    scores = totals[rows] + logs
    order = np.lexsort((-scores, sources[rows]))
    rows, tokens, scores = rows[order], tokens[order], scores[order]
    first = np.searchsorted(sources[rows], np.arange(room.size))
    rank = np.arange(rows.size) - first[sources[rows]]
    kept = rank < room[sources[rows]]
    return _Chosen(rows[kept], tokens[kept], scores[kept])


def _at_least(log_probabilities: np.ndarray, count: int) -> np.ndarray:
    """Return (N,) numbers that the ``count`` largest values of each row reach.

    Of many units only the largest in each block are sorted: there are ``count`` blocks whose largest value reaches the
    result.
    """
    width = math.isqrt(log_probabilities.shape[1])
    if width >= _BLOCKS and width >= count:
        blocks = np.arange(0, log_probabilities.shape[1], width)
        log_probabilities = np.maximum.reduceat(log_probabilities, blocks, axis=1)
    enough = max(log_probabilities.shape[1] - count, 0)
    return np.asarray(np.partition(log_probabilities, enough, axis=1)[:, enough])


def _draw(log_probabilities: np.ndarray, temperature: float, random: np.ndarray) -> np.ndarray:
    """Return a unit for each row (N,) int64, given numbers (N,) in [0, 1)."""
    logs = log_probabilities.astype(np.float64)
    shares = np.exp((logs - logs.max(axis=1, keepdims=True)) / temperature)
    sums = np.add.accumulate(shares, axis=1)
    drawn = [np.searchsorted(row, at * row[-1], side="right") for row, at in zip(sums, random, strict=True)]
    last = [np.searchsorted(row, row[-1]) for row in sums]  # with a probability above 0
    return np.minimum(drawn, last)
