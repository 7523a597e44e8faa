// Everything without a mouse.

import { expect, expectSettled, open, openLab, test } from "../support/fixtures";

test("the first key press offers the way past the header", async ({ page }) => {
  await open(page, "/store");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
});

test("an arrival is sent from the keyboard alone", async ({ page, server }) => {
  await openLab(page, "choreography");
  await page.getByLabel("SKU", { exact: true }).focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("MUG-RED");
  await page.getByLabel("Quantity", { exact: true }).focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("6");
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await server.product("choreography", "MUG-RED"))?.quantity).toBe(6);
  await expectSettled(page);
});

test("help opens and closes from the keyboard, and the focus comes back", async ({ page }) => {
  await open(page, "/");
  const help = page.getByRole("button", { name: "How to read the picture" });
  await help.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeHidden();
  await expect(help).toBeFocused();
});
