import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { errorOfShare, greaterShare } from "./rank.ts";

/**
 * How a wrong token's time is told from another's: by ranks, of samples that alternate. Who guesses right half of the time knows nothing;
 * these tests fail beyond 0.1 from that, which is many standard errors, and so never by chance. That they would see a leak is shown
 * each time, with a comparison that stops at the first difference, or takes a little longer for each byte that is right.
 */
const MAX_SHARE = 0.1;

/** What a leak is seen by, at least. */
const SEEN = 0.2;

/** Of texts that are wrong at their first byte, at their last, and too short or long. */
export function wrong(secret: string): Record<"first" | "last" | "short" | "long", string> {
  const other = (character: string) => (character === "a" ? "b" : "a");
  // each a text of its own: none is made when it is first looked at
  const flat = (text: string) => Buffer.from(text).toString();
  return {
    first: flat(other(secret[0]!) + secret.slice(1)),
    last: flat(secret.slice(0, -1) + other(secret.at(-1)!)),
    short: flat(secret.slice(0, -1)),
    long: flat(`${secret}a`),
  };
}

/** The share of the pair that is told apart best, and what it is. */
function mostDifferent(samples: Readonly<Record<string, number[]>>): { share: number; pair: string } {
  const names = Object.keys(samples);
  const pairs = names.flatMap((one, i) => names.slice(i + 1).map((other) => [one, other] as const));
  const shares = pairs.map(([one, other]) => ({
    share: Math.abs(greaterShare(samples[one]!, samples[other]!) - 0.5),
    pair: `${one} and ${other}`,
  }));
  return shares.reduce((a, b) => (a.share > b.share ? a : b));
}

export function assertSame(t: TestContext, samples: Readonly<Record<string, number[]>>): void {
  const { share, pair } = mostDifferent(samples);
  const error = errorOfShare(Object.values(samples)[0]!.length);
  assert.ok(error * 5 < MAX_SHARE, "too few samples: chance could fail this");
  t.diagnostic(`told apart best: ${pair}, by ${share.toFixed(3)} (standard error ${error.toFixed(3)})`);
  assert.ok(share < MAX_SHARE, `${pair} can be told apart: ${share}`);
}

export function assertSeen(t: TestContext, samples: Readonly<Record<string, number[]>>): void {
  const { share, pair } = mostDifferent(samples);
  t.diagnostic(`the leak is seen in ${pair}, by ${share.toFixed(3)}`);
  assert.ok(share > SEEN, `the leak is not seen: ${share}`);
}
