// Two runs compared, task by task.

import { html } from "./lib.js";
import { Diff, Empty } from "./parts.js";
import { counted, moment, seconds } from "./format.js";
import { State } from "./states.js";
import { shownName } from "./model.js";
import { here } from "./route.js";

/** @param {{comparison?: import("./model.js").Comparison | null, href?: (id: string) => string}} props */
export function Compare({ comparison, href }) {
  if (comparison === null) return html`<p class="muted" role="status">Comparing…</p>`;
  if (!comparison) {
    return html`<${Empty} title="Nothing to compare with">
      <p>No earlier run of this workflow is kept in the store.</p>
    <//>`;
  }
  const { first, second, differences, total } = comparison;
  const named = (/** @type {string} */ id) => (href ? html`<a href=${href(id)}>${id}</a>` : id);
  return html`<section class="compare" aria-label="Comparison">
    <table class="plain-table heads">
      <thead><tr><th scope="col">run</th><th scope="col">outcome</th><th scope="col">began</th><th scope="col" class="number">took</th></tr></thead>
      <tbody>
        ${[first, second].map(
          (run) => html`<tr><td>${named(run.id)}</td><td><${State} state=${run.status} /></td><td>${moment(run.began)}</td><td class="number">${seconds(run.seconds)}</td></tr>`,
        )}
      </tbody>
    </table>
    <h2>${total ? counted(total, "TaskRun differs", "TaskRuns differ") : "The runs don't differ"}</h2>
    ${total ? null : html`<p class="muted">Code, parameters, inputs, results and outcomes are the same.</p>`}
    <ol class="plain differences">
      ${differences.map((each) => html`<${Difference} difference=${each} second=${second.id} />`)}
    </ol>
    ${total > differences.length ? html`<p class="muted">${total - differences.length} more: <code>flowweaver diff ${first.id} ${second.id}</code></p>` : null}
  </section>`;
}

/** @param {{difference: import("./model.js").Difference, second: string}} props */
function Difference({ difference, second }) {
  const { changes, statuses, seconds: spans } = difference;
  return html`<li>
    <p class="what">
      <a href=${here({ sel: difference.name })}>${shownName(difference)}</a>
      ${difference.only_in ? html`<span>${difference.only_in === second ? "is new" : "is gone"}</span>` : null}
      ${statuses ? html`<span><${State} state=${statuses[0]} /> → <${State} state=${statuses[1]} /></span>` : null}
      ${changes.map((words) => html`<span>${words}</span>`)}
      ${difference.result_changed && !statuses ? html`<span>its result differs</span>` : null}
      ${spans[0] !== null && spans[1] !== null ? html`<span class="muted">${seconds(spans[0])} → ${seconds(spans[1])}</span>` : null}
    </p>
    ${difference.diff ? html`<${Diff} text=${difference.diff} />` : null}
  </li>`;
}
