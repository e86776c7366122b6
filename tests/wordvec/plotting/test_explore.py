"""The interactive page: what it contains, and that it works in a browser without any request."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from wordvec import InputError, Vocabulary, WordVectors
from wordvec.plotting.explore import _columns, explore_words

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_bokeh = pytest.mark.skipif(
    importlib.util.find_spec("bokeh") is None, reason="bokeh is not installed; pip install 'wordvec-seqclf[explore]'"
)


def vectors(size=60):
    words = ["king", "kings", "queen", "<b>", *(f"w{k}" for k in range(size - 4))]
    rows = np.random.default_rng(1).normal(size=(size, 8))
    rows[1] = rows[0] + 0.1
    rows[5] = 0
    return WordVectors(Vocabulary(words, np.arange(size, 0, -1)), rows)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "map.html"
    assert explore_words(vectors(), path, top=50, neighbors=3, n_clusters=4, method="pca") == 50
    return path


def test_columns_have_neighbors_of_the_whole_vocabulary_and_lines_to_those_drawn():
    wv = vectors()
    words = wv.tokens[:50]
    data = _columns(wv, words, np.zeros((50, 2)), np.arange(50) % 3, 3)
    expected = wv.most_similar("king", top=3)
    assert data["neighbors"][0] == ", ".join(f"{token} {score:.2f}" for token, score in expected)
    assert data["near"][0] == [words.index(token) for token, _ in expected if token in words]
    assert data["neighbors"][5] == "", "a zero vector has none"
    assert (data["count"][:2], data["cluster"][:4]) == ([60, 59], [1, 2, 3, 1])
    assert {len(column) for column in data.values()} == {50}


@needs_bokeh
def test_the_page_contains_all_that_it_needs(page):
    content = page.read_text(encoding="utf-8")
    head = content[: content.index("<script")]
    assert "default-src 'none'" in head
    assert not re.search(r"<script[^>]*\ssrc=|<link[^>]*\shref=", content)


PROBE = """<script>setTimeout(() => {
  const d = Bokeh.documents[0], search = d.get_model_by_name("search"), words = d.get_model_by_name("words")
  search.value_input = "King"
  search.value = "King"
  setTimeout(() => {
    const selected = words.selected.indices.map(i => words.data.word[i])
    document.title = JSON.stringify([selected, d.get_model_by_name("labels").data.word.length])
  }, 500)
}, 3000)</script>"""


@needs_bokeh
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: the page is not opened")
def test_a_browser_shows_and_searches_the_page_without_a_request(page, tmp_path):
    content = page.read_text(encoding="utf-8")
    end = content.rindex("</body>")
    (tmp_path / "probe.html").write_text(content[:end] + PROBE + content[end:], encoding="utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *("--virtual-time-budget=9000", "--window-size=1200,800", "--dump-dom", str(tmp_path / "probe.html")),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not [line for line in console if re.search("Refused|violates|Uncaught", line)], console
    selected, labels = json.loads(re.search("<title>(.*?)</title>", done.stdout)[1])
    assert selected == ["king", "kings"], "the word itself comes first"
    assert 1 <= labels <= 50


def test_errors(tmp_path, monkeypatch):
    for call, message in [
        (lambda: explore_words(vectors(), tmp_path / "map.png"), "map.png must end in .html"),
        (lambda: explore_words(vectors(), tmp_path / "map.html", top=1), "top must be at least 2, got 1"),
        (lambda: explore_words(["king"], tmp_path / "map.html"), "vectors must be WordVectors, got list"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(InputError, match=r"not installed: pip install 'wordvec-seqclf\[explore\]'"):
        explore_words(vectors(), tmp_path / "map.html")
    assert not list(tmp_path.iterdir())
