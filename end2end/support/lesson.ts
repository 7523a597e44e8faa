// Taking a lesson as a learner does: it is read from the server, and its page is worked by what it says.

import { expect, type Page } from "@playwright/test";
import { open } from "./fixtures";
import type { Server } from "./server";

interface Ask {
  role: "predict" | "saw" | "explain" | "recall";
  question: string;
  answer: "words" | { choice: { says: string; right?: boolean }[] } | { order: { says: string }[] } | { number: { expect: number } };
}

interface Beat {
  title: string;
  text: string;
  act?: { button: string };
  wait?: { says: string }[];
  ask?: Ask;
}

export interface Lesson {
  id: string;
  title: string;
  style: string;
  transport: string;
  beats: Beat[];
}

export const lessonOf = (server: Server, id: string) => server.get<Lesson>(`/api/lessons/${id}`);

export const bar = (page: Page) => page.locator(".lesson-bar");
export const button = (page: Page, name: string) => bar(page).getByRole("button", { name, exact: true });

/** Opens a lesson, and waits until the system is its own. */
export async function openLesson(page: Page, id: string, query = "") {
  await open(page, `/learn/${id}${query}`);
  await expect(page.locator('main[data-standing="running"]')).toBeAttached({ timeout: 20_000 });
}

/** Answers what the shown beat asks: as the lesson expects it, or otherwise. */
export async function answer(page: Page, { answer }: Ask, isRight = true) {
  const form = bar(page).locator("form");
  if (answer === "words") {
    await form.getByRole("textbox").fill("Since each has a queue of its own.");
  } else if ("choice" in answer) {
    const choice = answer.choice.find((choice) => Boolean(choice.right) === isRight)!;
    await form.getByLabel(choice.says, { exact: true }).check();
  } else if ("number" in answer) {
    await form.getByRole("spinbutton").fill(String(answer.number.expect + (isRight ? 0 : 1)));
  } else {
    // One after the other goes up to its place.
    for (const [place, { says }] of answer.order.entries()) {
      const rows = form.locator(".beat-order li");
      for (;;) {
        const at = (await rows.locator("span").allInnerTexts()).indexOf(says);
        if (at <= place) break;
        await rows.nth(at).getByRole("button", { name: `Up: ${says}` }).click();
      }
    }
  }
  await form.locator('button[type="submit"]').click();
}

/** Does what a beat says, up to where it may go on. */
export async function doBeat(page: Page, beat: Beat, isRight = true) {
  await expect(page.locator("#beat-title")).toHaveText(beat.title);
  if (beat.ask?.role === "predict") await answer(page, beat.ask, isRight);
  if (beat.act) await button(page, beat.act.button).click();
  await expect(bar(page).locator('[data-tick="waits"]')).toHaveCount(0, { timeout: 60_000 });
  await expect(bar(page).locator('[data-tick="done"]')).toHaveCount(beat.wait?.length ?? 0);
  if (beat.ask && beat.ask.role !== "predict") await answer(page, beat.ask, isRight);
}

/** Goes on to the next beat, or to the end. */
export async function goOn(page: Page) {
  await bar(page).getByRole("button", { name: /^(Continue|Finish)$/ }).click();
}

/** Takes a lesson from its first beat to its end. */
export async function take(page: Page, lesson: Lesson) {
  await openLesson(page, lesson.id);
  for (const [place, beat] of lesson.beats.entries()) {
    await expect(bar(page)).toHaveAttribute("data-beat", String(place + 1));
    await doBeat(page, beat);
    // What the lesson expects is what happens, or it teaches something that is not so.
    if (beat.ask && beat.ask.answer !== "words") {
      await expect(bar(page).locator(".beat-answer"), beat.title).toHaveAttribute("data-verdict", "right");
    }
    await goOn(page);
  }
  await expect(page.locator("#beat-title")).toHaveText("You have seen it happen");
}
