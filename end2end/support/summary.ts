// The end of a log is what people see of it first: every failure in a line, below all that Playwright says of it.

import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

export default class Summary implements Reporter {
  private readonly failures: { test: TestCase; line: string }[] = [];

  onTestEnd(test: TestCase, result: TestResult) {
    if (result.status === "passed" || result.status === "skipped") return;
    const colours = /\u001b\[[0-9;]*m/g;
    for (const { message } of result.errors) {
      const words = (message ?? "").replaceAll(colours, "").replaceAll(/\s+/g, " ");
      this.failures.push({ test, line: `${test.titlePath().slice(1).join(" › ")}: ${words.slice(0, 400)}` });
    }
  }

  onEnd(_: FullResult) {
    for (const [title, outcome] of [["Flaky: failed, and passed the second time", "flaky"], ["What failed", "unexpected"]]) {
      const lines = this.failures.filter(({ test }) => test.outcome() === outcome).map(({ line }) => line);
      if (lines.length > 0) console.log(`\n${title}:\n${lines.join("\n")}`);
    }
  }
}
