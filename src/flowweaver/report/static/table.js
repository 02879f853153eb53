// All TaskRuns of a run, filtered, sorted, in a list of which only what is seen is drawn.

import { html, useMemo, useRef } from "./lib.js";
import { Empty } from "./parts.js";
import { VirtualList } from "./list.js";
import { counted, grouped, seconds } from "./format.js";
import { Icon, ORDER, label } from "./states.js";
import { SORTED, chosen, outcomeCounts, shownName } from "./model.js";
import { stepped, useKeys } from "./keys.js";
import { route, want } from "./route.js";

const ROW = 36;

/**
 * @param {{model: import("./model.js").Model, selected: string,
 *   more?: () => void}} props `more` lists rows that were left out
 */
export function TaskTable({ model, selected, more }) {
  const { wanted } = route.value;
  const rows = useMemo(() => chosen(model, wanted), [model, wanted.q, wanted.is, wanted.task, wanted.sort]);
  const place = rows.findIndex((row) => row.name === selected);
  const move = (/** @type {number} */ by) => {
    const next = rows[stepped(rows, by)];
    if (next) want({ sel: next.name }, { replace: true });
  };
  useKeys(
    [
      { keys: ["j", "ArrowDown"], does: "Next TaskRun", run: () => move(1) },
      { keys: ["k", "ArrowUp"], does: "Previous TaskRun", run: () => move(-1) },
      { keys: ["PageDown"], does: "20 further", run: () => move(20) },
      { keys: ["PageUp"], does: "20 back", run: () => move(-20) },
      { keys: ["Home"], does: "First TaskRun", run: () => move(-rows.length) },
      { keys: ["End"], does: "Last TaskRun", run: () => move(rows.length) },
    ],
    [rows],
  );
  const listed = model.rows.length;
  return html`<section class="tasks" aria-label="Tasks">
    <${Filters} model=${model} shown=${rows.length} />
    ${
      rows.length
        ? html`<${VirtualList}
          items=${rows}
          height=${ROW}
          selected=${place}
          label="TaskRuns"
          columns=${5}
          head=${html`<div class="list-head" role="rowgroup"><div class="row" role="row" aria-rowindex="1">
            <span role="columnheader">task</span><span role="columnheader" class="number">took</span
            ><span role="columnheader" class="number wide">started</span
            ><span role="columnheader" class="number wide">attempts</span
            ><span role="columnheader" class="wide">why</span>
          </div></div>`}
          draw=${(/** @type {import("./model.js").Row} */ row, /** @type {number} */ index, /** @type {boolean} */ on) =>
            html`<${TaskRow} key=${row.name} row=${row} index=${index} selected=${on} slowest=${model.slowest} />`}
        />`
        : html`<${Empty} title="Nothing fits">
          <p>
            No TaskRun fits what was asked for.
            <button type="button" onClick=${() => want({ q: "", is: "", task: "" })}>Show all ${grouped(listed)}</button>
          </p>
        <//>`
    }
    ${
      model.view.rows.total > listed
        ? html`<p class="muted note">
          ${grouped(listed)} of ${grouped(model.view.rows.total)} TaskRuns are listed, those that went wrong
          before the rest.
          ${more ? html`<button type="button" onClick=${more}>List more</button>` : html`<code>flowweaver show --json</code> has all.`}
        </p>`
        : null
    }
  </section>`;
}

/** @param {{row: import("./model.js").Row, index: number, selected: boolean, slowest: number}} props */
function TaskRow({ row, index, selected, slowest }) {
  const part = row.seconds === null || !slowest ? 0 : row.seconds / slowest;
  return html`<div
    class=${`row ${selected ? "selected" : ""}`}
    role="row"
    aria-rowindex=${index + 2}
    aria-selected=${selected}
    onClick=${() => want({ sel: row.name })}
  >
    <span role="cell" class="name"><${Icon} state=${row.outcome} /><span class="text" title=${row.label ? shownName(row) : undefined}>${shownName(row)}</span></span>
    <span role="cell" class="number"
      ><span class="length" style=${{ width: `${part * 100}%` }}></span
      ><span class="over">${seconds(row.seconds)}</span></span
    >
    <span role="cell" class="number wide">${row.start === null ? "" : `+${seconds(row.start)}`}</span>
    <span role="cell" class=${`number wide ${row.attempts > 1 ? "many" : ""}`}>${row.attempts || ""}</span>
    <span role="cell" class="why wide">${row.why}</span>
  </div>`;
}

/** @param {{model: import("./model.js").Model, shown: number}} props */
function Filters({ model, shown }) {
  const { wanted } = route.value;
  const search = useRef(/** @type {HTMLInputElement | null} */ (null));
  useKeys([{ keys: ["/"], does: "Search", run: () => search.current?.focus() }], []);
  const counts = useMemo(() => outcomeCounts(model.rows), [model]);
  const on = new Set(wanted.is ? wanted.is.split(",") : []);
  const toggle = (/** @type {string} */ outcome) => {
    const next = new Set(on);
    if (!next.delete(outcome)) next.add(outcome);
    want({ is: [...next].join(",") }, { replace: true });
  };
  return html`<div class="filters">
    <input
      ref=${search}
      type="search"
      placeholder="Search tasks and reasons"
      aria-label="Search tasks and reasons"
      value=${wanted.q ?? ""}
      onInput=${(/** @type {Event} */ event) =>
        want({ q: /** @type {HTMLInputElement} */ (event.target).value }, { replace: true })}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape" || event.key === "Enter") {
          event.stopPropagation();
          search.current?.blur();
        }
      }}
    />
    <div class="chips" role="group" aria-label="Outcomes">
      ${ORDER.filter((outcome) => counts[outcome]).map(
        (outcome) => html`<button
          type="button"
          class="chip"
          aria-pressed=${on.has(outcome)}
          onClick=${() => toggle(outcome)}
        >
          <${Icon} state=${outcome} label="" />${label(outcome)}<span class="count">${grouped(counts[outcome])}</span>
        </button>`,
      )}
      ${
        wanted.task
          ? html`<button type="button" class="chip" aria-pressed="true" onClick=${() => want({ task: "" })}>
            only ${wanted.task} <span aria-hidden="true">×</span><span class="unseen">: show all tasks</span>
          </button>`
          : null
      }
    </div>
    <label class="sort"
      >Sort
      <select
        value=${wanted.sort ?? ""}
        onChange=${(/** @type {Event} */ event) =>
          want({ sort: /** @type {HTMLSelectElement} */ (event.target).value }, { replace: true })}
      >
        ${Object.entries(SORTED).map(
          ([value, said]) => html`<option value=${value} selected=${value === (wanted.sort ?? "")}>${said}</option>`,
        )}
      </select>
    </label>
    <p class="muted shown" role="status">${counted(shown, "TaskRun")}</p>
  </div>`;
}
