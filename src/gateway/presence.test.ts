import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Presence } from "./presence.ts";

const CRAB = { ts: 1, host: "crab" };
const SHRIMP = { ts: 2, host: "shrimp" };

/** Two clients, in this order. */
function bothThere(): Presence {
  const presence = new Presence();
  presence.set("a", CRAB);
  presence.set("b", SHRIMP);
  return presence;
}

describe("presence", () => {
  it("lists nobody at first", () => assert.deepEqual(new Presence().list(), []));

  it("lists who came, in the order of their coming", () => {
    assert.deepEqual(bothThere().list(), [CRAB, SHRIMP]);
  });

  it("forgets who went", () => {
    const presence = bothThere();
    presence.delete("a");
    assert.deepEqual(presence.list(), [SHRIMP]);
  });

  it("changes what is said about one, and keeps the rest and the order", () => {
    const presence = bothThere();
    presence.update("a", { ts: 3, text: "away" });
    assert.deepEqual(presence.list(), [{ ts: 3, host: "crab", text: "away" }, SHRIMP]);
  });

  it("does not bring back who went", () => {
    const presence = bothThere();
    presence.delete("a");
    presence.update("a", { text: "away" });
    assert.deepEqual(presence.list(), [SHRIMP]);
  });

  it("gives out a list that later changes leave alone", () => {
    const presence = bothThere();
    const list = presence.list();
    presence.update("a", { text: "away" });
    presence.delete("b");
    assert.deepEqual(list, [CRAB, SHRIMP]);
  });
});

describe("presence of very many", () => {
  // it goes to everyone with every hello and every change: 3000 clients that came back at once kept the gateway busy
  // for 8 s, and a third of them was told 1013
  it("is a list of 200, with the last who came", () => {
    const presence = new Presence();
    for (let i = 0; i < 1000; i++) presence.set(`${i}`, { ts: i, host: `host ${i}` });
    const hosts = presence.list().map(({ host }) => host);
    assert.equal(hosts.length, 200);
    assert.ok(hosts.includes("host 999") && !hosts.includes("host 0"));
  });
});

describe("the presence version", () => {
  const steps: [name: string, change: (presence: Presence) => void, goesUp: boolean][] = [
    ["somebody who comes", (presence) => presence.set("c", CRAB), true],
    ["somebody who changes", (presence) => presence.update("a", { text: "away" }), true],
    ["somebody who goes", (presence) => presence.delete("a"), true],
    ["a change of nobody", (presence) => presence.update("nobody", { text: "away" }), false],
    ["nobody who goes", (presence) => presence.delete("nobody"), false],
  ];
  for (const [name, change, goesUp] of steps) {
    it(`${goesUp ? "goes up with" : "stays as it is with"} ${name}`, () => {
      const presence = bothThere();
      const before = presence.version;
      change(presence);
      assert.equal(presence.version, before + (goesUp ? 1 : 0));
    });
  }
});
