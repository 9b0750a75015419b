import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { statePaths } from "../../src/config/paths.ts";
import { parseRunLog } from "../../src/core/run-record.ts";
import { startBrowser, whyNoBrowser } from "../helpers/browser.ts";
import { program, TestClawkit, TOKEN, until } from "../helpers/clawkit.ts";
import { TestClient } from "../helpers/clients.ts";
import { ConsolePage, wayInOf } from "../helpers/console-page.ts";

const skip = whyNoBrowser();

const LEARNED = {
  network: "192.0.2.0/24",
  intervalMs: 11_000,
  killedAfterMs: 18_300,
  learnedAt: Date.now(),
  triedAt: Date.now(),
  trialDrops: 1,
};

describe("the console in a browser", { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  describe("of a running gateway", () => {
    let clawkit: TestClawkit;
    let visitor: ConsolePage;
    before(async () => {
      clawkit = await TestClawkit.create({
        gateway: { upstream: { type: "command", command: program("echo") } },
      });
      await writeFile(statePaths(clawkit.stateDir).networkTimers, JSON.stringify([LEARNED]));
      await clawkit.runForeground();
      await clawkit.ready();
      visitor = await ConsolePage.signedIn(browser, clawkit);
    });
    after(async () => {
      await visitor?.[Symbol.asyncDispose]();
      await clawkit?.[Symbol.asyncDispose]();
    });

    test("the address has no code any more, and the page says how it is", async () => {
      assert.equal(visitor.page.url(), `http://127.0.0.1:${clawkit.port}/__clawkit__/`);
      const brand = visitor.page
        .getByRole("banner")
        .getByRole("link", { name: "ClawKit Logo ClawKit Reliability Toolkit" });
      await brand.waitFor();
      await visitor.untilState("Healthy");
      await visitor.page.getByText(/^Healthy for .*No outage this week\.$/).waitFor();
    });

    test("what the keepalive has learned of a network is told", async () => {
      const row = visitor.page.getByRole("row", { name: LEARNED.network });
      await row.waitFor();
      const cells = await row.getByRole("cell").allTextContents();
      assert.deepEqual(cells.slice(0, 3), [LEARNED.network, "11 s", "18 s"]);
    });

    test("kill -9 of the gateway: the page stays, shows outage and recovery, and the incident with its cause", async () => {
      const { page } = visitor;
      await page.evaluate("window.isTheSamePage = true");
      const client = new TestClient(clawkit.url);
      await client.opened;
      const { gateway } = await clawkit.status();
      // it comes back within half a second, and the page looks every two: a stopped one is away for longer
      process.kill(gateway.pid!, "SIGKILL");
      await page.getByText(/1 short outage this week/).waitFor();
      await visitor.untilState("Healthy");
      await page.getByRole("link", { name: "killed by signal" }).first().click();
      await page.getByRole("heading", { name: /^The gateway was away for/ }).waitFor();
      await page.getByText("ended by SIGKILL").first().waitFor();
      await page.locator(".entry-exit", { hasText: "a person or program killed it (SIGKILL)" }).waitFor();
      assert.equal(await page.evaluate("window.isTheSamePage"), true);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: "Export" }).click(),
      ]);
      assert.match(download.suggestedFilename(), /^incident-.*\.json$/);
    });

    test("a gateway that refuses to start is seen while it lasts, with a way to the doctor", async () => {
      await visitor.go("Overview");
      const client = new TestClient(clawkit.url);
      await client.opened;
      client.socket.send("exit 78");
      await visitor.untilState("Not well");
      await visitor.page.getByRole("link", { name: "Run the doctor" }).waitFor();
      assert.equal((await clawkit.cli("gateway", "restart")).code, 0);
      await visitor.untilState("Healthy");
    });

    test("a connection is listed, found by its address, told its story, and closed with a reason", async () => {
      const { page } = visitor;
      const client = new TestClient(clawkit.url);
      await client.opened;
      await client.echo("hello");
      await visitor.go("Connections");
      await page.getByRole("searchbox").fill("127.0.0.1");
      await page.locator("tbody tr").first().getByRole("link").click();
      await visitor.button("Close this connection").click();
      await page.getByLabel(/^Reason/).fill("tidying up");
      await visitor.confirm("Close it");
      assert.deepEqual(
        [(await client.ended).code, (await client.ended).reason],
        [1013, "by operator: tidying up"],
      );
    });

    test("the doctor's verdict comes first, with its evidence", async () => {
      await visitor.go("Doctor");
      await visitor.page.locator(".verdict").waitFor();
      assert.match(await visitor.verdict(), /The gateway is well/);
      await visitor.page.getByText("Everything that was looked at").click();
      await visitor.page
        .getByText(/GET .*healthz/)
        .first()
        .waitFor();
    });

    for (const [text, title] of [
      ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", /out of memory/],
      ["Error: listen EADDRINUSE: address already in use 127.0.0.1:18789", /holds the gateway's port/],
      ["gateway closed (1008): pairing required", /rejects|pair/i],
    ] as const) {
      test(`explains ${JSON.stringify(text)}, with the line that decided`, async () => {
        await visitor.go("Explain");
        await visitor.page.getByLabel("The error, or a part of the log").fill(`hello\n${text}\n`);
        await visitor.button("Explain").click();
        await visitor.page.locator("mark", { hasText: text }).waitFor();
        assert.match(await visitor.verdict(), title);
      });
    }

    test("a log that is dropped is explained as well", async () => {
      await visitor.go("Explain");
      await visitor.page.locator("input[type=file]").setInputFiles({
        name: "gateway.log",
        mimeType: "text/plain",
        buffer: Buffer.from(
          "gateway failed to start: config is not valid JSON5\nlisten EADDRINUSE: address already in use\n",
        ),
      });
      await visitor.page.locator("mark", { hasText: "EADDRINUSE" }).waitFor();
    });

    test("the playbook for 1006: each step that can run is run from the page, another platform has other commands", async () => {
      const { page } = visitor;
      await visitor.go("Playbooks");
      await page.getByRole("link", { name: /1006/ }).click();
      await page.getByRole("heading", { name: "Gateway Closed (1006) Playbook" }).waitFor();
      const runs = page.getByRole("button", { name: /^Run (ps|lsof|openclaw gateway status)/ });
      const all = await runs.count();
      assert.ok(all >= 4, `${all} steps can run`);
      for (let index = 0; index < all; index++) {
        await runs.nth(index).click();
        await until(async () => ((await page.locator(".step-result").count()) > index ? true : undefined));
      }
      for (const result of await page.locator(".step-result").allInnerTexts()) assert.match(result, /\w+/);
      await visitor
        .button(/^Run openclaw gateway restart/)
        .first()
        .click();
      await page.getByRole("dialog").getByText("it would restart the gateway").waitFor();
      await visitor.confirm("Cancel");
      const stillThere = page.locator("section", {
        has: page.getByRole("heading", { name: "Still Getting 1006?" }),
      });
      assert.equal(await stillThere.getByRole("link", { name: "Open Doctor" }).count(), 1);
      await page.getByText("Windows cmd", { exact: true }).click();
      await page.getByText("tasklist | findstr openclaw").first().waitFor();
      assert.equal(await page.getByText("ps aux | grep openclaw").count(), 0);
      assert.equal(await page.getByRole("button", { name: /^Run / }).count(), 0);
      const windows = page.locator(".step", { hasText: "tasklist | findstr openclaw" });
      assert.equal(await windows.locator(".step-result").count(), 0);
      await page.getByText("what can be run from here stands under Linux.").waitFor();
    });

    test("what was said of a playbook is stored", async () => {
      const { page } = visitor;
      await page.getByLabel(/^What was it/).fill("it was the cable");
      await visitor.button("Partly").click();
      await page.getByText(/^Thank you/).waitFor();
    });

    test("a hardening item is applied after asking, and taken back", async () => {
      const { page } = visitor;
      await visitor.go("Hardening");
      const config = await readFile(clawkit.configPath, "utf8");
      const score = page.locator(".score-text");
      await score.waitFor();
      const before = await score.textContent();
      await visitor
        .button(/^Apply/)
        .first()
        .click();
      await visitor.confirm("Apply");
      await page.locator(".notice", { hasText: "applied" }).waitFor();
      await until(async () => ((await score.textContent()) === before ? undefined : true));
      assert.notEqual(await readFile(clawkit.configPath, "utf8"), config);
      await page.reload();
      await visitor.button("Undo").click();
      await page.getByText("taken back", { exact: true }).waitFor();
      assert.equal(await readFile(clawkit.configPath, "utf8"), config);
    });

    test("logs are followed live, filtered, and the line before the crash is found", async () => {
      const { page } = visitor;
      await visitor.go("Logs");
      await page.getByText("echo server ready").first().waitFor();
      const { gateway } = await clawkit.status();
      await page.getByLabel("Follow new lines").uncheck();
      const held = await page.locator(".log").textContent();
      process.kill(gateway.pid!, "SIGKILL");
      await page.getByText("There are new lines.").waitFor();
      assert.equal(await page.locator(".log").textContent(), held);
      await page.getByLabel("Follow new lines").check();
      await page.locator(".log-end", { hasText: `pid ${gateway.pid}` }).waitFor();
      await visitor.button("The line before the crash").click();
      await page.locator(".log-found").waitFor();
      await page.getByLabel("Source").selectOption("edge");
      await until(async () =>
        (await page.locator(".log-source").allInnerTexts()).every((name) => name === "edge")
          ? true
          : undefined,
      );
    });

    test("a tab in the background asks for nothing, and goes on once it is seen", async () => {
      const { page } = visitor;
      await visitor.go("Connections");
      const see = (state: string) =>
        page.evaluate(`
          Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        `);
      const isStream = (request: { url(): string }) => request.url().endsWith("/api/v1/events");
      await Promise.all([page.waitForEvent("requestfailed", isStream), see("hidden")]);
      await Promise.all([
        page.waitForRequest(isStream),
        page.waitForResponse((response) => response.url().includes("/api/v1/connections?")),
        see("visible"),
      ]);
    });

    test("every page: no grave problem for whoever reads it otherwise, nothing wider than a phone, no complaint", async () => {
      const { page } = visitor;
      const places = [
        ["overview", "Overview"],
        ["connections", "Connections"],
        ["incidents", "Incidents"],
        ["doctor", "Doctor"],
        ["explain", "Explain"],
        ["playbooks", "Playbooks"],
        ["hardening", "Hardening"],
        ["logs", "Logs"],
      ] as const;
      const client = new TestClient(clawkit.url);
      await client.opened;
      const check = async (name: string) => {
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await visitor.graveProblems(), [], `${name}, ${colorScheme}`);
        }
        await visitor.shoot(name);
        await page.setViewportSize({ width: 360, height: 740 });
        // charts have their new width a turn after the page has its own
        const beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        await page.waitForFunction(`${beyond} === 0`, undefined, { timeout: 5_000 }).catch(async () => {
          assert.fail(`${name} is wider than 360 px, by ${await page.evaluate(beyond)}`);
        });
        await page.setViewportSize({ width: 1280, height: 900 });
      };
      for (const [name, link] of places) {
        await visitor.go(link);
        await until(async () => ((await page.locator(".skeleton").count()) === 0 ? true : undefined));
        await check(name);
      }
      await visitor.go("Playbooks");
      await page.getByRole("link", { name: /1006/ }).click();
      await page.getByRole("heading", { name: "What 1006 Means" }).waitFor();
      await check("playbook-1006");
      await visitor.go("Incidents");
      await page.locator("tbody a").first().click();
      await page.getByRole("heading", { name: "Timeline" }).waitFor();
      await check("incident");
      await visitor.go("Connections");
      await page.locator("tbody a").first().click();
      await page.getByRole("heading", { name: "The story" }).waitFor();
      await check("connection");
      assert.deepEqual(visitor.complaints, []);
    });

    test("with the keyboard alone: skip to the content, along the pages, through a dialog and out of it", async () => {
      const { page } = visitor;
      await page.reload();
      await visitor.heading().waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate("document.activeElement.textContent.trim()"), "Skip to the content");
      await visitor.go("Hardening");
      await visitor
        .button(/^Apply/)
        .first()
        .focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      const focused = () => page.evaluate("document.activeElement.textContent");
      assert.equal(await focused(), "Apply …");
      await page.keyboard.press("Enter");
      await visitor.confirm("Cancel");
      assert.equal(await focused(), "Apply …");
    });
  });

  describe("nobody comes in without a right to", () => {
    let clawkit: TestClawkit;
    before(async () => {
      clawkit = await TestClawkit.run({});
    });
    after(() => clawkit?.[Symbol.asyncDispose]());

    const newCode = async () =>
      (JSON.parse((await clawkit.cli("console", "--json")).stdout) as { url: string }).url;

    test("no session: the page says how to get one; a wrong token is refused, the right one lets in", async () => {
      await using visitor = await ConsolePage.open(browser, `http://127.0.0.1:${clawkit.port}/__clawkit__/`);
      const { page } = visitor;
      await page.getByText("clawkit console", { exact: true }).waitFor();
      assert.deepEqual(await visitor.graveProblems(), []);
      await visitor.shoot("sign-in");
      await page.getByLabel(/^Or use the gateway's token/).fill("wrong");
      await visitor.button("Sign in").click();
      await page.getByText(/The token is wrong/).waitFor();
      await page.getByLabel(/^Or use the gateway's token/).fill(TOKEN);
      await visitor.button("Sign in").click();
      await visitor.untilState("Healthy");
      await visitor.button("Sign out").click();
      await page.getByText("clawkit console", { exact: true }).waitFor();
    });

    test("a code is good once", async () => {
      const url = await newCode();
      await using first = await ConsolePage.open(browser, url);
      await first.untilState("Healthy");
      await using second = await ConsolePage.open(browser, url);
      await second.page.getByText(/The code was used before/).waitFor();
    });

    test("the console's process ends, and with it the session: the page says so; a new address pasted over it leads back in", async () => {
      await using visitor = await ConsolePage.signedIn(browser, clawkit);
      const { page } = visitor;
      await visitor.untilState("Healthy");
      const control = parseRunLog(await clawkit.runLog()).findLast(({ role }) => role === "control");
      process.kill(control!.pid, "SIGKILL");
      await page.getByText(/^The session is over/).waitFor();
      await page.goto(await newCode());
      await visitor.untilState("Healthy");
    });

    test("who signs in again in another tab can go on in the first", async () => {
      await using visitor = await ConsolePage.signedIn(browser, clawkit);
      const { page } = visitor;
      await visitor.go("Playbooks");
      await page.getByRole("link", { name: /1006/ }).click();
      const other = await page.context().newPage();
      await other.goto(await newCode());
      await other.locator(".pill", { hasText: "Healthy" }).waitFor();
      await visitor.button("No").click();
      await page.getByText(/^Thank you/).waitFor();
    });

    test("a browser that keeps nothing and has no clipboard: the page is there, and says what to do instead", async () => {
      const context = await browser.newContext();
      await context.addInitScript({
        content: `
          Object.defineProperty(window, "localStorage", {
            get: () => { throw new DOMException("refused", "SecurityError"); },
          });
          Object.defineProperty(navigator, "clipboard", { value: undefined });
        `,
      });
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${clawkit.port}/__clawkit__/`);
      await page.getByRole("button", { name: "Copy" }).click();
      await page.getByRole("button", { name: "Select and copy it by hand" }).waitFor();
      await context.close();
    });

    test("a page of another site neither reads nor changes anything, also with the visitor's cookie", async () => {
      await using visitor = await ConsolePage.signedIn(browser, clawkit);
      const foreign = http.createServer((_, response) =>
        response.setHeader("Content-Type", "text/html").end("<h1>x</h1>"),
      );
      await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
      const address = foreign.address() as { port: number };
      await visitor.page.goto(`http://127.0.0.1:${address.port}/`);
      const answers = await visitor.page.evaluate(async (base) => {
        const ask = (path: string, init: RequestInit) =>
          fetch(base + path, { credentials: "include", ...init }).then(
            (response) => String(response.status),
            () => "refused",
          );
        return [
          await ask("/overview", {}),
          await ask("/doctor", { method: "POST", mode: "no-cors" }),
          await ask("/harden/apply", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: "{}",
          }),
        ];
      }, `http://127.0.0.1:${clawkit.port}/__clawkit__/api/v1`);
      foreign.close();
      // not even that there is an answer can be seen from there; control.test.ts shows that it was a 403
      assert.deepEqual(answers, ["refused", "refused", "refused"]);
    });
  });

  test("with nothing running clawkit console opens, names it, and its fix starts the gateway; that it helped changes what a bare 1006 is taken for", async () => {
    await using clawkit = await TestClawkit.create();
    await using visitor = await ConsolePage.open(
      browser,
      await wayInOf(clawkit.spawnCli("console", "--json")),
    );
    const { page } = visitor;
    await visitor.untilState("Not running");
    await page.getByText(/No edge is running/).waitFor();
    await page.getByText(/^Nothing was measured/).waitFor();
    assert.deepEqual(await visitor.graveProblems(), []);
    await visitor.shoot("nothing-running");
    const firstOfBare1006 = async () => {
      await visitor.go("Explain");
      await page
        .getByLabel("The error, or a part of the log")
        .fill("gateway closed (1006 abnormal closure (no close frame))");
      await visitor.button("Explain").click();
      return (await page.locator(".finding h2").first().textContent()) ?? "";
    };
    assert.match(await firstOfBare1006(), /event loop is blocked/);
    await visitor.go("Doctor");
    await visitor.button(/^Fix/).click();
    assert.deepEqual(await visitor.graveProblems(), []);
    await visitor.shoot("doctor-asks");
    await visitor.confirm("Fix it");
    await page.getByText(/It helped\./).waitFor({ timeout: 60_000 });
    await visitor.untilState("Healthy");
    const edge = `http://127.0.0.1:${clawkit.port}/__clawkit__/`;
    await page.getByRole("link", { name: edge }).waitFor();
    assert.match(await visitor.verdict(), /The gateway is well/);
    await visitor.go("Playbooks");
    await page.getByRole("link", { name: /1006/ }).click();
    await visitor.button("Yes").click();
    await page.getByText(/^Thank you/).waitFor();
    assert.match(await firstOfBare1006(), /Nothing listens/);
  });

  test("with a foreign server on the port clawkit console opens, names it, and offers no fix that ends it", async () => {
    await using clawkit = await TestClawkit.create();
    const foreign = http.createServer((_, response) => response.end("somebody else's"));
    await new Promise<void>((resolve) => foreign.listen(clawkit.port, "127.0.0.1", resolve));
    await using visitor = await ConsolePage.open(
      browser,
      await wayInOf(clawkit.spawnCli("console", "--json")),
    );
    await visitor.untilState("Port taken");
    await visitor.go("Doctor");
    await visitor.page.locator(".verdict").waitFor();
    assert.match(await visitor.verdict(), /port/i);
    await visitor.page.getByText(`pid ${process.pid}`).first().waitFor();
    await visitor.page.getByText(/Nothing that is safe to do by a button/).waitFor();
    await visitor.shoot("port-taken");
    foreign.close();
  });

  test("the edge goes away under an open page: the page says so, keeps what it had, and goes on by itself", async () => {
    await using clawkit = await TestClawkit.run({});
    await using visitor = await ConsolePage.signedIn(browser, clawkit);
    await visitor.untilState("Healthy");
    const { edge } = await clawkit.status();
    process.kill(edge.pid!, "SIGSTOP");
    process.kill(edge.pid!, "SIGKILL");
    await visitor.untilState("Healthy");
    await clawkit.untilStatus((status) => status.edge.pid !== edge.pid && status.state === "healthy");
    await visitor.page.getByText(/No outage this week|1 short outage/).waitFor();
  });
});
