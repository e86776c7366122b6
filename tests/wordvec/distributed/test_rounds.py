"""Plans of rounds, and a shard's round as a pure function."""

import math
from itertools import pairwise

import numpy as np
import pytest

from tests.cases.word2vec import random_corpus, wraps_around
from wordvec import InputError, Word2VecSettings
from wordvec.distributed.combining import combine
from wordvec.distributed.rounds import (
    Job,
    Plan,
    Tokens,
    cut,
    digest_of,
    first_rows,
    forget,
    span_of,
    split,
    train_part,
    train_span,
)
from wordvec.distributed.settings import ShardSettings, sharded
from wordvec.word2vec.epoch import Trainer

pytestmark = wraps_around

SETTINGS = Word2VecSettings(vector_size=20, window=3, subsample=0, epochs=2, lane_tokens=64)


@pytest.mark.parametrize(("tokens", "shards", "rounds"), [(10, 1, 1), (1001, 3, 4), (17, 4, 5), (64, 8, 8)])
def test_the_rounds_of_all_shards_are_the_corpus_in_order(tokens, shards, rounds):
    plan = Plan(tokens, shards, rounds, epochs=1)
    bounds = [plan.bounds(shard, number) for shard in range(shards) for number in range(rounds)]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == tokens
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
    sizes = [last - first for first, last in bounds]
    assert max(sizes) - min(sizes) <= 1


def test_the_learning_rate_falls_linearly_over_all_rounds():
    settings = Word2VecSettings(learning_rate=0.5, min_learning_rate=0.1).resolved()
    plan = Plan(100, 2, rounds=2, epochs=2)
    places = [plan.place(settings, number, 1) for number in range(4)]
    np.testing.assert_allclose([place.first_rate for place in places], [0.5, 0.4, 0.3, 0.2])
    np.testing.assert_allclose([place.last_rate for place in places], [0.4, 0.3, 0.2, 0.1])
    assert [place[:3] for place in places] == [(0, 1, 0), (0, 1, 1), (1, 1, 0), (1, 1, 1)]


def test_tokens_of_a_round_are_plain_whatever_the_sentences_around():
    ids = np.arange(9, dtype=np.int32)
    whole = cut(ids, np.array([0, 0, 3, 3, 3, 7, 9]), 3, 7)
    alone = cut(ids[3:7], np.array([0, 4]), 0, 4)
    assert whole.offsets.tolist() == [0, 4]
    assert digest_of(whole) == digest_of(alone)
    assert digest_of(whole) != digest_of(Tokens(whole.ids, np.array([0, 2, 4])))


def test_a_round_depends_on_its_arguments_only():
    corpus = random_corpus([41, 0, 150, 1, 90, 118], types=400)
    settings = SETTINGS.resolved()
    job, plan = Job("job", corpus.vocabulary, settings, 3), Plan(400, 2, 2, 2)
    rows = np.random.default_rng(3).standard_normal((800, 20)).astype(np.float32) / 5
    rows.flags.writeable = False

    def train(number, shard, pieces=1, threads=1, name="job"):
        place = plan.place(settings, number, shard)
        tokens = cut(corpus.ids, corpus.offsets, *plan.bounds(shard, place.round))
        own = Job(name, job.vocabulary, settings, 3)
        changes, facts = train_part(own, tokens, split(rows, pieces), place, threads)
        return np.concatenate(changes).tobytes(), facts.kept, facts.loss.tobytes()

    first = train(0, 0)
    places = {train(number, shard) for number in range(4) for shard in range(2)}
    assert len(places) == 8, "every place has random numbers of its own"
    assert train(0, 0) == train(0, 0, pieces=3, threads=2) == train(0, 0, name="other") == first
    forget("job")
    assert train(0, 0) == first
    forget("job"), forget("other")


@pytest.mark.parametrize("shards", [1, 2, 3, 6, 7])
def test_consecutive_shards_in_one_task_are_a_branch_of_the_tree(shards):
    corpus = random_corpus([410], types=30)
    job, plan = Job("span", corpus.vocabulary, SETTINGS.resolved(), 3), Plan(410, shards, 1, 1)
    rows = split(first_rows(job), 2)
    tokens = [cut(corpus.ids, corpus.offsets, *plan.bounds(shard, 0)) for shard in range(shards)]
    places = [plan.place(job.settings, 0, shard) for shard in range(shards)]
    apart = [train_part(job, *each, 1) for each in zip(tokens, [rows] * shards, places, strict=True)]
    changes, facts = train_span(job, tokens, rows, places, 1)
    wanted = [combine(None, parts) for parts in zip(*(changed for changed, _ in apart), strict=True)]
    assert np.concatenate(changes).tobytes() == np.concatenate(wanted).tobytes()
    assert [each.kept for each in facts] == [each.kept for _, each in apart]
    forget("span")


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_spans_end_as_early_as_single_shards(threads):
    for shards in range(1, 70):
        span = span_of(shards, threads)
        assert span in (1, 2, 4, 8)
        assert math.ceil(math.ceil(shards / span) / threads) * span == math.ceil(shards / threads) or span == 1


def test_a_round_of_the_whole_corpus_is_an_epoch():
    """With the same place in the random numbers and the same rates, one shard's only round is the usual epoch."""
    corpus = random_corpus([41, 0, 150, 1, 90, 118], types=400)
    settings = Word2VecSettings(vector_size=20, window=3, subsample=0, epochs=1, lane_tokens=64).resolved()
    job, plan = Job("epoch", corpus.vocabulary, settings, 3), Plan(400, 1, 1, 1)
    rows = first_rows(job)
    changes, facts = train_part(job, cut(corpus.ids, corpus.offsets, 0, 400), [rows], plan.place(settings, 0, 0), 1)
    trainer = Trainer(corpus, settings, 1)
    np.testing.assert_array_equal(np.concatenate(trainer.rows()), rows)
    trainer.run(lambda: False)
    np.testing.assert_allclose(rows + changes[0], np.concatenate(trainer.rows()), atol=1e-6)
    assert facts.kept == trainer.end_epoch().effective_tokens
    forget("epoch")


def test_settings_follow_the_corpus_and_the_shards():
    assert ShardSettings(shards=4).resolved(17_000_000, 68_305).round_tokens == 15 * 68_305
    assert ShardSettings(shards=8).resolved(17_000_000, 68_305).round_tokens == 531_250
    assert ShardSettings(shards=2, round_tokens=100).resolved(10_000, 50).round_tokens == 100
    with pytest.raises(InputError, match=r"each shard must have at least 1,000 tokens, got 2,500 .* use at most 2, or"):
        ShardSettings(shards=3).resolved(2500, 50)
    with pytest.raises(InputError, match="shards need mode = reproducible, got hogwild"):
        sharded(Word2VecSettings(mode="hogwild"), 2)
    rates = [sharded(Word2VecSettings(model=model), 16).learning_rate for model in ("skipgram", "cbow")]
    np.testing.assert_allclose(rates, [0.0635, 0.152])
