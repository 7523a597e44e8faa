// The lab is clean under axe in every view, theme and state, on a large screen and on a small one.

import type { Page } from "@playwright/test";
import { violations } from "../support/axe";
import { expect, expectSettled, open, openLab, seqOf, test } from "../support/fixtures";
import { Proxy } from "../support/proxy";
import type { Server } from "../support/server";
import { IS_SOAK, ONLY_SOAK } from "../support/soak";

const SIZES = [[1280, 800, "wide"], [390, 844, "tall"]] as const;
const STYLE = "choreography";

test.describe.configure({ mode: "parallel" });

/** Themes change colours and sizes, no names: what has been looked at in light is looked at again where it differs most. */
const isThorough = (theme: string) => theme === "light" || IS_SOAK;

/** Looks at the page as it is now, large and small; at a part of it when the rest has been looked at. */
async function clean(page: Page, state: string, part?: string) {
  await test.step(state, async () => {
    for (const [width, height, orientation] of SIZES.toReversed()) {
      await page.setViewportSize({ width, height });
      await expect(page.locator(".diagram")).toHaveAttribute("data-orientation", orientation);
      // Otherwise the header lies on something.
      await page.evaluate(() => scrollTo(0, 0));
      expect(await violations(page, part), `${state}, ${width} px`).toEqual([]);
    }
  });
}

const send = (server: Server, quantity = 2) => server.post("/api/arrivals", { sku: "MUG-RED", quantity, style: STYLE });
const topic = (page: Page, title: string) => page.locator(".topic").filter({ has: page.getByText(title, { exact: true }) });

async function put(server: Server, path: string, body: unknown) {
  const answer = await fetch(server.url + path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.ok, path).toBe(true);
}

for (const theme of ["light", "dark", "projector"]) {
  test(`the lab is clean in every view and state: ${theme}`, async ({ page, context, server, forgive }, info) => {
    test.skip(theme !== "light" && !IS_SOAK, ONLY_SOAK);
    test.setTimeout(300_000);
    // Some states are broken connections, of which the browser tells.
    forgive(/net::ERR_|Failed to load resource/);
    const proxy = new Proxy(server.address);
    const proxied = await proxy.start();
    await context.addCookies([server.url, proxied].map((url) => ({ name: "theme", value: theme, url })));
    await page.emulateMedia({ reducedMotion: "reduce" });

    await openLab(page, STYLE);
    await expect(page.getByText("Send your first arrival")).toBeVisible();
    await clean(page, "empty");

    await send(server);
    await expect(page.locator(".log-row", { hasText: "Wishlist acked" })).toBeVisible({ timeout: 20_000 });
    await expectSettled(page);
    // One that fails at every attempt is parked while the rest is looked at.
    await put(server, `/api/${STYLE}/faults`, { faults: [{ kind: "poison", service: "catalog", trigger: { every_nth: 1 } }] });
    await send(server);
    for (const view of ["Timeline", "Sequence", "Metrics", "Log"]) {
      await page.getByRole("tab", { name: view }).click();
      await expect(page.locator(`#view[data-view="${view.toLowerCase()}"]`)).toBeVisible();
      await expect(page.getByText("Loading…")).toHaveCount(0);
      await clean(page, `view ${view}`);
    }

    const opened = async (what: string, query: string) => {
      await open(page, `/lab/${STYLE}?select=${query}`);
      await expect(page.locator(".inspector-close")).toBeAttached();
      await expect(page.locator(".inspector-body")).not.toHaveCount(0);
      await clean(page, `inspector: ${what}`, ".inspector");
    };
    const { events } = await server.get<{ events: Record<string, string>[] }>("/api/journal?limit=500");
    const delivered = events.find((event) => event.kind === "delivered" && event.queue === "catalog.sku_processed")!;
    await opened("a service", "node:catalog");
    if (isThorough(theme)) {
      await opened("the producer", "node:inventory");
      await opened("the warehouse", "node:warehouse");
      await opened("the exchange", "node:sku_processed");
    }
    await opened("a message", `message:${delivered.message_id}@${delivered.queue}`);
    if (isThorough(theme)) {
      await opened("a queue", "queue:catalog.sku_processed");
      await opened("a line", "edge:route:catalog.sku_processed");
      await opened("an event", `event:${delivered.seq}`);
      await opened("an answer over HTTP", `event:${events.find((event) => event.kind === "http_response")!.seq}`);
      await opened("an arrival", `arrival:${delivered.correlation_id}`);
    }
    await clean(page, "the page with its inspector open");

    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowLeft");
    await expect(page.getByText("The view is paused.")).toBeVisible();
    await clean(page, "paused");
    await page.keyboard.press("l");

    // The control room with everything unfolded: a parked message, faults, and the system held.
    for (const title of ["Break something", "Workers", "Encoding of calls", "Dead letters", "Files from the warehouse", "Simulator", "Start over"]) {
      await topic(page, title).locator("> summary").click();
    }
    await expect(topic(page, "Dead letters").locator("[data-letter]")).toHaveCount(1, { timeout: 60_000 });
    await topic(page, "Dead letters").getByText("Tries, headers and body").click();
    await page.getByText("Single gates").click();
    await page.keyboard.press("h");
    await send(server);
    await expect(page.locator(".diagram [data-hold]").first()).toBeVisible();
    await expect(page.locator(".diagram [data-fault]").first()).toBeVisible();
    await expect(page.getByRole("list", { name: /Held steps/ })).toBeVisible();
    await clean(page, "held, broken and parked, with the control room unfolded");
    if (!isThorough(theme)) {
      await proxy.stop();
      return;
    }

    await put(server, `/api/${STYLE}/gates`, { closed: [] });
    await put(server, `/api/${STYLE}/faults`, { faults: [{ kind: "broker_stopped", service: "inventory" }] });
    await expect(page.locator('main[data-connection="broker-down"]')).toBeAttached({ timeout: 20_000 });
    await clean(page, "broker down");
    await put(server, `/api/${STYLE}/faults`, { faults: [] });
    await expect(page.locator('main[data-connection="live"]')).toBeAttached({ timeout: 20_000 });

    // Before there are tens of thousands of steps to save, and to open again.
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save run" }).click();
    const file = info.outputPath("run.json");
    await (await saved).saveAs(file);

    await put(server, "/api/simulator", { preset: "quiet_tuesday", style: STYLE, rate_per_s: 150, sales_per_s: 0, count: 0, state: "running" });
    await openLab(page, STYLE);
    await expect(page.getByText("showing rates")).toBeVisible({ timeout: 20_000 });
    await expect(page.getByText("These are the latest steps only.")).toBeVisible();
    await clean(page, "behind");
    await put(server, "/api/simulator", { state: "stopped" });

    // What opens a saved run is fetched a moment after the page; once it is there, the server may go.
    const opener = page.waitForResponse((answer) => /\/pkg\/split_load_\d+\.wasm/.test(answer.url()));
    await page.goto(`${proxied}/lab/${STYLE}`);
    await expect(page.locator('html[data-hydrated] main[data-connection="live"]')).toBeAttached();
    await (await opener).finished();
    proxy.cut();
    await expect(page.locator('main[data-connection="reconnecting"]')).toBeAttached({ timeout: 20_000 });
    await clean(page, "reconnecting");
    await page.getByLabel("Open run").setInputFiles(file);
    await expect(page.getByText("Nothing is being sent.", { exact: true })).toBeVisible({ timeout: 20_000 });
    await page.getByRole("slider", { name: "Playhead" }).press("End");
    await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
    await clean(page, "replaying a saved run");
    await proxy.stop();
  });
}
