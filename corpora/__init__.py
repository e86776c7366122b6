"""Text in: readers, named tokenisers, bundled samples and a catalogue of public data sets."""
