"""Scripts with which evaluators measure what the chatbot says."""
