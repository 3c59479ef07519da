"""Tiny foundations in the hub's format, made in a moment, for any test that needs one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = ["good", "bad", "fine", "dull", "film", "plot", "a", "the", "very", "so", "not", "and", "music", "story",
         "warm", "bright", "clever", "lovely", "cold", "grim", "clumsy", "awful"]  # fmt: skip
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_SIZE = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 32}


def make_bert(folder: Path, **changes: Any) -> Path:
    """A BERT of two layers and 16 features, seeded, with a word tokenizer over `WORDS`."""
    from transformers import BertConfig, BertModel

    config: dict[str, Any] = {**_SIZE, "vocab_size": 40, "max_position_embeddings": 64, **changes}
    return _saved(folder, BertModel, BertConfig(**config))


def make_distilbert(folder: Path) -> Path:
    from transformers import DistilBertConfig, DistilBertModel

    config = DistilBertConfig(vocab_size=40, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=64)
    return _saved(folder, DistilBertModel, config)


def make_gpt2(folder: Path) -> Path:
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=64, bos_token_id=2, eos_token_id=3)
    return _saved(folder, GPT2Model, config)


def make_t5(folder: Path) -> Path:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, use_cache=False)
    return _saved(folder, T5ForConditionalGeneration, config)


def make_masked(folder: Path, says: str | None = None) -> Path:
    """A masked language model over `WORDS`, seeded; one that writes always the same word where `says` names it."""
    from safetensors.torch import load_file, save_file
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(vocab_size=len(_SPECIAL) + len(WORDS), max_position_embeddings=64, **_SIZE)
    _saved(folder, BertForMaskedLM, config)
    if says is not None:
        # Into the file, under both names of the bias: which of two tied ones is stored is for transformers to choose.
        weights = load_file(folder / "model.safetensors")
        bias = next(
            tensor for name, tensor in weights.items() if name.endswith("predictions.bias") or "decoder.bias" in name
        )
        bias[len(_SPECIAL) + WORDS.index(says)] += 100
        both = {"cls.predictions.bias": bias, "cls.predictions.decoder.bias": bias.clone()}
        save_file(weights | both, folder / "model.safetensors", {"format": "pt"})
    return folder


def make_translator(folder: Path) -> Path:
    """An encoder-decoder over `WORDS`, seeded, that writes something of every text."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(vocab_size=len(_SPECIAL) + len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2,
                      decoder_start_token_id=0, eos_token_id=3)  # fmt: skip
    return _saved(folder, T5ForConditionalGeneration, config)


def make_segformer(folder: Path, **changes: Any) -> Path:
    """A SegFormer of four blocks for three classes, seeded."""
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2], sr_ratios=[4, 2, 1, 1],
        decoder_hidden_size=16, num_labels=3, **changes,
    )  # fmt: skip
    return _saved(folder, SegformerForSemanticSegmentation, config)


def make_sentence_transformer(folder: Path, pooling: str) -> Path:
    """A tiny BERT whose folder asks for a pooling, as sentence-transformers writes it."""
    make_bert(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 12}))
    return folder


def make_vit(folder: Path) -> Path:
    """A vision transformer of two layers and 16 features that reads 32 by 32 pixels."""
    from transformers import ViTConfig, ViTModel

    _weights(folder, ViTModel, ViTConfig(image_size=32, patch_size=8, **_SIZE))
    noted = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"height": 32, "width": 32}}
    noted |= {"image_processor_type": "ViTImageProcessor", "do_resize": True, "do_rescale": True, "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(noted))
    return folder


def make_resnet(folder: Path) -> Path:
    """A residual network of transformers with two stages."""
    from transformers import ResNetConfig, ResNetModel

    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    _weights(folder, ResNetModel, config)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"shortest_edge": 32}}))
    return folder


def make_timm(folder: Path) -> Path:
    """A residual network of timm, as timm writes it for the hub."""
    import timm
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model("test_resnet", num_classes=3)
    save_file(network.state_dict(), folder / "model.safetensors", {"format": "pt"})
    config = {"architecture": "test_resnet", "num_classes": 3, "pretrained_cfg": {"input_size": [3, 32, 32]}}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _saved(folder: Path, kind: Any, config: Any) -> Path:
    _weights(folder, kind, config)
    _tokenizer().save_pretrained(folder)
    return folder


def _weights(folder: Path, kind: Any, config: Any) -> None:
    import torch
    from transformers.utils import logging as notices

    notices.disable_progress_bar()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind(config).save_pretrained(folder)
    notices.enable_progress_bar()


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate([*_SPECIAL, *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
             "mask_token": "[MASK]"}  # fmt: skip
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)
