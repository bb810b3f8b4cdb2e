"""Sweeps: one prompt across models, temperatures and repeats.

plan            what is asked, cell by cell
estimate        what it will take and cost
repository      sweeps as they are stored
scheduler       runs a plan, so many calls at a time
ratings         what people, and models asked to, think of its answers
report          what came of it: overview, CSV; diversity measures how different answers are
"""
