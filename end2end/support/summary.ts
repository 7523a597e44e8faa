// The end of a log is what people see of it first: every failure in a line, below all that Playwright says of it.

import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

export default class Summary implements Reporter {
  private readonly lines: string[] = [];

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.status === "passed" || result.status === "skipped") return;
    const colours = /\u001b\[[0-9;]*m/g;
    for (const { message } of result.errors) {
      const words = (message ?? "").replaceAll(colours, "").replaceAll(/\s+/g, " ");
      this.lines.push(`${test.titlePath().slice(1).join(" › ")}: ${words.slice(0, 400)}`);
    }
  }

  onEnd(_: FullResult) {
    if (this.lines.length > 0) console.log(`\nWhat failed:\n${this.lines.join("\n")}`);
  }
}
