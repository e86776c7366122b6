"""Transduction of one sequence to another, or of a vector to a sequence: encoder, attention, decoder."""
