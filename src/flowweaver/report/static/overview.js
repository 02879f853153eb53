// What somebody wants to know first: what failed and why, what ran again, what took longest.

import { html, useMemo } from "./lib.js";
import { Command, CountsBar, Sparks, Strip, Usual } from "./parts.js";
import { Answers } from "./answers.js";
import { bytes, counted, grouped, moment, seconds } from "./format.js";
import { Icon, tone } from "./states.js";
import { reasonsOf, shownAs, shownName } from "./model.js";
import { address, here, route } from "./route.js";

const MOST_LISTED = 6;

/** @param {{model: import("./model.js").Model, runHref?: (id: string) => string}} props */
export function Overview({ model, runHref }) {
  const { view } = model;
  return html`<div class="overview">
    ${view.counts.total ? html`<${Answers} model=${model} />` : null}
    ${view.failures.length ? html`<${Failures} view=${view} />` : null}
    ${view.waiting.length ? html`<${Waiting} view=${view} />` : null}
    ${view.run.status === "interrupted" ? html`<${Interrupted} view=${view} />` : null}
    <section class="card" aria-labelledby="done">
      <h2 id="done">${counted(view.counts.total, "TaskRun")} of ${counted(view.tasks.length, "task")}</h2>
      ${
        view.counts.total
          ? html`<${CountsBar} counts=${view.counts} total=${view.counts.total} href=${(/** @type {string} */ outcome) => tab("tasks", { is: outcome })} />`
          : html`<p class="muted">This workflow has no tasks.</p>`
      }
    </section>
    <div class="columns">
      <${Ran} model=${model} />
      <${Longest} model=${model} />
    </div>
    <div class="columns">
      <${About} view=${view} />
      <${Earlier} view=${view} runHref=${runHref} />
    </div>
  </div>`;
}

/** @param {string} to @param {Record<string, string>} wanted */
function tab(to, wanted) {
  return address({ ...route.value, tab: to, wanted });
}

/** @param {{view: import("./model.js").View}} props */
function Failures({ view }) {
  const [first, ...others] = view.failures;
  const blocked = view.failures.reduce((sum, each) => sum + each.blocked, 0);
  return html`<section class="card failure" aria-labelledby="failed">
    <h2 id="failed"><${Icon} state="failed" label="" />
      <a href=${here({ sel: first.name })}>${shownName(first)}</a> failed${first.attempts > 1 ? ` after ${first.attempts} attempts` : ""}
      ${others.length ? html`<span class="muted"> · one of ${view.failures.length}</span>` : null}
    </h2>
    ${
      first.given.length
        ? html`<p class="given">with ${first.given.map(
            (each, i) => html`${i ? ", " : ""}<code>${each.name} = ${each.preview}</code>`,
          )}</p>`
        : null
    }
    <p class="error"><strong>${first.kind}</strong>${first.message ? `: ${first.message}` : ""}</p>
    ${first.trace ? html`<${Where} trace=${first.trace} />` : null}
    ${
      blocked
        ? html`<p>
          <a href=${tab("tasks", { is: "upstream_failed" })}>${counted(view.counts.upstream_failed ?? 0, "TaskRun")}</a>
          ${" "}did not start because of ${others.length ? "what failed" : "it"}.
        </p>`
        : null
    }
    ${others.length ? html`<ul class="plain">${others.slice(0, MOST_LISTED).map(
      (each) => html`<li>
        <${Icon} state="failed" label="" /><a href=${here({ sel: each.name })}>${shownName(each)}</a>
        <span class="muted cut">${each.kind}${each.message ? `: ${each.message}` : ""}</span>
      </li>`,
    )}</ul>` : null}
    ${others.length > MOST_LISTED ? html`<p><a href=${tab("tasks", { is: "failed" })}>All that failed</a></p>` : null}
  </section>`;
}

/** @param {{trace: string}} props the user's own line, which is the last of the traceback */
function Where({ trace }) {
  const lines = trace.trimEnd().split("\n");
  let last = -1;
  lines.forEach((line, i) => {
    if (/^\s+File "/.test(line)) last = i;
  });
  if (last < 0) return null;
  return html`<pre class="block" tabindex="0" role="region" aria-label="Where it failed">${lines
    .slice(last, last + 3)
    .filter((line, i) => i === 0 || /^\s{4}/.test(line))
    .map((line) => line.replace(/^ {2}/, ""))
    .join("\n")}</pre>`;
}

/** @param {{view: import("./model.js").View}} props */
function Waiting({ view }) {
  return html`<section class="card waiting" aria-labelledby="waits">
    <h2 id="waits">${counted(view.waiting.length, "task waits", "tasks wait")} for a person</h2>
    <ul class="plain">
      ${view.waiting.map(
        (each) => html`<li class="stacked">
          <a href=${here({ sel: each.name })}>${shownName(each)}</a>
          <p>${each.message}</p>
          <${Command} text=${`flowweaver resolve ${view.run.id} '${each.name}' --done`} />
          <${Command} text=${`flowweaver resolve ${view.run.id} '${each.name}' --retry`} />
        </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {{view: import("./model.js").View}} props */
function Interrupted({ view }) {
  const { commands } = view.run;
  return html`<section class="card waiting" aria-labelledby="interrupted">
    <h2 id="interrupted"><${Icon} state="interrupted" label="" />Interrupted</h2>
    <p>What is completed is kept. ${commands.continue ? "This goes on from there:" : "Execute the workflow again with the same parameters, and it goes on from there."}</p>
    ${commands.continue ? html`<${Command} text=${commands.continue} />` : null}
  </section>`;
}

/** @param {Record<string, number>} counts */
function nothingRan(counts) {
  if (counts.restored && counts.restored === counts.total) return "Nothing: all results were restored.";
  return counts.failed ? "Nothing that was executed was completed." : "Nothing has been executed yet.";
}

/** @param {{model: import("./model.js").Model}} props */
function Ran({ model }) {
  const reasons = useMemo(() => reasonsOf(model), [model]);
  const { counts } = model.view;
  return html`<section class="card" aria-labelledby="ran">
    <h2 id="ran">What ran, and why</h2>
    ${
      reasons.length
        ? html`<table class="plain-table">
          <thead><tr><th scope="col">task</th><th scope="col">why</th><th scope="col" class="number">TaskRuns</th></tr></thead>
          <tbody>${reasons.slice(0, 2 * MOST_LISTED).map(
            (each) => html`<tr>
              <td><a href=${tab("tasks", { task: each.task, is: "executed" })}>${each.task}</a></td>
              <td>${each.why}</td>
              <td class="number">${grouped(each.count)}</td>
            </tr>`,
          )}</tbody>
        </table>`
        : html`<p class="muted">${nothingRan(counts)}</p>`
    }
    ${counts.restored ? html`<p class="muted"><a href=${tab("tasks", { is: "restored" })}>${counted(counts.restored, "result")}</a> restored.</p>` : null}
  </section>`;
}

/** @param {{model: import("./model.js").Model}} props */
function Longest({ model }) {
  const { view, rows } = model;
  const ran = rows.filter((row) => row.start !== null && row.seconds !== null);
  const longest = [...ran].sort((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0)).slice(0, MOST_LISTED);
  const most = longest[0]?.seconds ?? 1;
  return html`<section class="card" aria-labelledby="longest">
    <h2 id="longest">What took longest</h2>
    ${longest.length ? null : html`<p class="muted">Nothing ran in this run.</p>`}
    <ol class="plain bars">
      ${longest.map(
        (row) => html`<li>
          <a href=${here({ sel: row.name })}>${shownName(row)}</a>
          <span class="number">${seconds(row.seconds)}</span>
          <span class="track"><span class=${`length fill-${tone(row.outcome)}`} style=${{ width: `${((row.seconds ?? 0) / most) * 100}%` }}></span></span>
          ${row.element ? null : html`<${Usual} from=${row.seconds} usual=${view.tasks[row.task].expected} />`}
        </li>`,
      )}
    </ol>
    ${
      view.times.critical_path.length > 1
        ? html`<p class="muted">
          Critical path, ${seconds(view.times.critical_seconds)}:${" "}
          ${pathEnds(view.times.critical_path).map(
            (name, i) => html`${i ? " → " : ""}${name ? html`<a href=${here({ sel: name })}>${shownAs(model, name)}</a>` : "…"}`,
          )}
        </p>`
        : null
    }
  </section>`;
}

/** @param {string[]} path @returns {(string | null)[]} a long path with its middle left out */
function pathEnds(path) {
  return path.length > 8 ? [...path.slice(0, 4), null, ...path.slice(-3)] : path;
}

/** @param {{view: import("./model.js").View}} props */
function About({ view }) {
  const { run } = view;
  const commands = Object.entries(run.commands);
  return html`<section class="card" aria-labelledby="about">
    <h2 id="about">About this run</h2>
    <dl class="facts">
      ${run.parameters.map(
        (each) => html`<dt>${each.name}</dt>
          <dd><code>${each.preview ?? "not kept"}</code>${(each.bytes ?? 0) > 1000 ? html` <span class="muted">${bytes(each.bytes)}</span>` : null}</dd>`,
      )}
      ${run.targets ? html`<dt>asked for</dt><dd>${run.targets.join(", ")}</dd>` : null}
      <dt>began</dt><dd>${moment(run.began)}</dd>
      ${run.continued ? html`<dt>continued</dt><dd>${moment(run.continued)}, execution ${run.executions}</dd>` : null}
      ${run.ended ? html`<dt>ended</dt><dd>${moment(run.ended)}</dd>` : null}
      <dt>by</dt><dd>${run.by || "this process"}${run.info.executor ? ` · ${run.info.executor}` : ""}</dd>
      <dt>with</dt><dd>FlowWeaver ${run.info.flowweaver ?? view.made_by}${run.info.python ? `, Python ${run.info.python}` : ""}</dd>
      ${run.store ? html`<dt>kept in</dt><dd><code>${run.store}</code></dd>` : null}
    </dl>
    ${commands.length ? html`<h3>Commands</h3>${commands.map(([does, text]) => html`<${Command} text=${text} label=${does} />`)}` : null}
  </section>`;
}

/** @param {{view: import("./model.js").View, runHref?: (id: string) => string}} props */
function Earlier({ view, runHref }) {
  const { history, run } = view;
  const current = { id: run.id, status: run.status, began: run.began, seconds: run.seconds ?? null };
  const runs = [...history.runs, current];
  const usual = Usual({ from: run.seconds ?? null, usual: run.expected_seconds });
  return html`<section class="card" aria-labelledby="earlier">
    <h2 id="earlier">${history.runs.length ? "Last runs" : "First run"}</h2>
    ${
      history.runs.length
        ? html`<${Strip} runs=${runs} current=${run.id} href=${runHref} />
          <${Sparks}
            values=${runs.map((each) => each.seconds)}
            names=${runs.map((each) => each.id)}
            label=${`Durations of the last ${counted(runs.length, "run")}`}
          />
          ${run.seconds !== undefined ? html`<p class="muted">This one took ${seconds(run.seconds)}${usual ? html`; ${usual}` : "."}</p>` : null}`
        : html`<p class="muted">No earlier run of ${run.workflow} is kept in this store.</p>`
    }
  </section>`;
}

