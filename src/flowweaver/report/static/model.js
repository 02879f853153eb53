// A View made ready to be shown: its rows by name, filtered, sorted.

/**
 * @typedef {{name: string, outcome: string, seconds?: number, expected?: number, purpose?: string,
 *   elements?: number, counts?: Record<string, number>}} Task
 * @typedef {{total: number, task: number[], element: string[], label: string[], outcome: number[],
 *   start: (number | null)[], seconds: (number | null)[], attempts: number[], lane: number[],
 *   why: number[], words: string[]}} Columns
 * @typedef {{kind: string, message: string, trace?: string, exit_code?: number,
 *   causes?: string[]}} Failure
 * @typedef {Failure & {name: string, label?: string, attempts: number, at: number | null, blocked: number,
 *   given: {name: string, preview: string}[]}} Root
 * @typedef {{id: string, status: string, began: number, seconds: number | null,
 *   workflow?: string}} Mark
 * @typedef {{width: number, height: number, boxes: (number | string)[], x: number[], y: number[],
 *   w: number[], lines: [number, number, number[]?][], groups?: Record<string, number[]>}} Drawing
 * @typedef {{name: string, preview?: string, codec?: string, bytes?: number, from?: string,
 *   item?: boolean}} Value
 * @typedef {{number: number, started_at: number, seconds: number, failure?: Failure,
 *   worker?: string, log?: string}} Attempt
 * @typedef {{name: string, label?: string, outcome: string, reason?: string, source_run?: string,
 *   started_at?: number, finished_at?: number, seconds?: number, tries?: number, worker?: string,
 *   failure?: Failure, compared_with?: string, diff?: string, inputs?: Value[], read?: string[], result?: Value,
 *   attempts?: Attempt[]}} Detail
 * @typedef {{id: string, workflow: string, status: string, began: number, continued?: number,
 *   ended?: number, seconds?: number, executions: number, by: string, store?: string,
 *   parameters: Value[], targets?: string[], expected_seconds?: number, commands: Record<string, string>,
 *   info: Record<string, string>}} RunHead
 * @typedef {{name: string, label?: string, changes: string[], diff?: string, result_changed: boolean,
 *   only_in?: string, statuses?: [string, string],
 *   seconds: [number | null, number | null]}} Difference
 * @typedef {{first: Mark, second: Mark, total: number, differences: Difference[]}} Comparison
 * @typedef {{format: number, made_at: number, made_by: string, run: RunHead,
 *   counts: Record<string, number>, outcomes: string[], tasks: Task[], rows: Columns,
 *   times: {lanes: number, workers: string[], order: number[],
 *     pauses: [number, number][], critical_path: string[],
 *     critical_seconds: number, busy_seconds: number},
 *   failures: Root[], waiting: {name: string, label?: string, kind: string, since: number | null,
 *     message: string}[],
 *   graph: Record<string, Drawing>,
 *   history: {runs: Mark[], measured: string[], seconds: Record<string, (number | null)[]>},
 *   compared?: Comparison, details: Record<string, Detail>, revision?: number}} View
 * @typedef {{name: string, task: number, element: string, label: string, outcome: string, start: number | null,
 *   seconds: number | null, attempts: number, lane: number, why: string}} Row
 * @typedef {{view: View, rows: Row[], byName: Map<string, Row>, slowest: number,
 *   critical: Set<string>}} Model
 */

const UNDER_WAY = new Set(["running", "retrying"]);

/**
 * Return a View in which nothing runs any more that its process was in the middle of.
 * @param {View} view
 * @returns {View}
 */
function asLeft(view) {
  if (view.run.status !== "interrupted") return view;
  const cut = (/** @type {string} */ outcome) => (UNDER_WAY.has(outcome) ? "interrupted" : outcome);
  const summed = (/** @type {Record<string, number>} */ counts) => {
    /** @type {Record<string, number>} */
    const found = {};
    for (const [name, count] of Object.entries(counts)) found[cut(name)] = (found[cut(name)] ?? 0) + count;
    return found;
  };
  return {
    ...view,
    outcomes: view.outcomes.map(cut),
    counts: summed(view.counts),
    tasks: view.tasks.map((task) => ({ ...task, outcome: cut(task.outcome), ...(task.counts ? { counts: summed(task.counts) } : {}) })),
  };
}

/** @param {View} given @returns {Model} */
export function modelOf(given) {
  const view = asLeft(given);
  const { rows: columns, outcomes, tasks } = view;
  const rows = columns.task.map((task, i) => ({
    name: columns.element[i] ? `${tasks[task].name}[${columns.element[i]}]` : tasks[task].name,
    task,
    element: columns.element[i],
    label: columns.label[i],
    outcome: outcomes[columns.outcome[i]],
    start: columns.start[i],
    seconds: columns.seconds[i],
    attempts: columns.attempts[i],
    lane: columns.lane[i],
    why: columns.words[columns.why[i]],
  }));
  return {
    view,
    rows,
    byName: new Map(rows.map((row) => [row.name, row])),
    slowest: rows.reduce((most, row) => Math.max(most, row.seconds ?? 0), 0),
    critical: new Set(view.times.critical_path),
  };
}

/**
 * Return what a TaskRun is called for people: an element by what it is, too.
 * @param {{name: string, label?: string}} of
 */
export const shownName = ({ name, label }) => (label ? `${name} (${label})` : name);

/**
 * The same of one that is known by its name alone.
 * @param {Model} model
 * @param {string} name
 */
export const shownAs = (model, name) => shownName(model.byName.get(name) ?? { name });

/** @typedef {{q?: string, is?: string, task?: string, sort?: string}} Wanted */

/** @type {Record<string, (a: Row, b: Row) => number>} */
const SORTS = {
  longest: (a, b) => (b.seconds ?? -1) - (a.seconds ?? -1),
  started: (a, b) => (a.start ?? Infinity) - (b.start ?? Infinity),
  name: (a, b) => (a.name < b.name ? -1 : 1),
  attempts: (a, b) => b.attempts - a.attempts,
};

/** The ways to sort, and how they are called. */
export const SORTED = {
  "": "workflow order",
  longest: "longest first",
  started: "as started",
  attempts: "most attempts",
  name: "name",
};

/** @param {Model} model @param {Wanted} wanted @returns {Row[]} */
export function chosen(model, wanted) {
  const query = (wanted.q ?? "").toLowerCase();
  const outcomes = wanted.is ? new Set(wanted.is.split(",")) : null;
  const task = wanted.task ? model.view.tasks.findIndex((each) => each.name === wanted.task) : -1;
  let rows = model.rows;
  if (outcomes) rows = rows.filter((row) => outcomes.has(row.outcome));
  if (wanted.task) rows = rows.filter((row) => row.task === task);
  if (query) {
    rows = rows.filter(
      (row) => shownName(row).toLowerCase().includes(query) || row.why.toLowerCase().includes(query),
    );
  }
  const compare = SORTS[wanted.sort ?? ""];
  return compare ? [...rows].sort(compare) : rows;
}

/** @param {Row[]} rows @returns {Record<string, number>} */
export function outcomeCounts(rows) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const row of rows) counts[row.outcome] = (counts[row.outcome] ?? 0) + 1;
  return counts;
}

/**
 * Say what ran and for which reasons, the most frequent first.
 * @param {Model} model
 */
export function reasonsOf(model) {
  /** @type {Map<string, {task: string, why: string, count: number, seconds: number}>} */
  const found = new Map();
  for (const row of model.rows) {
    if (row.outcome !== "executed" || !row.why) continue;
    const task = model.view.tasks[row.task].name;
    const key = `${row.task} ${row.why}`;
    const entry = found.get(key) ?? { task, why: row.why, count: 0, seconds: 0 };
    entry.count += 1;
    entry.seconds += row.seconds ?? 0;
    found.set(key, entry);
  }
  return [...found.values()].sort((a, b) => b.seconds - a.seconds);
}

/**
 * Return what turns a moment of a run into a place, with long pauses drawn short.
 * @param {View["times"]} times
 * @param {number} end the run's last moment, in seconds since it began
 */
export function timeScale(times, end) {
  const cut = times.pauses.reduce((sum, [from, to]) => sum + (to - from), 0);
  const shown = Math.max(end - cut, 1e-6);
  const gap = times.pauses.length ? shown * 0.06 : 0;
  const whole = shown + gap * times.pauses.length;
  /** @param {number} at @returns {number} from 0 to 1 */
  const place = (at) => {
    let passed = at;
    for (const [from, to] of times.pauses) {
      if (at >= to) passed += gap - (to - from);
      else if (at > from) passed += ((at - from) / (to - from)) * gap - (at - from);
    }
    return passed / whole;
  };
  return { place, whole };
}
