import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { pagesDir } from "../../src/bin/entries.ts";
import { ROOT, type TestClawkit } from "./clawkit.ts";

/** Every page in every guise lands here; git ignores it, and a person looks. */
const SCREENSHOTS = join(ROOT, "screenshots");

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe calls these keeps somebody from using the page. */
const GRAVE = ["serious", "critical"];

/** A visitor of the console, in a browser of their own. */
export class ConsolePage implements AsyncDisposable {
  readonly page: Page;
  readonly #context: BrowserContext;
  /** What the browser itself complained of: policy, scripts, files. */
  readonly complaints: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // that an answer was an error is shown on the page, or it is a failure of the test
      if (message.type() !== "error" || message.text().startsWith("Failed to load resource")) return;
      this.complaints.push(message.text());
    });
  }

  static async open(browser: Browser, url: string): Promise<ConsolePage> {
    assert.ok(existsSync(join(pagesDir(), "index.html")), "the pages are not built: npm run prepare");
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const visitor = new ConsolePage(context, await context.newPage());
    await visitor.page.goto(url);
    await visitor.heading().waitFor();
    return visitor;
  }

  /** Signed in, as `clawkit console` leads there. */
  static async signedIn(browser: Browser, clawkit: TestClawkit): Promise<ConsolePage> {
    const { url } = JSON.parse((await clawkit.cli("console", "--json")).stdout) as { url: string };
    return await ConsolePage.open(browser, url);
  }

  /** With the page's own links, as a person would go. */
  async go(name: string): Promise<void> {
    await this.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await this.page.getByRole("heading", { name, level: 1 }).waitFor();
  }

  heading(): Locator {
    return this.page.getByRole("heading", { level: 1 });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name });
  }

  /** The gateway's state in the header. */
  async untilState(state: string): Promise<void> {
    await this.page.locator(".pill", { hasText: state }).waitFor();
  }

  /** In the dialog that asks first. */
  async confirm(name: string): Promise<void> {
    await this.page.getByRole("dialog").getByRole("button", { name }).click();
  }

  async verdict(): Promise<string> {
    return (await this.page.locator(".verdict").textContent()) ?? "";
  }

  /** Problems that axe finds here and that keep somebody from using the page. */
  async graveProblems(): Promise<string[]> {
    // not as a script of the page, which its policy would refuse
    if (!(await this.page.evaluate("'axe' in window"))) {
      await this.#context.addInitScript({ path: AXE });
      await this.page.reload();
      await this.heading().waitFor();
    }
    const { violations } = (await this.page.evaluate("axe.run()")) as {
      violations: { id: string; impact: string; nodes: { html: string }[] }[];
    };
    return violations
      .filter(({ impact }) => GRAVE.includes(impact))
      .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  }

  /** Light and dark, wide and narrow. */
  async shoot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    for (const colorScheme of ["light", "dark"] as const) {
      await this.page.emulateMedia({ colorScheme });
      for (const width of [1280, 360]) {
        await this.page.setViewportSize({ width, height: 900 });
        await this.page.screenshot({
          path: join(SCREENSHOTS, `${name}-${colorScheme}-${width}.png`),
          fullPage: true,
        });
      }
    }
    await this.page.setViewportSize({ width: 1280, height: 900 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** Where a `clawkit console --json` that goes on, as there is no edge, serves it. */
export async function wayInOf(command: ChildProcess): Promise<string> {
  let printed = "";
  while (!printed.includes("}")) printed += String((await once(command.stdout!, "data"))[0]);
  const { url, servedBy } = JSON.parse(printed) as { url: string; servedBy: string };
  assert.equal(servedBy, "this command");
  return url;
}
