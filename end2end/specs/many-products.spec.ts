// A store of thousands of products: a page at a time, found by their words, and suggested in the lab.

import { violations } from "../support/axe";
import { expect, open, openLab, test } from "../support/fixtures";

const MANY = 3_000;
const number = (at: number) => String(at).padStart(5, "0");

test.beforeEach(async ({ server }) => {
  const rows = Array.from({ length: MANY }, (_, at) => `BULK-${number(at)},Bulk thing ${number(at)}`);
  const answer = await fetch(`${server.url}/api/products`, {
    method: "POST",
    headers: { "content-type": "text/csv" },
    body: ["sku,name", ...rows].join("\n"),
  });
  expect(answer.ok).toBe(true);
});

test("the store turns pages, and the address says which", async ({ page }) => {
  await open(page, "/store?search=bulk");
  const products = page.getByRole("list", { name: "Products" }).locator(":scope > li");
  const pager = page.getByRole("navigation", { name: "Pages of products" });
  await expect(products).toHaveCount(48);
  await expect(pager).toContainText("Page 1 of 63");
  await expect(pager).toContainText("3000 products");
  await pager.getByRole("link", { name: "Next" }).click();
  await expect(pager).toContainText("Page 2 of 63");
  await expect(products.first()).toContainText("BULK-00048");
  await expect(page).toHaveURL(/search=bulk&page=2$/);
  expect(await violations(page)).toEqual([]);
  await page.reload();
  await expect(products.first()).toContainText("BULK-00048");

  await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
  await page.getByRole("searchbox", { name: "Search products" }).fill("thing 02999");
  await expect(products).toHaveCount(1);
  await expect(products).toContainText("BULK-02999");
  await expect(pager).toHaveCount(0);
  await page.getByRole("searchbox", { name: "Search products" }).fill("no such thing");
  await expect(page.getByText("No product matches.")).toBeVisible();
});

test("the lab suggests what the page has never heard of", async ({ page, server }) => {
  await openLab(page, "choreography");
  const field = page.getByLabel("SKU", { exact: true });
  await field.fill("thing 02999");
  const suggested = page.getByRole("listbox", { name: "Products" }).getByRole("option");
  await expect(suggested).toHaveCount(1);
  await expect(suggested).toContainText("BULK-02999");
  await field.press("ArrowDown");
  await field.press("Enter");
  await expect(field).toHaveValue("BULK-02999");
  await expect(page.getByText("Bulk thing 02999, sold out")).toBeVisible();
  await page.getByRole("button", { name: "Send arrival", exact: true }).click();
  await expect.poll(async () => (await server.product("choreography", "BULK-02999"))?.quantity).toBeGreaterThan(0);
  await expect(page.getByText(/Bulk thing 02999, \d+ for sale/)).toBeVisible();
});
