"""CBOW and skip-gram (Mikolov et al. 2013): settings, objectives, sampling, training and the estimator."""
