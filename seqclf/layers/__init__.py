"""Layers of a recurrent network: cells, encoder, attention, pooling, output heads, batches."""
