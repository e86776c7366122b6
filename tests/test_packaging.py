"""Sdist and wheel: their contents, and that the wheel works outside the checkout."""

import email
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("wordvec", "seqclf", "cli", "corpora")

pytest.importorskip("build", reason="the build package is not installed; pip install -e '.[test]'")
setuptools = pytest.importorskip("setuptools", minversion="77", reason="building needs setuptools 77 or newer")


def run(*command, cwd, **kwargs):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, **kwargs)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the sdist, and the wheel from it; return their folder."""
    dist = tmp_path_factory.mktemp("dist")
    # Build a copy, because building writes egg-info and build/ next to setup.cfg.
    source = tmp_path_factory.mktemp("source")
    tracked = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout.split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), cwd=source)
    return dist


@pytest.fixture(scope="module")
def wheel(built):
    (found,) = built.glob("*.whl")
    return found


def test_wheel_is_pure_python_and_contains_only_our_packages(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {*PACKAGES, "wordvec_seqclf.py"}
    for package in PACKAGES:
        assert f"{package}/py.typed" in names
    samples = {
        str(path.relative_to(ROOT)) for path in (ROOT / "corpora/samples").iterdir() if path.suffix in (".tsv", ".txt")
    }
    assert samples
    assert samples <= set(names)
    modules = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert modules <= set(names), "a package is missing from setup.cfg"


def test_wheel_metadata(wheel):
    import wordvec

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (path,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(path))
        assert any(name.endswith("/LICENSE") for name in names)
    assert metadata["Version"] == wordvec.__version__
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["License"] is None, "superseded by the expression (PEP 639)"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert not metadata.get_all("Project-URL"), "the project has no pages of its own to name"
    assert {"word2vec", "LSTM", "time series"} <= set(metadata["Keywords"].split(","))
    classifiers = metadata.get_all("Classifier")
    assert {"Programming Language :: Python :: 3.11", "Typing :: Typed"} <= set(classifiers)
    assert not any(name.startswith("License ::") for name in classifiers), "an error next to an expression"
    assert metadata.get_payload().strip(), "the README is the long description"


def test_sdist_builds_and_contains_the_tests(built):
    # The wheel was built from the sdist, so it is complete; it must also contain the tests.
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile"} <= names
    assert {"tests/oracles/naive.py", "tests/conftest.py", "tests/test_packaging.py"} <= names
    assert {str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")} <= names
    assert "tests/compatibility/files-0.1/expected.json" in names


def test_wheel_works_outside_the_checkout(wheel, tmp_path):
    """Installed in a separate environment that borrows the dependencies of this one."""
    environment = tmp_path / "env"
    venv.create(environment, with_pip=False)
    scheme = sysconfig.get_preferred_scheme("prefix")
    paths = sysconfig.get_paths(scheme, vars={"base": str(environment), "platbase": str(environment)})
    run(
        *(sys.executable, "-m", "pip", "--python", str(environment), "install", "--quiet", "--no-deps", "--no-index"),
        str(wheel),
        cwd=tmp_path,
    )
    ours = Path(paths["purelib"])
    # Comes after the installed wheel on the path; .pth files there, such as an editable install's, are not read.
    (ours / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    scripts = Path(paths["scripts"])

    where = (
        "import wordvec, seqclf, cli, corpora; print(wordvec.__file__, seqclf.__file__, cli.__file__, corpora.__file__)"
    )
    (python,) = scripts.glob("python.exe") if sys.platform == "win32" else scripts.glob("python")
    for path in run(str(python), "-c", where, cwd=tmp_path).stdout.split():
        assert Path(path).resolve().is_relative_to(ours.resolve()), path

    def command(script, *arguments):
        # Without the compiler: kernels are tested elsewhere, and would be recompiled at a new location.
        return run(scripts / script, *arguments, cwd=tmp_path, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}).stdout

    (tmp_path / "corpus.txt").write_text("the king saw the queen\nthe queen saw the king\n" * 20)
    (tmp_path / "data.tsv").write_text("yes\tthe king\nno\tthe queen\n" * 5)
    command("train-embeddings", "corpus.txt", "-o", "v.safetensors", "--vector-size", "8", "--epochs", "1")
    assert command("word-analogy", "v.safetensors", "king", "-", "queen", "+", "the")
    assert "queen" in command("wordvec", "neighbors", "v.safetensors", "king")
    small = ("--epochs", "1", "--hidden-size", "8", "--vectors", "v.safetensors")
    command("classify-text", "train", "data.tsv", "-o", "m.safetensors", *small)
    label, probability = command("classify-text", "predict", "m.safetensors", "the king").split("\t")
    assert label in ("yes", "no")
    assert 0.5 <= float(probability) <= 1
    assert "kind: model" in command("wordvec", "info", "m.safetensors")
    assert "predicted" in command("classify-text", "evaluate", "m.safetensors", "sample:disasters-test")
