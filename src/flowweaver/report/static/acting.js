// What may be done with a run, each with the command that does the same.

import { html, useEffect, useRef, useState } from "./lib.js";
import { Block, Command } from "./parts.js";
import { tell } from "./source.js";

/** @typedef {{title: string, says: string, path: string, what: unknown, command: string, danger?: boolean}} Action */

/** @param {{actions: Action[]}} props */
export function ActionButtons({ actions }) {
  const [chosen, setChosen] = useState(/** @type {Action | null} */ (null));
  if (!actions.length) return null;
  return html`<span class="actions-inline">
    ${actions.map(
      (action) => html`<button type="button" class=${action.danger ? "danger" : ""} onClick=${() => setChosen(action)}>${action.title}</button>`,
    )}
    ${chosen ? html`<${Confirm} action=${chosen} close=${() => setChosen(null)} />` : null}
  </span>`;
}

/** @param {{action: Action, close: () => void}} props */
function Confirm({ action, close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [state, setState] = useState({ busy: false, told: "", failed: "" });
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
  }, []);
  const act = async () => {
    setState({ busy: true, told: "", failed: "" });
    try {
      const done = await tell(action.path, action.what);
      setState({ busy: false, told: done.story, failed: "" });
    } catch (error) {
      setState({ busy: false, told: "", failed: /** @type {Error} */ (error).message });
    }
  };
  return html`<dialog ref=${dialog} aria-labelledby="action-title" onClose=${close}>
    <h2 id="action-title">${action.title}</h2>
    <p>${action.says}</p>
    <h3>The same as a command</h3>
    <${Command} text=${action.command} />
    <p role="status">${state.busy ? "…" : state.told}</p>
    ${state.failed ? html`<${Block} text=${state.failed} label="What went wrong" />` : null}
    <div class="actions">
      ${state.told ? null : html`<button type="button" class=${action.danger ? "danger" : "primary"} disabled=${state.busy} onClick=${act}>${action.title}</button>`}
      <button type="button" onClick=${() => dialog.current?.close()}>${state.told ? "Close" : "Leave it"}</button>
    </div>
  </dialog>`;
}

/** @param {import("./model.js").View} view @returns {Action[]} what fits the run as it stands */
export function actionsOf(view) {
  const { run } = view;
  const where = run.store ? ` --store ${run.store}` : "";
  if (run.status === "running") {
    const pid = run.by.split(":").pop();
    return [{ title: "Stop", says: "What runs may finish; nothing more is started. The run can be continued.", path: "stop", what: { run: run.id }, command: `kill -INT ${pid}`, danger: true }];
  }
  if (["failed", "cancelled", "interrupted"].includes(run.status) && run.info.target) {
    return [{ title: run.status === "failed" ? "Retry failed" : "Continue", says: "What is completed is not run again.", path: "retry", what: { run: run.id }, command: `flowweaver run ${run.info.target} --run-id ${run.id}${where}` }];
  }
  return [];
}

/** @param {import("./model.js").View} view @param {string} name @returns {Action[]} */
export function resolutionsOf(view, name) {
  if (!view.waiting.some((each) => each.name === name)) return [];
  const command = (/** @type {string} */ how) => `flowweaver resolve ${view.run.id} '${name}' ${how}`;
  return [
    { title: "It was done", says: "The attempt has acted: the task is taken as completed.", path: "resolve", what: { run: view.run.id, task: name, done: true }, command: command("--done") },
    { title: "Retry it", says: "The attempt has not acted: the task will be run again.", path: "resolve", what: { run: view.run.id, task: name, done: false }, command: command("--retry") },
  ];
}
