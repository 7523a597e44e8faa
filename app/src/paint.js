// Patches what a drawing function drew into the page, so that focus, scroll and open details stay.
import morphdom from "morphdom";

const keep = ["data-lit", "open"];

const FOCUSABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea, summary, [tabindex]";
const stops = (host) => [...host.querySelectorAll(FOCUSABLE)];

export function focus(selector, pick) {
  const found = [...document.querySelectorAll(selector)].find((one) => !pick || one.dataset.pick === pick);
  found?.focus();
  return Boolean(found);
}

// What is inserted before something may move it, and what moves loses the focus.
export function keep_focus(host) {
  const focused = document.activeElement;
  const place = host.contains(focused) ? stops(host).indexOf(focused) : -1;
  if (place < 0) return;
  requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return;
    const next = focused.isConnected ? focused : stops(host).slice(0, place + 1).at(-1);
    next?.focus();
  });
}

export function patch(host, html) {
  const focused = host.contains(document.activeElement) ? document.activeElement : undefined;
  const place = focused && stops(host).indexOf(focused);
  const next = host.cloneNode(false);
  next.innerHTML = html;
  morphdom(host, next, {
    childrenOnly: true,
    getNodeKey: (node) => (node.getAttribute ? node.getAttribute("data-key") || node.id || undefined : undefined),
    onBeforeElUpdated(from, to) {
      // Tokens are moved by hand, not drawn.
      if (from.hasAttribute("data-own")) return false;
      for (const name of keep) if (from.hasAttribute(name)) to.setAttribute(name, "");
      return !from.isEqualNode(to);
    },
  });
  // What had the focus is gone: what stands in its place now, has it.
  if (focused && !focused.isConnected) stops(host).slice(0, place + 1).at(-1)?.focus();
}
