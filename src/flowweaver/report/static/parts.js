// Small parts that several views are made of.

import { html, useState } from "./lib.js";
import { counted, grouped, seconds } from "./format.js";
import { Icon, ORDER, label, tone } from "./states.js";

/** @param {{counts: Record<string, number>, total: number, href?: (outcome: string) => string}} p */
export function CountsBar({ counts, total, href }) {
  const shown = ORDER.filter((outcome) => counts[outcome]);
  const said = shown.map((outcome) => `${counts[outcome]} ${label(outcome)}`).join(", ");
  return html`<div class="counts">
    <div class="bar" role="img" aria-label=${said || "nothing yet"}>
      ${shown.map(
        (outcome) => html`<span
          class="bar-part fill-${tone(outcome)}"
          style=${{ flexGrow: counts[outcome] / Math.max(total, 1) }}
        ></span>`,
      )}
    </div>
    <ul class="legend">
      ${shown.map(
        (outcome) => html`<li>
          ${
            href
              ? html`<a href=${href(outcome)}
                ><${Icon} state=${outcome} label="" />${grouped(counts[outcome])}${" "}${label(outcome)}</a
              >`
              : html`<span
                ><${Icon} state=${outcome} label="" />${grouped(counts[outcome])}${" "}${label(outcome)}</span
              >`
          }
        </li>`,
      )}
    </ul>
  </div>`;
}

/**
 * Bars of earlier durations, the last one marked.
 * @param {{values: (number | null)[], names?: string[], label: string}} props
 */
export function Sparks({ values, names, label: said }) {
  const most = Math.max(...values.map((value) => value ?? 0), 1e-9);
  return html`<div class="sparks" role="img" aria-label=${said}>
    ${values.map(
      (value, i) => html`<span
        class=${`spark ${i === values.length - 1 ? "last" : ""} ${value === null ? "none" : ""}`}
        title=${`${names?.[i] ?? ""} ${value === null ? "not executed" : seconds(value)}`.trim()}
        style=${{ height: `${value === null ? 2 : Math.max(3, (value / most) * 36)}px` }}
      ></span>`,
    )}
  </div>`;
}

/** @param {{runs: import("./model.js").Mark[], current: string, href?: (id: string) => string}} p */
export function Strip({ runs, current, href }) {
  return html`<ol class="strip" aria-label=${`last ${counted(runs.length, "run")}`}>
    ${runs.map((run) => {
      const said = `${run.id}: ${label(run.status)}${run.seconds === null ? "" : `, ${seconds(run.seconds)}`}`;
      const mark = html`<${Icon} state=${run.status} label=${said} />`;
      const here = run.id === current ? "page" : undefined;
      return html`<li title=${said} aria-current=${here}>
        ${href ? html`<a href=${href(run.id)}>${mark}</a>` : mark}
      </li>`;
    })}
  </ol>`;
}

/** @param {{text: string, label?: string}} props */
export function Command({ text, label: said = "command" }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      setCopied(false);
    }
  };
  return html`<div class="command">
    <code tabindex="0" role="group" aria-label="Command">${text}</code>
    <button type="button" class="quiet" aria-label=${`${copied ? "Copied" : "Copy"}, ${said}: ${text}`} onClick=${copy}>
      ${copied ? "Copied" : "Copy"}
    </button>
  </div>`;
}

/** @param {{title: string, children?: unknown}} props */
export function Empty({ title, children }) {
  return html`<div class="empty"><h2>${title}</h2>${children}</div>`;
}

/** @param {{text: string, label: string}} props a block of text that may be wide */
export function Block({ text, label: said }) {
  return html`<pre class="block" tabindex="0" role="region" aria-label=${said}>${text}</pre>`;
}

/** @param {{text: string}} props lines that came and went */
export function Diff({ text }) {
  return html`<pre class="block diff" tabindex="0" role="region" aria-label="Code that changed">${text
    .split("\n")
    .map((line) => {
      const kind =
        line.startsWith("+++") || line.startsWith("---") || line.startsWith("@@")
          ? "head"
          : line.startsWith("+")
            ? "plus"
            : line.startsWith("-")
              ? "minus"
              : "";
      return html`<span class=${kind}>${line}${"\n"}</span>`;
    })}</pre>`;
}

/** @param {{from: number | null, usual?: number}} props how a duration compares with the usual */
export function Usual({ from, usual }) {
  if (from === null || usual === undefined || usual < 0.01) return null;
  const ratio = from / usual;
  if (ratio > 1.5) return html`<span class="slower">${ratio.toFixed(1)}× the usual ${seconds(usual)}</span>`;
  if (ratio < 0.67) return html`<span class="muted">usually ${seconds(usual)}</span>`;
  return html`<span class="muted">as usual</span>`;
}
