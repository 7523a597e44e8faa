// What axe finds wrong with a page as it is now, by the rules of WCAG 2.2 AA, and of 2.5.3 (label in name), which axe
// leaves out unless it is asked.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

const NAMES = "label-content-name-mismatch";
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** The rules that are broken and where, on the whole page or in a part of it. */
export async function violations(page: Page, part?: string) {
  // In this page alone: a page of its own would take the front from this one, which then draws no frames.
  const axe = new AxeBuilder({ page }).setLegacyMode(true).options({
    resultTypes: ["violations"],
    runOnly: { type: "tag", values: RULES },
    rules: { [NAMES]: { enabled: true } },
  });
  const found = await (part ? axe.include(part) : axe).analyze();
  // A held step, a step of the sequence and the badge of a fault say in a tooltip what they show in short. Axe counts that
  // as seen too; their names have it once.
  const isMeant = (id: string, html: string) => id !== NAMES || !/held-step|seq-row|data-fault=/.test(html);
  return found.violations
    .map(({ id, nodes }) => [id, nodes.map((node) => node.html).filter((html) => isMeant(id, html))] as const)
    .filter(([, nodes]) => nodes.length > 0);
}
