// Holding the real system: every step waits at its gate until somebody lets it go, in whatever order they like.

import type { Page } from "@playwright/test";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";
import { STYLES, type Server, type Style } from "../support/server";

const SOLD_OUT = "MUG-RED";

interface Told {
  seq: number;
  kind: string;
  style?: Style;
  node?: string;
  gate?: string;
}

/** What happened to arrivals of a style after that place in the journal. */
async function told(server: Server, style: Style, after: number) {
  const { events } = await server.get<{ events: Told[] }>(`/api/journal?after=${after}&limit=5000`);
  return events.filter((event) => event.style === style);
}

const room = (page: Page) => page.getByRole("region", { name: "Control room" });
const held = (page: Page) => page.locator(".diagram [data-hold]");

async function holdEverything(page: Page) {
  await page.keyboard.press("h");
  await expect(room(page).getByText("The real system is held by you.")).toBeVisible();
}

/** Lets go what waits at that gate of that service, in the diagram, and tells what the service did then. */
async function letGo(page: Page, server: Server, style: Style, service: string, gate: string, until: string) {
  const before = await server.lastSeq();
  const name = service[0].toUpperCase() + service.slice(1);
  await page.locator(`.diagram [data-hold][data-gate="${gate}"][aria-label^="Let ${name}"]`).first().click();
  const own = async () => (await told(server, style, before)).filter((event) => event.node === service);
  await expect.poll(async () => (await own()).map((event) => event.kind)).toContain(until);
  return (await own()).map((event) => (event.kind === "held" ? `held ${event.gate}` : event.kind));
}

for (const style of STYLES) {
  test(`${style}: an arrival is stepped through gate by gate, in the order that is chosen`, async ({ page, server }) => {
    test.setTimeout(120_000);
    await openLab(page, style);
    const start = await server.lastSeq();
    await holdEverything(page);
    await sendArrival(page, SOLD_OUT, 12);
    await expect(held(page).first()).toBeVisible();
    const first = (await told(server, style, start)).map((event) => event.kind);
    expect(first.slice(0, 4)).toEqual(["gates_set", "arrival_received", "stock_recorded", "held"]);
    expect(await server.product(style, SOLD_OUT)).toMatchObject({ available: false });

    // Each says which message it is: in the diagram, in the control room, in the inspector and in the log.
    const waits = style === "choreography" ? ["sku_processed"] : ["recalculate_sku", "update_sku_availability", "update_wishlists"];
    const list = room(page).getByRole("list", { name: /Held steps/ });
    for (const message of waits) {
      const name = `Let Inventory publish ${message} of ${SOLD_OUT}`;
      await expect(page.locator(".diagram").getByRole("button", { name, exact: true })).toBeVisible();
      await expect(page.locator(".diagram title", { hasText: name })).toBeAttached();
      await expect(list.getByRole("button", { name: `Inventory: publish ${message} ${SOLD_OUT}` })).toBeVisible();
      await expect(page.locator(".log-row", { hasText: `is held before it is to publish ${message}` })).toBeVisible();
    }
    await page.locator('.diagram [data-node="inventory"]').click();
    await expect(page.locator(".inspector .facts")).toContainText(`publish ${waits[0]} ${SOLD_OUT}`);
    // What waits there has not left the outbox.
    const outbox = page.locator(".inspector dt", { hasText: /^outbox$/ }).locator("xpath=following-sibling::dd[1]");
    await expect(outbox).toHaveText(String(waits.length));

    // The relay's messages go out one by one.
    const messages = waits.length;
    for (let sent = 0; sent < messages; sent += 1) {
      await room(page).getByRole("button", { name: "Step", exact: true }).click();
      const published = async () =>
        (await told(server, style, start)).filter((event) => event.kind === "published").length;
      await expect.poll(published).toBe(sent + 1);
    }
    const waiting = page.locator('.diagram [data-hold][data-gate="after_delivery"]');
    await expect(waiting).toHaveCount(3);
    await expect(outbox).toHaveText("0");
    await expect(room(page).getByRole("list", { name: /Held steps/ }).getByRole("listitem")).toHaveCount(3);

    // The wishlist goes first, then the catalog: nobody but the reader decides.
    const orders: string[] = [];
    for (const service of ["wishlist", "catalog", "inventory"]) {
      const asks = style === "choreography" && service !== "inventory";
      const steps = asks
        ? ["after_delivery", "before_http", "after_http", "before_ack"]
        : ["after_delivery", "before_ack"];
      const seen: string[] = [];
      for (const gate of steps) {
        seen.push(...(await letGo(page, server, style, service, gate, gate === "before_ack" ? "acked" : "held")));
      }
      const effects = service === "wishlist" ? ["state_changed", ...seen.filter((kind) => kind === "email_sent")] : ["state_changed"];
      expect(seen, service).toEqual([
        "released",
        "handler_started",
        ...(asks
          ? ["held before_http", "released", "http_request", "http_response", "held after_http", "released"]
          : []),
        ...effects,
        "held before_ack",
        "released",
        "acked",
      ]);
      orders.push(service);
      if (service === "wishlist") {
        expect(await server.product(style, SOLD_OUT), "the catalog still waits").toMatchObject({ available: false });
        expect((await server.emails(style)).length).toBeGreaterThan(0);
      }
    }
    await page.keyboard.press("h");
    await expect(room(page).getByRole("button", { name: "Hold everything" })).toBeVisible();
    await expectSettled(page);
    const acked = (await told(server, style, start)).filter((event) => event.kind === "acked");
    expect(acked.map((event) => event.node)).toEqual(orders);
  });
}

test("a single gate of one service holds that one alone, and opening it lets everything go", async ({ page, server }) => {
  await openLab(page, "choreography");
  await room(page).getByText("Single gates").click();
  await room(page).getByRole("button", { name: "Hold Catalog before it is to ack" }).click();
  await expect(room(page).locator(".hold")).toHaveAttribute("data-closed", "1");
  await sendArrival(page, SOLD_OUT, 3);
  await expect(page.locator('.diagram [data-node="catalog"][data-held="1"]')).toBeAttached();
  await expect.poll(async () => (await server.emails("choreography")).length).toBeGreaterThan(0);
  await expect(page.locator("main")).toHaveAttribute("data-settled", "false");
  await room(page).getByRole("button", { name: "Open all" }).click();
  await expectSettled(page);
  await expect(held(page)).toHaveCount(0);
});
