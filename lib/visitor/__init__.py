"""What a visitor keeps: preferences by name, starred models, presets, prompts to be used again."""

LOCAL_OWNER = "local"
"""The owner of everything where Tempera runs for one person, on that person's computer."""
