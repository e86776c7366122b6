"""The cases of gensim's tests that do not pass on our classes, with the reason."""

_REASONS: dict[str, tuple[str, ...]] = {
    "gensim's pickles are not read: loading one can execute code": (
        "TestPhrasesPersistence::test_save_load_no_common_terms",
        "TestPhrasesPersistence::test_save_load_no_scoring",
        "TestPhrasesPersistence::test_save_load_string_scoring",
        "TestFrozenPhrasesPersistence::test_save_load_no_common_terms",
        "TestFrozenPhrasesPersistence::test_save_load_no_scoring",
        "TestFrozenPhrasesPersistence::test_save_load_string_scoring",
        "TestFrozenPhrasesModelCompatibility::test_compatibility",
        "HashCompatibilityTest::test_compatibility_true",
        "Gensim320Test::test",
        "TestWord2VecModel::test_load_old_model",
        "TestWord2VecModel::test_load_old_model_separates",
        "TestWord2VecModel::test_load_old_models_1_x",
        "TestWord2VecModel::test_load_old_models_2_x",
        "TestWord2VecModel::test_load_old_models_3_x",
        "TestWord2VecModel::test_persistence_backwards_compatible",
    ),
    "an alignment is saved as its vectors": ("TestTranslationMatrix::test_persistence",),
    "the case calls a method that its class no longer has": ("TestWmdSimilarity::test_num_best",),
    "texts to compare are given at each call: there is no index to save": (
        "TestWmdSimilarity::test_large",
        "TestWmdSimilarity::test_large_compressed",
        "TestWmdSimilarity::test_mmap",
        "TestWmdSimilarity::test_mmap_compressed",
        "TestWmdSimilarity::test_persistency",
        "TestWmdSimilarity::test_persistency_compressed",
    ),
    "a function as scoring is not saved: loading one would execute code": (
        "TestFrozenPhrasesPersistence::test_save_load_custom_scorer",
    ),
    "phrases keep no counts of words and pairs": (
        "TestPhrasesModel::test_pruning",
        "TestPhrasesModelCommonTerms::test_pruning",
        "TestPhrasesModelCommonTerms::test_scoring_default",
    ),
    "gensim splits the joined words of the first pass again where the delimiter is a space": (
        "TestPhrasesModel::test_export_phrases",
    ),
    "codes of words in the tree are not an attribute of vectors": ("TestWord2VecModel::test_vocab",),
    "gensim's internals: cumulative tables, a null word": ("NativeTrainingContinuationTest::test_sanity",),
    "a dictionary of -1 words and labels is refused as damaged": (
        "UnicodeVocabTest::test_ascii",
        "UnicodeVocabTest::test_bad_unicode",
    ),
    "estimate_memory returns the bytes of our arrays, not of gensim's": ("TestFastTextModel::test_estimate_memory",),
    "counts in a file of their own, or made up by rank": (
        "TestKeyedVectors::test_load_model_and_vocab_file_ignore",
        "TestKeyedVectors::test_load_model_and_vocab_file_replace",
        "TestKeyedVectors::test_load_model_and_vocab_file_strict",
        "TestKeyedVectors::test_vectors_for_all_with_copy_vecattrs",
        "TestKeyedVectors::test_vectors_for_all_without_copy_vecattrs",
        "TestWord2VecModel::test_persistence_keyed_vectors_format_with_vocab",
        "TestWord2VecModel::test_persistence_word2vec_format_with_vocab",
        "TestWord2VecModel::test_persistence_word2vec_format_combination_with_standard_persistence",
    ),
    "words come from texts: no counts, rules or pruned counts are passed to a model": (
        "TestWord2VecModel::test_build_vocab_from_freq",
        "TestWord2VecModel::test_lambda_rule",
        "TestWord2VecModel::test_persistence_with_constructor_rule",
        "TestWord2VecModel::test_rule",
        "TestWord2VecModel::test_rule_with_min_count",
        "TestWord2VecModel::test_prune_vocab",
        "TestWord2VecModel::test_max_final_vocab",
        "TestWord2VecModel::test_total_word_count",
        "TestWord2VecModel::test_reset_from",
    ),
    "warnings of gensim's": (
        "TestWord2VecModel::test_build_vocab_warning",
        "TestWord2VecModel::test_train_warning",
        "TestWord2VecModel::test_train_hs_and_neg",
    ),
    "arguments that only gensim has, or that it refuses": (
        "TestWord2VecModel::test_train_with_explicit_param",
        "TestWord2VecModel::test_sentences_should_not_be_a_generator",
        "TestWord2VecModel::test_load_on_class_error",
    ),
    "Pearson's correlation": (
        "TestWord2VecModel::test_evaluate_word_pairs",
        "TestWord2VecModel::test_evaluate_word_pairs_from_file",
    ),
    "the loss of an epoch without words after subsampling is not a number": (
        "TestWord2VecModel::test_compute_training_loss",
    ),
    "vectors locked in training": ("TestWord2VecModel::test_locking",),
    "the 13th neighbor in place of the 6th, from CBOW with 16 dimensions": ("TestWord2VecModel::test_parallel",),
    "vectors normalized in place, or of half precision": (
        "TestWord2VecModel::test_persistence_word2vec_format",
        "TestWord2VecModel::test_persistence_word2vec_format_non_binary",
    ),
    "scores of sentences and predictions of words": (
        "TestWord2VecModel::test_scoring",
        "TestWord2VecModel::test_predict_output_word",
    ),
    "n_similarity of a word and a word is their similarity but for rounding": ("TestWord2VecModel::test_similarities",),
    "texts are read by path, not from open files": (
        "TestWord2VecSentenceIterators::test_line_sentence_works_with_compressed_file",
        "TestWord2VecSentenceIterators::test_line_sentence_works_with_normal_file",
    ),
}

GAPS = {case: reason for reason, cases in _REASONS.items() for case in cases}
