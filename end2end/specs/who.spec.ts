// Several people at one system: who holds it, who broke what, and how a lost message is healed.

import type { Browser, Page } from "@playwright/test";
import { violations } from "../support/axe";
import { expect, expectSettled, open, openLab, sendArrival, test } from "../support/fixtures";
import type { Server } from "../support/server";

const room = (page: Page) => page.getByRole("region", { name: "Control room" });
const banner = (page: Page) => page.locator(".hold-banner");

/** A browser of somebody else's. */
async function another(browser: Browser, server: Server) {
  return (await browser.newContext({ baseURL: server.url })).newPage();
}

/** What says who calls the API. */
const by = (name: string) => ({
  headers: { "content-type": "application/json", "x-skuflow-actor": name },
});

test("who holds a system is told on every page, and to end another's hold is asked first", async ({ page, browser, server }) => {
  await openLab(page, "orchestration");
  await room(page).getByLabel("Your name").fill("Ada");
  await room(page).getByLabel("Your name").blur();
  await room(page).getByRole("button", { name: "Hold everything" }).click();
  await expect(banner(page)).toContainText("Orchestration is held by you since ");
  expect(await violations(page)).toEqual([]);

  const theirs = await another(browser, server);
  for (const path of ["/lab/choreography", "/store", "/mailbox", "/compare", "/lab/orchestration"]) {
    await open(theirs, path);
    await expect(banner(theirs), path).toContainText(/Orchestration is held by Ada since \d\d:\d\d UTC \(.+\)\. It opens by itself at \d\d:\d\d UTC\./);
  }
  await expect(room(theirs).getByText("The real system is held by Ada.")).toBeVisible();
  await expect(room(theirs).getByText("only the head of the queue can be held")).toBeVisible();

  // Whoever says no changes nothing.
  const asked: string[] = [];
  theirs.once("dialog", (dialog) => (asked.push(dialog.message()), dialog.dismiss()));
  await room(theirs).getByRole("button", { name: "Open all" }).click();
  await expect.poll(() => asked).toEqual(["Ada holds the system. Open it all the same?"]);
  await expect(banner(page)).toBeVisible();

  theirs.once("dialog", (dialog) => dialog.accept());
  await room(theirs).getByRole("button", { name: "Open all" }).click();
  await expect(banner(page)).toBeHidden();
  await expect(banner(theirs)).toBeHidden();
  await expect(page.locator(".log-row", { hasText: "Hold ended: all gates are open, by somebody at another browser" })).toBeVisible();
  await expect(theirs.locator(".log-row", { hasText: "Hold ended: all gates are open, by you" })).toBeVisible();
  await expect(theirs.locator(".log-row", { hasText: /gates are closed, by Ada/ })).toBeVisible();
  await theirs.context().close();
});

test("a name is kept, and what would spoil the words around it is left out", async ({ page, server }) => {
  await openLab(page, "choreography");
  await room(page).getByLabel("Your name").fill("  Grüße \u202eadA  ");
  await room(page).getByLabel("Your name").blur();
  await page.reload();
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
  await expect(room(page).getByLabel("Your name")).toHaveValue("Grüße adA");
  await room(page).getByRole("button", { name: "Hold everything" }).click();
  await expect(banner(page)).toBeVisible();
  const { hold } = await server.get<{ hold: { by: string; by_id: string } }>("/api/choreography/gates");
  expect(hold.by).toBe("Grüße adA");
  expect(hold.by_id).toMatch(/^[0-9a-f]{32}$/);
});

test("the log names whose consumer was stopped, and by whom", async ({ page, server }) => {
  await openLab(page, "choreography");
  const body = JSON.stringify({ faults: [{ kind: "consumer_stopped", service: "catalog" }] });
  const answer = await fetch(`${server.url}/api/choreography/faults`, { method: "PUT", body, ...by("Ada") });
  expect(answer.ok).toBe(true);
  await expect(page.locator(".log-row", { hasText: "Broken on purpose in Catalog: consumer stopped, by Ada" })).toBeVisible();
});

test("what a lost message left undone is healed with one click", async ({ page, server }) => {
  await openLab(page, "choreography");
  const set = (faults: unknown[]) =>
    fetch(`${server.url}/api/choreography/faults`, { method: "PUT", body: JSON.stringify({ faults }), ...by("Ada") });
  await set([{ kind: "queue_unbound", service: "catalog" }]);
  await expect(page.locator('.diagram [data-fault~="queue_unbound"]')).toBeAttached();
  await sendArrival(page, "MUG-RED", 4);
  await expect(page.locator('.meter[data-disagreeing="1"]')).toBeVisible();
  await set([]);
  await page.getByText("No message on its way will fix it").click();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Announce again: MUG-RED" }).click();
  await expectSettled(page);
  await expect(page.locator(".meter")).toContainText("All agree");
  expect(await server.product("choreography", "MUG-RED")).toMatchObject({ quantity: 4 });
  await expect(page.locator(".log-row", { hasText: /Inventory announces version \d+ again, by you/ })).toBeVisible();
});

test("a message that comes twice is said to be known at its card and in the log", async ({ page, server }) => {
  await openLab(page, "choreography");
  const body = JSON.stringify({ faults: [{ kind: "published_twice", service: "inventory", trigger: "next" }] });
  await fetch(`${server.url}/api/choreography/faults`, { method: "PUT", body, ...by("Ada") });
  await sendArrival(page, "MUG-RED", 2);
  await expectSettled(page);
  await expect(page.locator('.diagram [data-node="catalog"]')).toContainText("ignored a duplicate");
  await expect(page.locator(".log-row", { hasText: "Catalog knew the message already and ignored it" })).toBeVisible();
});
