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
    assert [len(run[model]) for model in example.MODELS] == [5, 5, 5]
    assert all(0 <= score <= 1 for model in example.MODELS for score in run[model])


def test_the_model_with_the_highest_mean_is_picked(example, run):
    means = {model: np.mean(run[model]) for model in example.MODELS}
    assert means[run["best"]] == max(means.values())


def test_the_comparison_never_sees_the_test_part(example, run):
    split = dict(run["split"], x_test=None, y_test=None)
    again = example.cross_validate(run["best"], split)
    assert again == run[run["best"]]


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
