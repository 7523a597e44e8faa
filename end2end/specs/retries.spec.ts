// Retries and dead letters in the picture: what fails goes around with a ring that counts down, what is parked lies in a
// tray, and is dragged, or sent by key, back to its queue.

import type { Page, Request } from "@playwright/test";
import { violations } from "../support/axe";
import { expect, expectSettled, openLab, test } from "../support/fixtures";
import type { Server, Style } from "../support/server";

const SKU = "MUG-RED";
const QUEUE = { choreography: "catalog.sku_processed", orchestration: "catalog.update_sku_availability" } as const;
const PATIENCE = { timeout: 30_000 };

const loop = (page: Page, style: Style) => page.locator(`[data-loop="${QUEUE[style]}"]`);
const tray = (page: Page, style: Style) => page.locator(`[data-tray="${QUEUE[style]}"]`);
const deed = (page: Page, name: string | RegExp) => page.locator("#act").getByRole("button", { name });

const quantity = (server: Server, style: Style) =>
  server.get<{ sku: string; quantity: number }[]>(`/api/${style}/catalog/products`).then((products) => products.find(({ sku }) => sku === SKU)!.quantity);

const parked = (server: Server, style: Style) => server.get<unknown[]>(`/api/${style}/dead-letters`).then((letters) => letters.length);

/** Lets catalog park so many messages about the SKU, each of one piece; says what catalog knew before. */
async function park(page: Page, server: Server, style: Style, count: number) {
  const before = await quantity(server, style);
  await server.post(`/api/${style}/faults`, { kind: "poison", service: "catalog", trigger: { every_nth: 1 } });
  for (let nth = 0; nth < count; nth += 1) await server.post("/api/arrivals", { sku: SKU, quantity: 1, style });
  // Each is tried five times.
  await expect(tray(page, style)).toHaveAttribute("data-count", String(count), { timeout: 60_000 });
  await mend(server, style);
  expect(await quantity(server, style)).toBe(before);
  return before;
}

async function mend(server: Server, style: Style) {
  const answer = await fetch(`${server.url}/api/${style}/faults`, { method: "DELETE" });
  expect(answer.ok).toBe(true);
}

async function middle(page: Page, selector: string) {
  const box = (await page.locator(selector).boundingBox())!;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Whether a token comes by an element, within so many seconds. */
const comesBy = (page: Page, selector: string) =>
  page.evaluate(
    (selector) =>
      new Promise<boolean>((found) => {
        const late = performance.now() + 20_000;
        const look = () => {
          const place = document.querySelector(selector)?.getBoundingClientRect();
          const isThere = [...document.querySelectorAll("[data-token] g path")].some((token) => {
            const box = token.getBoundingClientRect();
            const x = box.x + box.width / 2;
            const y = box.y + box.height / 2;
            return place && x > place.left && x < place.right && y > place.top && y < place.bottom;
          });
          if (isThere || performance.now() > late) found(isThere);
          else requestAnimationFrame(look);
        };
        look();
      }),
    selector,
  );

for (const style of ["choreography", "orchestration"] as const) {
  test(`${style}: what fails goes around, its ring counts down, and it is tried again until it works`, async ({ page, server }) => {
    test.setTimeout(90_000);
    await openLab(page, style);
    await expect(loop(page, style)).toHaveCount(0);
    const before = await quantity(server, style);
    await server.post(`/api/${style}/faults`, { kind: "handler_error", service: "catalog", trigger: { every_nth: 1 } });
    await server.post("/api/arrivals", { sku: SKU, quantity: 3, style });
    expect(await comesBy(page, ".loop-ring"), "the message travels to the ring").toBe(true);
    // The fourth wait takes fifteen seconds.
    const seconds = loop(page, style).locator(".loop-seconds");
    await expect(seconds).toHaveText(/^(9|1[0-5])$/, PATIENCE);
    await expect(seconds).toHaveText("7", PATIENCE);
    await expect(loop(page, style)).toHaveAttribute("data-count", "1");
    await expect(page.locator(`[data-queue="${QUEUE[style]}"]`)).toContainText("retrying 1");
    await mend(server, style);
    await expect(loop(page, style)).toHaveAttribute("data-count", "0", PATIENCE);
    await expectSettled(page);
    await expect(loop(page, style)).toHaveCount(0);
    expect(await quantity(server, style)).toBe(before + 3);
  });
}

test("a letter is dragged from the tray back to its queue, which replays it; one that is let go elsewhere stays", async ({ page, server }) => {
  test.setTimeout(90_000);
  await openLab(page, "choreography");
  const before = await park(page, server, "choreography", 2);
  await expect(tray(page, "choreography")).toHaveAccessibleName(/^parked 2/);
  expect(await violations(page, ".diagram")).toEqual([]);
  const from = await middle(page, `[data-tray="${QUEUE.choreography}"] .letter >> nth=0`);
  const to = await middle(page, `[data-queue="${QUEUE.choreography}"]`);
  const queue = page.locator(`[data-queue="${QUEUE.choreography}"]`);

  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 60, from.y - 200, { steps: 4 });
  await expect(page.locator(".letter.is-dragged")).toBeVisible();
  await expect(queue).toHaveAttribute("data-drop", "");
  await page.mouse.up();
  await expect(page.locator(".letter.is-dragged")).toHaveCount(0);
  await expect(page.locator("#act")).toBeHidden();
  expect(await parked(server, "choreography")).toBe(2);

  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 8 });
  await expect(queue).toHaveAttribute("data-over", "");
  await page.mouse.up();
  await expect(tray(page, "choreography")).toHaveAttribute("data-count", "1");
  await expect.poll(() => parked(server, "choreography")).toBe(1);
  // Inventory tells the newest numbers, whichever letter asks.
  await expect.poll(() => quantity(server, "choreography")).toBe(before + 2);
  await expect(page.locator("#act"), "a drag is no click").toBeHidden();
});

test("by keyboard the tray's menu replays the oldest letter, replays all, and discards after a question", async ({ page, server }) => {
  test.setTimeout(90_000);
  await openLab(page, "orchestration");
  await park(page, server, "orchestration", 3);
  // Each command says how many there are. They were parked at the same time: which is the oldest, the journal's order tells.
  const letters = await server.get<{ id: string; body: string }[]>("/api/orchestration/dead-letters");
  const left = new Map(letters.map(({ id, body }) => [id, (JSON.parse(body) as { quantity: number }).quantity]));
  const taken = async (request: Promise<Request>) => {
    const [id] = ((await request).postDataJSON() as { ids: string[] }).ids;
    const quantity = left.get(id!);
    left.delete(id!);
    return quantity;
  };
  const asked = () => page.waitForRequest((request) => request.method() !== "GET");
  await tray(page, "orchestration").focus();
  await page.keyboard.press("Enter");
  await expect(deed(page, "Replay the oldest letter")).toBeFocused();
  expect(await violations(page, "#act")).toEqual([]);
  const replayed = taken(asked());
  await page.keyboard.press("Enter");
  await expect(tray(page, "orchestration")).toHaveAttribute("data-count", "2");
  const first = await replayed;
  await expect.poll(() => quantity(server, "orchestration")).toBe(first);
  await expect(tray(page, "orchestration")).toBeFocused();

  await page.keyboard.press("m");
  page.once("dialog", (dialog) => void dialog.accept());
  const discarded = taken(asked());
  await deed(page, "Discard the oldest letter…").click();
  await expect(tray(page, "orchestration")).toHaveAttribute("data-count", "1");
  await expect.poll(() => parked(server, "orchestration")).toBe(1);
  await discarded;
  expect(await quantity(server, "orchestration"), "it was discarded").toBe(first);

  await tray(page, "orchestration").focus();
  await page.keyboard.press("m");
  await deed(page, "Replay the oldest letter").click();
  await expect(tray(page, "orchestration")).toHaveCount(0);
  // If the newest number was discarded, the catalog never hears of it.
  expect(left.size).toBe(1);
  await expect.poll(() => quantity(server, "orchestration")).toBe(Math.max(first!, ...left.values()));
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true });

  test("a finger drags a letter back to its queue", async ({ page, server }) => {
    test.setTimeout(90_000);
    await openLab(page, "choreography");
    const before = await park(page, server, "choreography", 1);
    await tray(page, "choreography").scrollIntoViewIfNeeded();
    const from = await middle(page, `[data-tray="${QUEUE.choreography}"] .tray-hit`);
    const to = await middle(page, `[data-queue="${QUEUE.choreography}"]`);
    const touch = await page.context().newCDPSession(page);
    const at = (x: number, y: number) => ({ touchPoints: [{ x, y }] });
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", ...at(from.x, from.y) });
    for (const share of [0.25, 0.5, 0.75, 1]) {
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", ...at(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share) });
    }
    await expect(page.locator(`[data-queue="${QUEUE.choreography}"]`)).toHaveAttribute("data-over", "");
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect(tray(page, "choreography")).toHaveCount(0);
    await expectSettled(page);
    expect(await quantity(server, "choreography")).toBe(before + 1);
  });
});

test.describe("with reduced motion", () => {
  test("the ring is a number that counts down, and nothing travels", async ({ page, server }) => {
    test.setTimeout(60_000);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await openLab(page, "choreography");
    await server.post("/api/choreography/faults", { kind: "handler_error", service: "catalog", trigger: { every_nth: 1 } });
    await server.post("/api/arrivals", { sku: SKU, quantity: 3, style: "choreography" });
    const seconds = loop(page, "choreography").locator(".loop-seconds");
    await expect(seconds).toHaveText("4", PATIENCE);
    await expect(seconds).toHaveText("3", PATIENCE);
    await expect(page.locator(".loop-left").first()).toBeHidden();
    await expect(page.locator("[data-token]")).toHaveCount(0);
  });
});
