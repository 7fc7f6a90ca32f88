"""The model: text in, vectors out. A model of sentences in ONNX with its tokenizer, both read from a folder; nothing here
can ask a network."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchkeeper.model.errors import WatchkeeperError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOKENS = 128  # of a text, which are some 90 words; models of sentences are trained on about as many
_TOGETHER = 16  # texts; memory grows with this times TOKENS
#: reports of which none has to do with another: what these have in common, any two texts have
_UNRELATED = (
    "The coffee machine leaks",
    "Certificate of the web shop expires tomorrow",
    "New colleague needs a desk",
    "Replication of the database lags behind",
    "Toner of the printer is empty",
    "The lift stops between floors",
    "Headset has no sound",
    "Backup of last night was aborted",
    "Invoice has the wrong address",
    "Access point in the canteen is offline",
    "Please reset my password",
    "Fan of the power supply is loud",
    "Time sheet shows the wrong week",
    "Mails to the bank come back",
    "Parking space is taken",
    "Kernel panic after the update",
    "Projector bulb was replaced",
    "Export to the customer takes hours",
    "Badge does not open the door",
    "Spreadsheet loses its formulas",
    "Fibre between the buildings was cut",
    "Licence server is out of seats",
    "Stolen tablet has to be wiped",
    "Queue of messages grows",
)
_DEVIATIONS = 2.25  # above what unrelated texts have in common, from where two texts mean much the same


class ModelError(WatchkeeperError):
    """The model cannot be used; the message says why and what would do."""

    reason = "embedding"


class Encoder:
    """A loaded model. `identity` is another for another model, `floor` the cosine from which texts mean much the same."""

    def __init__(self, session: Any, tokenizer: Any, first: bool, identity: str) -> None:
        self._session, self._tokenizer, self._first = session, tokenizer, first
        self._takes = {i.name for i in session.get_inputs()}
        outputs = [o.name for o in session.get_outputs()]
        self._gives = "sentence_embedding" if "sentence_embedding" in outputs else outputs[0]
        self.identity = identity
        self.floor = self._floor()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row a text, of length 1; of length 0 for one without words. Safe in several threads."""
        import numpy as np

        order = sorted(
            range(len(texts)), key=lambda n: len(texts[n])
        )  # short ones are not filled up to long ones
        parts = [order[n : n + _TOGETHER] for n in range(0, len(order), _TOGETHER)]
        made = [self._some([texts[n] for n in part]) for part in parts]
        out = np.zeros((len(texts), made[0].shape[1] if made else 0), np.float32)
        for part, rows in zip(parts, made, strict=True):
            out[part] = rows
        out[[n for n, text in enumerate(texts) if not text.strip()]] = 0.0
        return out

    def _some(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        read = self._tokenizer.encode_batch(texts)
        mask = np.array([r.attention_mask for r in read], np.int64)
        given = {
            "input_ids": np.array([r.ids for r in read], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        [rows] = self._session.run([self._gives], {k: v for k, v in given.items() if k in self._takes})
        if rows.ndim == 3:  # a vector a token
            weights = mask[:, :, None].astype(np.float32)
            rows = rows[:, 0] if self._first else (rows * weights).sum(1) / np.maximum(weights.sum(1), 1.0)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)

    def _floor(self) -> float:
        import numpy as np

        longest = "a " * TOKENS  # a model that takes fewer is found out now
        rows = self.encode([*_UNRELATED, longest])[:-1]
        cosines = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
        return float(cosines.mean() + _DEVIATIONS * cosines.std())


def missing(folder: Path) -> str:
    """What stands in the way of a model in this folder, in words; "" when nothing is seen. Imports nothing."""
    if not folder.is_dir():
        return f"{folder} is not a folder; name one that holds model.onnx and tokenizer.json"
    if _model_in(folder) is None:
        return f"{folder} holds no model.onnx"
    if not (folder / "tokenizer.json").is_file():
        return f"{folder} holds no tokenizer.json"
    if find_spec("onnxruntime") is None or find_spec("tokenizers") is None:
        return "onnxruntime and tokenizers are not installed; install the extra: watchkeeper[embedding]"
    return ""


def _model_in(folder: Path) -> Path | None:
    """Also where repositories of models have it."""
    return next((p for p in (folder / "model.onnx", folder / "onnx" / "model.onnx") if p.is_file()), None)


def load(folder: Path) -> Encoder:
    """The model in this folder. Raises ModelError."""
    path = _model_in(folder)
    if (why := missing(folder)) or path is None:
        raise ModelError(why)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # other threads want the other cores
    try:
        return _loaded(folder, path)
    except Exception as error:  # both libraries raise what has no name, or a name for each of their insides
        if isinstance(error, MemoryError):
            raise
        raise ModelError(f"{path} cannot be used: {error}") from error


def _loaded(folder: Path, path: Path) -> Encoder:
    import onnxruntime
    from tokenizers import Tokenizer

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # which would keep what the largest batch once took
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    padding = tokenizer.padding or {"pad_id": 0, "pad_token": "[PAD]"}
    tokenizer.enable_padding(pad_id=padding["pad_id"], pad_token=padding["pad_token"])
    pooling = folder / "1_Pooling" / "config.json"
    said = json.loads(pooling.read_text()) if pooling.is_file() else {}
    made_of = hashlib.sha256(str(TOKENS).encode())
    for part in (path, folder / "tokenizer.json"):
        with part.open("rb") as file:
            made_of.update(hashlib.file_digest(file, "sha256").digest())
    first = bool(said.get("pooling_mode_cls_token"))
    return Encoder(session, tokenizer, first, made_of.hexdigest()[:16])
