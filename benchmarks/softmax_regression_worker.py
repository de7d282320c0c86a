"""Fits of one data set by all systems in turns, in one process: `softmax_regression_worker.py JSON`."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

L2 = 1.0


def newsgroups(path):
    """Return TF-IDF features of scikit-learn's default vectorizer, and label ids."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    lines = [line for line in Path(path).read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    labels, texts = zip(*(line.split(" ", 1) if " " in line else (line, "") for line in lines), strict=True)
    return TfidfVectorizer().fit_transform(texts), np.unique(labels, return_inverse=True)[1]


def images(n, seed=0, side=28, n_labels=10):
    """Return examples like small grey pictures: a smooth shape for each label, smooth deformations, noise, most pixels 0, some always.

    x = clip(window * (shape_label + 30 deformations that all share + 10 of the label's own + noise - 0.6), 0, 1), below 0.05 cut to 0.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    squares = np.fft.fftfreq(side)[:, None] ** 2 + np.fft.fftfreq(side) ** 2

    def smooth(count, width):
        kernel = np.exp(-0.5 * width**2 * squares * (2 * np.pi) ** 2)
        fields = np.fft.ifft2(np.fft.fft2(rng.normal(size=(count, side, side))) * kernel).real
        return (fields / fields.std(axis=(1, 2), keepdims=True)).reshape(count, -1)

    middle = (side - 1) / 2
    window = np.exp(-((((rows - middle) ** 2 + (columns - middle) ** 2) / (2 * 6.5**2)) ** 2)).ravel()
    shapes, shared = smooth(n_labels, 2.5), smooth(30, 1.5)
    labels = rng.integers(0, n_labels, n)
    own = smooth(n_labels * 10, 2.0).reshape(n_labels, 10, -1)
    examples = np.empty((n, side * side))
    for first in range(0, n, 5000):
        part = labels[first : first + 5000]
        picture = shapes[part] + 0.25 * rng.normal(size=(len(part), 30)) @ shared
        picture += 0.3 * np.einsum("ni,nid->nd", rng.normal(size=(len(part), 10)), own[part])
        picture += 0.2 * rng.normal(size=picture.shape) - 0.6
        examples[first : first + 5000] = np.clip(picture * window, 0, 1)
    examples[examples < 0.05] = 0
    return examples, labels


def cost(X, y, coef, intercept):
    """Return the cost and a bound below the minimum: cost - |gradient|^2 / (2 l2), by plain NumPy."""
    scores = X @ coef.T + intercept
    scores -= scores.max(axis=1, keepdims=True)
    exps = np.exp(scores)
    totals = exps.sum(axis=1)
    value = float((np.log(totals) - scores[np.arange(len(y)), y]).sum() + 0.5 * L2 * (coef**2).sum())
    residuals = exps / totals[:, None]
    residuals[np.arange(len(y)), y] -= 1
    gradient = (X.T @ residuals).T + L2 * coef
    return value, value - float((gradient**2).sum()) / (2 * L2)


def fit(system, tolerance, X, y):
    """Return the seconds of a fit, its coefficients and intercepts."""
    if system.startswith("lexigrad"):
        import lexigrad

        solver = system.removeprefix("lexigrad ")
        model = lexigrad.SoftmaxRegression(l2=L2, solver=solver, tolerance=tolerance, threads=2)
    else:
        from sklearn.linear_model import LogisticRegression

        solver = system.removeprefix("scikit-learn ")
        model = LogisticRegression(C=1 / L2, solver=solver, tol=tolerance, max_iter=10000)
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started, model.coef_, model.intercept_


def main():
    """Fit in turns and print what each took and reached."""
    warnings.simplefilter("ignore")
    job = json.loads(sys.argv[1])
    X, y = newsgroups(job["path"]) if job["path"] else images(job["n"])
    _, coef, intercept = fit("lexigrad newton", 1e-14, X, y)  # compiles, too
    best, bound = cost(X, y, coef, intercept)
    seconds = {system: [] for system in job["systems"]}
    gaps = {}
    for turn in range(job["turns"]):
        for system, tolerance in job["systems"].items():
            if turn and system not in job["again"]:
                continue
            spent, coef, intercept = fit(system, tolerance, X, y)
            seconds[system].append(spent)
            gaps[system] = (cost(X, y, coef, intercept)[0] - best) / best
            print(f"{system}: {spent:.2f} s, gap {gaps[system]:.1e}", file=sys.stderr, flush=True)
    print(json.dumps({"shape": X.shape, "best": best, "bound": bound, "seconds": seconds, "gaps": gaps}))


if __name__ == "__main__":
    main()
