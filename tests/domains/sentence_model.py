"""Makes a small model of sentences as people have them on disk: ONNX and a tokenizer. Every word that it knows has a
direction of its own; words of one group have the same."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer

from watchkeeper.domains.embedding.encoder import _UNRELATED

_DIMENSIONS = 48
_PLAIN = " ".join(_UNRELATED)


def make(folder: Path, *groups: str, seed: int = 1) -> Path:
    """A model that knows the words of these groups, and those of everyday reports; another `seed` is another model."""
    means = {word: group for group in groups for word in group.split()}
    words = ["[PAD]", "[UNK]", *dict.fromkeys((*means, *_PLAIN.lower().split()))]
    table = np.stack([_direction(means.get(word, word), seed) for word in words])
    table[:2] = 0.0
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    shape = ["texts", "tokens"]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "sentences",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, _DIMENSIONS])],
        [numpy_helper.from_array(table, "table")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, folder / "model.onnx")
    return folder


def _direction(meaning: str, seed: int) -> np.ndarray:
    drawn = np.random.default_rng([seed, zlib.crc32(meaning.encode())])
    return drawn.standard_normal(_DIMENSIONS).astype(np.float32)
