"""Post-processing steps against their formulas in plain NumPy, and the association test against brute force."""

from itertools import combinations

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.sparse import csr_array

from cli import main
from wordvec import InputError, SparseWordVectors, UnknownTokenError, Vocabulary, WordVectors, load_vectors
from wordvec.vectors import postprocessing as steps
from wordvec.vectors.bias import weat

V, D = 60, 7


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(9)
    rows = rng.normal(size=(V, D)) * np.arange(1, D + 1) + 3
    vocabulary = Vocabulary([f"w{k}" for k in range(V)], np.arange(V, 0, -1))
    return WordVectors(vocabulary, rows, context_vectors=rows[::-1] * 2, lowercase=True, settings={"window": 3})


def components(rows):
    """The principal axes, one a row, by descending variance."""
    return np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2]


def test_center_and_normalize(wv):
    rows = wv.vectors.astype(float)
    np.testing.assert_allclose(steps.center(wv).vectors, rows - rows.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(steps.normalize(wv).vectors, wv.unit_vectors, atol=1e-6)
    assert not steps.normalize(wv.with_vectors(["zero"], [[0] * D]))["zero"].any()


@pytest.mark.parametrize("n", [None, 1, 3])
def test_all_but_the_top(wv, n):
    rows = wv.vectors - wv.vectors.mean(axis=0, dtype=float)
    axes = components(rows)[: n or 1]
    np.testing.assert_allclose(steps.all_but_the_top(wv, n).vectors, rows - rows @ axes.T @ axes, atol=1e-4)


def test_pca(wv):
    from sklearn.decomposition import PCA

    found = steps.pca(wv, 3).vectors
    np.testing.assert_allclose(np.abs(found), np.abs(PCA(3).fit_transform(wv.vectors)), atol=1e-4)
    assert (np.diff(found.var(axis=0)) < 0).all()
    np.testing.assert_array_equal(found, steps.pca(wv, 3).vectors)


def test_retrofit_reaches_the_solution_of_its_equations(wv):
    lexicon = {"w1": ["w2", "w3", "none"], "w2": ["w1"], "w9": ["w50"], "none": ["w1"], "w4": ["w4"]}
    system, right = np.eye(V), wv.vectors.astype(float)
    for word, others in {1: [2, 3], 2: [1], 9: [50]}.items():
        system[word, others] -= 0.5 / len(others)
        right[word] /= 2
        system[word, word] = 1
    np.testing.assert_allclose(steps.retrofit(wv, lexicon, 60).vectors, np.linalg.solve(system, right), atol=1e-4)
    once = steps.retrofit(wv, lexicon, 1)
    np.testing.assert_allclose(once["w1"], wv["w1"] / 2 + wv[["w2", "w3"]].mean(axis=0) / 2, atol=1e-5)
    np.testing.assert_allclose(once["w2"], wv["w2"] / 2 + once["w1"] / 2, atol=1e-5)


def test_remove_direction(wv):
    found = steps.remove_direction(wv, [("w1", "w2")])
    units = wv.unit_vectors.astype(float)
    axis = units[1] - units[2]
    axis /= np.linalg.norm(axis)
    np.testing.assert_allclose(found.vectors, wv.vectors - np.outer(wv.vectors @ axis, axis), atol=1e-4)
    np.testing.assert_allclose(steps.direction_of(wv, [("w1", "w2")]), axis, atol=1e-6)
    several = [("w1", "w2"), ("w3", "w4"), ("w5", "w6")]
    halves = np.array([units[int(a[1])] - units[int(b[1])] for a, b in several]) / 2
    axis = np.linalg.svd(halves)[2][0]
    assert abs(steps.direction_of(wv, several) @ axis) == pytest.approx(1)


def test_steps_combine_and_are_recorded(wv, tmp_path):
    found = steps.postprocessed(wv, ["combine", "center", "all-but-the-top=2"])
    expected = steps.all_but_the_top(steps.center(wv.combined()), 2)
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    assert (found.settings, found.lowercase, found.counts.tolist()) == ({"window": 3}, True, wv.counts.tolist())
    found.save(tmp_path / "v.safetensors")
    again = steps.postprocessed(load_vectors(tmp_path / "v.safetensors"), ["normalize"])
    assert again.origin == {"postprocessing": ["combine", "center", "all-but-the-top=2", "normalize"]}
    assert wv.origin == {}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("centre", "step must be one of center, normalize, all-but-the-top, pca, combine, retrofit, remove-direction"),
        ("center=3", "step center has no argument"),
        ("pca", "step pca needs an argument: pca=N"),
        ("pca=x", "step pca needs a whole number, got 'x'"),
        ("pca=8", "dimensions must be at most 7, got 8"),
        ("all-but-the-top=7", "components must be at most 6, got 7"),
        ("retrofit", "step retrofit needs an argument: retrofit=FILE"),
        ("retrofit=/none", "/none"),
        ("remove-direction=he", "needs pairs of words: remove-direction=he:she,man:woman, got 'he'"),
        ("remove-direction=w1:w1", "have the same vector"),
        ("remove-direction=w1:none", "'none' is not in the vocabulary"),
    ],
)
def test_invalid_steps(wv, step, message):
    with pytest.raises(InputError, match=message):
        steps.postprocessed(wv, [step])


def test_other_invalid_arguments(wv, tmp_path):
    with pytest.raises(InputError, match=r"no word of the lexicon \(1\) and a neighbor"):
        steps.retrofit(wv, {"w1": ["none"]})
    with pytest.raises(InputError, match="list of words, got the string 'w2'"):
        steps.retrofit(wv, {"w1": "w2"})
    (tmp_path / "l.txt").write_text("a\n\n")
    with pytest.raises(InputError, match="no words with neighbors"):
        steps.read_lexicon(tmp_path / "l.txt")
    with pytest.raises(InputError, match="no context vectors"):
        steps.combine(steps.center(wv))
    with pytest.raises(InputError, match="sparse"):
        steps.center(SparseWordVectors(["a"], csr_array([[1.0]])))


# -- WEAT -------------------------------------------------------------------------------------------------------------


def test_association_equals_brute_force(wv):
    x, y, a, b = (["w1", "w2", "w3"], ["w4", "w5", "w6"], ["w7", "w8"], ["w9"])
    units = {word: wv.unit_vectors[wv.token_id(word)].astype(float) for word in x + y + a + b}
    s = {w: np.mean([units[w] @ units[c] for c in a]) - np.mean([units[w] @ units[c] for c in b]) for w in x + y}
    scores = [s[w] for w in x + y]
    effect = (np.mean(scores[:3]) - np.mean(scores[3:])) / np.std(scores, ddof=1)
    above = [sum(s[w] for w in chosen) >= sum(scores[:3]) - 1e-9 for chosen in combinations(x + y, 3)]
    found = weat(wv, (x, y), (a, b))
    assert list(found.summary().values()) == [pytest.approx(effect, abs=1e-6), pytest.approx(np.mean(above)), 20]
    assert weat(wv, (y, x), (a, b)).effect_size == pytest.approx(-effect, abs=1e-6)


def test_random_partitions_approximate_all(wv):
    x, y = [f"w{k}" for k in range(6)], [f"w{k}" for k in range(6, 12)]
    attributes = (["w20", "w21"], ["w22", "w23"])
    exact = weat(wv, (x, y), attributes)
    some = weat(wv, (x, y), attributes, permutations=900)
    assert (exact.permutations, some.permutations) == (924, 900)
    assert some.effect_size == exact.effect_size
    assert some.p_value == pytest.approx(exact.p_value, abs=0.05)
    assert weat(wv, (x, y), attributes, permutations=900) == some


@pytest.mark.parametrize(
    ("targets", "attributes", "message"),
    [
        ((["w1"], ["w2", "w3"]), (["w4"], ["w5"]), "same length, got 1 and 2"),
        ((["w1"], ["w2"]), (["w4"], []), "none of them empty"),
        ((["w1"], ["w1"]), (["w4"], ["w5"]), "same association"),
        ((["w1"], ["no"]), (["w4"], ["w5"]), "'no' is not in the vocabulary"),
        (("w1", "w2"), (["w4"], ["w5"]), "list of words, got the string 'w1'"),
    ],
)
def test_invalid_association_tests(wv, targets, attributes, message):
    with pytest.raises((InputError, UnknownTokenError), match=message):
        weat(wv, targets, attributes)


# -- command ----------------------------------------------------------------------------------------------------------


def test_command(wv, tmp_path):
    wv.save(tmp_path / "v.safetensors")
    (tmp_path / "l.txt").write_text("w1 w2\n")

    def run(*arguments, code=0):
        done = CliRunner().invoke(main.wordvec, ["postprocess", str(tmp_path / "v.safetensors"), *map(str, arguments)])
        assert done.exit_code == code, (done.output, done.exception)
        return done

    output = tmp_path / "new.safetensors"
    listed = ["center", f"retrofit={tmp_path / 'l.txt'}", "pca=4"]
    done = run(*(part for step in listed for part in ("--step", step)), "-o", output)
    assert done.stderr == f"{output}: 60 words x 4, after {', '.join(listed)}\n"
    np.testing.assert_array_equal(load_vectors(output).vectors, steps.postprocessed(wv, listed).vectors)
    assert "step must be one of" in run("--step", "centre", "-o", output, code=2).stderr
    assert "Missing option '--step'" in run("-o", output, code=2).stderr
    assert "extension" in run("--step", "center", "-o", tmp_path / "x.pdf", code=1).stderr
    refused = run("--step", f"retrofit={tmp_path / 'l.txt'}", "-o", tmp_path / "l.txt", code=2)
    assert "would overwrite" in refused.stderr
