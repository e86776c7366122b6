"""Recurrent networks on CPUs: classification, tagging, regression, translation, language models and forecasting.

Names are imported on first use, so that ``import seqclf`` is fast.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "ClassifierSettings": "seqclf.classification.settings",
    "Forecaster": "seqclf.forecasting.estimator",
    "ForecasterModel": "seqclf.forecasting.model",
    "ForecasterSettings": "seqclf.forecasting.settings",
    "MultiLabelClassifier": "seqclf.classification.multi_label_estimator",
    "MultiLabelModel": "seqclf.classification.model",
    "RegressorModel": "seqclf.regression.model",
    "RegressorSettings": "seqclf.regression.settings",
    "LanguageModel": "seqclf.language.estimator",
    "LanguageModelSettings": "seqclf.language.settings",
    "Score": "seqclf.metrics",
    "SequenceClassifier": "seqclf.classification.estimator",
    "ClassifierModel": "seqclf.classification.model",
    "SequenceFromVector": "seqclf.translation.estimator",
    "SequenceToSequence": "seqclf.translation.estimator",
    "SequenceRegressor": "seqclf.regression.estimator",
    "SequenceTagger": "seqclf.tagging.estimator",
    "TaggerModel": "seqclf.tagging.model",
    "TaggerSettings": "seqclf.tagging.settings",
    "StopTraining": "seqclf.training.loop",
    "TrainedLanguageModel": "seqclf.language.model",
    "backtest": "seqclf.forecasting.backtest",
    "compare_baselines": "seqclf.classification.baselines",
    "load_model": "seqclf.loading",
    "measure_gradient_flow": "seqclf.inspection.gradient_flow",
    "score": "seqclf.metrics",
    "score_entities": "seqclf.metrics",
    "score_label_sets": "seqclf.metrics",
    "trace": "seqclf.inspection.tracing",
    "train_classifier": "seqclf.classification.train",
    "train_forecaster": "seqclf.forecasting.train",
    "train_language_model": "seqclf.language.train",
    "train_multi_label": "seqclf.classification.train_multi_label",
    "train_regressor": "seqclf.regression.train",
    "train_tagger": "seqclf.tagging.train",
}

__all__ = sorted(_HOME)


_MOVED = {
    "compare_multi_label_baselines": "seqclf.classification.baselines",
    "save_gate_heatmap": "seqclf.inspection.plotting",
}
"""Names that were public until 0.2."""


def __getattr__(name: str) -> Any:
    if name in _MOVED:
        import warnings

        warnings.warn(f"seqclf.{name} has moved; use {_MOVED[name]}.{name}", FutureWarning, stacklevel=2)
        return getattr(import_module(_MOVED[name]), name)
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'seqclf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
