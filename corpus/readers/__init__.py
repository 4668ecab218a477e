"""One module per file format: a path in, raw blocks with their places out."""
