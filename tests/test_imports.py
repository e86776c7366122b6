"""Imports follow the arrows of the architecture: read from the syntax tree, and seen in a fresh interpreter.

cli -> corpora, wordvec, seqclf: public names, inside command bodies; seqclf -> wordvec, corpora: public names;
wordvec -> corpora: public names; corpora -> nothing of ours; kernels -> NumPy and Numba, and those of seqclf also ->
wordvec.kernels.simd and wordvec.kernels.products.
"""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("corpora", "wordvec", "seqclf", "cli")
BELOW = {package: PACKAGES[:place] for place, package in enumerate(PACKAGES)}
"""Which of our packages a package may import."""
PUBLIC = {name: {*importlib.import_module(name).__all__, "__version__"} for name in PACKAGES if name != "cli"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}

RUN_CODE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "torch"}
"""What reads files that can run code."""
WITH_SKLEARN = {"estimators", "document_estimators", "classifier", "multi_label_classifier", "regressor", "tagger"}
WITH_SKLEARN |= {"baselines"}
"""The last parts of the names of modules that may import scikit-learn."""
WITH_FILES = ["corpora", "seqclf.model_file"]
WITH_FILES += [f"wordvec.{name}" for name in ("formats", "encoded", "checkpoints", "spilling", "limits")]
"""Modules, or packages of modules, that open files."""
OPENS = {"open", "read_bytes", "read_text", "write_bytes", "write_text", "fromfile", "memmap", "tofile", "safe_open"}


class Import(NamedTuple):
    """One imported module, the name taken from it (None for all of it), and whether it waits for a call."""

    line: int
    module: str
    name: str | None
    lazy: bool


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[Import]:
    """The imports of a module, relative ones resolved; those for type checkers count as lazy."""

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, None, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".") if is_package else module.split(".")[:-1]
            parts = parts[: len(parts) - node.level + 1] if node.level else []
            source = ".".join([*parts, *([node.module] if node.module else [])])
            yield from (Import(node.lineno, source, alias.name, lazy) for alias in node.names)
        waits = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for child in ast.iter_child_nodes(node):
            yield from visit(child, lazy or waits or for_types)

    yield from visit(tree, False)


def broken_arrows(source: str, module: str, is_package: bool = False) -> list[str]:
    """What a module imports and must not, as ``line: reason``."""
    found = []
    package, _, inner = module.partition(".")
    in_kernels = inner.split(".")[0] == "kernels"
    for line, target, name, lazy in imports(ast.parse(source), module, is_package):
        root = target.split(".")[0]
        shown = target if name is None else f"{target}.{name}"
        if root in RUN_CODE:
            found.append(f"{line}: {shown} can run code from a file")
        if root == "sklearn" and module.split(".")[-1] not in WITH_SKLEARN:
            found.append(f"{line}: scikit-learn belongs into {', '.join(sorted(WITH_SKLEARN))}")
        if root in ("numba", "llvmlite") and not in_kernels:
            found.append(f"{line}: {root} belongs into kernels")
        if in_kernels and not _kernels_may(target, shown, package):
            found.append(f"{line}: a kernel imports {shown}")
        if root in PACKAGES and root != package:
            if root not in BELOW[package]:
                found.append(f"{line}: {package} imports {root}")
            elif not in_kernels and not _is_public(target, name):
                found.append(f"{line}: {shown} is not a public name")
            if package == "cli" and not lazy:
                found.append(f"{line}: {shown} is imported before a command runs")
    return found


def _kernels_may(target: str, shown: str, package: str) -> bool:
    root = target.split(".")[0]
    own = f"{shown}.".startswith(f"{package}.kernels.")
    shared = f"{shown}.".startswith(("wordvec.kernels.simd.", "wordvec.kernels.products."))
    return own or shared or root in {"numpy", "numba", "llvmlite"} | STDLIB


STDLIB = set(sys.stdlib_module_names)


def _is_public(target: str, name: str | None) -> bool:
    if target == "corpora.errors":
        return True
    return "." not in target and (name is None or name in PUBLIC[target])


def broken_habits(source: str, module: str) -> list[str]:
    """Files opened where none should be, prints in a library, Numba's settings changed."""
    found = []
    may_open = any(module == home or module.startswith(f"{home}.") for home in WITH_FILES)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "print" and not module.startswith("cli"):
                found.append(f"{node.lineno}: the library speaks through logging")
            if called.split(".")[-1] in OPENS and not may_open and "os.devnull" not in ast.unparse(node):
                found.append(f"{node.lineno}: {called} opens a file")
            if any(keyword.arg == "allow_pickle" for keyword in node.keywords):
                found.append(f"{node.lineno}: allow_pickle can run code from a file")
        if isinstance(node, ast.Assign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) in ("config", "numba.config"):
                    found.append(f"{node.lineno}: numba.config is the user's")
    return found


# -- the code as it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows(module):
    path = MODULES[module]
    assert not broken_arrows(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")


# A kernel module may read its own text, to notice that it changed.
@pytest.mark.parametrize("module", sorted(set(MODULES) - {"wordvec.kernels.simd"}))
def test_files_are_opened_in_few_places_and_nothing_is_printed(module):
    assert not broken_habits(MODULES[module].read_text(encoding="utf-8"), module)


def test_there_is_something_to_read():
    assert {"wordvec.vectors.dense", "wordvec.formats", "corpora.readers", "cli.main"} <= set(MODULES)


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_public_names_live_in_their_own_package(package):
    home = importlib.import_module(package)._HOME
    allowed = {package, *BELOW[package]}
    assert {module.split(".")[0] for module in home.values()} <= allowed


def fresh(code: str) -> set[str]:
    """The names of all modules loaded after running ``code`` in a new interpreter."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_a_package_loads_next_to_nothing():
    loaded = fresh("import corpora, wordvec, seqclf, cli")
    assert "wordvec" in loaded
    assert not loaded & {"numpy", "numba", "sklearn", "scipy", "click", "rich"}


def test_asking_vectors_loads_neither_numba_nor_scikit_learn(tmp_path):
    (tmp_path / "v.txt").write_text("4 2\nking 1 1\nqueen 1 -1\nman .2 1\nwoman .2 -1\n")
    (tmp_path / "q.txt").write_text("man king woman queen\n")
    (tmp_path / "p.tsv").write_text("king\tqueen\t3\nking\tman\t4\nking\twoman\t1\n")
    loaded = fresh(
        f"import wordvec\n"
        f"wv = wordvec.load_vectors({str(tmp_path / 'v.txt')!r})\n"
        f"wv.save({str(tmp_path / 'v.safetensors')!r})\n"
        f"wv = wordvec.load_vectors({str(tmp_path / 'v.safetensors')!r})\n"
        f"assert wv.analogy('man', 'king', 'woman')[0][0] == 'queen'\n"
        f"assert wordvec.evaluate_analogies(wv, {str(tmp_path / 'q.txt')!r}).accuracy == 1\n"
        f"assert wordvec.evaluate_similarity(wv, {str(tmp_path / 'p.tsv')!r}).pairs == 3\n"
    )
    assert "numpy" in loaded
    assert not loaded & {"numba", "llvmlite", "sklearn", "scipy"}


# -- the checks themselves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("corpora.readers", "import wordvec", "corpora imports wordvec"),
        ("corpora.readers", "def f():\n    from seqclf import SequenceClassifier", "corpora imports seqclf"),
        ("wordvec.vectors.dense", "from seqclf import load_model", "wordvec imports seqclf"),
        ("wordvec.vectors.dense", "import cli.main", "wordvec imports cli"),
        ("wordvec.vectors.dense", "from corpora.readers import TextCorpus", "not a public name"),
        ("wordvec.vectors.dense", "from corpora import readers", "not a public name"),
        ("wordvec.vectors.dense", "import numba", "numba belongs into kernels"),
        ("wordvec.vectors.dense", "def f():\n    import sklearn.base", "scikit-learn belongs"),
        ("wordvec.formats.glove", "from ..kernels import x\nimport numba.core", "2: numba belongs"),
        ("seqclf.classification.model", "from wordvec.vectors.dense import WordVectors", "not a public name"),
        ("seqclf.classification.model", "from wordvec.kernels.simd import dot", "not a public name"),
        ("seqclf.classification.model", "import pickle", "can run code"),
        ("seqclf.classification.model", "def f():\n    from joblib import load", "can run code"),
        ("seqclf.kernels.lstm", "from wordvec.kernels.slices import draw", "a kernel imports"),
        ("seqclf.kernels.lstm", "from wordvec import WordVectors", "a kernel imports"),
        ("seqclf.kernels.lstm", "from scipy.special import expit", "a kernel imports"),
        ("wordvec.kernels.glove", "from wordvec.vectors.dense import WordVectors", "a kernel imports"),
        ("cli.info", "from wordvec import describe", "before a command runs"),
        ("cli.info", "class C:\n    import corpora", "before a command runs"),
        ("cli.info", "def f():\n    from wordvec.formats import describe", "not a public name"),
    ],
)
def test_a_broken_arrow_is_seen(module, source, reason):
    assert any(reason in found for found in broken_arrows(source, module))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cli.info", "def f():\n    from wordvec import describe, __version__\n    import seqclf"),
        ("cli.info", "if TYPE_CHECKING:\n    from wordvec import WordVectors"),
        ("cli.info", "from cli import options\nimport click"),
        ("seqclf.classification.model", "from corpora import TOKENIZERS\nfrom .kernels.lstm import forward"),
        ("seqclf.kernels.lstm", "import math\nimport numba\nfrom wordvec.kernels.simd import dot"),
        ("seqclf.kernels.lstm", "from wordvec.kernels import simd\nfrom seqclf.kernels import softmax"),
        ("wordvec.word2vec.estimator", "from sklearn.base import BaseEstimator"),
        ("wordvec.errors", "from corpora.errors import InputError"),
    ],
)
def test_a_good_arrow_is_left_alone(module, source):
    assert broken_arrows(source, module) == []


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("wordvec.vectors.dense", "print(1)", "logging"),
        ("wordvec.vectors.dense", "with open(path) as file:\n    pass", "open opens a file"),
        ("seqclf.classification.model", "Path(name).write_text(x)", "write_text opens a file"),
        ("seqclf.classification.model", "np.load(name, allow_pickle=True)", "allow_pickle"),
        ("wordvec.formats.glove", "np.load(name, allow_pickle=False)", "allow_pickle"),
        ("wordvec.kernels.glove", "numba.config.NUM_THREADS = 1", "numba.config"),
    ],
)
def test_a_broken_habit_is_seen(module, source, reason):
    assert any(reason in found for found in broken_habits(source, module))


def test_a_good_habit_is_left_alone():
    assert not broken_habits("print(1)\nos.open(os.devnull, 0)", "cli.info")
    assert not broken_habits("open(path)", "wordvec.formats.glove")
    assert not broken_habits("x.config.y = 2\nself.open = 3", "wordvec.vectors.dense")
