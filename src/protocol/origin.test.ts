import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isOriginAllowed } from "./origin.ts";

describe("isOriginAllowed", () => {
  const listed = ["https://console.example", "null"];
  const cases: [string, string | undefined, number, boolean][] = [
    ["no Origin: not a browser", undefined, 18789, true],
    ["localhost on our port", "http://localhost:18789", 18789, true],
    ["127.0.0.1 on our port", "http://127.0.0.1:18789", 18789, true],
    ["[::1] on our port", "http://[::1]:18789", 18789, true],
    ["localhost in capitals", "http://LOCALHOST:18789", 18789, true],
    ["localhost over https", "https://localhost:18789", 18789, true],
    ["http without a port, on 80", "http://localhost", 80, true],
    ["https without a port, on 443", "https://localhost", 443, true],
    ["a listed origin", "https://console.example", 18789, true],
    ["a listed null", "null", 18789, true],

    ["localhost on another port", "http://localhost:3000", 18789, false],
    ["localhost without a port", "http://localhost", 18789, false],
    ["https without a port, on 80", "https://localhost", 80, false],
    ["another site", "https://evil.example", 18789, false],
    ["another site on our port (DNS rebinding)", "http://evil.example:18789", 18789, false],
    ["a name that begins like ours", "http://localhost.evil.example:18789", 18789, false],
    ["an address that begins like ours", "http://127.0.0.1.evil.example:18789", 18789, false],
    ["a name that ends like ours", "http://evil-localhost:18789", 18789, false],
    ["our name as a user's", "http://localhost:18789@evil.example", 18789, false],
    ["an address that is no loopback", "http://192.168.1.5:18789", 18789, false],
    ["the unspecified address", "http://0.0.0.0:18789", 18789, false],
    ["a listed host on another scheme", "http://console.example", 18789, false],
    ["a listed host on another port", "https://console.example:8443", 18789, false],
    ["a subdomain of a listed host", "https://a.console.example", 18789, false],
    ["a listed origin with something behind it", "https://console.example.evil.example", 18789, false],
    ["an empty Origin", "", 18789, false],
    ["words", "not an origin", 18789, false],
    ["a file", "file://", 18789, false],
    ["an extension", "chrome-extension://abcdefghijklmnop", 18789, false],
    // The WebViews of Capacitor and Ionic apps: their pages are not served by us, whatever port we have.
    ["an app's own scheme, with our port 80", "capacitor://localhost", 80, false],
    ["an app's own scheme, on our port", "app://localhost:18789", 18789, false],
  ];
  for (const [name, origin, port, expected] of cases) {
    it(`${expected ? "lets in" : "refuses"} ${name}`, () =>
      assert.equal(isOriginAllowed(origin, port, listed), expected));
  }

  it("refuses null unless it is listed: sandboxed frames and local files of any author send it", () => {
    assert.equal(isOriginAllowed("null", 18789, []), false);
  });
});
