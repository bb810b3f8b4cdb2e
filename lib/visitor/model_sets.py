"""Where a visitor's sets of models are stored: chosen together once, and again by their name."""

from lib.visitor.saved_items import SavedItems

MODEL_SETS = SavedItems("model_sets")
"""`{"models": ["endpoint/model id", ...]}` by name."""
