"""The graph of a workflow as a run keeps it."""

from flowweaver import MemoryStateStore, SequentialExecutor, Workflow, each, task
from flowweaver.blueprint import GRAPH_KEY, Blueprint
from flowweaver.definitions.blueprints import blueprint_digest, blueprint_of


@task
def pages(count: int = 2):
    """List the pages.

    All of them.
    """
    return list(range(count))


@task(inputs={"page": each("pages")})
def fetch(page, agent):
    return page


@task(inputs={"found": "fetch"})
def total(found, pages):
    return sum(found)


crawl = Workflow("crawl", [pages, fetch, total])


def test_all_that_is_drawn_is_kept():
    kept = blueprint_of(crawl.compile())
    assert kept.tasks == ("pages", "fetch", "total")
    assert [sorted(preds) for preds in kept.preds] == [[], [0], [0, 1]]
    assert kept.mapped == {1}
    assert kept.purposes == {0: "List the pages."}


def test_sources_that_have_other_names_are_kept():
    kept = blueprint_of(crawl.compile())
    assert kept.sources == {1: {"page": "pages"}, 2: {"found": "fetch"}}


def test_equal_graphs_have_one_digest():
    again = Workflow("another", [pages, fetch, total])
    digests = {blueprint_digest(flow.compile()) for flow in (crawl, again)}
    assert len(digests) == 1


def test_runs_of_one_graph_share_its_text():
    store = MemoryStateStore()
    for agent in ("a", "b"):
        SequentialExecutor(state_store=store).execute(crawl, {"agent": agent})
    graphs = {str(run.info[GRAPH_KEY]) for run in store.runs()}
    assert len(graphs) == 1
    assert Blueprint.from_text(store.code(graphs.pop()) or "") == blueprint_of(crawl.compile())


def test_graph_outlives_a_sweep():
    store = MemoryStateStore()
    run = SequentialExecutor(state_store=store).execute(crawl, {"agent": "a"})
    store.sweep()
    assert store.code(str(store.run(run.id).info[GRAPH_KEY])) is not None
