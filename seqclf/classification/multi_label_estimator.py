"""The multi-label text classifier as a scikit-learn estimator."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from seqclf.classification.estimator import SequenceClassifier
from seqclf.classification.model import MultiLabelModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train_multi_label import train_multi_label
from seqclf.data.label_sets import LabelSets
from seqclf.data.texts import Text
from seqclf.metrics import MultiLabelScore, score_label_sets
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.validation import check_flag


class MultiLabelClassifier(SequenceClassifier):
    """Recurrent multi-label text classifier: a sigmoid per label, trained on binary cross-entropy.

    Its parameters are those of :class:`SequenceClassifier`, of which ``warm_start`` must be False. A number in
    ``class_weight`` weighs the texts that have a label in that label's loss; ``balanced`` weighs those with and those
    without it inversely to their numbers.

    Attributes:
        classes_: (C,) the labels, sorted, or the column numbers of an indicator matrix.
        model_: the :class:`seqclf.MultiLabelModel`, which can be saved and predicts without scikit-learn.
        history_: one dict per epoch: training loss, validation micro-F1 and loss.

    Example:
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods", "fire and floods"] * 4
        >>> labels = [["fire"], [], ["flood"], ["fire", "flood"]] * 4
        >>> classifier = MultiLabelClassifier(hidden_size=8, learning_rate=0.02, validation_fraction=0, random_state=1)
        >>> classifier.fit(texts, labels).predict(["fire on the river floods", "lovely"]).tolist()
        [[1, 1], [0, 0]]
    """

    model_: MultiLabelModel

    def fit(
        self,
        X: Iterable[Text],
        y: LabelSets,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: tuple[Iterable[Text], LabelSets] | None = None,
        tune_thresholds: bool = False,
        on_progress: OnProgress | None = None,
    ) -> "MultiLabelClassifier":
        """Train on texts.

        Args:
            X: strings or lists of tokens; a generator is read once.
            y: a list of labels for each text, which may be empty; or an array (N, C) of 0 and 1.
            sample_weight: (N,) weights of the texts in the loss; None weighs all equally.
            validation_data: texts and labels that choose the best epoch.
            tune_thresholds: choose for each label the threshold with the best F1 on the validation texts; False uses
                0.5 for all labels.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, an invalid text, or not one list of labels per text.
        """
        if y is None:
            raise InputError("MultiLabelClassifier requires y to be passed, but the target y is None")
        if check_flag("warm_start", self.warm_start):
            raise InputError("a multi-label network is not trained further; leave warm_start=False")
        self.model_ = train_multi_label(
            self._texts(X),
            y,
            dev=validation_data,
            tune_thresholds=tune_thresholds,
            sample_weight=sample_weight,
            on_progress=on_progress,
            **self._training(ClassifierSettings),
        )
        self.classes_ = np.array(self.model_.labels)
        self.history_ = self.model_.history
        return self

    @property
    def partial_fit(self) -> Any:
        """A multi-label network is not trained further."""
        raise AttributeError("MultiLabelClassifier has no partial_fit; fit it on all texts")

    def decision_function(self, X: Iterable[Text]) -> np.ndarray:
        """Return the log-odds (N, C) float64 of every label."""
        probabilities = np.clip(self.predict_proba(X).astype(np.float64), 1e-16, 1 - 1e-16)
        return np.asarray(np.log(probabilities / (1 - probabilities)))

    def predict(self, X: Iterable[Text]) -> np.ndarray:
        """Return an indicator matrix (N, C) of 0 and 1, columns as ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict(self._texts(X), threads=self._threads()).astype(np.int64)

    def score(self, X: Iterable[Text], y: LabelSets) -> float:
        """Return the subset accuracy, scikit-learn's score of multi-label classifiers."""
        return self.report(X, y).subset_accuracy

    def report(self, X: Iterable[Text], y: LabelSets) -> MultiLabelScore:
        """Return micro- and macro-F1, subset accuracy, Hamming loss, and each label's scores."""
        return score_label_sets(y, self.predict(X), self.classes_.tolist())

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class, tags.classifier_tags.multi_label = False, True
        return tags
