"""Logs of trainings: CSV files and TensorBoard."""

import csv
import importlib.util
import sys

import pytest
from click.testing import CliRunner

from cli import main
from seqclf import LanguageModelSettings, train_language_model
from seqclf.training.logs import CsvLog, TensorBoardLog
from wordvec import InputError

LINES = ["the king rules", "the queen sings"] * 20
SETTINGS = LanguageModelSettings(hidden_size=4, epochs=3, batch_size=2, window=9, learning_rate=0.5)


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_per_epoch(tmp_path):
    path = tmp_path / "epochs.csv"
    model = train_language_model(LINES, settings=SETTINGS, threads=1, on_progress=CsvLog(path))
    rows = rows_of(path)
    assert [{name: float(row[name]) for name in ("epoch", "loss", "dev_loss")} for row in rows] == model.history
    rates = [float(row["learning_rate"]) for row in rows]
    assert 0.5 > rates[0] > rates[1] > rates[2] > 0


def test_a_file_that_cannot_be_written_is_refused_first(tmp_path):
    with pytest.raises(InputError, match="no-folder"):
        CsvLog(tmp_path / "no-folder" / "epochs.csv")


def test_the_log_of_a_resumed_training_has_all_epochs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("\n".join(LINES) + "\n")
    command = "train text.txt -o m.safetensors --hidden-size 4 --epochs 3 --resume --log-csv epochs.csv --threads 1"
    command += " --plot curves.svg" if importlib.util.find_spec("matplotlib") else ""

    def stop_after_the_first(self, state):
        if state.epoch_done:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("cli.shared.epoch_logs.EpochLogs.__call__", stop_after_the_first)
        assert CliRunner().invoke(main.language_model, command.split()).exit_code == 130
    assert CliRunner().invoke(main.language_model, command.split()).exit_code == 0
    rows = rows_of("epochs.csv")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["dev_loss"]) > 0 for row in rows)
    if "--plot" in command:
        curves = (tmp_path / "curves.svg").read_text()
        assert ">training loss<" in curves
        assert ">validation loss<" in curves


def test_tensorboard(tmp_path):
    events = pytest.importorskip("tensorboardX.proto.event_pb2")
    log = TensorBoardLog(tmp_path / "run")
    log.finish(train_language_model(LINES, settings=SETTINGS, threads=1, on_progress=log).history)
    [file] = (tmp_path / "run").iterdir()
    data, found = file.read_bytes(), []
    while data:
        size = int.from_bytes(data[:8], "little")
        event = events.Event.FromString(data[12 : 12 + size])
        found += [(value.tag, event.step) for value in event.summary.value]
        data = data[12 + size + 4 :]
    assert found == [(tag, step) for step in (1, 2, 3) for tag in ("loss", "learning_rate", "dev_loss")]


def test_without_tensorboardx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(InputError, match=r"pip install 'wordvec-seqclf\[tensorboard\]'"):
        TensorBoardLog(tmp_path)
