"""Right answers pass, every known mistake gets its hint, and nothing else gets one."""

import numpy as np
import pytest

from foqus_lib.course.checking import EXERCISES, cases, check, judge, same

every_exercise = pytest.mark.parametrize("name", EXERCISES)
MISTAKES = [(name, n) for name, one in EXERCISES.items() for n in range(len(one.mistakes))]


@every_exercise
def test_the_right_answer_passes(name, capsys):
    assert check(name, EXERCISES[name].right, strict=True)
    assert capsys.readouterr().out.startswith("ok ")


@every_exercise
def test_the_case_worked_by_hand_is_what_the_library_computes(name):
    one = EXERCISES[name]
    assert same(one.see(one.right, one.hand), one.worked)


@pytest.mark.parametrize(("name", "n"), MISTAKES)
def test_every_known_mistake_gets_its_own_hint(name, n, capsys):
    mistake = EXERCISES[name].mistakes[n]
    assert not check(name, mistake.answer)
    said = capsys.readouterr().out
    assert said.startswith("not yet ") and said.rstrip().endswith(f"Hint: {mistake.hint}"), said


@every_exercise
def test_an_unknown_mistake_is_told_what_is_asked_for(name):
    said = judge(name, lambda *given: np.array([7.0]))
    assert "Hint" not in said and EXERCISES[name].asks in said


@every_exercise
def test_cases_are_the_same_for_everybody(name):
    one, other = cases(name), cases(name)
    assert len(one) == EXERCISES[name].cases
    for a, b in zip(one, other, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_an_answer_that_raises_is_told_so(capsys):
    assert not check("forgetting", lambda c: c.nothing)
    assert "AttributeError" in capsys.readouterr().out


def test_a_task_that_nobody_wrote_yet_raised_nothing(capsys):
    assert not check("forgetting", lambda c: None)
    assert ": the case worked by hand: nothing is returned yet. It is" in capsys.readouterr().out


def test_strict_raises_for_grading_and_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="forgetting: the case worked by hand"):
        check("forgetting", lambda c: c[0], strict=True)
    with pytest.raises(ValueError, match="forgettin"):
        check("forgettin", len)


def test_an_answer_written_another_way_passes():
    def by_loops(c):
        return [
            sum(c[t - 1][i] and not c[t][i] for t in range(1, len(c))) for i in range(len(c[0]))
        ]

    assert check("forgetting", by_loops, strict=True)


SINGLE = {  # as torch computes unless told otherwise
    "quality": lambda c, loss, beta: (
        c.mean(axis=0, dtype=np.float32) - np.float32(beta) * loss.astype(np.float32).mean(axis=0)
    ),
    "foqus": lambda c, loss, beta: (
        (~c[1:]).mean(axis=0, dtype=np.float32) + SINGLE["quality"](c, loss, beta)
    ),
    "interval": lambda ours, theirs: EXERCISES["interval"].right(
        ours.astype(np.float32), theirs.astype(np.float32)
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_an_answer_in_float32_is_as_right(name):
    assert check(name, SINGLE[name], strict=True)


def test_what_differs_is_shown_wherever_it_stands():
    """Eight numbers are printed, of four digits; the difference may lie behind either."""

    def late(c):
        counts = EXERCISES["forgetting"].right(c)
        counts[8:] += 1
        return counts

    def slightly(c, loss, beta):
        return EXERCISES["quality"].right(c, loss, beta) * 1.00002

    assert " at place 8 (from 0) is " in judge("forgetting", late)
    said = judge("quality", slightly)
    assert "at place 0 (from 0) is 1.00002, expected 1. " in said


def _even_over_all(label, snr, k, rng):
    """Remainders are dealt in turn, so that SNRs are even over all classes together as well."""
    snrs, turn, found = rng.permutation(np.unique(snr)), 0, []
    classes = rng.permutation(np.unique(label))
    for n, y in enumerate(classes):
        quota = k // len(classes) + (n < k % len(classes))
        extra = [snrs[(turn + i) % len(snrs)] for i in range(quota % len(snrs))]
        turn += quota % len(snrs)
        for one in snrs:
            rows = np.flatnonzero((label == y) & (snr == one))
            found += rng.permutation(rows)[: quota // len(snrs) + (one in extra)].tolist()
    return found


def test_a_draw_that_is_evener_than_the_library_s_passes():
    assert check("snr_balanced", _even_over_all, strict=True)


@pytest.mark.parametrize("name", ["uniform", "snr_balanced", "tier_draw"])
def test_a_mask_is_told_to_be_one(name):
    def mask(*given):
        return np.isin(np.arange(len(given[0])), EXERCISES[name].right(*given))

    assert "a mask came back" in judge(name, mask)


def test_an_answer_cannot_change_the_cases():
    def vandal(c):
        c[:] = False
        return c.sum(axis=0)

    assert not check("forgetting", vandal)
    assert check("forgetting", EXERCISES["forgetting"].right)
