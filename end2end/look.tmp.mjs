import { chromium } from "@playwright/test";
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox","--disable-gpu","--disable-background-networking","--disable-component-update","--disable-sync","--no-first-run"] });
const p = await b.newPage({ viewport: { width: 1280, height: 800 } });
p.on("console", m => console.log("console:", m.type(), m.text()));
p.on("pageerror", e => console.log("pageerror:", e.message));
for (const path of (process.argv[3] ?? "/,/lab/choreography,/store,/mailbox").split(",")) {
  await p.goto(process.argv[2] + path);
  try { await p.waitForSelector("html[data-hydrated]", { timeout: 8000 }); } catch (e) { console.log(path, "NOT hydrated"); }
  console.log(path, await p.evaluate(() => document.querySelector("main")?.getAttribute("data-connection")), await p.title());
  if (path.startsWith("/lab")) { await p.getByRole("button", { name: "Send arrival" }).click(); await p.waitForTimeout(1500); await p.screenshot({ path: "/tmp/lab1.png" }); try { await p.waitForSelector("main[data-settled=true]", {timeout: 15000}); } catch { console.log("not settled") } await p.screenshot({ path: "/tmp/lab2.png" }); }
  else await p.screenshot({ path: "/tmp/" + (path.slice(1) || "home") + ".png" });
}
await b.close();
