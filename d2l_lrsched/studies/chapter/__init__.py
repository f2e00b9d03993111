"""The book's section 11.15."""
