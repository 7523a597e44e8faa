// Buying takes a piece out, and what cannot be bought is said kindly.

import { expect, open, test } from "../support/fixtures";
import { STYLES } from "../support/server";

for (const style of STYLES) {
  test(`buying a piece in the ${style} shop leaves one less for everybody`, async ({ page, server }) => {
    await open(page, "/store");
    await expect(page.locator('main[data-connection="live"]')).toBeAttached();
    const offer = page.locator(`[data-sku="CLOCK-WALL"] .offer[data-style="${style}"]`);
    await expect(offer).toContainText("5 in stock");
    await offer.getByRole("button", { name: /Buy one Wall clock/ }).click();
    await expect(page.getByText(`Bought one Wall clock in the ${style} shop.`)).toBeVisible();
    await expect(offer).toContainText("4 in stock");
    const other = STYLES.find((one) => one !== style)!;
    expect((await server.product(other, "CLOCK-WALL"))?.quantity).toBe(5);
  });
}

test("what is sold out is said so, and the button keeps the focus", async ({ page }) => {
  await open(page, "/store");
  const button = page.getByRole("button", { name: "Buy one Red mug, choreography" });
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/Red mug is sold out/)).toBeVisible();
  await expect(button).toBeFocused();
});

test("a server that refuses is quoted", async ({ page, forgive }) => {
  forgive(/status of 503/);
  await page.route("**/api/sales", (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({ title: "Unavailable", status: 503, detail: "Inventory is being moved." }),
    }),
  );
  await open(page, "/store");
  await page.getByRole("button", { name: "Buy one Wall clock, choreography" }).click();
  await expect(page.getByText("Inventory is being moved.")).toBeVisible();
});

test("what is typed stays, and keeps the focus, while the numbers around it change", async ({ page, server }) => {
  await open(page, "/store");
  await expect(page.locator('main[data-connection="live"]')).toBeAttached();
  const card = page.locator('.product[data-sku="CLOCK-WALL"]');
  await card.getByText("Notify me").click();
  await card.getByLabel("E-mail").pressSequentially("ada@");
  await server.post("/api/arrivals", { sku: "CLOCK-WALL", quantity: 4, style: "choreography" });
  await expect(card.locator('.offer[data-style="choreography"]')).toContainText("9 in stock");
  await expect(card.getByLabel("E-mail")).toBeFocused();
  await page.keyboard.type("example");
  await expect(card.getByLabel("E-mail")).toHaveValue("ada@example");
});
