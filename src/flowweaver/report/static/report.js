// The report: one run, embedded in the page.

import { html, render } from "./lib.js";
import { moment } from "./format.js";
import { Help } from "./help.js";
import { RunPage } from "./run.js";

/** @param {{view: import("./model.js").View}} props */
function Report({ view }) {
  return html`<a class="skip" href="#main">Skip to the content</a>
    <${RunPage}
      view=${view}
      now=${view.made_at}
      comparison=${view.compared}
      detailOf=${(/** @type {string} */ name) => view.details[name] ?? null}
    />
    <footer class="foot muted">
      <span class="cut">FlowWeaver ${view.made_by} · ${moment(view.made_at)}</span>
      <${Help} />
    </footer>`;
}

const embedded = document.getElementById("view");
if (embedded) {
  const view = JSON.parse(embedded.textContent ?? "");
  render(html`<${Report} view=${view} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
}
