// What a run of a target would do, and (where that is allowed) the form to start it.

import { html, useEffect, useState } from "./lib.js";
import { Block, Command, Diff, Empty } from "./parts.js";
import { counted, seconds } from "./format.js";
import { Icon } from "./states.js";
import { ask, tell } from "./source.js";
import { address, go, route } from "./route.js";

const MOST_PLANNED = 500;

/**
 * @typedef {{name: string, required: boolean, default?: string, annotation?: string, secret?: boolean}} Parameter
 * @typedef {{workflow: string, parameters: Parameter[], tasks: {task: string}[]}} Signature
 * @typedef {{task: string, element: string, action: string, reason: string, diff: string,
 *   seconds: number | null}} Planned
 * @typedef {{run_id: string | null, counts: Record<string, number>, makespan: number,
 *   critical_path: {tasks: string[], seconds: number}, tasks: Planned[], warnings: string[]}} Plan
 */

/** @param {{target: string, about: import("./source.js").About}} props */
export function PlanPage({ target, about }) {
  const [signature, setSignature] = useState(/** @type {Signature | null} */ (null));
  const [plan, setPlan] = useState(/** @type {Plan | null} */ (null));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState("");
  const { wanted } = route.value;
  // Of a secret the page knows but the name of a variable, in the environment of the server.
  const given = (/** @type {boolean} */ secret) =>
    Object.fromEntries((signature?.parameters ?? []).filter((each) => !!each.secret === secret).map((each) => [each.name, wanted[`p.${each.name}`] ?? ""]));
  const [params, secrets] = [given(false), given(true)];
  /** @param {string} doing @param {() => Promise<void>} work */
  const during = async (doing, work) => {
    setBusy(doing);
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem(/** @type {Error} */ (error).message);
    }
    setBusy("");
  };
  const look = () => during("Planning…", async () => setPlan(await tell("plan", { target, params })));
  useEffect(() => {
    setSignature(null);
    setPlan(null);
    during("Loading the workflow…", async () => setSignature(await ask("signature", { target })));
  }, [target]);
  const start = () =>
    during("Starting…", async () => {
      await tell("start", { target, params, secrets });
      go({ page: "runs", run: "", tab: "", wanted: {} });
    });
  const typed = (/** @type {string} */ option, /** @type {Record<string, string>} */ texts) =>
    Object.entries(texts).flatMap(([name, text]) => (text ? [option, quoted(`${name}=${text}`)] : []));
  const words = [...typed("-p", params), ...typed("--secret", secrets)];
  return html`<main id="main" class="view" tabindex="-1"><h1 class="unseen">Plan of ${target}</h1><div class="overview">
    <section class="card" aria-labelledby="target">
      <h2 id="target">${signature ? html`${signature.workflow} <span class="muted">${target}</span>` : target}</h2>
      ${signature ? html`<${Form} signature=${signature} onSubmit=${look} busy=${!!busy} start=${about.actions ? start : null} />` : null}
      ${signature ? html`<${Command} text=${["flowweaver run", quoted(target), ...words].join(" ")} />` : null}
      <p class="muted status" role="status">${busy}</p>
      ${problem ? html`<${Block} text=${problem} label="What went wrong" />` : null}
    </section>
    ${plan ? html`<${Planned} plan=${plan} />` : null}
  </div></main>`;
}

/** @param {string} word as one types it at a prompt */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'"'"'`)}'`;
}

/**
 * @param {{signature: Signature, onSubmit: () => void, busy: boolean, start: (() => void) | null}} props
 */
function Form({ signature, onSubmit, busy, start }) {
  const { wanted } = route.value;
  return html`<form class="form" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    onSubmit();
  }}>
    ${signature.parameters.length ? null : html`<p class="muted">It takes no parameters.</p>`}
    ${signature.parameters.map(
      (each) => html`<label>
        <span>${each.name}${each.annotation ? html` <code class="muted">${each.annotation}</code>` : null}</span>
        <input type="text" required=${each.required && !each.secret} placeholder=${hint(each)}
          value=${wanted[`p.${each.name}`] ?? ""}
          onInput=${(/** @type {Event} */ event) =>
            go({ wanted: { ...route.value.wanted, [`p.${each.name}`]: /** @type {HTMLInputElement} */ (event.target).value } }, { replace: true })} />
      </label>`,
    )}
    <div class="actions">
      <button class=${start ? "" : "primary"} disabled=${busy}>Plan</button>
      ${start ? html`<button type="button" class="primary" disabled=${busy} onClick=${start}>Run</button>` : null}
    </div>
  </form>`;
}

/** @param {Parameter} parameter */
function hint({ secret, required, default: otherwise }) {
  if (secret) return "name of an environment variable";
  return required ? "needed" : otherwise === undefined ? "optional" : `default ${otherwise}`;
}

/** @type {Record<string, string>} */
const SAID = { run: "would run", restore: "would be restored", override: "is given", skip: "would be skipped", unknown: "depends on what others return" };

/** @param {{plan: Plan}} props */
function Planned({ plan }) {
  const rows = [...plan.tasks].sort((a, b) => Number(a.action === "restore") - Number(b.action === "restore")).slice(0, MOST_PLANNED);
  /** @type {Set<string>} */
  const told = new Set();
  return html`<section class="card" aria-labelledby="plan">
    <h2 id="plan">${plan.run_id ? html`It would continue run <a href=${address({ page: "run", run: plan.run_id, tab: "overview", wanted: {} })}>${plan.run_id}</a>` : "It would be a new run"}</h2>
    <p>${Object.entries(plan.counts).map(([action, count], i) => html`${i ? ", " : ""}${count} ${SAID[action] ?? action}`)}${plan.makespan > 0.01 ? html`<span class="muted"> · at least ${seconds(plan.makespan)}, by earlier runs</span>` : null}</p>
    ${plan.warnings.map((warning) => html`<p class="slower">${warning}</p>`)}
    ${plan.tasks.length ? null : html`<${Empty} title="Nothing to do" />`}
    <table class="plain-table planned">
      <thead><tr><th scope="col">task</th><th scope="col">what</th><th scope="col">why</th><th scope="col" class="number">last took</th></tr></thead>
      <tbody>${rows.map((each) => {
        const diff = each.diff && !told.has(each.diff) ? each.diff : "";
        told.add(each.diff);
        return html`<tr>
          <td><${Icon} state=${each.action} label=${each.action} /> ${each.task}${each.element ? `[${each.element}]` : ""}</td>
          <td>${each.action}</td><td>${each.reason}${diff ? html`<${Diff} text=${diff} />` : null}</td>
          <td class="number">${seconds(each.seconds)}</td>
        </tr>`;
      })}</tbody>
    </table>
    ${plan.tasks.length > rows.length ? html`<p class="muted">${counted(plan.tasks.length - rows.length, "more task")}.</p>` : null}
  </section>`;
}
