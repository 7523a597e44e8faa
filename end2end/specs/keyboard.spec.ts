// Everything without a mouse.

import type { Locator, Page } from "@playwright/test";
import { expect, expectSettled, open, openLab, sendArrival, seqOf, test } from "../support/fixtures";
import { press, tabTo, type } from "../support/keyboard";
import type { Server, Style } from "../support/server";

const play = (page: Page) => page.locator("[data-play]");
const isOpen = (page: Page, view: string) => expect(page.getByRole("tab", { name: view })).toHaveAttribute("aria-selected", "true");
const topic = (page: Page, title: string) => page.locator(".topic").filter({ has: page.getByText(title, { exact: true }) });

/** Unfolds a topic of the control room and waits for what the server says of it. */
async function unfold(page: Page, title: string) {
  await press(page, topic(page, title).locator("> summary"));
  await expect(topic(page, title).locator(".part")).not.toHaveAttribute("aria-busy");
  return topic(page, title);
}

/** An arrival that is through, with the page showing all of it. */
async function settled(page: Page, server: Server, style: Style, sku = "MUG-RED") {
  await openLab(page, style);
  await server.post("/api/arrivals", { sku, quantity: 5, style });
  await expect(page.locator(".log-row", { hasText: "Wishlist acked" })).toBeVisible({ timeout: 20_000 });
  await expectSettled(page);
}

test("the first key press offers the way past the header", async ({ page }) => {
  await open(page, "/store");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
});

test("an arrival is sent from the keyboard alone", async ({ page, server }) => {
  await openLab(page, "choreography");
  await page.getByLabel("SKU", { exact: true }).focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("MUG-RED");
  await page.getByLabel("Quantity", { exact: true }).focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("6");
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await server.product("choreography", "MUG-RED"))?.quantity).toBe(6);
  await expectSettled(page);
});

test("help opens and closes from the keyboard, and the focus comes back", async ({ page }) => {
  await open(page, "/");
  const help = page.getByRole("button", { name: "How to read the picture" });
  await help.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeHidden();
  await expect(help).toBeFocused();
});

test("every key of the help list does its thing", async ({ page, server }) => {
  test.setTimeout(120_000);
  await settled(page, server, "choreography");
  const done = new Set<string>();
  const key = async (keys: string, does: () => Promise<unknown>) => {
    await test.step(keys, does);
    done.add(keys);
  };
  const seq = () => seqOf(page);
  await key("Space", async () => {
    await page.keyboard.press("Space");
    await expect(play(page)).toHaveAttribute("data-play", "paused");
    await page.keyboard.press("Space");
    await expect(play(page)).not.toHaveAttribute("data-play", "paused");
  });
  const end = await seq();
  await key("←", async () => {
    await page.keyboard.press("ArrowLeft");
    await expect.poll(seq).toBe(end - 1);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(seq).toBe(end - 2);
  });
  await key("→", async () => {
    await page.keyboard.press("ArrowRight");
    await expect.poll(seq).toBe(end - 1);
  });
  const kinds = new Map((await server.get<{ events: { seq: number; kind: string }[] }>("/api/journal?limit=500")).events.map((event) => [event.seq, event.kind]));
  const setsOut = async () => ["published", "delivered"].includes(kinds.get(await seq()) ?? "");
  await key("Shift ←", async () => {
    await page.keyboard.press("Shift+ArrowLeft");
    await expect.poll(seq).toBeLessThan(end - 1);
    expect(await setsOut()).toBe(true);
    const last = await seq();
    await page.keyboard.press("Shift+ArrowLeft");
    await expect.poll(seq).toBeLessThan(last);
  });
  await key("Shift →", async () => {
    const before = await seq();
    await page.keyboard.press("Shift+ArrowRight");
    await expect.poll(seq).toBeGreaterThan(before);
    expect(await setsOut()).toBe(true);
  });
  await key("L", async () => {
    await page.keyboard.press("l");
    await expect(play(page)).toHaveAttribute("data-play", "live");
    await expect.poll(seq).toBe(end);
  });
  await key("+ −", async () => {
    const pressed = (speed: string) => expect(page.getByRole("button", { name: `Speed ${speed}×`, exact: true })).toHaveAttribute("aria-pressed", "true");
    await page.keyboard.press("+");
    await pressed("2");
    await page.keyboard.press("-");
    await page.keyboard.press("-");
    await pressed("½");
    await page.keyboard.press("+");
    await page.keyboard.press("+");
    await page.keyboard.press("+");
    await pressed("4");
  });
  await key("1 – 4", async () => {
    for (const [digit, view] of [["2", "Timeline"], ["3", "Sequence"], ["4", "Metrics"], ["1", "Log"]] as const) {
      await page.keyboard.press(digit);
      await isOpen(page, view);
    }
  });
  await key("H", async () => {
    await page.keyboard.press("h");
    await expect(page.getByText("The real system is held by you.")).toBeVisible();
    await page.keyboard.press("h");
    await expect(page.getByText("The real system is held by you.")).toBeHidden();
  });
  await key("N", async () => {
    const before = await server.lastSeq();
    await page.keyboard.press("n");
    await expect.poll(() => server.lastSeq()).toBeGreaterThan(before);
  });
  await key("Esc", async () => {
    await page.locator('[data-node="catalog"]').click();
    await expect(page.locator(".inspector h2")).toHaveText("Catalog");
    await page.keyboard.press("Escape");
    await expect(page.locator(".inspector h2")).toHaveText("Inspector");
    await expect(page.locator("#act")).toBeHidden();
  });
  await key("F", async () => {
    const isFull = () => page.evaluate(() => document.fullscreenElement !== null);
    await page.keyboard.press("f");
    await expect.poll(isFull).toBe(true);
    await page.keyboard.press("f");
    await expect.poll(isFull).toBe(false);
  });
  await key("M", async () => {
    await page.locator('[data-node="wishlist"]').focus();
    await page.keyboard.press("m");
    await expect(page.locator("#act button").first()).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(page.locator("#act")).toBeHidden();
    await expect(page.locator('[data-node="wishlist"]')).toBeFocused();
  });
  let listed: string[] = [];
  await key("?", async () => {
    await page.keyboard.press("?");
    await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeVisible();
    listed = await page.locator(".help .keys kbd").allInnerTexts();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeHidden();
  });
  await key("C", async () => {
    await page.keyboard.press("c");
    await expect(page).toHaveURL(/\/compare$/);
  });
  expect(listed.toSorted(), "the help lists what is tested here").toEqual([...done].toSorted());
});

test("Space pauses after a click on any button, and presses it once the shortcuts are off", async ({ page, server }) => {
  await settled(page, server, "choreography");
  const send = page.getByRole("button", { name: "Send arrival" });
  const first = await server.lastSeq();
  await send.click();
  // Before the arrival is heard of, all is settled too.
  await expect.poll(() => seqOf(page)).toBeGreaterThan(first);
  await expectSettled(page);
  const before = await server.lastSeq();
  await expect(send).toBeFocused();
  await page.keyboard.press("Space");
  await expect(play(page)).toHaveAttribute("data-play", "paused");
  await page.keyboard.press("Space");
  await expect(play(page)).not.toHaveAttribute("data-play", "paused");
  for (const target of [page.locator('[data-node="catalog"]'), page.getByRole("button", { name: "Hold everything" })]) {
    await target.focus();
    await page.keyboard.press("Space");
    await expect(play(page)).toHaveAttribute("data-play", "paused");
    await page.keyboard.press("Space");
    await expect(play(page)).not.toHaveAttribute("data-play", "paused");
  }
  await expect(page.locator(".inspector h2"), "of the arrival that was sent, and not of a node").not.toHaveText("Catalog");
  await expect(page.locator(".hold")).toHaveAttribute("data-closed", "0");
  expect(await server.lastSeq(), "nothing was sent").toBe(before);

  await page.getByRole("button", { name: "How to read the picture" }).click();
  await page.getByRole("switch", { name: "Keyboard shortcuts: on" }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await send.focus();
  await page.keyboard.press("Space");
  await expect.poll(() => server.lastSeq()).toBeGreaterThan(before);
  await page.locator('[data-node="catalog"]').focus();
  await page.keyboard.press("Space");
  await expect(page.locator(".inspector h2")).toHaveText("Catalog");
});

const ALL_KEYS = ["Space", "ArrowRight", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowLeft", "l", "+", "-", "n", "h", "m", "2", "c", "f", "?"];

test("keys are letters to whoever types, and nothing to whoever has turned them off", async ({ page, server }) => {
  await settled(page, server, "choreography");
  const before = await server.lastSeq();
  const unmoved = async (why: string) => {
    expect(await server.lastSeq(), why).toBe(before);
    expect(await seqOf(page), why).toBe(before);
    await expect(play(page), why).toHaveAttribute("data-play", "live");
    await isOpen(page, "Log");
    await expect(page.getByRole("button", { name: "Speed 1×", exact: true })).toHaveAttribute("aria-pressed", "true");
    await expect(page.getByRole("heading", { name: "How to read the picture" })).toBeHidden();
    expect(await page.evaluate(() => document.fullscreenElement), why).toBeNull();
    await expect(page.locator(".hold"), why).toHaveAttribute("data-closed", "0");
    // What the log lists is all that the address says.
    await expect(page, why).toHaveURL(/\/lab\/choreography(\?(log-[a-z]+=[^&]*&?)+)?$/);
  };
  for (const field of ["SKU", "Quantity", "Filter by SKU"]) {
    await page.getByLabel(field, { exact: true }).focus();
    for (const key of ALL_KEYS) await page.keyboard.press(key);
    await unmoved(`typed into ${field}`);
  }
  await page.getByLabel("Filter by kind").focus();
  for (const key of ["n", "h", "l", "c", "f"]) await page.keyboard.press(key);
  await unmoved("chosen in a list");

  await press(page, page.getByRole("button", { name: "How to read the picture" }));
  await press(page, page.getByRole("switch", { name: "Keyboard shortcuts: on" }), "Space");
  await expect(page.getByRole("switch", { name: "Keyboard shortcuts: off" })).toBeVisible();
  await openLab(page, "choreography");
  await expect(page.locator(".log-row").first()).toBeVisible();
  for (const key of ALL_KEYS) await page.keyboard.press(key);
  await unmoved("turned off");
});

test("nodes, queues, lines and log rows are inspected by keyboard, and Esc leads back to each", async ({ page, server }) => {
  test.setTimeout(120_000);
  await settled(page, server, "orchestration");
  const inspector = page.locator(".inspector");
  const there = async (target: Locator, key: string, title: string | RegExp) => {
    await press(page, target, key);
    await expect(inspector.locator("h2")).toHaveText(title);
    await expect(inspector, "whoever asked goes on in the answer").toBeFocused();
  };
  const back = async (target: Locator) => {
    await page.keyboard.press("Escape");
    await expect(inspector.locator("h2")).toHaveText("Inspector");
    await expect(target).toBeFocused();
  };
  const node = page.locator('[data-node="wishlist"]');
  const queue = page.locator('[data-queue="catalog.update_sku_availability"]');
  const line = page.locator('[data-edge="route:wishlist.update_wishlists"]');
  await there(node, "Enter", "Wishlist");
  await back(node);
  await there(queue, "Enter", "catalog.update_sku_availability");
  await back(queue);
  await there(line, "Enter", /inventory.commands/);
  await back(line);

  // In the log, one stop for Tab; the arrows lead to the rows.
  const rows = page.locator(".log-row");
  await tabTo(page, rows.last());
  for (let up = 0; up < 3; up += 1) await page.keyboard.press("ArrowUp");
  const row = rows.nth(-4);
  await expect(row).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(inspector).toBeFocused();
  await back(row);

  // From thing to thing inside of the inspector; then back to where it was opened.
  await there(page.locator('[data-node="inventory.commands"]'), "Enter", "inventory.commands");
  await press(page, inspector.getByRole("button", { name: /update_wishlists/ }));
  await expect(inspector.locator("h2")).toHaveText("wishlist.update_wishlists");
  await back(page.locator('[data-queue="wishlist.update_wishlists"]'));
});

test("the focus stays on its row, and what one reads stays in view, while steps come and lines are scrolled", async ({ page, server }) => {
  test.setTimeout(120_000);
  await openLab(page, "choreography");
  const send = async (count: number) => {
    const before = await server.lastSeq();
    await server.post("/api/arrivals", Array.from({ length: count }, () => ({ sku: "MUG-RED", quantity: 1, style: "choreography" })));
    await expect.poll(() => server.lastSeq()).toBeGreaterThanOrEqual(before + 15 * count);
    const last = await server.lastSeq();
    await expect.poll(() => seqOf(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(last);
    await expectSettled(page);
  };
  const rows = page.locator(".log-row");
  const seen = () =>
    page.locator(".log-rows").evaluate((list) => {
      const top = list.getBoundingClientRect().top;
      const row = [...list.querySelectorAll(".log-row")].find((row) => row.getBoundingClientRect().top >= top);
      return row?.getAttribute("data-pick");
    });
  // From here on, one row goes for each that comes.
  await send(20);
  await expect(rows).toHaveCount(200);
  // By its name: the last row of this moment need not be the last one of the next.
  const row = page.locator(`.log-row[data-pick="${await rows.last().getAttribute("data-pick")}"]`);
  await row.focus();
  await send(1);
  await expect(row).toBeFocused();
  // The row that has the focus goes; its reader is elsewhere meanwhile.
  await rows.first().focus();
  await page.locator(".log-rows").evaluate((list) => list.scrollTo(0, list.scrollHeight / 2));
  const before = await seen();
  await send(1);
  await expect(page.locator(".log-row:focus")).toHaveCount(1);
  expect(await seen()).toBe(before);

  await page.keyboard.press("2");
  await expect(page.getByRole("tab", { name: "Timeline" })).toBeFocused();
  const drawing = page.getByRole("group", { name: /^Timeline, lines/ });
  const lines = (await drawing.getAttribute("aria-label"))!;
  await page.locator('.timeline-line[tabindex="0"]').focus();
  for (let up = 0; up < 40; up++) await page.keyboard.press("ArrowUp");
  await expect(drawing).not.toHaveAttribute("aria-label", lines);
  await expect(page.locator(".timeline-line:focus")).toBeInViewport();
});

test("a step that is clicked in the inspector is marked where it stands, and keeps the focus", async ({ page }) => {
  await openLab(page, "choreography");
  await sendArrival(page, "MUG-RED", 2);
  await expectSettled(page);
  const steps = page.locator(".inspector .journey .step");
  await expect(steps.filter({ hasText: "Catalog acked" })).toHaveCount(1);
  for (const words of ["Delivered to Catalog", "Catalog acked"]) {
    const step = await steps.filter({ hasText: words }).elementHandle();
    await step!.click();
    await expect(page.locator(".inspector h2")).toContainText(words);
    await expect(page.locator(".inspector .is-selected")).toContainText(words);
    expect(await step!.evaluate((element) => element === document.activeElement), words).toBe(true);
  }
});

test("a held step is let go by keyboard, and the focus stays in the diagram", async ({ page, server }) => {
  await openLab(page, "orchestration");
  await press(page, page.getByRole("button", { name: "Hold everything" }));
  await expect(page.getByText("The real system is held by you.")).toBeVisible();
  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 5, style: "orchestration" });
  const steps = page.locator(".diagram [data-hold]");
  await expect(steps).toHaveCount(3);
  await press(page, page.getByRole("button", { name: "Let Inventory publish update_sku_availability of MUG-RED", exact: true }));
  await expect(page.locator('.diagram [data-hold][data-gate="after_delivery"]')).toHaveCount(1);
  await expect(page.locator(".diagram :focus")).toHaveCount(1);
  // The same from the control room's list, which is in words.
  await press(page, page.getByRole("button", { name: "Inventory: publish recalculate_sku MUG-RED" }));
  await expect(page.locator('.diagram [data-hold][data-gate="after_delivery"]')).toHaveCount(2);
  await press(page, page.getByRole("button", { name: "Open all" }));
  await expectSettled(page);
});

test("faults, workers, the desk and the simulator are worked by keyboard", async ({ page, server }) => {
  test.setTimeout(120_000);
  await openLab(page, "orchestration");
  const faults = await unfold(page, "Break something");
  await tabTo(page, faults.getByLabel("What breaks"));
  await page.keyboard.type("Poison");
  await expect(faults.getByLabel("What breaks")).toHaveValue("poison");
  await tabTo(page, faults.getByLabel("When"));
  await page.keyboard.press("ArrowDown");
  await type(page, faults.getByLabel("n", { exact: true }), "1");
  await press(page, faults.getByRole("button", { name: "Break it" }));
  await expect(page.locator('.diagram [data-node="catalog"][data-fault~="poison"]')).toBeAttached();

  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 5, style: "orchestration" });
  const desk = await unfold(page, "Dead letters");
  await expect(desk.locator("[data-letter]")).toHaveCount(1, { timeout: 60_000 });
  await press(page, faults.getByRole("button", { name: /^Clear / }));
  await expect(page.locator(".diagram [data-fault]")).toHaveCount(0);
  await press(page, desk.getByRole("button", { name: "Replay to origin: update_sku_availability" }));
  await expect(desk.getByText("Nothing is parked")).toBeVisible();
  await expectSettled(page);

  const workers = await unfold(page, "Workers");
  const wishlist = workers.locator('[data-workers="wishlist"]');
  await type(page, wishlist.getByLabel("Workers", { exact: true }), "2");
  await page.keyboard.press("Enter");
  await expect.poll(() => server.get("/api/orchestration/wishlist/workers")).toMatchObject({ workers: 2 });

  const simulator = await unfold(page, "Simulator");
  await tabTo(page, simulator.getByRole("radio", { checked: true }));
  await page.keyboard.press("ArrowDown");
  await expect.poll(() => server.get("/api/simulator")).toMatchObject({ preset: "truck_at_the_gate" });
  await type(page, simulator.getByLabel(/Stop after/), "3");
  await press(page, simulator.getByRole("button", { name: "Start" }));
  await expect.poll(() => server.get("/api/simulator")).toMatchObject({ arrivals: 3 });
});

test("views, filters, exports and runs are worked by keyboard", async ({ page, server }, info) => {
  test.setTimeout(120_000);
  await settled(page, server, "choreography");
  await tabTo(page, page.getByRole("tab", { name: "Log" }));
  for (const view of ["Timeline", "Sequence"]) {
    await page.keyboard.press("ArrowRight");
    await isOpen(page, view);
    await expect(page.getByRole("tab", { name: view })).toBeFocused();
  }
  await press(page, page.getByRole("button", { name: "Acks", exact: true }));
  await expect(page.getByRole("button", { name: "Acks", exact: true })).toHaveAttribute("aria-pressed", "true");
  const picture = page.waitForEvent("download");
  await press(page, page.getByRole("button", { name: "Save as SVG" }));
  expect((await picture).suggestedFilename()).toBe("skuflow-sequence.svg");
  await tabTo(page, page.locator('.seq-row[tabindex="0"]'));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page.locator(".inspector")).toBeFocused();

  await tabTo(page, page.getByRole("tab", { name: "Sequence" }));
  await page.keyboard.press("ArrowLeft");
  await isOpen(page, "Timeline");
  await page.keyboard.press("ArrowLeft");
  await isOpen(page, "Log");
  await type(page, page.getByLabel("Filter by SKU"), "mug");
  await tabTo(page, page.getByLabel("Filter by kind"));
  await page.keyboard.type("acked");
  await expect(page.locator(".log-row")).toHaveCount(3);
  await press(page, page.getByLabel("Selected arrival only"), "Space");
  await expect(page.getByLabel("Selected arrival only")).toBeChecked();

  const saved = page.waitForEvent("download");
  await press(page, page.getByRole("button", { name: "Save run" }));
  const file = info.outputPath("run.json");
  await (await saved).saveAs(file);
  const chooser = page.waitForEvent("filechooser");
  await press(page, page.getByLabel("Open run"));
  await (await chooser).setFiles(file);
  await expect(page.locator('main[data-connection="replay"]')).toBeAttached();
  // The playhead's own slider.
  await tabTo(page, page.getByRole("slider", { name: "Playhead" }));
  const first = await seqOf(page);
  await page.keyboard.press("End");
  await expect.poll(() => seqOf(page)).toBeGreaterThan(first);
  await press(page, page.getByRole("link", { name: "Back to the live system" }));
  await expect(page.locator('main[data-connection="live"]')).toBeAttached();
});

test("the comparison, the shop, the mailbox and the theme are worked by keyboard", async ({ page, server, forgive }) => {
  test.setTimeout(120_000);
  // An e-mail is shown in a frame without scripts, and Playwright asks in vain there who has the focus.
  forgive(/frame is sandboxed/);
  await open(page, "/compare");
  await expect(page.locator('main[data-connection="live"]')).toBeAttached();
  await press(page, page.getByRole("button", { name: "Send through both" }));
  await expect(page.locator("[data-step]").first()).toBeVisible();
  await expect(page).toHaveURL(/choreography=.*orchestration=/);

  await server.post("/api/arrivals", { sku: "MUG-RED", quantity: 3, style: "choreography" });
  await expect.poll(async () => (await server.product("choreography", "MUG-RED"))?.quantity).toBeGreaterThan(2);
  await open(page, "/store");
  const stock = async () => (await server.product("choreography", "MUG-RED"))?.quantity ?? 0;
  const before = await stock();
  await press(page, page.getByRole("button", { name: "Buy one Red mug, choreography" }));
  await expect.poll(stock).toBe(before - 1);
  const wish = page.locator("details.wish", { has: page.locator("#wish-MUG-BLUE") });
  await press(page, wish.locator("summary"));
  await type(page, wish.getByLabel("E-mail"), "ada@example.com");
  await press(page, page.getByRole("button", { name: "Wish for Blue mug, choreography" }));
  await expect.poll(async () => (await server.wishes("choreography", "MUG-BLUE")).map((one) => one.email)).toContain("ada@example.com");

  await open(page, "/mailbox");
  const mail = page.getByRole("list", { name: /E-mails/ }).getByRole("link").first();
  await press(page, mail);
  await expect(page.getByRole("article")).toBeVisible();
  await press(page, page.getByRole("button", { name: "Source" }), "Space");
  await expect(page.getByLabel("Source", { exact: true })).toContainText("Message-ID");

  const theme = page.locator("html");
  await press(page, page.getByRole("button", { name: /^Theme/ }));
  await expect(theme).toHaveAttribute("data-theme", "light");
});

/**
 * Goes through a page by Tab and tells each stop that looks the same with the focus as without it. Of what is drawn, shapes
 * inside bear the ring; of hidden fields their label, and of a card that is a link the card.
 */
async function stopsWithoutRing(page: Page) {
  const seen = new Set<string>();
  const without: string[] = [];
  for (let pressed = 0; pressed < 260; pressed += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const here = document.activeElement as HTMLElement | SVGElement | null;
      if (!here || here === document.body) return undefined;
      const around = ["label", ".way"].map((one) => here.closest(one)).filter((one) => one !== null);
      const parts = [here, ...here.querySelectorAll("rect, circle, path, text"), ...around];
      const look = () =>
        parts
          .map((part) => {
            const style = getComputedStyle(part);
            const outline = style.outlineStyle === "none" ? "" : `${style.outlineWidth} ${style.outlineColor}`;
            return [outline, style.boxShadow, style.stroke, style.strokeWidth, style.strokeOpacity].join();
          })
          .join(";");
      const focused = look();
      here.blur();
      const blurred = look();
      here.focus();
      const id = String([...document.querySelectorAll("*")].indexOf(here));
      return { id, html: here.outerHTML.slice(0, 140), isTold: focused !== blurred };
    });
    if (!stop) continue;
    if (seen.has(stop.id)) break;
    seen.add(stop.id);
    if (!stop.isTold) without.push(stop.html);
  }
  return { stops: seen.size, without };
}

test("whatever has the focus shows it, on every page", async ({ page, server }) => {
  test.setTimeout(180_000);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await settled(page, server, "choreography");
  for (const title of ["Break something", "Workers", "Dead letters", "Files from the warehouse", "Simulator"]) {
    await topic(page, title).locator("> summary").click();
    await expect(topic(page, title).locator(".part")).not.toHaveAttribute("aria-busy");
  }
  await page.getByText("Start over").click();
  await page.getByText("Single gates").click();
  await page.locator('[data-node="catalog"]').click();
  for (const [path, atLeast] of [
    ["", 60],
    ["/", 5],
    ["/store", 20],
    ["/mailbox", 5],
    ["/lab/orchestration?view=timeline", 30],
    ["/lab/choreography?view=sequence", 30],
    ["/compare", 15],
  ] as const) {
    if (path) await open(page, path);
    if (path === "/compare") {
      await page.getByRole("button", { name: "Send through both" }).click();
      // What is under way when End is pressed comes behind that place: so again, until all of it is there.
      await expect(async () => {
        await page.getByRole("slider", { name: "Playhead" }).press("End");
        await expect(page.locator('[data-play="paused"]')).toBeAttached();
        await expect(page.locator('main[data-settled="true"]')).toBeAttached({ timeout: 1_000 });
      }).toPass({ timeout: 30_000 });
    }
    const { stops, without } = await stopsWithoutRing(page);
    expect(without, path).toEqual([]);
    expect(stops, path).toBeGreaterThan(atLeast);
  }
});
