// The live page: all runs of a store, and what happens to them.

import { html, render, signal, useEffect, useRef, useState } from "./lib.js";
import { ActionButtons, actionsOf, resolutionsOf } from "./acting.js";
import { Compare } from "./compare.js";
import { Empty } from "./parts.js";
import { Help } from "./help.js";
import { PlanPage } from "./plan.js";
import { RunPage } from "./run.js";
import { RunsPage, runAddress } from "./runs.js";
import { ask, follow, merged, withPage } from "./source.js";
import { useKeys } from "./keys.js";
import { address, go, route } from "./route.js";

const now = signal(Date.now() / 1000);
setInterval(() => {
  now.value = Date.now() / 1000;
}, 1000);

const connected = signal(true);

function Live() {
  const [about, setAbout] = useState(/** @type {import("./source.js").About | null} */ (null));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    ask("about").then(setAbout, (error) => setProblem(error.message));
  }, []);
  useKeys(
    [
      { keys: ["g"], does: "All runs", run: () => go({ page: "runs", run: "", tab: "", wanted: {} }) },
      { keys: ["p"], does: "Plan a workflow", run: () => about?.targets[0] && go({ page: "plan", run: about.targets[0], tab: "", wanted: {} }) },
    ],
    [about],
  );
  if (problem) return html`<main id="main" class="view"><${Empty} title="Not let in"><p>${problem}</p><//></main>`;
  if (!about) return null;
  const { page, run } = route.value;
  return html`<a class="skip" href="#main">Skip to the content</a>
    <${Bar} about=${about} />
    ${connected.value ? null : html`<p class="lost" role="alert">The connection to <code>flowweaver ui</code> is lost; what is shown may be old. Trying again…</p>`}
    ${page === "run" ? html`<${LiveRun} key=${run} id=${run} about=${about} />` : null}
    ${page === "plan" ? html`<${PlanPage} key=${run} target=${run} about=${about} />` : null}
    ${page === "diff" ? html`<${LiveCompare} key=${run} pair=${run} />` : null}
    ${["", "runs"].includes(page) ? html`<${LiveRuns} about=${about} />` : null}`;
}

/** @param {{about: import("./source.js").About}} props */
function Bar({ about }) {
  const { page, run } = route.value;
  return html`<nav class="bar-top" aria-label="FlowWeaver">
    <a class="brand" href=${address({ page: "runs", run: "", tab: "", wanted: {} })} aria-current=${["", "runs"].includes(page) ? "page" : undefined}>FlowWeaver</a>
    ${about.targets.map(
      (target) => html`<a class="target" href=${address({ page: "plan", run: target, tab: "", wanted: {} })} aria-current=${page === "plan" && run === target ? "page" : undefined}>${target.split(/[:/]/).pop()}</a>`,
    )}
    <span class="muted store" title=${about.store}>${about.store.replace(/^\w+:\/\/\//, "")}</span>
    <${Help} />
  </nav>`;
}

/** @param {{about: import("./source.js").About}} props */
function LiveRuns({ about }) {
  const [runs, setRuns] = useState(/** @type {import("./source.js").Runs | null} */ (null));
  useEffect(() => {
    document.title = "Runs · FlowWeaver";
    return follow({}, setRuns, (yes) => {
      connected.value = yes;
    });
  }, []);
  return runs ? html`<${RunsPage} runs=${runs} now=${now.value} about=${about} />` : html`<main id="main" class="view"></main>`;
}

/** @param {{id: string, about: import("./source.js").About}} props */
function LiveRun({ id, about }) {
  const [view, setView] = useState(/** @type {import("./model.js").View | null} */ (null));
  const [problem, setProblem] = useState("");
  const [round, setRound] = useState(0);
  useEffect(() => {
    let over = false;
    let end = () => {};
    ask("run", { run: id }).then(
      (first) => {
        if (over) return;
        setView(first);
        document.title = `${first.run.workflow} ${first.run.status} · FlowWeaver`;
        end = follow(
          { run: id, since: String(first.revision) },
          (change) => {
            if (change.again) setRound((n) => n + 1);
            else setView((old) => old && merged(old, change));
          },
          (yes) => {
            connected.value = yes;
          },
        );
      },
      (error) => setProblem(error.message),
    );
    return () => {
      over = true;
      end();
    };
  }, [id, round]);
  const paged = useRef(0);
  const more = async () => {
    const page = await ask("rows", { run: id, start: String(paged.current) });
    paged.current += page.task.length;
    setView((old) => old && withPage(old, page));
  };
  const details = useDetails(id, view?.revision ?? 0);
  const comparison = useComparison(id, view);
  if (problem) return html`<main id="main" class="view"><${Empty} title="No such run"><p>${problem}</p><p><a href="#/runs">All runs</a></p><//></main>`;
  if (!view) return html`<main id="main" class="view"></main>`;
  const goesOn = view.run.status === "running";
  return html`<${RunPage}
    view=${view}
    now=${goesOn ? now.value : Math.max(view.made_at, now.value)}
    live=${goesOn ? "live" : ""}
    comparison=${comparison}
    detailOf=${details}
    runHref=${runAddress}
    more=${more}
    actions=${about.actions ? html`<${ActionButtons} actions=${actionsOf(view)} />` : null}
    taskActions=${about.actions ? (/** @type {string} */ name) => html`<${ActionButtons} actions=${resolutionsOf(view, name)} />` : undefined}
  />`;
}

/**
 * Return what gives a TaskRun in full; it is asked for when it is first wanted, and again when it
 * has changed. Meanwhile what was known is shown.
 * @param {string} id
 * @param {number} revision
 */
function useDetails(id, revision) {
  const [known, setKnown] = useState(/** @type {Record<string, import("./model.js").Detail | null>} */ ({}));
  const wanted = route.value.wanted.sel ?? "";
  useEffect(() => {
    if (!wanted) return;
    ask("detail", { run: id, name: wanted }).then(
      (detail) => setKnown((old) => ({ ...old, [wanted]: detail })),
      () => setKnown((old) => ({ ...old, [wanted]: null })),
    );
  }, [id, wanted, revision]);
  return (/** @type {string} */ name) => known[name];
}

/**
 * Return how a run differs from the one before, which is asked for when it is first looked at, and
 * again when the run has come to an end: null meanwhile, undefined where there is none before.
 * @param {string} id
 * @param {import("./model.js").View | null} view
 */
function useComparison(id, view) {
  const [known, setKnown] = useState(/** @type {import("./model.js").Comparison | null} */ (null));
  const before = view?.history.measured.at(-1);
  const wanted = route.value.tab === "compare" && !!before;
  useEffect(() => {
    if (wanted) ask("compare", { first: before, second: id }).then(setKnown, () => setKnown(null));
  }, [id, before, wanted, view?.run.status]);
  return before ? known : undefined;
}

/** @param {{pair: string}} props */
function LiveCompare({ pair }) {
  const [comparison, setComparison] = useState(/** @type {import("./model.js").Comparison | undefined} */ (undefined));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const [first, second = ""] = pair.split("..");
    ask("compare", { first, second }).then(setComparison, (error) => setProblem(error.message));
  }, [pair]);
  return html`<main id="main" class="view" tabindex="-1">
    ${problem ? html`<${Empty} title="Nothing to compare"><p>${problem}</p><//>` : comparison ? html`<h1 class="unseen">Two runs compared</h1><${Compare} comparison=${comparison} href=${runAddress} />` : null}
  </main>`;
}

render(html`<${Live} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
