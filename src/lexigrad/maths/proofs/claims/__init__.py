"""The claims, one file each; each defines `CLAIM`. This is their order on the page."""

from __future__ import annotations

import importlib

from lexigrad.maths.proofs.claim import Claim

SECTIONS: dict[str, tuple[str, ...]] = {
    "Softmax, sigmoid and one hidden layer (assignment 1 and 2)": (
        "softmax_shift_invariance",
        "sigmoid_derivative",
        "softmax_cross_entropy_gradient",
        "softmax_cross_entropy_gradient_sums_to_zero",
        "softmax_jacobian",
        "network_gradient",
        "network_parameter_count",
    ),
    "Word vectors (assignment 3)": (
        "skipgram_softmax_center_gradient",
        "skipgram_softmax_output_gradient",
        "negative_sampling_gradient",
        "negative_sampling_repeated_negatives",
        "skipgram_context_gradient",
        "cbow_sum_gradient",
        "cbow_mean_gradient",
    ),
    "Gradients of the other functions and losses": (
        "log_softmax_gradient",
        "logsumexp_gradient",
        "log_sigmoid_gradient",
        "log1pexp_gradient",
        "cross_entropy_gradient",
        "weighted_cross_entropy_gradient",
        "binary_cross_entropy_gradient",
        "several_labels_gradient",
        "one_vs_all_gradient",
        "hierarchical_softmax_gradient",
        "linear_cross_entropy_gradient",
        "l2_gradient",
        "softmax_regression_gradient",
        "softmax_regression_hessian",
    ),
    "Identities that the kernels use": (
        "winner_log_probability",
        "log1pexp_form",
        "log_sigmoid_form",
        "running_logsumexp",
        "exp_power_of_two_scaling",
        "softmax_power_of_two_scaling",
        "hierarchical_softmax_sums_to_one",
        "folded_scoring",
    ),
    "Refuted": (
        "received_softmax_shift",
        "received_softmax_gradient",
        "diagonal_jacobian",
        "cbow_unscaled_update",
        "fasttext_sigmoid_table",
        "naive_log_softmax",
    ),
}

NAMES = tuple(name for names in SECTIONS.values() for name in names)


def load(name: str) -> Claim:
    """Return the claim of a file in this folder."""
    claim: Claim = importlib.import_module(f"{__name__}.{name}").CLAIM
    return claim
