// In what encoding the consumers ask: set in the control room, and seen in the inspector at each answer.

import { violations } from "../support/axe";
import { expect, expectSettled, open, openLab, sendArrival, test } from "../support/fixtures";

interface Told {
  seq: number;
  kind: string;
  encoding?: string;
}

test("what the control room sets is what the next answer comes in, and the inspector shows its bytes", async ({ page, server }) => {
  await openLab(page, "choreography");
  const topic = page.locator('[data-topic="encoding"]');
  await topic.locator("> summary").click();
  const choice = topic.getByLabel("Answers come in");
  await expect(choice).toBeEnabled();
  await expect(choice).toHaveValue("json");
  await choice.selectOption("protobuf");
  await expect.poll(() => server.get("/api/choreography/encoding")).toEqual({ encoding: "protobuf" });
  expect(await server.get("/api/orchestration/encoding")).toEqual({ encoding: "json" });
  await expect(choice).toHaveValue("protobuf");

  await sendArrival(page, "MUG-RED", 12);
  await expectSettled(page);
  const { events } = await server.get<{ events: Told[] }>("/api/journal?limit=5000");
  const answer = events.find((event) => event.kind === "http_response" && event.encoding === "protobuf")!;

  await open(page, `/lab/choreography?select=event:${answer.seq}`);
  const inspector = page.locator(".inspector-body");
  const fact = (name: string) => inspector.locator("dt", { hasText: new RegExp(`^${name}$`) }).locator("xpath=following-sibling::dd[1]");
  await expect(fact("asked for")).toHaveText("Protobuf");
  await expect(fact("answered in")).toHaveText("Protobuf");
  await expect(fact("size")).toHaveText(/^\d+ bytes$/);
  // Field 1, a text of seven letters.
  await expect(inspector.getByLabel("Bytes of the answer")).toHaveText(/^0a 07 4d 55 47 2d 52 45 +··MUG-RE/);
  await expect(inspector.getByLabel("The answer, decoded")).toContainText('"quantity": 12');
  expect(await violations(page)).toEqual([]);
});
