"""A small learner, and the script that the tests of several processes and of killed runs start."""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from headwater.options import build
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.losses import classification_loss
from headwater.training.trainer import Learner, Trainer

ROWS = 40


class Small(Learner):
    """Two classes told apart by the sign of the first of eight features."""

    def __init__(self, dropout=0.0):
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(dropout), nn.Linear(16, 2))
        self.network[1].eval()
        generator = np.random.default_rng(0)
        self.inputs = torch.from_numpy(generator.normal(size=(ROWS, 8))).float()
        self.targets = (self.inputs[:, 0] > 0).long()
        self.lengths = generator.integers(3, 20, ROWS)

    def train_mode(self):
        self.network.train()
        self.network[1].eval()  # a batch norm that learned statistics here would depend on the cuts

    def loss(self, rows):
        return classification_loss(self.network(self.inputs[rows]), self.targets[rows], None, several=False)

    def score(self):
        return (self.network(self.inputs).argmax(dim=1) == self.targets).float().mean().item()


def run_in(folder, **settings):
    return Run(
        build(Settings, {"epochs": 3, "learning_rate": 0.01, "batch_size": 8, "device": "cpu", **settings}), folder
    )


def weights(learner):
    return torch.cat([tensor.flatten().double() for tensor in learner.network.state_dict().values()])


def main(folder, dropout, *settings):
    learner = Small(float(dropout))
    trainer = Trainer(run_in(Path(folder), **dict(item.split("=") for item in settings)))
    trainer.fit(learner)
    np.save(Path(folder) / f"weights{trainer.processes.index}.npy", weights(learner).numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
