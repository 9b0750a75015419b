import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Debian's. */
const CHROMIUM = "/usr/bin/chromium";

/** Why there is no browser; false if there is one. In CI there must be. */
export function whyNoBrowser(): string | false {
  return existsSync(CHROMIUM) ? false : "chromium is not installed";
}

export function startBrowser(): Promise<Browser> {
  // its sandbox refuses to run as root
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}
