"""From bytes to features: sources, tokens, vocabulary, n-grams, rows."""
