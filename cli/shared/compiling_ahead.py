"""A helper process that compiles the last kernels of a training while the command reads data and compiles the first.

Compiling holds Python's lock, so that threads would not help. The helper starts when the command has to compile a
kernel, and ends with it. It trains on a few words, with kernels that do nothing, to learn which ones are needed; see
``wordvec.kernels.dividing``. Set WORDVEC_COMPILE_AHEAD=0 to do without.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import click

_HELPER = "import sys; sys.path[:] = {path!r}; from cli.shared.compiling_ahead import help_compile; help_compile()"
_TEXTS = ["the fire near the lake", "a boy saw the smoke", "it has spread to a town", "far away over the lake"] * 8
_SMALL = {"epochs": 1, "min_count": 1}


def compile_ahead(task: str, settings: dict[str, Any], threads: int | None) -> None:
    """Let a helper compile kernels too, if this command has to compile any, and has a second core.

    Args:
        task: a name in ``TRAININGS``.
        settings: what that training needs.
        threads: of the command.
    """
    from wordvec.system.compiled import ask_for_help
    from wordvec.system.scratch import temporary_folder
    from wordvec.system.threads import available_cores

    if threads == 1 or available_cores() == 1 or os.environ.get("WORDVEC_COMPILE_AHEAD") == "0":
        return
    context = click.get_current_context()

    def start() -> tuple[str, Callable[[], bool]] | None:
        try:
            folder = temporary_folder()
            context.call_on_close(folder.remove)
            helper = subprocess.Popen(
                [sys.executable, "-c", _HELPER.format(path=sys.path)],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
                start_new_session=True,
            )  # fmt: skip
        except OSError:
            return None
        context.call_on_close(lambda: _end(helper))
        with contextlib.suppress(OSError):
            assert helper.stdin is not None
            helper.stdin.write(json.dumps([task, settings, folder.path]) + "\n")
            helper.stdin.flush()
        return folder.path, lambda: helper.poll() is None

    ask_for_help(start)
    context.call_on_close(lambda: ask_for_help(None))


def _end(helper: "subprocess.Popen[str]") -> None:
    helper.kill()
    helper.wait()
    if helper.stdin is not None:
        with contextlib.suppress(OSError):
            helper.stdin.close()


def help_compile() -> None:
    """Read a training and a folder from standard input, and compile its kernels until the input ends."""
    from wordvec.system.compiled import compile_last_first

    task, settings, folder = json.loads(sys.stdin.readline())
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    compile_last_first(lambda: TRAININGS[task](settings), folder)


def _embeddings(settings: dict[str, Any]) -> None:
    import numpy as np

    from wordvec import EncodedCorpus, Vocabulary, Word2VecSettings, train_word2vec

    ids, offsets = np.arange(40, dtype=np.int32) % 4, np.arange(0, 41, 8)
    corpus = EncodedCorpus(Vocabulary(["a", "b", "c", "d"], [10] * 4), ids, offsets, raw_tokens=40, raw_types=4)
    train_word2vec(corpus, Word2VecSettings(**settings | {"vector_size": 16, "epochs": 1}), threads=1)


def _classifier(settings: dict[str, Any]) -> None:
    from seqclf import ClassifierSettings, train_classifier

    small = ClassifierSettings(**settings | _SMALL | {"model": "network"})
    train_classifier(_TEXTS, ["a", "b"] * 16, settings=small, threads=1)


def _tagger(settings: dict[str, Any]) -> None:
    from seqclf import TaggerSettings, train_tagger

    sentences = [text.split() for text in _TEXTS]
    tags = [["long" if len(word) > 3 else "short" for word in sentence] for sentence in sentences]
    train_tagger(sentences, tags, settings=TaggerSettings(**settings | _SMALL), threads=1)


def _language_model(settings: dict[str, Any]) -> None:
    from seqclf import LanguageModelSettings, train_language_model

    train_language_model(_TEXTS, settings=LanguageModelSettings(**settings | _SMALL), threads=1)


def _transducer(settings: dict[str, Any]) -> None:
    from seqclf.translation.settings import TransducerSettings
    from seqclf.translation.train import train_transducer

    train_transducer(_TEXTS, _TEXTS[::-1], settings=TransducerSettings(**settings | _SMALL), threads=1)


def _forecaster(settings: dict[str, Any]) -> None:
    from seqclf import ForecasterSettings, train_forecaster

    small = {"epochs": 1, "horizon": 1, "window": 4}
    series = [1.0 + k % 5 for k in range(40 + 2 * (settings.get("season") or 0))]
    train_forecaster(series, settings=ForecasterSettings(**settings | small), threads=1)


TRAININGS: dict[str, Callable[[dict[str, Any]], None]] = {
    "embeddings": _embeddings,
    "classifier": _classifier,
    "tagger": _tagger,
    "language-model": _language_model,
    "transducer": _transducer,
    "forecaster": _forecaster,
}
"""A training on a few words by the name of its task."""
