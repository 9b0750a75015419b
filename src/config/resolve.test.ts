import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bindAddresses, type Environment, isLoopbackBind, resolveConfig } from "./resolve.ts";

const TOKEN = "token-of-the-file-0123";
const PATH = "/state/config.json5";

/** A config with a token and these further keys of `gateway`. */
function resolve(gateway: object, env: Environment = {}) {
  return resolveConfig(
    { path: PATH, text: JSON.stringify({ gateway: { auth: { token: TOKEN }, ...gateway } }) },
    env,
  );
}

describe("the environment overrides the file:", () => {
  test("CLAWKIT_GATEWAY_PORT", () => {
    assert.equal(resolve({ port: 1111 }, { CLAWKIT_GATEWAY_PORT: "2222" }).gateway.port, 2222);
    assert.equal(resolve({ port: 1111 }, {}).gateway.port, 1111);
  });

  for (const port of ["0", "65536", "many", "80.5", "-1"]) {
    test(`a port of ${JSON.stringify(port)} is refused, naming the variable`, () => {
      assert.throws(() => resolve({}, { CLAWKIT_GATEWAY_PORT: port }), {
        code: "CONFIG_INVALID",
        message: `CLAWKIT_GATEWAY_PORT must be a whole number from 1 to 65535, not ${JSON.stringify(port)}`,
      });
    });
  }

  test("CLAWKIT_GATEWAY_TOKEN, else OPENCLAW_GATEWAY_TOKEN", () => {
    const clawkit = { CLAWKIT_GATEWAY_TOKEN: "clawkit-token-012345" };
    const openclaw = { OPENCLAW_GATEWAY_TOKEN: "openclaw-token-01234" };
    assert.equal(resolve({}, { ...clawkit, ...openclaw }).gateway.auth.token, "clawkit-token-012345");
    assert.equal(resolve({}, openclaw).gateway.auth.token, "openclaw-token-01234");
    assert.equal(resolve({}).gateway.auth.token, TOKEN);
  });

  // `docker run -e CLAWKIT_GATEWAY_TOKEN` without a value sets an empty one.
  test("an empty CLAWKIT_GATEWAY_TOKEN is never taken for a token", () => {
    let token: string | undefined;
    try {
      token = resolve({}, { CLAWKIT_GATEWAY_TOKEN: "" }).gateway.auth.token;
    } catch {
      // refused: fine as well
    }
    assert.notEqual(token, "");
  });
});

describe("CLAWKIT_CONTAINER=1, as our image has it,", () => {
  const env = { CLAWKIT_CONTAINER: "1" };

  test("binds every address", () => assert.equal(resolve({}, env).gateway.bind, "lan"));

  test("leaves a bind that the config sets alone", () => {
    assert.equal(resolve({ bind: "loopback" }, env).gateway.bind, "loopback");
  });

  test("needs what every bind beyond loopback needs", () => {
    assert.throws(() => resolve({ auth: { mode: "none" } }, env), /needs authentication/);
    const upstream = { type: "url", url: "ws://gateway:18790" };
    assert.throws(() => resolve({ upstream }, env), /gateway\.upstream\.trustsEdge/);
  });
});

describe("what would be unsafe is refused, saying what to set:", () => {
  const unsafe: { name: string; gateway: object; told: RegExp }[] = [
    {
      name: "the built-in gateway without a token",
      gateway: { auth: { mode: "token" } },
      told: /gateway\.auth\.token is missing/,
    },
    {
      name: "the built-in gateway without a password",
      gateway: { auth: { mode: "password" } },
      told: /gateway\.auth\.password is missing/,
    },
    {
      name: "the built-in gateway without authentication, for everybody",
      gateway: { bind: "lan", auth: { mode: "none" } },
      told: /gateway\.bind lan needs authentication: set gateway\.auth\.mode/,
    },
    {
      name: "a command that is not known to tell its clients apart, for everybody",
      gateway: { bind: "0.0.0.0", upstream: { type: "command", command: ["node"] } },
      told: /gateway\.bind 0\.0\.0\.0 needs .* gateway\.upstream\.trustsEdge/,
    },
    {
      name: "a bind that is no address",
      gateway: { bind: "localhost" },
      told: /gateway\.bind must be "loopback", "lan" or an IP address, not "localhost"/,
    },
  ];
  for (const { name, gateway, told } of unsafe) {
    test(name, () => {
      assert.throws(
        () => resolve(gateway),
        (error: Error & { code: string }) => {
          assert.equal(error.code, "CONFIG_UNSAFE");
          assert.match(error.message, told);
          assert.ok(error.message.startsWith(`${PATH}: `));
          return true;
        },
      );
    });
  }

  const safe: { name: string; gateway: object }[] = [
    { name: "no authentication on loopback", gateway: { auth: { mode: "none" } } },
    { name: "no authentication on ::1", gateway: { bind: "::1", auth: { mode: "none" } } },
    { name: "a token for everybody", gateway: { bind: "lan" } },
    {
      name: "a command that tells its clients apart, for everybody",
      gateway: { bind: "lan", upstream: { type: "command", command: ["node"], trustsEdge: true } },
    },
    { name: "a URL on loopback", gateway: { upstream: { type: "url", url: "wss://gateway.example" } } },
  ];
  for (const { name, gateway } of safe) {
    test(`but not ${name}`, () => {
      assert.doesNotThrow(() => resolve(gateway));
    });
  }
});

// The edge would fail on them each time it starts.
describe("proxies that are no addresses are refused:", () => {
  test("modules that are no code", () => {
    assert.throws(() => resolve({ modules: ["./a.mts", "./notes.json"] }), {
      code: "CONFIG_UNSAFE",
      message: `${PATH}: gateway.modules must list .ts, .mts, .js or .mjs files such as "./my-methods.ts", not "./notes.json"`,
    });
  });

  for (const proxy of ["nonsense", "10.0.0.0/99", "10.0.0.0/", "::1/129", "gateway.example"]) {
    test(proxy, () => {
      assert.throws(() => resolve({ trustedProxies: [proxy] }), /gateway\.trustedProxies/);
    });
  }

  test("but not addresses and ranges", () => {
    assert.doesNotThrow(() => resolve({ trustedProxies: ["127.0.0.1", "::1", "10.0.0.0/8", "fd00::/8"] }));
  });

  describe("of the console:", () => {
    const withConsole = (console: object) => {
      const text = JSON.stringify({ gateway: { auth: { token: TOKEN } }, console });
      return () => resolveConfig({ path: PATH, text }, {});
    };
    for (const range of ["bridge", "10.0.0.0/33", "*"]) {
      test(`allowFrom ${range} is refused`, () => {
        assert.throws(withConsole({ allowFrom: [range] }), /console\.allowFrom must list IP addresses/);
      });
    }
    for (const host of ["http://box", "box:port", "a b", "", "*.example.com", "box/"]) {
      test(`hosts ${JSON.stringify(host)} is refused`, () => {
        assert.throws(withConsole({ hosts: [host] }), /console\.hosts must list names/);
      });
    }
    test("addresses, ranges and names are fine", () => {
      const hosts = ["box", "box.example:8080", "127.0.0.1:8080", "[fd00::1]:18789"];
      assert.doesNotThrow(withConsole({ allowFrom: ["172.17.0.1", "fd00::/8"], hosts }));
    });
  });
});

describe("bindAddresses", () => {
  test("loopback and lan are IPv4 and, where there is one, IPv6; an address is itself", () => {
    assert.deepEqual(bindAddresses("loopback"), [
      { address: "127.0.0.1", isOptional: false },
      { address: "::1", isOptional: true },
    ]);
    assert.deepEqual(bindAddresses("lan"), [
      { address: "0.0.0.0", isOptional: false },
      { address: "::", isOptional: true },
    ]);
    assert.deepEqual(bindAddresses("10.1.2.3"), [{ address: "10.1.2.3", isOptional: false }]);
    // OpenClaw's own command line goes to loopback whatever the address is
    assert.deepEqual(bindAddresses("10.1.2.3", true), [
      { address: "10.1.2.3", isOptional: false },
      { address: "127.0.0.1", isOptional: false },
    ]);
    for (const bind of ["127.0.0.1", "0.0.0.0"])
      assert.deepEqual(bindAddresses(bind, true), [{ address: bind, isOptional: false }]);
  });

  test("only addresses of this machine alone are loopback", () => {
    const binds = ["loopback", "127.0.0.1", "127.1.2.3", "::1", "lan", "0.0.0.0", "::", "10.0.0.1"];
    assert.deepEqual(binds.filter(isLoopbackBind), ["loopback", "127.0.0.1", "127.1.2.3", "::1"]);
  });
});
