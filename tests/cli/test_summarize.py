"""``wordvec summarize``."""

import json

import pytest
from click.testing import CliRunner

from cli import main
from wordvec import summarize

TEXT = "Rain fell. The heavy rain flooded the old town. Cats sleep. The town called for help in the rain.\n"


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.wordvec, ["summarize", *map(str, arguments)], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.parametrize("method", ["coverage", "textrank"])
def test_file_and_standard_input_give_the_summary_of_the_library(tmp_path, method):
    (tmp_path / "text.txt").write_text(TEXT)
    expected = summarize(TEXT, 0.8, method=method) + "\n"
    options = ["--ratio", 0.8, "--method", method]
    assert invoke(tmp_path / "text.txt", *options).stdout == expected
    assert invoke("-", *options, input=TEXT).stdout == expected


def test_json_states_places_and_lengths():
    found = json.loads(invoke("-", "--ratio", 0.4, "--json", input=TEXT).stdout)
    sentence = {"number": 2, "words": 7, "text": "The heavy rain flooded the old town."}
    assert found == {"method": "coverage", "words": 7, "of": 19, "sentences": [sentence]}


def test_wrapped_lines_and_other_encodings(tmp_path):
    lines = "Die große Flut hat im letzten Jahr die\nhalbe Stadt überschwemmt, und die alte\nBrücke ist seither zu.\n"
    (tmp_path / "text.txt").write_bytes(lines.encode("latin-1"))
    assert invoke(tmp_path / "text.txt", "--encoding", "latin-1").stdout == " ".join(lines.split()) + "\n"


@pytest.mark.parametrize(
    ("text", "options", "code", "message"),
    [
        ("", [], 1, "Error: the text has no words to summarize; give at least one sentence"),
        ("A text.", ["--ratio", "0"], 2, "Error: --ratio must be above 0 and at most 1, got 0.0"),
        ("A text.", ["--ratio", "nan"], 2, "Error: --ratio must be a finite number, got nan"),
    ],
)
def test_errors_are_one_line(text, options, code, message):
    result = invoke("-", *options, code=code, input=text)
    assert (result.stdout, result.stderr.splitlines()[-1]) == ("", message)
