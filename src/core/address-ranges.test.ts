import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AddressRanges,
  hostOf,
  isAddressRange,
  isLoopback,
  networkOf,
  plainAddress,
} from "./address-ranges.ts";

describe("addresses and ranges", () => {
  for (const [text, isOne] of [
    ["127.0.0.1", true],
    ["10.0.0.0/8", true],
    ["::1", true],
    ["fd00::/8", true],
    ["10.0.0.0/33", false],
    ["fd00::/129", false],
    ["10.0.0.0/8/8", false],
    ["10.0.0.0/", false],
    ["localhost", false],
    ["", false],
  ] as const) {
    test(`${JSON.stringify(text)} is ${isOne ? "one" : "none"}`, () =>
      assert.equal(isAddressRange(text), isOne));
  }

  test("include what lies in them, and nothing that is no address", () => {
    const ranges = new AddressRanges(["172.17.0.0/16", "192.0.2.7", "fd00::/8"]);
    const included = ["172.17.3.4", "192.0.2.7", "fd12::1"];
    const others = ["172.18.0.1", "192.0.2.8", "fe80::1", "172.17.0.1.example", "", "an unnamed peer"];
    assert.deepEqual(
      [...included, ...others].filter((address) => ranges.includes(address)),
      included,
    );
  });

  test("loopback is an address, not a name that begins like one", () => {
    const addresses = ["127.0.0.1", "127.9.9.9", "::1", "127.evil.example", "128.0.0.1", "::2"];
    assert.deepEqual(addresses.filter(isLoopback), ["127.0.0.1", "127.9.9.9", "::1"]);
  });

  test("an IPv4 address that came over IPv6 is the same one", () => {
    assert.equal(plainAddress("::ffff:192.0.2.7"), "192.0.2.7");
    assert.equal(plainAddress("fd00::7"), "fd00::7");
  });
});

describe("the network of an address", () => {
  for (const [address, network] of [
    ["192.0.2.7", "192.0.2.0/24"],
    ["::ffff:192.0.2.7", "192.0.2.0/24"],
    ["2001:db8:1:2::3", "2001:db8:1::/48"],
    ["2001:db8::3", "2001:db8:0::/48"],
    ["2001:0DB8:0001::3", "2001:db8:1::/48"],
    ["fe80::1%eth0", "fe80:0:0::/48"],
    ["127.0.0.1", undefined],
    ["::ffff:127.0.0.1", undefined],
    ["::1", undefined],
    ["unknown", undefined],
    ["192.0.2.7:4711", undefined],
    ["", undefined],
  ] as const) {
    test(`${JSON.stringify(address)} is ${network ?? "none to learn of"}`, () =>
      assert.equal(networkOf(address), network));
  }
});

describe("what an address's host has for itself", () => {
  for (const [address, host] of [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2::3", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:aaaa::3", "2001:db8:1:2::/64"],
    ["2001:db8::3", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["64:ff9b::c000:207", "64:ff9b::c000:207"],
    ["::1", "::1"],
    ["unknown", "unknown"],
  ] as const) {
    test(`${address} counts as ${host}`, () => assert.equal(hostOf(address), host));
  }
});
