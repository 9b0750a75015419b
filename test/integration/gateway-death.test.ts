import { describe, test } from "node:test";
import { DEATHS, dieUnderClients } from "../helpers/gateway-death.ts";

// all six ways, with 500 clients: test/system/gateway-death.test.ts
describe("a gateway that dies under 200 clients tells each why, holds and serves them again:", () => {
  for (const death of [DEATHS.sigkill, DEATHS.heap]) {
    test(death.name, () => dieUnderClients(death, 200));
  }
});
