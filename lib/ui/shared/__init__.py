"""What all pages use: the frame around them, models and their controls, texts, and what a tab remembers."""
