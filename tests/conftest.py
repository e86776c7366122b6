"""Shared fixtures: public data sets, commands on the PATH, small vector and model files."""

import functools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher

# The same examples in every run: a change fails only its own tests. For new ones: pytest --hypothesis-profile=default
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {
    "wordvec": "wordvec",
    "train-embeddings": "train_embeddings",
    "word-analogy": "word_analogy",
    "classify-text": "classify_text",
    "tag-text": "tag_text",
    "language-model": "language_model",
    "transduce": "transduce",
    "forecast": "forecast",
}


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cache encoded corpora in a temporary folder, never in the user's home."""
    os.environ["WORDVEC_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["WORDVEC_COMPILE_AHEAD"] = "0"  # tests run in parallel


@pytest.fixture(scope="session")
def public_data() -> Path:
    """Return the folder of public data sets named by WORDVEC_DATA; skip the test if it is not set."""
    folder = os.environ.get("WORDVEC_DATA", "")
    if not folder:
        pytest.skip("WORDVEC_DATA is not set: this test needs public data sets")
    if not Path(folder).is_dir():
        pytest.skip(f"WORDVEC_DATA names no folder: {folder}")
    return Path(folder)


@pytest.fixture(scope="session")
def command_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the commands as scripts that run from this checkout, installed or not."""
    folder = tmp_path_factory.mktemp("bin")
    for script, attribute in SCRIPTS.items():
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        code += f"from cli import main; main.{attribute}(prog_name={script!r})"
        path = folder / script
        path.write_text(f'#!/bin/sh\nexec {sys.executable!r} -P -c "{code}" "$@"\n')
        path.chmod(0o755)
    return folder


@pytest.fixture
def folder_of_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache folder for encoded corpora used only by this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("WORDVEC_CACHE", str(folder))
    return folder


@pytest.fixture
def folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def shell(command_folder: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a shell command line in ``tmp_path`` with our commands on the PATH; stdin is empty unless given."""
    environment = os.environ | {"PATH": f"{command_folder}{os.pathsep}{os.environ['PATH']}"}

    def run(line: str, *, input: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment,
            input=input,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="session")
def vectors_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a native vector file with eight words in which king - man + woman is queen."""
    from wordvec import Vocabulary, WordVectors, save_vectors

    rows = {
        "king": [1, 1, 0, 0],
        "queen": [1, -1, 0, 0.1],
        "man": [0.2, 1, 0, 0],
        "woman": [0.2, -1, 0, 0.2],
        "paris": [0, 0.1, 1, 0],
        "london": [0, -0.1, 1, 0.3],
        "café": [0, 0, 0.6, 1],
        "-dash": [0, 0, -1, 1],
    }
    path = tmp_path_factory.mktemp("vectors") / "vectors.safetensors"
    vocabulary = Vocabulary(list(rows), np.arange(8, 0, -1))
    save_vectors(WordVectors(vocabulary, np.array(list(rows.values()), np.float32), lowercase=True), path)
    return path


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory, vectors_file: Path) -> Path:
    """Train a small classifier of kings and queens with the command."""
    from click.testing import CliRunner

    from cli.main import classify_text

    folder = tmp_path_factory.mktemp("model")
    data, path = folder / "data.tsv", folder / "model.safetensors"
    data.write_text("yes\tthe king of paris\nno\tthe queen of london\nyes\ta man\nno\ta woman\n" * 20, encoding="utf-8")
    arguments = ["train", str(data), "-o", str(path), "--vectors", str(vectors_file), "--hidden-size", "8"]
    result = CliRunner().invoke(classify_text, [*arguments, "--learning-rate", "0.02"])
    assert result.exit_code == 0, result.output
    return path


def pytest_configure():
    """Restore the SIGINT handler, which processes that a shell starts in the background ignore; unset COLUMNS."""
    os.environ.pop("COLUMNS", None)  # tables in a pipe are as wide as they are
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for compiled in Dispatcher, CFunc:
        compiled.compile = _untraced(compiled.compile)


def _untraced(compile_kernel):
    """Compile without the trace function that measures coverage: it takes 70 % longer with it."""

    @functools.wraps(compile_kernel)
    def compile_alone(*arguments):
        trace = sys.gettrace()
        sys.settrace(None)
        try:
            return compile_kernel(*arguments)
        finally:
            sys.settrace(trace)

    return compile_alone
