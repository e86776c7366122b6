"""Trainings that Ctrl-C ends at a chosen place."""

import pytest


def interrupted(module, train, monkeypatch, calls, *arguments, epochs=0, **options):
    """Call ``train(*arguments, **options)`` until Ctrl-C after ``epochs`` epochs and ``calls`` calls of the next one.

    Args:
        module: the one that calls ``run_in_threads``.
        calls: of ``run_in_threads``, each of which does as little as it can.
    """
    real, done = module.run_in_threads, []

    def one_call(work, threads, stop, watch):
        done.append(1)
        if len(done) > epochs:
            stop()
        real(work, threads, stop, watch)
        if len(done) == epochs + calls:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "run_in_threads", one_call)
        with pytest.raises(KeyboardInterrupt):
            train(*arguments, **options)
