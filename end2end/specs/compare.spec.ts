// The same through both styles: one arrival or a burst, with the same fault or none, on one playhead.

import type { Page } from "@playwright/test";
import { violations } from "../support/axe";
import { seen } from "../support/seen";
import { expect, expectSettled, open, test } from "../support/fixtures";
import { STYLES, type Server, type Style } from "../support/server";

interface Fault {
  kind: string;
  service: string;
  trigger: unknown;
  seed: number;
  delay_ms?: number;
}

async function openCompare(page: Page, path = "/compare") {
  await open(page, path);
  await expect(page.locator('main[data-connection="live"]')).toBeAttached();
}

/** Chooses a burst. */
async function burst(page: Page, count: number, seed: number) {
  await page.getByText("A burst", { exact: true }).click();
  await page.getByLabel(/^Arrivals/).fill(String(count));
  await page.getByLabel("Seed").fill(String(seed));
}

async function send(page: Page) {
  const before = page.url();
  await page.getByRole("button", { name: "Send through both" }).click();
  await expect(page).not.toHaveURL(before);
}

const row = (page: Page, name: string) =>
  page.getByRole("region", { name: "In numbers" }).getByRole("row", { name: new RegExp(`^${name}`) });

/** Goes to the end once every arrival is through. */
async function toEnd(page: Page, n: number) {
  const slider = page.getByRole("slider", { name: "Playhead" });
  const done = async () => {
    await slider.focus();
    await page.keyboard.press("End");
    return row(page, "Done in all three services").innerText();
  };
  await expect.poll(done, { timeout: 30_000 }).toMatch(new RegExp(`${n} of ${n}\\s+${n} of ${n}$`));
  await expectSettled(page);
}

const tokens = (page: Page, style: Style) => page.locator(`#diagram-${style} [data-token]`);

async function faults(server: Server, style: Style) {
  const { faults } = await server.get<{ faults: (Fault & { struck: number })[] }>(`/api/${style}/faults`);
  return faults.map(({ struck: _, ...fault }) => fault);
}

async function put(server: Server, path: string, wanted: unknown) {
  const body = JSON.stringify(wanted);
  const headers = { "content-type": "application/json" };
  expect((await fetch(`${server.url}${path}`, { method: "PUT", headers, body })).ok).toBe(true);
}

const setFaults = (server: Server, style: Style, faults: Fault[]) => put(server, `/api/${style}/faults`, { faults });

/** What came in after a place in the journal: SKU and quantity, in order. */
async function received(server: Server, style: Style, after: number) {
  const { events } = await server.get<{ events: Record<string, unknown>[] }>(`/api/journal?after=${after}&limit=5000`);
  const arrivals = events.filter((event) => event.kind === "arrival_received" && event.style === style);
  return arrivals.map((event) => `${event.quantity} × ${event.sku}`);
}

test("one click sends the same arrival through both styles, and one playhead shows them", async ({ page }) => {
  await openCompare(page);
  await send(page);
  await expect(page).toHaveURL(/at=\d+&choreography=.*orchestration=/);
  // What is still to come is faint, in the diagrams and in words.
  await expect(page.locator(".is-ghost").first()).toBeVisible();
  for (const style of STYLES) {
    await expect(page.locator(`#diagram-${style} .edge.is-ahead`)).not.toHaveCount(0);
    await expect(tokens(page, style)).not.toHaveCount(0);
  }
  await toEnd(page, 1);
  await expect(page.locator('[data-step="acked"]')).toHaveCount(6);
  await expect(page.locator(".is-ghost, .edge.is-ahead")).toHaveCount(0);
  await expect(row(page, "Messages published, each arrival")).toHaveText(/1\s*3$/);
  await expect(row(page, "HTTP calls, each arrival")).toHaveText(/2\s*0$/);
  await expect(row(page, "Arrivals compared")).toHaveText(/1\s*1$/);
  await expect(row(page, "Time to all effects")).toHaveText(/\(n = 1\).*\(n = 1\)$/);
  const knows = page.getByRole("region", { name: "Who must know whom in orchestration" });
  await expect(knows).toContainText("sends it update_wishlists");
});

test("it plays by itself to the end, at the speed that is chosen", async ({ page }) => {
  await openCompare(page);
  await send(page);
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect(page.getByRole("button", { name: "Speed 4×" })).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator('[data-play="paused"]')).toBeAttached({ timeout: 20_000 });
  await expectSettled(page);
  await expect(page.locator(".is-ghost")).toHaveCount(0);
});

test("the focus stays on its button while everything around it goes on, and the slider follows", async ({ page }) => {
  await openCompare(page);
  await send(page);
  await page.getByRole("button", { name: "Pause the view" }).focus();
  await expect(page.getByRole("button", { name: "Play", exact: true })).toBeFocused({ timeout: 20_000 });
  await expectSettled(page);
  const [slider, main] = [page.getByRole("slider", { name: "Playhead" }), page.locator("main")];
  await expect(slider).toHaveValue((await main.getAttribute("data-shown"))!);
  await expect(slider).toHaveAttribute("max", await slider.inputValue());
  await page.keyboard.press("ArrowLeft");
  await expect(main).toHaveAttribute("data-shown", String(Number(await slider.getAttribute("max")) - 1));
  await expect(slider).toHaveValue((await main.getAttribute("data-shown"))!);
  await expect(page.getByRole("button", { name: "Play", exact: true })).toBeFocused();
});

test("a step by hand lets its token travel in its style's diagram, at both in turn", async ({ page }) => {
  await openCompare(page);
  await send(page);
  await toEnd(page, 1);
  await page.getByRole("slider", { name: "Playhead" }).fill("0");
  for (const style of STYLES) await expect(tokens(page, style)).toHaveCount(0);
  const first = seen(page, "#diagram-choreography [data-token]");
  await page.getByRole("button", { name: "One step forward" }).click();
  await first;
  await expect(page.locator("main")).toHaveAttribute("data-shown", "1");
  // The next that sets out on a line is orchestration's own arrival.
  let isThere = false;
  const other = seen(page, "#diagram-orchestration [data-token]").then(() => (isThere = true));
  await expect(async () => {
    await page.getByRole("button", { name: "One step forward" }).click();
    expect(isThere).toBe(true);
  }).toPass();
  await other;
  await page.keyboard.press("Shift+ArrowRight");
  await expect(page.locator("[data-step]").last()).toBeVisible();
});

test("with reduced motion nothing travels, and both diagrams light up in turn", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await openCompare(page);
  await send(page);
  for (const style of STYLES) await expect(page.locator(`#diagram-${style} .edge[data-lit]`)).not.toHaveCount(0);
  for (const style of STYLES) await expect(tokens(page, style)).toHaveCount(0);
});

test("the same seed brings the same burst to both styles, again and again", async ({ page, server }) => {
  await openCompare(page);
  const lists: string[][] = [];
  for (const seed of [5, 5, 6]) {
    const after = await server.lastSeq();
    await burst(page, 8, seed);
    await send(page);
    await toEnd(page, 8);
    const [list, other] = [await received(server, "choreography", after), await received(server, "orchestration", after)];
    expect(list).toHaveLength(8);
    expect(other).toEqual(list);
    lists.push(list);
  }
  expect(lists[1]).toEqual(lists[0]);
  expect(lists[2]).not.toEqual(lists[0]);
  await expect(row(page, "Arrivals compared")).toHaveText(/8\s*8$/);
  await expect(row(page, "Time to all effects, p50")).toHaveText(/\(n = 8\).*\(n = 8\)$/);
  await expect(row(page, "Time to all effects, p95")).toHaveText(/\(n = 8\).*\(n = 8\)$/);
});

test("the largest burst is played to its end", async ({ page }) => {
  test.setTimeout(90_000);
  await openCompare(page);
  await burst(page, 200, 1);
  await send(page);
  await page.getByRole("button", { name: "Speed 4×" }).click();
  await expect(page.locator('[data-play="paused"]')).toBeAttached({ timeout: 60_000 });
  await expect(row(page, "Done in all three services")).toHaveText(/200 of 200\s*200 of 200$/);
});

test("a consumer that is down is down in both, comes back by itself, and others' faults stay", async ({ page, server }) => {
  const theirs: Fault = { kind: "handler_delay", service: "wishlist", trigger: { every_nth: 2 }, seed: 0, delay_ms: 5 };
  await setFaults(server, "orchestration", [theirs]);
  await openCompare(page);
  await burst(page, 6, 2);
  await page.getByLabel("Broken in both").selectOption("consumer_stopped");
  const since = await server.lastSeq();
  await send(page);
  // It lasts some seconds only: the journal tells of it also to whoever looks too late.
  const told = async (style: Style, phase: string) => {
    const { events } = await server.get<{ events: Record<string, unknown>[] }>(`/api/journal?after=${since}&limit=5000`);
    return events.filter((event) => event.kind === "fault_injected" && event.style === style && event.phase === phase).map((event) => event.fault);
  };
  for (const style of STYLES) await expect.poll(() => told(style, "cleared"), { timeout: 60_000 }).toEqual(["consumer_stopped"]);
  expect(await told("choreography", "set")).toEqual(["consumer_stopped"]);
  expect(await told("orchestration", "set")).toEqual(["consumer_stopped"]);
  await expect(page.getByText("Consumer stopped of Catalog")).toBeHidden({ timeout: 20_000 });
  expect(await faults(server, "choreography")).toEqual([]);
  expect(await faults(server, "orchestration")).toEqual([theirs]);
  await toEnd(page, 6);
  const down = row(page, "Messages for a consumer that was down");
  await expect(down).toHaveText(/(Catalog: 6 came, 6 delivered once it was back.*){2}/);
});

test("a handler that fails does so by the same seed in both, until it is cleared with one click", async ({ page, server }) => {
  const theirs: Fault = { kind: "handler_error", service: "catalog", trigger: { probability: 0 }, seed: 3 };
  await setFaults(server, "choreography", [theirs]);
  await openCompare(page);
  await burst(page, 5, 7);
  await page.getByLabel("Broken in both").selectOption("handler_error");
  await page.getByLabel("Probability").fill("1");
  // When all is over the fault is cleared: it must not be over before the page has been opened anew.
  const hold = (closed: unknown[]) => put(server, "/api/choreography/gates", { closed });
  await hold([{ gate: "before_ack", service: "wishlist" }]);
  await send(page);
  const ours: Fault = { kind: "handler_error", service: "catalog", trigger: { probability: 1 }, seed: 7 };
  for (const style of STYLES) expect(await faults(server, style)).toEqual([ours]);
  // Whoever opens the page anew in this tab can still mend it.
  await page.reload();
  await expect(page.getByText("Handler error of Catalog, with probability 1, seed 7")).toBeVisible();
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByText("Broken on both sides:")).toBeHidden();
  expect(await faults(server, "choreography")).toEqual([theirs]);
  expect(await faults(server, "orchestration")).toEqual([]);
  await hold([]);
  await toEnd(page, 5);
  await expect(row(page, "Retries")).not.toHaveText(/0\s*0$/);
});

test("the fault of one arrival strikes that arrival once in both, and nothing is left to chance", async ({ page, server }) => {
  await openCompare(page);
  await page.getByLabel("Broken in both").selectOption("handler_error");
  await expect(page.getByLabel("Probability")).toBeHidden();
  await expect(page.getByLabel("Seed")).toBeHidden();
  await send(page);
  await toEnd(page, 1);
  await expect(row(page, "Retries")).toHaveText(/1\s*1$/);
  for (const style of STYLES) expect(await faults(server, style)).toEqual([]);
});

test("what only choreography can suffer from is said to, and a wrong number is told and breaks nothing", async ({ page, server }) => {
  await openCompare(page);
  await page.getByLabel("Broken in both").selectOption("http_slow");
  await expect(page.getByText("Only choreography makes HTTP calls")).toBeVisible();
  await page.getByLabel("Delay in ms").fill("0");
  await page.getByRole("button", { name: "Send through both" }).click();
  await expect(page.getByRole("alert")).toHaveText("A delay is 1 to 60,000 ms.");
  await page.getByText("A burst", { exact: true }).click();
  await page.getByLabel(/^Arrivals/).fill("201");
  await page.getByRole("button", { name: "Send through both" }).click();
  await expect(page.getByRole("alert")).toHaveText("A burst has 5 to 200 arrivals.");
  for (const style of STYLES) expect(await faults(server, style)).toEqual([]);
});

for (const n of [1, 6]) {
  test(`the address brings the same comparison back: ${n} in each style`, async ({ page, context, server }) => {
    await openCompare(page);
    if (n > 1) await burst(page, n, 4);
    await send(page);
    await toEnd(page, n);
    const said = (of: Page) => of.locator("#duel-study").innerText();
    const here = await said(page);
    // Somebody else's arrivals are none of it.
    await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "both" });
    const other = await context.newPage();
    await openCompare(other, page.url());
    await expect.poll(() => said(other)).toBe(here);
    await page.reload();
    await expect.poll(() => said(page)).toBe(here);
    if (n > 1) await expect(page.getByLabel("Seed")).toHaveValue("4");
  });
}

test("an address of which nothing is kept says so", async ({ page }) => {
  await openCompare(page, "/compare?at=0&choreography=00&orchestration=01");
  await expect(page.getByRole("alert")).toContainText("What this address compares is no longer in the journal");
});

for (const theme of ["light", "dark", "projector"]) {
  test(`it is accessible while it plays and at its end: ${theme}`, async ({ page, context, baseURL }) => {
    test.setTimeout(90_000);
    await context.addCookies([{ name: "theme", value: theme, url: baseURL! }]);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await openCompare(page);
      await burst(page, 5, 1);
      await page.getByLabel("Broken in both").selectOption("handler_error");
      await page.getByLabel("Probability").fill("0.1");
      await send(page);
      const look = async () => {
        expect(await violations(page), `${width} px`).toEqual([]);
      };
      await expect(page.locator("[data-step]").first()).toBeVisible();
      await look();
      await toEnd(page, 5);
      await expect(page.getByText("Broken on both sides:")).toBeHidden();
      await look();
    }
  });
}

test("it never scrolls sideways", async ({ page, context, baseURL }) => {
  test.setTimeout(120_000);
  await page.setViewportSize({ width: 320, height: 800 });
  for (const theme of ["light", "projector"]) {
    await context.addCookies([{ name: "theme", value: theme, url: baseURL! }]);
    await openCompare(page);
    await burst(page, 5, 1);
    await page.getByLabel("Broken in both").selectOption("handler_error");
    // At every frame while it plays: the longest step is not the last.
    await page.evaluate(() => {
      const look = () => {
        const overflow = document.documentElement.scrollWidth - window.innerWidth;
        if (overflow > 0) document.body.dataset.overflow = String(overflow);
        requestAnimationFrame(look);
      };
      look();
    });
    await send(page);
    await expect(page.locator('[data-play="paused"]')).toBeAttached({ timeout: 30_000 });
    await toEnd(page, 5);
    for (const width of [320, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `at ${width} px, ${theme}`).toBeLessThanOrEqual(0);
    }
    await expect(page.locator("body[data-overflow]"), theme).toHaveCount(0);
    await page.setViewportSize({ width: 320, height: 800 });
  }
});

test("whoever goes on to another page leaves nothing broken behind, and others' faults stay", async ({ page, server }) => {
  const theirs: Fault = { kind: "handler_error", service: "catalog", trigger: { probability: 0 }, seed: 3 };
  await setFaults(server, "choreography", [theirs]);
  await openCompare(page);
  await burst(page, 5, 7);
  await page.getByLabel("Broken in both").selectOption("handler_error");
  // It is not over before the page is left.
  await put(server, "/api/choreography/gates", { closed: [{ gate: "before_ack", service: "wishlist" }] });
  await send(page);
  await expect.poll(() => faults(server, "orchestration")).toHaveLength(1);
  await open(page, "/store");
  await expect.poll(() => faults(server, "orchestration")).toEqual([]);
  await expect.poll(() => faults(server, "choreography")).toEqual([theirs]);
});

test("a tab that is closed in the middle leaves nothing broken behind", async ({ context, server }) => {
  const tab = await context.newPage();
  await openCompare(tab);
  await burst(tab, 5, 7);
  await tab.getByLabel("Broken in both").selectOption("handler_delay");
  // It is not over before the tab is closed.
  await put(server, "/api/choreography/gates", { closed: [{ gate: "before_ack", service: "wishlist" }] });
  await send(tab);
  for (const style of STYLES) await expect.poll(() => faults(server, style)).toHaveLength(1);
  await tab.close({ runBeforeUnload: true });
  for (const style of STYLES) await expect.poll(() => faults(server, style)).toEqual([]);
});

test("a preset is one click, both pictures and the scoreboard fit the screen, and it ends in one sentence with its n", async ({ page }) => {
  await openCompare(page);
  await expect(page.locator(".score")).toHaveCount(0);
  await page.getByRole("button", { name: /^Crash between two commands/ }).click();
  const sentence = page.locator(".score-sentence");
  await expect(sentence).toHaveAttribute("data-verdict", "false");
  // Wherever one was on the page: from the playhead down all is in the window.
  const { height } = page.viewportSize()!;
  for (const part of [page.locator(".playhead"), page.locator("#diagram-choreography svg"), page.locator("#diagram-orchestration svg"), page.locator(".score")]) {
    const bottom = async () => {
      const box = (await part.boundingBox())!;
      return box.y < 0 ? Infinity : box.y + box.height;
    };
    await expect.poll(bottom).toBeLessThanOrEqual(height);
  }
  await toEnd(page, 1);
  await expect(sentence).toHaveAttribute("data-verdict", "true");
  // Whoever gets the event twice may ask once more before it knows that it has it.
  await expect(sentence).toHaveText(
    /^For each arrival \(n = 1\), choreography takes 1 message and [2-6] calls in [\d.]+ m?s, publishes 1 again, and its inventory knows nobody; orchestration takes 3 messages and no calls in [\d.]+ m?s, publishes [123] again, and its inventory knows 2 other services\.$/,
  );
  await expect(page.locator(".score").getByRole("row", { name: /^Services inventory knows/ })).toHaveText(/0\s*2$/);
});

test("a new consumer is reached at once where an event is announced, and not before the code is changed where commands are sent", async ({ page }) => {
  await openCompare(page);
  await page.getByRole("button", { name: /^A new consumer/ }).click();
  await expect(page.locator('#diagram-choreography [data-node="loyalty"]')).toBeVisible();
  await toEnd(page, 1);
  await expect(page.locator(".score").getByRole("row", { name: /^Arrivals Loyalty heard of/ })).toHaveText(/1\s*0$/);
  await expect(page.locator(".score-sentence")).toHaveText(/choreography takes .* reaches Loyalty, .*; orchestration (?!.*Loyalty)/);
  await page.getByRole("button", { name: "Remove Loyalty" }).click();
  await expect(page.getByRole("button", { name: "Remove Loyalty" })).toHaveCount(0);
});

test("any two systems are compared, over whatever transports, and a shared address shows the same", async ({ page, server }) => {
  await openCompare(page);
  await page.getByLabel("Left", { exact: true }).selectOption({ label: "Choreography over Redis" });
  await expect(page).toHaveURL(/left=choreography\.redis/);
  await openCompare(page, "/compare?left=choreography.redis&right=choreography.zeromq");
  for (const name of ["Choreography over Redis", "Choreography over ZeroMQ"]) {
    await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
  }
  // ZeroMQ publishes to whoever is there; so both wait until the services are.
  for (const transport of ["redis", "zeromq"]) {
    const state = async () => (await server.get<{ state: string }>(`/api/choreography/transport?transport=${transport}`)).state;
    await expect.poll(state, { timeout: 20_000 }).toBe("running");
  }
  await send(page);
  await toEnd(page, 1);
  await expect(row(page, "Messages published, each arrival")).toHaveText(/1\s*1$/);
  await expect(row(page, "HTTP calls, each arrival")).toHaveText(/2\s*2$/);
  await expect(page.locator(".score-sentence")).toContainText("choreography over Redis takes 1 message");
  await expect(page.locator(".is-ghost, .edge.is-ahead")).toHaveCount(0);
  const shown = await page.locator("main").getAttribute("data-shown");
  await openCompare(page, new URL(page.url()).pathname + new URL(page.url()).search);
  await expect(page.locator("main")).toHaveAttribute("data-shown", shown!);
  await page.getByLabel("Right", { exact: true }).selectOption({ label: "Choreography over Redis" });
  await expect(page.getByRole("alert")).toContainText("Both sides are the same");
});

test("one system is compared in two encodings, one after the other, and asks as before when all is over", async ({ page, server }) => {
  const system = "choreography.amqp";
  await openCompare(page, `/compare?left=${system}&left-encoding=json&right=${system}&right-encoding=protobuf`);
  const before = (await server.get<{ last: number }>("/api/journal?after=0&limit=1")).last;
  await send(page);
  await toEnd(page, 1);
  await expect(row(page, "HTTP calls, each arrival")).toHaveText(/2\s*2$/);
  const { events } = await server.get<{ events: Record<string, unknown>[] }>(`/api/journal?after=${before}&limit=5000`);
  const arrivals = events.filter((event) => event.kind === "arrival_received").map((event) => event.correlation_id);
  const asked = (arrival: unknown) =>
    events.filter((event) => event.kind === "http_response" && event.correlation_id === arrival).map((event) => event.encoding ?? "json");
  expect(arrivals.map(asked)).toEqual([["json", "json"], ["protobuf", "protobuf"]]);
  const encoding = async () => (await server.get<{ encoding: string }>("/api/choreography/encoding")).encoding;
  await expect.poll(encoding).toBe("json");
});

test("an address that names no system says what there is, and compares the usual ones", async ({ page }) => {
  await openCompare(page, "/compare?left=waltz.amqp");
  await expect(page.getByRole("alert")).toContainText("use choreography or orchestration");
  await expect(page.getByRole("heading", { name: "Orchestration", exact: true })).toBeVisible();
});
