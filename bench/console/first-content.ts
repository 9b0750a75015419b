import type { BrowserContext, Page } from "playwright-core";

/** Milliseconds from the start of the navigation. */
export interface FirstContent {
  readonly sentence: number;
  readonly charts: number;
}

/** Looks from within the page: a question through the browser's door would be measured too. */
const WATCH = `
  window.firstContent = new Promise((resolve) => {
    const seen = {};
    const look = () => {
      const text = document.querySelector(".sentence")?.textContent.trim() ?? "…";
      if (text !== "…" && text !== "") seen.sentence ??= performance.now();
      if (document.querySelectorAll(".chart canvas").length >= 4) seen.charts ??= performance.now();
      if (seen.sentence === undefined || seen.charts === undefined) return;
      watcher.disconnect();
      resolve(seen);
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { childList: true, subtree: true, characterData: true });
  });
`;

/** Opens the Overview as `clawkit console` does, and then once more in the same browser. */
export async function firstContents(
  context: BrowserContext,
  url: string,
): Promise<{ readonly signingIn: FirstContent; readonly again: FirstContent }> {
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  await page.goto(url);
  const signingIn = await read(page);
  await page.reload();
  return { signingIn, again: await read(page) };
}

async function read(page: Page): Promise<FirstContent> {
  return (await page.evaluate("firstContent")) as FirstContent;
}
