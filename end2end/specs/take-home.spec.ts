// A run that is taken home: a page in one file, which replays without a server, and a picture that moves by itself.

import { readFileSync } from "node:fs";
import { violations } from "../support/axe";
import { expect, expectSettled, openLab, sendArrival, test } from "../support/fixtures";

test("a run is saved as one file that replays from disk with the same picture, without any server", async ({ page, browser, server }, info) => {
  await openLab(page, "orchestration");
  await sendArrival(page, "MUG-RED", 7);
  await expectSettled(page);
  // What is shown may be behind what has happened.
  const { last } = await server.get<{ last: number }>("/api/journal?limit=1");
  const seq = String(last);
  await expect(page.locator("main")).toHaveAttribute("data-seq", seq);
  await page.getByRole("button", { name: "Save in other forms" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save as HTML" }).click()]);
  expect(download.suggestedFilename()).toMatch(/^skuflow-orchestration\.amqp-.*\.html$/);
  const file = info.outputPath("run.html");
  await download.saveAs(file);

  const context = await browser.newContext({ baseURL: undefined });
  const asked: string[] = [];
  context.on("request", (request) => void (/^(file|data|blob):/.test(request.url()) || asked.push(request.url())));
  const home = await context.newPage();
  const said: string[] = [];
  home.on("console", (message) => void (message.type() === "error" && said.push(message.text())));
  home.on("pageerror", (error) => said.push(String(error)));
  await home.goto(`file://${file}`);
  await expect(home.getByText("It replays without a server.")).toBeVisible();
  await expect(home.locator('main[data-connection="replay"]')).toBeAttached();

  // To its end it looks as it looked; the step before is another one.
  const slider = home.getByRole("slider", { name: "Playhead" });
  await slider.fill(seq);
  await expect(home.locator("main")).toHaveAttribute("data-seq", seq);
  await expect(home.locator('main[data-settled="true"]')).toBeAttached();
  await expect(home.locator('[data-node="catalog"]')).toContainText("7");
  for (let n = 0; n < 9; n++) await home.keyboard.press("ArrowLeft");
  await expect.poll(async () => Number(await home.locator("main").getAttribute("data-seq"))).toBeLessThan(Number(seq));
  await expect(home.locator('main[data-settled="false"]')).toBeAttached();
  await home.getByRole("tab", { name: "Sequence" }).click();
  await expect(home.getByRole("tabpanel").getByText("Inventory").first()).toBeVisible();
  await home.getByRole("tab", { name: "Code" }).click();
  await expect(home.locator(".code-function mark").first()).toBeVisible();
  expect(await violations(home)).toEqual([]);
  expect(asked, "nobody was asked").toEqual([]);
  expect(said).toEqual([]);
  await context.close();
});

test("a lesson's run has its steps with it, and a lesson that there is not is named", async ({ page }) => {
  const asked = await page.request.get("/api/choreography/export.html?lesson=the-inbox");
  const text = await asked.text();
  expect(text).toContain("Run of the lesson “");
  expect(text).toContain("The same message, twice");
  const wrong = await page.request.get("/api/choreography/export.html?lesson=nothing");
  expect([wrong.status(), ((await wrong.json()) as { detail: string }).detail]).toEqual([404, 'there is no lesson "nothing"']);
  const nonsense = await page.request.get("/api/choreography/export.html?after=never");
  expect(nonsense.status()).toBe(400);
});

test("the diagram is saved as a picture in which each message travels by itself", async ({ page, browser, server }, info) => {
  await openLab(page, "choreography");
  const empty = await page.request.get("/api/choreography/export.svg");
  expect(empty.status()).toBe(409);
  expect(((await empty.json()) as { detail: string }).detail).toContain("send an arrival first");
  await sendArrival(page, "MUG-RED", 7);
  await expectSettled(page);
  await page.getByRole("button", { name: "Save in other forms" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save as SVG" }).click()]);
  const file = info.outputPath("run.svg");
  await download.saveAs(file);
  const { events } = await server.get<{ events: { kind: string; style?: string }[] }>("/api/journal?limit=5000");
  const published = events.filter((event) => event.kind === "published" && event.style === "choreography").length;
  expect(published).toBeGreaterThan(0);

  const alone = await (await browser.newContext({ baseURL: undefined })).newPage();
  await alone.goto(`file://${file}`);
  // A parser of XML, which takes nothing that is not well-formed.
  expect(await alone.evaluate((text) => new DOMParser().parseFromString(text, "image/svg+xml").querySelector("parsererror")?.textContent ?? "", readFileSync(file, "utf8"))).toBe("");
  const flights = alone.locator(".flight");
  expect(await flights.count()).toBeGreaterThanOrEqual(published * 3);
  const at = (seconds: number) =>
    alone.evaluate((seconds) => {
      const svg = document.documentElement as unknown as SVGSVGElement;
      svg.pauseAnimations();
      svg.setCurrentTime(seconds);
      const seen = [...document.querySelectorAll<SVGGraphicsElement>(".flight")].filter((one) => getComputedStyle(one).visibility === "visible");
      return seen.map((one) => Math.round(one.getCTM()!.e));
    }, seconds);
  const [early, later] = [await at(1), await at(1.3)];
  expect(early.length).toBeGreaterThan(0);
  expect(later).not.toEqual(early);
  await alone.context().close();
});
