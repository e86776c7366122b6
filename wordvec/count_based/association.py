"""Association measures on sparse co-occurrence counts: PPMI, NPMI, log counts, conditional probabilities."""

from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.count_based.cooccurrence import CooccurrenceCounts
from wordvec.count_based.settings import WEIGHTINGS
from wordvec.errors import InputError
from wordvec.system.available_memory import available_memory
from wordvec.system.csr import csr_of, row_pieces
from wordvec.system.scratch import Growing, Scratch
from wordvec.system.structures import checked_csr, owned
from wordvec.system.validation import check_choice, check_number

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SMOOTHING = {"ppmi": 0.75, "npmi": 1.0}


def association_matrix(
    counts: "CooccurrenceCounts | csr_array",
    weighting: str = "ppmi",
    *,
    smoothing: float | None = None,
    shift: float = 1.0,
) -> "csr_array":
    """Replace every co-occurrence count X(w, c) by an association measure.

    With row sums #(w), column sums #(c), the total D, and the corresponding probabilities P:

    ===============  ===============================================  ==============================================
    ``ppmi``         max(0, log P(w, c) / (P(w) P_a(c)) - log shift)  Levy, Goldberg & Dagan 2015, sections 2.1, 3.2;
                                                                      shifted: Levy & Goldberg 2014 (NIPS), sec. 4.1
    ``npmi``         log P(w, c) / (P(w) P_a(c)) / -log P(w, c)       Bouma 2009
    ``log``          log(1 + X(w, c))                                 Dumais 1991, the local weight
    ``conditional``  X(w, c) / #(w)                                   P(c | w) of Pennington et al. 2014, section 3
    ``count``        X(w, c)
    ===============  ===============================================  ==============================================

    where P_a(c) = #(c)^a / sum of all #(c)^a is the context distribution smoothed by a = ``smoothing``. Values are
    computed in float64 and rounded to float32. Unseen pairs have no cell, which means 0, and neither do zeros of
    ``ppmi``. A result that exceeds half of the free memory goes to temporary files.

    Args:
        counts: the co-occurrence counts of a corpus, or any sparse matrix (R, C) of positive numbers.
        weighting: one of ``WEIGHTINGS``.
        smoothing: the exponent a. None: 0.75 for ``ppmi``; 1 for ``npmi``, which then lies between -1 and 1.
        shift: for ``ppmi``, like k negative samples in word2vec; 1 for no shift.

    Returns:
        ``csr_array`` (R, C): float32 data, int32 indices, int64 indptr.

    Raises:
        InputError: an unknown weighting, settings out of range or of another weighting, a count not above 0, not a CSR
            matrix, or one whose arrays do not agree.

    Example:
        >>> from wordvec import CooccurrenceSettings, count_cooccurrences, encode_corpus
        >>> corpus = encode_corpus(["ice is cold", "ice is solid", "steam is hot"], min_count=1)
        >>> found = count_cooccurrences(corpus, CooccurrenceSettings(window=1))
        >>> corpus.vocabulary.tokens
        ['is', 'ice', 'cold', 'hot', 'solid', 'steam']
        >>> association_matrix(found, "conditional").toarray()[0].round(2)
        array([0.  , 0.33, 0.17, 0.17, 0.17, 0.17], dtype=float32)
    """
    chosen = settings_of(weighting, smoothing, shift)
    exponent, log_shift = chosen.get("smoothing", 1.0), np.log(chosen.get("shift", 1.0))
    if isinstance(counts, CooccurrenceCounts):
        types = len(counts.vocabulary)
        matrix = checked_csr("counts", counts.counts, rows=types, columns=types)
    else:
        matrix = checked_csr("counts", counts)
    _check_positive(matrix)
    rows, columns, total = _sums(matrix)
    scratch = Scratch()
    free = available_memory()
    reserve = matrix.nnz if free is None else min(matrix.nnz, free // 16)
    indices = Growing(np.int32, reserve if weighting == "ppmi" else 0, scratch, "columns")
    data = Growing(np.float32, reserve, scratch, "values")
    indptr = np.array(matrix.indptr, np.int64)
    # log P(w, c) / (P(w) P_a(c)) = log X + log D - log #(w) - log D P_a(c); empty rows and columns have no cells.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_total = np.log(total)
        of_row = log_total - np.log(rows)
        of_column = exponent * np.log(columns) + log_total - np.log((columns**exponent).sum())
    for first_row, last_row, cells in row_pieces(matrix):
        x = matrix.data[cells].astype(np.float64)
        column = matrix.indices[cells]
        row = np.repeat(np.arange(first_row, last_row), np.diff(matrix.indptr[first_row : last_row + 1]))
        if weighting == "count":
            data.append(x)
        elif weighting == "log":
            data.append(np.log1p(x))
        elif weighting == "conditional":
            data.append(x / rows[row])
        else:
            log_x = np.log(x)
            value = log_x + of_row[row] - of_column[column]
            if weighting == "npmi":
                information = log_total - log_x
                # A single pair in the whole matrix: the limit of the formula.
                data.append(np.where(information > 0, value / np.where(information > 0, information, 1), 1))
                continue
            value -= log_shift
            kept = value > 0
            data.append(value[kept])
            indices.append(column[kept])
            before = np.concatenate([[0], np.cumsum(kept)])
            ends = before[matrix.indptr[first_row + 1 : last_row + 1] - cells.start]
            indptr[first_row + 1 : last_row + 1] = data.size - before[-1] + ends
    found = indices.finish() if weighting == "ppmi" else owned(matrix.indices)
    return csr_of(indptr, found, data.finish(), matrix.shape, scratch)


def settings_of(weighting: str, smoothing: float | None = None, shift: float = 1.0) -> dict[str, Any]:
    """Return a weighting and the settings that apply to it, JSON-serializable.

    Raises:
        InputError: an unknown weighting, settings out of range or of another weighting.

    Example:
        >>> settings_of("npmi")
        {'weighting': 'npmi', 'smoothing': 1.0}
    """
    check_choice("weighting", weighting, WEIGHTINGS)
    chosen: dict[str, Any] = {"weighting": weighting}
    if weighting in _SMOOTHING:
        given = _SMOOTHING[weighting] if smoothing is None else smoothing
        chosen["smoothing"] = check_number("smoothing", given, least=0, most=1)
    elif smoothing is not None:
        raise InputError(f"smoothing applies only to {' and '.join(_SMOOTHING)}, not to {weighting}; omit it")
    if weighting == "ppmi":
        chosen["shift"] = check_number("shift", shift, above=0)
    elif shift != 1:
        raise InputError(f"shift applies only to ppmi, not to {weighting}; omit it")
    return chosen


def _check_positive(matrix: "csr_array") -> None:
    for _, _, cells in row_pieces(matrix):
        x = matrix.data[cells]
        if not (x > 0).all():
            raise InputError(f"counts must be finite and above 0, got {x[~(x > 0)][0]}")


def _sums(matrix: "csr_array") -> tuple[np.ndarray, np.ndarray, float]:
    """Return the row sums (R,) and column sums (C,), float64, and the total."""
    rows, columns = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1])
    for first_row, last_row, cells in row_pieces(matrix):
        x = matrix.data[cells].astype(np.float64)
        # SciPy's sums would use the dtype of the data, float32.
        row = np.repeat(np.arange(last_row - first_row), np.diff(matrix.indptr[first_row : last_row + 1]))
        rows[first_row:last_row] = np.bincount(row, x, last_row - first_row)
        columns += np.bincount(matrix.indices[cells], x, len(columns))
    return rows, columns, float(rows.sum())
