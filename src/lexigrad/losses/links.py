"""How each loss makes probabilities of scores."""

SOFTMAX, HIERARCHICAL, INDEPENDENT = 0, 1, 2
LINKS = {
    "softmax": SOFTMAX, "hierarchical_softmax": HIERARCHICAL, "negative_sampling": INDEPENDENT, "one_vs_all": INDEPENDENT,
}  # fmt: skip
