"""What is kept for a visitor: preferences, starred models, presets, prompts, prices, budgets, addresses of services."""

LOCAL_OWNER = "local"
"""The owner of everything where Tempera runs for one person, on that person's computer."""
