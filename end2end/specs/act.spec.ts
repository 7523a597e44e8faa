// Acting on the picture: what is broken, held and staffed at the thing itself, by mouse, by keyboard and by touch.

import type { Page } from "@playwright/test";
import { violations } from "../support/axe";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";
import type { Server, Style } from "../support/server";

const menu = (page: Page) => page.locator("#act");
const deed = (page: Page, name: string | RegExp) => menu(page).getByRole("button", { name });

const kinds = (server: Server, style: Style) =>
  server.get<{ faults: { kind: string; service: string }[] }>(`/api/${style}/faults`).then(({ faults }) => faults.map(({ kind, service }) => `${kind} ${service}`));

/** An arrival that goes through while the menu stays open: all is done once the journal tells of the last ack. */
async function sendArrivalBehindMenu(server: Server) {
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 1, style: "orchestration" });
  const handled = async () => {
    const { events } = await server.get<{ events: { kind: string; style?: string }[] }>("/api/journal?limit=5000");
    return events.filter(({ kind, style }) => kind === "acked" && style === "orchestration").length;
  };
  await expect.poll(handled).toBe(3);
}

async function expectInWindow(page: Page) {
  const box = (await menu(page).boundingBox())!;
  const { width, height } = page.viewportSize()!;
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.y).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(width);
  expect(box.y + box.height).toBeLessThanOrEqual(height);
}

test("a click on a service opens what can be done with it, and a fault is undone where it was caused", async ({ page, server }) => {
  await openLab(page, "choreography");
  const catalog = page.locator('[data-node="catalog"]');
  await catalog.click();
  await expect(menu(page)).toBeVisible();
  await expect(page.locator(".inspector h2"), "the inspector tells of it, too").toHaveText("Catalog");
  await expect(deed(page, "Slow down")).toHaveAccessibleDescription(/1000 ms longer/);
  await expectInWindow(page);
  expect(await violations(page, "#act")).toEqual([]);
  await deed(page, "Slow down").click();
  await expect(menu(page), "the picture is seen again").toBeHidden();
  await expect(page.locator('[data-node="catalog"][data-fault="handler_delay"]')).toBeAttached();
  expect(await kinds(server, "choreography")).toEqual(["handler_delay catalog"]);

  await sendArrival(page, "MUG-RED", 2);
  await expectSettled(page);
  await catalog.click();
  await expect(deed(page, "Undo: Handler delay")).toContainText("struck 1×");
  await deed(page, "Undo: Handler delay").click();
  await expect(page.locator("[data-fault]")).toHaveCount(0);
  expect(await kinds(server, "choreography")).toEqual([]);

  // On the node itself stands what it will do, and one click undoes it; what is set elsewhere stays.
  for (const service of ["catalog", "wishlist"]) {
    await server.post("/api/choreography/faults", { kind: "handler_delay", service, trigger: { every_nth: 1 }, delay_ms: 50 });
  }
  await expect(catalog).toContainText("handler delay");
  await page.getByRole("button", { name: "Undo: handler delay of Catalog" }).click();
  await expect(page.locator('[data-node="catalog"][data-fault]')).toHaveCount(0);
  expect(await kinds(server, "choreography")).toEqual(["handler_delay wishlist"]);
});

test("workers come and go one by one, and the menu stays for more", async ({ page, server }) => {
  await openLab(page, "orchestration");
  const workers = () => server.get<{ workers: number }>("/api/orchestration/wishlist/workers").then(({ workers }) => workers);
  await page.locator('[data-node="wishlist"]').click();
  await deed(page, "Add a worker").click();
  await expect.poll(workers).toBe(2);
  await expect(deed(page, "Remove a worker")).toBeVisible();
  await deed(page, "Add a worker").click();
  await expect.poll(workers).toBe(3);
  await deed(page, "Remove a worker").click();
  await expect.poll(workers).toBe(2);
  await page.keyboard.press("Escape");
  await expect(menu(page)).toBeHidden();
});

test("by keyboard, M opens the menu at what has the focus, arrows lead through it, and Esc leads back", async ({ page, server }) => {
  await openLab(page, "choreography");
  const exchange = page.locator('[data-node="sku_processed"]');
  await exchange.focus();
  await page.keyboard.press("m");
  await expect(deed(page, "Add a consumer: Loyalty")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(menu(page)).toBeHidden();
  await expect(exchange).toBeFocused();

  const catalog = page.locator('[data-node="catalog"]');
  await catalog.focus();
  // The menu key, as the browser tells of it.
  await page.keyboard.press("ContextMenu");
  await expect(menu(page).locator("button").first()).toBeFocused();
  for (let down = 0; down < 12 && !(await deed(page, "Stop the consumer").evaluate((it) => it === document.activeElement)); down += 1) {
    await page.keyboard.press("ArrowDown");
  }
  await expect(deed(page, "Stop the consumer")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator('[data-node="catalog"][data-state="stopped"]')).toBeAttached();
  await expect(menu(page)).toBeHidden();
  await expect(catalog).toBeFocused();
  expect(await kinds(server, "choreography")).toEqual(["consumer_stopped catalog"]);
  await page.keyboard.press("m");
  await expect(deed(page, "Undo: Consumer stopped")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator('[data-node="catalog"][data-state="idle"]')).toBeAttached();
});

test("a gate is closed on its line, and what it holds goes on when it is opened there", async ({ page }) => {
  await openLab(page, "choreography");
  const calls = page.locator('[data-edge="http:catalog"]');
  await calls.focus();
  await page.keyboard.press("m");
  await deed(page, "Hold before: ask").click();
  await expect(page.locator(".hold")).toHaveAttribute("data-closed", "1");
  await sendArrival(page, "MUG-RED", 1);
  await expect(page.locator('.diagram [data-hold][data-gate="before_http"]')).toHaveCount(1);
  await calls.focus();
  await page.keyboard.press("m");
  await deed(page, "Open the gate: ask").click();
  await expectSettled(page);
});

test("in choreography a consumer joins at the exchange, hears the next event, and leaves; inventory's code stays as it is", async ({ page }) => {
  await openLab(page, "choreography");
  const exchange = page.locator('[data-node="sku_processed"]');
  await exchange.click();
  await expect(menu(page).locator("pre")).toContainText('Dispatch::Fanout => vec![event(SKU_PROCESSED.name, "")]');
  await deed(page, "Add a consumer: Loyalty").click();
  await expect(deed(page, "Remove Loyalty")).toBeVisible();
  await expect(menu(page).locator(".is-added")).toHaveCount(0);
  expect(await violations(page, "#act")).toEqual([]);
  await page.keyboard.press("Escape");
  await sendArrival(page, "MUG-RED", 2);
  await expect(page.locator('[data-node="loyalty"]')).toContainText("10");
  await expectSettled(page);
  await page.locator('[data-node="loyalty"]').click();
  await deed(page, "Remove Loyalty").click();
  await expect(page.locator('[data-node="loyalty"]')).toHaveCount(0);
});

test("in orchestration the same consumer gets nothing until the change to inventory's code is applied", async ({ page, server }) => {
  await openLab(page, "orchestration");
  const exchange = page.locator('[data-node="inventory.commands"]');
  await exchange.focus();
  await page.keyboard.press("m");
  await deed(page, "Add a consumer: Loyalty").click();
  await expect(menu(page).locator(".is-added")).toHaveText(/\+\s+"add_loyalty_points",/);
  const points = () => server.get<unknown[]>("/api/orchestration/loyalty/points").then((points) => points.length);
  await sendArrivalBehindMenu(server);
  await expectSettled(page);
  expect(await points()).toBe(0);
  await deed(page, "Apply the change").click();
  await expect(menu(page)).toBeHidden();
  await sendArrival(page, "MUG-RED", 2);
  await expect(page.locator('[data-node="loyalty"]')).toContainText("10");
  expect(await points()).toBe(1);
});

test("the right button opens the menu alone, and what is no part of ours has none", async ({ page }) => {
  await openLab(page, "choreography");
  await page.locator('[data-node="inventory"]').click({ button: "right" });
  await expect(deed(page, "Crash the relay")).toBeVisible();
  await expect(page.locator(".inspector h2")).toHaveText("Inspector");
  await page.keyboard.press("Escape");
  await page.locator('[data-node="warehouse"]').click();
  await expect(page.locator(".inspector h2")).toContainText("Warehouse");
  await expect(menu(page)).toBeHidden();
});

test("a queue is emptied, and its service's code is the one in the source", async ({ page, server }) => {
  await openLab(page, "choreography");
  const stopped = { kind: "consumer_stopped", service: "catalog", trigger: "next" };
  await server.post("/api/choreography/faults", stopped);
  await expect(page.locator('[data-node="catalog"][data-fault~="consumer_stopped"]')).toBeAttached();
  await sendArrival(page, "MUG-RED", 2);
  const queue = page.locator('[data-queue="catalog.sku_processed"]');
  await expect(queue).toHaveAttribute("data-ready", "1");
  await queue.click();
  await deed(page, "Purge: throw away what waits").click();
  await expect(queue).toHaveAttribute("data-ready", "0");
  await expect(page.locator(".log-row", { hasText: "purged catalog.sku_processed" })).toBeVisible();

  await page.keyboard.press("Escape");
  await page.locator('[data-node="wishlist"]').click();
  await menu(page).getByText("Its code", { exact: true }).click();
  const code = menu(page).locator(".act-source pre");
  await expect(code).toHaveCount(2);
  await expect(code.first()).toContainText("Service::Wishlist => Ok(services.wishlist.update(");
  await expect(menu(page)).toContainText("server/wishlist/src/lib.rs, line ");
  await expectInWindow(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true });

  test("a queue is unbound and bound again by touch, and the menu fits", async ({ page, server }) => {
    await openLab(page, "choreography");
    const queue = page.locator('[data-queue="wishlist.sku_processed"]');
    await queue.scrollIntoViewIfNeeded();
    await queue.tap();
    await expect(deed(page, "Unbind the queue")).toBeVisible();
    await expectInWindow(page);
    // The menu stands alone.
    const sheet = page.locator(".inspector");
    await expect(sheet).toBeHidden();
    const target = (await deed(page, "Unbind the queue").boundingBox())!;
    expect(target.height).toBeGreaterThanOrEqual(44);
    await deed(page, "Unbind the queue").tap();
    await expect(page.locator('[data-edge="route:wishlist.sku_processed"]')).toHaveCount(0);
    expect(await kinds(server, "choreography")).toEqual(["queue_unbound wishlist"]);
    // What was done is seen in the picture, which nothing covers.
    await expect(sheet).toBeHidden();
    await queue.tap();
    await deed(page, "Undo: Queue unbound").tap();
    await expect(page.locator('[data-edge="route:wishlist.sku_processed"]')).toHaveCount(1);
  });
});
