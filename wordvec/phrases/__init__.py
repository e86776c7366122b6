"""Phrases: words that occur together more often than chance, joined into one token ("new york" -> new_york)."""
