// What gives things on their way their weight: colours of the latest arrivals, trails, the width of a line, e-mails that fly
// to the mailbox, and soft ticks.

import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";
import { seen } from "../support/seen";

declare global {
  interface Window {
    tones: number[];
  }
}

test("what is about one of the latest arrivals has its colour and number, and a trail behind it, in the picture and in the sequence", async ({ page, server }) => {
  await openLab(page, "choreography");
  const numbered = (hue: number) => seen(page, `[data-token][data-hue="${hue}"] .token-number`, String(hue));
  const first = Promise.all([numbered(1), seen(page, '[data-token] .trail[d*="L"], [data-token] .trail[d*="C"], [data-token] .trail[d*="H"]')]);
  // What is sent by the form is selected, and its sequence stands alone.
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "choreography" });
  await first;
  const second = numbered(2);
  await server.post("/api/arrivals", { sku: "MUG-BLUE", quantity: 3, style: "choreography" });
  await second;
  await page.getByRole("button", { name: /^Live/ }).and(page.locator(":enabled")).click();
  await expectSettled(page);
  await page.getByRole("tab", { name: "Sequence" }).click();
  const colours = new Set<string>();
  for (const hue of [1, 2]) {
    const words = page.locator(`.seq-row.hue-${hue}:not(.is-trouble) text`).first();
    colours.add(await words.evaluate((words) => getComputedStyle(words).fill));
  }
  expect(colours.size).toBe(2);
});

test("while an arrival is in focus, what belongs to others steps back", async ({ page, server }) => {
  await openLab(page, "choreography");
  await sendArrival(page, "MUG-RED", 3);
  await page.getByRole("button", { name: /^Live/ }).and(page.locator(":enabled")).click();
  await expectSettled(page);
  await page.locator(".log-row").last().click();
  const backward = seen(page, "[data-token].steps-back");
  await server.post("/api/arrivals", { sku: "MUG-BLUE", quantity: 3, style: "choreography" });
  await backward;
});

test("a line is as wide as its rate, and as before when nothing flows any more", async ({ page, server }) => {
  test.setTimeout(90_000);
  await openLab(page, "choreography");
  const line = page.locator('[data-edge="publish:sku_processed"]');
  const width = () => line.locator(".edge-line").evaluate((line) => parseFloat(getComputedStyle(line).strokeWidth));
  const before = await width();
  const simulate = (body: object) =>
    fetch(`${server.url}/api/simulator`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  await simulate({ state: "running", rate_per_s: 60, style: "choreography", count: 0 });
  await expect(line).toHaveAttribute("data-rate", /^[23]$/, { timeout: 30_000 });
  expect(await width()).toBeGreaterThan(before);
  await simulate({ state: "stopped" });
  await expect(line).not.toHaveAttribute("data-rate", /./, { timeout: 30_000 });
  expect(await width()).toBe(before);
});

test("an e-mail flies to the mailbox, which lights up", async ({ page }) => {
  await openLab(page, "choreography");
  const flies = seen(page, ".flying-mail");
  const lights = seen(page, 'nav a.has-mail[href="/mailbox"]');
  await sendArrival(page, "LAMP-ARC", 3);
  await Promise.all([flies, lights]);
  await expect(page.locator(".flying-mail, .has-mail")).toHaveCount(0);
});

test("with reduced motion no e-mail flies, and the mailbox lights up all the same", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openLab(page, "choreography");
  await page.evaluate(() => {
    new MutationObserver((changes) => {
      const flew = changes.some((change) => [...change.addedNodes].some((node) => node instanceof Element && node.matches(".flying-mail")));
      if (flew) document.body.dataset.flew = "yes";
    }).observe(document.body, { childList: true });
  });
  const lights = seen(page, 'nav a.has-mail[href="/mailbox"]');
  await sendArrival(page, "LAMP-ARC", 3);
  await lights;
  await expect(page.locator("body")).not.toHaveAttribute("data-flew", "yes");
});

test("deliveries are silent until ticks are switched on, and each queue has a pitch of its own", async ({ page }) => {
  await page.addInitScript(() => {
    window.tones = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      window.tones.push(Math.round(this.frequency.value));
      start.call(this, when);
    };
  });
  await openLab(page, "choreography");
  const tones = () => page.evaluate(() => window.tones);
  await sendArrival(page, "MUG-RED", 3);
  await expect(page.locator('[data-node="catalog"]')).toContainText("MUG-RED");
  expect(await tones()).toEqual([]);
  const ticks = page.getByRole("button", { name: "A tick for each delivery" });
  await ticks.click();
  await expect(ticks).toHaveAttribute("aria-pressed", "true");
  await sendArrival(page, "MUG-RED", 3);
  await expect.poll(async () => new Set(await tones()).size, { timeout: 20_000 }).toBe(3);
  await ticks.click();
  await expect(ticks).toHaveAttribute("aria-pressed", "false");
});
