// A lab that is opened late: what happened long before is there all the same, a page at a time.

import { readFileSync } from "node:fs";
import { expect, openLab, seqOf, test } from "../support/fixtures";
import type { Server } from "../support/server";
import type { Page } from "@playwright/test";

/** Sends arrivals, each batch when the one before is done, until the journal has so many events. Says how many it sent. */
async function busy(server: Server, events: number) {
  const arrivals = Array.from({ length: 250 }, (_, n) => ({ sku: `SKU-${n % 20}`, quantity: 1, style: "choreography" }));
  let sent = 0;
  const handled = async () => {
    const picture = await server.get<{ choreography: { services: { handled: number }[] } }>("/api/journal/picture");
    return Math.min(...picture.choreography.services.map((service) => service.handled));
  };
  while ((await server.lastSeq()) < events) {
    await server.post("/api/arrivals", arrivals);
    sent += arrivals.length;
    // Without that, a slow machine would send many more: so many that a tab no longer holds the first of them.
    await expect.poll(handled, { timeout: 60_000 }).toBe(sent);
  }
  return sent;
}

const slider = (page: Page) => page.getByRole("slider", { name: "Playhead" });

test("what happened before the page was opened is gone back through, listed, measured and saved", async ({ page, server }, info) => {
  test.setTimeout(120_000);
  const sent = await busy(server, 12_000);
  await openLab(page, "choreography");
  await page.getByRole("button", { name: "Pause the view" }).click();
  const last = await seqOf(page);
  await page.getByRole("button", { name: "One step back" }).click();
  await expect.poll(() => seqOf(page)).toBeLessThan(last);

  // To the very beginning, which is not at hand yet.
  await expect(slider(page)).toHaveAttribute("min", "0");
  await slider(page).fill("2");
  await expect.poll(() => seqOf(page)).toBe(2);
  const then = await server.get<{ choreography: { arrivals: number } }>("/api/journal/picture?at=2");
  expect(then.choreography.arrivals).toBeLessThan(2);
  for (let n = 0; n < 3; n++) await page.getByRole("button", { name: "One step back" }).click();
  await expect.poll(() => seqOf(page)).toBe(0);
  await page.getByRole("button", { name: /^Live/ }).click();
  await expect.poll(() => seqOf(page)).toBeGreaterThanOrEqual(last);

  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save run" }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toMatch(/^skuflow-run-.*\.json$/);
  const file = info.outputPath("run.json");
  await download.saveAs(file);
  const run = JSON.parse(readFileSync(file, "utf8")) as { events: { seq: number }[] };
  expect([run.events[0]!.seq, run.events.at(-1)!.seq]).toEqual([1, run.events.length]);
  expect(run.events.length).toBeGreaterThanOrEqual(last);

  await page.getByRole("tab", { name: "Metrics" }).click();
  await expect(page.locator(".view")).toContainText(String(sent));
});

test("older steps are fetched for the log until there are no more", async ({ page, server }) => {
  test.setTimeout(120_000);
  const sent = await busy(server, 12_000);
  await openLab(page, "choreography");
  await page.getByRole("button", { name: "Pause the view" }).click();
  await page.getByLabel("Filter by kind").selectOption("arrival_received");
  const older = page.getByRole("button", { name: "Show older steps" });
  const rows = page.locator(".log-row");
  for (let before = 0; before < sent; before = await rows.count()) {
    await older.click();
    await expect.poll(() => rows.count()).toBeGreaterThan(before);
  }
  await expect(rows).toHaveCount(sent);
  await expect(older).toHaveCount(0);
});

test("the first of more steps than a tab can hold is shown, and the way on from there", async ({ page, server }) => {
  test.setTimeout(240_000);
  await busy(server, 60_000);
  await openLab(page, "choreography");
  await page.getByRole("button", { name: "Pause the view" }).click();
  await slider(page).fill("10");
  await expect.poll(() => seqOf(page)).toBe(10);
  await page.getByRole("button", { name: "One step forward" }).click();
  await expect.poll(() => seqOf(page)).toBe(11);
  await slider(page).fill("30000");
  await expect.poll(() => seqOf(page)).toBe(30_000);
  const there = await server.get<{ choreography: { queues: { routed: number }[] } }>("/api/journal/picture?at=30000");
  expect(there.choreography.queues[0]!.routed).toBeGreaterThan(100);
  await page.getByRole("button", { name: "One step back" }).click();
  await expect.poll(() => seqOf(page)).toBe(29_999);
  await page.getByRole("button", { name: /^Live/ }).click();
  await expect.poll(() => seqOf(page)).toBeGreaterThanOrEqual(await server.lastSeq());
});

test("a server that was killed and started again goes on in the open page", async ({ page, server, forgive }) => {
  forgive(/Failed to load resource|ERR_/);
  test.setTimeout(60_000);
  await busy(server, 200);
  await openLab(page, "choreography");
  await expect.poll(() => seqOf(page)).toBe(await server.lastSeq());
  const before = await seqOf(page);
  await server.stop("SIGKILL");
  await expect(page.locator('main[data-connection="reconnecting"]')).toBeAttached();
  await server.start();
  await expect(page.locator('main[data-connection="live"]')).toBeAttached({ timeout: 20_000 });
  await expect.poll(() => seqOf(page)).toBeGreaterThan(before);
  await expect(page.getByRole("list", { name: "Log" })).toContainText("The server started again");
});
