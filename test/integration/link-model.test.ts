import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { LinkModel } from "../helpers/link-model.ts";
import { Random } from "../helpers/random.ts";

// The state machine of docs/link-protocol.md, in every order that a random walk finds: kill, replay, acknowledgement and
// planned restart between any two messages, in either direction.

const WALKS = 400;
const STEPS = 60;

describe("a link that outlives its gateway", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clawkit-model-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("answers every message once and in order, whatever happens between", () => {
    for (let seed = 1; seed <= WALKS; seed++) {
      const random = new Random(seed);
      const model = new LinkModel(join(folder, `${seed}.db`));
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
