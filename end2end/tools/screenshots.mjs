// Takes a picture of every page, small and large, light and dark, for people to look at.
// Use: node tools/screenshots.mjs URL FOLDER

import { chromium } from "@playwright/test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const [url, folder] = process.argv.slice(2);
const PAGES = {
  home: "/",
  "lab-choreography": "/lab/choreography",
  "lab-orchestration": "/lab/orchestration",
  compare: "/compare",
  store: "/store",
  mailbox: "/mailbox",
  nowhere: "/nowhere",
};
const SIZES = [[1280, 800], [390, 844], [320, 640]];

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
for (const theme of ["light", "dark", "projector"]) {
  for (const [width, height] of SIZES) {
    const context = await browser.newContext({ viewport: { width, height } });
    await context.addCookies([{ name: "theme", value: theme, url }]);
    const page = await context.newPage();
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(url + path);
      await page.locator("html[data-hydrated]").waitFor({ state: "attached" });
      await page.waitForTimeout(700);
      await page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`), fullPage: name !== "store" });
    }
    await context.close();
  }
}
await browser.close();
