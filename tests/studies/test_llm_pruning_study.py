"""The study of cut language models on a tiny one: what is refused, which trials, what rows say."""

from dataclasses import fields, replace
from hashlib import sha256
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from foqus_lib.companions.llm_pruning import blocks, checkpoint, text, tuning
from foqus_lib.experiment import artifacts, store, sweep
from foqus_lib.experiment.key import name_of
from foqus_lib.experiment.store import frame
from foqus_lib.report.bars import judge
from foqus_lib.report.blocks import compared_of, mean_of_draws
from foqus_lib.studies import catalog, llm_pruning
from foqus_lib.studies.llm_pruning import claims, cut, given, grid, run
from foqus_lib.studies.llm_pruning.options import CONTROL, RANDOM, REVERSE, RULES, WHOLE, Options
from tests.studies import tiny

OPTIONS = Options(
    cuts=(0.25,), rules=(RANDOM, REVERSE, "BI"), brief_rules=("PPL",), brief_steps=(1,),
    tunings=("lm_head",), steps=(1, 2), draws=2, batch=2, window=24, rates=(0.001, 0.01),
    rate_steps=1, held=4, questions=4, calibration=2, blocks=4, width=16, heads=2, base_steps=3,
    base_batch=2,
)  # fmt: skip
STUDY = llm_pruning.STUDY


@pytest.fixture(scope="module")
def corpus():
    files = [f"def f{n}(x):\n    return x * {n} + {n % 7}\n" * 120 for n in range(40)]
    third = tuple(files)
    return text.Corpus("rows", third[:20], third[20:30], third[30:], third[:9], "0" * 64, "Rows.")


@pytest.fixture(scope="module")
def bench(corpus, tmp_path_factory):
    return given.Bench(corpus, OPTIONS, tmp_path_factory.mktemp("store"))


def trials(corpus, options=OPTIONS, seeds=2):
    return llm_pruning.trials(tiny.common(seeds=seeds), options, corpus)


def test_a_small_model_that_was_trained_otherwise_is_another(bench):
    """The precision is of all trainings, that of the model which is cut too."""
    rounded = replace(bench, options=replace(OPTIONS, precision="bf16"))
    assert rounded.base_key != bench.base_key
    assert bench.base_key["recipe"] == OPTIONS.base_recipe  # stores know fp32 by this


@pytest.fixture(scope="module")
def rows(bench):
    wanted = trials(bench.task)
    found = sweep.sweep(STUDY, bench, wanted)
    assert not found.note
    return frame(bench.root, STUDY, wanted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rules": ("Bi",)}, "unknown rule of rules 'Bi'"),
        ({"tunings": ("LoRA",)}, "unknown tuning 'LoRA'; did you mean 'LoRA r = 8'"),
        ({"tunings": ("QLoRA r = 8",)}, "needs the package bitsandbytes"),
        ({"cuts": (1.5,)}, "cuts: expected shares such as 0.25"),
        ({"cuts": (0.255,)}, "whole percents, got 0.255"),
        ({"rates": (-1.0,)}, "rates, base_rate: expected finite, above 0, got -1"),
        ({"brief_steps": ()}, r"brief_steps: expected at least one, got \[\]"),
        ({"cuts": ()}, r"cuts: expected at least one, got \[\]"),
        ({"steps": (0,)}, "steps: expected 1 or more"),
        ({"brief_steps": (5,)}, r"brief_steps: expected some of steps \[1, 2\], got \[5\]"),
        ({"rate_steps": 9}, "rate_steps: expected at most 2"),
        ({"window": 8}, "window: expected 16 or more"),
        ({"precision": "tf32"}, "unknown precision"),
        ({"width": 15}, "width: expected a multiple of 2 x 2 heads, got 15"),
    ],
)
def test_options_are_refused_with_a_reason(change, words):
    with pytest.raises(ValueError, match=words):
        replace(OPTIONS, **change)


@pytest.mark.parametrize("percent", [7, 29, 55, 58])
def test_every_whole_percent_is_a_cut(percent):
    """In binary a hundred times 0.29 is not 29."""
    assert replace(OPTIONS, cuts=(percent / 100,)).cuts == (percent / 100,)
    assert blocks.to_remove(100, percent / 100) == percent


def test_the_notebook_refuses_before_anything_is_trained():
    given_wrong = {"profile": "smoke", "dataset": "RML2016.10a-like"}
    with pytest.raises(ValueError, match="dataset: expected 'standard library' or a folder"):
        _ = catalog.opened("11_llm_pruning", given_wrong).task
    nowhere = catalog.opened("11_llm_pruning", {"profile": "smoke", "model": "nowhere"})
    with pytest.raises(ValueError, match="'nowhere', which is no folder here"):
        _ = nowhere.trials


def test_a_cut_that_leaves_too_little_is_refused_before_training(corpus):
    for total, words in ((3, "removes 0"), (4, "tuning: .* 1 blocks are left")):
        options = replace(OPTIONS, blocks=total, cuts=(0.25 if total == 3 else 0.75,))
        with pytest.raises(ValueError, match=words):
            llm_pruning.bench(tiny.common(), options, corpus)


def test_text_that_is_too_short_is_refused_before_training(corpus):
    with pytest.raises(ValueError, match="dataset: expected .* Give more text"):
        llm_pruning.bench(tiny.common(), replace(OPTIONS, steps=(1, 90_000)), corpus)


def test_trials_by_hand(corpus):
    """Seeds x steps: 2 draws of Random, Reverse, BI; PPL and the head at one step; the control."""
    found = trials(corpus)
    assert len(found) == len(set(found)) == 2 * (2 * 2 + 2 + 2 + 1 + 1 + 2) + 1
    assert {one.budget for one in found if one.method == REVERSE} == {48, 96}
    assert {one.budget for one in found if one.method == "PPL"} == {48}
    [whole] = [one for one in found if one.method == WHOLE]
    assert whole["cut"] == whole["tuning"] == "-"


def test_the_text_and_the_versions_are_in_the_key(corpus):
    other = trials(replace(corpus, fingerprint="1" * 64))
    assert not set(other) & set(trials(corpus))
    assert "llm_pruning=" in other[0]["versions"] and "by 1 steps" in other[0]["recipe"]
    assert "within steps 1, 2" in other[0]["recipe"]  # where orders are shuffled decides them


def test_the_version_of_lora_is_in_the_keys_of_its_rows_alone(corpus, monkeypatch):
    options = replace(OPTIONS, tunings=("lm_head", tuning.LORA))
    before = trials(corpus, options)
    monkeypatch.setattr(tuning, "LORA_VERSION", 99)
    changed = set(before) - set(trials(corpus, options))
    assert {one["tuning"] for one in changed} == {tuning.LORA}
    assert {one["versions"] for one in set(before) - changed} == {given.VERSIONS}


def test_every_order_of_text_has_its_own_start_of_lora(corpus, tmp_path, monkeypatch):
    options = replace(OPTIONS, tunings=(tuning.LORA,), tuned_rules=(REVERSE,))
    bench = given.Bench(corpus, options, tmp_path)
    cut.train_base(bench)
    starts, real = {}, run._tuned

    def looked(bench, found, role, seed, *more):
        starts[role, seed] = torch.cat([one.flatten() for one in found.start.values()])
        real(bench, found, role, seed, *more)

    monkeypatch.setattr(run, "_tuned", looked)
    group = [one for one in trials(corpus, options) if one["tuning"] == tuning.LORA]
    run.run_rows(bench, tuple(group))
    assert not torch.equal(starts["order", 0], starts["order", 1])
    metrics = [store.read(tmp_path, one)["metrics"] for one in group]
    assert metrics[0]["before"] == metrics[1]["before"]  # B = 0


def test_the_base_is_trained_once_and_kept(bench, rows):
    assert artifacts.find_arrays(bench.root, bench.base_key) is not None
    assert grid.jobs(bench, trials(bench.task)[:1])[0] == []


def test_windows_of_the_parts_come_from_their_files(bench):
    found = given.texts(bench)
    assert found.pool.shape == (4, 24) and found.looked_at.shape == (2, 24)
    assert found.cloze.shape == (4, 4, 24) and int(found.test_size.sum()) == found.test.numel()
    train = "".join(bench.task.train)
    assert all(bytes(row.tolist()).decode() in train for row in found.pool)


def test_orders_have_read_the_same_text_at_every_measurement(bench):
    orders = [run.order(bench, "order", seed) for seed in range(8)]
    for steps in OPTIONS.steps:
        read = {tuple(sorted(np.concatenate(one[:steps]).tolist())) for one in orders}
        assert read == {tuple(range(steps * OPTIONS.batch))}
    assert len({tuple(np.concatenate(one).tolist()) for one in orders}) > 2


def test_every_rule_removes_what_the_cut_says(bench, rows):
    for rule in RULES:
        assert len(cut.removed(bench, rule, 0.5)) == 2
    drawn = {
        cut.removed(bench, RANDOM, 0.5, seed, repeat) for seed in range(4) for repeat in (0, 1)
    }
    assert len(drawn) > 2 and cut.removed(bench, REVERSE, 0.25) == (3,)


def test_rows_hold_every_metric_and_common_parts_agree(bench, rows):
    tuned = rows[rows.method != WHOLE]
    assert tuned[["loss", "bits", "bits_prose", "cloze", "before", "lr"]].notna().all().all()
    assert set(tuned.lr) <= {0.001, 0.01}
    assert (rows.loss / torch.tensor(2.0).log().item() - rows.bits).abs().max() < 1e-6  # bytes
    before = rows[(rows.method == REVERSE)].before
    assert before.nunique() == 1  # whatever is tuned, it is the same cut
    whole = rows[rows.method == WHOLE].loss.item()
    assert rows[rows.method == CONTROL].before.iloc[0] == pytest.approx(whole)


def test_a_run_alone_gives_what_the_sweep_gave(bench, rows, tmp_path):
    """The trial of the second order at the later budget, in a store of its own."""
    [wanted] = [
        one for one in trials(bench.task)
        if one.method == REVERSE and one.seed == 1 and one.budget == 96
    ]  # fmt: skip
    alone = replace(bench, root=tmp_path)
    assert not sweep.sweep(STUDY, alone, [wanted]).note
    body = store.read(tmp_path, wanted)["metrics"]
    [row] = rows[(rows.method == REVERSE) & (rows.seed == 1) & (rows.budget == 96)].itertuples()
    assert body["loss"] == row.loss and body["lr"] == row.lr


def test_seconds_of_a_budget_do_not_hold_those_of_the_smaller_ones(bench, tmp_path, monkeypatch):
    ticks = SimpleNamespace(perf_counter=count(0, 10).__next__)  # ten seconds from look to look
    alone = replace(bench, root=tmp_path)
    cut.train_base(alone)
    wanted = [one for one in trials(bench.task, seeds=1) if one.method == REVERSE]
    group = tuple(one for one in wanted if one["tuning"] == tuning.PARTIAL)
    monkeypatch.setattr(run, "time", ticks)
    run.run_rows(alone, group)
    seconds = [store.read(tmp_path, one)["provenance"]["seconds"] for one in group]
    assert [one.budget for one in group] == [48, 96] and seconds == [10, 10]


def test_an_order_that_diverges_hides_no_other(bench, rows, tmp_path, monkeypatch):
    real = tuning.tune

    def diverging(model, given, ids, batches, lr, precision, seed, look=None, decay=False):
        if look and seed == 0:
            batches = batches[:1]  # of two: its first budget is measured before it fails
        real(model, given, ids, batches, lr, precision, seed, look, decay)
        if look and seed == 0:
            raise ValueError("loss: not finite at step 2")

    alone = replace(bench, root=tmp_path)
    cut.train_base(alone)
    monkeypatch.setattr(tuning, "tune", diverging)
    wanted = [one for one in trials(bench.task) if one.method == REVERSE]
    found = sweep.sweep(STUDY, alone, wanted)
    assert [(one.seed, one.budget) for one in found.failed] == [(0, 96)]
    of_other = [one for one in wanted if one.seed == 1]
    assert set(of_other) < set(found.complete)
    for one in of_other:  # it begins from the cut, whatever the one before left
        theirs, ours = (store.read(root, one)["metrics"] for root in (bench.root, tmp_path))
        assert theirs == ours


def test_a_base_that_diverged_is_noted_once(bench, tmp_path, monkeypatch):
    def diverging(*given, **more):
        raise ValueError("loss: not finite at step 2")

    monkeypatch.setattr(tuning, "tune", diverging)
    alone = replace(bench, root=tmp_path)
    found = sweep.sweep(STUDY, alone, [one for one in trials(bench.task) if one.method == REVERSE])
    assert found.failed and all("finite at step 2" in why for why in found.failed.values())
    assert len(list((tmp_path / "failures" / name_of(bench.base_key)).iterdir())) == 1


def test_a_rate_may_be_chosen_after_more_steps_than_a_brief_row_takes(corpus, tmp_path):
    options = replace(OPTIONS, rules=(REVERSE,), tunings=(), steps=(1, 4), rate_steps=3)
    made = given.Bench(corpus, options, tmp_path)
    assert not sweep.sweep(STUDY, made, trials(corpus, options, seeds=1)).note
    assert [run.read_to(made, steps) for steps in (0, 1, 4)] == [0, 4, 4]


def test_the_rate_is_the_one_of_least_validation_loss(bench, rows):
    losses = {}
    found = run.ready(bench, REVERSE, "25 %", tuning.PARTIAL, 0, 0, 2)
    for lr in OPTIONS.rates:
        losses[lr] = run._after(bench, found, lr)
    assert run.rate(bench, REVERSE, "25 %", tuning.PARTIAL, 2) == min(losses, key=losses.get)


def test_a_saved_llama_can_be_cut_too(corpus, tmp_path):
    """`model` may be a folder: same rules, tokens by its own tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {piece: at for at, piece in enumerate(sorted({*"".join(corpus.train), "?"}))}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=made, unk_token="?").save_pretrained(tmp_path / "m")
    LlamaForCausalLM(LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=8, intermediate_size=8, num_hidden_layers=4,
        num_attention_heads=2,
    )).save_pretrained(tmp_path / "m")  # fmt: skip
    options = replace(OPTIONS, model=str(tmp_path / "m"), rules=(REVERSE,), brief_rules=())
    bench = llm_pruning.bench(
        tiny.common(results=str(tmp_path / "store"), seeds=1), options, corpus
    )
    wanted = trials(corpus, options, seeds=1)
    assert not sweep.sweep(STUDY, bench, wanted).note
    assert wanted[0]["model"] == f"m {checkpoint.digest(tmp_path / 'm')[:12]}"
    assert wanted[0]["base_recipe"] == "as given"


# ---- what is concluded ---------------------------------------------------------------------------


def table(losses):
    """Rows of two orders; losses: {(rule, tuning): {budget: loss}}; bits are the losses."""
    found = []
    for (rule, how), by_budget in losses.items():
        for budget, loss in by_budget.items():
            for seed in range(5):
                found.append({
                    "method": rule, "tuning": how, "cut": "-" if rule == WHOLE else "25 %",
                    "budget": budget, "seed": seed, "repeat": 0, "loss": loss + seed,
                    "bits": loss, "before": 9.0 if rule == REVERSE else 5.0,
                })  # fmt: skip
    return pd.DataFrame(found)


def test_verdicts_by_hand():
    last = tuning.PARTIAL
    rows = table({
        (REVERSE, last): {10: 3.0, 20: 2.0}, ("BI", last): {10: 2.0, 20: 1.995},
        ("PPL", last): {20: 2.5}, (RANDOM, last): {20: 1.9}, ("First blocks", last): {20: 2.06},
        (REVERSE, "lm_head"): {20: 2.2}, (WHOLE, "-"): {0: 1.9},
    })  # fmt: skip
    found = judged(rows)
    assert list(found.verdict) == [
        "met",  # 0.005 behind BI, the best metric
        "not met",  # 0.1 behind Random
        "met",  # 0.06 ahead of First blocks
        "not measured",  # no Keep the last
        "met",
        "not measured",
        "not met",  # 5 % above the whole model
        "not measured",
    ]
    few = judged(rows[rows.seed < 3])
    assert set(few.verdict) == {"no verdict", "not measured"}
    gap = claims.gaps(rows, "25 %").set_index(["rule", "budget"])
    assert gap.gap["BI", 10] == pytest.approx(1) and gap.of_cut["BI", 10] == 4
    assert gap.left["BI", 10] == pytest.approx(0.25)
    level = claims.caught_up(claims.gaps(rows, "25 %")).set_index("rule")
    assert (
        level["level from"]["BI"] == "not within this run" and level["gap shrinks"]["BI"] == "yes"
    )
    assert level["level from"]["PPL"] == 20
    assert level["gap shrinks"]["PPL"] == "one budget only"


def judged(rows):
    at = (rows, "25 %", 20)
    return judge(claims.bars(*at), claims.judged_by(*at))


def lora_after(rules):
    """Rows of both tunings after these rules at 20 tokens: LoRA is ahead after BI alone."""
    after = {(rule, tuning.PARTIAL): {20: 2.0} for rule in rules}
    after |= {(rule, tuning.LORA): {20: 1.5 if rule == "BI" else 2.5} for rule in rules}
    return table(after).assign(
        lr=[1e-3 if how == tuning.LORA else 3e-4 for how in table(after).tuning],
        recipe="8x128 tokens a step, lr 0.001 or 0.0003 by 15 steps, bf16",
    )


def test_lora_is_judged_after_each_rule_it_was_tried_on():
    """A rule after which it is better is a line of its own."""
    found = judged(lora_after([REVERSE, "BI"])).set_index("says")
    said = "{}: head + last 3 no worse than LoRA r = 8"
    assert found.verdict[said.format(REVERSE)] == "met"
    assert found.verdict[said.format("BI")] == "not met"
    assert found.measured[said.format("BI")].startswith("+0.500 nats")
    assert len(found) == 9  # the head alone was tried after none: one line, not measured


def test_rates_at_the_ends_of_what_was_tried_are_named():
    rows = lora_after(["BI"])
    assert claims.rates_in_words(rows, "25 %", 20).splitlines() == [
        "BI, LoRA r = 8: learning rate 0.001, the largest tried of 0.0003, 0.001",
        "BI, head + last 3: learning rate 0.0003, the smallest tried of 0.0003, 0.001",
    ]
    for recipe, words in (
        ("lr 0.001 by 1 steps", "the only one tried of 0.001"),
        ("lr 0.0001 or 0.001 or 0.01 by 1 steps", "between the ends of 0.0001, 0.001, 0.01"),
    ):
        assert words in claims.rates_in_words(rows.assign(recipe=recipe), "25 %", 20)
    assert claims.rates_in_words(rows[rows.tuning == "full"], "25 %", 20) == ""


def test_the_whole_model_is_a_reference_and_tuned_as_long_the_ceiling():
    last = tuning.PARTIAL
    rows = table({
        (REVERSE, last): {10: 5.0}, (REVERSE, "full"): {10: -0.9, 20: 3.0},
        (CONTROL, last): {10: 2.0, 20: -0.5}, (WHOLE, "-"): {0: 0.0},
    })  # fmt: skip
    words = claims.reference_in_words(rows)
    assert "2.000 nats a token, a reference" in words  # orders add 0 to 4
    assert words.endswith("budget: Reverse order (full), Whole model, tuned (head + last 3).")
    assert set(claims.of_rules(rows).method) == {REVERSE, claims.CEILING, WHOLE}
    assert set(compared_of(claims.of_rules(rows), STUDY).method) == {REVERSE}
    nothing = claims.reference_in_words(rows[rows.method.isin([WHOLE]) | (rows.loss > 4.9)])
    assert nothing.endswith("nothing.")


def test_a_gap_at_two_cuts_grows_where_the_ranges_do_not_meet():
    def gap(**by_rule):
        return pd.DataFrame([
            {"rule": rule, "budget": 20, "gap": sum(ends) / 2, "least": ends[0],
             "greatest": ends[1]}
            for rule, ends in by_rule.items()
        ])  # fmt: skip

    found = claims.across_cuts({
        "25 %": gap(BI=(1, 2), PPL=(1, 2), Taylor=(1, 2), Random=(0, 1)),
        "50 %": gap(BI=(3, 4), PPL=(0, 0.5), Taylor=(1.5, 4)),
    })  # fmt: skip
    assert list(found["the gap"]) == ["grows", "shrinks", "ranges meet"]
    assert found["25 %"][0] == "+1.500 (+1.000 to +2.000)" and list(found.tokens) == [20] * 3
    rows = table({(rule, tuning.PARTIAL): {20: loss} for rule, loss in (("BI", 2), ("PPL", 1))})
    assert claims.places(rows, "25 %", 20, ["BI", "PPL"]) == "PPL, BI"


def test_no_rows_are_not_run():
    rows = table({(REVERSE, tuning.PARTIAL): {20: 2.0}})
    assert set(judged(rows).verdict) == {"not measured"}
    assert claims.gaps(rows, "25 %").empty and claims.caught_up(claims.gaps(rows, "25 %")).empty


def test_draws_become_one_row_an_order(rows):
    found = mean_of_draws(rows, STUDY)
    drawn = rows[(rows.method == RANDOM) & (rows.seed == 0) & (rows.budget == 48)].loss
    one = found[(found.method == RANDOM) & (found.seed == 0) & (found.budget == 48)].loss
    assert len(drawn) == 2 and one.item() == pytest.approx(drawn.mean())


def test_tables_of_rules_and_of_tunings_print(rows):
    from foqus_lib.report.means import budget_table

    averaged = mean_of_draws(rows, STUDY)
    main = claims.of_rules(averaged)
    assert set(averaged.tuning) - set(main.tuning) == {"lm_head"}
    assert list(budget_table(main, STUDY).text.index) == [
        f"{RANDOM} (floor)", REVERSE, "BI", "PPL", "Whole model, tuned (ceiling)",
        "Whole model, not tuned (reference)",
    ]  # fmt: skip
    shown = claims.by_tuning(averaged[averaged.budget == 48], [REVERSE])
    found = budget_table(shown, claims.study_of_tunings(STUDY)).text
    assert len(found) == 2
    several = claims.where_tunings_differ(averaged)
    assert set(zip(several.method, several.tuning, strict=True)) == {
        (REVERSE, tuning.PARTIAL), (REVERSE, "lm_head")
    }  # fmt: skip


def test_a_page_asked_for_rules_gets_the_floor_beside_them():
    """Its tables are differences to Random; a sweep makes what it was asked for, and no more."""
    rules = [REVERSE, "BI"]
    given = {"profile": "smoke", "rules": rules}
    kernel = given | {"In": ["", f"profile = 'smoke'\nrules = {rules!r}"]}
    assert catalog.opened("11_llm_pruning", kernel).options.rules == (RANDOM, REVERSE, "BI")
    assert catalog.opened("11_llm_pruning", given).options.rules == (REVERSE, "BI")
    brief = kernel | {"profile": "overnight", "model": "small"}  # has Random among brief_rules
    assert catalog.opened("11_llm_pruning", brief).options.rules == (REVERSE, "BI")


@pytest.mark.parametrize(("name", "value"), [("frames", 10), ("snr_min", 0), ("split", "blocks")])
def test_what_says_which_signals_there_are_is_refused(name, value):
    said = f"^{name}: 11_llm_pruning takes none, got {value!r}: it reads text"
    with pytest.raises(ValueError, match=said):
        catalog.opened("11_llm_pruning", {"profile": "smoke", name: value})


def test_tokens_in_words():
    told = [grid.in_tokens(tokens) for tokens in (512, 30_720, 614_400, 2_048_000, 6_144_000)]
    assert told == ["512 tokens", "30.7k tokens", "614k tokens", "2.05M tokens", "6.14M tokens"]


# ---- versions ------------------------------------------------------------------------------------

# Of `picks` below, by the versions that stand in a row's key. Whole numbers: the same anywhere.
PICKS = {"llm_pruning=1": "7d5627f4b4e87b61ae850cfa0bc80a26edbd9e08f1f055996527319fb6d3579d"}


@pytest.fixture
def untrained(monkeypatch):
    """No base model is needed to say which blocks are drawn."""
    monkeypatch.setattr(cut, "base", cut.fresh)


def picks(corpus, root):
    """SHA-256 of windows, questions, orders of text and drawn blocks; a question fits a window."""
    options = replace(OPTIONS, window=64, blocks=8)
    made, found = given.Bench(corpus, options, root), sha256()
    parts = [getattr(given.texts(made), field.name) for field in fields(given.Texts)]
    orders = [np.concatenate(run.order(made, role, 1)) for role in ("order", "rates")]
    drawn = [cut.removed(made, RANDOM, 0.5, seed=1, repeat=repeat) for repeat in (0, 1)]
    for numbers in (*parts, *orders, *drawn):
        found.update(np.asarray(numbers).astype("<i8").tobytes())
    return found.hexdigest()


def test_other_picks_need_a_raised_version(corpus, tmp_path, untrained):
    assert picks(corpus, tmp_path) == PICKS.get(given.VERSIONS), (
        "the same options pick other text, questions, orders or blocks: raise "
        "companions.llm_pruning.VERSION and note the digest"
    )


@pytest.mark.parametrize(
    ("name", "value"), [("CONTEXT_SHARE", 0.5), ("PIECE", 2), ("QUESTION", 40)]
)
def test_these_picks_tell_the_constants_that_no_key_holds(
    corpus, tmp_path, untrained, monkeypatch, name, value
):
    monkeypatch.setattr(given, name, value)
    assert picks(corpus, tmp_path) not in PICKS.values()
