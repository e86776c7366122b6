"""Pictures of word vectors: maps of words, arrows of analogies, heat maps of similarities; they need matplotlib."""
