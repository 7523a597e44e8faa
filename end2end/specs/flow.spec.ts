// The way of an arrival through the three services; on the embedded broker, and on RabbitMQ.

import { expect, expectSettled, open, openLab, sendArrival, seqOf, test } from "../support/fixtures";
import { STYLES } from "../support/server";

const SOLD_OUT = "MUG-RED";

for (const style of STYLES) {
  test.describe(style, () => {
    test("an arrival makes the product available and tells everybody who waited, once", async ({ page, server }) => {
      const waiting = await server.wishes(style, SOLD_OUT);
      expect(waiting.length).toBeGreaterThan(0);
      expect((await server.product(style, SOLD_OUT))?.available).toBe(false);

      await openLab(page, style);
      const before = await seqOf(page);
      await sendArrival(page, SOLD_OUT, 12);
      await expect.poll(() => seqOf(page)).toBeGreaterThan(before);
      await expect.poll(async () => (await server.product(style, SOLD_OUT))?.quantity).toBe(12);
      await expect.poll(async () => (await server.emails(style)).length).toBe(waiting.length);
      await expectSettled(page);
      await expect(page.locator(`[data-queue^="catalog."]`).first()).toHaveAttribute("data-ready", "0");
      await expect(page.locator(`[data-queue^="catalog."]`).first()).toHaveAttribute("data-unacked", "0");

      // The product was available already: nobody is told again.
      await sendArrival(page, SOLD_OUT, 3);
      await expect.poll(async () => (await server.product(style, SOLD_OUT))?.quantity).toBe(15);
      await expectSettled(page);
      const told = (await server.emails(style)).map((email) => email.to).sort();
      expect(told).toEqual(waiting.map((wish) => wish.email).sort());
    });

    test("the store and the mailbox follow while they are open", async ({ page, server, forgive }) => {
      // The e-mail stands in a frame that runs no scripts, not even the test's own.
      forgive(/Blocked script execution/);
      const waiting = await server.wishes(style, SOLD_OUT);
      await open(page, "/store");
      const offer = page.locator(`[data-sku="${SOLD_OUT}"] .offer[data-style="${style}"]`);
      await expect(offer).toContainText("sold out");
      await expect(page.locator('main[data-connection="live"]')).toBeAttached();
      await server.post("/api/arrivals", { sku: SOLD_OUT, quantity: 5, style });
      await expect(offer).toContainText("5 in stock");

      await page.getByRole("link", { name: "Mailbox" }).click();
      const letters = page.getByRole("list", { name: /E-mails/ }).getByRole("listitem");
      await expect(letters).toHaveCount(waiting.length);
      await letters.first().getByRole("link").click();
      await expect(page.getByRole("article")).toContainText(SOLD_OUT);
    });
  });
}

test("one request for both styles reaches both, and neither disturbs the other", async ({ server }) => {
  await server.post("/api/arrivals", { sku: SOLD_OUT, quantity: 7, style: "both" });
  for (const style of STYLES) {
    const waiting = await server.wishes(style, SOLD_OUT);
    await expect.poll(async () => (await server.product(style, SOLD_OUT))?.quantity).toBe(7);
    await expect.poll(async () => (await server.emails(style)).length).toBe(waiting.length);
  }
});
