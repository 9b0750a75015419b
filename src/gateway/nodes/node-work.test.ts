import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Journal } from "../journal/journal.ts";
import { NodeWork } from "./node-work.ts";

const MB = 1024 * 1024;

/** The keys of a node's actions, once these were queued for it. */
function queued(actions: readonly { readonly key: string; readonly characters: number }[]): string[] {
  const journal = new Journal(":memory:", { generation: 1, isDurable: false });
  const work = new NodeWork(journal, () => 0);
  for (const { key, characters } of actions)
    work.enqueueAction("node", { command: key, paramsJSON: "x".repeat(characters), key });
  const left = work.actions("node").map(({ command }) => command);
  journal.close();
  return left;
}

describe("what waits for a node in the background", () => {
  it("is at most 64 actions: the oldest goes", () => {
    const actions = Array.from({ length: 66 }, (_, i) => ({ key: `${i}`, characters: 1 }));
    assert.deepEqual(
      queued(actions),
      actions.slice(2).map(({ key }) => key),
    );
  });

  // they could be 25 MB each
  it("is at most 32 MB: the oldest go", () => {
    const large = ["first", "second", "third"].map((key) => ({ key, characters: 15 * MB }));
    assert.deepEqual(queued([...large, { key: "small", characters: 1 }]), ["second", "third", "small"]);
  });

  it("may be one that is larger by itself", () => {
    assert.deepEqual(queued([{ key: "one", characters: 33 * MB }]), ["one"]);
  });
});
