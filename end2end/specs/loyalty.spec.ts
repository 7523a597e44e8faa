// A fourth service slides into the picture when it joins, and out again when it leaves.

import { violations } from "../support/axe";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";
import type { Server } from "../support/server";

async function put(server: Server, style: string, body: unknown) {
  const answer = await fetch(`${server.url}/api/${style}/loyalty`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

const QUEUES = { choreography: "loyalty.sku_processed", orchestration: "loyalty.add_loyalty_points" };

for (const style of ["choreography", "orchestration"] as const) {
  test(`${style}: Loyalty has a card, a queue and a line from when it joins until it leaves`, async ({ page, server }) => {
    await openLab(page, style);
    const card = page.locator(`[data-node="loyalty"]`);
    const queue = page.locator(`[data-queue="${QUEUES[style]}"]`);
    const three = await page.locator(".diagram").getAttribute("viewBox");
    await expect(card).toHaveCount(0);
    await expect(queue).toHaveCount(0);

    await put(server, style, { joined: true });
    await expect(card.first()).toBeVisible();
    await expect(queue.first()).toBeVisible();
    await expect(page.locator(`[data-edge="route:${QUEUES[style]}"]`).first()).toBeAttached();
    await expect(page.locator(`[data-edge="http:loyalty"]`)).toHaveCount(style === "choreography" ? 1 : 0);
    if (style === "orchestration") await put(server, style, { joined: true, applied: true });
    await sendArrival(page, "MUG-RED", 5);
    await expectSettled(page);
    await expect(card.first()).toContainText("10");
    expect(await violations(page)).toEqual([]);

    await card.first().click();
    const inspector = page.locator(".inspector-body");
    await expect(inspector).toContainText("Loyalty");
    await expect(inspector).toContainText("10 points");

    // Who comes later sees the same, from the server's first paint on.
    await page.reload();
    await expect(card.first()).toBeVisible();

    await put(server, style, { joined: false });
    await expect(card).toHaveCount(0);
    await expect(queue).toHaveCount(0);
    await expect(page.locator(".diagram")).toHaveAttribute("viewBox", three ?? "");
    await sendArrival(page, "MUG-RED", 5);
    await expectSettled(page);
  });
}
