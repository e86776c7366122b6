"""Loading models of every task."""

import os
from importlib import import_module
from typing import Any

from seqclf.model_file import FASTTEXT, check_kind, read_model
from wordvec import FormatError, InputError

_CLASSES = {
    "model": "seqclf.classification.model:ClassifierModel",
    "multi-label model": "seqclf.classification.model:MultiLabelModel",
    "tagger": "seqclf.tagging.model:TaggerModel",
    "language model": "seqclf.language.model:TrainedLanguageModel",
    "forecaster": "seqclf.forecasting.blend:AnyForecaster",
    "regressor": "seqclf.regression.model:RegressorModel",
    FASTTEXT: "seqclf.classification.fasttext:FastTextClassifier",
    "transducer": "seqclf.translation.model:TransducerModel",
    "vector transducer": "seqclf.translation.vector_model:VectorTransducerModel",
    "vector classifier": "seqclf.classification.vector_model:VectorClassifierModel",
}
"""The class of each kind of model, imported on demand."""


def load_model(path: str | os.PathLike[str], *kinds: str) -> Any:
    """Load a model: a ``ClassifierModel``, ``MultiLabelModel``, ``VectorClassifierModel``, ``TaggerModel``,
    ``RegressorModel``, ``TrainedLanguageModel``, ``ForecasterModel``, ``BlendedForecaster``, ``TransducerModel`` or
    ``VectorTransducerModel``, whichever the file holds; of a supervised model of fastText (``.bin``, ``.ftz``), a
    ``FastTextClassifier`` with the methods of a ``ClassifierModel``.

    Args:
        path: a file that the ``save`` method of a model wrote, or fastText.
        kinds: the kinds to accept: ``model`` (a classifier), ``multi-label model``, ``tagger``, ``regressor``,
            ``language model``, ``forecaster``, ``transducer``, ``vector transducer``, ``vector classifier``,
            ``fastText classifier``; none accepts all.

    Raises:
        FormatError: not a model file, truncated, inconsistent, or of another kind.
        InputError: the file is missing or a directory.

    Example:
        >>> load_model("missing.safetensors")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: missing.safetensors does not exist
    """
    for kind in kinds:
        if kind not in _CLASSES:
            raise InputError(f"kinds must be among {', '.join(_CLASSES)}, got {kind!r}")
    try:
        tensors, header = read_model(path, kinds)
    except FormatError:
        from wordvec.formats.fasttext_model import is_model  # a tenth of the imports of a prediction

        if not is_model(path):
            raise
        check_kind(str(path), FASTTEXT, "a model of fastText", kinds)
        return _class(FASTTEXT).load(path)
    model = _class(header["kind"]).from_file(str(path), tensors, header)
    model.origin = header.get("origin", {})
    return model


def _class(kind: str) -> Any:
    module, _, name = _CLASSES[kind].partition(":")
    return getattr(import_module(module), name)
