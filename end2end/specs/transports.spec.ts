// What each system takes and loses, measured on the machine at hand.

import { violations } from "../support/axe";
import { expect, open, test } from "../support/fixtures";

interface Row {
  system: string;
  promise: string;
  reason?: string;
  undisturbed?: { n: number };
  broken: { counts?: { n: number; lost: number; doubled: number } }[];
}

const SIZES = [[1280, 800], [390, 844]] as const;

test.describe.configure({ mode: "parallel" });

test("a measurement tells how far it is and fills its tables, which stay accessible in every theme", async ({ page, context, server }) => {
  test.setTimeout(300_000);
  await open(page, "/transports");
  await expect(page.locator('main[data-measure="never"]')).toBeAttached();
  await expect(page.getByText("Nobody has measured yet.")).toBeVisible();

  await page.getByRole("button", { name: "Measure on this machine" }).click();
  await expect(page.locator('main[data-measure="running"]')).toBeAttached();
  await expect(page.getByText(/^Step \d+ of \d+: /)).toBeVisible();
  await expect(page.getByRole("progressbar", { name: "Progress" })).toBeVisible();
  expect(await violations(page), "while it runs").toEqual([]);

  await expect(page.locator('main[data-measure="done"]')).toBeAttached({ timeout: 240_000 });
  await expect(page.getByText(/^Measured on this machine at /)).toBeVisible();
  const { rows, encodings } = await server.get<{ rows: Row[]; encodings: { encoding: string; bytes: number }[] }>("/api/transports");
  expect(encodings.map((one) => one.encoding)).toEqual(["json", "msgpack", "protobuf"]);
  for (const [at, { bytes }] of encodings.entries()) {
    await expect(page.locator("[data-encoding]").nth(at)).toContainText(String(bytes));
  }
  expect(rows.some((row) => row.undisturbed)).toBe(true);
  const takes = page.getByRole("table").first();
  const losses = page.getByRole("table").nth(1);
  for (const { system, promise, reason, undisturbed, broken } of rows) {
    // The short name leaves the transport that goes without saying out; the mark does not.
    const name = system.includes(".") ? system : `${system}.amqp`;
    const line = takes.locator(`[data-system="${name}"]`);
    if (reason) {
      await expect(line).toContainText(reason);
      continue;
    }
    await expect(line).toContainText(String(undisturbed!.n));
    for (const [at, { counts }] of broken.entries()) {
      const cell = losses.locator(`[data-system="${name}"] td`).nth(at);
      if (counts) await expect(cell).toContainText(`${counts.lost} lost, ${counts.doubled} doubled`);
      if (counts && promise.startsWith("at least once")) expect([name, counts.lost, counts.doubled]).toEqual([name, 0, 0]);
    }
  }

  for (const theme of ["light", "dark", "projector"]) {
    await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await open(page, "/transports");
      await expect(page.locator('main[data-measure="done"]')).toBeAttached();
      expect(await violations(page), `${theme}, ${width} px`).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, `${theme}, ${width} px`).toBeLessThanOrEqual(0);
    }
  }
});

test("it is started and stopped by the keyboard, and what it broke is mended", async ({ page, server }) => {
  await open(page, "/transports");
  const button = page.locator(".measure button");
  await expect(button).toBeEnabled();
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(button).toHaveText("Stop measuring");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^Not finished at .*: it was stopped\.$/)).toBeVisible();
  await expect(button).toHaveText("Measure on this machine");
  await expect(button).toBeFocused();
  for (const style of ["choreography", "orchestration"]) {
    expect((await server.get<{ faults: unknown[] }>(`/api/${style}/faults`)).faults).toEqual([]);
  }
});

test("what keeps it from measuring is said, and a server that goes away too", async ({ page, server, forgive }) => {
  forgive(/409|net::ERR_|Failed to load resource/);
  await server.post("/api/choreography/faults", { kind: "handler_delay", service: "catalog", trigger: { every_nth: 1 }, delay_ms: 10 });
  await open(page, "/transports");
  await page.getByRole("button", { name: "Measure on this machine" }).click();
  await expect(page.getByRole("alert").filter({ hasText: /handler_delay of catalog is set in choreography/i })).toBeVisible();
  await expect(page.locator('main[data-measure="never"]')).toBeAttached();
  await server.stop();
  await expect(page.locator('main[data-connection="reconnecting"]')).toBeAttached({ timeout: 20_000 });
  await expect(page.getByRole("button", { name: "Measure on this machine" })).toBeDisabled();
});

test("each system in it leads to its lab, and the comparison leads there", async ({ page }) => {
  await open(page, "/compare");
  await page.getByRole("link", { name: "Measure transports" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Transports");
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await page.getByRole("table").first().getByRole("link", { name: "Orchestration over AMQP" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Orchestration");
});
