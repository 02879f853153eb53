// What the page is built on, under the names it uses: preact, htm and signals, vendored as one file.

const kit = globalThis.preactHtmSignals;

export const { html, render, signal, computed, effect, batch } = kit;
export const { useState, useEffect, useLayoutEffect, useMemo, useRef } = kit;
