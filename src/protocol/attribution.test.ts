import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attribute, type Peer } from "./attribution.ts";
import { endToEndHeaders, headerValues } from "./headers.ts";

const remote: Peer = { address: "203.0.113.9", isLoopback: false, isTrustedProxy: false, isTls: false };
const local: Peer = { address: "127.0.0.1", isLoopback: true, isTrustedProxy: false, isTls: false };
const localProxy: Peer = { ...local, isTrustedProxy: true };
const remoteProxy: Peer = { ...remote, address: "10.0.0.5", isTrustedProxy: true };

const trusting = { upstreamTrustsEdge: true };
const unaware = { upstreamTrustsEdge: false };

const plain = ["Host", "gw:18789", "Authorization", "Bearer x"];

const REMOTE_REFUSED =
  "remote clients are refused: the gateway would take them for local (gateway.upstream.trustsEdge)";
const PROXY_REFUSED = "proxy on 127.0.0.1 is not trusted: list it in gateway.trustedProxies";
const PROXY_SILENT = "the trusted proxy sent no X-Forwarded-For: configure it to name its client";

/** Every header with which a client can pretend to be someone else, or a proxy says who its client is. */
const forgeries: [string, string][] = [
  ["X-Forwarded-For", "127.0.0.1"],
  ["x-forwarded-for", "::1"],
  ["X-FORWARDED-FOR", ""],
  ["X-Forwarded-Host", "localhost"],
  ["X-Forwarded-Port", "18789"],
  ["X-Forwarded-Proto", "https"],
  ["X-Forwarded-Server", "localhost"],
  ["Forwarded", "for=127.0.0.1;proto=https"],
  ["X-Real-IP", "127.0.0.1"],
  ["X-Client-IP", "127.0.0.1"],
  ["True-Client-IP", "127.0.0.1"],
  ["CF-Connecting-IP", "127.0.0.1"],
  ["Fastly-Client-IP", "127.0.0.1"],
  ["X-Cluster-Client-IP", "127.0.0.1"],
  ["X-Original-Forwarded-For", "127.0.0.1"],
  ["X-Envoy-External-Address", "127.0.0.1"],
  ["Via", "1.1 localhost"],
  ["Tailscale-User-Login", "owner@example.com"],
  ["tailscale-user-name", "The Owner"],
  ["Tailscale-User-Profile-Pic", "https://example.com/a.png"],
  ["Tailscale-Headers-Info", "https://tailscale.com/s/serve-headers"],
  ["Tailscale-App-Capabilities", "{}"],
  ["X-Clawkit-Edge", "a guessed key"],
];

/** The rest of the X-Forwarded family (Apache, Traefik, OAuth2 Proxy, Envoy's client certificate) and Cloudflare's. */
const rarerForgeries: [string, string][] = [
  ["X-Forwarded", "for=127.0.0.1"],
  ["X-Forwarded-By", "127.0.0.1"],
  ["X-Forwarded-Prefix", "/gateway"],
  ["X-Forwarded-Ssl", "on"],
  ["X-Forwarded-User", "owner"],
  ["X-Forwarded-Client-Cert", "Hash=0;Subject=CN=owner"],
  ["CF-Connecting-IPv6", "::1"],
];

describe("a remote client", () => {
  it("is named to a gateway that trusts the edge", () => {
    assert.deepEqual(attribute(plain, remote, trusting), {
      headers: [...plain, "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "http"],
      clientAddress: "203.0.113.9",
      isLocal: false,
    });
  });

  it("over TLS is named with https", () => {
    const result = attribute(plain, { ...remote, isTls: true }, trusting);
    assert.ok("headers" in result);
    assert.deepEqual(headerValues(result.headers, "x-forwarded-proto"), ["https"]);
  });

  it("over IPv6 is named by its address", () => {
    assert.deepEqual(attribute([], { ...remote, address: "2001:db8::1" }, trusting), {
      headers: ["X-Forwarded-For", "2001:db8::1", "X-Forwarded-Proto", "http"],
      clientAddress: "2001:db8::1",
      isLocal: false,
    });
  });

  it("is refused when the gateway would take it for local, and told which key to set", () => {
    assert.deepEqual(attribute(plain, remote, unaware), { refusal: REMOTE_REFUSED });
  });

  for (const [name, value] of [...forgeries, ...rarerForgeries]) {
    it(`gains nothing by ${name}: ${value}`, () => {
      assert.deepEqual(
        attribute([name, value, ...plain], remote, trusting),
        attribute(plain, remote, trusting),
      );
    });

    it(`is refused with ${name}: ${value} as without, by a gateway that does not trust the edge`, () => {
      assert.deepEqual(attribute([name, value, ...plain], remote, unaware), { refusal: REMOTE_REFUSED });
    });
  }

  it("gains nothing by all of them at once, twice", () => {
    const all = forgeries.flat();
    assert.deepEqual(
      attribute([...all, ...plain, ...all], remote, trusting),
      attribute(plain, remote, trusting),
    );
  });

  it("cannot remove our X-Forwarded-For by naming it in Connection", () => {
    const forged = [
      ...plain,
      "Connection",
      "Upgrade, X-Forwarded-For, X-Forwarded-Proto",
      "X-Forwarded-For",
      "127.0.0.1",
    ];
    assert.deepEqual(
      attribute(endToEndHeaders(forged), remote, trusting),
      attribute(plain, remote, trusting),
    );
  });
});

describe("a local client", () => {
  for (const rules of [trusting, unaware]) {
    it(`without forwarding headers is forwarded without any (upstreamTrustsEdge: ${rules.upstreamTrustsEdge})`, () => {
      assert.deepEqual(attribute(plain, local, rules), {
        headers: plain,
        clientAddress: "127.0.0.1",
        isLocal: true,
      });
    });
  }

  it("on ::1 likewise", () => {
    assert.deepEqual(attribute(plain, { ...local, address: "::1" }, unaware), {
      headers: plain,
      clientAddress: "::1",
      isLocal: true,
    });
  });

  it("is not refused for a header whose value looks like a forwarding header's name", () => {
    const headers = [...plain, "X-Note", "x-forwarded-for"];
    assert.deepEqual(attribute(headers, local, unaware), {
      headers,
      clientAddress: "127.0.0.1",
      isLocal: true,
    });
  });

  for (const [name, value] of [...forgeries, ...rarerForgeries]) {
    it(`with ${name}: ${value} is a proxy that is not trusted`, () => {
      assert.deepEqual(attribute([...plain, name, value], local, trusting), { refusal: PROXY_REFUSED });
    });
  }

  it("is told the address it came from", () => {
    assert.deepEqual(attribute(["Via", "1.1 nginx"], { ...local, address: "::1" }, trusting), {
      refusal: "proxy on ::1 is not trusted: list it in gateway.trustedProxies",
    });
  });

  it("that names its forwarding header in Connection is still a proxy that is not trusted", () => {
    const headers = [...plain, "Connection", "X-Forwarded-For", "X-Forwarded-For", "198.51.100.7"];
    assert.deepEqual(attribute(headers, local, trusting), { refusal: PROXY_REFUSED });
  });
});

describe("a trusted proxy", () => {
  const chains: [string, Peer, string[], { client: string; forwarded: string }][] = [
    [
      "names its client",
      localProxy,
      ["X-Forwarded-For", "198.51.100.7"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 127.0.0.1" },
    ],
    [
      "elsewhere names its client",
      remoteProxy,
      ["X-Forwarded-For", "198.51.100.7"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 10.0.0.5" },
    ],
    [
      "saw only the last of a chain: what stands before it is the client's own claim",
      localProxy,
      ["X-Forwarded-For", "127.0.0.1, 198.51.100.7"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 127.0.0.1" },
    ],
    [
      "may add a header of its own behind the client's",
      localProxy,
      ["X-Forwarded-For", "127.0.0.1", "x-forwarded-for", "198.51.100.7"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 127.0.0.1" },
    ],
    [
      "may write its list without spaces or with empty elements",
      localProxy,
      ["X-Forwarded-For", "192.0.2.1,, 198.51.100.7 ,"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 127.0.0.1" },
    ],
    [
      "may add its client's port: that is another with every connection, and would be another guesser",
      localProxy,
      ["X-Forwarded-For", "198.51.100.7:51234"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 127.0.0.1" },
    ],
    [
      "may write an IPv6 address as in a URL",
      localProxy,
      ["X-Forwarded-For", "[2001:db8::7]:51234"],
      { client: "2001:db8::7", forwarded: "2001:db8::7, 127.0.0.1" },
    ],
    [
      "may write an IPv4 address as an IPv6 one",
      localProxy,
      ["X-Forwarded-For", "::ffff:198.51.100.7"],
      { client: "198.51.100.7", forwarded: "198.51.100.7, 127.0.0.1" },
    ],
  ];
  for (const [name, peer, headers, { client, forwarded }] of chains) {
    it(name, () => {
      assert.deepEqual(attribute([...plain, ...headers], peer, trusting), {
        headers: [...plain, "X-Forwarded-For", forwarded, "X-Forwarded-Proto", "http"],
        clientAddress: client,
        isLocal: false,
      });
    });
  }

  it("on loopback does not make a client on loopback local", () => {
    const result = attribute(["X-Forwarded-For", "127.0.0.1"], localProxy, trusting);
    assert.ok("isLocal" in result);
    assert.equal(result.isLocal, false);
  });

  it("says which scheme its client used", () => {
    const result = attribute(
      ["X-Forwarded-For", "198.51.100.7", "X-Forwarded-Proto", "https"],
      localProxy,
      trusting,
    );
    assert.ok("headers" in result);
    assert.deepEqual(headerValues(result.headers, "x-forwarded-proto"), ["https"]);
  });

  it("passes no other forwarding header on", () => {
    const others = forgeries.filter(([name]) => !/^x-forwarded-(for|proto)$/i.test(name)).flat();
    assert.deepEqual(
      attribute([...plain, ...others, "X-Forwarded-For", "198.51.100.7"], localProxy, trusting),
      attribute([...plain, "X-Forwarded-For", "198.51.100.7"], localProxy, trusting),
    );
  });

  it("is refused when the gateway would take its clients for local", () => {
    assert.deepEqual(attribute(["X-Forwarded-For", "198.51.100.7"], localProxy, unaware), {
      refusal: REMOTE_REFUSED,
    });
  });

  const silent: [string, string[]][] = [
    ["only X-Real-IP", ["X-Real-IP", "198.51.100.7"]],
    ["only Forwarded", ["Forwarded", "for=198.51.100.7"]],
    ["only Via", ["Via", "1.1 nginx"]],
    ["an empty X-Forwarded-For", ["X-Forwarded-For", ""]],
    ["an X-Forwarded-For of commas", ["X-Forwarded-For", " , ,"]],
    ["only tailscale's user", ["Tailscale-User-Login", "owner@example.com"]],
  ];
  for (const [name, headers] of silent) {
    it(`with ${name} is refused: it does not say who its client is`, () => {
      assert.deepEqual(attribute(headers, localProxy, trusting), { refusal: PROXY_SILENT });
    });
  }

  it("on loopback that forwards nothing is a local client itself", () => {
    assert.deepEqual(attribute(plain, localProxy, trusting), {
      headers: plain,
      clientAddress: "127.0.0.1",
      isLocal: true,
    });
  });

  it("elsewhere that forwards nothing is a remote client itself", () => {
    assert.deepEqual(attribute(plain, remoteProxy, trusting), {
      headers: [...plain, "X-Forwarded-For", "10.0.0.5", "X-Forwarded-Proto", "http"],
      clientAddress: "10.0.0.5",
      isLocal: false,
    });
  });
});

describe("attribute", () => {
  it("leaves the headers it was given as they are", () => {
    const given = Object.freeze([...plain, "X-Forwarded-For", "198.51.100.7"]);
    assert.doesNotThrow(() => attribute(given, localProxy, trusting));
  });
});
