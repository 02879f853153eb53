"""Train several models on the same data, compare them, keep the best and judge it once.

What to learn here:

- Results may be any value: arrays, a dictionary of arrays, a fitted model.
- Models are compared side by side, by cross-validation on the training part only.
- The test part is looked at once, by the model that was picked.
- To add a model, add a line to `MODELS`: the graph is built from it.

The data are 178 Italian wines of three cultivars with 13 measurements each, as scikit-learn ships
them (Forina and others, UCI Machine Learning Repository, 1991).

    flowweaver run examples/ml_pipeline.py:models --executor threads --workers 2
"""

from functools import partial
from statistics import fmean
from typing import Any, TypedDict

from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flowweaver import Origin, SQLiteStateStore, Task, ThreadedExecutor, Workflow, task

MODELS = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "random forest": RandomForestClassifier(n_estimators=100, random_state=0),
    "nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=5)),
}


class Split(TypedDict):
    """Features (x) and classes (y) to learn from and to be judged by."""

    x_train: Any
    x_test: Any
    y_train: Any
    y_test: Any


class Verdict(TypedDict):
    """What the chosen model achieves on wines it has never seen."""

    model: str
    accuracy: float
    confusion: list[list[int]]


@task
def split(test_share: float = 0.3, seed: int = 0) -> Split:
    """Set a share of the wines apart, each cultivar in proportion."""
    x, y = load_wine(return_X_y=True)
    parts = train_test_split(x, y, test_size=test_share, random_state=seed, stratify=y)
    return Split(x_train=parts[0], x_test=parts[1], y_train=parts[2], y_test=parts[3])


def cross_validate(model: str, split: Split, folds: int = 5) -> list[float]:
    """Score one model on each fold of the training part, trained on the others."""
    scores = cross_val_score(MODELS[model], split["x_train"], split["y_train"], cv=folds)
    return [float(score) for score in scores]


@task(depends_on=MODELS)
def best(**scores: list[float]) -> str:
    """Pick the model with the highest mean score."""
    return max(scores, key=lambda model: fmean(scores[model]))


@task
def fitted(best: str, split: Split) -> ClassifierMixin:
    """Train the chosen model on all of the training part."""
    return clone(MODELS[best]).fit(split["x_train"], split["y_train"])


@task
def verdict(best: str, fitted: ClassifierMixin, split: Split) -> Verdict:
    """Judge the chosen model by the test part."""
    found = fitted.predict(split["x_test"])
    return Verdict(
        model=best,
        accuracy=float((found == split["y_test"]).mean()),
        confusion=confusion_matrix(split["y_test"], found).tolist(),
    )


trials = [Task(model, partial(cross_validate, model)) for model in MODELS]
models = Workflow("models", [split, *trials, best, fitted, verdict])

if __name__ == "__main__":
    executor = ThreadedExecutor(max_workers=2, state_store=SQLiteStateStore(".flowweaver/state.db"))
    run = executor.execute(models)
    for name in MODELS:
        print(f"{name}: {fmean(run[name]):.3f}")
    print("{model}: {accuracy:.3f} on unseen wines".format_map(run["verdict"]))
    restored = [t for t in run.tasks.values() if t.origin is Origin.RESTORED]
    print(f"{len(restored)} of {len(run.tasks)} tasks restored")
