// The page of one run: its head, its tabs, and the panel beside them.

import { html, useEffect, useMemo, useRef, useState } from "./lib.js";
import { Compare } from "./compare.js";
import { Graph } from "./graph.js";
import { Overview } from "./overview.js";
import { Panel } from "./panel.js";
import { TaskTable } from "./table.js";
import { Timeline } from "./timeline.js";
import { ago, counted, grouped, moment, seconds } from "./format.js";
import { State } from "./states.js";
import { modelOf } from "./model.js";
import { useKeys } from "./keys.js";
import { address, go, route } from "./route.js";

/** @type {[string, string, string][]} address, title, key */
const TABS = [
  ["overview", "Overview", "1"],
  ["tasks", "Tasks", "2"],
  ["timeline", "Timeline", "3"],
  ["graph", "Graph", "4"],
  ["compare", "Compare", "5"],
];

/**
 * @param {{view: import("./model.js").View, now: number,
 *   detailOf: (name: string) => import("./model.js").Detail | null | undefined,
 *   comparison?: import("./model.js").Comparison | null, live?: string,
 *   runHref?: (id: string) => string, actions?: unknown,
 *   taskActions?: (name: string) => unknown, more?: () => void}} props
 */
export function RunPage({ view, now, detailOf, comparison, live, runHref, actions, taskActions, more }) {
  const model = useMemo(() => modelOf(view), [view]);
  const { tab, wanted } = route.value;
  const selected = wanted.sel ?? "";
  const [width, main] = useWidth();
  useKeys(
    TABS.map(([to, title, key]) => ({ keys: [key], does: title, run: () => go({ tab: to, wanted: keptAcross(wanted) }) })),
    [wanted],
  );
  const detail = selected ? detailOf(selected) : null;
  return html`<div class=${`run ${selected ? "with-panel" : ""}`}>
    <${Head} view=${view} now=${now} live=${live} actions=${actions} />
    <nav class="tabs" aria-label="Views of the run">
      ${TABS.map(
        ([to, title]) => html`<a
          href=${address({ ...route.value, tab: to, wanted: keptAcross(wanted) })}
          aria-current=${to === tab ? "page" : undefined}
          >${title}${to === "tasks" ? html` <span class="count">${grouped(view.counts.total)}</span>` : null}</a
        >`,
      )}
    </nav>
    <div class="split">
      <main id="main" class=${`view view-${tab}`} ref=${main} tabindex="-1">
        ${tab === "overview" ? html`<${Overview} model=${model} runHref=${runHref} />` : null}
        ${tab === "tasks" ? html`<${TaskTable} model=${model} selected=${selected} more=${more} />` : null}
        ${tab === "timeline" ? html`<${Timeline} model=${model} selected=${selected} width=${width} />` : null}
        ${tab === "graph" ? html`<${Graph} model=${model} selected=${selected} width=${width} />` : null}
        ${tab === "compare" ? html`<${Compare} comparison=${comparison} href=${runHref} />` : null}
      </main>
      ${selected ? html`<${Panel} model=${model} name=${selected} detail=${detail} actions=${taskActions} />` : null}
    </div>
  </div>`;
}

/** @param {Record<string, string>} wanted */
function keptAcross(wanted) {
  /** @type {Record<string, string>} */
  const kept = {};
  if (wanted.sel) kept.sel = wanted.sel;
  return kept;
}

/** @param {{view: import("./model.js").View, now: number, live?: string, actions?: unknown}} props */
function Head({ view, now, live, actions }) {
  const { run, counts } = view;
  const done = counts.total - (counts.pending ?? 0) - (counts.running ?? 0) - (counts.retrying ?? 0);
  const goesOn = run.status === "running";
  const passed = now - (run.continued ?? run.began);
  const left = run.expected_seconds === undefined ? null : run.expected_seconds - passed;
  return html`<header class="head">
    <div class="title">
      <h1 title=${run.workflow}>${run.workflow}</h1>
      <span class="muted id">${run.id}</span>
      <${State} state=${run.status} />
      ${live ? html`<span class="live" role="status">${live}</span>` : null}
      ${actions}
    </div>
    <p class="sub">
      ${
        goesOn
          ? html`<span>${grouped(done)} of ${grouped(counts.total)} done</span><span>running for ${seconds(Math.max(0, passed))}</span>${
              left !== null && left > 1 ? html`<span>about ${seconds(left)} left, by earlier runs</span>` : null
            }`
          : html`<span>${run.seconds === undefined ? "" : `took ${seconds(run.seconds)}`}</span>`
      }
      ${counts.failed ? html`<span>${grouped(counts.failed)} failed</span>` : null}
      <span>began <time datetime=${new Date(run.began * 1000).toISOString()} title=${moment(run.began)}>${live ? ago(run.began, now) : moment(run.began)}</time></span>
      ${run.executions > 1 ? html`<span>${counted(run.executions, "execution")}</span>` : null}
    </p>
  </header>`;
}

/** @returns {[number, {current: HTMLElement | null}]} the width of what is drawn into */
function useWidth() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(800);
  useEffect(() => {
    const seen = new ResizeObserver(() => {
      if (box.current) setWidth(Math.max(280, box.current.clientWidth - 48));
    });
    if (box.current) seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  return [width, box];
}
