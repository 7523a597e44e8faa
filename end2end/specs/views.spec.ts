// The same events as a log, a timeline, a sequence and in numbers; the playhead, links and saved runs.

import { expect, expectSettled, open, openLab, sendArrival, seqOf, test } from "../support/fixtures";
import type { Page } from "@playwright/test";

/** What the diagram and the marks say; what is on its way is no part of the picture. */
async function picture(page: Page) {
  const queues = await page.locator("[data-queue]").evaluateAll((all) =>
    all.map((queue) => ["data-queue", "data-ready", "data-unacked"].map((name) => queue.getAttribute(name))),
  );
  const words = await page.locator("#diagram .nodes text").allTextContents();
  return { seq: await seqOf(page), queues, words };
}

async function settled(page: Page, style: string) {
  await openLab(page, style);
  await sendArrival(page, "MUG-RED", 5);
  await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
  await expectSettled(page);
}

for (const style of ["choreography", "orchestration"]) {
  test(`${style}: stepping back and forward gives the same picture again`, async ({ page }) => {
    await settled(page, style);
    await page.getByRole("button", { name: "Pause the view" }).click();
    const end = await picture(page);
    const back = page.getByRole("button", { name: "One step back" });
    for (let n = 0; n < 8; n++) await back.click();
    await expect.poll(() => seqOf(page)).toBeLessThan(end.seq);
    const earlier = await picture(page);
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => seqOf(page)).toBeGreaterThan(earlier.seq);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => picture(page)).toEqual(earlier);
    for (let n = 0; n < 8; n++) await page.keyboard.press("ArrowRight");
    await expect.poll(() => picture(page)).toEqual(end);
  });
}

test("a link shows the same place, selection, view and speed", async ({ page, context }) => {
  await settled(page, "choreography");
  await page.getByRole("button", { name: "Pause the view" }).click();
  for (let n = 0; n < 6; n++) await page.keyboard.press("ArrowLeft");
  await page.locator(".log-row", { hasText: "stored" }).last().click();
  await page.getByRole("button", { name: "Speed 2×" }).click();
  await page.getByRole("tab", { name: "Sequence" }).click();
  await expect(page).toHaveURL(/at=\d+&select=event:\d+&view=sequence&speed=2/);
  const here = await picture(page);
  const other = await context.newPage();
  await open(other, page.url());
  await expect.poll(() => picture(other)).toEqual(here);
  await expect(other.getByRole("tab", { name: "Sequence" })).toHaveAttribute("aria-selected", "true");
  await expect(other.locator(".seq-row.is-selected")).toHaveCount(1);
  await expect(other.getByRole("button", { name: "Speed 2×" })).toHaveAttribute("aria-pressed", "true");
  await expect(other.locator(".inspector h2")).toHaveText(await page.locator(".inspector h2").innerText());
});

test("a link reaches further back than what a page fetches by itself", async ({ page, server }) => {
  test.setTimeout(120_000);
  const arrival = { sku: "MUG-RED", quantity: 1, style: "choreography" };
  await server.post("/api/arrivals", Array.from({ length: 400 }, () => arrival));
  await expect.poll(() => server.lastSeq(), { timeout: 60_000 }).toBeGreaterThan(7_000);
  await open(page, "/lab/choreography?at=1500");
  await expect.poll(() => seqOf(page), { timeout: 30_000 }).toBe(1_500);
  await page.getByRole("button", { name: "One step back" }).click();
  await expect.poll(() => seqOf(page)).toBeLessThan(1_500);
  await expect(page.getByText(/cannot be drawn|no longer kept/)).toHaveCount(0);
});

test("a link to a place that is not kept says so and shows how things stand now", async ({ page }) => {
  await open(page, "/lab/choreography?at=4000000");
  await expect(page.getByText("Step 4000000 has not happened yet")).toBeVisible();
  await expect(page.locator('[data-play="live"]')).toBeVisible();
});

test("a saved run opened without any server shows the same picture at the same place", async ({
  page,
  browser,
  baseURL,
  forgive,
}, info) => {
  forgive(/Failed to load resource|ERR_/);
  await settled(page, "choreography");
  await page.getByRole("button", { name: "Pause the view" }).click();
  for (let n = 0; n < 9; n++) await page.keyboard.press("ArrowLeft");
  const here = await picture(page);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save run" }).click();
  const file = info.outputPath("run.json");
  await (await download).saveAs(file);

  const fresh = await browser.newContext({ viewport: page.viewportSize() });
  const other = await fresh.newPage();
  await other.route("**/api/**", (route) => route.abort());
  // What opens a saved run is fetched a moment after the page.
  const opener = other.waitForResponse((answer) => /\/pkg\/split_load_\d+\.wasm/.test(answer.url()));
  await open(other, `${baseURL}/lab/choreography`);
  await (await opener).finished();
  await other.getByLabel("Open run").setInputFiles(file);
  await expect(other.getByText("Nothing is being sent.", { exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(other.locator('main[data-connection="replay"]')).toBeAttached();
  await expect(other.getByRole("button", { name: "Send arrival" })).toBeDisabled();
  // The control room is the real system's, and H would close its gates.
  await expect(other.locator(".room")).toHaveAttribute("inert");
  const changes: string[] = [];
  other.on("request", (request) => request.method() === "GET" || changes.push(request.url()));
  await other.keyboard.press("h");
  await expect(other.getByText("This is a saved run. Go back to the live system to change it.")).toBeVisible();
  expect(changes).toEqual([]);
  await other.getByRole("slider", { name: "Playhead" }).fill(String(here.seq));
  await expect.poll(() => picture(other)).toEqual(here);
  await other.getByRole("button", { name: "Play", exact: true }).click();
  await expect.poll(() => seqOf(other), { timeout: 30_000 }).toBeGreaterThan(here.seq);
  await fresh.close();
});

test("a file that is not a run gets a clear message", async ({ page }) => {
  await openLab(page, "choreography");
  const choose = (text: string) =>
    page.getByLabel("Open run").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(text) });
  const alert = page.locator(".runs-wrong[role=alert]");
  await choose("");
  await expect(alert).toContainText("The file is empty");
  await choose('{"format":"skuflow-run","version":1,"eve');
  await expect(alert).toContainText("The file is cut short");
  await choose("{}");
  await expect(alert).toContainText("This is not a Skuflow run");
  await choose('{"format":"skuflow-run","version":9}');
  await expect(alert).toContainText("open it with a newer one");
});

test("the log is filtered by who, kind, SKU and arrival", async ({ page }) => {
  await settled(page, "choreography");
  await sendArrival(page, "MUG-BLUE", 3);
  await expect(page.locator(".log-row", { hasText: "MUG-BLUE" }).first()).toBeVisible();
  await expectSettled(page);
  await page.getByLabel("Filter by SKU").fill("mug-b");
  await expect(page.locator(".log-row", { hasText: "MUG-RED" })).toHaveCount(0);
  await page.getByLabel("Filter by kind").selectOption("published");
  await expect(page.locator(".log-row")).toHaveCount(1);
  await page.locator(".log-row").click();
  await page.getByLabel("Filter by kind").selectOption("");
  await page.getByLabel("Filter by SKU").fill("");
  await page.getByLabel("Selected arrival only").check();
  await expect(page.locator(".log-row", { hasText: "MUG-RED" })).toHaveCount(0);
  await expect(page.locator(".log-row", { hasText: "MUG-BLUE" }).first()).toBeVisible();
  await page.getByLabel("Filter by service").selectOption("catalog");
  await expect(page.locator(".log-row", { hasText: "Wishlist" })).toHaveCount(0);
});

test("a view says that it is loading until what draws it has been fetched", async ({ page, forgive }) => {
  forgive(/Failed to load resource|ERR_|Failed to fetch/);
  const study = /split_load_\d/;
  await page.route(study, (route) => route.abort());
  await open(page, "/lab/choreography?view=metrics");
  const view = page.getByRole("tabpanel", { name: "Metrics" });
  await expect(view.getByRole("status")).toHaveText("Loading…");
  await page.unroute(study);
  await expect(view).toHaveText("No arrivals among the loaded steps, so there is nothing to measure.");
});

test("the views share one selection and are reached by keys", async ({ page }) => {
  await settled(page, "orchestration");
  await page.keyboard.press("2");
  await expect(page.locator(".timeline-line")).toHaveCount(4);
  await page.locator(".timeline-line", { hasText: "catalog" }).click();
  await expect(page.locator(".inspector h2")).toContainText("update_sku_availability");
  await page.keyboard.press("3");
  await expect(page.locator(".seq-head")).toHaveCount(5);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as SVG" }).click();
  expect((await download).suggestedFilename()).toBe("skuflow-sequence.svg");
  await page.keyboard.press("4");
  await expect(page.getByRole("row", { name: "Messages published 3 3" })).toBeVisible();
  await page.keyboard.press("1");
  await expect(page.getByRole("tab", { name: "Log" })).toHaveAttribute("aria-selected", "true");
});

test("keys can be turned off, and stay off", async ({ page }) => {
  await openLab(page, "choreography");
  await page.getByRole("button", { name: "How to read the picture" }).click();
  await page.getByRole("switch", { name: /Keyboard shortcuts/ }).click();
  await page.keyboard.press("Escape");
  await openLab(page, "choreography");
  await page.keyboard.press("2");
  await expect(page.getByRole("tab", { name: "Log" })).toHaveAttribute("aria-selected", "true");
  await page.getByRole("button", { name: "How to read the picture" }).click();
  await expect(page.getByRole("switch", { name: "Keyboard shortcuts: off" })).toBeVisible();
});
