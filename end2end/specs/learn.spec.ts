// The lessons: each is taken to its end by doing what it says, on the running system, and leaves nothing behind.

import { readFileSync } from "node:fs";
import { violations } from "../support/axe";
import { expect, open, test } from "../support/fixtures";
import { press, tabTo } from "../support/keyboard";
import { answer, bar, button, doBeat, goOn, lessonOf, openLesson, take, type Lesson } from "../support/lesson";
import type { Server } from "../support/server";
import { IS_SOAK, ONLY_SOAK } from "../support/soak";

const QUEUE = "what-a-queue-is-for";

const query = (lesson: Lesson) => (lesson.transport === "amqp" ? "" : `?transport=${lesson.transport}`);

/** Nothing is held, broken, or changed in a lesson's system. */
async function expectMended(server: Server, lesson: Lesson) {
  const of = <T>(call: string) => server.get<T>(`/api/${lesson.style}/${call}${query(lesson)}`);
  await expect
    .poll(async () => ({
      faults: (await of<{ faults: unknown[] }>("faults")).faults,
      closed: (await of<{ closed: unknown[] }>("gates")).closed,
      joined: (await of<{ joined: boolean }>("loyalty")).joined,
      encoding: (await of<{ encoding: string }>("encoding")).encoding,
      workers: (await of<{ workers: { workers: number } }[]>("workers")).map((crew) => crew.workers.workers),
    }), { timeout: 30_000 })
    .toEqual({ faults: [], closed: [], joined: false, encoding: "json", workers: [1, 1, 1] });
}

test("two lessons are taken to their end, and the list knows of it", async ({ page, server }) => {
  test.setTimeout(120_000);
  await open(page, "/learn");
  await expect(page.locator("[data-lesson]").first()).toContainText("Not begun");
  for (const id of [QUEUE, "the-inbox"]) {
    const lesson = await lessonOf(server, id);
    await test.step(lesson.title, () => take(page, lesson));
    await expectMended(server, lesson);
  }
  const saved = page.waitForEvent("download");
  await button(page, "Save my answers as text").click();
  const file = await saved;
  expect(file.suggestedFilename()).toBe("the-inbox.txt");
  expect(readFileSync(await file.path(), "utf8")).toContain("I say: Since each has a queue of its own.");
  await bar(page).getByRole("link", { name: "All lessons" }).click();
  for (const id of [QUEUE, "the-inbox"]) await expect(page.locator(`[data-lesson="${id}"] .learn-far`)).toHaveText("Done");
  await page.getByRole("button", { name: "Forget it" }).click();
  await expect(page.locator(`[data-lesson="${QUEUE}"] .learn-far`)).toHaveText("Not begun");
});

test("every lesson is taken to its end, and leaves nothing behind", async ({ page, server }) => {
  test.skip(!IS_SOAK, ONLY_SOAK);
  test.setTimeout(1_200_000);
  const briefs = await server.get<{ id: string }[]>("/api/lessons");
  expect(briefs.length).toBeGreaterThanOrEqual(12);
  for (const { id } of briefs) {
    const lesson = await lessonOf(server, id);
    await test.step(lesson.title, async () => {
      await take(page, lesson);
      await expectMended(server, lesson);
    });
  }
});

test("a wrong prediction is explained, Back shows what was answered, and whoever leaves in the middle leaves nothing broken", async ({ page, server }) => {
  const lesson = await lessonOf(server, QUEUE);
  await openLesson(page, QUEUE);
  await doBeat(page, lesson.beats[0]!);
  await goOn(page);
  await expect(page).toHaveURL(/beat=2$/);
  await expect(page.locator("#beat-title")).toBeFocused();
  await expect(button(page, "Continue")).toBeDisabled();
  await expect(button(page, lesson.beats[1]!.act!.button), "the prediction comes first").toBeDisabled();
  await expect(page.locator('.diagram [data-node="catalog"][data-spot]')).toBeAttached();
  await expect(page.locator('.diagram [data-node="wishlist"][data-spot]')).toHaveCount(0);
  await doBeat(page, lesson.beats[1]!, false);
  const told = bar(page).locator(".beat-answer");
  await expect(told).toHaveAttribute("data-verdict", "other");
  await expect(told).toContainText("You predicted: They are lost");
  await expect(told).toContainText("What happened: They wait in the catalog's queue");
  await goOn(page);

  // Nothing is undone by looking back, and nothing can be done there.
  await button(page, "Back").click();
  await expect(told).toContainText("You predicted: They are lost");
  await expect(bar(page)).toContainText("You look back.");
  await expect(button(page, lesson.beats[1]!.act!.button)).toBeDisabled();
  await page.goBack();
  await expect(bar(page)).toHaveAttribute("data-beat", "3");
  await expect(bar(page)).not.toContainText("You look back.");
  const faults = () => server.get<{ faults: { kind: string }[] }>("/api/orchestration/faults").then((told) => told.faults.map((one) => one.kind));
  expect(await faults()).toEqual(["consumer_stopped"]);

  await page.close();
  await expectMended(server, lesson);
});

test("what does not happen can be skipped after a while, and is told as skipped", async ({ page, server }) => {
  await page.route("**/api/arrivals", (route) => route.fulfill({ status: 202, json: { arrivals: [] } }));
  const lesson = await lessonOf(server, QUEUE);
  await openLesson(page, QUEUE);
  await button(page, lesson.beats[0]!.act!.button).click();
  await expect(button(page, "Skip what is missing")).toBeVisible({ timeout: 30_000 });
  await button(page, "Skip what is missing").click();
  await expect(bar(page).locator('[data-tick="skipped"]')).toHaveCount(1);
  await goOn(page);
  // What one does not know one need not guess.
  await button(page, "I do not know").click();
  await expect(bar(page)).toContainText("You left this one open.");
  await expect(button(page, lesson.beats[1]!.act!.button)).toBeEnabled();
});

test("an address that names too much, a lesson that somebody else is in, and one that there is not", async ({ page, server, forgive }) => {
  forgive(/404|409/);
  const lesson = await lessonOf(server, QUEUE);
  const take = await fetch(`${server.url}/api/lessons/${QUEUE}/lease`, {
    method: "PUT",
    headers: { "content-type": "application/json", "x-skuflow-actor": "Ada" },
    body: JSON.stringify({ id: "somebody", lasts_s: 60 }),
  });
  expect(take.ok).toBe(true);
  await open(page, `/learn/${QUEUE}?beat=99`);
  await expect(bar(page)).toHaveAttribute("data-beat", String(lesson.beats.length));
  await expect(bar(page).locator(".lesson-trouble")).toContainText("Ada is in the lesson");
  await fetch(`${server.url}/api/lessons/${QUEUE}/lease?id=somebody`, { method: "DELETE" });
  await expect(page.locator('main[data-standing="running"]')).toBeAttached({ timeout: 20_000 });
  await open(page, `/learn/${QUEUE}?beat=3`);
  await expect(bar(page).getByRole("link", { name: "Begin at step 2" })).toBeVisible();
  const nowhere = await page.goto("/learn/waltz");
  expect(nowhere?.status()).toBe(404);
  await expect(page.getByRole("link", { name: "See all lessons" })).toBeVisible();
});

test("a lesson is taken by keyboard alone", async ({ page, server }) => {
  test.setTimeout(120_000);
  const lesson = await lessonOf(server, "two-minute-tour");
  await open(page, "/learn");
  await press(page, page.locator(`[data-lesson="${lesson.id}"] a`));
  await expect(page.locator('main[data-standing="running"]')).toBeAttached({ timeout: 20_000 });
  for (const beat of lesson.beats) {
    await expect(page.locator("#beat-title")).toHaveText(beat.title);
    if (beat.act) await press(page, button(page, beat.act.button));
    await expect(bar(page).locator('[data-tick="waits"]')).toHaveCount(0, { timeout: 30_000 });
    if (beat.ask) {
      await tabTo(page, bar(page).getByRole("radio").first());
      await page.keyboard.press("Space");
      await press(page, bar(page).locator('button[type="submit"]'));
    }
    await press(page, bar(page).getByRole("button", { name: /^(Continue|Finish)$/ }));
    await expect(page.locator("#beat-title")).toBeFocused();
  }
  await expect(page.locator("#beat-title")).toHaveText("You have seen it happen");
});

for (const theme of ["light", "dark", "projector"]) {
  test(`a lesson is clean under axe: ${theme}`, async ({ page, context, server }) => {
    test.skip(theme !== "light" && !IS_SOAK, ONLY_SOAK);
    test.setTimeout(120_000);
    await context.addCookies([{ name: "theme", value: theme, url: server.url }]);
    await page.emulateMedia({ reducedMotion: "reduce" });
    const clean = async (state: string) => {
      for (const [width, height] of [[390, 844], [1280, 800]] as const) {
        await page.setViewportSize({ width, height });
        await page.evaluate(() => scrollTo(0, 0));
        expect(await violations(page), `${state}, ${width} px`).toEqual([]);
      }
    };
    const lesson = await lessonOf(server, QUEUE);
    await openLesson(page, QUEUE);
    await doBeat(page, lesson.beats[0]!);
    await goOn(page);
    await clean("a prediction");
    await answer(page, lesson.beats[1]!.ask!, false);
    await button(page, lesson.beats[1]!.act!.button).click();
    await expect(bar(page).locator('[data-tick="waits"]')).toHaveCount(0, { timeout: 60_000 });
    await clean("what came of it");
  });
}
