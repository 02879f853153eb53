// What the vendored file puts into the page.
import type { VNode } from "preact";
import type * as hooks from "preact/hooks";
import type * as preact from "preact";
import type * as signals from "@preact/signals";

declare global {
  var preactHtmSignals: {
    html: (strings: TemplateStringsArray, ...values: any[]) => VNode;
    render: typeof preact.render;
    signal: typeof signals.signal;
    computed: typeof signals.computed;
    effect: typeof signals.effect;
    batch: typeof signals.batch;
    useState: typeof hooks.useState;
    useEffect: typeof hooks.useEffect;
    useLayoutEffect: typeof hooks.useLayoutEffect;
    useMemo: typeof hooks.useMemo;
    useRef: typeof hooks.useRef;
  };
}
