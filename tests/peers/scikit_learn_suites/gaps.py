"""The cases of scikit-learn's tests that do not pass on our classes, with the reason."""

RELEASE = "1.9"
"""The release of scikit-learn whose tests these are; those of others are skipped."""

_REASONS: dict[str, tuple[str, ...]] = {
    "our errors and warnings state the rule, the value and the remedy in other words": (
        "test_countvectorizer_custom_vocabulary_repeated_indices",
        "test_countvectorizer_custom_vocabulary_gap_index",
        "test_countvectorizer_uppercase_in_vocab",
        "test_vectorizer_string_object_as_input[CountVectorizer]",
        "test_vectorizer_string_object_as_input[TfidfVectorizer]",
        "test_vectorizer_string_object_as_input[HashingVectorizer]",
        "test_vectorizers_invalid_ngram_range[vec0]",
        "test_vectorizers_invalid_ngram_range[vec1]",
        "test_vectorizers_invalid_ngram_range[vec2]",
    ),
    "a fixed vocabulary needs no fit, but only fit sets vocabulary_": ("test_vectorizer", "test_feature_names"),
    "weights are learned, not assigned": ("test_tfidf_vectorizer_setter", "test_tfidfvectorizer_invalid_idf_attr"),
    "an integer as dtype of weights is an error, not a warning": (
        "test_tfidf_vectorizer_type[int32-float64-True]",
        "test_tfidf_vectorizer_type[int64-float64-True]",
    ),
    "the weights idf_ are always float64": ("test_tfidf_vectorizer_preserve_dtype_idf[float32]",),
    "scikit-learn's internals": (
        "test_vectorizer_stop_words_inconsistent",
        "test_countvectorizer_sort_features_64bit_sparse_indices[csr_matrix]",
        "test_countvectorizer_sort_features_64bit_sparse_indices[csr_array]",
        "test_stop_word_validation_custom_preprocessor[CountVectorizer]",
        "test_stop_word_validation_custom_preprocessor[TfidfVectorizer]",
        "test_stop_word_validation_custom_preprocessor[HashingVectorizer]",
    ),
}
GAPS = {case: reason for reason, cases in _REASONS.items() for case in cases}
