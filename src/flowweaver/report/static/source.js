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
 * @param {import("./model.js").Columns} old
 * @param {import("./model.js").Columns} changed
 * @param {import("./model.js").Task[]} tasks
 * @returns {import("./model.js").Columns}
 */
function mergedRows(old, changed, tasks) {
  if (!changed.task.length) return { ...old, total: changed.total };
  /** @type {Map<string, number>} */
  const places = new Map();
  const said = [...old.words];
  const known = new Map(said.map((word, i) => [word, i]));
  /** @type {import("./model.js").Columns} */
  const now = { ...old, total: changed.total, words: said };
  const columns = /** @type {const} */ (["task", "element", "outcome", "start", "seconds", "attempts", "lane", "why"]);
  // A mapped task stands for itself only as long as none of its elements is known.
  const kept = old.task.map((task, i) => old.element[i] !== "" || !tasks[task].elements);
  for (const name of columns) {
    /** @type {any} */ (now)[name] = /** @type {any[]} */ (old[name]).filter((_, i) => kept[i]);
  }
  for (const [i, task] of now.task.entries()) places.set(`${task} ${now.element[i]}`, i);
  changed.task.forEach((task, i) => {
    const key = `${task} ${changed.element[i]}`;
    const place = places.get(key) ?? now.task.length;
    places.set(key, place);
    for (const name of columns) /** @type {any} */ (now)[name][place] = changed[name][i];
    const word = changed.words[changed.why[i]];
    if (!known.has(word)) {
      known.set(word, said.length);
      said.push(word);
    }
    now.why[place] = /** @type {number} */ (known.get(word));
  });
  return now.task.length > kept.length || kept.includes(false) ? sorted(now, columns) : now;
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
