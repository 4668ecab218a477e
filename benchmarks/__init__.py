"""Measurements of the product; each prints a table. Not part of the distribution."""
