"""Sweeps: one prompt across models, temperatures and repeats.

Begin with `plan`, which says what is asked cell by cell. `scheduler` stores and starts a sweep, `sending` is the work
of one run, `study` is a sweep with its answers and what was said of them.
"""
