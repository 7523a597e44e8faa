// What the picture says is so: of which arrival, of which SKU, how fast, and where everything is.

import { expect, expectSettled, open, openLab, sendArrival, seqOf, test } from "../support/fixtures";
import type { Page } from "@playwright/test";

const CARDS = ["inventory", "catalog", "wishlist"];
// Inventory is there twice: as the producer it has its own name, as a consumer another.
const card = (page: Page, service: string) =>
  page.locator(`[data-role="consumer"][data-node="${service === "inventory" ? "inventory.consumer" : service}"]`);
const ticks = (page: Page) => page.locator(".card-tick.is-shown");

test("a new arrival begins without the ticks, arrows and answers of the one before", async ({ page, server }) => {
  await openLab(page, "choreography");
  await sendArrival(page, "LAMP-ARC", 5);
  await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
  await expectSettled(page);
  await expect(ticks(page)).toHaveCount(CARDS.length);
  await expect(card(page, "catalog")).toContainText("LAMP-ARC 0 → 5");
  await expect(page.locator(".edge-words", { hasText: "200 in" })).toHaveCount(2);

  await page.getByRole("button", { name: "Pause the view" }).click();
  const before = await server.lastSeq();
  await server.post("/api/arrivals", { sku: "LAMP-ARC", quantity: 3, style: "choreography" });
  // Step by step, up to where the stock is recorded.
  const playhead = page.getByRole("slider", { name: "Playhead" });
  await expect.poll(async () => Number(await playhead.getAttribute("max"))).toBeGreaterThanOrEqual(before + 2);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator('[data-role="producer"]')).toContainText("5 → 8");
  await expect(ticks(page)).toHaveCount(0);
  await expect(page.locator(".edge-words", { hasText: "200 in" })).toHaveCount(0);
  await expect(card(page, "catalog")).toContainText("LAMP-ARC");
  await expect(card(page, "catalog")).not.toContainText("→");

  await page.locator(".playhead-live").click();
  await expect(ticks(page)).toHaveCount(CARDS.length);
  await expect(card(page, "catalog")).toContainText("5 → 8");
});

test("cards name the SKU that they speak of, and stores list their rows, inbox and outbox", async ({ page, server }) => {
  await openLab(page, "choreography");
  const skus = ["MUG-RED", "LAMP-ARC", "BAG-CANVAS"];
  await server.post("/api/arrivals", skus.map((sku) => ({ sku, quantity: 2, style: "choreography" })));
  await expect.poll(() => seqOf(page)).toBeGreaterThan(60);
  await expectSettled(page);
  for (const node of ["inventory", "catalog"]) {
    await expect(card(page, node)).toContainText(new RegExp(skus.join("|")));
  }
  const inspector = page.locator(".inspector");
  await card(page, "catalog").click();
  await expect(inspector.getByRole("heading", { name: "Rows that changed last" })).toBeVisible();
  for (const sku of skus) await expect(inspector.locator("li", { hasText: sku }).first()).toBeVisible();
  const inbox = inspector.getByRole("heading", { name: "Inbox" }).locator("xpath=following-sibling::ul[1]/li");
  await expect(inbox).toHaveCount(skus.length);
  await page.locator('[data-role="producer"]').click();
  await expect(inspector.getByText("Empty: the broker has confirmed everything.")).toBeVisible();
  // At the playhead: before the first of them, the inbox is empty.
  await page.getByRole("slider", { name: "Playhead" }).fill("8");
  await card(page, "catalog").click();
  await expect(inbox).toHaveCount(0);
});

test("what waits is told, and nothing is said to be on its way only when that is so", async ({ page }) => {
  await openLab(page, "choreography");
  const foot = page.locator(".on-the-way");
  await expect(foot).toHaveText("Nothing is on its way.");
  await page.getByRole("button", { name: "Hold everything" }).click();
  await expect(page.locator("[data-node=inventory]").first()).toBeVisible();
  await expect(page.getByRole("button", { name: /Open all/ }).first()).toBeVisible();
  await sendArrival(page, "MUG-RED", 1);
  await expect(foot).toContainText("1 held at a gate");
});

test("the log follows its end beyond the rows that it lists, and stays where one reads", async ({ page, server }) => {
  await openLab(page, "choreography");
  const log = page.getByRole("list", { name: "Log" });
  const send = (count: number) =>
    server.post("/api/arrivals", Array.from({ length: count }, () => ({ sku: "MUG-RED", quantity: 1, style: "choreography" })));
  const isAtEnd = () => log.evaluate((list) => list.scrollTop + list.clientHeight >= list.scrollHeight - 2);
  for (let round = 0; round < 3; round++) {
    const before = await server.lastSeq();
    await send(15);
    await expect.poll(() => server.lastSeq()).toBeGreaterThan(before + 250);
    const last = await server.lastSeq();
    await expect.poll(() => seqOf(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(last);
    await expect.poll(isAtEnd).toBe(true);
  }
  await expect.poll(() => log.locator("li").count()).toBeGreaterThan(150);
  await log.evaluate((list) => list.scrollTo(0, 400));
  const before = await seqOf(page);
  await send(1);
  await expect.poll(() => seqOf(page)).toBeGreaterThan(before + 15);
  expect(await isAtEnd()).toBe(false);
});

test("at a steady rate what goes into a queue comes out of it, and sales count beside arrivals", async ({ page, server }) => {
  test.setTimeout(90_000);
  await openLab(page, "choreography");
  const simulate = (body: object) =>
    fetch(`${server.url}/api/simulator`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  await simulate({ state: "running", rate_per_s: 40, sales_per_s: 20, style: "both", count: 0 });
  const edges = ["arrival", "publish:sku_processed"];
  for (const service of CARDS) edges.push(`route:${service}.sku_processed`, `deliver:${service}.sku_processed`);
  for (const asker of ["catalog", "wishlist"]) edges.push(`http:${asker}`);
  // All at one moment; what is under way just then makes a small difference.
  await expect(async () => {
    const rates = await page.evaluate((edges) => {
      const words = (edge: string) => document.querySelector(`[data-token="stream:${edge}:0"] > text`)?.textContent ?? "";
      return edges.map((edge) => Number(words(edge).match(/^(\d+)\/s$/)?.[1] ?? Number.NaN));
    }, edges);
    for (const one of rates) {
      expect(one, `${edges.map((edge, at) => `${edge} ${rates[at]}`).join(", ")}`).toBeGreaterThan(45);
      expect(Math.abs(one - rates[1])).toBeLessThanOrEqual(6);
    }
  }).toPass({ timeout: 60_000 });
  await simulate({ state: "stopped" });
});

test("what the log lists stands in the address", async ({ page, context }) => {
  await openLab(page, "choreography");
  await sendArrival(page, "MUG-RED", 5);
  await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
  await expectSettled(page);
  await page.getByLabel("Filter by kind").selectOption("acked");
  await page.getByLabel("Filter by SKU").fill("mug");
  await expect(page).toHaveURL(/log-kind=acked&log-sku=MUG/);
  const other = await context.newPage();
  await open(other, page.url());
  await expect(other.getByLabel("Filter by kind")).toHaveValue("acked");
  await expect(other.locator(".log-row")).toHaveCount(3);
});

test("charts say what their axes are", async ({ page }) => {
  await openLab(page, "choreography");
  await sendArrival(page, "MUG-RED", 5);
  await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
  await page.getByRole("tab", { name: "Metrics" }).click();
  const said = page.locator(".chart", { hasText: "Messages and calls per second" });
  await expect(said.locator(".chart-values")).toHaveText(/^[\d.]+\/s0$/);
  await expect(said.locator(".chart-ends span")).toHaveText([/^\d\d:\d\d:\d\d/, /^\d\d:\d\d:\d\d/]);
  await expect(said).toContainText("each step");
});

test("a link to an arrival that is not kept says so", async ({ page }) => {
  await open(page, "/lab/choreography?select=arrival:01900000-0000-7000-8000-000000000000");
  await expect(page.locator(".inspector")).toContainText("None of its steps is loaded");
});

test("a run that is opened before what opens it was fetched waits for the server and says so", async ({ page, server, forgive }, info) => {
  forgive(/Failed to load resource|ERR_|Failed to fetch/);
  await openLab(page, "choreography");
  await sendArrival(page, "MUG-RED", 5);
  await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save run" }).click();
  const file = info.outputPath("run.json");
  await (await download).saveAs(file);

  await page.route(/split_load_\d/, (route) => route.abort());
  await open(page, "/lab/choreography");
  await server.stop();
  await expect(page.locator('main[data-connection="reconnecting"]')).toBeAttached();
  await page.getByLabel("Open run").setInputFiles(file);
  await expect(page.getByText("was not loaded before the server went away")).toBeVisible();
  await page.unroute(/split_load_\d/);
  await server.start();
  await expect(page.locator('main[data-connection="replay"]')).toBeAttached({ timeout: 30_000 });
  await expect(page.getByText("was not loaded")).toHaveCount(0);
});

test.describe("for a reader in Kolkata", () => {
  test.use({ timezoneId: "Asia/Kolkata" });

  test("times are UTC until the reader's own zone is chosen, and say which", async ({ page, server }) => {
    await openLab(page, "choreography");
    await sendArrival(page, "MUG-RED", 5);
    await expect.poll(() => seqOf(page)).toBeGreaterThan(20);
    const { events } = await server.get<{ events: { at_us: number; kind: string }[] }>("/api/journal?limit=5000");
    const arrived = events.find(({ kind }) => kind === "arrival_received")!.at_us;
    const time = page.locator(".log-row", { hasText: "Arrival of 5 × MUG-RED" }).locator(".log-time");
    const at = (us: number) => new Date(us / 1000).toISOString().slice(11, 23);
    await expect(time).toHaveText(at(arrived));
    await page.getByRole("button", { name: "Times: UTC", exact: true }).click();
    await expect(page.getByRole("button", { name: "Times: UTC+05:30" })).toBeVisible();
    await expect(time).toHaveText(at(arrived + 5.5 * 3600e6));
    await openLab(page, "choreography");
    await expect(time).toHaveText(at(arrived + 5.5 * 3600e6));
  });
});
