"""Checks of labeled texts."""

import pytest

from corpora import InputError, check_labelled, iter_label_sets, iter_labelled, read_labelled


def examples(name, *pairs):
    return [(f"{name}:{number}", text, label) for number, (label, text) in enumerate(pairs, 1)]


def kinds(*parts):
    report = check_labelled({each[0][0].split(":")[0]: each for each in parts})
    return {finding.kind: finding.lines for finding in report.findings}


PLAIN = [("a", f"text {row}") for row in range(5)] + [("b", f"other {row}") for row in range(5)]


def test_clean_data_have_no_findings():
    assert kinds(examples("x", *PLAIN), examples("y", ("a", "new"), ("b", "newer"))) == {}


def test_leakage_contradictions_and_duplicates():
    train = examples("x", *PLAIN, ("a", "TEXT  0"), ("b", "text 1"))
    found = kinds(train, examples("y", ("a", "Text 2"), ("a", "unseen"), ("a", "unseen")))
    assert found == {
        "leakage": ["y:1 = x:3"],
        "contradictory labels": ["x:2 a", "x:12 b"],
        "duplicates": ["x:11 = x:1", "y:3 = y:2"],
    }


def test_findings_in_single_texts():
    odd = [("a", " "), ("a", "caf\ufffd"), ("b", "cafÃ©"), ("b", "x" * 10_000), ("a", "it’s a café")]
    found = kinds(examples("x", *PLAIN, *odd))
    assert found == {"empty text": ["x:11"], "encoding": ["x:12", "x:13"], "long text": ["x:14 10,000"]}


def test_findings_in_labels():
    assert kinds(examples("x", ("Label", "Text"), *PLAIN))["header"] == ["x:1"]
    found = kinds(examples("x", *PLAIN, ("c", "rare")), examples("y", ("d", "new"), ("a", "known")))
    assert found == {"unknown labels": ["y:1 d"], "rare labels": ["x:11 c"]}
    assert "one label" in kinds(examples("x", *PLAIN[:5]))
    assert "many labels" in kinds(examples("x", *((f"label {row}", f"t{row}") for row in range(9))))


def test_missing_labels_are_listed_and_no_labels():
    train = examples("x", *PLAIN, ("", "text 0"), (" ", "new"))
    assert kinds(train, examples("y", ("", "text 1"))) == {"missing labels": ["x:11", "x:12", "y:1"]}
    part = check_labelled({"x": train}).parts["x"]
    assert (part.texts, part.labels) == (12, {"a": 5, "b": 5})
    assert kinds(examples("x", ("", "one"), ("", "two")), examples("y", *PLAIN)) == {"missing labels": ["x:1", "x:2"]}


def test_label_sets_are_compared_as_sets_and_counted_by_label():
    plain = [(["a", "b"], f"text {row}") for row in range(6)] + [([], "quiet")]
    train = examples("x", *plain, (["b", "a"], "text 0"), (["a"], "text 1"), (["rare"], "new"))
    assert kinds(train, examples("y", (["a", "d"], "other"))) == {
        "contradictory labels": ["x:2 a, b", "x:9 a"],
        "duplicates": ["x:8 = x:1"],
        "rare labels": ["x:10 rare"],
        "unknown labels": ["y:1 d"],
    }
    assert check_labelled({"x": train}).parts["x"].labels == {"a": 8, "b": 7, "rare": 1}
    assert "one label" in kinds(examples("x", *plain[:6]))


def test_messages_count_in_the_singular_and_plural():
    report = check_labelled({"x": examples("x", *PLAIN, ("a", ""), ("b", "text 2 "), ("a", "text 3"))})
    assert [finding.message for finding in report.findings] == [
        "2 examples have a text that has other labels too",
        "1 example repeats another of the same file and label",
        "1 text is empty",
    ]


@pytest.mark.parametrize(("parts", "message"), [({}, "no files were given"), ({"x": []}, "x has no examples")])
def test_nothing_to_check(parts, message):
    with pytest.raises(InputError, match=message):
        check_labelled(parts)


def test_sizes_of_the_parts():
    part = check_labelled({"x": examples("x", ("b", "ab"), ("a", "abcd"), ("b", ""))}).parts["x"]
    assert (part.texts, part.labels, part.shortest, part.median, part.longest) == (3, {"b": 2, "a": 1}, 0, 2, 4)
    assert list(part.labels) == ["b", "a"]


def test_locations_are_those_of_the_records(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('label,text\nyes,"two\nlines"\nno,one\n')
    assert [(where.rpartition(":")[2], label) for where, _, label in iter_labelled(path)] == [("2", "yes"), ("4", "no")]
    assert read_labelled(path) == (["two\nlines", "one"], ["yes", "no"])
    path.write_text("label,text\n,one\n")
    with pytest.raises(InputError, match=r"a\.csv:2: the label is empty; add it, or leave the text out"):
        list(iter_labelled(path))
    assert [(text, label) for _, text, label in iter_labelled(path, empty_labels=True)] == [("one", "")]
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one", "label": null}\n{"text": "two", "label": NaN}\n{"text": "three", "label": ""}\n')
    assert [label for _, _, label in iter_labelled(path, empty_labels=True)] == ["", "", ""]
    with pytest.raises(InputError, match=r"a\.jsonl:1: 'label' must not be missing; add it"):
        list(iter_label_sets(path))
