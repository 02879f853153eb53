// The keyboard: one table of what each key does here, which "?" shows.

import { useLayoutEffect } from "./lib.js";
import { route } from "./route.js";

/** @typedef {{keys: string[], does: string, run: (event: KeyboardEvent) => void}} Binding */

/** @type {Binding[][]} the views that are on the page, the newest last */
const stack = [];

/** @returns {Binding[]} all that is bound now; what a newer view binds comes first */
export function bound() {
  const seen = new Set();
  const found = [];
  for (const bindings of [...stack].reverse()) {
    for (const binding of bindings) {
      if (!seen.has(binding.keys[0])) found.push(binding);
      seen.add(binding.keys[0]);
    }
  }
  return found;
}

/**
 * Bind keys as long as a component is on the page.
 * @param {Binding[]} bindings
 * @param {unknown[]} inputs what they depend on
 */
export function useKeys(bindings, inputs) {
  // Before it is painted: whoever sees it can use its keys.
  useLayoutEffect(() => {
    stack.push(bindings);
    return () => {
      stack.splice(stack.indexOf(bindings), 1);
    };
  }, inputs);
}

/**
 * Return the place that lies so many steps from the chosen one; where none is, from before the
 * first or behind the last. The address is asked and not the page, which is drawn a moment later.
 * @param {{name?: string, id?: string}[]} items
 * @param {number} by
 */
export function stepped(items, by) {
  const chosen = route.value.wanted.sel;
  const place = items.findIndex((item) => (item.name ?? item.id) === chosen);
  const from = place < 0 ? (by > 0 ? -1 : items.length) : place;
  return Math.max(0, Math.min(items.length - 1, from + by));
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  return !!element?.closest?.("input, textarea, select, [contenteditable]");
}

globalThis.document?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) && event.key !== "Escape") return;
  for (const bindings of [...stack].reverse()) {
    const binding = bindings.find((each) => each.keys.includes(event.key));
    if (binding) {
      // A button or a link that has the focus is pressed by Enter and the space bar.
      const element = /** @type {HTMLElement} */ (event.target);
      if ((event.key === "Enter" || event.key === " ") && element.closest("a, button")) return;
      event.preventDefault();
      // What was clicked before must not answer to the next Enter.
      if (element.closest("main a, main button")) element.blur();
      binding.run(event);
      return;
    }
  }
});
