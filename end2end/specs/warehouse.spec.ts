// From the warehouse to the mailbox: files, the simulator, wishes and e-mails, in the page.

import type { Page } from "@playwright/test";
import { violations } from "../support/axe";
import { expect, expectSettled, open, openLab, test } from "../support/fixtures";
import { STYLES } from "../support/server";

const topic = (page: Page, title: string) => page.locator(".topic").filter({ has: page.getByText(title, { exact: true }) });

async function openTopic(page: Page, title: string) {
  await topic(page, title).locator("> summary").click();
  await expect(topic(page, title).locator(".part")).not.toHaveAttribute("aria-busy");
  return topic(page, title);
}

test("a file put into the drop box ends as a rendered e-mail in the mailbox, in both styles", async ({ page, server, forgive }) => {
  // Nothing runs in the frame of an e-mail, and the test's own tools are told so, too.
  forgive(/Blocked script execution/);
  test.setTimeout(120_000);
  await openLab(page, "choreography");
  const files = await openTopic(page, "Files from the warehouse");
  await expect(files.getByText("No files yet.")).toBeVisible();
  const buffer = Buffer.from("sku,quantity\nMUG-RED,5\nNOT A SKU!,1\n");
  await files.getByLabel("Choose a file").setInputFiles({ name: "delivery.csv", mimeType: "text/csv", buffer });
  const file = files.locator('[data-file="delivery.csv"]');
  await expect(file).toHaveAttribute("data-state", "processed", { timeout: 30_000 });
  await expect(file).toContainText("1 good, 1 bad");
  const report = await page.request.get((await file.getByRole("link", { name: "Errors" }).getAttribute("href"))!);
  expect(await report.text()).toMatch(/3,/);
  await expectSettled(page);

  await page.goto("/mailbox");
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  for (const style of STYLES) {
    const row = page.locator(".mail-row").filter({ hasText: style }).first();
    await row.click();
    const letter = page.getByRole("article");
    await expect(letter).toContainText("MUG-RED");
    await expect(letter).toContainText("kept here; no SMTP server is named");
    const frame = letter.frameLocator("iframe");
    await expect(frame.locator("body")).toContainText("available again");
    await expect(frame.getByRole("link", { name: /unsubscribe|no more/i })).toHaveAttribute("href", new RegExp(`/api/${style}/wishlist/unsubscribe/`));
    await letter.getByRole("button", { name: "Source" }).click();
    await expect(letter.getByLabel("Source", { exact: true })).toContainText("Message-ID:");
    expect(await violations(page)).toEqual([]);
    await letter.getByRole("button", { name: "Rendered" }).click();
  }
  expect((await server.emails("choreography")).length).toBe((await server.emails("orchestration")).length);
});

test("the simulator runs exactly as many arrivals as were asked for, into both styles", async ({ page, server }) => {
  await openLab(page, "choreography");
  const simulator = await openTopic(page, "Simulator");
  const before = await server.lastSeq();
  await simulator.getByText("Truck at the gate").click();
  await expect(simulator.getByRole("heading", { name: "Truck at the gate" })).toBeVisible();
  await simulator.getByLabel(/Stop after/).fill("30");
  await simulator.getByLabel(/Stop after/).press("Tab");
  await simulator.getByLabel("Seed").fill("7");
  await simulator.getByLabel("Seed").press("Tab");
  await expect.poll(() => server.get("/api/simulator")).toMatchObject({ count: 30, seed: 7, state: "stopped" });
  await simulator.getByRole("button", { name: "Start" }).click();
  await expect(simulator.locator("[data-simulator]")).toHaveAttribute("data-arrivals", "30", { timeout: 20_000 });
  await expect(simulator.locator("[data-simulator]")).toHaveAttribute("data-simulator", "stopped");
  const { events } = await server.get<{ events: { kind: string; style: string }[] }>(`/api/journal?after=${before}&limit=5000`);
  for (const style of STYLES) {
    expect(events.filter((event) => event.kind === "arrival_received" && event.style === style)).toHaveLength(30);
  }
});

test("a setting that is changed while another is on its way is not lost", async ({ page, server }) => {
  let letGo = () => {};
  const first = new Promise<void>((done) => (letGo = done));
  let asked = 0;
  await page.route("**/api/simulator", async (route) => {
    // How it stands is asked for all the time.
    if (route.request().method() === "GET") return route.continue();
    asked += 1;
    if (asked === 1) await first;
    await route.continue();
  });
  await openLab(page, "choreography");
  const simulator = await openTopic(page, "Simulator");
  await simulator.getByLabel(/Stop after/).fill("30");
  await simulator.getByLabel(/Stop after/).press("Tab");
  await expect.poll(() => asked).toBe(1);
  await simulator.getByLabel("Seed").fill("7");
  await simulator.getByRole("button", { name: "Start" }).click();
  letGo();
  await expect.poll(() => server.get("/api/simulator")).toMatchObject({ count: 30, seed: 7, state: "running" });
  await expect(simulator.getByLabel("Seed")).toHaveValue("7");
});

test("the simulator is slowed by its slider, paused and stopped", async ({ page, server }) => {
  await openLab(page, "choreography");
  const simulator = await openTopic(page, "Simulator");
  await simulator.getByLabel("Arrivals", { exact: true }).fill("0.301");
  await expect.poll(() => server.get("/api/simulator")).toMatchObject({ rate_per_s: 2 });
  await simulator.getByRole("button", { name: "Start" }).click();
  const state = simulator.locator("[data-simulator]");
  await expect(state).toHaveAttribute("data-simulator", "running");
  await simulator.getByRole("button", { name: "Pause" }).click();
  await expect(state).toHaveAttribute("data-simulator", "paused");
  await simulator.getByRole("button", { name: "Stop" }).click();
  await expect(state).toHaveAttribute("data-simulator", "stopped");
});

test("somebody wishes for what is sold out, is told once it is back, and sees its journey", async ({ page, server, forgive }) => {
  forgive(/422/);
  await open(page, "/store");
  await page.getByRole("radio", { name: "Sold out" }).check({ force: true });
  await page.getByLabel("Search products").fill("mug-red");
  const product = page.locator('[data-sku="MUG-RED"].product');
  await expect(page.locator(".product")).toHaveCount(1);
  await product.getByText("Notify me").click();
  const email = product.getByLabel("E-mail");
  await email.fill("nobody");
  await product.getByRole("button", { name: /^Wish for .*orchestration/ }).click();
  await expect(product.getByRole("alert")).toContainText("not an address");
  await expect(email).toHaveAttribute("aria-invalid", "true");
  await email.fill("zoe@example.com");
  await product.getByRole("button", { name: /^Wish for .*orchestration/ }).click();
  await expect(product.getByRole("alert")).toContainText("Noted");
  expect((await server.wishes("orchestration", "MUG-RED")).map((wish) => wish.email)).toContain("zoe@example.com");
  expect((await server.wishes("choreography", "MUG-RED")).map((wish) => wish.email)).not.toContain("zoe@example.com");

  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 4, style: "choreography" });
  await expect(product.locator('.offer[data-style="choreography"]')).toContainText("4 in stock");
  await product.getByRole("link", { name: "See its journey" }).click();
  await expect(page.getByLabel("SKU", { exact: true })).toHaveValue("MUG-RED");
  await expect(page.getByRole("complementary", { name: "Inspector" })).toContainText("MUG-RED");

  await open(page, "/store");
  await page.getByLabel("Search products").fill("no such thing");
  await expect(page.getByText("No product matches")).toBeVisible();
});
