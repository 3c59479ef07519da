"""Span masking: words are hidden, and a masked language model writes what could stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from headwater import catalog
from headwater.errors import SettingError
from headwater.foundation.headed import masked_model
from headwater.foundation.text import PreparedTexts
from headwater.language.tokens import unspaced
from headwater.language.words import words_of
from headwater.language.written import written
from headwater.training.batching import by_length
from headwater.training.device import device_of

if TYPE_CHECKING:
    from headwater.run import Run
    from headwater.settings import Settings

_LONGEST_SPAN = 3
_CHOICES = 10
_MAX_LENGTH = 512
_TOKENS_IN_A_PASS = 2048
"""Few, since every token of a pass gets a score for every word of the vocabulary."""


def refilled(texts: Sequence[str], seed: Sequence[int], run: Run, foundation: str | None) -> list[str]:
    """Each text with a share of its words in short spans replaced by what the masked language model writes there.

    Spans are whole words, one to three of them, their lengths drawn geometrically as by Joshi et al. (2020). Of the ten
    likeliest tokens one is drawn by its probability, one token of every span after the other, so that the second of a
    span knows the first (after Kobayashi 2018 and Kumar et al. 2020, without conditioning on the label).

    Args:
        texts: what to alter; a text of one word has nothing to tell the model, and stays.
        seed: the seed of the spans and of the draws.
        run: `augment_model`, `augment_strength`, the device, and the folder that keeps what was written.
        foundation: serves where no `augment_model` is given.

    Raises:
        SettingError: no model is given, and the foundation has no head that could serve.
    """
    settings = run.settings
    # Embedded foundations are sentence encoders, which have lost their head.
    name = settings.augment_model or (None if catalog.foundation(str(foundation)) else foundation)
    if name is None:
        raise SettingError(
            "Span-masking needs a masked language model to write with", where="--augment-model", got=foundation,
            accepted="a hub id or a folder of a model that still has its masked-language head",
            fix="Give for example --augment-model google-bert/bert-base-uncased.",
        )  # fmt: skip

    @cache
    def filler() -> _Filler:  # not before a part is to be written: a resumed run may have them all
        reach = {"offline": settings.offline, "trust_remote_code": settings.trust_remote_code}
        return _Filler(*masked_model(name, **reach), settings)

    return written(texts, seed, run, "span-masking", lambda part, key: filler().fill(part, key))


@dataclass
class _Gaps:
    """Masked texts, and where their masks are.

    Attributes:
        prepared: the token ids, masks among them.
        spans: of each span its row, its characters (start, end), and the positions of its tokens in `prepared.ids`.
    """

    prepared: PreparedTexts
    spans: list[tuple[int, int, int, list[int]]]

    def round(self, number: int) -> np.ndarray:
        """The positions in `prepared.ids` of the token of this number in every span that has one."""
        return np.array([places[number] for *_, places in self.spans if number < len(places)], np.intp)


class _Filler:
    """A masked language model at work."""

    def __init__(self, network: Any, tokenizer: Any, settings: Settings) -> None:
        self.tokenizer, self.strength = tokenizer, settings.augment_strength
        self.network = network.to(device_of(settings))
        positions = getattr(network.config, "max_position_embeddings", None) or _MAX_LENGTH
        self.max_length = min(settings.max_length or _MAX_LENGTH, tokenizer.model_max_length, positions)
        ids = tokenizer.get_vocab()
        self._never = torch.tensor(tokenizer.all_special_ids)
        self._inside = torch.tensor([number for word, number in ids.items() if word.startswith("##")], dtype=torch.long)

    def fill(self, texts: list[str], seed: list[int]) -> list[str]:
        """As many texts, their masked spans refilled."""
        random = np.random.default_rng(seed)
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        gaps = self._mask(texts, random)
        for number in range(max((len(places) for *_, places in gaps.spans), default=0)):
            self._write(gaps.prepared, gaps.round(number), first=number == 0, generator=generator)
        return self._put_in(texts, gaps)

    def _mask(self, texts: list[str], random: np.random.Generator) -> _Gaps:
        told = self.tokenizer(
            texts, truncation=True, max_length=self.max_length, return_offsets_mapping=True,
            return_attention_mask=False, return_token_type_ids=False,
        )  # fmt: skip
        offsets = np.cumsum([0, *map(len, told["input_ids"])])
        ids = np.array([token for row in told["input_ids"] for token in row], np.int64)
        spans = []
        for row, text in enumerate(texts):
            places = [place for place in enumerate(told["offset_mapping"][row]) if place[1][1] > place[1][0]]
            for start, end in _chosen(text, places[-1][1][1] if places else 0, self.strength, random):
                hit = [(place, one) for place, one in places if one[0] < end and one[1] > start]
                if hit:
                    begin = min(start, hit[0][1][0] + _blank(text[hit[0][1][0] :]))
                    positions = [int(offsets[row]) + place for place, _ in hit]
                    spans.append((row, begin, max(end, hit[-1][1][1]), positions))
                    ids[positions] = self.tokenizer.mask_token_id
        return _Gaps(PreparedTexts(ids, None, offsets, self.tokenizer.pad_token_id or 0), spans)

    def _write(self, prepared: PreparedTexts, places: np.ndarray, *, first: bool, generator: torch.Generator) -> None:
        """Draws a token for each of these positions."""
        rows = np.searchsorted(prepared.offsets, places, side="right") - 1
        wanted = np.unique(rows)
        for batch in by_length(prepared.lengths[wanted], _TOKENS_IN_A_PASS):
            numbers = wanted[batch]
            inputs = {name: part.to(self.network.device) for name, part in prepared.batch(numbers).items()}
            here = np.isin(rows, numbers)
            line = {number: position for position, number in enumerate(numbers.tolist())}
            lines = torch.tensor([line[row] for row in rows[here].tolist()])
            columns = torch.from_numpy(places[here] - prepared.offsets[rows[here]])
            with torch.inference_mode():
                scores = self.network(**inputs).logits[lines, columns].float()
            prepared.ids[places[here]] = self._draw(scores.cpu().clone(), first=first, generator=generator)

    def _draw(self, scores: torch.Tensor, *, first: bool, generator: torch.Generator) -> np.ndarray:
        scores[:, self._never] = -torch.inf
        scores[:, len(self.tokenizer) :] = -torch.inf  # tables are padded beyond the vocabulary
        if first:
            scores[:, self._inside] = -torch.inf  # the middle of a word is no beginning
        likeliest = scores.topk(min(_CHOICES, scores.shape[1]))
        drawn = torch.multinomial(likeliest.values.softmax(dim=1), 1, generator=generator)
        return likeliest.indices.gather(1, drawn)[:, 0].numpy()

    def _put_in(self, texts: list[str], gaps: _Gaps) -> list[str]:
        found = list(texts)
        for row, start, end, places in reversed(gaps.spans):  # from the end, so that earlier places stay what they are
            said = self.tokenizer.decode(gaps.prepared.ids[places].tolist(), clean_up_tokenization_spaces=False).strip()
            said = said.replace(" ", "") if unspaced([said]) else said
            found[row] = found[row][:start] + said + found[row][end:]
        return found


def _chosen(text: str, end: int, strength: float, random: np.random.Generator) -> list[tuple[int, int]]:
    """The characters (start, end) of the spans to hide, in order, among the words before `end`; one word stays."""
    words = [word for word in words_of(text) if word.end <= end]
    count = min(max(1, round(strength * len(words))), len(words) - 1)
    hidden = np.zeros(len(words) + 1, dtype=bool)
    while hidden.sum() < count:
        length = min(int(random.geometric(0.5)), _LONGEST_SPAN, count - int(hidden.sum()))
        start = int(random.integers(0, len(words) - length + 1))
        hidden[start : start + length] = True
    edges = np.flatnonzero(np.diff(hidden.astype(int), prepend=0)).reshape(-1, 2)
    return [(words[first].start, words[last - 1].end) for first, last in edges.tolist()]


def _blank(text: str) -> int:
    return len(text) - len(text.lstrip())
