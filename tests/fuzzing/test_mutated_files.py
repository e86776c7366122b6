"""Mutated files of every kind: each gives a result or an error of one short line, in bounded time and memory."""

import dataclasses
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing import campaign
from tests.fuzzing.campaign import NewLines, reduced
from tests.fuzzing.kinds import kinds
from tests.fuzzing.mutations import MOST_BYTES, changed
from tests.fuzzing.trial import faults
from wordvec import InputError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", kinds())
def test_mutated_file_gives_a_result_or_an_input_error(tmp_path, name):
    kind = kinds()[name]
    path = tmp_path / kind.file
    for content in kind.examples:  # compiles the kernels
        faults(kind, path, content)

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
    )
    @given(st.randoms(use_true_random=False), st.sampled_from(kind.examples), st.sampled_from(kind.examples))
    def check(source, content, other):
        assert not faults(kind, path, changed(content, source, kind.inner, other))

    check()


@pytest.mark.parametrize("name", kinds())
def test_every_kind_has_a_valid_example(tmp_path, name):
    """If every reader rejected the examples, no mutation would reach the code behind the first check."""
    kind = kinds()[name]
    path = tmp_path / kind.file
    rejected = []
    for content in kind.examples:
        for read in kind.reads:
            path.write_bytes(content)
            try:
                read(path)
            except InputError as error:
                rejected.append(error)
    assert len(rejected) < len(kind.examples) * len(kind.reads) or name == "fastText model", rejected


@pytest.mark.parametrize("name", kinds())
def test_mutations_change_content_and_keep_it_small(name):
    kind = kinds()[name]
    source = random.Random(7)
    found = {changed(kind.examples[0], source, kind.inner) for _ in range(30)}
    assert len(found) > 15
    assert max(map(len, found)) <= MOST_BYTES


def test_new_lines_are_counted_once(tmp_path):
    kind = kinds()["labeled .tsv"]
    lines = NewLines()
    for content, new in ((kind.examples[0], True), (kind.examples[0], False), (b"\xff", True), (b"\xff", False)):
        lines.during(lambda: faults(kind, tmp_path / kind.file, content))  # noqa: B023
        assert bool(lines.count) == new


class Reports(list):
    """The end of a pipe, which stops the worker after a few reports."""

    def send(self, report):
        self.append(report)
        if len(self) == 4:
            raise KeyboardInterrupt


def test_worker_keeps_inputs_and_reports_faults(tmp_path, monkeypatch):
    def read(path):
        if b"\xff" in path.read_bytes():
            raise ZeroDivisionError

    kind = kinds()["tagged .tsv"]
    kind = dataclasses.replace(kind, reads=(*kind.reads, read))
    monkeypatch.setattr(campaign, "kinds", lambda: {"x": kind})
    monkeypatch.setattr(campaign, "SLICE", 0.2)
    for function in ("be_quiet", "_limit_address_space"):
        monkeypatch.setattr(campaign, function, lambda: None)
    folder, reports = campaign.Folder(tmp_path / "out"), Reports()
    (tmp_path / "read").mkdir()
    with pytest.raises(KeyboardInterrupt):
        campaign.work(0, 7, ["x"], folder, tmp_path / "read", reports)
    assert sum(calls for _, calls, _ in reports) > 10
    assert folder.kept("x")
    faults = {fault: content for _, _, found in reports for fault, (_, content) in found.items()}
    assert faults == {"ZeroDivisionError at outside the packages": b"\xff"}


def test_inputs_are_reduced():
    assert reduced(b"x" * 50 + b"fault" + b"y" * 70, lambda part: b"fault" in part) == b"fault"
