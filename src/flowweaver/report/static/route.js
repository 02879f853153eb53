// Every view has an address: what is behind the "#" says what is shown.

import { computed, signal } from "./lib.js";

/** @typedef {{page: string, run: string, tab: string, wanted: Record<string, string>}} Route */

const hash = signal(globalThis.location?.hash ?? "");
globalThis.addEventListener?.("hashchange", () => {
  hash.value = location.hash;
});

/**
 * "#/run/ID/tasks?q=x", "#/runs", "#/plan/TARGET"; in a report, which is of one run, "#/tasks?q=x".
 * @param {string} text
 * @returns {Route}
 */
export function parseRoute(text) {
  const [path, query = ""] = text.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map(decoded);
  const wanted = Object.fromEntries(new URLSearchParams(query));
  const [page] = parts;
  if (page === "run") return { page, run: parts[1] ?? "", tab: parts[2] || "overview", wanted };
  if (["runs", "plan", "diff"].includes(page)) {
    return { page, run: parts.slice(1).join("/"), tab: "", wanted };
  }
  return { page: "", run: "", tab: page || "overview", wanted };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {Route} to @returns {string} */
export function address(to) {
  const query = new URLSearchParams(
    Object.entries(to.wanted).filter(([, value]) => value !== ""),
  ).toString();
  const path = to.page
    ? [to.page, ...(to.run ? [to.run] : []), ...(to.tab ? [to.tab] : [])]
    : [to.tab];
  return `#/${path.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

export const route = computed(() => parseRoute(hash.value));

/** @param {Partial<Route>} change @param {{replace?: boolean}} [how] */
export function go(change, how = {}) {
  const to = address({ ...route.value, ...change });
  if (how.replace) history.replaceState(null, "", to);
  else if (to !== location.hash) history.pushState(null, "", to);
  hash.value = to;
}

/** @param {Record<string, string>} change @param {{replace?: boolean}} [how] */
export function want(change, how = {}) {
  go({ wanted: { ...route.value.wanted, ...change } }, how);
}

/** @param {Record<string, string>} change @returns {string} the address of this view, changed */
export function here(change) {
  return address({ ...route.value, wanted: { ...route.value.wanted, ...change } });
}
globalThis.addEventListener?.("popstate", () => {
  hash.value = location.hash;
});
