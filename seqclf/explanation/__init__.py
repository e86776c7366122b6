"""Why a classifier predicts a label."""
