// The running code beside the picture: what does the step that is shown, with the lines that do it.

import { violations } from "../support/axe";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";

test("the code of each step is shown with the lines that do it, beside the picture", async ({ page, server }) => {
  await openLab(page, "choreography");
  await sendArrival(page, "MUG-RED", 4);
  await expectSettled(page);
  await page.getByRole("tab", { name: "Code" }).click();
  const view = page.getByRole("tabpanel");
  await expect(view.locator(".code-function").first()).toBeVisible();

  // The playhead goes to a step, and the code is that step's.
  const { events } = await server.get<{ events: { seq: number; kind: string; node?: string }[] }>("/api/journal?limit=5000");
  const at = (kind: string, node: string) => events.find((event) => event.kind === kind && event.node === node)!.seq;
  for (const [kind, node, file, marked] of [
    ["published", "inventory", "server/inventory/src/relay.rs", "outlet.send("],
    ["handler_started", "catalog", "server/src/styles/choreography.rs", "Service::Catalog =>"],
    ["http_request", "wishlist", "server/src/styles/choreography.rs", "services.availability.ask("],
    ["state_changed", "catalog", "server/catalog/src/lib.rs", "Kind::StateChanged"],
    ["acked", "inventory", "server/messaging/src/consumer.rs", "Gate::BeforeAck"],
  ]) {
    await page.goto(`/lab/choreography?view=code&at=${at(kind, node)}`);
    const source = view.locator(`[data-source="${file}"]`).first();
    await expect(source.locator("mark").filter({ hasText: marked }).first(), kind).toBeVisible();
    await expect(source.locator("pre > span").first(), "the other lines are not marked").toBeAttached();
  }

  // At 1280 × 800 both are on the screen.
  await page.setViewportSize({ width: 1280, height: 800 });
  const [picture, code] = [await page.locator("#diagram svg").boundingBox(), await view.locator("mark").first().boundingBox()];
  expect(picture!.y + picture!.height).toBeLessThanOrEqual(800);
  expect(code!.y).toBeLessThan(800);
  expect(code!.x).toBeGreaterThan(picture!.x + picture!.width - 1);
  expect(await violations(page)).toEqual([]);

  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
