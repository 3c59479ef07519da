"""The text encoders that the hub's cache on this machine holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

_ENCODER = re.compile(r"(ForMaskedLM|ForSequenceClassification|ForPreTraining|(?<!LMHead)(?<!DoubleHeads)Model)$")
"""What the class names of encoders end in; those of decoders end in ForCausalLM or LMHeadModel."""


def cached_encoders() -> list[str]:
    """The hub ids of the text encoders in the cache whose weights are safetensors, in alphabetical order.

    What kind of network a repository holds is told by its config.json alone. Repositories that do not tell are left
    out, and so is everything where the hub's library is not installed.
    """
    try:
        import huggingface_hub
        from huggingface_hub import constants, errors
    except ModuleNotFoundError:
        return []
    try:
        repositories = huggingface_hub.scan_cache_dir(constants.HF_HUB_CACHE).repos
    except (errors.CacheNotFound, OSError):
        return []
    found = (repo for repo in repositories if repo.repo_type == "model")
    return sorted(repo.repo_id for repo in found if any(_encodes_text(one.snapshot_path) for one in repo.revisions))


def _encodes_text(folder: Path) -> bool:
    if not list(folder.glob("*.safetensors")) or not (folder / "tokenizer_config.json").exists():
        return False
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        kinds = config.get("architectures") or ()
        return "vocab_size" in config and any(_ENCODER.search(str(kind)) for kind in kinds)
    except (OSError, ValueError, AttributeError):
        return False
