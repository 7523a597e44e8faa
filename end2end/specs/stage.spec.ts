// The stage: on every screen the picture fills the room that there is, its words can be read, and what is operated stands
// beside it.

import type { Page } from "@playwright/test";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";
import { STYLES, type Server } from "../support/server";
import { IS_SOAK, ONLY_SOAK } from "../support/soak";

const SKU = "MUG-RED";

interface Screen {
  width: number;
  height: number;
  /** The smallest size that words in the diagram may have there, in CSS pixels. */
  text: number;
}

const SCREENS: Screen[] = [
  { width: 320, height: 640, text: 11 },
  { width: 390, height: 844, text: 11 },
  { width: 768, height: 1024, text: 12 },
  { width: 1280, height: 800, text: 13 },
  { width: 1920, height: 1080, text: 18 },
  { width: 3840, height: 2160, text: 18 },
];

/** What is wrong with the words in the diagram as they are drawn now. */
function wrong(page: Page, least: number) {
  return page.evaluate((least) => {
    const canvas = document.querySelector<SVGSVGElement>(".diagram")!;
    const scale = canvas.getScreenCTM()!.a;
    const room = document.querySelector(".stage-drawing")!.getBoundingClientRect();
    const texts = [...canvas.querySelectorAll<SVGTextElement>("text")];
    const seen = texts
      .filter((text) => text.textContent!.trim() !== "" && text.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
      // What travels comes and goes, and has a halo.
      .filter((text) => !text.closest(".tokens"))
      .map((text) => ({ words: text.textContent!.trim(), box: text.getBoundingClientRect(), text }));
    const found: string[] = [];
    for (const { words, box, text } of seen) {
      const size = parseFloat(getComputedStyle(text).fontSize) * scale;
      if (size < least - 0.05) found.push(`"${words}" is ${size.toFixed(1)} px high`);
      if (box.left < room.left - 1 || box.right > room.right + 1) found.push(`"${words}" leaves the stage`);
      if (box.left < 0 || box.right > document.documentElement.clientWidth) found.push(`"${words}" is cut off`);
      const card = text.closest("[data-node]")?.querySelector(".card-shape")?.getBoundingClientRect();
      const isOnCard = card && box.top >= card.top - 2 && box.bottom <= card.bottom + 2;
      if (isOnCard && box.right > card.right + 1) found.push(`"${words}" runs out of its card`);
    }
    // A line of text is higher than its letters; what is less than this of it is air.
    const air = 3 * scale;
    seen.forEach((one, at) => {
      for (const other of seen.slice(at + 1)) {
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (wide > 1 && high > air) found.push(`"${one.words}" and "${other.words}" overlap`);
      }
    });
    return found.concat(seen.length < 10 ? [`only ${seen.length} texts`] : []);
  }, least);
}

/** Goes through the screens and looks at the words. */
async function look(page: Page, state: string) {
  for (const { width, height, text } of SCREENS) {
    await page.setViewportSize({ width, height });
    const orientation = width < 720 ? "tall" : "wide";
    await expect(page.locator(`.diagram[data-orientation="${orientation}"]`)).toBeVisible();
    await expect.poll(() => wrong(page, text), { message: `${state} at ${width} px` }).toEqual([]);
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(sideways, `${state} scrolls sideways at ${width} px`).toBeLessThanOrEqual(0);
  }
}

async function put(server: Server, path: string, body: unknown) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(server.url + path, { method: "PUT", headers, body: JSON.stringify(body) });
  expect(answer.ok, `PUT ${path}: ${answer.status}`).toBe(true);
}

const room = (page: Page) => page.getByRole("region", { name: "Control room" });

for (const style of STYLES) {
  test(`${style}, empty: words can be read on every screen, and none overlaps another`, async ({ page }) => {
    await openLab(page, style);
    await look(page, "empty");
  });

  test(`${style}, held at gates: words can be read on every screen, and none overlaps another`, async ({ page }) => {
    await openLab(page, style);
    await page.keyboard.press("h");
    await expect(room(page).getByText("The real system is held by you.")).toBeVisible();
    await sendArrival(page, SKU, 12);
    await expect(page.locator(".diagram [data-hold]").first()).toBeVisible();
    await look(page, "before publish");
    // On to the consumers' gates.
    const published = style === "choreography" ? 1 : 3;
    const waiting = page.locator('.diagram [data-hold][data-gate="before_publish"]');
    for (let left = published; left > 0; left -= 1) {
      // What was let go is drawn for a moment more: it cannot be let go twice.
      await expect(waiting).toHaveCount(left);
      await waiting.first().click();
    }
    await expect(page.locator('.diagram [data-hold][data-gate="after_delivery"]')).toHaveCount(3);
    await look(page, "after delivery");
  });

  test(`${style}, parked: words can be read on every screen, and none overlaps another`, async ({ page, server }) => {
    test.skip(!IS_SOAK, ONLY_SOAK);
    test.setTimeout(90_000);
    await openLab(page, style);
    const fault = { kind: "poison", service: "catalog", trigger: { every_nth: 1 } };
    await put(server, `/api/${style}/faults`, { faults: [fault] });
    await server.post("/api/arrivals", { sku: SKU, quantity: 12, style });
    await expect(page.locator('[data-tray][data-count="1"]')).toBeVisible({ timeout: 60_000 });
    await look(page, "parked");
  });

  test(`${style}, tried again and parked everywhere: words can be read on every screen, and none overlaps another`, async ({ page, server }) => {
    test.skip(style === "orchestration" && !IS_SOAK, ONLY_SOAK);
    test.setTimeout(120_000);
    await openLab(page, style);
    const services = ["inventory", "catalog", "wishlist"];
    const all = (kind: string) => services.map((service) => ({ kind, service, trigger: { every_nth: 1 } }));
    await put(server, `/api/${style}/faults`, { faults: all("poison") });
    await server.post("/api/arrivals", { sku: SKU, quantity: 12, style });
    await expect(page.locator('[data-tray][data-count="1"]')).toHaveCount(3, { timeout: 60_000 });
    await put(server, `/api/${style}/faults`, { faults: all("handler_error") });
    await server.post("/api/arrivals", [SKU, "MUG-BLUE"].map((sku) => ({ sku, quantity: 12, style })));
    // The fourth wait is the longest, and the only one of more than five seconds.
    await expect(page.locator(".loop-seconds", { hasText: /^([6-9]|1[0-5])$/ })).toHaveCount(3, { timeout: 60_000 });
    // What undoes a fault is looked at elsewhere.
    await put(server, `/api/${style}/faults`, { faults: [] });
    await expect(page.locator("[data-undo]")).toHaveCount(0);
    await look(page, "tried again and parked");
  });
}

for (const style of STYLES) {
  test(`${style}, with a fourth service: words can be read on every screen, and on a laptop all four are in sight`, async ({ page, server }) => {
    await openLab(page, style);
    await put(server, `/api/${style}/loyalty`, { joined: true });
    const cards = page.locator('.diagram [data-role="consumer"]');
    await expect(cards).toHaveCount(4);
    await server.post("/api/arrivals", { sku: SKU, quantity: 12, style });
    await expectSettled(page);
    await page.setViewportSize({ width: 1280, height: 800 });
    const room = (await page.locator(".stage-drawing").boundingBox())!;
    const drawing = (await page.locator(".diagram").boundingBox())!;
    expect(drawing.y + drawing.height, "all of it is seen without scrolling").toBeLessThanOrEqual(room.y + room.height + 1);
    await look(page, "four services");
  });
}

/** The part of the window that an element takes, or nothing when it is not wholly in it. */
async function inWindow(page: Page, selector: string) {
  const box = (await page.locator(selector).first().boundingBox())!;
  const { width, height } = page.viewportSize()!;
  const isInside = box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1;
  return isInside ? box : `${selector} is at ${JSON.stringify(box)}`;
}

test("at 1280 × 800 diagram, playhead, form and any one section of the control room are on one screen", async ({ page }) => {
  await openLab(page, "choreography");
  await expect(room(page).getByText("Your name")).toBeVisible();
  const topics = await page.locator("details.topic").evaluateAll((all) => all.map((one) => one.getAttribute("data-topic")!));
  expect(topics.length).toBeGreaterThan(4);
  for (const topic of topics) {
    const summary = page.locator(`[data-topic="${topic}"] > summary`);
    await summary.click();
    for (const selector of [".diagram", ".playhead", ".controls", ".room", ".stage"]) {
      expect(await inWindow(page, selector), topic).toMatchObject({ x: expect.any(Number) });
    }
    expect(await wrong(page, 13), topic).toEqual([]);
    // It scrolls where it is, and not the page.
    await page.locator(`[data-topic="${topic}"] .topic-body`).evaluate((body) => body.closest(".room")!.scrollTo(0, 100_000));
    expect(await page.evaluate(() => scrollY), topic).toBe(0);
    await summary.click();
  }
});

test("at 1920 × 1080 the stage fills the screen, and on the full screen there is nothing else", async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await openLab(page, "choreography");
  const stage = (await page.locator(".stage").boundingBox())!;
  expect(stage.y + stage.height).toBeGreaterThan(1000);
  const inspector = (await page.locator(".inspector").boundingBox())!;
  expect(inspector.x + inspector.width).toBeGreaterThan(1900);
  const drawing = (await page.locator(".stage-drawing").boundingBox())!;
  const picture = await page.evaluate(() => {
    const canvas = document.querySelector<SVGSVGElement>(".diagram")!;
    const { width, height } = canvas.viewBox.baseVal;
    const scale = canvas.getScreenCTM()!.a;
    return { width: width * scale, height: height * scale };
  });
  expect(Math.max(picture.width / drawing.width, picture.height / drawing.height)).toBeGreaterThan(0.97);

  await page.keyboard.press("f");
  await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
  for (const selector of [".header", ".side", ".views", ".inspector"]) {
    await expect(page.locator(selector)).toBeHidden();
  }
  await expect.poll(() => wrong(page, 24)).toEqual([]);
  await page.keyboard.press("f");
  await expect(page.locator(".side")).toBeVisible();
});

test("at 390 × 844 Send, Hold, Step and the whole picture are on one screen", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openLab(page, "choreography");
  const places = ['.controls button[type="submit"]', ".hold-here button:first-child", ".hold-here button:last-child", ".diagram"];
  for (const selector of places) {
    expect(await inWindow(page, selector)).toMatchObject({ x: expect.any(Number) });
  }
  await page.locator(".hold-here").getByRole("button", { name: "Hold" }).click();
  await sendArrival(page, SKU, 12);
  const step = page.locator(".hold-here").getByRole("button", { name: "Step" });
  await expect(step).toBeEnabled();
  const held = page.locator(".diagram [data-hold]");
  await expect(held).toHaveCount(1);
  await step.click();
  await expect(held).toHaveCount(3);
  await page.locator(".hold-here").getByRole("button", { name: "Open" }).click();
  await expectSettled(page);
});

test("the button on the empty stage sends the first arrival, and goes", async ({ page }) => {
  await openLab(page, "orchestration");
  const first = page.getByRole("button", { name: "Send your first arrival" });
  await first.click();
  await expect(first).toHaveCount(0);
  await expectSettled(page);
});

test("at 1280 × 800 the log shows at least eight rows", async ({ page }) => {
  await openLab(page, "choreography");
  await sendArrival(page, SKU, 12);
  await expect(page.locator(".log-row").nth(20)).toBeAttached();
  await expectSettled(page);
  await page.locator(".views").evaluate((views) => views.scrollIntoView({ block: "end" }));
  const rows = page.locator(".log-rows");
  const whole = await rows.evaluate((list) => {
    const frame = list.getBoundingClientRect();
    const shown = [...list.querySelectorAll(".log-row")].map((row) => row.getBoundingClientRect());
    return shown.filter((row) => row.top >= frame.top && row.bottom <= frame.bottom && row.bottom <= innerHeight).length;
  });
  expect(whole).toBeGreaterThanOrEqual(8);
});
