// What the picture shows is there in words too: the log alone tells an arrival from its beginning to its end.

import type { Page } from "@playwright/test";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";

/** The rows of the log as a screen reader reads them: when, what, about which SKU, and who says so. */
async function read(page: Page) {
  const rows = page.getByRole("list", { name: "Log" }).getByRole("button");
  const names = await rows.evaluateAll((all) => all.map((row) => [...row.children].filter((part) => !part.ariaHidden).map((part) => part.textContent!.trim())));
  return names.map(([at, words, sku, by]) => ({ at, words, sku, by }));
}

const SOON = String.raw`[\d.]+ (µs|ms|s)`;

const TOLD = {
  choreography: {
    begins: [
      "Arrival of 5 × MUG-RED received by HTTP",
      "Stock recorded, on hand 0 → 5",
      "Inventory published sku_processed",
    ],
    everybody: {
      inventory: ["Routed to inventory.sku_processed", "Delivered to Inventory", "Inventory began to work on it", "Inventory stored what is for sale: (now 5|0 → 5)", `Inventory acked after ${SOON}`],
      catalog: ["Routed to catalog.sku_processed", "Delivered to Catalog", "Catalog began to work on it", "Catalog asked inventory what is for sale", `Inventory answered Catalog: 5 for sale, in ${SOON}`, "Catalog stored what is for sale: (now 5|0 → 5)", `Catalog acked after ${SOON}`],
      wishlist: ["Routed to wishlist.sku_processed", "Delivered to Wishlist", "Wishlist began to work on it", "Wishlist asked inventory what is for sale", `Inventory answered Wishlist: 5 for sale, in ${SOON}`, "Wishlist stored what is for sale: (now 5|0 → 5)", "(Wishlist e-mailed .+@example.com)", `Wishlist acked after ${SOON}`],
    },
  },
  orchestration: {
    begins: ["Arrival of 5 × MUG-RED received by HTTP", "Stock recorded, on hand 0 → 5"],
    everybody: {
      inventory: ["Inventory sent recalculate_sku", "Routed to inventory.recalculate_sku", "Delivered to Inventory", "Inventory began to work on it", "Inventory stored what is for sale: (now 5|0 → 5)", `Inventory acked after ${SOON}`],
      catalog: ["Inventory sent update_sku_availability", "Routed to catalog.update_sku_availability", "Delivered to Catalog", "Catalog began to work on it", "Catalog stored what is for sale: (now 5|0 → 5)", `Catalog acked after ${SOON}`],
      wishlist: ["Inventory sent update_wishlists", "Routed to wishlist.update_wishlists", "Delivered to Wishlist", "Wishlist began to work on it", "Wishlist stored what is for sale: (now 5|0 → 5)", "(Wishlist e-mailed .+@example.com)", `Wishlist acked after ${SOON}`],
    },
  },
};

for (const style of ["choreography", "orchestration"] as const) {
  test(`${style}: who cannot see the diagram follows an arrival by the log alone`, async ({ page }) => {
    await openLab(page, style);
    await sendArrival(page, "MUG-RED", 5);
    await page.getByLabel("Filter by SKU").fill("MUG-RED");
    for (const service of ["Inventory", "Catalog", "Wishlist"]) {
      await expect(page.locator(".log-row", { hasText: `${service} acked` })).toBeVisible({ timeout: 20_000 });
    }
    await expectSettled(page);
    // What was said meanwhile, politely, is how it ended.
    await expect(page.getByRole("status").filter({ hasText: "MUG-RED × 5: settled." })).toBeAttached();

    const rows = await read(page);
    const { begins, everybody } = TOLD[style];
    expect(rows.slice(0, begins.length).map((row) => row.words)).toEqual(begins);
    const left = rows.slice(begins.length).map((row) => row.words);
    for (const [service, steps] of Object.entries(everybody)) {
      let at = -1;
      for (const step of steps) {
        const next = left.findIndex((words, n) => n > at && new RegExp(`^${step}$`).test(words));
        expect(next, `${service}: “${step}” after what comes before it, in\n${left.join("\n")}`).toBeGreaterThan(at);
        at = next;
      }
    }
    // Nothing is told that is not one of these, but the broker's confirms and further e-mails.
    const known = [...Object.values(everybody).flat(), `Broker confirmed the message in ${SOON}`];
    expect(left.filter((words) => !known.some((one) => new RegExp(`^${one}$`).test(words)))).toEqual([]);
    // Each row says when, about which SKU, and who says so; in the order in which it happened.
    for (const row of rows) {
      expect(row.at).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);
      expect(row.sku).toBe("MUG-RED");
      expect(["service", "broker", "inferred"]).toContain(row.by);
    }
  });
}
