// What stays: over a reload, without scripts, over a change of theme.

import { expect, expectSettled, open, openLab, test } from "../support/fixtures";

const ARRIVAL = { sku: "LAMP-ARC", quantity: 4, style: "choreography" };

test("a reload shows the same state", async ({ page, server }) => {
  await openLab(page, "choreography");
  await server.post("/api/arrivals", ARRIVAL);
  await expect.poll(async () => (await server.product("choreography", "LAMP-ARC"))?.quantity).toBe(4);
  await expectSettled(page);
  const catalog = page.locator('[data-node="catalog"]').first();
  await expect(catalog).not.toHaveText("");
  const before = await catalog.getAttribute("data-state");
  await page.reload();
  await expectSettled(page);
  await expect(catalog).toHaveAttribute("data-state", before ?? "");
});

test("without scripts the pages show what is true, and their controls are off", async ({ browser, server }) => {
  await server.post("/api/arrivals", ARRIVAL);
  await expect.poll(async () => (await server.product("choreography", "LAMP-ARC"))?.quantity).toBe(4);
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
  const page = await context.newPage();
  await page.goto("/store");
  const offer = page.locator('[data-sku="LAMP-ARC"] [data-style="choreography"]');
  await expect(offer).toContainText("4 in stock");
  await expect(offer.getByRole("button")).toBeDisabled();
  await page.goto("/lab/choreography");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("button", { name: "Send arrival", exact: true })).toBeDisabled();
  // By their classes: Playwright looks for no text in a noscript element.
  await expect(page.locator(".no-script")).toBeVisible();
  await expect(page.locator(".no-script")).toContainText("JavaScript is off.");
  await expect(page.locator(".no-script-log li", { hasText: "Wishlist acked" }).first()).toBeVisible();
  await expect(page.getByText("Connecting")).toBeHidden();
  await expect(page.getByText("Nothing has happened yet.")).toBeHidden();
  await context.close();
});

test("the chosen theme comes with the next page, already in its first paint", async ({ page }) => {
  await open(page, "/");
  const html = page.locator("html");
  await expect(html).toHaveAttribute("data-theme", "system");
  for (const theme of ["light", "dark"]) {
    await page.getByRole("button", { name: /^Theme/ }).click();
    await expect(html).toHaveAttribute("data-theme", theme);
  }
  const answer = await page.request.get("/store");
  expect(await answer.text()).toMatch(/<html[^>]*data-theme="dark"/);
});
