import { test } from "node:test";
import { walk } from "../helpers/model-walks.ts";
import { SessionModel } from "../helpers/session-model.ts";

// A client's own resumption (docs/link-protocol.md), in every order that a random walk finds: cuts that the edge notices before or
// behind the next connection, the end of edge and gateway, confirmations, between any two messages.

test("a session that outlives its client's connection answers every message once and in order, whatever happens between", () =>
  walk((file) => new SessionModel(file), { walks: 200, steps: 80 }));
