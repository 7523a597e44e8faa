// Patches what a drawing function drew into the page, so that focus, scroll and open details stay.
import morphdom from "morphdom";

const keep = ["data-lit", "open"];

export function patch(host, html) {
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
}
