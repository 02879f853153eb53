"""Train several models on the same data, compare them, keep the best and judge it once.

What to learn here:

- Results may be any value: arrays, a dictionary of arrays, a fitted model.
- `each` fans out: every model is scored on every fold, each score is a TaskRun of its own.
- Add a model to `MODELS` and only its scores are made; the others are restored.
- The test part is looked at once, by the model that was picked.

The data are 178 Italian wines of three cultivars with 13 measurements each, as scikit-learn ships
them (Forina and others, UCI Machine Learning Repository, 1991).

Needed beyond FlowWeaver: pip install scikit-learn

    flowweaver run examples/ml_pipeline.py:models --executor threads --workers 2
"""

from statistics import fmean
from typing import Any, TypedDict

from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flowweaver import Origin, SQLiteStateStore, ThreadedExecutor, Workflow, each, task

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


@task
def candidates() -> list[str]:
    """Name the models to compare."""
    return list(MODELS)


@task
def folds(split: Split, count: int = 5) -> list[list[int]]:
    """Divide the training part into folds, each cultivar in proportion: the rows of each fold."""
    dealt = StratifiedKFold(count).split(split["x_train"], split["y_train"])
    return [[int(row) for row in held_out] for _, held_out in dealt]


@task(inputs={"model": each("candidates"), "fold": each("folds")}, combine="cross")
def score(model: str, fold: list[int], split: Split) -> float:
    """Train one model on all folds but one, and score it on that one."""
    rest = [row for row in range(len(split["y_train"])) if row not in set(fold)]
    trained = clone(MODELS[model]).fit(split["x_train"][rest], split["y_train"][rest])
    return float(trained.score(split["x_train"][fold], split["y_train"][fold]))


@task
def scores(candidates: list[str], score: list[list[float]]) -> dict[str, float]:
    """Average each model's scores over the folds."""
    return {model: fmean(found) for model, found in zip(candidates, score, strict=True)}


@task
def best(scores: dict[str, float]) -> str:
    """Pick the model with the highest mean score."""
    return max(scores, key=scores.__getitem__)


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


models = Workflow("models", [split, candidates, folds, score, scores, best, fitted, verdict])

if __name__ == "__main__":
    executor = ThreadedExecutor(max_workers=2, state_store=SQLiteStateStore(".flowweaver/state.db"))
    run = executor.execute(models)
    for model, mean in run["scores"].items():
        print(f"{model}: {mean:.3f}")
    print("{model}: {accuracy:.3f} on unseen wines".format_map(run["verdict"]))
    restored = [t for t in run.tasks.values() if t.origin is Origin.RESTORED]
    print(f"{len(restored)} of {len(run.tasks)} tasks restored")
