"""The chat window. It decides nothing: it shows what the pipeline says, and says what was clicked."""
