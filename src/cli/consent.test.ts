import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan } from "../diagnosis/remedies/types.ts";
import { type ConsentOptions, consent } from "./consent.ts";
import type { CliContext } from "./context.ts";

/** Whether a plan of this risk is allowed, and whether a person was asked; the person says yes. */
async function allowed(risk: Plan["risk"], isTerminal: boolean, options: ConsentOptions = {}) {
  const asked: string[] = [];
  const context = {
    out: { isTerminal, line: () => undefined },
    stdin: { isTTY: isTerminal },
    ask: async (question: string) => asked.push(question) > 0,
  } as unknown as CliContext;
  const isAllowed = await consent(context, { what: "do it", risk, apply: async () => undefined }, options);
  return [isAllowed, asked.length];
}

test("a disruptive change needs --yes, or a person's yes", async () => {
  assert.deepEqual(await allowed("disruptive", false), [false, 0]);
  assert.deepEqual(await allowed("disruptive", false, { yes: true }), [true, 0]);
  assert.deepEqual(await allowed("disruptive", true), [true, 1]);
  assert.deepEqual(await allowed("disruptive", true, { json: true }), [false, 0]);
  assert.deepEqual(await allowed("disruptive", true, { nonInteractive: true }), [false, 0]);
});

test("what cannot be undone is never done by --yes alone", async () => {
  assert.deepEqual(await allowed("destructive", false, { yes: true }), [false, 0]);
  assert.deepEqual(await allowed("destructive", true, { yes: true }), [true, 1]);
});
