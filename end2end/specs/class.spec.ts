// A class: a presenter and two followers, each in a browser of their own.

import type { Browser, Page } from "@playwright/test";
import { violations } from "../support/axe";
import { expect, open, openLab, sendArrival, test } from "../support/fixtures";

async function startClass(page: Page) {
  await open(page, "/class");
  await page.getByRole("button", { name: "Start a class" }).click();
  await page.waitForURL(/\/class\/[A-Z]{6}$/);
  await expect(page.locator(".class-letters")).toHaveText(/^[A-Z]{6}$/);
  return (await page.locator(".class-letters").textContent())!;
}

async function follower(browser: Browser, baseURL: string, code: string) {
  const context = await browser.newContext({ baseURL });
  const page = await context.newPage();
  await page.goto(`/class/${code}`);
  return page;
}

const bar = (page: Page) => page.getByRole("complementary", { name: "Class" });

test("followers are where the presenter is, may explore and come back, and change nothing", async ({ page, browser, baseURL, server, forgive }) => {
  forgive(/403/);
  const code = await startClass(page);
  const qr = page.getByRole("img", { name: /QR code/ });
  await expect.poll(() => qr.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(100);
  await openLab(page, "orchestration");
  await expect(bar(page)).toContainText(`/class/${code}`);

  const [ada, bob] = [await follower(browser, baseURL!, code), await follower(browser, baseURL!, code.toLowerCase())];
  for (const one of [ada, bob]) {
    await expect(one).toHaveURL(/\/lab\/orchestration/);
    await expect(bar(one)).toContainText("You follow the presenter.");
  }
  await expect(bar(page)).toContainText("2 here");

  // What the presenter selects and where the playhead stands, the followers see.
  await sendArrival(page, "MUG-RED", 3);
  await expect(page.locator('main[data-settled="true"]')).toBeAttached();
  await page.getByRole("button", { name: "Pause the view" }).click();
  await page.keyboard.press("ArrowLeft");
  await expect(page).toHaveURL(/at=\d+/);
  const seq = (await page.locator("main").getAttribute("data-seq"))!;
  for (const one of [ada, bob]) await expect(one.locator("main")).toHaveAttribute("data-seq", seq);

  // One explores, and is not led any more; the other is.
  await bar(bob).getByRole("button", { name: "Explore on your own" }).click();
  await page.goto("/compare");
  await expect(ada).toHaveURL(/\/compare/);
  await expect(bob).toHaveURL(/\/lab\/orchestration/);
  await bar(bob).getByRole("button", { name: "Back to the class" }).click();
  await expect(bob).toHaveURL(/\/compare/);

  // A follower's click is refused with the reason, and changes nothing.
  await openLab(page, "choreography");
  await expect(ada).toHaveURL(/\/lab\/choreography/);
  await expect(ada.locator("html[data-hydrated]")).toBeAttached();
  const before = (await server.get<{ last: number }>("/api/journal?after=0&limit=1")).last;
  await sendArrival(ada, "MUG-BLUE", 5);
  await expect(ada.getByText(/only its presenter changes anything/).first()).toBeVisible();
  const { events } = await server.get<{ events: { kind: string; sku?: string }[] }>(`/api/journal?after=${before}&limit=5000`);
  expect(events.filter((event) => event.sku === "MUG-BLUE")).toEqual([]);
  await page.goto(`/class/${code}`);
  await page.getByRole("button", { name: "Let followers send arrivals" }).click();
  await expect(bar(ada)).toContainText("may send arrivals");
  await sendArrival(ada, "MUG-BLUE", 5);
  await expect.poll(async () => (await server.get<{ events: { sku?: string }[] }>(`/api/journal?after=${before}&limit=5000`)).events.some((event) => event.sku === "MUG-BLUE")).toBe(true);
});

test("the room votes unseen, sees the tally once it is revealed, and votes again", async ({ page, browser, baseURL }) => {
  const code = await startClass(page);
  await page.getByLabel("Question").fill("How many messages does one arrival take?");
  await page.getByLabel("Answers, one a line").fill("one\nthree");
  await page.getByRole("button", { name: "Ask the room" }).click();
  const followers = [await follower(browser, baseURL!, code), await follower(browser, baseURL!, code)];
  for (const one of followers) {
    await expect(bar(one)).toBeVisible();
    await bar(one).getByRole("radio", { name: "one" }).check();
  }
  const desk = page.getByRole("region", { name: "Question to the class" });
  await expect(desk).toContainText("2 votes, hidden until the presenter reveals them.");
  await expect(followers[0].getByText("100 %")).toBeHidden();
  await page.getByRole("button", { name: "Reveal the tally" }).click();
  await expect(bar(followers[0])).toContainText("2 · 100 %");
  await page.getByRole("button", { name: "Vote again" }).click();
  await bar(followers[0]).getByRole("radio", { name: "three" }).check();
  await bar(followers[1]).getByRole("radio", { name: "one" }).check();
  await expect(desk).toContainText("2 votes");
  await page.getByRole("button", { name: "Reveal the tally" }).click();
  // Both votes stand side by side.
  const rows = bar(followers[1]).getByRole("listitem");
  await expect(rows.nth(0)).toHaveText(/2 · 100 %\s*1 · 50 %/);
  await expect(rows.nth(1)).toHaveText(/0 · 0 %\s*1 · 50 %/);
  expect(await violations(page)).toEqual([]);
  expect(await violations(followers[0])).toEqual([]);
});

test("an unknown code says so, and the end of a class is told to everybody", async ({ page, browser, baseURL, forgive }) => {
  forgive(/404/);
  await page.goto("/class/ZZZZZZ");
  await expect(page.getByRole("alert")).toContainText("there is no class ZZZZZZ now");
  const code = await startClass(page);
  await openLab(page, "choreography");
  const one = await follower(browser, baseURL!, code);
  await expect(bar(one)).toContainText("You follow the presenter.");
  await page.goto(`/class/${code}`);
  await page.getByRole("button", { name: "End the class" }).click();
  await expect(page.getByText("This class is over.")).toBeVisible();
  await expect(bar(one)).toContainText("This class is over.");
  await bar(one).getByRole("button", { name: "Close" }).click();
  await expect(one).toHaveURL(/\/class$/);
});

test("a class is led through a lesson: the room votes on its prediction, and followers see each step without changing anything", async ({ page, browser, baseURL, context }) => {
  const code = await startClass(page);
  await open(page, "/learn/what-a-queue-is-for");
  const one = await follower(browser, baseURL!, code);
  await expect(one).toHaveURL(/\/learn\/what-a-queue-is-for/);
  await expect(one.locator('main[data-standing="led"]')).toBeAttached();
  await expect(one.getByText("The presenter leads through this lesson.")).toBeVisible();

  // What happens in the presenter's step ticks itself off in both.
  await page.getByRole("button", { name: "Send one arrival" }).click();
  for (const both of [page, one]) await expect(both.locator(".beat-waits [data-tick]").first()).toHaveAttribute("data-tick", "done");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(one.getByRole("heading", { name: "The catalog is away" })).toBeVisible();
  await expect(one).toHaveURL(/beat=2/);

  // The desk, on the presenter's other screen, has the notes and the next step; the room's screen has neither.
  const desk = await context.newPage();
  await open(desk, `/class/${code}`);
  await expect(desk.getByRole("heading", { name: "Now: step 2 of" })).toBeVisible();
  await expect(desk.getByText("Let the room vote, then discuss")).toBeVisible();
  await expect(desk.locator(".class-notes")).toContainText("The catalog comes back");
  await expect(page.getByText("Let the room vote, then discuss")).toBeHidden();

  await page.getByRole("button", { name: "Ask the room" }).click();
  await bar(one).getByRole("radio", { name: "They wait in the catalog's queue" }).check();
  await expect(bar(page)).toContainText("1 vote, hidden until the presenter reveals them.");
  await bar(page).getByRole("button", { name: "Reveal the tally" }).click();
  await expect(bar(one)).toContainText("1 · 100 %");
  await bar(page).getByRole("button", { name: "Done" }).click();
  await expect(bar(one).getByRole("region", { name: "Question to the class" })).toBeHidden();
  expect(await violations(page)).toEqual([]);
  expect(await violations(one)).toEqual([]);
  expect(await violations(desk)).toEqual([]);
});
