"""The section's exercises 1 to 4, and a schedule that is told."""
