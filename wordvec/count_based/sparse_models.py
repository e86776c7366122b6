"""Sparse word vectors: co-occurrence counts, raw or weighted by an association measure."""

from wordvec.count_based.association import association_matrix, settings_of
from wordvec.count_based.cooccurrence import CooccurrenceCounts
from wordvec.vectors.sparse import SparseWordVectors


def weighted_vectors(
    cooccurrence: CooccurrenceCounts, weighting: str = "ppmi", *, smoothing: float | None = None, shift: float = 1.0
) -> SparseWordVectors:
    """Return the rows of the association matrix as sparse word vectors; see :func:`wordvec.association_matrix`."""
    return SparseWordVectors(
        cooccurrence.vocabulary,
        association_matrix(cooccurrence, weighting, smoothing=smoothing, shift=shift),
        tokenizer=cooccurrence.tokenizer,
        lowercase=cooccurrence.lowercase,
        normalize=cooccurrence.normalize,
        settings=cooccurrence.settings.file_record("sparse", settings_of(weighting, smoothing, shift)),
    )
