"""Pretraining that goes on: the foundation fills gaps in the user's own texts before it learns what is asked.

After Gururangan et al., Don't Stop Pretraining (2020); masks as in BERT (Devlin et al. 2019), but drawn anew in each
epoch: 15 % of the tokens, of which 80 % are hidden, 10 % replaced by another and 10 % left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from headwater.errors import ArtifactError, SettingError
from headwater.foundation.headed import masked_model
from headwater.foundation.text import PreparedTexts, quiet
from headwater.training.batching import by_length
from headwater.training.trainer import Learner, Trainer

if TYPE_CHECKING:
    from headwater.data.fields import TextInput
    from headwater.foundation.text import TextEncoder
    from headwater.run import Run
    from headwater.settings import Settings
    from headwater.training.history import History

LEARNING_RATE = 5e-5
_SHARE, _HIDDEN, _REPLACED = 0.15, 0.8, 0.1
_FEWEST = 20
"""Texts below which there is nothing to hold out."""
_HELD_OUT = 0.1
_TOKENS_IN_A_PASS = 2048
"""Few where held-out texts are scored, since every token gets a score for every word of the vocabulary."""


def pretrain(encoder: TextEncoder, inputs: Sequence[TextInput], run: Run) -> History:
    """Trains all of the encoder on texts alone, and leaves the weights of the best epoch in it.

    The head that fills the gaps is the foundation's own where it was saved with it; sentence encoders have lost theirs,
    and get a new one that shares the table of words. It is thrown away at the end.

    Args:
        encoder: the foundation; its weights change.
        inputs: texts or pairs of texts; those of a pair are read one by one.
        run: `pretraining_epochs`, batch size, seed, device, and a folder for the checkpoints.

    Returns:
        The epochs, scored by the mean log-likelihood of hidden tokens in texts that were held out.

    Raises:
        SettingError: the foundation is no masked language model, or there are too few texts.
    """
    texts = list(dict.fromkeys(text for one in inputs for text in ([one] if isinstance(one, str) else one)))
    if len(texts) < _FEWEST:
        raise SettingError(
            "Pretraining needs more unlabelled texts to go on with", where="--unlabelled-method pretraining",
            got=len(texts), accepted=f"{_FEWEST} or more", fix="Give more texts, or take self-training.",
        )  # fmt: skip
    order = np.random.default_rng([run.settings.seed, 3]).permutation(len(texts))
    held = max(2, round(_HELD_OUT * len(texts)))
    parts = [[texts[row] for row in rows.tolist()] for rows in (order[held:], order[:held])]
    settings = replace(run.settings, epochs=run.settings.pretraining_epochs, learning_rate=LEARNING_RATE)
    learner = MaskedLearner(encoder, parts[0], parts[1], settings)
    history = Trainer(replace(run, settings=settings), "pretraining").fit(learner)
    encoder.changed()
    return history


class MaskedLearner(Learner):
    """An encoder with a head that says which token stood where one is hidden.

    Args:
        encoder: the foundation; all of its parameters learn.
        train: texts to learn from.
        valid: texts to score on; their masks are the same in every epoch.
        settings: the seed of the head and of the masks.
    """

    large_products = True

    def __init__(self, encoder: TextEncoder, train: Sequence[str], valid: Sequence[str], settings: Settings) -> None:
        self.tokenizer, self.seed = encoder.tokenizer, settings.seed
        self.network = _headed(encoder, settings)
        self.prepared, self.held_out = encoder.prepare(train), encoder.prepare(valid)
        self.lengths = self.prepared.lengths
        self._special = torch.tensor(sorted(self.tokenizer.all_special_ids))

    def loss(self, rows: np.ndarray) -> torch.Tensor:
        """The mean loss of the hidden tokens, times the rows: a step is then the mean over its passes."""
        return len(rows) * self._loss(self.prepared, rows)

    def score(self) -> float:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            batches = by_length(self.held_out.lengths, _TOKENS_IN_A_PASS)
            found = [len(rows) * float(self._loss(self.held_out, rows)) for rows in batches]
        return -sum(found) / len(self.held_out)

    def _loss(self, prepared: PreparedTexts, rows: np.ndarray) -> torch.Tensor:
        device = next(self.network.parameters()).device
        batch = prepared.batch(rows)
        batch["input_ids"], truth = self._masked(batch["input_ids"], batch.get("attention_mask"))
        logits = self.network(**{name: part.to(device) for name, part in batch.items()}).logits
        asked = truth >= 0
        return functional.cross_entropy(logits[asked.to(device)].float(), truth[asked].to(device))

    def _masked(self, ids: torch.Tensor, inside: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens with some of them hidden, and the truth of those, -1 elsewhere; each of shape (rows, tokens)."""
        free = ~torch.isin(ids, self._special)
        free &= True if inside is None else inside.bool()
        chosen = free & (torch.rand(ids.shape) < _SHARE)
        if not chosen.any():  # else the mean over no token would be no number
            chosen = free if free.any() else torch.ones_like(free)
        kind = torch.rand(ids.shape)
        hidden = torch.where(chosen & (kind < _HIDDEN), torch.tensor(self.tokenizer.mask_token_id), ids)
        other = torch.randint(len(self.tokenizer), ids.shape)
        replaced = chosen & (kind >= _HIDDEN) & (kind < _HIDDEN + _REPLACED)
        return torch.where(replaced, other, hidden), torch.where(chosen, ids, torch.tensor(-1))


def _headed(encoder: TextEncoder, settings: Settings) -> Any:
    """The masked language model around the encoder's own network."""
    import transformers

    refuse(encoder)
    config = encoder.network.config
    try:
        model: Any = masked_model(str(encoder.source), offline=True, trust_remote_code=False)[0]
    except ArtifactError:  # saved without its head
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(settings.seed)
            model = transformers.AutoModelForMaskedLM.from_config(config)
    setattr(model, model.base_model_prefix, encoder.network)
    model.tie_weights()
    return model.to(next(encoder.network.parameters()).device)


def refuse(encoder: TextEncoder) -> None:
    """Refuses a foundation that was not pretrained by filling gaps.

    Raises:
        SettingError: the architecture or the tokenizer has no masks.
    """
    import transformers

    config = encoder.network.config
    possible = transformers.MODEL_FOR_MASKED_LM_MAPPING
    if encoder.tokenizer.mask_token_id is None or type(config) not in possible or config.is_encoder_decoder:
        raise SettingError(
            "This foundation was not pretrained by filling gaps, and cannot go on with it",
            where="--unlabelled-method pretraining", got=f"{encoder.name} ({config.model_type})",
            accepted="a masked language model, such as those of BERT's kind",
            fix="Give such a foundation, or take self-training.",
        )  # fmt: skip
