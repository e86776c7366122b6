"""Encoding text as token ids: scanning, vocabulary rules, encoded corpora and subsampling."""
