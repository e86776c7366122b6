"""Imports follow the arrows of the architecture: read from the syntax tree, and observed in a fresh interpreter.

Between packages: cli -> seqclf -> wordvec -> corpora, public names only, besides ``SHARED`` modules, types for type
checkers and, for kernels, the primitives of ``wordvec.kernels``. Within a package: from a folder to those that
``WITHIN`` lists. Nowhere a circle.
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
"""The packages that a package may import."""
PUBLIC = {name: {*importlib.import_module(name).__all__, "__version__"} for name in PACKAGES if name != "cli"}
SHARED = (
    "corpora.encodings", "corpora.errors", "corpora.leftovers", "corpora.normalization", "wordvec.system",
    "wordvec.checkpointing.checkpoint", "wordvec.formats.fasttext_model", "wordvec.formats.ngrams",
    "wordvec.formats.cards", "wordvec.formats.table", "wordvec.plotting.style", "corpora.ranges", "corpora.files",
    "corpora.remote", "wordvec.plotting.curves",
)  # fmt: skip
"""Documented modules that the packages above may import besides public names."""
SHARED_WITH_CLI = (
    "seqclf.classification.curves", "seqclf.classification.baselines", "seqclf.inspection.plotting",
    "seqclf.translation.evaluation", "seqclf.translation.settings", "seqclf.translation.train",
    "wordvec.formats.registry", "wordvec.checkpointing.finished", "wordvec.count_based.models",
    "wordvec.document_vectors.matrices", "wordvec.formats.documents", "wordvec.phrases.settings",
    "wordvec.word2vec.settings", "wordvec.vectors.sentence", "wordvec.applications.summaries",
    "wordvec.vectors.alignment", "wordvec.vectors.comparison", "wordvec.vectors.postprocessing",
    "wordvec.vectors.categorization", "wordvec.vectors.intervals", "wordvec.vectors.lrcos",
    "wordvec.vectors.distances", "wordvec.vectors.bias",
    "wordvec.applications.spelling", "wordvec.applications.error_model", "wordvec.plotting.maps",
    "seqclf.explanation.explain", "seqclf.explanation.nearest", "seqclf.explanation.page",
    "wordvec.distributed.settings",
    "wordvec.distributed.training", "wordvec.distributed.cluster", "wordvec.distributed.cooccurrence",
    "wordvec.distributed.files", "wordvec.distributed.remote_corpus", "wordvec.plotting.explore",
    "seqclf.classification.cross_validation", "seqclf.classification.answers", "seqclf.reporting.page",
    "seqclf.reporting.report", "corpora.records", "corpora.series", "corpora.tables", "seqclf.classification.tuning",
    "seqclf.serving.app", "seqclf.export.onnx_graph", "wordvec.vectors.approximate", "wordvec.word2vec.tuning",
    "seqclf.language.cache", "seqclf.language.completion", "seqclf.language.scoring", "seqclf.training.logs",
    "seqclf.inspection.tracing", "seqclf.inspection.holding", "seqclf.summary", "wordvec.plotting.charts",
    "seqclf.forecasting.automatic", "seqclf.forecasting.backtest", "seqclf.forecasting.dates",
    "seqclf.forecasting.plotting", "seqclf.forecasting.series_model", "seqclf.training.resolved",
)  # fmt: skip
"""What lets a command check its options and outputs before it starts, and what explains or
cross-validates a classifier, or chooses a forecaster."""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in (*PACKAGES, "benchmarks")
    for path in sorted((ROOT / package).rglob("*.py"))
}

_GROUND = {"vocabulary", "errors", "kernels"}
_FORMATS = _GROUND | {"system", "formats"}
_MODELS = _FORMATS | {"vectors", "checkpointing", "encoding", "estimator"}
_LAYERS = {"layers", "kernels"}
_TASK = _LAYERS | {"training", "data", "metrics", "model_file", "estimator"}
TASKS = ("classification", "regression", "tagging", "language", "forecasting", "translation")
WITHIN = {
    "wordvec": {
        "__main__": set(),
        "errors": set(),
        "estimator": _FORMATS | {"vectors", "encoding"},
        "vocabulary": {"errors"},
        "kernels": set(),
        "system": {"errors", "kernels"},
        "encoding": _GROUND | {"system"},
        "formats": _GROUND | {"system"},
        "vectors": _FORMATS,
        "checkpointing": _FORMATS | {"vectors"},
        "word2vec": _MODELS,
        "count_based": _MODELS,
        "document_vectors": _GROUND | {"system", "formats", "encoding"},
        "plotting": _FORMATS | {"vectors"},
        "applications": _FORMATS | {"vectors", "encoding"},
        "phrases": _GROUND | {"system", "formats", "encoding", "estimator"},
        "distributed": _MODELS | {"word2vec", "count_based", "__version__"},
    },
    "seqclf": {
        "kernels": set(),
        "layers": {"kernels"},
        "data": set(),
        "metrics": {"data"},
        "model_file": {"layers"},
        "summary": set(),
        "estimator": {"data", "summary"},
        "loading": {"model_file", *TASKS},
        "training": _LAYERS | {"data"},
        **dict.fromkeys(TASKS, _TASK),
        "explanation": _TASK | {"classification"},
        "reporting": _TASK | {"classification"},
        "serving": _TASK | {"classification"},
        "export": _TASK | {"classification"},
        "inspection": _TASK | set(TASKS),
    },
}
"""For each folder, or module at the top of a package, the others of its package that it may import."""

RUN_CODE = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "torch"}
"""What reads files that can run code."""
WITH_SKLEARN = ("estimator", "estimators", "multi_label_estimator", "baselines", "projection")
"""The last parts of the names of modules that may import scikit-learn."""
WITH_FILES = ("corpora", "seqclf.model_file", "wordvec.formats", "wordvec.encoding.corpus")
WITH_FILES += tuple(
    f"wordvec.system.{name}" for name in ("atomic_files", "scratch", "available_memory", "control_groups", "tuning")
)
"""Modules, or packages of modules, that open files."""
OPENS = {"open", "read_bytes", "read_text", "write_bytes", "write_text", "fromfile", "memmap", "tofile", "safe_open"}
STDLIB = set(sys.stdlib_module_names)


class Import(NamedTuple):
    """One imported module, the name taken from it (None for all of it), and whether it waits for a call."""

    line: int
    module: str
    name: str | None
    lazy: bool
    for_types: bool = False


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[Import]:
    """The imports of a module, relative ones resolved; those for type checkers count as lazy."""

    def visit(node: ast.AST, lazy: bool, typed: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, None, lazy, typed) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".") if is_package else module.split(".")[:-1]
            parts = parts[: len(parts) - node.level + 1] if node.level else []
            source = ".".join([*parts, *([node.module] if node.module else [])])
            yield from (Import(node.lineno, source, alias.name, lazy, typed) for alias in node.names)
        waits = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for child in ast.iter_child_nodes(node):
            yield from visit(child, lazy or waits or for_types, typed or for_types)

    yield from visit(tree, False, False)


def broken_arrows(source: str, module: str, is_package: bool = False) -> list[str]:
    """What a module imports and must not, as ``line: reason``."""
    found = []
    package, _, inner = module.partition(".")
    folder = inner.split(".")[0]
    in_kernels = folder == "kernels"
    for line, target, name, lazy, for_types in imports(ast.parse(source), module, is_package):
        root = target.split(".")[0]
        shown = target if name is None else f"{target}.{name}"
        if root in RUN_CODE:
            found.append(f"{line}: {shown} can run code from a file")
        if root == "sklearn" and module.split(".")[-1] not in WITH_SKLEARN:
            found.append(f"{line}: only {', '.join(WITH_SKLEARN)} may import scikit-learn")
        if root in ("numba", "llvmlite") and not in_kernels:
            found.append(f"{line}: only kernels may import {root}")
        if in_kernels and not _kernels_may(target, shown, package):
            found.append(f"{line}: a kernel imports {shown}")
        if root == package and folder in WITHIN.get(package, {}):
            other = shown.split(".")[1]
            if other != folder and other not in WITHIN[package][folder]:
                found.append(f"{line}: {package}.{folder} imports {package}.{other}")
        if root in PACKAGES and root != package:
            if root not in BELOW[package]:
                found.append(f"{line}: {package} imports {root}")
            elif not (in_kernels or for_types or _is_public(target, name) or _is_for_cli(package, target)):
                found.append(f"{line}: {shown} is not a public name")
            if package == "cli" and not lazy and not _is_light(target, name):
                found.append(f"{line}: {shown} is imported before a command runs")
    return found


def _kernels_may(target: str, shown: str, package: str) -> bool:
    root = target.split(".")[0]
    own = f"{shown}.".startswith(f"{package}.kernels.")
    shared = f"{shown}.".startswith(("wordvec.kernels.simd.", "wordvec.kernels.products."))
    return own or shared or root in {"numpy", "numba", "llvmlite"} | STDLIB


def _is_public(target: str, name: str | None) -> bool:
    if any(f"{target}.".startswith(f"{home}.") for home in SHARED):
        return True
    return "." not in target and (name is None or name in PUBLIC[target])


def _is_for_cli(package: str, target: str) -> bool:
    return package == "cli" and target in SHARED_WITH_CLI


def _is_light(target: str, name: str | None) -> bool:
    """Whether the command line may import it before a command runs: settings, which load neither NumPy nor Numba."""
    return target == "wordvec.system.settings" or (name is not None and name.endswith("Settings"))


def broken_habits(source: str, module: str) -> list[str]:
    """Files opened where none should be, prints in a library, Numba's settings changed."""
    found = []
    may_open = any(module == home or module.startswith(f"{home}.") for home in WITH_FILES)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "print" and not module.startswith("cli"):
                found.append(f"{node.lineno}: the library reports through logging")
            if called.split(".")[-1] in OPENS and not may_open and "os.devnull" not in ast.unparse(node):
                found.append(f"{node.lineno}: {called} opens a file")
            if any(keyword.arg == "allow_pickle" for keyword in node.keywords):
                found.append(f"{node.lineno}: allow_pickle can run code from a file")
        if isinstance(node, ast.Assign | ast.AugAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) in ("config", "numba.config"):
                    found.append(f"{node.lineno}: numba.config is the user's")
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that reach each other (strongly connected components; Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in order:
            visit(node)
    return found


def import_graph() -> dict[str, set[str]]:
    """Every module of ours and the modules it imports, those imported lazily or for type checkers included."""
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        is_package = path.name == "__init__.py"
        found = set()
        for _, target, name, *_ in imports(ast.parse(path.read_text(encoding="utf-8")), module, is_package):
            found.add(f"{target}.{name}" if f"{target}.{name}" in MODULES else target)
        graph[module] = (found & set(MODULES)) - {module}
    return graph


# -- the code ---------------------------------------------------------------------------------------------------------

OURS = [module for module in MODULES if not module.startswith("benchmarks")]


@pytest.mark.parametrize("module", OURS)
def test_imports_follow_the_arrows(module):
    path = MODULES[module]
    assert not broken_arrows(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")


# The cache of kernels reads their text, to notice that it changed.
@pytest.mark.parametrize("module", sorted(set(OURS) - {"wordvec.kernels.code_cache"}))
def test_files_are_opened_in_few_places_and_nothing_is_printed(module):
    assert not broken_habits(MODULES[module].read_text(encoding="utf-8"), module)


def test_there_is_no_import_circle():
    assert circles(import_graph()) == []


def test_every_folder_has_its_arrows():
    for package, arrows in WITHIN.items():
        there = {module.split(".")[1] for module in OURS if module.startswith(f"{package}.")}
        assert there == set(arrows), package


def test_the_tree_is_found():
    assert {"wordvec.vectors.dense", "wordvec.formats.registry", "corpora.readers", "cli.main"} <= set(MODULES)


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


HEAVY = {"numpy", "numba", "llvmlite", "sklearn", "scipy"}


def test_importing_a_package_loads_next_to_nothing():
    loaded = fresh("import corpora, wordvec, seqclf, cli")
    assert "wordvec" in loaded
    assert not loaded & (HEAVY | {"click", "rich"})


def test_help_loads_no_numerical_library():
    loaded = fresh(
        "from cli.main import COMMANDS, wordvec\nimport click\n"
        "for name in COMMANDS: wordvec.get_command(click.Context(wordvec), name)"
    )
    assert "cli.train_embeddings" in loaded
    assert not loaded & HEAVY


def test_querying_vectors_loads_neither_numba_nor_scikit_learn(tmp_path):
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


def test_kernels_load_numba_without_what_it_does_not_need():
    loaded = fresh(
        "before = {'coverage', 'yaml'} & set(sys.modules)\n"
        "import seqclf.kernels\n"
        "assert {'coverage', 'yaml'} & set(sys.modules) == before\n"
        "import coverage, yaml"
    )
    assert {"numba", "coverage", "yaml"} <= loaded


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
        ("wordvec.vectors.dense", "import numba", "only kernels"),
        ("wordvec.vectors.dense", "def f():\n    import sklearn.base", "may import scikit-learn"),
        ("wordvec.vectors.dense", "from wordvec.word2vec import settings", "wordvec.vectors imports wordvec.word2vec"),
        ("wordvec.word2vec.epoch", "def f():\n    import wordvec.count_based.svd", "imports wordvec.count_based"),
        ("wordvec.formats.glove", "if TYPE_CHECKING:\n    from ..vectors.dense import x", "imports wordvec.vectors"),
        ("wordvec.formats.glove", "from ..kernels import x\nimport numba.core", "2: only kernels"),
        ("seqclf.tagging.train", "from seqclf.classification.train import x", "imports seqclf.classification"),
        ("seqclf.layers.encoder", "from seqclf.training.loop import x", "seqclf.layers imports seqclf.training"),
        ("seqclf.tagging.model", "from wordvec.vectors.dense import WordVectors", "not a public name"),
        ("seqclf.tagging.model", "from wordvec.kernels.simd import dot", "not a public name"),
        ("seqclf.tagging.model", "import pickle", "can run code"),
        ("seqclf.tagging.model", "def f():\n    from joblib import load", "can run code"),
        ("seqclf.kernels.lstm", "from wordvec.kernels.slices import draw", "a kernel imports"),
        ("seqclf.kernels.lstm", "from wordvec import WordVectors", "a kernel imports"),
        ("seqclf.kernels.lstm", "from scipy.special import expit", "a kernel imports"),
        ("wordvec.kernels.glove", "from wordvec.vectors.dense import WordVectors", "a kernel imports"),
        ("cli.info", "from wordvec import load_vectors", "before a command runs"),
        ("cli.info", "class C:\n    import corpora", "before a command runs"),
        ("cli.info", "def f():\n    from wordvec.formats.safetensors import read", "not a public name"),
    ],
)
def test_a_forbidden_import_is_found(module, source, reason):
    assert any(reason in found for found in broken_arrows(source, module))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cli.info", "def f():\n    from wordvec import load_vectors, __version__\n    import seqclf"),
        ("cli.info", "if TYPE_CHECKING:\n    from wordvec.vectors.evaluation import AnalogyResult"),
        ("cli.info", "def f():\n    from wordvec.formats.registry import output_format"),
        ("cli.info", "from cli.shared import options\nimport click"),
        ("cli.train_embeddings", "from wordvec import Word2VecSettings"),
        ("seqclf.tagging.model", "from corpora import TOKENIZERS\nfrom ..kernels.lstm import forward"),
        ("seqclf.tagging.train", "from wordvec.system.validation import check_whole"),
        ("seqclf.kernels.lstm", "import math\nimport numba\nfrom wordvec.kernels.simd import dot"),
        ("seqclf.kernels.lstm", "from wordvec.kernels import simd\nfrom seqclf.kernels import softmax"),
        ("wordvec.word2vec.estimator", "from sklearn.base import BaseEstimator"),
        ("wordvec.errors", "from corpora.errors import InputError"),
    ],
)
def test_an_allowed_import_passes(module, source):
    assert broken_arrows(source, module) == []


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b"}, "b": {"a"}, "c": {"d", "a"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
    ],
)
def test_circles_are_found(graph, expected):
    assert circles(graph) == expected


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("wordvec.vectors.dense", "print(1)", "logging"),
        ("wordvec.vectors.dense", "with open(path) as file:\n    pass", "open opens a file"),
        ("seqclf.tagging.model", "Path(name).write_text(x)", "write_text opens a file"),
        ("seqclf.tagging.model", "np.load(name, allow_pickle=True)", "allow_pickle"),
        ("wordvec.formats.glove", "np.load(name, allow_pickle=False)", "allow_pickle"),
        ("wordvec.kernels.glove", "numba.config.NUM_THREADS = 1", "numba.config"),
    ],
)
def test_a_broken_habit_is_found(module, source, reason):
    assert any(reason in found for found in broken_habits(source, module))


def test_a_kept_habit_passes():
    assert not broken_habits("print(1)\nos.open(os.devnull, 0)", "cli.info")
    assert not broken_habits("open(path)", "wordvec.formats.glove")
    assert not broken_habits("x.config.y = 2\nself.open = 3", "wordvec.vectors.dense")
