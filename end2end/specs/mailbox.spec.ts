// What became of an e-mail by SMTP, on the page: with a server that takes some and will never take others.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { violations } from "../support/axe";
import { expect, open, test as base } from "../support/fixtures";

const PYTHON = process.env.SKUFLOW_TEST_PYTHON;
const SMTP_SERVER = resolve(import.meta.dirname, "../../server/tests/clients/smtp_server.py");

const test = base.extend({
  flags: async ({}, use) => {
    const smtp = spawn(PYTHON!, [SMTP_SERVER, "PLAIN"], { stdio: ["ignore", "pipe", "ignore"] });
    const [port] = await once(createInterface({ input: smtp.stdout }), "line");
    await use(["--smtp", `smtp://127.0.0.1:${port}`]);
    smtp.kill();
  },
});

test.skip(!PYTHON, "SKUFLOW_TEST_PYTHON names no Python with aiosmtpd");

test("the mailbox says by itself what was sent, what waits and what cannot be sent, and why", async ({ page, context, server, forgive }) => {
  // Nothing runs in the frame of an e-mail, not even what looks at pages for a test.
  forgive(/Blocked script execution/);
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, "/mailbox");
  for (const email of ["zoë@example.com", "later@example.com", "never@example.com", "ada@example.com"]) {
    await server.post("/api/choreography/wishlist/wishes", { email, sku: "BRAND-NEW" });
  }
  await server.post("/api/arrivals", { sku: "BRAND-NEW", quantity: 3, style: "choreography" });
  const row = (email: string) => page.getByRole("listitem").filter({ hasText: email });
  await expect(row("ada@")).toContainText("Sent");
  await expect(row("never@")).toContainText("Waits");
  await expect(row("zoë@")).toContainText("Not sendable");
  // It is put off once; the journal does not tell of it.
  await expect(row("later@")).toContainText("Sent");
  await expect(page.getByRole("status").filter({ hasText: "e-mails" })).toHaveText("4 e-mails, 1 not sendable");

  await row("never@").getByRole("link").click();
  const letter = page.getByRole("article");
  await expect(letter).toContainText("451 4.7.1 not today");
  await expect(letter).toContainText(/Tried \d+ times?; again at/);
  await page.getByRole("link", { name: "All e-mails" }).click();

  await row("zoë@").getByRole("link").click();
  const reason = letter.getByText("does not offer SMTPUTF8");
  for (const theme of ["light", "dark", "projector"]) {
    await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
    await page.reload();
    await expect(reason).toBeInViewport({ ratio: 1 });
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
    expect(await violations(page), theme).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), theme).toBeLessThanOrEqual(390);
  }
});
