"""Reports of a classifier's training and evaluation: a page for readers, JSON for programs."""
