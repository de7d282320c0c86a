"""fastText's Python module, on lexigrad: the same names, arguments, answers and files; faster, on all processors.

Either import it by this name, ``from lexigrad.compat import fasttext``, or have it found as ``fasttext`` by programs that stay as they are::

    import lexigrad.compat.fasttext
    lexigrad.compat.fasttext.install()

    import fasttext

``python -m lexigrad.compat.fasttext PROGRAM [ARGUMENTS]`` does that for a program from outside. `docs/fasttext.md` lists every call and what differs.
"""

from __future__ import annotations

import sys
from types import ModuleType

from lexigrad.compat.fasttext import FastText, util
from lexigrad.compat.fasttext.FastText import (
    BOW,
    EOS,
    EOW,
    cbow,
    load_model,
    skipgram,
    supervised,
    tokenize,
    train_supervised,
    train_unsupervised,
)

__all__ = [
    "BOW", "EOS", "EOW", "FastText", "cbow", "install", "load_model", "skipgram", "supervised", "tokenize", "train_supervised", "train_unsupervised",
    "util",
]  # fmt: skip


def install(replace: bool = False) -> ModuleType:
    """Have this module found as `fasttext`, with `fasttext.FastText` and `fasttext.util`, by all imports that follow in this process; return it.

    Parameters
    ----------
    replace : take the place of another `fasttext` that was imported already; what has hold of that one keeps it

    Raises
    ------
    ImportError
        If another `fasttext` was imported already, and `replace` is False: objects of both would mix.

    Examples
    --------
    >>> from lexigrad.compat import fasttext as ours
    >>> module = ours.install()
    >>> import fasttext
    >>> fasttext is ours
    True
    """
    here = sys.modules[__name__]
    there = sys.modules.get("fasttext")
    if there is not None and there is not here and not replace:
        where = getattr(there, "__file__", None) or "an unknown place"
        raise ImportError(
            f"another module fasttext was imported already, from {where}: call install() before that import, or install(replace=True)"
        )
    for name in [name for name in sys.modules if name.startswith("fasttext.")]:
        del sys.modules[name]
    sys.modules["fasttext"], sys.modules["fasttext.FastText"], sys.modules["fasttext.util"] = here, FastText, util
    return here
