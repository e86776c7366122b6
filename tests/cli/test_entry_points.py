"""Console scripts and ``python -m wordvec``; files of the user that hide a package."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import main

ROOT = Path(main.__file__).resolve().parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
SCRIPTS = dict(
    line.split(" = ") for line in SETUP["options.entry_points"]["console_scripts"].splitlines() if line.strip()
)


def run(*arguments, folder, path=ROOT):
    environment = os.environ | {"PYTHONPATH": str(path)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_python_m_is_the_command(tmp_path):
    version = run("-m", "wordvec", "--version", folder=tmp_path)
    assert (version.returncode, version.stdout[:15]) == (0, "wordvec-seqclf ")
    mistyped = run("-m", "wordvec", "similarty", folder=tmp_path)
    assert mistyped.returncode == 2
    assert mistyped.stderr.startswith("Usage: python -m wordvec ")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_console_script_is_a_command(script):
    module, _, attribute = SCRIPTS[script].partition(":")
    assert module == "wordvec_seqclf"
    assert getattr(main, attribute).name in (script, attribute)


@pytest.mark.parametrize("package", ["corpora", "wordvec", "seqclf", "cli"])
def test_a_file_that_hides_a_package_is_named_in_one_line(tmp_path, package):
    (tmp_path / f"{package}.py").write_text("print('not ours')")
    script = run("-P", "-c", "from wordvec_seqclf import forecast", folder="/", path=f"{tmp_path}{os.pathsep}{ROOT}")
    calls = [script] if package == "wordvec" else [script, run("-m", "wordvec", "--version", folder=tmp_path)]
    for called in calls:
        assert (called.returncode, called.stdout) == (1, "")
        assert called.stderr.startswith(f"Error: {tmp_path / package}.py hides the package {package} of wordvec-seqclf")
        assert called.stderr.count("\n") == 1


def test_a_folder_that_is_no_package_hides_nothing(tmp_path):
    (tmp_path / "corpora").mkdir()
    assert run("-m", "wordvec", "--version", folder=tmp_path).returncode == 0


def test_the_library_names_a_file_that_hides_corpora(tmp_path):
    (tmp_path / "corpora.py").touch()
    failed = run("-c", "from wordvec import Word2Vec", folder=tmp_path)
    assert f"ImportError: {tmp_path / 'corpora.py'} hides the package corpora" in failed.stderr
