"""classify-text check."""

import json
from pathlib import Path

from click.testing import CliRunner

from cli import main


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
