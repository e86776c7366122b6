"""``train-embeddings --tune``: trials within a budget, the best kept, its log and record, and Ctrl-C."""

import json

import pytest
from click.testing import CliRunner

from cli import main
from wordvec import load_vectors
from wordvec.formats.registry import describe

SENTENCES = "the old king saw the young queen\nthe young queen saw the old king\n" * 50
PAIRS = "king\tqueen\t9\nold\tyoung\t5\nthe\tsaw\t2\nking\tthe\t1\n"
TINY = ("--vector-size", "8", "--epochs", "1", "--min-count", "1", "--model", "skipgram", "--subsample", "0")


class Clock:
    """Stands in for ``time``: each trial lasts 6 seconds."""

    now = 0.0

    def perf_counter(self):
        self.now += 6
        return self.now


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'wordvec-seqclf[tuning]'")
    monkeypatch.setattr("wordvec.system.tuning.time", Clock())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(SENTENCES)
    (tmp_path / "pairs.tsv").write_text(PAIRS)


def tune(*arguments, time="30s", code=0):
    command = ["corpus.txt", "-o", "v.safetensors", "--tune", time, "--on", "pairs.tsv", *TINY, *arguments]
    result = CliRunner().invoke(main.train_embeddings, command)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def log_lines(tmp_path):
    return [json.loads(line) for line in (tmp_path / "v.safetensors.tuning.jsonl").read_text().splitlines()]


def test_the_best_of_the_trials_is_written_with_what_it_was_chosen_by(tmp_path):
    result = tune()
    head, *trials = log_lines(tmp_path)
    assert len(trials) == 5
    assert trials[0]["settings"]["window"] == 5
    assert set(head["search"]["space"]) == {"window", "negatives", "learning_rate"}
    best = max(trials, key=lambda trial: trial["score"])
    about = describe("v.safetensors")["about"]
    assert about["origin"]["tuned"] == {"on": ["pairs.tsv"], "trial": best["number"] + 1, "score": best["score"]}
    assert {name: about["settings"][name] for name in best["settings"]} == best["settings"]
    assert (about["settings"]["vector_size"], about["settings"]["epochs"]) == (8, 1)
    assert (
        "warning: the settings are chosen by their scores on pairs.tsv: report results on other data" in result.stderr
    )
    assert f"best of 5 trials: trial {best['number'] + 1}" in result.stderr


def test_the_vectors_follow_from_the_settings_of_the_log(tmp_path):
    tune()
    best = max(log_lines(tmp_path)[1:], key=lambda trial: trial["score"])
    options = [part for name, value in best["settings"].items() for part in (f"--{name.replace('_', '-')}", str(value))]
    again = CliRunner().invoke(main.train_embeddings, ["corpus.txt", "-o", "again.safetensors", *TINY, *options])
    assert again.exit_code == 0, again.output
    assert load_vectors("again.safetensors").vectors.tobytes() == load_vectors("v.safetensors").vectors.tobytes()


def test_a_search_resumes_within_a_larger_budget(tmp_path):
    tune(time="12s")
    first = log_lines(tmp_path)
    assert "v.safetensors.tuning.jsonl holds a search: resume it" in tune(code=1).stderr
    tune("--resume", time="24s")
    assert log_lines(tmp_path)[: len(first)] == first
    assert (len(first), len(log_lines(tmp_path))) == (3, 5)
    other = tune("--resume", "--seed", "2", code=1)
    assert "holds another search, which differs in: fixed settings, seed;" in other.stderr


def test_ctrl_c_keeps_the_best(tmp_path, monkeypatch):
    from wordvec.word2vec import tuning

    trains, train = iter(range(9)), tuning.train_word2vec

    def interrupted(*arguments, **options):
        if next(trains) == 2:
            raise KeyboardInterrupt
        return train(*arguments, **options)

    monkeypatch.setattr(tuning, "train_word2vec", interrupted)
    result = tune(code=130)
    assert "best of 2 trials" in result.stderr
    last = result.stderr.splitlines()[-1]
    assert (last.count("v.safetensors.tuning.jsonl"), last.count(" and ")) == (1, 1)  # each file once
    assert len(log_lines(tmp_path)) == 3
    assert len(load_vectors("v.safetensors")) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tune", "1m"], "--tune TIME needs --on FILE"),
        (["--on", "pairs.tsv"], "--on needs --tune TIME"),
        (["--tune", "0", "--on", "pairs.tsv"], "'0' is not a positive duration with a unit"),
        (["--tune", "1m", "--on", "pairs.tsv", "--early-stopping", "2"], "--early-stopping has no effect with --tune"),
        (["--tune", "1m", "--on", "pairs.tsv", "--model", "glove"], "of skip-gram and CBOW, got --model glove"),
    ],
)
def test_options_that_contradict_each_other(arguments, message):
    result = CliRunner().invoke(main.train_embeddings, ["corpus.txt", "-o", "v.safetensors", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
