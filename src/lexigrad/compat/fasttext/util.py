"""`fasttext.util`: helpers around models."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lexigrad.compat.fasttext.FastText import _FastText

HOST = "https://dl.fbaipublicfiles.com/fasttext/vectors-crawl/"
"""Where fastText's word vectors of 157 languages are."""
MAPPED_ROWS = 100_000
"""`reduce_model` finds the directions to keep from so many rows of the input, as the original does."""
IF_EXISTS = ("strict", "ignore", "overwrite")


def test(
    predictions: Sequence[Sequence[Any]],
    labels: Sequence[Sequence[Any]],
    k: int = 1,  # noqa: PT028 - this is no test
) -> tuple[float, float]:
    """Return precision and recall at `k` of predicted labels against true ones, both a list of lists.

    >>> test([["a"], ["b"]], [["a"], ["a", "c"]])
    (0.5, 0.3333333333333333)
    """
    hits = sum(label in true for predicted, true in zip(predictions, labels, strict=False) for label in predicted)
    n = min(len(predictions), len(labels))
    return hits / (k * n), hits / sum(len(true) for true in labels[:n])


def find_nearest_neighbor(
    query: NDArray[np.floating],
    vectors: NDArray[np.floating],
    ban_set: Any,
    cossims: NDArray[np.floating] | None = None,
) -> Any:
    """Return the position of the vector whose product with `query` is largest, among those not in `ban_set`.

    `cossims`, (n,), where it is given, is filled with all products.

    Raises
    ------
    ValueError
        If all are banned.
    """
    products = np.matmul(vectors, query, out=cossims)
    for place in np.argsort(-products, kind="stable"):
        if place not in ban_set:
            return place
    raise ValueError("every vector is banned")


def reduce_model(ft_model: _FastText, target_dim: int) -> _FastText:
    """Cut the vectors of a model down to the `target_dim` directions in which those of its input vary most (PCA), in place; return it.

    Raises
    ------
    ValueError
        For a quantised model, and for more directions than there are.
    """
    matrix, output = ft_model.get_input_matrix(), ft_model.get_output_matrix()
    if not 1 <= target_dim <= matrix.shape[1]:
        raise ValueError(f"target_dim={target_dim}: expected 1 to {matrix.shape[1]}, the length of the vectors")
    some = matrix[:MAPPED_ROWS].astype(np.float64)
    some -= some.mean(axis=0)
    _, directions = np.linalg.eigh(some.T @ some)  # by rising variance
    kept = directions[:, ::-1][:, :target_dim].astype(np.float32)
    ft_model.set_matrices(matrix @ kept, output @ kept)
    return ft_model


def download_model(lang_id: str, if_exists: str = "strict", dimension: int | None = None) -> str | None:
    """Fetch the word vectors of a language, cc.LANG.300.bin, into the working folder; return the file's name.

    Parameters
    ----------
    lang_id : such as "en" or "de"
    if_exists : where the file is there already: "ignore" returns its name, "strict" says so and returns None, "overwrite" fetches it again
    dimension : None or 300: others are made by `reduce_model`

    Raises
    ------
    ValueError
        For an unknown language, and for other arguments that cannot be used.
    ConnectionError
        If the file cannot be fetched, such as without a network; nothing is left behind then.
    """
    if not isinstance(lang_id, str) or not re.fullmatch(r"[a-z]{2,3}", lang_id):
        raise ValueError(f"lang_id={lang_id!r}: expected the code of a language, such as 'en'")
    if if_exists not in IF_EXISTS:
        raise ValueError(f"if_exists={if_exists!r}: expected one of {', '.join(IF_EXISTS)}")
    if dimension not in (None, 300):
        raise ValueError(f"dimension={dimension!r}: the vectors have 300 numbers; cut them down by reduce_model")
    name = f"cc.{lang_id}.300.bin"
    if os.path.isfile(name) and if_exists != "overwrite":
        if if_exists == "ignore":
            return name
        sys.stdout.write("File exists. Use if_exists='overwrite' to download anyway.\n")
        return None
    part = f"{name}.part"
    try:
        with (
            urllib.request.urlopen(f"{HOST}{name}.gz") as answer,
            gzip.open(answer) as content,
            open(part, "wb") as out,
        ):
            shutil.copyfileobj(content, out, 1 << 20)
        os.replace(part, name)
    except urllib.error.HTTPError as error:
        if error.code in (403, 404):
            raise ValueError(f"lang_id={lang_id!r}: there are no vectors of this language at {HOST}") from error
        raise ConnectionError(f"{HOST}{name}.gz cannot be fetched: {error}") from error
    except (OSError, EOFError) as error:
        raise ConnectionError(f"{HOST}{name}.gz cannot be fetched: {error}; check the network") from error
    finally:
        if os.path.exists(part):
            os.remove(part)
    return name
