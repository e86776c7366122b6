"""classify-text check."""

import json
import logging
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from cli import main
from seqclf import ClassifierSettings, train_classifier
from wordvec import WordVectors, load_vectors, save_vectors


def check(*arguments, code=0):
    result = CliRunner().invoke(main.classify_text, ["check", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_findings_are_printed_with_their_lines(tmp_path, monkeypatch, vectors_file):
    monkeypatch.chdir(tmp_path)
    lines = [f"yes\tthe king {row}\nno\tthe queen {row}\n" for row in range(8)]
    Path("a.tsv").write_text("".join(lines) + "no\tthe king 0\n" + "yes\tthe king 1\n" * 7)
    Path("b.tsv").write_bytes(b"no\tthe queen 3\nyes\tcaf\xe9\n")
    text = check("a.tsv", "--test", "b.tsv", "--vectors", vectors_file)
    assert "leakage: 1 text of the other files is also in a.tsv\n  b.tsv:1 = a.tsv:8\n" in text
    assert "contradictory labels: 2 examples" in text
    assert "  a.tsv:1 yes\n  a.tsv:17 no\n" in text
    assert "duplicates: 7 examples" in text
    assert "  and 2 more\n" in text
    assert "encoding: 1 example has" in text
    assert "distinct words with a vector" in text
    facts = json.loads(check("a.tsv", "--test", "b.tsv", "--vectors", vectors_file, "--json"))
    assert facts["parts"]["a.tsv"]["labels"] == {"yes": 15, "no": 9}
    assert [len(each["lines"]) for each in facts["findings"] if each["kind"] == "duplicates"] == [7]
    assert 0 < facts["coverage"]["a.tsv"]["words"] < 1


def test_words_with_a_vector_are_those_of_a_training(tmp_path, caplog):
    words, texts = ["fire", "café", "in", "town"], ["The ﬁre,", "Cafe\u0301!", "In Town?", "in town"] * 2
    (tmp_path / "a.tsv").write_text("".join(f"{row % 2}\t{text}\n" for row, text in enumerate(texts)))
    (tmp_path / "v.txt").write_text("".join(f"{word} 1 {row}\n" for row, word in enumerate(words)))
    save_vectors(
        WordVectors(words, np.eye(4), tokenizer="words", lowercase=True, normalize="NFKC"), tmp_path / "v.safetensors"
    )
    settings = ClassifierSettings(model="network", hidden_size=4, epochs=1, validation_fraction=0)
    for name, message, share in (("v.txt", "3 of the 5 words", 10 / 14), ("v.safetensors", "4 of the 5", 12 / 14)):
        with caplog.at_level(logging.INFO):
            train_classifier(texts, [0, 1] * 4, settings=settings, vectors=load_vectors(tmp_path / name))
        assert message in caplog.text
        text = check(tmp_path / "a.tsv", "--vectors", tmp_path / name, "--json")
        found = json.loads(text[text.index("{") :])["coverage"]
        assert found[str(tmp_path / "a.tsv")] == {"types": int(message[0]) / 5, "words": share}


def test_clean_data_and_unreadable_files(tmp_path):
    (tmp_path / "a.tsv").write_text("".join(f"yes\ta {row}\nno\tb {row}\n" for row in range(6)))
    assert check(tmp_path / "a.tsv").endswith("Nothing suspicious was found.\n")
    assert "no such file" in check(tmp_path / "missing.tsv", code=1)
    (tmp_path / "bad.tsv").write_text("no tab\n")
    assert "bad.tsv:1: expected label<TAB>text, found no tab" in check(tmp_path / "bad.tsv", code=1)


def test_several_labels_per_text(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"text {row},a|b\nquiet {row},\n" for row in range(5)))
    assert "missing labels: 5 texts have no label; training refuses them\n  " in check(tmp_path / "a.csv")
    assert "  a  " in check(tmp_path / "a.csv", "--multi-label", "|")
    assert "separator must not be empty" in check(tmp_path / "a.csv", "--multi-label", "", code=1)
