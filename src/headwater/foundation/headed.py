"""Foundations with the head they were pretrained with: they fill gaps, or translate."""

from __future__ import annotations

from typing import Any

from headwater.errors import ArtifactError
from headwater.foundation.locate import locate
from headwater.foundation.text import quiet

_MANY_LANGUAGES = ("m2m_100", "mbart", "nllb_moe", "seamless_m4t", "seamless_m4t_v2")


def masked_model(name: str, *, offline: bool, trust_remote_code: bool) -> tuple[Any, Any]:
    """A masked language model and its tokenizer, in float32 on the CPU.

    Args:
        name: a hub id or a folder.
        offline: look in the hub's cache on this machine only.
        trust_remote_code: let it run code of its own.

    Raises:
        NotFoundError, ArtifactError: there is no such model, or it cannot fill gaps.
    """
    network, tokenizer = _read("AutoModelForMaskedLM", name, offline=offline, trust_remote_code=trust_remote_code)
    if tokenizer.mask_token_id is None or not tokenizer.is_fast:
        raise ArtifactError(
            "This model cannot fill gaps: its tokenizer has no mask, or no tokenizer.json", where=name,
            fix="Give a masked language model, such as google-bert/bert-base-uncased.",
        )  # fmt: skip
    return network, tokenizer


def translator(name: str, *, offline: bool, trust_remote_code: bool) -> tuple[Any, Any]:
    """A model that translates from one language into one other, and its tokenizer, in float32 on the CPU.

    Raises:
        NotFoundError, ArtifactError: there is no such model, or it does not translate, or between many languages.
    """
    network, tokenizer = _read("AutoModelForSeq2SeqLM", name, offline=offline, trust_remote_code=trust_remote_code)
    if network.config.model_type in _MANY_LANGUAGES:
        raise ArtifactError(
            "This translator knows many languages, and would have to be told between which", where=name,
            got=network.config.model_type, accepted="a translator from one language into one other",
            fix="Give a pair of such, as those of Helsinki-NLP/opus-mt.",
        )  # fmt: skip
    return network, tokenizer


def _read(kind: str, name: str, *, offline: bool, trust_remote_code: bool) -> tuple[Any, Any]:
    import torch
    import transformers

    folder = locate(name, offline=offline, trust_remote_code=trust_remote_code)
    given = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    try:
        with quiet():
            network, loaded = getattr(transformers, kind).from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **given
            )
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **given)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as wrong:
        wanted = {"AutoModelForMaskedLM": "a masked language model", "AutoModelForSeq2SeqLM": "a translator"}[kind]
        raise ArtifactError(
            f"This model cannot write: {str(wrong).splitlines()[0]}", where=name,
            accepted=f"{wanted} of transformers, with its tokenizer",
        ) from wrong  # fmt: skip
    if missing := sorted(loaded["missing_keys"]):
        raise ArtifactError(
            "The weights lack the head that writes: they were saved without it, as sentence encoders are",
            where=name,
            got=missing[:3],
            fix="Give a model that still has its head, such as google-bert/bert-base-uncased for span-masking.",
        )
    return network.eval(), tokenizer
