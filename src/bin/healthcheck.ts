import http from "node:http";
import https from "node:https";
import { callControl } from "../cli/control-client.ts";
import { messageOf } from "../core/errors.ts";
import { ownPaths } from "./own-paths.ts";

// What a container's HEALTHCHECK runs: exit 0 when clients are served, else 1 and a sentence for the health log. The
// supervisor knows where; whether, is asked of the gateway itself, through the edge as clients do.

/** Of each of the two questions; together below the image's HEALTHCHECK --timeout. */
const ANSWER_MS = 2_000;

function healthz(url: string): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    // ourselves on loopback: whatever name the certificate is for
    const options = { signal: AbortSignal.timeout(ANSWER_MS), rejectUnauthorized: false };
    const request = (url.startsWith("https:") ? https : http).get(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

async function whatIsWrong(): Promise<string | undefined> {
  const status = await callControl(ownPaths().controlPath, { op: "status" }, () => undefined, ANSWER_MS);
  if (status === undefined || status.url === null) return "no supervisor runs";
  const { code, text } = await healthz(`${status.url.replace(/^ws/, "http")}/healthz`);
  return code === 200 ? undefined : `/healthz answered ${code}: ${text.trim().slice(0, 300)}`;
}

const problem = await whatIsWrong().catch(messageOf);
console.log(problem ?? "healthy");
process.exit(problem === undefined ? 0 : 1);
