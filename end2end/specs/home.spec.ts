// The start page shows what really happens, and says so when nothing can.

import { expect, open, test } from "../support/fixtures";
import { STYLES } from "../support/server";
import type { Page } from "@playwright/test";

const sketch = (page: Page, style: string) => page.locator(`.sketch[data-style="${style}"]`);
const count = async (page: Page) => Number((await page.locator(".hero-count strong").innerText()).replaceAll(",", ""));

/** Notes down every step that a sketch shows: each is there for a moment only. */
async function noteSteps(page: Page) {
  await page.evaluate(() => {
    const noted = new Set<string>();
    Object.assign(window, { noted });
    new MutationObserver((changes) => {
      for (const added of changes.flatMap((change) => [...change.addedNodes])) {
        if (added instanceof SVGElement && added.dataset.way) {
          noted.add(`${added.closest<SVGElement>("[data-style]")!.dataset.style} ${added.dataset.way}`);
        }
      }
    }).observe(document.querySelector(".ways")!, { subtree: true, childList: true });
  });
  return () => page.evaluate(() => [...(window as unknown as { noted: Set<string> }).noted].sort());
}

test("an arrival is sent to both systems, and both sketches show its real steps and come to rest", async ({ page, server }) => {
  await open(page, "/");
  const steps = await noteSteps(page);
  expect(await count(page)).toBe(0);
  await page.getByRole("button", { name: "Send an arrival" }).click();
  // One event, and three commands.
  await expect.poll(() => count(page)).toBe(4);
  const of = (style: string, ways: string[]) => ways.map((way) => `${style} ${way}`);
  const services = ["catalog", "inventory", "wishlist"];
  const each = (way: string) => services.map((service) => `${way}-${service}`);
  await expect.poll(steps).toEqual(
    [
      ...of("choreography", ["publish", ...each("to"), ...each("done")]),
      ...of("choreography", ["ask-catalog", "ask-wishlist", "answer-catalog", "answer-wishlist"]),
      ...of("orchestration", ["publish", ...each("to"), ...each("done")]),
    ].sort(),
  );
  for (const style of STYLES) {
    expect((await server.product(style, "MUG-RED"))?.quantity).toBe(1);
    await expect(sketch(page, style).locator("[data-way]")).toHaveCount(0);
  }
});

test("nothing moves while nothing happens, and a server that is gone is told", async ({ page, server, forgive }) => {
  forgive(/Failed to load resource|ERR_/);
  await open(page, "/");
  const steps = await noteSteps(page);
  await server.stop();
  await expect(page.locator(".hero-words")).toContainText("The server does not answer.");
  const send = page.getByRole("button", { name: "Send an arrival" });
  const words = page.locator(".hero-words");
  await send.click();
  await send.click();
  await expect(words).toContainText("The last 2 arrivals were not sent.");
  expect(await steps()).toEqual([]);
  await server.start();
  await expect(words).toHaveText("The last 2 arrivals were not sent.", { timeout: 20_000 });
  await send.click();
  await expect.poll(() => count(page)).toBe(4);
  await expect(words).toHaveText("");
});

test("every click sends an arrival, however fast they come", async ({ page }) => {
  await open(page, "/");
  await page.getByRole("button", { name: "Send an arrival" }).evaluate((button: HTMLElement) => {
    for (let n = 0; n < 20; n++) button.click();
  });
  await expect.poll(() => count(page)).toBe(80);
});

test("what does not move for a reader who asked for that is shown all the same", async ({ page, server }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open(page, "/");
  const steps = await noteSteps(page);
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 1, style: "choreography" });
  await expect.poll(steps).toContain("choreography done-catalog");
  await expect(sketch(page, "choreography").locator("[data-way]")).toHaveCount(0);
});
