"""From a question to a cited, checked answer; and the ways in."""
