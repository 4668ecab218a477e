"""From files to documents, and places in their text. Knows no vectors and no models."""
