"""Progress in a notebook. The kernel is stood in for: what is shown goes to a list."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from flowweaver import SequentialExecutor, Task, Workflow, each, task
from flowweaver.observers.notebook import in_notebook


@pytest.fixture
def cell(monkeypatch):
    """A cell of a notebook; what it shows."""
    pictures = []
    handle = SimpleNamespace(update=pictures.append)

    def display(picture, display_id):
        pictures.append(picture)
        return handle

    shell = SimpleNamespace(config={"IPKernelApp": {}})
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    shows = ModuleType("IPython.display")
    shows.display, shows.HTML = display, str
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", shows)
    return pictures


@task(inputs={"page": each("pages")})
def load(page: int) -> int:
    return page


crawl = Workflow("crawl", [Task("pages", lambda: [1, 2, 3]), load])


def test_progress_is_the_default_in_a_notebook(cell):
    assert in_notebook()
    SequentialExecutor().execute(crawl)
    assert "4/4" in cell[-1]
    assert "<code>load</code>" in cell[-1]
    assert "3/3" in cell[-1]
    assert "<script" not in "".join(cell)


def test_it_can_be_declined(cell):
    SequentialExecutor().execute(crawl, progress=False)
    assert cell == []


def test_elsewhere_nothing_is_shown(capsys):
    assert not in_notebook()
    SequentialExecutor().execute(crawl)
    assert capsys.readouterr() == ("", "")
