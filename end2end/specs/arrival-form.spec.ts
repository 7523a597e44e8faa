// What the lab's form says to what cannot be.

import { expect, openLab, sendArrival, test } from "../support/fixtures";

test("a quantity out of range is refused with its reason, and nothing changes", async ({ page, server, forgive }) => {
  forgive(/status of 4\d\d/);
  await openLab(page, "choreography");
  const before = await server.product("choreography", "MUG-RED");
  await sendArrival(page, "MUG-RED", 0);
  await expect(page.getByText(/1 (to|and) 1,000,000/).first()).toBeVisible();
  expect(await server.product("choreography", "MUG-RED")).toEqual(before);
});

test("a SKU with a wrong character is refused with its reason", async ({ page, forgive }) => {
  forgive(/status of 4\d\d/);
  await openLab(page, "choreography");
  await sendArrival(page, "MUG RED!", 1);
  await expect(page.getByText(/A-Z 0-9/).first()).toBeVisible();
});
