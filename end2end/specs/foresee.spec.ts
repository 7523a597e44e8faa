// The simulator: what both styles would do, by the model, and how far the real system agrees.

import { spawnSync } from "node:child_process";
import { violations } from "../support/axe";
import { expect, open, test } from "../support/fixtures";
import type { Page } from "@playwright/test";

const field = (page: Page, name: string) => page.getByLabel(name, { exact: true });
const row = (page: Page, name: string) => page.getByRole("row", { name: new RegExp(`^${name}`) }).first();

async function simulate(page: Page, name: string, value: number) {
  await field(page, name).fill(String(value));
  await page.getByRole("button", { name: "Simulate" }).click();
  await expect(field(page, name)).toHaveValue(String(value));
}

test("what is set changes what is foreseen, beyond what it can take it says by how much it grows, and nonsense is named", async ({ page }) => {
  await open(page, "/transports");
  await page.getByRole("link", { name: "Foresee it" }).click();
  await expect(row(page, "Does it keep up")).toContainText("It keeps up.");
  const before = await row(page, "Run").textContent();
  await simulate(page, "Seed", 7);
  expect(await row(page, "Run").textContent()).not.toBe(before);
  await simulate(page, "Seed", 1);
  expect(await row(page, "Run").textContent(), "the same seed gives the same run").toBe(before);
  await simulate(page, "Arrivals a second", 900);
  await expect(row(page, "Does it keep up")).toContainText(/Unstable: what waits grows by \d+ arrivals a second/);
  await expect(row(page, "p99")).toContainText("grows");
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.goto("/foresee?rate=-1&workers=many");
  await expect(page.getByRole("alert")).toHaveText([/^Arrivals a second: "-1" .* use 1 to 100000\./, /^Workers of each: "many"/]);
});

test("the page foresees the same run as the program, byte for byte", async ({ page }) => {
  await open(page, "/foresee");
  const told = spawnSync(process.env.SKUFLOW_BIN ?? "../target/release/skuflow", ["simulate", "--count", "4000", "--json"], { encoding: "utf8" });
  expect(told.status, told.stderr).toBe(0);
  const digests = [...told.stdout.matchAll(/"digest": "([0-9a-f]{16})"/g)].map((match) => match[1]);
  expect(digests).toHaveLength(2);
  for (const digest of digests) await expect(row(page, "Run")).toContainText(digest);
});

test("the model learns from the running system and is held against it, with its error as a number", async ({ page, server }) => {
  await open(page, "/foresee?learn=orchestration");
  await expect(page.getByRole("alert")).toContainText("The journal has no arrivals of that style that were handled");
  for (let n = 0; n < 30; n++) await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 1, style: "choreography" });
  await expect.poll(async () => (await server.get<{ name: string; ready: number; unacked: number }[]>("/api/queues")).every((queue) => queue.ready + queue.unacked === 0)).toBe(true);
  await page.getByRole("button", { name: "Learn from choreography" }).click();
  const held = page.locator('[data-held="choreography"]');
  await expect(held).toBeVisible();
  for (const name of ["p50", "p99", "Arrivals"]) await expect(held.getByRole("row", { name: new RegExp(`^${name}`) })).toContainText(/[+-]\d+ %/);
  await expect(page.getByText(/Learned from 30 arrivals: handlers' own work .* ± .* \(n = \d+\)/)).toBeVisible();
});
