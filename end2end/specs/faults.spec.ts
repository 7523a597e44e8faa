// Breaking the system on purpose, from the page: each fault is caused, seen in the diagram, and undone.

import type { Page } from "@playwright/test";
import { expect, expectSettled, openLab, test } from "../support/fixtures";
import { STYLES, type Server, type Style } from "../support/server";
import { IS_SOAK, ONLY_SOAK } from "../support/soak";

const SKU = "MUG-RED";
const INVENTORYS = ["published_twice", "relay_crash", "broker_stopped"];
const LASTING = ["consumer_stopped", "queue_unbound", "broker_stopped"];

const topic = (page: Page, title: string) => page.locator(".topic").filter({ has: page.getByText(title, { exact: true }) });

async function openTopic(page: Page, title: string) {
  await topic(page, title).locator("> summary").click();
  await expect(topic(page, title).locator(".part").first()).not.toHaveAttribute("aria-busy");
  return topic(page, title);
}

function nodeOf(kind: string, service: string) {
  if (kind === "broker_stopped") return '[data-role="exchange"]';
  if (INVENTORYS.includes(kind)) return '[data-node="inventory"]';
  return `[data-node="${service}"]`;
}

async function setFault(page: Page, kind: string, service: string) {
  const faults = topic(page, "Break something");
  await faults.getByLabel("What breaks").selectOption(kind);
  if (!INVENTORYS.includes(kind)) await faults.getByLabel("Service", { exact: true }).selectOption(service);
  if (!LASTING.includes(kind)) {
    await faults.getByLabel("When").selectOption("every_nth");
    await faults.getByLabel("n", { exact: true }).fill("1");
  }
  await faults.getByRole("button", { name: "Break it" }).click();
  await expect(faults.locator(`[data-set="${kind}"]`)).toBeVisible();
}

const arrive = (server: Server, style: Style) => server.post("/api/arrivals", { sku: SKU, quantity: 1, style });

for (const style of STYLES) {
  test(`${style}: every fault is caused from the page, seen at its node, and undone with one click`, async ({ page, server }) => {
    test.skip(style === "orchestration" && !IS_SOAK, ONLY_SOAK);
    test.setTimeout(300_000);
    await openLab(page, style);
    const faults = await openTopic(page, "Break something");
    const kinds = await faults.getByLabel("What breaks").locator("option").evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    expect(kinds).toHaveLength(15);
    for (const kind of kinds) {
      await test.step(kind, async () => {
        // Who crashed too often is left alone, and on a slow machine the faults before this one are cleared late.
        await server.post(`/api/${style}/catalog/workers`, { workers: 1, prefetch: 256 });
        await setFault(page, kind, "catalog");
        await expect(page.locator(`.diagram ${nodeOf(kind, "catalog")}[data-fault~="${kind}"]`)).toBeAttached();
        const strikes = !(style === "orchestration" && kind.startsWith("http"));
        if (!LASTING.includes(kind)) await arrive(server, style);
        if (strikes) await expect(faults.locator(`[data-set="${kind}"]`)).not.toContainText("struck 0×", { timeout: 20_000 });
        await faults.getByRole("button", { name: /^Clear / }).first().click();
        await expect(faults.locator("[data-set]")).toHaveCount(0);
        await expect(page.locator(".diagram [data-fault]")).toHaveCount(0);
      });
    }
    // All is mended: one more arrival makes everybody agree.
    await expect(page.locator('main[data-connection="live"]')).toBeAttached({ timeout: 20_000 });
    await arrive(server, style);
    await expect(page.locator('main[data-settled="true"]')).toBeAttached({ timeout: 30_000 });
    await expect(page.locator(".meter")).toContainText("All agree");
  });
}

test("a fault that strikes once clears itself, and several are cleared at once", async ({ page, server, forgive }) => {
  forgive(/422/);
  await openLab(page, "choreography");
  const faults = await openTopic(page, "Break something");
  await faults.getByLabel("What breaks").selectOption("handler_error");
  await faults.getByRole("button", { name: "Break it" }).click();
  await expect(faults.locator('[data-set="handler_error"]')).toContainText("next time");
  await arrive(server, "choreography");
  await expect(faults.locator("[data-set]")).toHaveCount(0);
  await expectSettled(page);

  // What makes no sense is refused in words, at its field.
  await faults.getByLabel("When").selectOption("probability");
  await faults.locator("form").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await faults.getByLabel(/Probability/).fill("1.5");
  await faults.getByRole("button", { name: "Break it" }).click();
  await expect(faults.getByRole("alert")).toContainText("between 0 and 1");
  await faults.getByLabel(/Probability/).fill("0.5");

  await setFault(page, "handler_delay", "wishlist");
  await setFault(page, "poison", "catalog");
  await faults.getByRole("button", { name: "Clear all" }).click();
  await expect(faults.locator("[data-set]")).toHaveCount(0);
  await expect(page.locator(".diagram [data-fault]")).toHaveCount(0);
});

test("a parked message is seen at the desk with its reason, is replayed, edited and discarded", async ({ page, server }) => {
  test.setTimeout(120_000);
  const style = "orchestration";
  await openLab(page, style);
  const desk = await openTopic(page, "Dead letters");
  await expect(desk.getByText("Nothing is parked")).toBeVisible();
  const park = async (count: number) => {
    await fetch(`${server.url}/api/${style}/faults`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ faults: [{ kind: "poison", service: "catalog", trigger: { every_nth: 1 } }] }),
    });
    for (let at = 0; at < count; at += 1) await arrive(server, style);
    await expect(desk.locator("[data-letter]")).toHaveCount(count, { timeout: 60_000 });
    await fetch(`${server.url}/api/${style}/faults`, { method: "DELETE" });
  };
  await park(1);
  const letter = desk.locator("[data-letter]");
  await expect(letter).toContainText("catalog.update_sku_availability");
  await letter.getByText("Tries, headers and body").click();
  await expect(letter.getByLabel("Body")).toHaveValue(/"sku":"MUG-RED"/);
  await expect(letter.getByRole("listitem").first()).toContainText("1.");
  await expect(page.locator(".meter")).toContainText("1 SKU disagrees");
  await letter.getByRole("button", { name: /^Replay/ }).click();
  await expect(letter).toHaveCount(0);
  await expectSettled(page);
  await expect.poll(async () => (await server.product(style, SKU))?.quantity).toBe(1);

  await park(3);
  await letter.first().getByText("Tries, headers and body").click();
  const body = await letter.first().getByLabel("Body").inputValue();
  await letter.first().getByLabel("Body").fill(body.replace("MUG-RED", "MUG-BLUE"));
  await letter.first().getByRole("button", { name: "Edit and replay" }).click();
  await expect(letter).toHaveCount(2);
  page.on("dialog", (dialog) => void dialog.accept());
  await letter.first().getByRole("button", { name: "Discard" }).click();
  await expect(letter).toHaveCount(1);
  await desk.getByRole("button", { name: "Replay all" }).click();
  await expect(desk.getByText("Nothing is parked")).toBeVisible();
});

test("what is parked is shown page by page, and more on demand", async ({ page, server }) => {
  test.setTimeout(120_000);
  const style = "orchestration";
  await fetch(`${server.url}/api/${style}/faults`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ faults: [{ kind: "poison", service: "catalog", trigger: { every_nth: 1 } }] }),
  });
  await server.post("/api/arrivals", Array.from({ length: 120 }, () => ({ sku: SKU, quantity: 1, style })));
  await openLab(page, style);
  const desk = await openTopic(page, "Dead letters");
  const letter = desk.locator("[data-letter]");
  await expect(desk.locator("[data-parked]")).toHaveAttribute("data-parked", "120", { timeout: 60_000 });
  await expect(letter).toHaveCount(50);
  await desk.getByText("Show more").click();
  await expect(letter).toHaveCount(100);
  await desk.getByText("Show more").last().click();
  await expect(letter).toHaveCount(120);

  // What is done on a later page is seen there, and in the number of all.
  page.on("dialog", (dialog) => void dialog.accept());
  const last = await letter.last().getAttribute("data-letter");
  await letter.last().getByRole("button", { name: /^Discard/ }).click();
  await expect(desk.locator("[data-parked]")).toHaveAttribute("data-parked", "119");
  await expect(letter).toHaveCount(119);
  await expect(desk.locator(`[data-letter="${last}"]`)).toHaveCount(0);

  // What is taken from the first page moves the others up, and no letter is shown twice.
  await desk.getByRole("button", { name: "Discard these 50" }).first().click();
  await expect(desk.locator("[data-parked]")).toHaveAttribute("data-parked", "69");
  await expect(letter).toHaveCount(69);
  await desk.getByRole("button", { name: "Discard all 69" }).click();
  await expect(desk.getByText("Nothing is parked")).toBeVisible();
  await expect(letter).toHaveCount(0);
});

test("workers are seen and changed while the system runs", async ({ page, server }) => {
  await openLab(page, "choreography");
  const workers = await openTopic(page, "Workers");
  const catalog = workers.locator('[data-workers="catalog"]');
  await expect(catalog).toHaveAttribute("data-state", "running");
  await expect(workers.locator('[data-breaker="catalog"]')).toHaveText("closed");
  await catalog.getByLabel("Workers", { exact: true }).fill("3");
  await catalog.getByLabel("Prefetch").fill("5");
  await catalog.getByRole("button", { name: "Set workers of Catalog" }).click();
  await expect(catalog).toContainText("3 × prefetch 5");
  await expect.poll(() => server.get("/api/choreography/catalog/workers")).toMatchObject({ workers: 3, prefetch: 5 });
  await arrive(server, "choreography");
  await expectSettled(page);
});

test("the form says in a sentence what each fault does, and where it cannot strike", async ({ page }) => {
  for (const [style, never] of [["choreography", 0], ["orchestration", 4]] as const) {
    await openLab(page, style);
    await openTopic(page, "Break something");
    const kinds = page.getByLabel("What breaks");
    const values = await kinds.locator("option").evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
    expect(values).toHaveLength(15);
    let strikeless = 0;
    for (const value of values) {
      await kinds.selectOption(value);
      const shown = page.locator(".for-kind:visible");
      await expect(shown).toHaveCount(1);
      await expect(shown).toHaveAttribute("data-kind", value);
      if ((await shown.innerText()).includes("it never strikes")) strikeless += 1;
    }
    expect(strikeless, style).toBe(never);
  }
});

test("a broker that was stopped on purpose takes no button away, and starts from either style's lab", async ({ page, server }) => {
  await openLab(page, "choreography");
  const answer = await fetch(`${server.url}/api/orchestration/faults`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ faults: [{ kind: "broker_stopped", service: "inventory" }, { kind: "handler_delay", service: "catalog", delay_ms: 1 }] }),
  });
  expect(answer.ok).toBe(true);
  await expect(page.locator('main[data-connection="broker-down"]')).toBeAttached();
  await page.getByRole("button", { name: "Send arrival", exact: true }).click();
  await expect(page.locator('[data-node="inventory"]').first()).toContainText("outbox 1");
  await page.getByRole("button", { name: "Start the broker (stopped in orchestration)" }).click();
  await expectSettled(page);
  await expect(page.locator('[data-node="inventory"]').first()).toContainText("outbox 0");
  const { faults } = await server.get<{ faults: { kind: string }[] }>("/api/orchestration/faults");
  expect(faults.map((fault) => fault.kind), "the others stay").toEqual(["handler_delay"]);
});
