"""Reports: values, the page, its charts, and what it shows in a browser."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="Jinja2 is not installed: pip install 'wordvec-seqclf[report]'")
pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'wordvec-seqclf[report]'")

from seqclf.classification.evaluation import evaluated
from seqclf.classification.set_evaluation import evaluated_sets
from seqclf.reporting.page import html_page
from seqclf.reporting.report import LabelSetReport, Report, Rival
from wordvec.formats.cards import ModelCard

CARD = ModelCard("Text classifier", {"labels": "2: a, <b>"}, {"texts": "9"}, {"seed": "1"}, {}, ["Use."], ["Limits."])
HISTORY = [
    {"epoch": 1, "loss": 0.7, "dev_accuracy": 0.5, "dev_loss": 0.6},
    {"epoch": 2, "loss": 0.4, "dev_accuracy": 0.75, "dev_loss": 0.5},
]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def report(labels=("a", "<b>"), history=HISTORY, rivals=()):
    count = 4 * len(labels)
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(len(labels)), count).astype(np.float32)
    truth = [labels[row % len(labels)] for row in range(count)]
    texts = [f"text {row} & <script>alert(1)</script> {'long' * row * 9}" for row in range(count)]
    evaluation = evaluated(labels, probabilities, truth)
    return Report("model", CARD, evaluation, texts, {"file": "test.tsv", "BLAKE2b": "5" * 64}, history, rivals)


def test_values_are_json_and_the_mistakes_come_in_order():
    found = report(rivals=[Rival("NB-SVM", 0.5, 0.4, 0.0004)])
    values = json.loads(json.dumps(found.as_dict()))
    assert list(values) == [
        "name", "card", "data", "evaluation", "baselines", "average_precision", "reliability", "coverage", "history",
        "mistakes",
    ]  # fmt: skip
    confidences = [row["confidence"] for row in values["mistakes"]]
    assert confidences == sorted(confidences, reverse=True)
    assert len(confidences) == int((~found.evaluation.correct).sum()) > 0
    assert all(row["label"] != row["predicted"] for row in values["mistakes"])
    assert values["coverage"][0] == {
        "threshold": 0.0, "coverage": 1.0, "accuracy": values["evaluation"]["accuracy"],
    }  # fmt: skip
    assert values["baselines"] == [{"name": "NB-SVM", "accuracy": 0.5, "macro_f1": 0.4, "p_value": 0.0004}]


def test_the_page_is_self_contained_and_escaped():
    page = html_page(report(rivals=[Rival("NB-SVM", 0.5, 0.4, 0.0004)]))
    assert page == html_page(report(rivals=[Rival("NB-SVM", 0.5, 0.4, 0.0004)]))
    assert "<script" not in page
    assert "&amp; &lt;script&gt;" in page
    assert "<td>&lt;b&gt;</td>" in page
    assert "&lt; 0.001" in page
    assert page.count("<svg ") == 4
    assert not re.search(r'(?:src|href)="(?!#)|url\((?!#)|@import', page)
    assert "#0b3c8c; stroke" not in page


def test_a_linear_model_has_no_training_curve():
    page = html_page(report(history=[]))
    assert page.count("<svg ") == 3
    assert "Compared with baselines" not in page


def test_many_labels_are_listed_by_their_confusions():
    page = html_page(report(labels=[f"label{n}" for n in range(40)]))
    assert "The most frequent confusions of 40 labels" in page
    assert '<table class="matrix">' not in page


def test_any_label_can_be_drawn(recwarn):
    page = html_page(report(labels=["$x$ and $y^", "日本", "d" * 90, ""]))
    assert "日本" in page
    assert "d" * 20 + "..." in page
    assert ">$x$ and $y^</text>" in page
    assert html_page(report(labels=["_a", "_b"])).count(">_a</text>") == 1
    assert not [each for each in recwarn if "Glyph" in str(each.message)]
    unknown = evaluated(["a", "b"], np.full((2, 2), 0.5, np.float32), ["x", "y"])
    assert "<svg " in html_page(Report("model", CARD, unknown, ["s", "t"], {"file": "test.tsv"}))


def test_a_perfect_model_has_no_mistakes():
    found = report()
    evaluation = evaluated(["a", "<b>"], np.eye(2, dtype=np.float32), ["a", "<b>"])
    page = html_page(Report("model", CARD, evaluation, found.texts[:2], {"file": "test.tsv"}))
    assert "All predictions are correct." in page
    assert "100.0 %" in page


def label_sets(names=("flood", "<b>", "none has it"), truth=None):
    probabilities = np.random.default_rng(4).random((6, len(names)), np.float32)
    truth = [["flood"], [], ["<b>", "flood"], ["unknown"], ["<b>"], ["flood"]] if truth is None else truth
    evaluation = evaluated_sets(names, probabilities, np.linspace(0.3, 0.6, len(names)), truth)
    texts = [f"text {row} & <script>" for row in range(6)]
    rivals = {"most frequent labels": evaluation.score}
    return LabelSetReport("model", CARD, evaluation, texts, {"file": "test.tsv"}, HISTORY, rivals)


def test_label_sets_have_thresholds_and_curves():
    found = label_sets()
    page, values = html_page(found), json.loads(json.dumps(found.as_dict()))
    assert page == html_page(label_sets())
    assert page.count("<svg ") == 4
    assert "<td>&lt;b&gt;</td><td>0.450</td>" in page
    assert "<script" not in page
    assert "<td>unknown</td><td>-</td>" in page
    assert "most frequent labels" in page
    assert values["average_precision"].keys() == {"flood", "<b>"}
    assert values["evaluation"]["thresholds"]["none has it"] == pytest.approx(0.6)
    assert {"labels", "predicted", "confidence", "text"} == values["mistakes"][0].keys()


def test_points_are_at_the_f1_of_their_thresholds(monkeypatch):
    from seqclf.reporting import charts

    figures = []
    monkeypatch.setattr(charts, "_element", lambda figure, title: figures.append(figure))
    found = label_sets().evaluation
    charts.threshold_chart({"flood": found.precision_recall("flood")}, {"flood": found.thresholds[0]})
    curve, point = figures[0].axes[0].get_lines()
    expected = next(row.f1 for row in found.score.classes if row.label == "flood")
    assert point.get_ydata() == pytest.approx([expected])
    assert point.get_xdata() == [0.3]
    assert curve.get_drawstyle() == "steps-post"  # a threshold between two probabilities predicts what the higher does


def test_label_sets_that_no_text_has_have_no_curves_of_precision():
    assert html_page(label_sets(truth=[[]] * 6)).count("<svg ") == 2


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")
def test_a_browser_shows_the_page_without_errors_at_any_width(tmp_path):
    (tmp_path / "report.html").write_text(html_page(report(rivals=[Rival("NB-SVM", 0.5, 0.4, 0.5)])), encoding="utf-8")
    (tmp_path / "label_sets.html").write_text(html_page(label_sets()), encoding="utf-8")
    (tmp_path / "frames.html").write_text(
        """<iframe src="report.html" style="width:390px"></iframe>
        <iframe src="report.html" style="width:1280px"></iframe>
        <iframe src="label_sets.html" style="width:390px"></iframe>
        <pre id="found"></pre><script>
        addEventListener("load", () => {
            const found = [...document.querySelectorAll("iframe")].map(frame => {
                const page = frame.contentDocument;
                const charts = [...page.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect());
                const tables = [...page.querySelectorAll(".scroll")];
                return [page.documentElement.scrollWidth <= page.documentElement.clientWidth,
                        tables.every(box => box.scrollWidth <= box.clientWidth),
                        charts.every(box => box.width > 100 && box.height > 60 && box.right <= frame.clientWidth),
                        page.querySelectorAll("h2").length, page.querySelectorAll("[src], link, script").length];
            });
            document.getElementById("found").textContent = JSON.stringify(found);
        });
        </script>"""
    )
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "frames.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout)
    assert found, done.stderr
    assert json.loads(found[1]) == [[True, True, True, headings, 0] for headings in (6, 6, 5)]
