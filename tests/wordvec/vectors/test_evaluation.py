"""Similarity benchmarks and analogies: comparison with naive oracles and SciPy, and errors with line numbers."""

import gzip
import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.stats import rankdata, spearmanr

from tests.oracles import naive
from wordvec import (
    InputError,
    SparseWordVectors,
    Vocabulary,
    WordVectors,
    evaluate_analogies,
    evaluate_file,
    evaluate_similarity,
    load_vectors,
)
from wordvec.vectors.evaluation import AnalogyCount, average_ranks, spearman

RELATIONS = {"capital": 30, "family": 12, "gram1-plural": 40, "gram2-past": 25}
"""Sections and their number of word pairs."""


@pytest.fixture(scope="module")
def world():
    """Return vectors in which relations roughly hold, words by descending frequency, and questions about them."""
    rng = np.random.default_rng(8)
    tokens, rows, sections = [], [], {}
    for name, size in RELATIONS.items():
        shift, pairs = rng.normal(size=12), []
        for number in range(size):
            base = rng.normal(size=12)
            pairs.append((f"{name}{number}a", f"{name}{number}b"))
            tokens += pairs[-1]
            rows += [base, base + shift + rng.normal(size=12) * 0.7]
        order = rng.permutation(size)
        questions = [(*pairs[i], *pairs[j]) for i, j in zip(order, np.roll(order, 1), strict=True)]
        sections[name] = [*questions, *((*pairs[i], *pairs[-1 - i]) for i in range(size // 2))]
    tokens += [f"noise{number}" for number in range(100)]
    vectors = np.concatenate([rows, rng.normal(size=(100, 12))]) * rng.uniform(0.2, 5, size=(len(tokens), 1))
    shuffled = rng.permutation(len(tokens))
    return WordVectors([tokens[row] for row in shuffled], vectors[shuffled].astype(np.float32)), sections


def write_questions(path, sections):
    path.write_text("".join(f": {name}\n" + "".join(" ".join(q) + "\n" for q in qs) for name, qs in sections.items()))
    return path


# -- analogies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize("block", [256, 10])
def test_sections_match_single_queries(world, tmp_path, method, block, monkeypatch):
    monkeypatch.setattr("wordvec.vectors.search.QUERY_BLOCK", block)
    wv, sections = world
    result = evaluate_analogies(wv, write_questions(tmp_path / "q.txt", sections), protocol="Pfull", method=method)
    for count in result.sections:
        questions = sections[count.name]
        single = sum(wv.analogy(a, b, c, 1, method)[0][0] == d for a, b, c, d in questions)
        assert (count.right, count.asked, count.questions) == (single, len(questions), len(questions))
    assert 0.1 < result.accuracy < 0.9
    assert (result.method, result.name) == (method, "q")


@pytest.mark.parametrize("top", [1, 50, 150, 314])
def test_restricted_questions_match_compute_accuracy(world, tmp_path, top, monkeypatch):
    wv, sections = world
    wv = WordVectors(wv.tokens[:top], wv.vectors[:top])
    asked = [question for questions in sections.values() for question in questions]
    result = evaluate_analogies(wv, write_questions(tmp_path / "q.txt", sections), protocol="Pfull")
    assert (result.total.right, result.total.asked) == naive.analogies_right(wv.tokens, wv.vectors, asked, top)
    assert result.total.questions == len(asked)
    assert (result.accuracy is None) == (result.total.asked == 0)


def test_p_thousands_restricts_questions_and_answers(tmp_path):
    rng = np.random.default_rng(2)
    tokens = [f"t{row}" for row in range(2500)]
    vectors = rng.normal(size=(2500, 3)).astype(np.float32)
    questions = [tuple(f"t{row}" for row in rng.choice(2500, 4, replace=False)) for _ in range(200)]
    wv = WordVectors(tokens, vectors)
    # Some are answered correctly only if answers are restricted to the first thousand.
    for a, b, c in rng.choice(1000, (40, 3), replace=False):
        questions.append((f"t{a}", f"t{b}", f"t{c}", wv.analogy(f"t{a}", f"t{b}", f"t{c}", restrict=1000)[0][0]))
    path = write_questions(tmp_path / "q.txt", {"all": questions})
    for protocol, top in [("P1k", 1000), ("P2k", 2000), ("P30k", 30_000), ("Pfull", 2500)]:
        total = evaluate_analogies(wv, path, protocol=protocol).total
        assert (total.right, total.asked) == naive.analogies_right(tokens, vectors, questions, top)
    assert evaluate_analogies(wv, path, protocol="P1k").total.right >= 40
    assert evaluate_analogies(wv, path, protocol="P1k").protocol == "P1k"


def test_protocols_count_different_questions(world, tmp_path):
    wv, sections = world
    sections = {**sections, "family": [*sections["family"], ("x", "family1b", "family2a", "family2b")]}
    path = write_questions(tmp_path / "q.txt", sections)
    full, hyp = (evaluate_analogies(wv, path, protocol=protocol) for protocol in ("Pfull", "Phyp"))
    assert full.total.right == hyp.total.right
    assert full.total.asked == full.total.questions - 1
    assert hyp.total.asked == hyp.total.questions == full.total.questions
    assert hyp.accuracy == hyp.total.right / hyp.total.questions
    assert evaluate_analogies(wv, path).protocol == "P30k"


def test_totals_by_kind(world, tmp_path):
    wv, sections = world
    result = evaluate_analogies(wv, write_questions(tmp_path / "q.txt", sections))
    kinds = {"semantic": result.sections[:2], "syntactic": result.sections[2:], "total": result.sections}
    for kind, counts in kinds.items():
        total = getattr(result, kind)
        assert total.name == kind
        assert total.right == sum(count.right for count in counts)
        assert total.asked == sum(count.asked for count in counts)
    family = {"family": sections["family"]}
    result = evaluate_analogies(wv, write_questions(tmp_path / "q.txt", family))
    assert (result.semantic, result.syntactic) == (None, None)
    assert json.loads(json.dumps(result.summary()))["total"]["right"] == result.total.right


def test_question_words_are_never_answers(tmp_path):
    wv = WordVectors(["a", "b", "c", "d"], [[1, 0], [0.9, 0.1], [1, 0.2], [-1, 0]])
    path = tmp_path / "q.txt"
    for method in ("add", "mul"):
        path.write_text("a b c d\n")
        assert evaluate_analogies(wv, path, method=method).total.right == 1
        path.write_text("a b c b\na b a b\n")
        assert evaluate_analogies(wv, path, method=method).total.right == 0


def test_casing_of_questions(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("MAN king woman Queen\n")
    rows = [[0.2, 1], [1, 1], [0.2, -1], [1, -1]]
    wv = WordVectors(["man", "king", "woman", "queen"], rows)
    assert evaluate_analogies(wv, path).total.right == 1
    # Looked up as written first, Queen and queen are different words ...
    wv = WordVectors(["man", "king", "woman", "queen", "Queen"], [*rows, [-1, 1]])
    assert evaluate_analogies(wv, path, case_sensitive=True).total.right == 0
    assert evaluate_analogies(wv, path).total.right == 1
    # ... unless the vectors were trained on lower-cased text.
    wv = WordVectors(["man", "king", "woman", "queen", "Queen"], [*rows, [-1, 1]], lowercase=True)
    assert evaluate_analogies(wv, path).total.right == 1


def test_capitalized_words_outside_the_first_rows_fall_back_to_lower_case(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("t1 T2 t3 t4\n")
    wv = WordVectors([*(f"t{row}" for row in range(1000)), "T2"], np.random.default_rng(0).normal(size=(1001, 3)))
    assert evaluate_analogies(wv, path, protocol="P1k").total.asked == 1


def test_real_world_question_files(world, tmp_path):
    wv, _ = world
    path = tmp_path / "q.txt.gz"
    text = "// Copyright\nfamily0a family0b\tfamily1a  family1b \r\n\n: empty\n:gram x\nFamily0a family0b family1a xx\n"
    path.write_bytes(gzip.compress(text.encode()))
    result = evaluate_analogies(wv, path)
    assert [(count.name, count.asked, count.questions) for count in result.sections] == [
        ("(no section)", 1, 1),
        ("gram x", 0, 1),
    ]
    assert result.sections[1].accuracy is None
    assert result.name == "q"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "q.txt: no questions; expected four words per line"),
        (": only\n: sections\n", "q.txt: no questions"),
        (": a\nb c d e\nb c d\n", "q.txt:3: expected 4 words, found 3"),
        ("b c d e f\n", "q.txt:1: expected 4 words, found 5"),
        (b"a b c \xff\n", "q.txt: byte 0xff at offset 6 is not UTF-8"),
    ],
)
def test_invalid_question_files_are_rejected(world, tmp_path, content, message):
    path = tmp_path / "q.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        evaluate_analogies(world[0], path)


def test_invalid_arguments_are_rejected(world, tmp_path):
    path = write_questions(tmp_path / "q.txt", world[1])
    for options, message in [
        ({"protocol": "P30"}, "protocol must be one of P30k, Pfull, Phyp, got 'P30'"),
        ({"protocol": "P0k"}, "got 'P0k'"),
        ({"method": "max"}, "method must be 'add' or 'mul', got 'max'"),
    ]:
        with pytest.raises(InputError, match=message):
            evaluate_analogies(world[0], path, **options)
    with pytest.raises(InputError, match="no such file"):
        evaluate_analogies(world[0], tmp_path / "none.txt")


# -- similarity -------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(-2, 2, width=16)), min_size=2, max_size=20))
def test_ranks_and_correlation_match_scipy(pairs):
    x, y = np.array(pairs, float).T
    np.testing.assert_array_equal(average_ranks(x), rankdata(x))
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert spearman(x, y) == pytest.approx(spearmanr(x, y)[0], abs=1e-12)
        assert spearman(x, y) == pytest.approx(naive.spearman(x, y), abs=1e-12)
    else:
        assert spearman(x, y) is None


def test_correlation_of_short_series_is_undefined():
    assert spearman(np.array([]), np.array([])) is None
    assert spearman(np.array([1.0]), np.array([2.0])) is None


def test_only_covered_pairs_are_compared(world, tmp_path):
    wv, _ = world
    rng = np.random.default_rng(4)
    pairs = [(*rng.choice(wv.tokens, 2), rng.integers(0, 10) / 2) for _ in range(60)]
    lines = [f"{a.upper()}\t{b}\t{score}" for a, b, score in pairs]
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "\n".join(["# a\tb\tscore", *lines[:30], "nobody\tknows\t3", "", *lines[30:], f"x\t{wv.tokens[0]}\t4"])
    )
    result = evaluate_similarity(wv, path)
    cosines = [naive.cosine(wv[a], wv[b]) for a, b, _ in pairs]
    assert result.spearman == pytest.approx(naive.spearman([s for _, _, s in pairs], cosines), abs=1e-12)
    assert (result.name, result.pairs, result.covered) == ("pairs", 62, 60)
    assert result.coverage == 60 / 62
    assert json.loads(json.dumps(result.summary()))["covered"] == 60


def test_several_words_of_a_pair_are_looked_up_as_a_phrase(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("New York\tcity\t9\nice cream\tcity\t1\nNew  York\tice cream\t2\nice age\tcity\t1\n")
    vectors = WordVectors(["new_york", "city", "ice cream"], [[1, 0.1], [1, 0], [-1, 0.4]], lowercase=True)
    assert (evaluate_similarity(vectors, path).covered, evaluate_similarity(vectors, path).pairs) == (3, 4)


@pytest.mark.parametrize("of_vectors", ["NFC", "NFD"])
@pytest.mark.parametrize("of_file", ["NFC", "NFD"])
@pytest.mark.parametrize("recorded", ["NFC", "none"])
def test_accents_are_looked_up_in_both_forms(tmp_path, of_vectors, of_file, recorded):
    def write(name, content):
        (tmp_path / name).write_text(unicodedata.normalize(of_file, content), "utf-8")
        return tmp_path / name

    tokens = [unicodedata.normalize(of_vectors, word) for word in ("café", "thé", "là", "été")]
    wv = WordVectors(tokens, [[0, 1], [0.1, 1], [0, -1], [0.2, -1]], normalize=recorded)
    assert evaluate_similarity(wv, write("pairs", "Café\tthé\t9\ncafé\tlà\t1\n")).covered == 2
    for case_sensitive in (False, True):
        found = evaluate_analogies(wv, write("questions", "café thé Là été\n"), case_sensitive=case_sensitive)
        assert (found.total.right, found.total.asked) == (1, 1)


def test_too_few_pairs_give_no_correlation(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("a\tb\t1\nc\td\t2\n")
    none = evaluate_similarity(WordVectors(["x"], [[1]]), path)
    assert (none.spearman, none.covered, none.pairs) == (None, 0, 2)
    one = evaluate_similarity(WordVectors(["a", "b"], [[1], [1]]), path)
    assert (one.spearman, one.covered) == (None, 1)


def test_zero_vectors_have_cosine_zero(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("a\tnil\t2\na\tb\t1\na\tc\t3\n")
    wv = WordVectors(["a", "b", "c", "nil"], [[1, 0], [-1, 0], [1, 0.1], [0, 0]])
    assert evaluate_similarity(wv, path).spearman == 1


@pytest.mark.parametrize(
    "content",
    [
        "Word 1,Word 2,Human (mean)\nup,north,9\nup,down,1\nup,left,4\n",  # WordSim-353
        "word1\tword2\tPOS\tSimLex999\tconc(w1)\nup\tnorth\tA\t9\t1\nup\tdown\tA\t1\t2\nup\tleft\tN\t4\t3\n",
        "up\tnorth\tV\t9\tSYNONYMS\nup\tdown\tV\t1\tANTONYMS\nup\tleft\tV\t4\tNONE\n",  # SimVerb-3500
        "up\tnorth\t9\t8\t10\nup\tdown\t1\t2\t0\nup\tleft\t4\t4\t4\n",  # Rare Words: the mean, then the ratings
        "up north 9.0\nup down 1.0\nup left 4.0\n",  # MEN
        '"up","north","9"\n"up","down","1"\n"up","left","4"\n',
        "up;north;9\nup;down;1\nup;left;4\n",
    ],
)
def test_pairs_are_read_as_published(tmp_path, content):
    wv = WordVectors(["up", "north", "down", "left"], [[0, 1], [0.1, 1], [0, -1], [1, 0]])
    path = tmp_path / "pairs.txt"
    path.write_text(content)
    result = evaluate_similarity(wv, path)
    assert (result.spearman, result.pairs, result.covered) == (1.0, 3, 3)
    assert evaluate_file(wv, path) == result


def test_a_question_of_four_words_may_end_in_a_number(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text("one 1 two 2\n")
    assert evaluate_file(WordVectors(["one", "1", "two", "2"], np.eye(4)), path).total.asked == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "p.tsv: no word pairs"),
        ("# only\ta\tcomment\n", "p.tsv: no word pairs"),
        ("a\tb\t1\na\tb\n", "p.tsv:2: expected 3 columns, found 2"),
        ("a 1\n", "p.tsv:1: expected 3 columns, found 2"),
        ("a b c d\n", "p.tsv: no word pairs"),
        ("a\tb\t1\t2\na\tb\t1\n", "p.tsv:2: expected 4 columns, found 3"),
        ("word1\tword2\tscore\n", "p.tsv: no word pairs"),
        ("word1\tword2\tscore\na\tb\tc\n", "p.tsv:2: expected a score, found 'c'"),
        ("a\tb\tnan\n", "p.tsv:1: expected a score, found 'nan'"),
        ("a\t\t1\n", "p.tsv:1: a column is empty"),
    ],
)
def test_invalid_pair_files_are_rejected(world, tmp_path, content, message):
    path = tmp_path / "p.tsv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        evaluate_similarity(world[0], path)


# -- public benchmarks ------------------------------------------------------------------------------------------------


def test_public_benchmarks_are_read_completely(public_data):
    folder = public_data / "similarity"
    sizes = {"ws353": 353, "ws353_similarity": 203, "ws353_relatedness": 252, "rg65": 65, "mc30": 30, "mturk287": 287}
    sizes |= {"simlex999": 999, "yp130": 130}
    wv = WordVectors(Vocabulary(["tiger"]), [[1]])
    assert {name: evaluate_similarity(wv, folder / f"{name}.tsv").pairs for name in sizes} == sizes
    google = evaluate_analogies(wv, public_data / "analogy" / "questions-words.txt", protocol="Phyp")
    counts = (google.semantic.questions, google.syntactic.questions, google.total.asked, len(google.sections))
    assert counts == (8869, 10675, 19544, 14)
    phrases = evaluate_analogies(wv, public_data / "analogy" / "questions-phrases.txt")
    assert (phrases.total.questions, len(phrases.sections), phrases.syntactic) == (3218, 5, None)


@pytest.mark.parametrize("start", ["", "\n", "# word, word, score\n"])
def test_file_kind_is_detected_from_its_columns(tmp_path, start):
    wv = WordVectors(["up", "north", "down", "south"], [[0, 1], [0.1, 1], [0, -1], [0.1, -1]])
    pairs, questions = tmp_path / "pairs.tsv", tmp_path / "questions.txt"
    pairs.write_text(f"{start}up\tnorth\t9\nup\tdown\t1\n")
    questions.write_text(": section\nup north down south\nup\tdown\tnorth\tsouth\n")
    assert evaluate_file(wv, pairs) == evaluate_similarity(wv, pairs)
    assert evaluate_file(wv, questions) == evaluate_analogies(wv, questions)
    assert (evaluate_file(wv, pairs).score, evaluate_file(wv, questions).score) == (1.0, 1.0)
    questions.write_text("up north\n")
    with pytest.raises(InputError, match="expected 4 words, found 2"):
        evaluate_file(wv, questions)


# -- casing -----------------------------------------------------------------------------------------------------------


CASED = ["athens", "Athens", "greece", "Greece", "oslo", "Oslo", "norway", "Norway"]


@pytest.fixture
def capitals(tmp_path):
    """Cased vectors in which each word's twin is its nearest neighbor, and two questions."""
    city, country = np.array([[3, 0, 1, 0], [0, 3, 1, 0]]), np.array([[3, 0, 0, 1], [0, 3, 0, 1]])
    draw = np.random.default_rng(9)
    rows = [row + draw.normal(size=4) * 0.2 for a, b in zip(city, country, strict=True) for row in (a, a, b, b)]
    path = tmp_path / "questions.txt"
    path.write_text("Athens Greece Oslo Norway\nOslo Norway Athens Greece\n")
    return WordVectors(CASED, rows), path


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize("sparse", [False, True])
def test_answers_in_any_casing_count(capitals, method, sparse):
    wv, path = capitals
    if sparse:
        wv = SparseWordVectors(wv.vocabulary, csr_array(wv.vectors))
    assert evaluate_analogies(wv, path, method=method).accuracy == 1
    strict = evaluate_analogies(wv, path, method=method, case_sensitive=True)
    assert strict.accuracy == 0  # the best answer is in another casing
    assert strict.summary()["case_sensitive"]


def test_the_first_of_several_casings_represents_the_word(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text("MAN King woman QUEEN\n")
    tokens = ["King", "queen", "man", "woman", "king", "Queen"]
    wv = WordVectors(tokens, [[1, 1], [1, -1], [0.2, 1], [0.2, -1], [-9, -9], [-9, 9]])
    assert evaluate_analogies(wv, path, protocol="Pfull").total == AnalogyCount("total", 1, 1, 1)


@pytest.mark.parametrize("method", ["add", "mul"])
def test_case_changes_nothing_without_twins(world, tmp_path, method):
    path = tmp_path / "questions.txt"
    wv, words = world[0], world[0].tokens
    path.write_text(
        "".join(f"{words[i]} {words[i + 1]} {words[i + 2]} {words[i + 3]}\n" for i in range(len(words) - 3))
    )
    results = [
        evaluate_analogies(wv, path, method=method, case_sensitive=sensitive).summary() for sensitive in (False, True)
    ]
    for result in results:
        del result["case_sensitive"]
    assert results[0] == results[1]


# -- rows that are not in the order of frequency ----------------------------------------------------------------------


@pytest.mark.parametrize(("alphabetical", "warned"), [(True, True), (False, False)])
def test_alphabetical_rows_are_warned_of(tmp_path, caplog, alphabetical, warned):
    tokens = [f"w{row:04}" for row in range(1100)]
    if not alphabetical:
        tokens[0], tokens[1050] = tokens[1050], tokens[0]
    wv = WordVectors(tokens, np.random.default_rng(0).normal(size=(1100, 3)))
    path = tmp_path / "q.txt"
    path.write_text("w0001 w0002 w0003 w0004\n")
    evaluate_analogies(wv, path, protocol="Pfull")
    assert not caplog.messages
    evaluate_analogies(wv, path, protocol="P1k")
    assert ("not in descending order of frequency" in caplog.text) == warned
    caplog.clear()
    wv.save(tmp_path / "v.vec")
    load_vectors(tmp_path / "v.vec")
    assert not caplog.messages
    load_vectors(tmp_path / "v.vec", limit=1000)
    assert ("its first 1,000 are not the most frequent" in caplog.text) == warned


def test_counts_decide_the_order_of_frequency():
    tokens = [f"w{row:02}" for row in range(30)]
    assert Vocabulary(tokens, range(30, 0, -1)).by_frequency
    assert not Vocabulary(tokens, range(30)).by_frequency
    assert not Vocabulary(tokens).by_frequency
