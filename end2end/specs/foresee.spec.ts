// The simulator: what both styles would do, by the model, and how far the real system agrees.

import { spawnSync } from "node:child_process";
import { violations } from "../support/axe";
import { expect, open, test } from "../support/fixtures";
import type { Page } from "@playwright/test";

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const row = (page: Page, name: string) => page.getByRole("row", { name: new RegExp(`^${name}`) }).first();
const done = (page: Page) => expect(page.locator('main[data-working="false"]')).toBeAttached({ timeout: 60_000 });

async function set(page: Page, name: string, value: number) {
  await field(page, name).fill(String(value));
  await field(page, name).blur();
  await expect(page.locator('main[data-working="true"]')).toBeAttached();
  await done(page);
}

test("what is set changes what is foreseen, and beyond what it can take it says by how much it grows", async ({ page }) => {
  await open(page, "/foresee");
  await done(page);
  await expect(row(page, "Does it keep up")).toContainText("It keeps up.");
  const before = await row(page, "Run").textContent();
  await set(page, "Seed", 7);
  expect(await row(page, "Run").textContent()).not.toBe(before);
  await set(page, "Seed", 1);
  expect(await row(page, "Run").textContent(), "the same seed gives the same run").toBe(before);

  await set(page, "Arrivals a second", 900);
  await expect(row(page, "Does it keep up")).toContainText(/Unstable: what waits grows by \d+ arrivals a second/);
  await expect(row(page, "p99")).toContainText("grows");
  await field(page, "Arrivals a second").fill("100000");
  await field(page, "Arrivals a second").blur();
  await expect(page.getByRole("alert")).toHaveText("Arrivals a second: use 1 to 1000.");
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test("a browser foresees the same run as the program, byte for byte", async ({ page }) => {
  await open(page, "/foresee");
  await done(page);
  const told = spawnSync(process.env.SKUFLOW_BIN ?? "../target/release/skuflow", ["simulate", "--arrivals", "4000", "--json"], { encoding: "utf8" });
  expect(told.status, told.stderr).toBe(0);
  const digests = [...told.stdout.matchAll(/"digest": "([0-9a-f]{16})"/g)].map((match) => match[1]);
  expect(digests).toHaveLength(2);
  for (const digest of digests) await expect(row(page, "Run")).toContainText(digest);
});

test("the model is held against the real system, with its error as a number", async ({ page, server }) => {
  await open(page, "/foresee");
  await done(page);
  await set(page, "Arrivals a second", 20);
  await page.getByRole("button", { name: "Run choreography for real" }).click();
  const held = page.locator('[data-held="choreography"]');
  await expect(held).toBeVisible({ timeout: 40_000 });
  await expect(held).toContainText("100 real arrivals");
  for (const name of ["p50", "p99", "Arrivals"]) await expect(held.getByRole("row", { name: new RegExp(`^${name}`) })).toContainText(/[+-]\d+ %/);
  await expect(page.getByText(/Learned from 100 arrivals: handlers' own work .* ± .* \(n = \d+\)/)).toBeVisible();
  const stock = await server.get<{ sku: string; on_hand: number }[]>("/api/choreography/inventory/skus");
  expect(stock.find((one) => one.sku === "MUG-RED")!.on_hand, "they were real").toBe(100);
});
