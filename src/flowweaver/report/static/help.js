// What the keys do, on "?".

import { html, useEffect, useRef, useState } from "./lib.js";
import { bound, useKeys } from "./keys.js";

export function Help() {
  const [open, setOpen] = useState(false);
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useKeys([{ keys: ["?"], does: "Show the keys", run: () => setOpen(true) }], []);
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
  }, [open]);
  return html`<button type="button" class="quiet help" aria-label="Keyboard: show the keys" title="Keys (?)" onClick=${() => setOpen(true)}>?</button>
    ${
      open
        ? html`<dialog ref=${dialog} aria-labelledby="keys-title" onClose=${() => setOpen(false)}>
          <h2 id="keys-title">Keys</h2>
          <dl class="keys">
            ${bound().map((binding) => html`<dt>${binding.keys.map((key) => html`<kbd>${named(key)}</kbd>`)}</dt><dd>${binding.does}</dd>`)}
          </dl>
          <form method="dialog"><button>Close</button></form>
        </dialog>`
        : null
    }`;
}

/** @param {string} key */
function named(key) {
  return /** @type {Record<string, string>} */ ({ ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "Space" })[key] ?? key;
}
