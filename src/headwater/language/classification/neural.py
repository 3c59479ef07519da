"""What all networks trained from scratch share: vocabulary, word vectors, training, logits, files."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Self

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from headwater.data.fields import TextInput
from headwater.language.vectoriser import latent
from headwater.language.vocabulary import PADDING, UNKNOWN, Encoded, Vocabulary
from headwater.options import Between, build, counted
from headwater.ranges import Search
from headwater.run import Run, write_whole
from headwater.settings import Settings as RunSettings
from headwater.training import course
from headwater.training.batching import by_length
from headwater.training.losses import classification_loss
from headwater.training.trainer import READS, Learner, Trainer
from headwater.transfer import scores
from headwater.transfer.classifier import Classifier, Examples, Facts

_MAX_LENGTH = 512
_MOST_TIMES = 5
_TOKENS_IN_A_PASS = 16_384


@dataclass(frozen=True, kw_only=True)
class NeuralSettings:
    """What every network trained from scratch can be told."""

    section: ClassVar[str] = "Model"

    vocabulary: Annotated[int, Between(4, 10_000_000), "The most tokens that are known; the rest is unknown."] = 50_000
    min_count: Annotated[
        int, Between(1, 1_000_000), Search(1, 3), "How often a token must occur in training to be known."
    ] = 2
    embedding: Annotated[int, Between(1, 4096), Search(32, 320, step=32), "Numbers in a word vector."] = 128
    dropout: Annotated[float, Between(0, 0.95), Search(0, 0.7), "The share of features dropped while training."] = 0.5
    token_dropout: Annotated[
        float, Between(0, 0.95), Search(0, 0.4), "The share of tokens made unknown while training."
    ] = 0.1


class NeuralClassifier(Classifier):
    """A network over the tokens of a text, trained from scratch.

    A subclass gives `network`, a module that takes token numbers of shape (rows, tokens), padded at the end, with the
    length of each row, shape (rows,), and returns logits of shape (rows, classes).
    """

    Settings = NeuralSettings
    reads = (*READS, "max_length")
    epochs: ClassVar[int] = 12
    learning_rate: ClassVar[float] = 2e-3
    fewest_steps: ClassVar[int] = 450
    """What few rows are passed over more often for, up to five times."""

    @abstractmethod
    def network(self, words: WordVectors, n_classes: int) -> nn.Module:
        """The untrained network."""

    def fit(self, train: Examples, valid: Examples, run: Run) -> Self:
        """Learns vocabulary and weights from `train`; `valid` chooses the epoch."""
        started, settings = time.monotonic(), run.settings
        self.max_length = settings.max_length or _MAX_LENGTH
        self.n_classes = train.n_classes
        drawn = len(train.drawn)
        # Altered copies repeat the words of their row: a rare word must not seem common by them.
        rare = self.settings.min_count * -(-(drawn + len(train.copies)) // drawn) if drawn > 100 else 1
        self.vocabulary = Vocabulary.learn(train.inputs, size=self.settings.vocabulary, min_count=rare)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.model = self._untrained()
        chosen = self.completed(settings, len(train))
        learner = _TextLearner(self, train, valid)
        history = Trainer(replace(run, settings=chosen), type(self).__name__).fit(learner)
        self.trace.curve = [asdict(epoch) for epoch in history.epochs]
        seconds, name = time.monotonic() - started, counted(history.best_epoch, "epoch")
        right = scores.correct(self.logits(valid.inputs), valid.targets)
        self.trace.stages = [scores.stage(name, right, seconds, history.stopped)]
        return self

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        return course.completed(
            settings, rows, epochs=cls.epochs, learning_rate=cls.learning_rate, fewest_steps=cls.fewest_steps,
            most_times=_MOST_TIMES,
        )  # fmt: skip

    def view(self, inputs: Sequence[TextInput], run: Run) -> np.ndarray:
        return latent(inputs, run.settings.seed)

    def facts(self, run: Run) -> Facts:
        return Facts(parameters=sum(weight.numel() for weight in self.model.parameters()), max_length=self.max_length)

    def logits(self, inputs: Sequence[TextInput]) -> np.ndarray:
        return self.logits_of(self.vocabulary.encode(inputs, max_length=self.max_length))

    def logits_of(self, encoded: Encoded) -> np.ndarray:
        """Logits of shape (rows, classes) in passes of rows of like length."""
        found = np.empty((len(encoded), self.n_classes), dtype=np.float32)
        self.model.eval()
        with torch.inference_mode():
            for rows in by_length(encoded.lengths, _TOKENS_IN_A_PASS):
                found[rows] = self.forward(encoded, rows).float().cpu().numpy()
        return found

    def forward(self, encoded: Encoded, rows: np.ndarray) -> torch.Tensor:
        """The network's logits for some rows, in its present mode."""
        device = next(self.model.parameters()).device
        ids = torch.from_numpy(encoded.padded(rows)).to(device)
        return self.model(ids, torch.from_numpy(encoded.lengths[rows]))

    def save(self, folder: Path) -> None:
        values = {
            "settings": asdict(self.settings),
            "tokens": self.vocabulary.known,
            "classes": self.n_classes,
            "max_length": self.max_length,
        }
        weights = {name: tensor.cpu().contiguous() for name, tensor in self.model.state_dict().items()}
        write_whole(folder / "model.json", json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        write_whole(folder / "model.safetensors", save(weights))

    @classmethod
    def load(cls, folder: Path) -> Self:
        values = json.loads((folder / "model.json").read_text("utf-8", "surrogatepass"))
        made = cls(build(cls.Settings, values["settings"], where=str(folder / "model.json")))
        made.vocabulary = Vocabulary(values["tokens"])
        made.n_classes, made.max_length = values["classes"], values["max_length"]
        made.model = made._untrained()
        made.model.load_state_dict(load_file(folder / "model.safetensors"))
        return made

    def _untrained(self) -> nn.Module:
        words = WordVectors(len(self.vocabulary), self.settings.embedding, self.settings.token_dropout)
        return self.network(words, self.n_classes)


class WordVectors(nn.Module):
    """A vector for each token; while training, some tokens are made unknown, so that no single word decides.

    PADDING has the zero vector, and no gradient.
    """

    def __init__(self, tokens: int, width: int, token_dropout: float) -> None:
        super().__init__()
        self.table = nn.Embedding(tokens, width, padding_idx=PADDING)
        # Small at first, as Kim (2014) has them: the words that matter then soon stand out from those seen twice.
        nn.init.uniform_(self.table.weight, -0.25, 0.25)
        nn.init.zeros_(self.table.weight[PADDING])
        self.width, self.token_dropout = width, token_dropout

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors of shape (rows, tokens, width) for numbers of shape (rows, tokens)."""
        if self.training and self.token_dropout:
            dropped = (torch.rand(ids.shape, device=ids.device) < self.token_dropout) & (ids != PADDING)
            ids = ids.masked_fill(dropped, UNKNOWN)
        return self.table(ids)


def inside(lengths: torch.Tensor, places: int, device: torch.device) -> torch.Tensor:
    """Which of the places of padded rows hold something: true or false of shape (rows, places).

    Example:
        >>> inside(torch.tensor([1, 3]), 3, torch.device("cpu")).int().tolist()
        [[1, 0, 0], [1, 1, 1]]
    """
    return torch.arange(places, device=device) < lengths.to(device)[:, None]


class _TextLearner(Learner):
    """A classifier's network, its training rows and its validation rows, for the trainer."""

    def __init__(self, classifier: NeuralClassifier, train: Examples, valid: Examples) -> None:
        self.classifier, self.train, self.valid = classifier, train, valid
        self.network = classifier.model
        vocabulary, max_length = classifier.vocabulary, classifier.max_length
        self.encoded = vocabulary.encode(train.inputs, max_length=max_length)
        self.unseen = vocabulary.encode(valid.inputs, max_length=max_length)
        self.lengths = self.encoded.lengths

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        logits = self.classifier.forward(self.encoded, rows)
        targets = torch.from_numpy(self.train.targets[rows]).to(logits.device)
        weights = None if self.train.weights is None else torch.from_numpy(self.train.weights[rows]).to(logits.device)
        return classification_loss(logits, targets, weights, several=self.train.several)

    def score(self) -> float:
        return scores.score(self.classifier.logits_of(self.unseen), self.valid.targets)
