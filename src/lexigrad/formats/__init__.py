"""Files: the native container, and later fastText's and word2vec's."""
