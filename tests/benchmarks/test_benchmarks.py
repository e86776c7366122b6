"""The benchmark suite: alternation, ratios, tables, missing or failing peers, comparison of runs. Nothing is timed."""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

import corpora
from benchmarks import __main__ as program
from benchmarks.harness import suite
from benchmarks.harness.headline import BEGIN, END, chosen_rows, headline, plotted_rows, summary, write_readme
from benchmarks.harness.measuring import (
    Row,
    Run,
    SkippedError,
    WrongResultError,
    alternate,
    call_alone,
    compare,
    fitted_share,
    growth,
    number,
    part_of,
    slope,
    table,
)
from benchmarks.harness.peers import INSTALLED, Peer, PeerError, Server, install_peers, peers_of, run_json, with_build
from benchmarks.harness.report import RULE, busy_processors, compare_reports, markdown, write_report
from benchmarks.harness.texts import speed_source, speed_text, write_zipf
from benchmarks.kernels import limits, roofline
from benchmarks.kernels.limits import Limits
from benchmarks.kernels.roofline import Kernel, Work
from benchmarks.networks.classification import describe_vectors
from benchmarks.word_vectors import startup
from benchmarks.word_vectors.whole_command import run_watched
from benchmarks.word_vectors.word2vec import core_seconds
from wordvec import WordVectors

needs_shell = pytest.mark.skipif(sys.platform == "win32", reason="the fake Pythons are shell scripts")


def fails() -> float:
    raise PeerError("killed")


def script(path: Path, text: str) -> str:
    """Write a shell script that imitates a peer's Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# -- alternation and ratios -------------------------------------------------------------------------------------------


def test_runs_alternate():
    called = []
    figures, failed = alternate({name: lambda name=name: called.append(name) or len(called) for name in "ab"}, 3)
    assert "".join(called) == "ababab"
    assert figures == {"a": [1, 3, 5], "b": [2, 4, 6]}
    assert not failed


@pytest.mark.parametrize(("more_is_better", "ratios"), [(True, [2, 3, 2]), (False, [1 / 2, 1 / 3, 1 / 2])])
def test_ratios_are_speed_ups_within_a_round(more_is_better, ratios):
    ours, theirs = iter([10.0, 30.0, 8.0]), iter([5.0, 10.0, 4.0])
    (row,) = compare(
        "case", "s", {"": lambda: next(ours)}, {"peer": lambda: next(theirs)}, 3, more_is_better=more_is_better
    )
    assert row.ratios == pytest.approx(ratios)
    assert row.cells()[3] == ("2.00x" if more_is_better else "0.500x")


def test_without_a_peer_there_is_no_ratio():
    (row,) = compare("case", "s", {"": lambda: 2.0}, {}, 2)
    assert (row.peer, row.theirs, row.ratios) == ("", [], [])
    assert row.cells() == ["case", "2.00 s", "", "", "2.00 to 2.00, 2 runs", ""]


def test_a_failing_peer_is_noted_and_the_others_remain():
    turn = iter([4.0])
    rows = compare("case", "s", {"": lambda: 1.0}, {"good": lambda: 2.0, "bad": lambda: next(turn, None) or fails()}, 3)
    assert [(row.peer, row.theirs) for row in rows] == [("good", [2.0, 2.0, 2.0])]
    assert "bad failed: killed" in rows[0].cells()[-1]
    (single,) = compare("case", "s", {"": lambda: 1.0}, {"bad": fails}, 3)
    assert (single.ours, single.peer) == ([1.0] * 3, "")


def test_table_is_aligned_and_numbers_have_three_digits():
    rows = [Row("short", "s", [1.0], "peer", [20.0]), Row("a longer case", "Mw/s", [1234.5], note="why")]
    lines = table(rows)
    assert lines[0].split() == ["ours", "peer", "ratio", "spread"]
    assert {line.index(part) for line, part in zip(lines, ["ours", "1.00 s", "1,234 Mw/s"], strict=True)} == {15}
    assert lines[2].endswith("why")
    assert [number(x) for x in (0, 0.01234, 9.876, 45.67, 1234.5)] == ["0", "0.0123", "9.88", "45.7", "1,234"]


def test_slopes_are_exponents():
    assert slope([(1, 5), (10, 50 * 10), (100, 500 * 100)]) == pytest.approx(2)
    row = growth("cost", {n: lambda n=n: 3e-3 * n**1.5 for n in (10, 20, 80)}, 2, theory=1)
    assert row.ours == pytest.approx([1.5, 1.5])
    assert [point[0] for point in row.points] == [10, 20, 80]
    assert "stepwise 1.50, 1.50" in row.note


def test_fit_finds_the_share_that_does_not_scale():
    points = [[n, 6.0 + 2.0 * n] for n in (1, 10, 100)]
    assert part_of(points, lambda n: 1.0, float) == pytest.approx(6)
    assert fitted_share("setting up")(points) == "setting up: fitted share 75% at 1, 3% at 100"
    words = {n: n**0.5 for n in (1, 10, 100)}
    assert part_of([[n, 3 * words[n]] for n in words], words.__getitem__, float) == pytest.approx(3)
    falling = [[n, 1 / n] for n in (1, 10)]
    assert part_of(falling, lambda n: n**-1.0, float) == pytest.approx(1)
    row = growth("cost", {1: lambda: 8.0, 10: lambda: 26.0}, 1, theory=1, reason=fitted_share("setting up"))
    assert row.reason == "setting up: fitted share 75% at 1, 23% at 10"


def test_timer_measures_only_the_call(monkeypatch):
    times = iter([3.0, 5.5])
    monkeypatch.setattr(roofline.time, "perf_counter", lambda: next(times))
    called = []
    assert roofline.timed(lambda *given, **named: called.append((given, named)), 1, two=2) == 2.5
    assert called == [((1,), {"two": 2})]


@pytest.mark.parametrize(
    ("work", "share", "note"),
    [
        (Work(3e9), 30, "6.00 of 20.0 GFLOP/s; why"),
        (Work(3e9, 2e9), 80, "4.00 of 5.00 GB/s; why"),
        (Work(3e9, 1e9, 2e9), 60, "6.00 of 10.0 GB/s; why"),
    ],
)
def test_roofline_limit_is_the_binding_resource(monkeypatch, work, share, note):
    monkeypatch.setattr(limits, "measure_limits", lambda: Limits(20e9, 5e9, 10e9))
    called = []
    row = limits.share(Kernel("case", work, lambda: called.append(1) or 0.5, "why"), 2)
    assert row.ours == pytest.approx([share, share])
    assert row.note == note
    assert len(called) == 2 + 2, "the first call compiles, the second determines the number of calls"
    called.clear()
    limits.share(Kernel("short", work, lambda: called.append(1) or 0.04), 2)
    assert len(called) == 2 + 2 * 3


def test_inputs_depend_on_the_size(tmp_path):
    assert (Run(tmp_path, "full").repeats, Run(tmp_path, "full", turns=1).repeats) == (5, 1)
    assert [Run(tmp_path, size).pick(1, 2, 3) for size in ("quick", "default", "full")] == [1, 2, 3]
    assert Run(tmp_path, "full").pick(1, 2) == 2


# -- peers ------------------------------------------------------------------------------------------------------------


@needs_shell
def test_the_first_python_with_a_package_is_used(tmp_path):
    one = script(tmp_path / "one", """echo '{"gensim": "4"}'""")
    two = script(tmp_path / "two", """echo '{"gensim": "3", "torch": "2"}'""")
    assert peers_of([one, two]) == {"gensim": Peer("gensim", "4", one), "torch": Peer("torch", "2", two)}


def test_peers_are_not_installed_unless_requested(tmp_path):
    messages = []
    assert install_peers(tmp_path / "peers", messages.append, install=False) == {}
    assert messages == ["no peers are installed"]
    assert not (tmp_path / "peers").exists()


@needs_shell
def test_a_peer_that_cannot_be_installed_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDVEC_TORCH_INDEX", "somewhere")
    script(
        tmp_path / "bin/python",
        f"""[ "$2" = pip ] || {{ cat {tmp_path}/has 2>/dev/null || echo '{{}}'; exit; }}
        echo "$@" >>{tmp_path}/asked
        case "$*" in *gensim) echo '{{"gensim": "4"}}' >{tmp_path}/has; exit;; esac
        echo 'error: no compiler' >&2; exit 1""",
    )
    messages = []
    assert list(install_peers(tmp_path, messages.append)) == ["gensim"]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == len(INSTALLED), "each is a separate installation"
    assert asked[-1].endswith("torch --index-url somewhere")
    assert "skipping word2vec: error: no compiler" in messages


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the default build is the CPU build")
def test_torch_is_skipped_without_a_package_index(tmp_path, monkeypatch):
    monkeypatch.delenv("WORDVEC_TORCH_INDEX", raising=False)
    script(tmp_path / "bin/python", '[ $2 = pip ] || echo \'{"gensim": "4", "word2vec": "1", "fasttext": "1"}\'')
    messages = []
    assert "torch" not in install_peers(tmp_path, messages.append)
    assert messages == ["skipping torch: set WORDVEC_TORCH_INDEX to the package index of its CPU build"]


def test_peer_errors_state_the_reason():
    with pytest.raises(PeerError, match="ValueError: no such thing"):
        run_json([sys.executable, "-c", "raise ValueError('no such thing')"])
    with pytest.raises(PeerError, match="exited with 3"):
        run_json([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(PeerError, match="printed no results"):
        run_json([sys.executable, "-c", "print('hello')"])
    with pytest.raises(PeerError, match="nowhere"):
        run_json(["/nowhere/python"])


def test_server_answers_until_it_fails():
    code = "import sys, json\nfor line in sys.stdin:\n    print(1 / json.loads(line)[0], flush=True)"
    server = Server(sys.executable, code)
    assert server(4) == 0.25
    with pytest.raises(PeerError):
        server(0)
    server.close()


@needs_shell
def test_peer_build_is_reported_if_known(tmp_path):
    torch = Peer("torch", "2", script(tmp_path / "one", """echo '{"build": "AVX2"}'"""))
    assert with_build(torch).version_and_build == "2 (AVX2)"
    dead = Peer("torch", "2", script(tmp_path / "two", "exit 1"))
    assert with_build(dead) == dead
    assert with_build(Peer("word2vec", "1", "/nowhere")).version_and_build == "1"


@needs_shell
def test_run_watched():
    seconds, most = run_watched(["/bin/sh", "-c", "read line; [ $line = $WANTED ]"], {"WANTED": "x"}, stdin="x\n")
    assert seconds > 0
    assert most >= 0
    with pytest.raises(PeerError, match="no such thing"):
        run_watched(["/bin/sh", "-c", "echo no such thing >&2; exit 1"])
    with pytest.raises(WrongResultError, match="ValueError: ours"):
        run_watched([sys.executable, "-c", "raise ValueError('ours')"])


@needs_shell
def test_installed_sizes_of_working_peers(tmp_path):
    peers = {
        "gensim": Peer("gensim", "4", script(tmp_path / "one", """echo '{"size": 1e9}'""")),
        "torch": Peer("torch", "2", script(tmp_path / "two", "exit 1")),
    }
    (row,) = startup.sizes(Run(tmp_path, peers=peers))
    assert (row.peer, row.theirs) == ("gensim 4", [1e9])
    assert 20 < row.ours[0] < 5000
    (single,) = startup.sizes(Run(tmp_path, peers={"torch": peers["torch"]}))
    assert (single.ours, single.peer) == (row.ours, "")
    assert "torch failed" in single.note


def test_peer_size_includes_dependencies():
    click, rich = (startup.peer_size(Peer(name, "", sys.executable)) for name in ("click", "rich"))
    assert 0.1 < click < rich < 20, "rich requires pygments"


def test_processor_time_of_a_command_and_of_the_processes_that_it_starts():
    wall, own, started = startup._times_of(["--help"], {})
    assert 0 < wall < 60
    assert own > 0.05
    assert started == 0


# -- texts ------------------------------------------------------------------------------------------------------------


def test_generated_text_has_the_requested_words(tmp_path, monkeypatch):
    path = tmp_path / "text"
    write_zipf(path, tokens=5000, types=300, every_word=True)
    words = path.read_text().split()
    assert len(set(words)) == 300
    assert words.count("w0") > 4 * words.count("w9") > 0
    write_zipf(path, size=20_000, types=10, new_words=5)
    once = [word for word in path.read_text().split() if word.startswith("once")]
    assert len(set(once)) == len(once) == 5 * len(path.read_text().splitlines())
    monkeypatch.delenv("WORDVEC_DATA", raising=False)
    assert speed_source().startswith("generated")
    lines = speed_text(tmp_path, 3000).read_text().splitlines()
    assert [len(line.split()) for line in lines] == [1000] * 3


# -- the suite --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", suite.NAMES)
def test_every_benchmark_has_a_question_and_rows(name):
    assert "?" in suite.question(name)
    assert callable(importlib.import_module(suite.MODULES[name]).rows)


@pytest.mark.parametrize(("size", "minutes"), [("quick", 5), ("default", 45)])
def test_budgets_fit_the_total_time(tmp_path, size, minutes):
    assert sum(Run(tmp_path, size).pick(*seconds) for seconds in suite.BUDGETS.values()) <= 60 * minutes
    assert "s planned" in suite.planned("machine", Run(tmp_path, size))
    assert suite.planned("machine", Run(tmp_path, "full")) == ""


def benchmark_of(rows, monkeypatch) -> str:
    """Register a benchmark with these ``rows`` and return its name."""
    module = ModuleType("benchmarks.made_up", "Is it so?\n\nYes.")
    module.rows = rows
    monkeypatch.setitem(sys.modules, "benchmarks.made_up", module)
    monkeypatch.setitem(suite.MODULES, "made_up", "benchmarks.made_up")
    return "made_up"


def test_failed_benchmark_keeps_earlier_rows(tmp_path, monkeypatch, capsys):
    def rows(run):
        yield Row("one", "s", [1.0])
        raise KeyError("lost")

    found = suite.measure(benchmark_of(rows, monkeypatch), Run(tmp_path))
    assert (found["question"], [row["case"] for row in found["rows"]]) == ("Is it so?", ["one"])
    assert "KeyError: 'lost'" in found["failed"]
    assert "1.00 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "reason"), [(SkippedError("too long"), "too long"), (PeerError("gone"), "failed: gone")]
)
def test_skipped_benchmark_has_not_failed(tmp_path, monkeypatch, error, reason):
    def rows(run):
        raise error
        yield

    found = suite.measure(benchmark_of(rows, monkeypatch), Run(tmp_path))
    assert found["skipped"].endswith(reason)
    assert "failed" not in found


class Crash:
    """Crashes the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (3,)


def test_crash_is_isolated_and_counts_as_a_failure():
    assert suite.measure_alone("machine", Crash())["failed"] == "its process crashed"


def test_call_alone_returns_the_result():
    assert call_alone("benchmarks.harness.measuring.slope", [[1, 2], [2, 8]]) == pytest.approx(2)


def facts_of(rows, **others):
    """Return the contents of a ``results.json``."""
    return {
        "machine": {
            **dict.fromkeys(("processor", "kind", "system", "python"), "x"),
            **{"cores": 2, "threads": 2, "memory_gib": 1.0, "packages": {"numpy": "2"}},
        },
        **{"commit": "abc", "corpus": "generated", "size": "quick", "peers": {"gensim": "4"}, "seconds": 60.0},
        "benchmarks": {"made_up": {"question": "Is it so?", "seconds": 1.0, "rows": rows, **others}},
    }


def row(case="one", ours=(10.0, 11.0, 12.0), theirs=(), **others):
    return {
        "case": case,
        "unit": "s",
        "ours": list(ours),
        "peer": "gensim" if theirs else "",
        "theirs": list(theirs),
    } | others


def test_core_seconds_are_threads_times_seconds():
    fast = Row("skipgram", "Mw/s", [8.0, 2.0, 4.0], "gensim", [0.25, 0.5, 0.5])
    assert core_seconds(fast, 2) == "0.500 core-seconds per million tokens, gensim 4.00"
    assert core_seconds(Row("skipgram", "Mw/s", [4.0]), 1) == "0.250 core-seconds per million tokens"


def test_results_page_lists_machine_versions_text_and_figures(tmp_path):
    facts = facts_of([row(theirs=(20.0, 22.0, 24.0), more_is_better=False)], skipped="the rest")
    write_report(facts, tmp_path / "out")
    assert json.loads((tmp_path / "out/results.json").read_text()) == facts
    page = (tmp_path / "out/RESULTS.md").read_text()
    assert page == markdown(facts)
    assert "| one | 11.0 s | gensim: 22.0 | 2.00x | 2.00 to 2.00, 3 runs |  |" in page
    for part in ("--quick", "commit abc", "gensim 4", "generated", "numpy 2", "Skipped: the rest"):
        assert part in page


def test_reasons_follow_the_table(tmp_path):
    page = markdown(facts_of([row(theory=1.0, reason="caches"), row("two")]))
    assert page.endswith(" |  |\n\n- one: caches.\n")


def headline_facts():
    facts = facts_of([])
    facts["benchmarks"]["word2vec"] = {
        "question": "Q?",
        "seconds": 1.0,
        "rows": [row("skipgram d100, 2 threads, reproducible", theirs=(5.0, 2.0, 6.0))],
    }
    facts["benchmarks"]["queries"] = {
        "question": "Q?",
        "seconds": 1.0,
        "rows": [
            row("analogy among 9 words, d100", theirs=(5.0, 22.0, 36.0), more_is_better=False),
            row("analogy among 9 words, d100"),
            row("something else", theirs=(1.0, 1.0, 1.0)),
        ],
    }
    return facts


def test_summary_lists_the_chosen_rows_that_have_a_peer():
    facts = headline_facts()
    assert [label for label, _ in chosen_rows(facts)] == ["skip-gram, 2 threads", "one analogy, 9 words"]
    assert "| one analogy, 9 words | 11.0 s | 22.0 s | gensim | **2.00** (0.500 to 3.00) |" in summary(facts)
    assert summary(facts_of([row()])) == []
    assert "## Summary" in markdown(facts)
    assert "## Summary" not in markdown(facts_of([row()]))


def test_plot_groups_its_bars_by_peer():
    facts = json.loads((Path(__file__).parents[2] / "benchmarks/results/results.json").read_text())
    peers, labels = zip(*[(peer, label) for peer, label, _ in plotted_rows(facts)], strict=True)
    assert len(labels) == len(set(labels)) == 8
    assert list(dict.fromkeys(peers)) == [peer for k, peer in enumerate(peers) if peer not in peers[:k]]
    assert [label for _, label, _ in plotted_rows(headline_facts())] == ["skip-gram training"]


def test_headline_is_the_plot_and_its_caption():
    plot, _, caption = headline(headline_facts() | {"headline": "headline.svg"}, "benchmarks/")
    assert plot == "![Speed-up over gensim](benchmarks/headline.svg)"
    assert "gensim 4" in caption
    assert "(benchmarks/RESULTS.md)" in caption
    assert headline(headline_facts(), "benchmarks/") == [caption]


def test_readme_gets_the_headline_between_its_markers(tmp_path):
    (tmp_path / "some").mkdir()
    readme, facts = tmp_path / "some/README.md", headline_facts()
    readme.write_text(f"above\n{BEGIN}\nold\n{END}\nbelow\n")
    for _ in range(2):
        write_readme(facts, readme, tmp_path / "results")
        text = readme.read_text()
        assert text.startswith(f"above\n{BEGIN}\nx (x), 2 cores")
        assert text.endswith(f"(../results/RESULTS.md).\n{END}\nbelow\n")
        assert "old" not in text
    readme.write_text(f"{END}\n{BEGIN}\n")
    result = CliRunner().invoke(program.main, ["--readme", str(readme)])
    assert result.exit_code == 2
    assert "has no line" in result.output


def test_pages_are_regenerated_from_results_json(tmp_path):
    facts, readme = headline_facts(), tmp_path / "README.md"
    (tmp_path / "old.json").write_text(json.dumps(facts))
    readme.write_text(f"{BEGIN}\n{END}\n")
    arguments = ["--from", str(tmp_path / "old.json"), "-o", str(tmp_path), "--readme", str(readme)]
    assert CliRunner().invoke(program.main, arguments).exit_code == 0
    assert "all figures: [RESULTS.md](RESULTS.md)" in readme.read_text()
    assert "something else" in (tmp_path / "RESULTS.md").read_text()


def test_busy_machine_is_noted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(suite, "busy_processors", lambda: 1.7)
    monkeypatch.setattr(suite, "measure_alone", lambda name, run: {"question": "Q?", "seconds": 1.0, "rows": [row()]})
    facts = suite.measure_all(("machine",), Run(tmp_path, peers={"gensim": Peer("gensim", "4", "python")}))
    assert facts["benchmarks"]["machine"]["busy"] == 1.7
    assert (facts["size"], facts["peers"]) == ("default", {"gensim": "4"})
    assert facts["machine"]["packages"]["numpy"]
    assert "other programs keep 1.7 processors busy" in capsys.readouterr().err
    assert "Other programs kept 1.7 processors busy" in markdown(facts)


def test_modules_are_bytecode_before_anything_is_timed(tmp_path):
    written = Path(importlib.util.cache_from_source(corpora.__file__))
    written.unlink(missing_ok=True)
    suite.measure_all((), Run(tmp_path))
    assert written.exists()


def test_busy_processors_are_between_zero_and_the_core_count():
    assert 0 <= busy_processors(0.05) <= (os.cpu_count() or 1)


def test_headline_is_plotted(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")
    write_report(headline_facts(), tmp_path)
    assert "![speed-up over each peer](headline.svg)" in (tmp_path / "RESULTS.md").read_text()
    assert (tmp_path / "headline.svg").read_text().startswith("<?xml")
    write_report(facts_of([row()]), tmp_path / "none")
    assert not (tmp_path / "none/headline.svg").exists()


def test_growth_is_plotted(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")
    write_report(facts_of([row(theory=1.0, points=[[1, 2], [10, 21]])]), tmp_path)
    assert "growth.svg" in (tmp_path / "RESULTS.md").read_text()
    assert (tmp_path / "growth.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (row(), row(ours=(20.0, 22.0, 24.0), more_is_better=False), "worse by 100%, 11.0 to 22.0 s"),
        (row(), row(ours=(20.0, 22.0, 24.0)), "better by 100%"),
        (row(), row(ours=(11.9, 13.0, 15.0)), None),  # the ranges overlap
        (row(ours=(10.0, 10.01, 10.02)), row(ours=(10.1, 10.11, 10.12)), None),  # too small to matter
        (row(ours=(10.0,)), row(ours=(12.0,)), None),  # single runs may differ this much
        (row(ours=(10.0,)), row(ours=(13.0,)), "better by 30%"),
        (row(theirs=(20, 22, 24)), row(ours=(5.0, 5.5, 6.0), theirs=(10, 11, 12)), None),  # a machine twice as fast
        (row(theirs=(10, 11, 12)), row(theirs=(20, 22, 24)), "worse by 50%, 1.00 to 0.500x"),
        (row(theory=1.0), row(ours=(20.0, 22.0, 24.0), theory=1.0), "changed by 100%"),
    ],
)
def test_compare_lists_figures_that_moved_beyond_the_noise(old, new, message):
    *lines, last = compare_reports(facts_of([old]), facts_of([new]))
    assert bool(lines) == (message is not None)
    assert message is None or message in lines[0]
    assert last == f"{int(message is not None)} of 1 figures moved ({RULE})"


def test_compare_lists_figures_of_only_one_run(tmp_path):
    for name, case in (("old", "before"), ("new", "after")):
        (tmp_path / name).write_text(json.dumps(facts_of([row(case)])))
    result = CliRunner().invoke(program.main, ["--compare", str(tmp_path / "old"), str(tmp_path / "new")])
    assert result.exit_code == 0
    assert result.output.splitlines()[:2] == ["new: made_up: after", "gone: made_up: before"]


@pytest.mark.parametrize(("others", "code"), [({}, 0), ({"skipped": "x"}, 0), ({"failed": "x"}, 1)])
def test_exit_code_is_1_only_after_a_failure(tmp_path, monkeypatch, others, code):
    asked = []
    monkeypatch.setattr(
        program, "measure_all", lambda names, run: asked.append((names, run)) or facts_of([row()], **others)
    )
    monkeypatch.setattr(program, "find_peers", lambda *_: {})
    monkeypatch.setenv("WORDVEC_DATA", "")
    monkeypatch.setenv("WORDVEC_CACHE", os.environ["WORDVEC_CACHE"])
    arguments = ["machine", "--quick", "--data", str(tmp_path), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(program.main, arguments)
    assert result.exit_code == code
    assert "one" in result.output
    assert all(f"{key}: {why}" in result.output for key, why in others.items())
    assert (tmp_path / "out/RESULTS.md").exists()
    ((names, run),) = asked
    assert (names, run.size, os.environ["WORDVEC_DATA"]) == (("machine",), "quick", str(tmp_path))


def test_benchmarks_can_be_selected(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(program, "measure_all", lambda names, run: asked.append((names, run)) or facts_of([row()]))
    monkeypatch.setenv("WORDVEC_CACHE", os.environ["WORDVEC_CACHE"])
    options = ["--no-peers", "--repeats", "1", "--skip", "growth", "--skip", "machine", "-o", str(tmp_path)]
    assert CliRunner().invoke(program.main, options).exit_code == 0
    ((names, run),) = asked
    assert set(suite.NAMES) - set(names) == {"growth", "machine"}
    assert (run.size, run.repeats, run.peers) == ("default", 1, {})


def test_vectors_of_equal_size_are_distinguished():
    one, other = (WordVectors(["fire", "rain"], np.array([[1, value], [0, 1]], np.float32)) for value in (0, 0.5))
    assert describe_vectors(None) == "vectors: random"
    assert describe_vectors(one).startswith("vectors: 2 words x 2, checksum ")
    same = WordVectors(["fire", "rain"], one.vectors.copy())
    assert describe_vectors(one) == describe_vectors(same) != describe_vectors(other)
