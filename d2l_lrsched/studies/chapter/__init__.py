"""Section 11.15 and every number that the book has printed of it."""
