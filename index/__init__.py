"""Vectors, terms and ranking over the library's chunks. Knows no prompts and no window."""
