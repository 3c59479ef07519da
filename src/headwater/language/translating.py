"""Back-translation: a text goes into another language and comes back in other words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headwater.errors import SettingError
from headwater.foundation.headed import translator
from headwater.language.written import written
from headwater.training.batching import by_length
from headwater.training.device import device_of

if TYPE_CHECKING:
    from headwater.run import Run
    from headwater.settings import Settings

_CHOICES = 10
_MAX_LENGTH = 512
_TOKENS_IN_A_PASS = 2048


def back_translated(texts: Sequence[str], seed: Sequence[int], run: Run) -> list[str]:
    """Each text translated by the first model, and back by the second (Sennrich et al. 2016).

    Both draw each token from the ten likeliest (Edunov et al. 2018; Xie et al. 2020): the one best translation would
    come back as it went, and every copy alike.

    Args:
        texts: what to translate; of a longer one the first 512 tokens.
        seed: the seed of the draws.
        run: `augment_translators`, the device, and the folder that keeps what was written.

    Raises:
        SettingError: not two models are given.
    """
    settings, names = run.settings, run.settings.augment_translators or ()
    if len(names) != 2:
        raise SettingError(
            "Back-translation needs two models, one there and one back", where="--augment-translators",
            got=list(names), accepted="two hub ids or folders",
            fix="Give for example --augment-translators Helsinki-NLP/opus-mt-en-de,Helsinki-NLP/opus-mt-de-en.",
        )  # fmt: skip
    reach = {"offline": settings.offline, "trust_remote_code": settings.trust_remote_code}

    @cache
    def pair() -> list[tuple[Any, Any]]:  # not before a part is to be written: a resumed run may have them all
        return [translator(name, **reach) for name in names]

    def there_and_back(part: list[str], key: list[int]) -> list[str]:
        with torch.random.fork_rng():
            torch.manual_seed(int(np.random.default_rng(key).integers(2**62)))
            for network, tokenizer in pair():
                part = _translated(part, network, tokenizer, settings)
        return part

    return written(texts, seed, run, "back-translation", there_and_back)


def _translated(texts: list[str], network: Any, tokenizer: Any, settings: Settings) -> list[str]:
    network.to(device_of(settings))
    limit = min(settings.max_length or _MAX_LENGTH, tokenizer.model_max_length)
    lengths = np.array([len(ids) for ids in tokenizer(texts, truncation=True, max_length=limit)["input_ids"]])
    found = list(texts)
    for rows in by_length(lengths, _TOKENS_IN_A_PASS):
        given = tokenizer(
            [texts[row] for row in rows.tolist()], truncation=True, max_length=limit, padding=True, return_tensors="pt"
        )
        ids = {name: given[name].to(network.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            said = network.generate(
                **ids, do_sample=True, top_k=_CHOICES, num_beams=1, max_new_tokens=2 * int(lengths[rows].max()) + 8
            )
        for row, text in zip(rows.tolist(), tokenizer.batch_decode(said, skip_special_tokens=True), strict=True):
            found[row] = text.strip() or texts[row]
    return found
