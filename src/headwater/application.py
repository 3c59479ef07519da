"""The contract that all tasks keep, and what a prediction is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from headwater.errors import NotFittedError
from headwater.options import in_words
from headwater.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from headwater.data.gathering import Gathered
    from headwater.data.records import Problem, Records
    from headwater.data.traits import Traits
    from headwater.evaluation.report import Report
    from headwater.foundation.origin import Origin
    from headwater.run import Run


@dataclass(frozen=True)
class Predictions:
    """One row of output for every row of input, in order.

    Attributes:
        labels: the predicted label of each row (a list where several may hold), None where there is no answer.
        probabilities: shape (rows, classes); not-a-number in the rows without an answer. None when the task has none.
        classes: the class of each column of `probabilities`.
        reasons: why a row has no answer; None where it has one.
        kind: the Arrow type of a label, where some rows do not show it; None where each does.
    """

    labels: list[Any]
    probabilities: np.ndarray | None
    classes: tuple[Any, ...]
    reasons: list[str | None]
    kind: pa.DataType | None = None

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The rows of several parts, one part after the other; there is at least one part."""
        import numpy as np

        spread = [part.probabilities for part in parts if part.probabilities is not None]
        return cls(
            labels=[label for part in parts for label in part.labels],
            probabilities=np.concatenate(spread) if spread else None,
            classes=parts[0].classes,
            reasons=[reason for part in parts for reason in part.reasons],
            kind=parts[0].kind,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.labels)

    def __getitem__(self, row: int) -> Any:
        return self.labels[row]

    @property
    def confidence(self) -> list[float | None]:
        """The probability of the most probable class of each row."""
        if self.probabilities is None:
            return [None] * len(self)
        best = self.probabilities.max(axis=1)
        return [None if reason else float(value) for value, reason in zip(best, self.reasons, strict=True)]

    def to_arrow(self) -> pa.Table:
        """The columns prediction and reason; of a task with probabilities confidence, and `probability:CLASS`."""
        import pyarrow as pa

        columns: dict[str, Any] = {
            "prediction": self.labels if self.kind is None else pa.array(self.labels, self.kind),
            **({} if self.probabilities is None else {"confidence": pa.array(self.confidence, pa.float64())}),
            "reason": pa.array(self.reasons, pa.string()),
        }
        if self.probabilities is not None:
            for position, name in enumerate(self.classes):
                columns[f"probability:{name}"] = pa.array(self.probabilities[:, position], from_pandas=True)
        return pa.table(columns)

    def to_pandas(self) -> Any:
        """The same columns as a pandas DataFrame."""
        return self.to_arrow().to_pandas()


@dataclass(frozen=True)
class Stage:
    """One step of a fit as the report shows it: what was tried, how it scored on rows held out, what followed.

    A stage that was not tried has no score.
    """

    name: str
    score: float | None
    low: float | None
    high: float | None
    seconds: float
    decision: str

    def __str__(self) -> str:
        if self.score is None:
            return f"{self.name}: {self.decision}"
        score = f"{self.score:.3f} [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.name}: {score} on held-out rows after {in_words(self.seconds)}, {self.decision}"


@dataclass
class Trace:
    """What a model can tell of its own fit: the stages tried, the learning curve of each, the rows that were made.

    A model of pictures also tells what it has seen of some of them: `rows`, and whether they were `altered`.
    """

    stages: list[Stage] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    augmentation: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Marks:
    """How an application did on labelled rows, row by row, so that two can be compared on the same ones.

    Attributes:
        right: shape (rows,): 1 or 0, or the share of right labels where several may hold.
        truth: the probability it gave the truth, shape (rows,).
        finest: the least by which the mean of `right` can differ between two applications.
    """

    right: np.ndarray
    truth: np.ndarray
    finest: float

    @property
    def score(self) -> float:
        """The mean of `right`, ties broken by the mean of `truth`; higher is better."""
        return float(self.right.mean() + self.truth.mean() * self.finest / (1 + self.finest))


class Ready(Protocol):
    """What `prepare` gives: what to learn from, choose by and be measured on, and what was found in it."""

    @property
    def train(self) -> Sized: ...
    @property
    def valid(self) -> Any: ...
    @property
    def test(self) -> Any: ...
    @property
    def findings(self) -> dict[str, Any]: ...
    @property
    def set_aside(self) -> list[Problem]: ...


class Application(ABC):
    """A task, a model, its fields and its report: fits, predicts, evaluates, saves, loads.

    Constructors store settings; `fit` checks them. The same five verbs serve every task and every model.
    """

    task: ClassVar[str]
    input_setting: ClassVar[str]
    """The setting that names the input column."""

    def __init__(self, model: str | None = None, settings: Settings | None = None, **model_settings: Any) -> None:
        self.model_name = model
        self.settings = settings or Settings()
        self.model_settings = model_settings
        self.held: Mapping[str, Any] = {}  # rows in memory, by the setting that they were given as
        self.report: Report | None = None
        self.config: str | None = None  # the configuration that makes it again, as YAML, where `adapt` made it
        self.trace = Trace()

    @property
    def input_columns(self) -> tuple[str, ...] | None:
        """The input columns that the settings name; None where they are to be found."""
        return getattr(self.settings, self.input_setting)

    @abstractmethod
    def prepare(self, source: Any, *, want_test: bool = True) -> Ready:
        """Training, validation and test rows of a source, with what was found in it."""

    @abstractmethod
    def fit(self, records: Any, valid: Any = None, *, run: Run | None = None) -> Self:
        """Learns from records (anything that `headwater.data` reads, or what `prepare` gave).

        Rows of `valid` choose between settings; without them, a share of the records does.
        """

    @abstractmethod
    def predict(self, inputs: Any) -> Predictions:
        """One prediction a row, in order; a row that cannot be read gives None and its reason."""

    @abstractmethod
    def evaluate(self, records: Any) -> Report:
        """Measures the application on labelled records, with intervals and baselines."""

    @abstractmethod
    def gather(self, source: Any) -> Gathered:
        """The usable rows of a source that is only looked at; it need not have labels."""

    @abstractmethod
    def marks(self, records: Records) -> Marks:
        """How right it is on each labelled row; rows without an input or a known label are left out."""

    @abstractmethod
    def view(self, values: Sequence[Any]) -> np.ndarray:
        """What the model sees of input values before it has learnt from them: features of shape (rows, width)."""

    @abstractmethod
    def traits(self, values: Sequence[Any]) -> Traits:
        """What a person can check of input values with their own eyes: their words, lengths, languages."""

    @abstractmethod
    def reading(self, values: Sequence[Any]) -> Traits:
        """How well the model's own way to read fits input values; empty where it has none before it learns."""

    @abstractmethod
    def origin(self) -> Origin | None:
        """What is written down of the data behind the model; None for a basic model, which has seen none yet."""

    @abstractmethod
    def augment(self, values: Sequence[Any], method: str, draw: int, run: Run) -> list[Any]:
        """An altered copy of each input value, None where the method can alter nothing.

        Args:
            values: input values of training rows; they stay as they are.
            method: a name of the setting `augment` whose work is on inputs.
            draw: which copy of these values it is, from 0: another draw gives other copies, the same gives the same.
            run: settings, and a folder in which what a model has altered is kept for a resumed run.

        Raises:
            SettingError: the method needs a model that was not given.
        """

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Writes what the application learnt as safetensors and JSON; `save` adds the manifest around it."""

    @abstractmethod
    def read(self, folder: Path) -> None:
        """Takes back what `write` wrote, and the report of the run folder around it."""

    @abstractmethod
    def parts(self, inputs: Any) -> Iterator[tuple[Records, Predictions]]:
        """`predict` in parts of bounded size, for inputs that do not fit into memory."""

    def story(self) -> dict[str, Any]:
        """Sections of the report that only the fit can tell, by name; empty for a task without any."""
        return {}

    @property
    @abstractmethod
    def fitted(self) -> bool:
        """Whether `fit` or `read` has been called."""

    @property
    def shown_model(self) -> str:
        """The model's name; that of its folder when it came from one."""
        return Path(str(self.model_name)).name if Path(str(self.model_name)).is_dir() else str(self.model_name)

    def save(self, folder: str | Path) -> None:
        """Writes the application to a run folder, whole or not at all: what was there stays until all is written.

        Raises:
            NotFittedError: it has learnt nothing yet.
            ArtifactError: the folder holds files that are not of a run.
            ResourceError: the folder cannot be written.
        """
        from headwater import artifact

        self.require_fitted("save")
        artifact.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Application:
        """Reads an application from a run folder after checking the hash of every file of its model."""
        from headwater import artifact

        return artifact.load(Path(folder))

    def require_fitted(self, verb: str) -> None:
        """Raises NotFittedError unless the application has learnt something."""
        if not self.fitted:
            raise NotFittedError(
                f"{verb} needs a fitted application",
                where=type(self).__name__,
                fix="Call fit first, or load a run folder.",
            )
