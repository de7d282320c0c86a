"""Wrote `classifier-1.1.lexigrad`, once, when format 1.1 was current. Run it again only to make a file of a newer version.

python tests/formats/kept/make_classifier_1_1.py FILE
"""

import sys

import lexigrad

TEXTS, LABELS = ["green leaves", "roasted beans", "green tea leaves", "coffee beans"] * 20, ["tea", "coffee"] * 40

if __name__ == "__main__":
    clf = lexigrad.TextClassifier(dim=4, epochs=20, lr=0.5, word_ngrams=2, threads=1)
    clf.fit(TEXTS, LABELS).save(sys.argv[1])
