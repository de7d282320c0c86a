r"""The vocabulary of LaTeX formulas: which commands are letters, marks, signs, relations and functions."""

from __future__ import annotations

from collections.abc import Sequence

from lexigrad.derivations.reading.raw import Raw

GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi",
    "varpi", "rho", "varrho", "sigma", "varsigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega", "ell", "imath", "jmath", "hbar", "aleph",
}  # fmt: skip
"""Commands that are letters."""

MARKS = {
    "\\hat": "hat", "\\widehat": "hat", "\\tilde": "tilde", "\\widetilde": "tilde", "\\bar": "bar", "\\overline": "bar", "\\dot": "dot",
    "\\mathcal": "cal", "\\mathscr": "cal", "\\check": "check", "\\breve": "breve", "\\underline": "under",
}  # fmt: skip
"""What over or about a letter makes another name of it."""

BOLD = {"\\mathbf", "\\boldsymbol", "\\bm", "\\pmb", "\\vec", "\\mathbfit", "\\textbf", "\\symbf"}
"""What says that a letter is a vector or a matrix."""

BLACKBOARD = {"\\mathbb", "\\mathds", "\\mathbbm"}
"""Double-struck letters, of which only digits are quantities."""

UPRIGHT = {
    "\\mathrm", "\\operatorname", "\\operatorname*", "\\text", "\\textrm", "\\textit", "\\mathit", "\\textsf", "\\mathsf", "\\mathtt", "\\texttt",
    "\\mbox", "\\textnormal",
}  # fmt: skip
"""What makes a word of letters."""

FRACTIONS = {"\\frac", "\\dfrac", "\\tfrac", "\\cfrac"}
BRACES = {"\\underbrace", "\\overbrace"}
"""Commands whose scripts are remarks."""

WRAPPERS = BRACES | {"\\boxed", "\\cancel", "\\ensuremath", "\\mathclose", "\\mathopen", "\\mathord", "\\smash"}
"""Commands that stand for their argument."""

SINGLE_BARS = {"|", "\\vert", "\\lvert", "\\rvert", "\\mid"}
DOUBLE_BARS = {"\\|", "\\Vert", "\\lVert", "\\rVert"}

SIGNS = {
    "+": "PLUS", "-": "MINUS", "\\cdot": "DOT", "\\bullet": "DOT", "\\times": "TIMES", "*": "TIMES", "\\ast": "TIMES", "\\odot": "CIRCLE",
    "\\circ": "CIRCLE", "/": "SLASH", "\\oslash": "SLASH", "\\div": "SLASH", "(": "LPAR", ")": "RPAR", "[": "LPAR", "]": "RPAR", "\\{": "LPAR",
    "\\}": "RPAR", "\\lbrace": "LPAR", "\\rbrace": "RPAR", "\\lbrack": "LPAR", "\\rbrack": "RPAR", "{": "OPEN", "}": "CLOSE", ",": "COMMA",
    "\\colon": "COMMA", "!": "FACTORIAL",
}  # fmt: skip
"""Signs that are tokens of the grammar, by their kind there."""

RELATIONS = {
    "=": "=", "\\ne": "!=", "\\neq": "!=", "\\not=": "!=", "<": "<", ">": ">", "\\le": "<=", "\\leq": "<=", "\\leqslant": "<=", "\\ge": ">=",
    "\\geq": ">=", "\\geqslant": ">=", "\\lt": "<", "\\gt": ">", "\\in": "in", "\\notin": "not in",
}  # fmt: skip

ELLIPSES = {"\\dots", "\\ldots", "\\cdots", "\\vdots", "\\ddots", "\\dotsc", "\\dotsb"}
BIG = {"\\sum": "sum", "\\prod": "product", "\\max": "max", "\\min": "min"}
"""Operators over an index."""

FUNCTIONS = {
    "softmax": "softmax", "logsoftmax": "log_softmax", "sigmoid": "sigma", "logistic": "sigma", "exp": "exp", "log": "log", "ln": "log", "sqrt": "sqrt",
    "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sin": "sin", "cos": "cos", "tan": "tan", "relu": "relu", "softplus": "softplus", "logit": "logit",
    "logsumexp": "logsumexp", "lse": "logsumexp", "max": "max", "min": "min", "diag": "diag", "tr": "tr", "trace": "tr", "det": "det", "sign": "sign",
    "sgn": "sign", "abs": "abs", "log1p": "log1p", "expm1": "expm1", "arctan": "arctan", "mean": "mean", "step": "step", "logsigmoid": "log_sigma",
}  # fmt: skip
"""Functions with a meaning of their own, by the word that is written."""

TRANSPOSED = {"T", "\\top", "\\intercal", "\\mathsf{T}", "\\mathsfT", "\\mathrm{T}", "\\text{T}", "\\tinyT"}
"""What stands above a matrix that is transposed."""

STARS = {"*", "\\ast", "\\star"}


def written(tokens: Sequence[Raw]) -> str:
    """Return tokens as one text, without blanks."""
    return "".join(token.text for token in tokens)


def is_letter(text: str) -> bool:
    """Tell whether a token is one letter."""
    return len(text) == 1 and text.isalpha()


def plain_word(word: str) -> str:
    """Return a word as the functions are listed: "Log-Softmax" is "logsoftmax"."""
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")
