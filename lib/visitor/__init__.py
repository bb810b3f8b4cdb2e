"""What a visitor keeps: preferences by name, starred models, presets, prompts to be used again."""
