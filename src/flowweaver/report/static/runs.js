// The runs of a store, each with a strip of the last ones of its workflow.

import { html, useMemo, useRef } from "./lib.js";
import { Command, Empty, Strip } from "./parts.js";
import { VirtualList } from "./list.js";
import { ago, counted, moment, seconds } from "./format.js";
import { Icon, State, label } from "./states.js";
import { stepped, useKeys } from "./keys.js";
import { address, go, route, want } from "./route.js";

const RUN_ROW = 44;

/** @param {string} id */
export function runAddress(id) {
  return address({ page: "run", run: id, tab: "overview", wanted: {} });
}

/**
 * @param {{runs: import("./source.js").Runs, now: number, about: import("./source.js").About}} props
 */
export function RunsPage({ runs, now, about }) {
  const { wanted } = route.value;
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  const shown = useMemo(() => fitting(runs.runs, wanted), [runs, wanted.q, wanted.is, wanted.workflow]);
  const newest = useMemo(() => newestOfEach(shown), [shown]);
  const place = shown.findIndex((run) => run.id === wanted.sel);
  const move = (/** @type {number} */ by) => {
    const next = shown[stepped(shown, by)];
    if (next) want({ sel: next.id }, { replace: true });
  };
  const open = () => {
    const { sel } = route.value.wanted;
    if (sel) go({ page: "run", run: sel, tab: "overview", wanted: {} });
  };
  useKeys(
    [
      { keys: ["j", "ArrowDown"], does: "Next run", run: () => move(1) },
      { keys: ["k", "ArrowUp"], does: "Previous run", run: () => move(-1) },
      { keys: ["Enter"], does: "Open the run", run: open },
      { keys: ["/"], does: "Search", run: () => search.current?.focus() },
      { keys: ["x"], does: "Compare with the run before", run: () => compareWithBefore(runs, shown.find((run) => run.id === route.value.wanted.sel)) },
    ],
    [shown],
  );
  if (!runs.runs.length) return html`<main id="main" class="view"><h1 class="unseen">Runs</h1><${Beginning} about=${about} /></main>`;
  const statuses = [...new Set(runs.runs.map((run) => run.status))].sort();
  return html`<main id="main" class="view view-tasks" tabindex="-1">
    <h1 class="unseen">Runs</h1>
    <div class="tasks">
      <div class="filters">
        <input ref=${search} type="search" placeholder="Search runs" aria-label="Search runs" value=${wanted.q ?? ""}
          onInput=${(/** @type {Event} */ event) => want({ q: /** @type {HTMLInputElement} */ (event.target).value }, { replace: true })}
          onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
            if (event.key === "Escape" || event.key === "Enter") search.current?.blur();
          }} />
        <div class="chips" role="group" aria-label="Outcomes">
          ${statuses.map(
            (status) => html`<button type="button" class="chip" aria-pressed=${wanted.is === status}
              onClick=${() => want({ is: wanted.is === status ? "" : status }, { replace: true })}>
              <${Icon} state=${status} label="" />${label(status)}
            </button>`,
          )}
          ${
            wanted.workflow
              ? html`<button type="button" class="chip" aria-pressed="true" onClick=${() => want({ workflow: "" })}>
                only ${wanted.workflow} <span aria-hidden="true">×</span><span class="unseen">: show all workflows</span>
              </button>`
              : null
          }
        </div>
        <p class="muted shown" role="status">${counted(shown.length, "run")}${runs.more ? ", the newest" : ""}</p>
      </div>
      ${
        shown.length
          ? html`<${VirtualList} items=${shown} height=${RUN_ROW} selected=${place} label="Runs" columns=${6}
            head=${html`<div class="list-head runs-head" role="rowgroup"><div class="row runs-row" role="row" aria-rowindex="1">
              <span role="columnheader">workflow</span><span role="columnheader" class="wide">run</span><span role="columnheader">outcome</span
              ><span role="columnheader" class="wide">last runs</span><span role="columnheader" class="number">began</span
              ><span role="columnheader" class="number wide">took</span>
            </div></div>`}
            draw=${(/** @type {import("./source.js").ListedRun} */ run, /** @type {number} */ index, /** @type {boolean} */ on) =>
              html`<${RunRow} key=${run.id} run=${run} index=${index} selected=${on} strip=${newest.has(run.id) ? runs.strips[run.workflow] : undefined} now=${now} />`} />`
          : html`<${Empty} title="Nothing fits"><p>No run fits what was asked for. <button type="button" onClick=${() => want({ q: "", is: "", workflow: "" })}>Show all</button></p><//>`
      }
    </div>
  </main>`;
}

/**
 * @param {import("./source.js").ListedRun[]} runs
 * @param {Record<string, string>} wanted
 */
function fitting(runs, wanted) {
  const query = (wanted.q ?? "").toLowerCase();
  return runs.filter(
    (run) =>
      (!wanted.is || run.status === wanted.is) &&
      (!wanted.workflow || run.workflow === wanted.workflow) &&
      (!query || run.id.toLowerCase().includes(query) || run.workflow.toLowerCase().includes(query)),
  );
}

/**
 * @param {import("./source.js").ListedRun[]} runs newest first
 * @returns {Set<string>} the run of each workflow that stands first, which has the strip
 */
function newestOfEach(runs) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const run of runs) if (!found.has(run.workflow)) found.set(run.workflow, run.id);
  return new Set(found.values());
}

/**
 * @param {import("./source.js").Runs} runs
 * @param {import("./source.js").ListedRun | undefined} run
 */
function compareWithBefore(runs, run) {
  if (!run) return;
  const alike = runs.runs.filter((each) => each.workflow === run.workflow);
  const before = alike[alike.indexOf(run) + 1];
  if (before) go({ page: "diff", run: `${before.id}..${run.id}`, tab: "", wanted: {} });
}

/**
 * @param {{run: import("./source.js").ListedRun, index: number, selected: boolean,
 *   strip?: import("./model.js").Mark[], now: number}} props
 */
function RunRow({ run, index, selected, strip, now }) {
  const took = run.seconds ?? (run.status === "running" ? Math.max(0, now - run.claimed) : null);
  return html`<div class=${`row runs-row ${selected ? "selected" : ""}`} role="row" aria-rowindex=${index + 2}
    onClick=${(/** @type {MouseEvent} */ event) => {
      if (!(/** @type {HTMLElement} */ (event.target).closest("a"))) go({ page: "run", run: run.id, tab: "overview", wanted: {} });
    }}>
    <span role="cell" class="name"><a class="text" href=${runAddress(run.id)}>${run.workflow}</a></span>
    <span role="cell" class="wide id">${run.id}</span>
    <span role="cell" class="came"><${State} state=${run.status} /></span>
    <span role="cell" class="wide">${strip && strip.length > 1 ? html`<${Strip} runs=${strip} current=${run.id} href=${runAddress} />` : null}</span>
    <span role="cell" class="number when" title=${moment(run.claimed)}>${ago(run.claimed, now)}</span>
    <span role="cell" class="number took">${seconds(took)}</span>
  </div>`;
}

/** @param {{about: import("./source.js").About}} props */
function Beginning({ about }) {
  return html`<${Empty} title="No runs yet">
    <p>No run is kept in ${about.store}. The first one appears here by itself, as soon as it starts:</p>
    <${Command} text=${`flowweaver run ${about.targets[0] ?? "pipeline.py"}`} />
    ${about.targets.length ? null : html`<p>Nothing to run yet? This makes a small project to start from:</p><${Command} text="flowweaver init" />`}
  <//>`;
}
