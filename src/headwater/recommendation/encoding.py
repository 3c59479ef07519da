"""Items in numbers: their words as TF-IDF, their texts and pictures as a frozen foundation sees them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from scipy import sparse

from headwater import catalog
from headwater.foundation.locate import locate
from headwater.settings import Settings

_SPACELESS: Final = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
"""Scripts that put no spaces between words, whose characters stand for words here."""
_TOKEN: Final = re.compile(rf"[{_SPACELESS}]|[^\W{_SPACELESS}]+(?:['’-][^\W{_SPACELESS}]+)*")


def tokens(text: str) -> list[str]:
    """The words of a text in lower case; what a hyphen or an apostrophe joins is one.

    Example:
        >>> tokens("Sci-Fi, Children's"), tokens("电影")
        (['sci-fi', "children's"], ['电', '影'])
    """
    return _TOKEN.findall(text.lower())


def word_vectors(columns: Sequence[Sequence[str]]) -> sparse.csr_matrix:
    """TF-IDF of words (Salton and Buckley 1988), float32 of shape (items, words of all columns).

    A word of one column is not that of another: `Western` may be a title or a genre. Each column has a length of one,
    so that short ones weigh as much as long ones, and all together have one as well.

    Args:
        columns: for each column a text for each item.

    Example:
        >>> (100 * word_vectors([["a boat", "a car"], ["war", ""]]).toarray()).round().astype(int).tolist()
        [[41, 58, 0, 71], [58, 0, 81, 0]]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    blocks = [
        TfidfVectorizer(analyzer=tokens, sublinear_tf=True, dtype=np.float32).fit_transform(texts)
        for texts in columns
        if any(map(tokens, texts))
    ]
    if not blocks:
        return sparse.csr_matrix((len(columns[0]), 0), dtype=np.float32)
    return sparse.csr_matrix(of_length_one(sparse.csr_matrix(sparse.hstack(blocks), dtype=np.float32)))


def of_length_one(rows: Any) -> Any:
    """Rows divided by their lengths, sparse or not; empty ones stay as they are."""
    squares = rows.multiply(rows).sum(axis=1) if sparse.issparse(rows) else (rows * rows).sum(axis=1)
    lengths = np.sqrt(np.asarray(squares, dtype=np.float64)).ravel()
    scale = (1 / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return sparse.diags(scale) @ rows if sparse.issparse(rows) else rows * scale[:, None]


def main_directions(rows: Any, width: int, seed: int) -> np.ndarray:
    """Rows in their main directions (latent semantic analysis, Deerwester et al. 1990), float32 of shape (rows, width).

    There are fewer directions where there are fewer rows or columns.
    """
    from sklearn.utils.extmath import randomized_svd

    width = min(width, *rows.shape)
    if width == 0:
        return np.zeros((rows.shape[0], 1), dtype=np.float32)
    found, sizes, _ = randomized_svd(rows, width, random_state=seed, n_iter=7)
    return (found * sizes).astype(np.float32)


def text_features(texts: Sequence[str], encoder: str, settings: Settings) -> np.ndarray:
    """What a frozen text encoder makes of texts, float32 of shape (items, width); empty ones are not described.

    Rows have a length of one; those of items that are not described are the mean of all others.
    """
    kind = catalog.load("headwater.foundation.text:TextEncoder", extra="recommendation")
    options = {"max_length": settings.max_length}
    return _features(kind, [text or None for text in texts], encoder, settings, options)


def picture_features(pictures: Sequence[Any], encoder: str, settings: Settings) -> np.ndarray:
    """The same of pictures; None is an item without one."""
    kind = catalog.load("headwater.foundation.image:ImageEncoder", extra="vision")
    return _features(kind, pictures, encoder, settings, {"side": settings.image_size})


def _features(
    kind: Any, inputs: Sequence[Any], name: str, settings: Settings, options: dict[str, Any]
) -> np.ndarray:  # fmt: skip
    from headwater.training.device import device_of
    from headwater.transfer.features import extract

    trusted = settings.trust_remote_code
    where = "the model's setting encoder"
    folder = locate(name, offline=settings.offline, trust_remote_code=trusted, where=where)
    encoder = kind.load(folder, name, device=str(device_of(settings)), trust_remote_code=trusted, **options)
    there = [row for row, one in enumerate(inputs) if one is not None]
    found = np.zeros((len(inputs), encoder.width), dtype=np.float32)
    if there:
        found[there] = of_length_one(extract(encoder, [inputs[row] for row in there], settings))
        missing_rows = np.setdiff1d(np.arange(len(inputs)), there)
        found[missing_rows] = found[there].mean(axis=0)
    return found
