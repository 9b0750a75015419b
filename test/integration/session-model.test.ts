import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Random } from "../helpers/random.ts";
import { SessionModel } from "../helpers/session-model.ts";

// A client's own resumption (docs/link-protocol.md), in every order that a random walk finds: cuts that the edge notices before or
// behind the next connection, the end of edge and gateway, confirmations, between any two messages.

const WALKS = 200;
const STEPS = 80;

describe("a session that outlives its client's connection", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-model-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("answers every message once and in order, whatever happens between", () => {
    for (let seed = 1; seed <= WALKS; seed++) {
      const random = new Random(seed);
      const model = new SessionModel(join(folder, `${seed}.db`));
      const taken: string[] = [];
      try {
        for (let i = 0; i < STEPS; i++) {
          const step = random.pick(model.steps());
          taken.push(String(step));
          step();
        }
        model.settle();
        model.check();
      } catch (error) {
        throw new Error(`walk ${seed}:\n${taken.join("\n")}`, { cause: error });
      } finally {
        model.close();
      }
    }
  });
});
