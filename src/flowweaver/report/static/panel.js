// One TaskRun in full, beside the view it was chosen in.

import { html, useEffect, useRef } from "./lib.js";
import { Block, Command, Diff, Sparks, Usual } from "./parts.js";
import { ElementGrid } from "./grid.js";
import { bytes, clock, counted, moment, seconds } from "./format.js";
import { shownAs, shownName } from "./model.js";
import { Icon, State, label } from "./states.js";
import { useKeys } from "./keys.js";
import { address, here, route, want } from "./route.js";

/**
 * @param {{model: import("./model.js").Model, name: string,
 *   detail: import("./model.js").Detail | null | undefined,
 *   actions?: (name: string) => unknown}} props
 */
export function Panel({ model, name, detail, actions }) {
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useKeys([{ keys: ["Escape"], does: "Close what is open", run: () => want({ sel: "" }) }], []);
  useEffect(() => {
    heading.current?.closest(".panel")?.scrollTo?.(0, 0);
  }, [name]);
  const row = model.byName.get(name);
  const place = model.view.tasks.findIndex((task) => task.name === name);
  const task = place >= 0 ? model.view.tasks[place] : undefined;
  const whole = task?.counts ? task : undefined;
  const outcome = row?.outcome ?? detail?.outcome ?? task?.outcome ?? "pending";
  return html`<aside class="panel" aria-labelledby="panel-title">
    <header>
      <h2 id="panel-title" ref=${heading}><${Icon} state=${outcome} label="" />${shownName(row ?? detail ?? { name })}</h2>
      <button type="button" class="quiet close" aria-label="Close" onClick=${() => want({ sel: "" })}>
        <span aria-hidden="true">✕</span>
      </button>
    </header>
    ${
      row || task
        ? html`<${Facts} row=${row} task=${task ?? (row && model.view.tasks[row.task])} detail=${detail} outcome=${outcome} />
          ${actions?.(name)}
          ${whole ? html`<${Elements} model=${model} place=${place} />` : html`<${Full} model=${model} name=${name} detail=${detail} row=${row} />`}
          <${History} view=${model.view} task=${task ?? (row && model.view.tasks[row.task])} />`
        : html`<p>There is no TaskRun of this name in this run.</p>`
    }
  </aside>`;
}

/**
 * @param {{row?: import("./model.js").Row, task?: import("./model.js").Task,
 *   detail?: import("./model.js").Detail | null, outcome: string}} props
 */
function Facts({ row, task, detail, outcome }) {
  const tries = detail?.tries ?? row?.attempts ?? 0;
  const took = row ? row.seconds : (task?.seconds ?? null);
  return html`${task?.purpose ? html`<p class="purpose">${task.purpose}</p>` : null}
    <dl class="facts">
      <dt>outcome</dt><dd><${State} state=${outcome} /></dd>
      ${took !== null && took !== undefined ? html`<dt>${row ? "took" : "work"}</dt><dd>${seconds(took)} ${row?.element ? null : html`<${Usual} from=${took} usual=${task?.expected} />`}</dd>` : null}
      ${detail?.started_at ? html`<dt>started</dt><dd>${moment(detail.started_at)}</dd>` : null}
      ${tries > 1 ? html`<dt>attempts</dt><dd>${tries}</dd>` : null}
      ${detail?.worker ? html`<dt>by</dt><dd>${detail.worker}</dd>` : null}
      ${detail?.source_run ? html`<dt>from run</dt><dd>${detail.source_run}</dd>` : null}
    </dl>`;
}

/**
 * @param {{model: import("./model.js").Model, name: string, row?: import("./model.js").Row,
 *   detail: import("./model.js").Detail | null | undefined}} props
 */
function Full({ model, name, detail, row }) {
  if (detail === undefined) return html`<p class="muted" role="status">Loading…</p>`;
  const { run } = model.view;
  if (detail === null) {
    const reason = row?.why ?? "";
    return html`${reason ? html`<h3>Why</h3><p>${reason}</p>` : null}
      ${
        row && row.outcome !== "pending" && run.store
          ? html`<p class="muted">Its inputs, result and log are not in this report, which has those of the most telling TaskRuns:</p>
            <${Command} text=${`flowweaver show ${run.id} '${name}' --store ${run.store}`} />`
          : null
      }`;
  }
  return html`
    ${detail.failure && !detail.failure.causes ? html`<${Failed} failure=${detail.failure} />` : null}
    ${detail.failure?.causes ? html`<h3>Why</h3><p>Not started because of ${detail.failure.causes.slice(0, 5).map((cause, i) => html`${i ? ", " : ""}<a href=${here({ sel: cause })}>${shownAs(model, cause)}</a>`)}.</p>` : null}
    ${detail.reason ? html`<h3>Why</h3><p>${detail.reason}${detail.compared_with ? html`<span class="muted"> · compared with run ${detail.compared_with}</span>` : null}</p>` : null}
    ${detail.diff ? html`<${Diff} text=${detail.diff} />` : null}
    ${detail.inputs ? html`<h3>Inputs</h3><${Inputs} model=${model} values=${detail.inputs} />` : null}
    ${detail.result ? html`<h3>Result <span class="muted">${detail.result.codec} · ${bytes(detail.result.bytes)}</span></h3>
      ${detail.result.preview === undefined ? html`<p class="muted">It is not kept any more.</p>` : html`<${Block} text=${detail.result.preview} label="Result" />`}` : null}
    ${detail.read ? html`<h3>Seen to read</h3><${Block} text=${detail.read.join("\n")} label="Seen to read" />` : null}
    ${detail.attempts ? html`<${Attempts} attempts=${detail.attempts} />` : null}`;
}

/** @param {{failure: import("./model.js").Failure}} props */
function Failed({ failure }) {
  return html`<h3>Failure</h3>
    <p class="error"><strong>${failure.kind}</strong>${failure.message ? `: ${failure.message}` : ""}</p>
    ${failure.exit_code === undefined ? null : html`<p>Its process ended with ${failure.exit_code}.</p>`}
    ${failure.trace ? html`<${Block} text=${failure.trace.trimEnd()} label="Traceback" />` : null}`;
}

/** @param {{model: import("./model.js").Model, values: import("./model.js").Value[]}} props */
function Inputs({ model, values }) {
  const known = new Set(model.view.tasks.map((task) => task.name));
  return html`<dl class="inputs">
    ${values.map((value) => {
      const from = value.from ?? "";
      const origin =
        from === "file"
          ? "a file"
          : from.startsWith(":")
            ? `parameter ${from.slice(1)}`
            : known.has(from)
              ? html`<a href=${here({ sel: from })}>${from}</a>`
              : from;
      return html`<dt><code>${value.name}</code> <span class="muted">${value.item ? "one of " : ""}${origin}</span></dt>
        <dd>${value.preview === undefined ? html`<span class="muted">${from === "file" ? "" : "one element of it"}</span>` : html`<code>${value.preview}</code>`}</dd>`;
    })}
  </dl>`;
}

/** @param {{attempts: import("./model.js").Attempt[]}} props */
function Attempts({ attempts }) {
  return html`<h3>${attempts.some((each) => each.failure) ? "Attempts" : "Log"}</h3>
    ${attempts.map(
      (each) => html`<div class="attempt">
        <p class="muted">
          attempt ${each.number}, ${clock(each.started_at)}, ${seconds(each.seconds)}${each.worker ? `, ${each.worker}` : ""}
          ${each.failure ? html` · <span class="error">${each.failure.kind}: ${each.failure.message}</span>` : null}
        </p>
        ${each.log ? html`<${Block} text=${each.log.trimEnd()} label=${`Log of attempt ${each.number}`} />` : null}
      </div>`,
    )}`;
}

/** @param {{model: import("./model.js").Model, place: number}} props */
function Elements({ model, place }) {
  const task = model.view.tasks[place];
  const rows = model.rows.filter((row) => row.task === place && row.element);
  const told = rows.filter((row) => !["executed", "restored", "overridden", "skipped"].includes(row.outcome)).slice(0, 8);
  return html`<h3>${counted(task.elements ?? rows.length, "element")}</h3>
    ${rows.length ? html`<${ElementGrid} rows=${rows} width=${340} selected="" open=${(/** @type {string} */ name) => want({ sel: name })} />` : html`<p class="muted">It was mapped over nothing.</p>`}
    ${told.length ? html`<ul class="plain">${told.map((row) => html`<li><${Icon} state=${row.outcome} label="" /><a href=${here({ sel: row.name })}>${shownName(row)}</a><span class="muted cut">${row.why || label(row.outcome)}</span></li>`)}</ul>` : null}
    <p><a href=${address({ ...route.value, tab: "tasks", wanted: { task: task.name } })}>List all elements</a></p>`;
}

/** @param {{view: import("./model.js").View, task?: import("./model.js").Task}} props */
function History({ view, task }) {
  const spans = task && view.history.seconds[task.name];
  if (!task || !spans) return null;
  const ran = view.times && task.outcome !== "restored" ? (task.seconds ?? null) : null;
  const values = [...spans, ran];
  return html`<h3>Duration in the last runs</h3>
    <${Sparks} values=${values} names=${[...view.history.measured, view.run.id]} label=${`Seconds of ${task.name} in the last runs`} />`;
}
