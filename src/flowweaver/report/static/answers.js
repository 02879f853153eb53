// What a person wants to know of a run first, each in a few words: what failed, why, what ran
// again, what took longest.

import { html, useMemo } from "./lib.js";
import { counted, grouped, seconds } from "./format.js";
import { Icon, State } from "./states.js";
import { reasonsOf, shownName } from "./model.js";
import { address, here, route } from "./route.js";

const MOST_NAMED = 3;
const LONGEST_GIVEN = 60;

/** @param {{model: import("./model.js").Model}} props */
export function Answers({ model }) {
  const reasons = useMemo(() => reasonsOf(model), [model]);
  return html`<dl class="card answers">
    ${whatCame(model)}
    <${RanAgain} model=${model} reasons=${reasons} />
    <${TookLongest} model=${model} />
  </dl>`;
}

/** @param {import("./model.js").Model} model what the run has come to, as one answer or two */
function whatCame(model) {
  const { view, rows } = model;
  if (view.failures.length) return html`<${WhatFailed} view=${view} /><${WhyFailed} view=${view} />`;
  if (view.run.status === "interrupted") {
    const left = rows.filter((row) => row.outcome === "interrupted");
    return html`<${Named} title="What was cut short" rows=${left} none="Nothing: all that had begun was completed." />
      <div><dt>Why</dt><dd>Its process is gone: it was ended, or the machine was.</dd></div>`;
  }
  if (view.run.status === "running") {
    const now = rows.filter((row) => row.outcome === "running" || row.outcome === "retrying");
    return html`<${Named} title="What runs now" rows=${now} none="Nothing at this moment." />`;
  }
  return html`<div><dt>What came of it</dt><dd><${State} state=${view.run.status} /></dd></div>`;
}

/** @param {{title: string, rows: import("./model.js").Row[], none: string}} props */
function Named({ title, rows, none }) {
  const more = rows.length - MOST_NAMED;
  return html`<div><dt>${title}</dt>
    ${rows.slice(0, MOST_NAMED).map((row) => html`<dd class="cut"><${Icon} state=${row.outcome} label="" /> <a href=${here({ sel: row.name })}>${shownName(row)}</a></dd>`)}
    ${more > 0 ? html`<dd class="muted">and ${counted(more, "more", "more")}</dd>` : null}
    ${rows.length ? null : html`<dd class="muted">${none}</dd>`}
  </div>`;
}

/** @param {{view: import("./model.js").View}} props */
function WhatFailed({ view }) {
  const [first] = view.failures;
  const given = first.given.find((each) => each.preview.length <= LONGEST_GIVEN);
  const others = (view.counts.failed ?? 1) - 1;
  const blocked = view.counts.upstream_failed ?? 0;
  return html`<div><dt>What failed</dt>
    <dd class="cut"><${Icon} state="failed" label="" /> <a class="first" href=${here({ sel: first.name })}>${shownName(first)}</a></dd>
    ${given ? html`<dd class="muted cut">with ${given.name} = ${given.preview}</dd>` : null}
    ${others ? html`<dd><a href=${tasks({ is: "failed" })}>${counted(others, "other")}</a> failed too</dd>` : null}
    ${blocked ? html`<dd class="muted"><a href=${tasks({ is: "upstream_failed" })}>${grouped(blocked)} not started</a> because of ${others ? "them" : "it"}</dd>` : null}
  </div>`;
}

/** @param {{view: import("./model.js").View}} props */
function WhyFailed({ view }) {
  const [first] = view.failures;
  return html`<div><dt>Why</dt>
    <dd class="error clamped"><strong>${first.kind}</strong>${first.message ? `: ${first.message}` : ""}</dd>
    ${first.attempts > 1 ? html`<dd class="muted">after ${first.attempts} attempts</dd>` : null}
  </div>`;
}

/** @param {{model: import("./model.js").Model, reasons: ReturnType<typeof reasonsOf>}} props */
function RanAgain({ model, reasons }) {
  const { counts, history } = model.view;
  const { executed = 0, failed = 0, restored = 0, total } = counts;
  const again = history.runs.length > 0;
  return html`<div><dt>${again ? "What ran again" : "What ran"}</dt>
    <dd><a class="first" href=${tasks({ is: "executed" })}>${grouped(executed)} of ${counted(total, "TaskRun")}</a></dd>
    ${reasons.slice(0, 2).map((each) => html`<dd class="clamped">${each.task}: ${each.why}</dd>`)}
    ${reasons.length > 2 ? html`<dd class="muted">and for ${counted(reasons.length - 2, "more reason")}</dd>` : null}
    ${failed ? html`<dd class="muted">beside ${grouped(failed)} that failed</dd>` : null}
    ${restored ? html`<dd class="muted"><a href=${tasks({ is: "restored" })}>${grouped(restored)} restored</a>, unchanged</dd>` : null}
  </div>`;
}

/** @param {{model: import("./model.js").Model}} props */
function TookLongest({ model }) {
  const { view, rows } = model;
  const ran = rows.filter((row) => row.start !== null && row.seconds !== null);
  const longest = ran.reduce((/** @type {import("./model.js").Row | null} */ most, row) => ((row.seconds ?? 0) > (most?.seconds ?? -1) ? row : most), null);
  const path = view.times.critical_path.length;
  return html`<div><dt>What took longest</dt>
    ${
      longest
        ? html`<dd class="cut pair"><a class="first" href=${here({ sel: longest.name })}>${shownName(longest)}</a> <span class="number">${seconds(longest.seconds)}</span></dd>`
        : html`<dd class="muted">Nothing ran in this run.</dd>`
    }
    ${longest && view.run.seconds !== undefined ? html`<dd class="muted">of ${seconds(view.run.seconds)} in all</dd>` : null}
    ${path > 1 ? html`<dd class="muted"><a href=${address({ ...route.value, tab: "timeline", wanted: {} })}>critical path</a> ${seconds(view.times.critical_seconds)}</dd>` : null}
  </div>`;
}

/** @param {Record<string, string>} wanted */
function tasks(wanted) {
  return address({ ...route.value, tab: "tasks", wanted });
}
