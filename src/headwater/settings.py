"""Every setting of a run. The sentence beside a field is its help, its YAML comment and its documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from headwater.options import Between, Duration, Needs, Of, OneOf
from headwater.ranges import Search

IMBALANCE = ("none", "weights", "class-balanced", "oversample", "undersample", "smote")
AUGMENT = ("word-dropout", "word-swap", "span-masking", "back-translation", "mixup")
IMAGE_AUGMENT = ("auto", "none", "light", "standard", "strong")
STRATEGIES = ("auto", "probe", "lora", "last-layers", "full", "probe-then-full", "few-shot")
UNLABELLED_METHODS = ("self-training", "coral", "dann", "pretraining")
PLANS = ("auto", "joint", "augment", "target-only")
PROTOCOLS = ("auto", "random", "stratified", "time", "leave-last-out", "cold-items", "cold-users")
_NAMING = Of("Category")
"""Of tasks that name the class of a whole row."""
_RECOMMENDING = Of("Item")
_ACTING = Of("Action")
_OF_SELF_TRAINING = (_NAMING, Needs("unlabelled"), Needs("unlabelled_method", ("self-training",)))
_TRAINED = ("auto", "lora", "last-layers", "full", "probe-then-full")
"""The strategies that train in epochs."""


@dataclass(frozen=True, kw_only=True)
class ReadingSettings:
    """Which columns mean what, how files are read, and what becomes of bad rows."""

    section: ClassVar[str] = "Data"

    text: Annotated[
        tuple[str, ...] | None,
        Of("Text"),
        _RECOMMENDING,
        "The text column; two make a text pair. Found by its content if not given.",
    ] = None
    image: Annotated[
        tuple[str, ...] | None,
        Of("Image"),
        _RECOMMENDING,
        "The column of images: paths, or the bytes. Found by content if not given.",
    ] = None
    target: Annotated[tuple[str, ...] | None, "The label column; several 0/1 columns make a multi-label target."] = None
    user: Annotated[str | None, _RECOMMENDING, "The column of users. Found by its name if not given."] = None
    item: Annotated[str | None, _RECOMMENDING, "The column of items. Found by its name if not given."] = None
    rating: Annotated[
        str | None,
        _RECOMMENDING,
        "The column of ratings; `no` where there is one that is not to be read. Found by its name if not given.",
    ] = None
    label_separator: Annotated[str | None, _NAMING, "Cut each target cell here into several labels (multi-label)."] = (
        None
    )
    mask_void: Annotated[
        tuple[str, ...] | None,
        Of("Mask"),
        "Numbers, colours or names in masks that are no class, such as 255; `no` where all are. Found if not given.",
    ] = None
    delimiter: Annotated[str | None, "The character between cells of a text table. Found by content if not given."] = (
        None
    )
    encoding: Annotated[str | None, "The character encoding of text files. Found by content if not given."] = None
    quarantine_share: Annotated[float, Between(0, 1), "Stop when more than this share of rows cannot be read."] = 0.05


@dataclass(frozen=True, kw_only=True)
class DataSettings(ReadingSettings):
    """The same, and how rows are divided."""

    section: ClassVar[str] = "Data"

    valid: Annotated[str | None, "A file of validation rows, instead of a share of the data."] = None
    test: Annotated[str | None, "A file of test rows, instead of a share of the data."] = None
    split: Annotated[str | None, "A column that says train, valid or test of each row."] = None
    group: Annotated[str | None, "A column whose equal values stay on one side of every split."] = None
    time: Annotated[str | None, "A column to split by time: the newest rows are the test rows."] = None
    valid_share: Annotated[float, Between(0.01, 0.5), "The share of training rows held out for validation."] = 0.1
    test_share: Annotated[float, Between(0.01, 0.5), "The share of rows held out for the test."] = 0.2
    imbalance: Annotated[str, _NAMING, OneOf(IMBALANCE), "What to do when classes are of unequal size."] = "none"


@dataclass(frozen=True, kw_only=True)
class InteractionSettings:
    """What is told of items and users, what is recommended, and how that is measured."""

    section: ClassVar[str] = "Recommendation"

    items: Annotated[
        str | None, _RECOMMENDING, "A file that describes items, a row each: titles, genres, texts, images."
    ] = None
    users: Annotated[str | None, _RECOMMENDING, "A file that describes users, a row each."] = None
    journal: Annotated[
        str | None,
        _RECOMMENDING,
        "A folder of new interactions that headwater serve kept, such as RUN.journal, to learn from as well.",
    ] = None
    protocol: Annotated[
        str,
        _RECOMMENDING,
        OneOf(PROTOCOLS),
        "Which interactions are the test: a random share of each user's, or of each item's (stratified), the newest of "
        "all, the last of each user, all of some items, or of some users. auto: by time where --time is given, else "
        "random.",
    ] = "auto"
    k: Annotated[int, _RECOMMENDING, Between(1, 1000), "How many items are recommended, and measured."] = 10
    relevant_from: Annotated[
        float | None,
        _RECOMMENDING,
        "The rating from which a test item counts as liked. Every one does if not given.",
    ] = None
    exclude_seen: Annotated[bool, _RECOMMENDING, "Recommend no item that the user had to do with before."] = True


@dataclass(frozen=True, kw_only=True)
class ControlSettings:
    """How long an agent learns in its environment, and how it is measured."""

    section: ClassVar[str] = "Control"

    steps: Annotated[
        int | None,
        _ACTING,
        Between(0, 10_000_000_000),
        "Steps of the environment to learn from; 0 learns from demonstrations alone. What suits the environment and "
        "the model if not given.",
    ] = None
    trainings: Annotated[
        int,
        _ACTING,
        Between(1, 1000),
        "Whole trainings, with --seed and the seeds that follow it. The best policy of all is kept; the report says "
        "how far one training differs from the next.",
    ] = 1
    envs: Annotated[
        int | None,
        _ACTING,
        Between(1, 4096),
        "Environments side by side in one process. What suits the environment and the model if not given.",
    ] = None
    env: Annotated[
        tuple[str, ...] | None, _ACTING, "An argument of the environment as NAME=VALUE, such as map_name=8x8."
    ] = None
    episode_limit: Annotated[
        int | None,
        _ACTING,
        Between(1, 100_000_000),
        "Steps after which an episode is cut. The environment's own limit, else 10,000, if not given.",
    ] = None
    episodes: Annotated[int, _ACTING, Between(1, 1_000_000), "Episodes that measure the agent."] = 100
    evaluations: Annotated[
        int, _ACTING, Between(1, 10_000), "How often the policy is scored while it learns; the best one is kept."
    ] = 20
    deterministic: Annotated[bool, _ACTING, "Measure the best action it knows, not actions drawn from its policy."] = (
        True
    )
    encoder: Annotated[
        str | None,
        _ACTING,
        "A foundation that looks at the images of observations, or reads their texts: an embedded name, hub id, folder "
        "or run. Frozen, or with --strategy full learning with the agent.",
    ] = None
    demonstrations: Annotated[
        str | None,
        _ACTING,
        "A table of observations and actions to imitate before learning online, and beside it; of rows with rewards "
        "and ends also what they are worth is learnt.",
    ] = None
    observation: Annotated[
        str | None, _ACTING, "The column of observations in tables that are asked about; `observation` if not given."
    ] = None


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Rows of another source that are learnt from as well, and how."""

    section: ClassVar[str] = "Source"

    source: Annotated[
        str | None,
        _NAMING,
        "A file, folder or hub:owner/name with the same columns, to learn from as well; never tested on.",
    ] = None
    plan: Annotated[
        str,
        _NAMING,
        OneOf(PLANS),
        Needs("source"),
        "What to do with the source: learn from both, alter the target rows and take like source rows, or neither.",
    ] = "auto"
    verify: Annotated[
        bool,
        _NAMING,
        Needs("source"),
        Needs("plan", ("auto",)),
        "Let cheap probes of every plan choose between them, not the distance alone.",
    ] = False


@dataclass(frozen=True, kw_only=True)
class UnlabelledSettings:
    """Rows without labels from where the application will be used, and how they are learnt from."""

    section: ClassVar[str] = "Unlabelled rows"

    unlabelled: Annotated[
        str | None,
        _NAMING,
        "A file, folder or hub:owner/name of rows without labels from where the application will be used.",
    ] = None
    unlabelled_method: Annotated[
        str,
        _NAMING,
        OneOf(UNLABELLED_METHODS),
        Needs("unlabelled"),
        "How they are learnt from: by the model's own confident answers, by aligning features, by features that hide "
        "where a row is from, or by the foundation's own pretraining going on.",
    ] = "self-training"
    self_training_confidence: Annotated[
        float, Between(0.5, 1), *_OF_SELF_TRAINING, "The probability from which the model's own answer is believed."
    ] = 0.8
    self_training_weight: Annotated[
        float, Between(0.001, 100), *_OF_SELF_TRAINING, "What a believed answer weighs, where a labelled row weighs 1."
    ] = 1.0
    self_training_rounds: Annotated[
        int, Between(1, 100), *_OF_SELF_TRAINING, "Fits one after another, each on the answers of the one before."
    ] = 3
    dann_weight: Annotated[
        float,
        _NAMING,
        Between(0, 100),
        Needs("unlabelled"),
        Needs("unlabelled_method", ("dann",)),
        "What hiding where a row is from weighs against naming its class.",
    ] = 0.1
    pretraining_epochs: Annotated[
        int,
        _NAMING,
        Between(1, 1000),
        Needs("unlabelled"),
        Needs("unlabelled_method", ("pretraining",)),
        "Passes over the texts in which the foundation's own pretraining goes on.",
    ] = 3


@dataclass(frozen=True, kw_only=True)
class LearningSettings:
    """What learns, and how. None leaves the choice to the model, whose page says what it takes."""

    section: ClassVar[str] = "Learning"

    strategy: Annotated[
        str,
        OneOf(STRATEGIES),
        Search(leave=("auto", "few-shot")),
        "How a foundation is adapted; basic models train as they are.",
    ] = "auto"
    budget: Annotated[
        str | None,
        Duration(),
        "The time for learning: when it is used up training stops, and no stage begins that would not fit into it.",
    ] = None
    epochs: Annotated[
        int | None,
        Between(1, 10_000),
        Search(0.5, 2, log=True, of_own=True, under=_TRAINED),
        "Passes over the training rows.",
    ] = None
    learning_rate: Annotated[
        float | None,
        Between(0, 10),
        Search(0.1, 10, log=True, of_own=True, under=_TRAINED),
        "The highest learning rate of the schedule.",
    ] = None
    batch_size: Annotated[
        int,
        Between(1, 65_536),
        Search(8, 128, log=True, under=_TRAINED),
        "Rows in one optimiser step, over all processes.",
    ] = 32
    warmup: Annotated[
        float, Between(0, 1), Search(0, 0.3, under=_TRAINED), "The share of steps in which the learning rate rises."
    ] = 0.1
    weight_decay: Annotated[
        float,
        Between(0, 1),
        Search(1e-4, 0.3, log=True, under=_TRAINED),
        "Decoupled weight decay; embeddings, norms and biases have none.",
    ] = 0.01
    clip: Annotated[float, Between(0, None), "The largest norm of the gradient; 0 leaves it as it is."] = 1.0
    patience: Annotated[
        int | None,
        Between(1, 10_000),
        "Epochs without a better validation score before training stops. A quarter of all, 3 at least, if not given.",
    ] = None
    last_layers: Annotated[
        int, Between(1, 1000), Search(1, 6, under=("last-layers",)), "How many of the last layers `last-layers` trains."
    ] = 2
    lora_rank: Annotated[
        int, Between(1, 1024), Search(2, 64, log=True, under=("lora",)), "The rank of the update that `lora` learns."
    ] = 8
    precision: Annotated[
        str,
        OneOf(("auto", "fp32", "bf16", "fp16")),
        "The number format of training; auto takes what the device does fast.",
    ] = "auto"
    checkpoint_seconds: Annotated[
        float, Between(0, None), "The time between two checkpoints of a running training."
    ] = 60.0


@dataclass(frozen=True, kw_only=True)
class ComputingSettings:
    """Where and in what portions a model computes, whether or not it learns."""

    section: ClassVar[str] = "Computing"

    seed: Annotated[int, Between(0, 2**32 - 1), "The seed of every random choice."] = 0
    device: Annotated[
        str, OneOf(("auto", "cpu", "cuda", "mps")), "Where to compute; auto takes the fastest there is."
    ] = "auto"
    token_budget: Annotated[
        int | None,
        Between(16, 10_000_000),
        "The most tokens, padding included, in one pass through the network. What suits the device if not given.",
    ] = None
    max_length: Annotated[
        int | None,
        Of("Text"),
        _RECOMMENDING,
        Between(4, 1_000_000),
        "Tokens of a text that are read; the rest is cut off.",
    ] = None
    image_size: Annotated[
        int | None,
        Of("Image"),
        _RECOMMENDING,
        Between(16, 1024),
        "Pixels along each edge of what the model sees. What suits the images and the model if not given.",
    ] = None


@dataclass(frozen=True, kw_only=True)
class AugmentSettings:
    """What the training rows are made into, beside themselves. Validation and test rows stay as they are."""

    section: ClassVar[str] = "Augmentation"

    augment: Annotated[
        tuple[str, ...] | None,
        Of("Text"),
        OneOf(AUGMENT),
        "How altered copies of the training rows are made; several take turns.",
    ] = None
    augment_copies: Annotated[int, Of("Text"), Between(1, 100), "Altered copies of each training row."] = 1
    augment_strength: Annotated[
        float, Of("Text"), Between(0.01, 0.9), "The share of the words of a copy that is altered."
    ] = 0.1
    augment_weight: Annotated[
        float,
        Of("Text"),
        Between(0.01, 100),
        "What the copies of a row weigh together in the loss, where the row itself weighs 1.",
    ] = 1.0
    augment_model: Annotated[
        str | None,
        Of("Text"),
        "The masked language model of span-masking: a hub id or a folder. The foundation if it can.",
    ] = None
    augment_translators: Annotated[
        tuple[str, ...] | None, Of("Text"), "The two models of back-translation, there and back: hub ids or folders."
    ] = None
    image_augment: Annotated[
        str,
        Of("Image"),
        OneOf(IMAGE_AUGMENT),
        "How training images are altered, anew in every step; what auto takes is on the page of the task or the model.",
    ] = "auto"
    mixup_alpha: Annotated[
        float, Of("Text"), Between(0.01, 100), "How evenly mixup mixes: its Beta distribution's parameter."
    ] = 0.2
    class_balanced_beta: Annotated[
        float, _NAMING, Between(0, 0.999999), "Of class-balanced: 0 weighs all rows alike, near 1 all classes alike."
    ] = 0.999


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What a run may reach and leave behind."""

    section: ClassVar[str] = "Run"

    offline: Annotated[bool, "Reach no network: foundations come from this machine or not at all."] = False
    trust_remote_code: Annotated[
        bool, "Let a hub model run the code that came with it. Only for code you have read."
    ] = False
    feature_cache: Annotated[bool, "Keep frozen features on disk, so that a second run need not compute them."] = True


@dataclass(frozen=True, kw_only=True)
class Settings(
    RunSettings,
    ComputingSettings,
    AugmentSettings,
    LearningSettings,
    UnlabelledSettings,
    SourceSettings,
    ControlSettings,
    InteractionSettings,
    DataSettings,
):
    """All settings of a run in one flat name space.

    Example:
        >>> from headwater.options import build
        >>> build(Settings, {"strategy": "prob"})
        Traceback (most recent call last):
        headwater.errors.SettingError: settings: strategy cannot have this value. Got 'prob'. Accepted: auto, ...
    """


@dataclass(frozen=True, kw_only=True)
class ViewSettings(RunSettings, ComputingSettings, ReadingSettings):
    """What may be told where data is only looked at with a model: nothing learns in it, and nothing is divided."""


@dataclass(frozen=True, kw_only=True)
class CompareSettings(ViewSettings):
    """What a comparison of two data sets may be told: nothing learns in it, and nothing is divided."""

    section: ClassVar[str] = "Comparison"

    rows: Annotated[int, Between(20, 5000), "The most rows of each side that are compared, drawn at random."] = 2000


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """What `tune` is told of its search, beside the settings of every run."""

    section: ClassVar[str] = "Search"

    trials: Annotated[
        int | None,
        Between(1, 100_000),
        "Trials at most; 20, or with a budget as many as it has time for, if not given.",
    ] = None
    jobs: Annotated[int, Between(1, 1024), "Processes that try at the same time; they share the cores."] = 1
    search: Annotated[str | None, "A YAML file that narrows or widens what is searched."] = None


@dataclass(frozen=True, kw_only=True)
class TuneSettings(SearchSettings, Settings):
    """All settings of `tune` in one flat name space."""


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """What a model is told that takes nothing of its own: its settings are those of every run."""

    section: ClassVar[str] = "Foundation"
