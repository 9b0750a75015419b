import { describe, test } from "node:test";
import { DEATHS, dieUnderClients } from "../helpers/gateway-death.ts";

describe("a gateway that dies under 500 clients tells each why, holds and serves them again:", () => {
  for (const death of Object.values(DEATHS)) test(death.name, () => dieUnderClients(death, 500));
});
