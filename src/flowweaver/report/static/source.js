// What the live page asks its server, and how it follows what happens.

/** @typedef {{store: string, targets: string[], actions: boolean}} About */
/** @typedef {import("./model.js").Mark & {workflow: string, by: string, claimed: number,
 *   tasks?: number, target?: string}} ListedRun */
/** @typedef {{store: string, runs: ListedRun[],
 *   strips: Record<string, import("./model.js").Mark[]>, more: boolean}} Runs */

/** What the server said against it. */
export class Refused extends Error {}

/** @param {Response} answer */
async function read(answer) {
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(told.error ?? `The server answered ${answer.status}.`);
  return told;
}

/** @param {string} path @param {Record<string, string>} [query] */
export async function ask(path, query = {}) {
  const search = new URLSearchParams(query).toString();
  return read(await fetch(`/api/${path}${search ? `?${search}` : ""}`));
}

/** @param {string} path @param {unknown} what */
export async function tell(path, what) {
  return read(
    await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(what),
    }),
  );
}

/**
 * Follow the store, or one run of it.
 * @param {Record<string, string>} query
 * @param {(change: any) => void} take
 * @param {(connected: boolean) => void} said
 * @returns {() => void} what ends it
 */
export function follow(query, take, said) {
  const stream = new EventSource(`/api/follow?${new URLSearchParams(query)}`);
  stream.onopen = () => said(true);
  stream.onerror = () => said(false);
  stream.onmessage = (event) => {
    said(true);
    take(JSON.parse(event.data));
  };
  return () => stream.close();
}

/**
 * Take a change of a run into its View.
 * @param {import("./model.js").View} view
 * @param {any} change
 * @returns {import("./model.js").View}
 */
export function merged(view, change) {
  const tasks = [...view.tasks];
  for (const [place, task] of Object.entries(change.tasks)) tasks[Number(place)] = task;
  return { ...view, ...change, tasks, rows: mergedRows(view.rows, change.rows, tasks) };
}

/**
 * Take a page of rows into a View that had left them out.
 * @param {import("./model.js").View} view
 * @param {import("./model.js").Columns} page
 * @returns {import("./model.js").View}
 */
export function withPage(view, page) {
  return { ...view, rows: mergedRows(view.rows, page, view.tasks) };
}

const COLUMNS = /** @type {const} */ (["task", "element", "label", "outcome", "start", "seconds", "attempts", "lane", "why"]);

/** @type {WeakMap<number[], Map<string, number>>} where each row stands, by the column of tasks */
const standing = new WeakMap();

/** @param {import("./model.js").Columns} rows */
function placesOf(rows) {
  let places = standing.get(rows.task);
  if (!places) {
    places = new Map();
    for (const [i, task] of rows.task.entries()) places.set(`${task} ${rows.element[i]}`, i);
    standing.set(rows.task, places);
  }
  return places;
}

/**
 * @param {import("./model.js").Columns} old
 * @param {import("./model.js").Columns} changed
 * @param {import("./model.js").Task[]} tasks
 * @returns {import("./model.js").Columns}
 */
function mergedRows(old, changed, tasks) {
  if (!changed.task.length) return { ...old, total: changed.total };
  const now = withoutWholes(old, tasks);
  const places = placesOf(now);
  const before = now.task.length;
  const known = new Map(old.words.map((word, i) => [word, i]));
  for (const name of COLUMNS) /** @type {any} */ (now)[name] = [...now[name]];
  now.words = [...old.words];
  now.total = changed.total;
  changed.task.forEach((task, i) => {
    const place = places.get(`${task} ${changed.element[i]}`) ?? now.task.length;
    for (const name of COLUMNS) /** @type {any} */ (now)[name][place] = changed[name][i];
    const word = changed.words[changed.why[i]];
    if (!known.has(word)) known.set(word, now.words.push(word) - 1);
    now.why[place] = /** @type {number} */ (known.get(word));
  });
  if (now.task.length > before) return sorted(now, COLUMNS);
  standing.set(now.task, places);
  return now;
}

/**
 * A mapped task stands for itself only as long as none of its elements is known.
 * @param {import("./model.js").Columns} rows
 * @param {import("./model.js").Task[]} tasks
 */
function withoutWholes(rows, tasks) {
  const stays = (/** @type {number} */ i) => rows.element[i] !== "" || !tasks[rows.task[i]].elements;
  if (rows.task.every((_, i) => stays(i))) return { ...rows };
  /** @type {import("./model.js").Columns} */
  const kept = { ...rows };
  for (const name of COLUMNS) {
    /** @type {any} */ (kept)[name] = /** @type {any[]} */ (rows[name]).filter((_, i) => stays(i));
  }
  return kept;
}

/**
 * @param {import("./model.js").Columns} rows
 * @param {readonly string[]} columns
 */
function sorted(rows, columns) {
  const keys = rows.element.map((element) => (element ? element.split(".").map(Number) : []));
  const order = rows.task.map((_, i) => i);
  order.sort((a, b) => rows.task[a] - rows.task[b] || compared(keys[a], keys[b]));
  const now = { ...rows };
  for (const name of columns) {
    const column = /** @type {any} */ (rows)[name];
    /** @type {any} */ (now)[name] = order.map((i) => column[i]);
  }
  return now;
}

/** @param {number[]} a @param {number[]} b */
function compared(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
