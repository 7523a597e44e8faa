import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";
import type { Options } from "./support/fixtures";

// Debian's and Ubuntu's Chromium, or whatever CHROMIUM_PATH names. Playwright's own browsers are not downloaded.
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM_PATH ?? browsers.find((path) => existsSync(path));
const rabbitmq = process.env.SKUFLOW_TEST_RABBITMQ_URL;

export default defineConfig<Options>({
  testDir: "specs",
  forbidOnly: Boolean(process.env.CI),
  workers: 2,
  // What passes only the second time is listed as flaky: a defect to be mended, which keeps nothing else from landing.
  retries: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["./support/summary.ts"]],
  use: {
    browserName: "chromium",
    launchOptions: {
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
    },
    viewport: { width: 1280, height: 800 },
    // A trace of every test would cost a fifth of the time: the second try is the one that is looked at.
    trace: "on-first-retry",
  },
  projects: [
    { name: "embedded", use: { broker: "embedded" } },
    // What the broker could change is the way of a message; the pages are the same.
    ...(rabbitmq ? [{ name: "rabbitmq", testMatch: "flow.spec.ts", use: { broker: rabbitmq } }] : []),
  ],
});
