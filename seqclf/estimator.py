"""The base class of the scikit-learn estimators."""

import os
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from seqclf.summary import Summary, summarize
from wordvec import InputError
from wordvec.system.settings import Settings
from wordvec.system.threads import threads_of

if TYPE_CHECKING:
    from wordvec import WordVectors


class SequenceEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator whose samples are sequences of different lengths.

    Its parameters are the fields of a settings class without the seed, ``random_state``, ``n_jobs`` and, if words have
    pretrained vectors, ``vectors``.
    """

    random_state: int | np.random.RandomState | None
    n_jobs: int | None
    vectors: "WordVectors | str | os.PathLike[str] | None"
    model_: Any

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write ``model_`` to a safetensors file, which :func:`seqclf.load_model` loads; equal models, equal bytes.

        Raises:
            NotFittedError: it is not fitted.
            InputError: ``path`` cannot be written; an existing file is kept.
        """
        check_is_fitted(self)
        self.model_.save(path)

    def summary(self) -> Summary:
        """Return the shapes and numbers of the network's parameters, and their memory; ``print`` shows a table.

        Raises:
            NotFittedError: it is not fitted.
            InputError: the model has no network, such as a linear classifier.
        """
        check_is_fitted(self)
        return summarize(self.model_)

    def _vectors(self) -> "WordVectors | None":
        if isinstance(self.vectors, str | os.PathLike):
            from wordvec import load_vectors

            return load_vectors(self.vectors)
        if self.vectors is not None:
            from wordvec import WordVectors

            if not isinstance(self.vectors, WordVectors):
                raise InputError(f"vectors must be WordVectors, a path or None, got {type(self.vectors).__name__}")
        return self.vectors

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer) and not isinstance(self.random_state, bool):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    def _threads(self) -> int | None:
        return threads_of(self.n_jobs)

    def _training(self, kind: type[Settings]) -> dict[str, Any]:
        """Return the keyword arguments ``settings``, ``threads`` and, if there is such a parameter, ``vectors``.

        Raises:
            InputError: a parameter is out of range.
        """
        names = {field.name for field in fields(kind)} - {"seed"}  # type: ignore[arg-type]  # all are dataclasses
        given = {name: getattr(self, name) for name in names}
        found = {"settings": kind(**given | {"seed": self._seed()}), "threads": self._threads()}
        return found | ({"vectors": self._vectors()} if hasattr(self, "vectors") else {})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
