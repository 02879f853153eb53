"""The machine-learning example compares fairly, picks the best and judges it on unseen data."""

from types import ModuleType

import numpy as np
import pytest

from flowweaver import Origin, ThreadedExecutor
from tests.examples.loading import load_example


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return load_example("ml_pipeline.py")


@pytest.fixture(scope="module")
def run(example):
    return ThreadedExecutor(max_workers=2).execute(example.models)


def test_train_and_test_parts_share_no_wine_and_lose_none(run):
    split = run["split"]
    both = np.concatenate([split["x_train"], split["x_test"]])
    assert both.shape == (178, 13)
    assert len(np.unique(both, axis=0)) == len(np.unique(split["x_train"], axis=0)) + len(
        np.unique(split["x_test"], axis=0)
    )


def test_every_model_is_scored_on_every_fold(example, run):
    assert [len(scores) for scores in run["score"]] == [5, 5, 5]
    assert all(0 <= score <= 1 for scores in run["score"] for score in scores)


def test_the_folds_divide_the_training_part(run):
    rows = [row for fold in run["folds"] for row in fold]
    assert sorted(rows) == list(range(len(run["split"]["y_train"])))


def test_the_model_with_the_highest_mean_is_picked(example, run):
    means = dict(zip(example.MODELS, map(np.mean, run["score"]), strict=True))
    assert run["scores"] == pytest.approx(means)
    assert means[run["best"]] == max(means.values())


def test_the_comparison_never_sees_the_test_part(example, run):
    split = dict(run["split"], x_test=None, y_test=None)
    assert example.score(run["best"], run["folds"][0], split) in [
        scores[0] for scores in run["score"]
    ]


def test_a_model_added_has_only_its_own_scores_made(example, store, monkeypatch):
    executor = ThreadedExecutor(max_workers=2, state_store=store)
    executor.execute(example.models)
    fewer = {name: example.MODELS[name] for name in list(example.MODELS)[:2]}
    monkeypatch.setattr(example, "MODELS", fewer)
    run = executor.execute(example.models, reuse="completed", force=["candidates"])
    assert {element.origin for element in run.tasks["score"].elements} == {Origin.RESTORED}


def test_the_verdict_is_that_of_the_fitted_model_on_the_test_part(run):
    split, verdict = run["split"], run["verdict"]
    assert verdict["model"] == run["best"]
    assert verdict["accuracy"] == run["fitted"].score(split["x_test"], split["y_test"]) > 0.9
    assert np.trace(verdict["confusion"]) == round(verdict["accuracy"] * len(split["y_test"]))


def test_second_run_restores_arrays_and_the_fitted_model(example, store):
    executor = ThreadedExecutor(max_workers=2, state_store=store)
    first = executor.execute(example.models)
    second = executor.execute(example.models)
    assert {task_run.origin for task_run in second.tasks.values()} == {Origin.RESTORED}
    x_test = second["split"]["x_test"]
    np.testing.assert_array_equal(x_test, first["split"]["x_test"])
    np.testing.assert_array_equal(second["fitted"].predict(x_test), first["fitted"].predict(x_test))
    assert second["verdict"] == first["verdict"]
