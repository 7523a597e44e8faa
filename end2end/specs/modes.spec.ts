// The modes of Redis and ZeroMQ: set in the control room, and drawn as what they are.

import { expect, expectSettled, open, sendArrival, test } from "../support/fixtures";
import type { Page } from "@playwright/test";

async function openOver(page: Page, style: string, transport: string) {
  await open(page, `/lab/${style}?transport=${transport}`);
  await expect(page.locator(`main[data-style="${style}"][data-transport="${transport}"][data-connection="live"]`)).toBeAttached();
}

async function choose(page: Page, names: string[]) {
  const topic = page.locator('[data-topic="transport"]');
  if ((await topic.getAttribute("open")) === null) {
    await topic.locator("> summary").click();
  }
  for (const name of names) {
    await topic.getByText(name, { exact: true }).click();
    await expect(topic.getByRole("radio", { name, exact: true })).toBeChecked();
  }
}

const heading = (page: Page) => page.locator(".stage-head p");
const drawn = (page: Page, queue: string) => page.locator(`[data-queue="${queue}"]`);

test("each mode of Redis is set in the control room, and the picture calls things what they are in it", async ({ page, server }) => {
  await openOver(page, "orchestration", "redis");
  await expect(heading(page)).toContainText("Sidekiq's format");
  await expect(heading(page)).toContainText("At least once");
  await choose(page, ["resque", "basic"]);
  await expect(heading(page)).toContainText("Resque's format");
  await expect(heading(page)).toContainText("what a worker has popped when it dies is lost");
  await expect(drawn(page, "queue:update_wishlists")).toContainText("resque:queue:update_wishlists");
  await sendArrival(page, "MUG-RED", 12);
  await expectSettled(page);
  const { events } = await server.get<{ events: { kind: string; mode?: string; actor?: string }[] }>("/api/journal?limit=5000");
  const told = events.filter((event) => event.kind === "mode_changed");
  expect(told.map((event) => event.mode)).toEqual(["sidekiq+reliable", "resque+reliable", "resque+basic"]);

  await openOver(page, "choreography", "redis");
  await choose(page, ["pubsub"]);
  await expect(page.locator('[data-node="skuflow:sku_processed"]')).toContainText("channel");
  await expect(drawn(page, "skuflow:sku_processed/catalog")).toContainText("SUBSCRIBE");
  await expect(page.getByRole("radio", { name: "Subscribers" })).toBeAttached();
  await sendArrival(page, "MUG-RED", 12);
  await expectSettled(page);
});

test("over ZeroMQ with acknowledgements a ROUTER socket stands where PUB stood, and the first paint knows it", async ({ page }) => {
  await openOver(page, "choreography", "zeromq");
  await expect(page.locator('[data-node="zeromq:sku_processed"]')).toContainText("PUB socket");
  await choose(page, ["acked"]);
  await expect(page.locator('[data-node="zeromq:sku_processed"]')).toContainText("ROUTER socket");
  await expect(drawn(page, "zeromq:sku_processed/catalog")).toContainText("DEALER");
  await sendArrival(page, "MUG-RED", 12);
  await expectSettled(page);
  const painted = await (await page.request.get("/lab/choreography?transport=zeromq")).text();
  expect(painted).toContain("ROUTER socket");
  expect(painted).toContain("inventory keeps each message until it is acknowledged");
});
