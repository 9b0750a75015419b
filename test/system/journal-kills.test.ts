import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { Journal } from "../../src/gateway/journal/journal.ts";
import { program, sleep } from "../helpers/clawkit.ts";
import { Random } from "../helpers/random.ts";

/** Of two journals, one after the other each. */
const KILLS = 200;

/** While it opens, writes, or copies the log of its commits into the file, which takes some hundred of them. */
const LONGEST_MS = 150;

describe("kill -9 in the middle of a write", { concurrency: true }, () => {
  for (const half of [1, 2]) {
    test(`${KILLS / 2} times (${half} of 2): the journal opens, is whole, and has what was acknowledged`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "clawkit-journal-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const path = join(folder, "journal.db");
      const random = new Random(half);
      let generation = 0;
      let acknowledged = 0;
      let midway = 0;
      for (let kill = 1; kill <= KILLS / 2; kill++) {
        const [command, ...args] = program("journal-writer", path, String(++generation));
        const child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"] });
        let output = "";
        child.stdout.on("data", (chunk) => {
          output += chunk;
        });
        await once(child.stdout, "data");
        await sleep(random.below(LONGEST_MS));
        child.kill("SIGKILL");
        await once(child, "close");
        acknowledged = Math.max(acknowledged, ...output.split("\n").slice(1, -1).map(Number));

        const journal = new Journal(path, { generation: ++generation, isDurable: false });
        const link = journal.links()[0];
        const emitted = link?.emitted ?? 0;
        assert.ok(
          emitted >= acknowledged,
          `kill ${kill}: ${acknowledged} was acknowledged, ${emitted} is there`,
        );
        // all of a commit, or nothing
        assert.equal(link?.stored ?? 0, emitted);
        if (link !== undefined) assert.equal(journal.outbox(link.key, 0).at(-1)?.n ?? emitted, emitted);
        journal.close();
        const db = new DatabaseSync(path, { readOnly: true });
        assert.deepEqual({ ...db.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
        db.close();
        if (emitted > acknowledged) midway++;
      }
      t.diagnostic(`${acknowledged} commits; ${midway} kills between a commit and its acknowledgement`);
      assert.ok(acknowledged > KILLS, "hardly anything was written");
    });
  }
});
