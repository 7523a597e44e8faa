// What every test has: a server of its own, and a page that must not complain.

import { test as base, expect, type Page } from "@playwright/test";
import { Server } from "./server";

export interface Options {
  /** What `--broker` says. */
  broker: string;
}

export interface Fixtures {
  server: Server;
  /** What else stands on the server's command line. */
  flags: readonly string[];
  /** Lets the browser's console say what it otherwise must not, such as that a request was refused. */
  forgive: (expected: RegExp) => void;
}

export const test = base.extend<Options & Fixtures>({
  broker: ["embedded", { option: true }],

  flags: [],

  server: async ({ broker, flags }, use) => {
    const server = new Server(broker, flags);
    await server.start();
    await use(server);
    await server.stop();
    server.discard();
  },

  baseURL: async ({ server }, use) => use(server.url),

  forgive: [
    async ({ page }, use) => {
      const forgiven: RegExp[] = [];
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      await use((expected) => forgiven.push(expected));
      expect(complaints.filter((text) => !forgiven.some((expected) => expected.test(text)))).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

/** Opens a page and waits until its controls work. A click before that would be lost. */
export async function open(page: Page, path: string) {
  await page.goto(path);
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
}

/** Opens a style's lab and waits until events arrive as they happen. */
export async function openLab(page: Page, style: string) {
  await open(page, `/lab/${style}`);
  await expect(page.locator(`main[data-style="${style}"][data-connection="live"]`)).toBeAttached();
}

/** Fills the form in the lab and sends it, as a reader would. */
export async function sendArrival(page: Page, sku: string, quantity: number | string) {
  await page.getByLabel("SKU", { exact: true }).fill(sku);
  await page.getByLabel("Quantity", { exact: true }).fill(String(quantity));
  await page.getByRole("button", { name: "Send arrival", exact: true }).click();
}

/** Every queue is empty and the three services agree. */
export async function expectSettled(page: Page) {
  await expect(page.locator('main[data-settled="true"]')).toBeAttached();
}

/** The place of the last event that the page has taken in. */
export async function seqOf(page: Page) {
  return Number(await page.locator("main[data-seq]").getAttribute("data-seq"));
}
