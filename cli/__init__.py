"""The command line: thin Click commands over ``corpora``, ``wordvec`` and ``seqclf``."""
