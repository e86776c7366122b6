"""Categories, outliers, LRCos and bootstrap intervals, against slow versions and scikit-learn."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from wordvec import InputError, WordVectors, evaluate_analogies, evaluate_similarity
from wordvec.vectors.categorization import evaluate_categorization, evaluate_outliers
from wordvec.vectors.intervals import difference, interval
from wordvec.vectors.lrcos import evaluate_lrcos, logistic_regression


@pytest.fixture(scope="module")
def groups():
    """Three groups of eight words around directions of their own."""
    rng = np.random.default_rng(11)
    rows = np.repeat(rng.normal(size=(3, 10)), 8, axis=0) + rng.normal(size=(24, 10)) * 0.7
    return WordVectors([f"{kind}{k}" for kind in "abc" for k in range(8)], rows)


# -- categories -------------------------------------------------------------------------------------------------------


def test_purity_of_clear_and_of_mixed_categories(groups, tmp_path):
    path = tmp_path / "kinds.csv"
    path.write_text("# BLESS\n" + "".join(f"{word},{word[0]}\n" for word in groups.tokens) + "none,a\n")
    found = evaluate_categorization(groups, path)
    assert (found.name, found.purity, found.categories, found.words, found.covered) == ("kinds", 1, 3, 25, 24)
    # Two thirds of each cluster are of one category, because every third word has that of another group.
    other = dict(zip("abc", "bca", strict=True))
    path.write_text("".join(f"{w},{other[w[0]] if int(w[1]) % 4 == 0 else w[0]}\n" for w in groups.tokens))
    assert evaluate_categorization(groups, path).purity == pytest.approx(18 / 24)
    assert evaluate_categorization(groups, path, starts=1, seed=3) == evaluate_categorization(
        groups, path, starts=1, seed=3
    )


# -- outliers ---------------------------------------------------------------------------------------------------------


def slow_position(words, wv):
    """Camacho-Collados & Navigli 2016: the position of the last word by descending compactness without it."""
    compactness = []
    for word in words:
        rest = [other for other in words if other != word]
        compactness.append(np.mean([wv.similarity(x, y) for x, y in combinations(rest, 2)]))
    return sum(value < compactness[-1] for value in compactness[:-1])


def test_outliers_equal_a_slow_version(groups, tmp_path):
    path = tmp_path / "outliers.txt"
    inside = [f"a{k}" for k in range(8)]
    path.write_text("\n".join(inside) + "\n\nb1\nc2\nnone\nb3\n\n" + "b1\nb2\nunknown\n\na1\nc4\n")
    found = evaluate_outliers(groups, path)
    asked = [
        *((inside, outlier) for outlier in ("b1", "c2", "b3")),
        *((["b1", "b2"], outlier) for outlier in ("a1", "c4")),
    ]
    positions = [slow_position([*words, outlier], groups) / len(words) for words, outlier in asked]
    assert found.position == pytest.approx(np.mean(positions))
    assert found.accuracy == pytest.approx(np.mean([position == 1 for position in positions]))
    assert (found.asked, found.questions) == (5, 6)
    assert np.isnan(found.items).tolist() == [False, False, True, False, False, False]
    mixed = evaluate_outliers(groups, write(tmp_path, "a1\nb1\nc1\na2\n\nb2\nc3\na5\n"))
    assert 0 < mixed.position < 1


def write(folder, text):
    (folder / "file.txt").write_text(text)
    return folder / "file.txt"


@pytest.mark.parametrize(
    ("evaluate", "text", "message"),
    [
        (evaluate_categorization, "a1 a\nb1\n", ":2: expected a word and its category, found 'b1'"),
        (evaluate_categorization, "\n", "no words"),
        (evaluate_categorization, "a1 a\nnone b\n", "at least two categories need vectors, got those of 1"),
        (evaluate_outliers, "a1\na2\n", "expected the words of a group, an empty line and its outliers, found 1 lists"),
        (evaluate_outliers, "a1\na2\n\nnone\n", "no outlier and two words of its group have vectors"),
        (evaluate_lrcos, "a1 b1 a2 b2\nx\n", ":2: expected 4 words"),
        (evaluate_lrcos, "a1 x y z\n", "no section has two pairs of known words"),
    ],
)
def test_invalid_files(groups, tmp_path, evaluate, text, message):
    with pytest.raises(InputError, match=message):
        evaluate(groups, write(tmp_path, text))


# -- LRCos ------------------------------------------------------------------------------------------------------------


def test_logistic_regression_equals_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(60, 8)), (rng.random(60) < 0.4).astype(float)
    x[y == 1, 0] += 1
    theirs = LogisticRegression(C=10, tol=1e-10, max_iter=10_000).fit(x, y)
    found = logistic_regression(x, y, 10, np.zeros(9))
    np.testing.assert_allclose(found, np.append(theirs.coef_[0], theirs.intercept_), atol=1e-4)


def test_lrcos_answers_with_the_class_of_the_second_words(tmp_path):
    """Each b is near to its a and in the class of all b; the nearest word of a is in no class, so that cosines fail."""
    rng = np.random.default_rng(13)
    a, shift = rng.normal(size=(12, 20)), 3 * rng.normal(size=20)
    rows = np.concatenate([a, a + shift, a + 0.1 * rng.normal(size=a.shape), rng.normal(size=(60, 20))])
    names = [f"{kind}{k}" for kind in "abd" for k in range(12)] + [f"noise{k}" for k in range(60)]
    wv = WordVectors(names, rows)
    lines = [f"a{k} b{k} a{(k + 1) % 12} b{(k + 1) % 12}" for k in range(12)]
    path = write(tmp_path, ": kind\n" + "\n".join(lines) + "\n: gram1 few\na1 b1 no none\n")
    found = evaluate_lrcos(wv, path, protocol="Pfull")
    assert (found.method, found.total.asked, found.total.questions) == ("lrcos", 12, 14)
    assert found.sections[0].accuracy > 0.9
    assert found.accuracy > np.mean([wv.most_similar(f"a{k}", top=1)[0][0] == f"b{k}" for k in range(12)]) + 0.5
    assert (found.semantic.asked, found.syntactic.asked) == (12, 0)
    assert evaluate_lrcos(wv, path, protocol="Phyp").total.asked == 14
    assert found == evaluate_lrcos(wv, path, protocol="Pfull")


# -- similarity -------------------------------------------------------------------------------------------------------


def test_correlations_with_and_without_missing_words(groups, tmp_path):
    pairs = [("a1", "a2", 9), ("a1", "b2", 2), ("none", "b2", 7), ("c1", "c5", 6), ("b1", "c1", 1)]
    path = write(tmp_path, "".join(f"{a}\t{b}\t{score}\n" for a, b, score in pairs))
    cosines = [0 if "none" in (a, b) else groups.similarity(a, b) for a, b, _ in pairs]
    ratings = [score for *_, score in pairs]
    zero = evaluate_similarity(groups, path, missing="zero")
    skip = evaluate_similarity(groups, path)
    assert zero.spearman == pytest.approx(stats.spearmanr(ratings, cosines)[0])
    assert zero.pearson == pytest.approx(stats.pearsonr(ratings, cosines)[0])
    del ratings[2], cosines[2]
    assert skip.pearson == pytest.approx(stats.pearsonr(ratings, cosines)[0])
    assert (zero.covered, skip.covered) == (4, 4)
    np.testing.assert_allclose(skip.items[~np.isnan(skip.items[:, 1])].T, [ratings, cosines], atol=1e-6)
    with pytest.raises(InputError, match="missing must be one of skip, zero, got 'drop'"):
        evaluate_similarity(groups, path, missing="drop")


# -- intervals --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of two spaces on the same pairs and questions, the second one noisier."""
    rng = np.random.default_rng(14)
    folder = tmp_path_factory.mktemp("results")
    rows = rng.normal(size=(80, 10))
    rows[40:] = rows[:40] + rng.normal(size=10) + rng.normal(size=(40, 10)) * 0.5
    names = [f"w{k}" for k in range(80)]
    spaces = [WordVectors(names, rows), WordVectors(names, rows + 0.8 * rng.normal(size=rows.shape))]
    pairs = rng.integers(0, 80, (150, 2))
    ratings = spaces[0].row_similarities(*pairs.T) + 0.3 * rng.normal(size=150)
    lines = [f"w{a}\tw{b}\t{rating:.4f}\n" for (a, b), rating in zip(pairs, ratings, strict=True)]
    (folder / "pairs.tsv").write_text("".join([*lines, "w1\tnone\t3\n"]))
    questions = "".join(f"w{k} w{k + 40} w{(k + 7) % 40} w{(k + 7) % 40 + 40}\n" for k in range(40))
    (folder / "q.txt").write_text(questions + "w1 w2 none w3\n")
    similarity = [evaluate_similarity(wv, folder / "pairs.tsv") for wv in spaces]
    return similarity, [evaluate_analogies(wv, folder / "q.txt", protocol="Pfull") for wv in spaces]


def test_intervals_equal_those_of_scipy(results):
    (similarity, _), (analogies, _) = results
    found = interval(similarity, resamples=4000)
    rated = similarity.items[:150].T
    theirs = stats.bootstrap(
        tuple(rated), lambda x, y: stats.spearmanr(x, y)[0], paired=True, vectorized=False, method="percentile",
        n_resamples=800, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == (pytest.approx(theirs.low, abs=0.03), pytest.approx(theirs.high, abs=0.03))
    assert (found.estimate, found.items, found.p_value) == (pytest.approx(similarity.spearman), 150, None)
    share = interval(analogies, resamples=4000)
    spread = 1.96 * np.sqrt(share.estimate * (1 - share.estimate) / 40)
    assert share.estimate == pytest.approx(analogies.accuracy)
    assert share.high - share.estimate == pytest.approx(spread, rel=0.25)
    assert interval(similarity, seed=2) == interval(similarity, seed=2) != interval(similarity, seed=3)
    wide, narrow = (interval(similarity, level=level) for level in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_paired_differences(results):
    for first, second in results:
        gap = difference(first, second)
        assert gap.estimate == pytest.approx(second.score - first.score)
        assert gap.low < gap.estimate < gap.high < 0
        assert gap.p_value < 0.01
        same = difference(first, first)
        assert (same.estimate, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    # The interval of a paired difference is narrower than both scores' intervals suggest.
    assert gap.high - gap.low < sum(interval(each).high - interval(each).low for each in (first, second))


def test_only_results_of_one_benchmark_are_compared(results):
    (similarity, _), (analogies, _) = results
    for other in (analogies, replace(similarity, name="other"), replace(similarity, items=similarity.items[1:])):
        with pytest.raises(InputError, match="a difference needs two results of one benchmark"):
            difference(similarity, other)
    with pytest.raises(InputError, match="the score of 1 items is undefined"):
        interval(replace(similarity, items=similarity.items[:1]))
