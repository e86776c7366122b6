"""From text files to integers: scanning, vocabulary rules, encoded corpora and subsampling."""
