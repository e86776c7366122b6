"""classify-text explain."""

import json

from click.testing import CliRunner

from cli import main
from seqclf import ClassifierSettings, train_multi_label


def explain(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.classify_text, ["explain", *map(str, arguments)], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_explanations_as_text_json_and_page(model_file, tmp_path):
    text = explain(model_file, "the king of <paris>", "--top", 2, "--html", tmp_path / "why.html", "--occlusion")
    lines = text.splitlines()
    assert lines[0].split()[0] in ("yes", "no")
    assert lines[2] == "the king of <paris>"
    assert lines[4].split() == ["word", "contribution", "network", "linear", "model", "without", "the", "word"]
    assert "2 more words" in text
    assert "&lt;paris&gt;" in (tmp_path / "why.html").read_text()
    facts = json.loads(explain(model_file, "the king of <paris>", "--json"))
    assert facts["words"] == ["the", "king", "of", "<paris>"]
    assert abs(facts["bias"] + sum(facts["contributions"]) + facts["error"] - facts["log_odds"]) < 1e-6
    assert "\x1b[32m" in explain(model_file, "the king", color=True)
    assert "no words" in explain(model_file, "")


def test_errors_name_the_labels(model_file, tmp_path):
    assert "label 'maybe' is not one of the model's: no, yes" in explain(model_file, "a", "--label", "maybe", code=1)
    assert "missing" in explain(model_file, "a", "--html", tmp_path / "missing" / "a.html", code=1)


def test_nearest_texts_of_a_multi_label_model(tmp_path):
    """Their texts have any number of labels, also none."""
    texts, sets = ["fire and flood", "calm sea", "fire in town", "flood in town"], [["a", "b"], [], ["a"], ["b"]]
    settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0)
    train_multi_label(texts, sets, settings=settings, threads=1).save(tmp_path / "m.safetensors")
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"text": t, "label": s}) + "\n" for t, s in zip(texts, sets, strict=True)))
    found = json.loads(explain(tmp_path / "m.safetensors", "fire and flood", "--nearest", data, "--json"))["nearest"]
    assert {each["text"]: each["label"] for each in found} == dict(zip(texts, ["a,b", "", "a", "b"], strict=True))
