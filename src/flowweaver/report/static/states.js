// The states of runs and TaskRuns: an icon each, whose shape alone tells it, and a colour.

import { html } from "./lib.js";
import { words } from "./format.js";

/** @type {Record<string, string>} paths in a box of 16 by 16, drawn in the state's colour */
const SHAPES = {
  executed: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3.3 4.2L7 9.6 4.8 7.5 3.7 8.6 7 11.8l5.4-5.5Z",
  restored:
    "M8 2.2a5.8 5.8 0 1 1-5.6 4.3l1.5.4A4.2 4.2 0 1 0 6.1 4.2l1.3 1.9-5-.2L4 1.2l1.2 1.7A5.8 5.8 0 0 1 8 2.2Z",
  overridden: "M11.6 1.3 14.7 4.4 5.6 13.5 1.8 14.2 2.5 10.4Zm-7.7 9.9-.2 1.1 1.1-.2 6.9-6.9-.9-.9Z",
  failed:
    "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1Zm.4 3.4L4.4 5.5 6.9 8l-2.5 2.5 1.1 1.1L8 9.1l2.5 2.5 1.1-1.1L9.1 8l2.5-2.5-1.1-1.1L8 6.9Z",
  running: "M8 1a7 7 0 0 1 7 7h-1.8A5.2 5.2 0 1 0 8 13.2V15A7 7 0 1 1 8 1Zm-2 4 5 3-5 3Z",
  retrying:
    "M8 1.8c1.7 0 3.3.7 4.4 1.9L14 2.2v5H9l1.9-1.9A4.4 4.4 0 1 0 12.2 9.6l1.7.5A6.2 6.2 0 1 1 8 1.8Z",
  upstream_failed: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.7a5.3 5.3 0 0 0-4.1 8.6l7.4-7.4A5.2 5.2 0 0 0 8 2.7Zm4.1 2-7.4 7.4a5.3 5.3 0 0 0 7.4-7.4Z",
  skipped: "M2 3.5 7.5 8 2 12.5Zm6 0L13.5 8 8 12.5Z",
  cancelled: "M2.5 2.5h11v11h-11Zm1.7 1.7v7.6h7.6V4.2Z",
  pending:
    "M7 1.1h2v1.7H7ZM7 13.2h2v1.7H7ZM1.1 7h1.7v2H1.1Zm12.1 0h1.7v2h-1.7ZM2.7 4.1l1.4-1.4 1.2 1.2-1.4 1.4Zm8 8 1.4-1.4 1.2 1.2-1.4 1.4ZM2.7 11.9l1.2-1.2 1.4 1.4-1.2 1.2Zm8-8 1.2-1.2 1.4 1.4-1.2 1.2Z",
  interrupted: "M9.3 1 3 9.2h4L6.3 15 13 6.8H8.7Z",
  abandoned: "M2.5 7.1h11v1.8h-11Z",
  run: "M4 2.5 13 8l-9 5.5Z",
};
/** @type {Record<string, string>} */
const ALIKE = {
  completed: "executed",
  restore: "restored",
  override: "overridden",
  skip: "skipped",
  unknown: "pending",
};

/** The order in which outcomes are told. */
export const ORDER = [
  "failed",
  "interrupted",
  "upstream_failed",
  "running",
  "retrying",
  "pending",
  "executed",
  "restored",
  "overridden",
  "skipped",
  "cancelled",
];

/** @param {string} state */
export function shape(state) {
  return SHAPES[ALIKE[state] ?? state] ?? SHAPES.pending;
}

/** @param {string} state */
export function tone(state) {
  return ALIKE[state] ?? state;
}

/** @param {string} state as it is called on the page */
export function label(state) {
  if (state === "upstream_failed") return "not started";
  return words(state);
}

/** @param {{state: string, label?: string}} props */
export function Icon({ state, label: said }) {
  return html`<svg
    class="icon tone-${tone(state)}"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    role=${said === "" ? "presentation" : "img"}
    aria-label=${said === "" ? undefined : (said ?? label(state))}
    aria-hidden=${said === "" ? "true" : undefined}
  >
    <path fill-rule="evenodd" d=${shape(state)} />
  </svg>`;
}

/** @param {{state: string}} props */
export function State({ state }) {
  return html`<span class="state tone-${tone(state)}"><${Icon} state=${state} label="" />${label(
    state,
  )}</span>`;
}
