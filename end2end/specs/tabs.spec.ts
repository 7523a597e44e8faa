// Many tabs of one browser: one of them reads the server's stream for all.

import type { BrowserContext, Page } from "@playwright/test";
import { expect, openLab, sendArrival, seqOf, test } from "../support/fixtures";
import type { Server } from "../support/server";

/** More than the six connections that a browser has to a server. */
const MANY = 9;
const FEW = 4;
const BROKEN = /net::ERR_|Failed to load resource/;
const STREAM = "/api/journal/stream";

/** Opens them one after the other, and keeps count of who reads the stream. */
async function openTabs(context: BrowserContext, first: Page, count: number) {
  const reading = new Set<Page>();
  context.on("request", (request) => {
    if (request.url().includes(STREAM)) reading.add(request.frame().page());
  });
  const ended = (request: { url: () => string; frame: () => { page: () => Page } }) => {
    if (request.url().includes(STREAM)) reading.delete(request.frame().page());
  };
  context.on("requestfinished", ended);
  context.on("requestfailed", ended);
  const tabs = [first];
  while (tabs.length < count) tabs.push(await context.newPage());
  for (const tab of tabs) await openLab(tab, "choreography");
  const reader = () => tabs.find((tab) => reading.has(tab) && !tab.isClosed());
  return { tabs, reading, reader };
}

/** Every tab is live and has every event. */
async function expectAllRight(tabs: Page[], server: Server) {
  for (const tab of tabs) {
    await expect(tab.locator('main[data-connection="live"]')).toBeAttached({ timeout: 25_000 });
    await expect(async () => expect(await seqOf(tab)).toBe(await server.lastSeq())).toPass({ timeout: 15_000 });
  }
}

const arrive = (server: Server, quantity: number) =>
  server.post("/api/arrivals", { sku: "MUG-RED", quantity, style: "choreography" });

const stockIs = (server: Server, quantity: number) =>
  expect.poll(async () => (await server.product("choreography", "MUG-RED"))?.quantity).toBe(quantity);

test("nine tabs share one stream: the ninth is live, sends and holds", async ({ page, context, server }) => {
  const { tabs, reading } = await openTabs(context, page, MANY);
  expect(reading.size).toBe(1);

  const ninth = tabs.at(-1)!;
  await sendArrival(ninth, "MUG-RED", 7);
  await stockIs(server, 7);
  await expectAllRight(tabs, server);

  await ninth.keyboard.press("h");
  await expect.poll(async () => (await server.get<{ closed: unknown[] }>("/api/choreography/gates")).closed.length).toBeGreaterThan(0);
  await expectAllRight(tabs, server);
});

test("what a tab reads it passes on only while another tab is there", async ({ page, context, server }) => {
  await context.addInitScript(() => {
    const post = BroadcastChannel.prototype.postMessage;
    Object.assign(globalThis, { passedOn: 0 });
    BroadcastChannel.prototype.postMessage = function (message) {
      if (message[0] === "journal") (globalThis as unknown as { passedOn: number }).passedOn += 1;
      post.call(this, message);
    };
  });
  const passedOn = () => page.evaluate<number>("passedOn");
  await openLab(page, "choreography");
  await arrive(server, 2);
  await stockIs(server, 2);
  await expectAllRight([page], server);
  expect(await passedOn()).toBe(0);

  const second = await context.newPage();
  await openLab(second, "choreography");
  await arrive(server, 3);
  await stockIs(server, 5);
  await expectAllRight([page, second], server);
  expect(await passedOn()).toBeGreaterThan(0);
});

test("when the reading tab is closed or frozen, another one reads on", async ({ page, context, server }) => {
  const { tabs, reading, reader } = await openTabs(context, page, FEW);
  await reader()!.close();
  const left = tabs.filter((tab) => !tab.isClosed());
  await arrive(server, 3);
  await stockIs(server, 3);
  await expectAllRight(left, server);

  // What a browser tells a page that it freezes. Chromium's own command for it sent no such event here.
  const frozen = reader()!;
  await frozen.evaluate(() => void document.dispatchEvent(new Event("freeze")));
  const others = left.filter((tab) => tab !== frozen);
  await expect.poll(() => others.some((tab) => reading.has(tab))).toBe(true);
  expect(reading.has(frozen)).toBe(false);
  await arrive(server, 4);
  await stockIs(server, 7);
  await expectAllRight(others, server);

  await frozen.evaluate(() => void document.dispatchEvent(new Event("resume")));
  await expectAllRight(left, server);
  await arrive(server, 1);
  await stockIs(server, 8);
  await expectAllRight(left, server);
});

test("a restarted server is found again by all tabs", async ({ page, context, server, forgive }) => {
  forgive(BROKEN);
  const { tabs, reading } = await openTabs(context, page, FEW);
  await server.stop("SIGKILL");
  for (const tab of tabs) await expect(tab.locator('main[data-connection="reconnecting"]')).toBeAttached();
  await server.start();
  await arrive(server, 5);
  await stockIs(server, 5);
  await expectAllRight(tabs, server);
  expect(reading.size).toBe(1);
});

test("a hidden tab lets go of the stream, and catches up when it is looked at again", async ({ page, server }) => {
  await page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    Object.assign(globalThis, {
      look: (away: boolean) => {
        hidden = away;
        document.dispatchEvent(new Event("visibilitychange"));
      },
    });
  });
  const ended = page.waitForEvent("requestfailed", { predicate: (r) => r.url().includes(STREAM), timeout: 30_000 });
  await openLab(page, "choreography");
  const before = await seqOf(page);
  await page.evaluate("look(true)");
  await ended;
  await arrive(server, 2);
  await stockIs(server, 2);
  expect(await seqOf(page)).toBe(before);
  await page.evaluate("look(false)");
  await expectAllRight([page], server);
});

test("without locks and channels each tab reads by itself", async ({ page, context, server }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
    Object.defineProperty(globalThis, "BroadcastChannel", { value: undefined });
  });
  const second = await context.newPage();
  for (const tab of [page, second]) await openLab(tab, "choreography");
  await arrive(server, 6);
  await stockIs(server, 6);
  await expectAllRight([page, second], server);
});
