"""``python -m wordvec``: the command ``wordvec``."""

from wordvec_seqclf import wordvec

wordvec(prog_name="python -m wordvec")
