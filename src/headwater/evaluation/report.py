"""The report: everything that was measured of an application, as plain data, a short table, JSON and one HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from headwater import artifact
from headwater.data.records import Problem
from headwater.evaluation.intervals import FEWEST, Estimate, figure, label, spoken
from headwater.evaluation.sections import Sections, aligned
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.evaluation.box_counts import BoxCounts
    from headwater.evaluation.classification import Tally
    from headwater.evaluation.control import Agents
    from headwater.evaluation.detection import BoxTally
    from headwater.evaluation.features import Measured
    from headwater.evaluation.gallery import Gallery
    from headwater.evaluation.mistakes import Mistakes
    from headwater.evaluation.recommendation import Measured as Recommended

FILE, PAGE, CARD = artifact.REPORT
_SHOWN = (
    "accuracy",
    "subset_accuracy",
    "f1_macro",
    "mcc",
    "roc_auc",
    "average_precision",
    "log_loss",
    "ece",
    "map",
    "map75",
    "ar100",
    "mean_iou",
    "mean_dice",
    "pixel_accuracy",
    "mean_class_accuracy",
    "boundary_f",
    "label_by_neighbours",
    "effective_rank",
    "spread",
    "ndcg",
    "recall",
    "precision",
    "mrr",
    "rmse",
    "mae",
    "coverage",
    "novelty",
    "return_iqm",
    "return_std",
    "return_lowest",
    "episode_length",
    "episodes_cut",
)


@dataclass
class Report(Sections):
    """What was measured, section by section; all but the first three may be absent.

    Attributes:
        task: the task's name.
        model: the model's or foundation's name.
        metrics: every metric on the test rows.
        primary: the metric that the application is judged by.
        strategy: how the foundation was adapted; None for basic models.
        rows: how many rows were in train, valid and test.
        notes: what a reader of the metrics must know, as sentences; such as classes without test rows.
        per_class: of each class its name (`class`), `support`, and estimates in JSON (`precision`, `recall`, `f1` ...;
            of masks `iou`, `dice`, `boundary_f`, with `support` in pixels and the `pictures` that have it).
        confusion: `classes` and `counts` by true (rows) and predicted class (columns), `left_out` classes; of pictures
            also `examples` of the most frequent confusions: `target`, `prediction`, `count`, `examples`. Of masks its
            `unit` is pixels, and `pairs` are the most frequent: `target`, `prediction`, `count`, `share` of the target.
        boxes: of found boxes: `threshold` (the score from which on `examples` show them), `curves` of precision by
            recall, `sizes` and `numbers` of the known ones, `examples` of pictures with boxes on them.
        reliability: `bins` (low, high, count, confidence, accuracy), `ece`, `temperature`.
        baselines: for each baseline its metrics.
        gain: the gain over the best baseline, as `intervals.Gain.to_json` gives it.
        mistakes: the most confident ones: `input` (as `showing.shown` gives it), `target`, `prediction`, `confidence`,
            `place`.
        pictures: of masks, the `legend` (`class`, `colour`) and the worst and some typical pictures (`rows`): `kind`,
            `score`, `input` (as `showing.shown` gives it), `known` and `found` (images), `place`.
        lists: of recommended lists their `names` (the model, then its baselines), NDCG by the `activity` of users and
            the share of right items found by the `popularity` of items (rows of `group`, `count`, `scores` by name),
            and the `lists` of some users: `user`, `history`, `list` (`item`, `right`), and how many would be `right`.
        episodes: of agents the `count` of episodes, whether actions were `deterministic`, the sorted `returns` of
            each who acted, and `frames` of one episode.
        trainings: of an agent that is the best of several trainings: their `count`, the seed of the `chosen` one, how
            many `episodes` chose, the estimates `over` all of them, and of each (`rows`) its `seed`, `return`, `std`,
            `lowest` and `highest` in the test episodes, the mean return `choosing`, and whether it is `chosen`.
        stages: the steps of the fit: `name`, `score`, `low`, `high`, `seconds`, `decision`.
        curve: the learning curve: `stage`, `epoch`, `step`, `loss`, `score`; of several trainings the IQM of their
            scores, from the `low` to the `high` one.
        seen: some training pictures as the network saw them while it learnt (`rows`): `image`, `text`, and
            the `labels`, `boxes` or `mask` it was to find; whether they were `altered`, and the `legend` of masks.
        augmentation: what the training rows were made into: `rows`, `copies` by method, `unaltered`, `examples`
            (`method`, `before`, `after`), rows `made` of features, the strategy whose batches were mixed.
        audit: what `data.audit` found.
        split: what `data.splitting` found.
        source: what of another source could be learnt from.
        plan: what was done with the source, and the evidence: `sentence`, `distance`, `close_up_to`, `tried`.
        unlabelled: what of the rows without labels could be learnt from.
        adaptation: how they were learnt from: `method`, `distance`, `gain` over doing nothing, `kept`, `sentence`.
        quarantine: `count`, `share` and `examples` of the rows that could not be used; the same of single `boxes`.
        provenance: `command`, `seed`, `versions`, `hashes`, `seconds`, `machine`.
        search: of the search that found it: `trials`, `best`, `stopped`, `gains`, and the `page` beside the report.
        other: sections that a later version wrote; kept as they are.

    Example:
        >>> report = Report("text-classification", "minilm", {"accuracy": Estimate(0.9, 0.88, 0.92)}, "accuracy")
        >>> Report.from_json(report.to_json()) == report
        True
    """

    kind: ClassVar[str] = "report"

    task: str
    model: str
    metrics: dict[str, Estimate]
    primary: str = "accuracy"
    strategy: str | None = None
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    per_class: list[dict[str, Any]] = field(default_factory=list)
    confusion: dict[str, Any] | None = None
    boxes: dict[str, Any] = field(default_factory=dict)
    reliability: dict[str, Any] | None = None
    baselines: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    gain: dict[str, Any] | None = None
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, Any] = field(default_factory=dict)
    episodes: dict[str, Any] = field(default_factory=dict)
    trainings: dict[str, Any] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    unlabelled: dict[str, Any] = field(default_factory=dict)
    adaptation: dict[str, Any] = field(default_factory=dict)
    quarantine: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Takes the verdict from a gain that too few test rows tell of."""
        rows = self.rows.get("test", FEWEST)
        if self.gain and rows < FEWEST and self.gain.get("value") is not None:
            over, metric, value = self.gain["over"], spoken(self.gain["metric"]), self.gain["value"]
            unit, sign = "episode" if self.episodes else "row", "+" if value >= 0 else ""
            differs = (
                f"Differs from {over} by {sign}{figure(value)} in {metric} on {rows} test {unit}{'s' * (rows != 1)}"
            )
            self.gain = {**self.gain, "real": False, "sentence": f"{differs}: too few test {unit}s to tell."}

    @property
    def score(self) -> Estimate:
        """The primary metric."""
        return self.metrics[self.primary]

    @classmethod
    def of_classification(
        cls, tally: Tally, mistakes: Mistakes, *, seed: int = 0, temperature: float | None = None, **sections: Any
    ) -> Report:
        """The report of a finished tally; `sections` are further fields, task and model among them.

        Accuracy is the primary metric, or F1 over all labels together where a row may have several.
        """
        primary = "f1_micro" if tally.several else "accuracy"
        best = tally.best_baseline(primary)
        return cls(
            metrics=tally.metrics(seed=seed),
            primary=primary,
            notes=_notes(tally),
            per_class=tally.per_class(seed=seed),
            confusion=_confusion(tally, mistakes),
            reliability={**tally.reliability(seed=seed), "temperature": temperature},
            baselines=tally.baseline_metrics(seed=seed),
            gain=tally.gain(best, primary, seed=seed).to_json() if best else None,
            mistakes=mistakes.rows(tally.classes),
            **sections,
        )

    @classmethod
    def of_detection(
        cls, tally: BoxTally, gallery: Gallery, counts: BoxCounts, *, threshold: float = 0.0, seed: int = 0,
        **sections: Any,
    ) -> Report:  # fmt: skip
        """The report of found boxes; `sections` are further fields, task and model among them.

        Boxes with a score of `threshold` or more are shown on pictures; all of them are measured. The mean average
        precision at half of the union, mAP50, is the primary metric.
        """
        best = tally.best_baseline(seed=seed)
        boxes = {
            "threshold": threshold, "curves": tally.curves(), "sizes": counts.sizes(), "numbers": counts.numbers(),
            "examples": gallery.examples(tally.classes, threshold),
        }  # fmt: skip
        return cls(
            metrics=tally.metrics(seed=seed),
            primary="map50",
            notes=_notes(tally, "box is of", "means leave"),
            per_class=tally.per_class(seed=seed),
            boxes=boxes,
            baselines=tally.baseline_metrics(seed=seed),
            gain=tally.gain(best, seed=seed).to_json() if best else None,
            mistakes=gallery.mistakes(tally.classes, threshold),
            **sections,
        )

    @classmethod
    def of_features(cls, measured: Measured, *, seed: int = 0, **sections: Any) -> Report:
        """The report of features; `sections` are further fields, task and model among them.

        How often an image is known again by another view of it is the primary metric.
        """
        best = measured.best_baseline
        return cls(
            metrics=measured.metrics(seed=seed),
            primary="other_view_found",
            notes=measured.notes,
            baselines=measured.baseline_metrics(seed=seed),
            gain=measured.gain(best, seed=seed).to_json(),
            **sections,
        )

    @classmethod
    def of_recommendation(cls, measured: Recommended, **sections: Any) -> Report:
        """The report of recommended lists; `sections` are further fields, task and model among them.

        The normalised discounted cumulative gain of the lists, NDCG, is the primary metric.
        """
        best = measured.best_baseline
        return cls(
            metrics=measured.metrics(),
            primary="ndcg",
            notes=measured.sentences(),
            lists=measured.sections,
            baselines=measured.baseline_metrics(),
            gain=measured.gain(best).to_json() if best else None,
            **sections,
        )

    @classmethod
    def of_control(cls, measured: Agents, **sections: Any) -> Report:
        """The report of an agent's episodes; `sections` are further fields, task and model among them.

        The mean of the undiscounted returns is the primary metric.
        """
        return cls(
            metrics=measured.metrics(),
            primary="return",
            notes=measured.sentences(),
            episodes=measured.section(),
            trainings=measured.trainings.section() if measured.trainings is not None else {},
            baselines=measured.baseline_metrics(),
            gain=measured.gain().to_json(),
            **sections,
        )

    @classmethod
    def known(cls, sections: Mapping[str, Any]) -> dict[str, Any]:
        own = super().known(sections)
        own["metrics"] = _estimates(own["metrics"])
        own["baselines"] = {name: _estimates(metrics) for name, metrics in own.get("baselines", {}).items()}
        return own

    def save(self, folder: str | Path) -> None:
        """Writes report.json, report.html and the model card README.md into a folder, each whole or not at all."""
        from headwater.evaluation.card import model_card

        super().save(folder)
        write_whole(Path(folder) / CARD, model_card(self).encode("utf-8", "replace"))

    def to_html(self) -> str:
        """One self-contained page: no script, no file and no address that it needs."""
        from headwater.evaluation.html import page

        return page(self)

    def __str__(self) -> str:
        """A table for the terminal: the model beside its baselines, and whether the gain is real."""
        names = self.main_metrics
        columns = {"": [label(name) for name in names], self.model: [str(self.metrics[name]) for name in names]}
        for baseline, metrics in self.baselines.items():
            columns[baseline] = [str(metrics[name]) if name in metrics else "-" for name in names]
        lines = [self.title, "", *aligned(columns)]
        if self.gain:
            lines += ["", self.gain["sentence"]]
        if aside := self.quarantine.get("count"):
            rows = "row was" if aside == 1 else "rows were"
            first = Problem(**self.quarantine["examples"][0])
            lines += ["", f"{aside:,} {rows} set aside and not measured. The first is {first}."]
        if (boxes := self.quarantine.get("boxes")) and boxes["count"]:
            were, first = "box was" if boxes["count"] == 1 else "boxes were", Problem(**boxes["examples"][0])
            lines += ["", f"{boxes['count']:,} {were} set aside. The first is {first}."]
        return "\n".join([*lines, *self.notes])

    @property
    def main_metrics(self) -> list[str]:
        """The primary metric, then the few others that fit on a screen."""
        return [name for name in dict.fromkeys((self.primary, *_SHOWN)) if name in self.metrics]

    @property
    def title(self) -> str:
        """What was measured on how many rows, as one line."""
        how = f" ({self.strategy})" if self.strategy else ""
        unit = "episodes" if self.episodes else "rows"
        rows = f", {self.rows['test']:,} test {unit}" if "test" in self.rows else ""
        return f"{self.task}: {self.model}{how}{rows}, 95 % intervals"


def _confusion(tally: Tally, mistakes: Mistakes) -> dict[str, Any] | None:
    counted, examples = tally.confusion(), mistakes.confused(tally.classes)
    return counted | {"examples": examples} if counted and examples else counted


def _notes(tally: Tally | BoxTally, what: str = "row has", leaving: str = "macro means leave") -> list[str]:
    absent = [str(name) for name in tally.absent]
    if not absent or not tally.rows:
        return []
    shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
    return [f"No test {what} the class {shown}: {leaving} {'it' if len(absent) == 1 else 'them'} out."]


def _estimates(metrics: Mapping[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate.from_json(numbers) for name, numbers in metrics.items()}
