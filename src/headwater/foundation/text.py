"""Text foundations: any checkpoint in the hub's format that turns tokens into vectors."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from headwater.errors import ArtifactError
from headwater.foundation.locate import read_json
from headwater.foundation.pooling import Pooling, pool, pooling_of
from headwater.run import write_whole

log = logging.getLogger("headwater")
_DEFAULT_LENGTH = 512
_AT_ONCE = 8192
_FILES = ("config.json", "*.safetensors", "*.safetensors.index.json", "tokenizer*", "special_tokens_map.json",
          "added_tokens.json", "vocab.*", "merges.txt", "*.model", "sentence_bert_config.json", "1_Pooling/config.json",
          "*.py")  # fmt: skip


@dataclass(frozen=True)
class PreparedTexts:
    """Token ids of many texts, without padding, end to end in one array.

    Attributes:
        ids: every token, shape (tokens,).
        types: which text of a pair each token belongs to, shape (tokens,); None for single texts.
        offsets: where each text begins in `ids`, and where the last ends, shape (rows + 1,).
        pad: the id that fills the shorter rows of a batch.
    """

    ids: np.ndarray
    types: np.ndarray | None
    offsets: np.ndarray
    pad: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def ahead(self, rows: np.ndarray) -> None:
        """Nothing: the token ids are there."""

    def batch(self, rows: np.ndarray) -> dict[str, torch.Tensor]:
        """Ids, mask and types of shape (rows, longest of them); without a mask when no row is padded."""
        lengths = self.lengths[rows][:, None]
        steps = np.arange(lengths.max())
        inside = steps < lengths
        positions = np.where(inside, self.offsets[rows][:, None] + steps, 0)
        arrays = {"input_ids": np.where(inside, self.ids[positions], self.pad)}
        if self.types is not None:
            arrays["token_type_ids"] = np.where(inside, self.types[positions], 0)
        if not inside.all():
            arrays["attention_mask"] = inside
        return {name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays.items()}


class TextEncoder:
    """A pretrained network, its tokenizer and its pooling: texts, or pairs of texts, to features.

    Encoders give the mean of their token vectors, decoders their last token's, or what a sentence-transformers
    checkpoint asks for; of an encoder-decoder only the encoder is used.

    Attributes:
        name: what the user called it.
        width: features a text.
        network: the transformers model.
        max_length: tokens of a text that are read.
        source: the folder whose files still describe the network; None once its weights have been trained.
    """

    def __init__(self, name: str, network: Any, tokenizer: Any, pooling: Pooling, max_length: int) -> None:
        self.name, self.network, self.tokenizer = name, network, tokenizer
        self.pooling, self.max_length = pooling, max_length
        self.source: Path | None = None
        self.width = int(network.config.hidden_size)
        accepted = inspect.signature(network.forward).parameters
        self._typed = "token_type_ids" in accepted and getattr(network.config, "type_vocab_size", 0) > 1
        self._fixed = {"use_cache": False} if pooling == "last" and "use_cache" in accepted else {}

    @classmethod
    def load(
        cls,
        folder: Path,
        name: str,
        *,
        max_length: int | None = None,
        device: str = "cpu",
        trust_remote_code: bool = False,
    ) -> Self:
        """Reads a foundation from a local folder, in float32, without reaching any network.

        Raises:
            ArtifactError: the folder's architecture cannot turn text into vectors, or its weights do not fit it.
        """
        network, tokenizer = _read(folder, trust_remote_code=trust_remote_code)
        length = _max_length(folder, network, tokenizer, max_length)
        encoder = cls(name, network.to(device).eval(), tokenizer, pooling_of(folder, network.config), length)
        encoder.source = folder
        return encoder

    def options(self) -> dict[str, Any]:
        """What `load` must be told to read it again as it is."""
        return {"max_length": self.max_length}

    def prepare_to_learn(self, inputs: Sequence[Any]) -> PreparedTexts:
        return self.prepare(inputs)

    def prepare(self, inputs: Sequence[Any]) -> PreparedTexts:
        """Tokenises texts or pairs once, up to `max_length` tokens; of a pair, the longer text gives way."""
        ids, types, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.int8)], [0]
        pairs = bool(inputs) and not isinstance(inputs[0], str)
        typed = pairs and self._typed
        pad = self._pad()
        for start in range(0, len(inputs), _AT_ONCE):
            part = self._tokenise(inputs[start : start + _AT_ONCE], pairs=pairs, typed=typed)
            rows = [row or [pad] for row in part["input_ids"]]
            ids.append(np.fromiter((token for row in rows for token in row), np.int32))
            lengths += map(len, rows)
            if typed:
                types.append(np.fromiter((kind for row in part["token_type_ids"] for kind in row), np.int8))
        return PreparedTexts(np.concatenate(ids), np.concatenate(types) if typed else None, np.cumsum(lengths), pad)

    def pieces(self, inputs: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each text or pair: its pieces, those of them that are unknown, and whether it is longer than is read.

        Each of shape (rows,); the marks that the tokenizer adds at the ends are not counted.
        """
        pairs = bool(inputs) and not isinstance(inputs[0], str)
        sides = [list(side) for side in zip(*inputs, strict=True)] if pairs else [list(inputs)]
        with quiet():  # the tokenizer would warn of every text that is longer than the network reads
            found = [self.tokenizer(side, add_special_tokens=False, truncation=False)["input_ids"] for side in sides]
        rows = [[token for part in parts for token in part] for parts in zip(*found, strict=True)]
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        unknown = np.array([row.count(self.tokenizer.unk_token_id) for row in rows], dtype=np.int64)
        marks = self.tokenizer.num_special_tokens_to_add(pair=pairs)
        return lengths, unknown, lengths + marks > self.max_length

    def features(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features of shape (rows, width)."""
        device = next(self.network.parameters()).device
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        hidden = self.network(**batch, **self._fixed).last_hidden_state
        return pool(hidden, batch.get("attention_mask"), self.pooling)

    def blocks(self) -> list[nn.Module]:
        """The network's layers from first to last: its longest list of modules."""
        lists = [module for module in self.network.modules() if isinstance(module, nn.ModuleList)]
        return list(max(lists, key=len)) if lists else []

    def fingerprint(self) -> str:
        """A hash of the weights as they are now, the tokenizer, the pooling and the length."""
        told = hashlib.sha256(json.dumps([self.pooling, self.max_length]).encode())
        # Truncation and padding are left out: they are what the last call asked for.
        rules = {**json.loads(self.tokenizer.backend_tokenizer.to_str()), "truncation": None, "padding": None}
        told.update(json.dumps(rules, sort_keys=True).encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            told.update(name.encode())
            told.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return told.hexdigest()

    def changed(self) -> None:
        self.source = None

    def save(self, folder: Path) -> None:
        """Writes the foundation in the hub's format: copies of its files where the weights are still theirs."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.source is not None:
            _copy(self.source, folder)
            return
        with quiet():
            self.network.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        mode = {"last": "lasttoken"}.get(self.pooling, self.pooling)
        noted = {"word_embedding_dimension": self.width, "pooling_mode": mode}
        write_whole(folder / "1_Pooling" / "config.json", json.dumps(noted).encode())
        write_whole(folder / "sentence_bert_config.json", json.dumps({"max_seq_length": self.max_length}).encode())

    def _tokenise(self, inputs: Sequence[Any], *, pairs: bool, typed: bool) -> dict[str, list[list[int]]]:
        sides = [list(side) for side in zip(*inputs, strict=True)] if pairs else [list(inputs)]
        return self.tokenizer(
            *sides,
            truncation=True,
            max_length=self.max_length,
            return_attention_mask=False,
            return_token_type_ids=typed,
        )

    def _pad(self) -> int:
        known = (self.network.config.pad_token_id, self.tokenizer.pad_token_id, self.tokenizer.eos_token_id)
        return next((token for token in known if token is not None and token >= 0), 0)


def _read(folder: Path, *, trust_remote_code: bool) -> tuple[Any, Any]:
    import transformers

    given = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    try:
        with quiet():
            config = transformers.AutoConfig.from_pretrained(folder, **given)
            kind = transformers.AutoModelForTextEncoding if _is_half(config) else transformers.AutoModel
            network, loaded = kind.from_pretrained(
                folder, config=config, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **given
            )
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **given)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as wrong:
        raise ArtifactError(
            f"This foundation cannot be loaded: {str(wrong).splitlines()[0]}",
            where=str(folder),
            accepted="an encoder, a decoder or a T5-like encoder-decoder of transformers, with its tokenizer",
        ) from wrong
    missing = sorted(key for key in loaded["missing_keys"] if "pooler" not in key)
    if missing:
        raise ArtifactError(
            f"The weights lack {len(missing)} tensors of the network",
            where=str(folder),
            got=missing[:3],
            fix="Download the foundation again, or check config.json against the weights.",
        )
    if network.main_input_name != "input_ids" or not tokenizer.is_fast:
        raise ArtifactError(
            f"The architecture {network.config.model_type} cannot serve text here",
            where=str(folder),
            accepted="a network that reads token ids, with a tokenizer.json",
            fix="Give a foundation of texts, such as minilm.",
        )
    return _without_pooler(network), tokenizer


def _is_half(config: Any) -> bool:
    """Whether only the encoder of an encoder-decoder is to be read, or was saved by an earlier run."""
    return config.is_encoder_decoder or any(name.endswith("EncoderModel") for name in config.architectures or ())


def _without_pooler(network: Any) -> Any:
    """Freezes what features are never computed from, so that no optimiser holds it."""
    for name, parameter in network.named_parameters():
        if "pooler." in name:
            parameter.requires_grad_(requires_grad=False)
    return network


def _max_length(folder: Path, network: Any, tokenizer: Any, wanted: int | None) -> int:
    """The wanted length, else what the checkpoint notes, else 512; never more than the network has positions."""
    noted = folder / "sentence_bert_config.json"
    usual = read_json(noted).get("max_seq_length") if noted.exists() else None
    length = wanted or usual or min(tokenizer.model_max_length, _DEFAULT_LENGTH)
    positions = _positions(network)
    if wanted and wanted > positions:
        log.warning("%s has %d positions: texts are cut there, not at %d tokens", folder.name, positions, wanted)
    return int(min(length, positions))


def _positions(network: Any) -> float:
    known = getattr(network.config, "max_position_embeddings", None) or float("inf")
    for name, module in network.named_modules():
        # RoBERTa-like tables begin to count after the padding id, so their first rows are no positions.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            known = min(known, module.num_embeddings - module.padding_idx - 1)
    return known


def _copy(source: Path, folder: Path) -> None:
    for pattern in _FILES:
        for file in source.glob(pattern):
            target = folder / file.relative_to(source)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the progress bars and notices of transformers for a while."""
    from transformers.utils import logging as notices

    level, bars = notices.get_verbosity(), notices.is_progress_bar_enabled()
    notices.set_verbosity_error()
    notices.disable_progress_bar()
    try:
        yield
    finally:
        notices.set_verbosity(level)
        if bars:
            notices.enable_progress_bar()
