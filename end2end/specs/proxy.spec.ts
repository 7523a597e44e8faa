// Behind a proxy: what a browser says of itself there, what it is told, and that everything works once the server knows.

import { expect, open, sendArrival, seqOf, test } from "../support/fixtures";
import { Proxy } from "../support/proxy";
import { Relay } from "../support/relay";
import { Server } from "../support/server";

test("a page that is asked for by a name nobody told the server of says what to set", async ({ page, server, forgive }) => {
  forgive(/status of 421/);
  const proxy = new Proxy(server.address);
  const port = new URL(await proxy.start()).port;
  await page.goto(`http://lab.localhost:${port}/lab/choreography`);
  await expect(page.getByRole("heading", { name: "Not answered at this address" })).toBeVisible();
  await expect(page.getByText(`skuflow serve --public-url http://lab.localhost:${port}/`, { exact: true })).toBeVisible();
  await proxy.stop();
});

test("a click that is refused says what to set, and with that setting it is taken", async ({ page, broker, server, forgive }) => {
  forgive(/status of 403/);
  let address = server.address;
  const relay = new Relay(() => address);
  await relay.start();
  await open(page, `${relay.url}/lab/choreography`);
  await sendArrival(page, "MUG-RED", 3);
  await expect(page.getByRole("alert").filter({ hasText: `--public-url ${relay.url}/` })).toBeVisible();

  const told = new Server(broker, ["--public-url", `${relay.url}/`]);
  try {
    await told.start();
    address = told.address;
    await open(page, `${relay.url}/lab/choreography`);
    await sendArrival(page, "MUG-RED", 3);
    await expect.poll(async () => (await told.product("choreography", "MUG-RED"))?.quantity).toBe(3);
    expect((await server.product("choreography", "MUG-RED"))?.quantity).toBe(0);
  } finally {
    // The page must not see its stream break off.
    await page.goto("about:blank");
    await told.stop();
    told.discard();
    await relay.stop();
  }
});

test("a page behind a proxy comes back by itself when the server does", async ({ page, server, forgive }) => {
  forgive(/status of 502|ERR_INCOMPLETE_CHUNKED_ENCODING/);
  const relay = new Relay(() => server.address);
  await relay.start();
  await open(page, `${relay.url}/lab/choreography`);
  await expect(page.locator('main[data-connection="live"]')).toBeAttached();
  const refused = page.waitForResponse((answer) => answer.url().includes("/api/journal/stream") && answer.status() === 502);
  await server.stop();
  await refused;
  await server.start();
  await expect(page.locator('main[data-connection="live"]')).toBeAttached({ timeout: 30_000 });
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "choreography" });
  await expect.poll(async () => (await server.product("choreography", "MUG-RED"))?.quantity).toBe(3);
  await expect.poll(() => seqOf(page)).toBe(await server.lastSeq());
  await page.goto("about:blank");
  await relay.stop();
});

for (const policy of ["as the server sends it", "no-referrer"]) {
  test(`who gets an e-mail can hear no more by its link, with a referrer policy ${policy}`, async ({ page, server, forgive }) => {
    // Nothing runs in the frame of an e-mail, and the test's own tools are told so, too.
    forgive(/Blocked script execution/);
    const waiting = async () => (await server.wishes("choreography", "BRAND-NEW")).length;
    await server.post("/api/choreography/wishlist/wishes", { email: "zoe@example.com", sku: "BRAND-NEW" });
    await server.post("/api/arrivals", { sku: "BRAND-NEW", quantity: 3, style: "choreography" });
    await expect.poll(async () => (await server.emails("choreography")).length).toBe(1);
    const origins: (string | undefined)[] = [];
    await page.context().route("**/unsubscribe/*", async (route) => {
      if (route.request().method() === "POST") return route.continue();
      const answer = await route.fetch();
      const headers = answer.headers();
      // With this one, browsers send `Origin: null`.
      if (policy === "no-referrer") headers["referrer-policy"] = policy;
      await route.fulfill({ response: answer, headers });
    });
    page.context().on("request", async (request) => {
      if (request.method() === "POST") origins.push((await request.allHeaders()).origin);
    });

    await open(page, "/mailbox");
    await page.locator(".mail-row").first().click();
    const opened = page.context().waitForEvent("page");
    await page.getByRole("article").frameLocator("iframe").getByRole("link", { name: /no more/i }).click();
    const form = await opened;
    await expect(form.getByText("zoe@example.com waits for BRAND-NEW.")).toBeVisible();
    expect(await waiting()).toBe(1);
    await form.getByRole("button", { name: "Hear no more of BRAND-NEW" }).click();
    await expect(form.getByText("zoe@example.com will hear no more of BRAND-NEW.")).toBeVisible();
    expect(await waiting()).toBe(0);
    expect(origins).toEqual([policy === "no-referrer" ? "null" : server.url]);
  });
}
