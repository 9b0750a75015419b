import { test } from "node:test";
import { LinkModel } from "../helpers/link-model.ts";
import { walk } from "../helpers/model-walks.ts";

// The state machine of docs/link-protocol.md, in every order that a random walk finds: kill, replay, acknowledgement and
// planned restart between any two messages, in either direction.

test("a link that outlives its gateway answers every message once and in order, whatever happens between", () =>
  walk((file) => new LinkModel(file), { walks: 400, steps: 60 }));
