// The stream of events breaks; nothing may be missing afterwards.

import { expect, expectSettled, openLab, seqOf, test } from "../support/fixtures";
import { Proxy } from "../support/proxy";

// The browser says so itself when a connection breaks.
const BROKEN = /net::ERR_|Failed to load resource/;

test("a dropped stream goes on where it stopped", async ({ page, server, forgive }) => {
  forgive(BROKEN);
  const proxy = new Proxy(server.address);
  const url = await proxy.start();
  try {
    await page.goto(`${url}/lab/choreography`);
    await expect(page.locator('main[data-connection="live"]')).toBeAttached();
    const before = await seqOf(page);

    proxy.cut();
    await expect(page.locator('main[data-connection="reconnecting"]')).toBeAttached();
    await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 9, style: "choreography" });
    await expect.poll(async () => (await server.product("choreography", "MUG-RED"))?.quantity).toBe(9);
    expect(await seqOf(page)).toBe(before);

    proxy.mend();
    await expect(page.locator('main[data-connection="live"]')).toBeAttached({ timeout: 20_000 });
    await expect.poll(() => seqOf(page)).toBe(await server.lastSeq());
    await expectSettled(page);
  } finally {
    await proxy.stop();
  }
});

test("a restarted server is found again, and nothing is lost", async ({ page, server, forgive }) => {
  forgive(BROKEN);
  await openLab(page, "orchestration");
  await server.stop("SIGKILL");
  await expect(page.locator('main[data-connection="reconnecting"]')).toBeAttached();
  await server.start();
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 2, style: "orchestration" });
  await expect(page.locator('main[data-connection="live"]')).toBeAttached({ timeout: 20_000 });
  await expect.poll(async () => (await server.product("orchestration", "MUG-RED"))?.quantity).toBe(2);
  await expect.poll(() => seqOf(page)).toBe(await server.lastSeq());
  await expectSettled(page);
});
