// What holds for every page: no complaints, accessible in each theme, and no sideways scroll.

import { violations } from "../support/axe";
import { expect, open, test } from "../support/fixtures";

const PAGES = ["/", "/lab/choreography", "/lab/orchestration", "/store", "/mailbox", "/transports", "/learn"];
const THEMES = ["light", "dark", "projector"] as const;

for (const path of [...PAGES, "/nowhere"]) {
  test(`${path} is accessible in every theme`, async ({ page, context, server, forgive }) => {
    if (path === "/nowhere") forgive(/status of 404/);
    await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "both" });
    await expect.poll(async () => (await server.emails("choreography")).length).toBeGreaterThan(0);
    for (const theme of THEMES) {
      await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
      await open(page, path);
      await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
      expect(await violations(page), theme).toEqual([]);
    }
  });

  test(`${path} never scrolls sideways`, async ({ page, context, server, forgive }) => {
    if (path === "/nowhere") forgive(/status of 404/);
    await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "both" });
    for (const [width, theme] of [[320, "light"], [320, "projector"], [390, "light"], [768, "light"], [1920, "projector"]] as const) {
      await page.setViewportSize({ width, height: 800 });
      await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
      await open(page, path);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `at ${width} px, ${theme}`).toBeLessThanOrEqual(0);
    }
  });
}

test("an open e-mail is accessible, and on a small screen it takes the list's place", async ({ page, server, forgive }) => {
  // Nothing runs in the frame of an e-mail, not even what looks at pages for a test.
  forgive(/Blocked script execution/);
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "orchestration" });
  await expect.poll(async () => (await server.emails("orchestration")).length).toBeGreaterThan(0);
  await page.setViewportSize({ width: 390, height: 800 });
  await open(page, "/mailbox");
  await page.getByRole("list", { name: /E-mails/ }).getByRole("link").first().click();
  await expect(page.getByRole("article")).toContainText("example.com");
  await expect(page.getByRole("list", { name: /E-mails/ })).toBeHidden();
  await page.getByRole("button", { name: "Source" }).click();
  await expect(page.getByLabel("Source", { exact: true })).toContainText("Message-ID");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("link", { name: "All e-mails" }).click();
  await expect(page.getByRole("list", { name: /E-mails/ })).toBeVisible();
});

test("the system's dark theme is followed without a choice of one's own", async ({ page }) => {
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "/");
  const light = await paper();
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await paper()).not.toBe(light);
});

test("nothing in the pages needs inline styles, and their scripts bear a nonce", async ({ page }) => {
  for (const path of PAGES) {
    const html = await (await page.request.get(path)).text();
    expect(html, path).not.toMatch(/\sstyle=|\son[a-z]+="/);
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) expect(tag, path).toContain("nonce=");
  }
});

test("pages are reached by links, and each says where the reader is", async ({ page }) => {
  await open(page, "/");
  const pages = page.getByRole("navigation", { name: "Pages" });
  for (const [link, title] of [["Store", "Store"], ["Mailbox", "Mailbox"], ["Lab", "Choreography"]] as const) {
    await pages.getByRole("link", { name: link }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
    await expect(pages.getByRole("link", { name: link })).toHaveAttribute("aria-current", "page");
    await expect(page.locator("html[data-hydrated]")).toBeAttached();
  }
});
