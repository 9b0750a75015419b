import assert from "node:assert/strict";
import type http from "node:http";
import { test } from "node:test";
import { sendWaitingPage } from "./waiting-page.ts";

test("what a gateway says of its end is text on the page, and the page comes back by itself", () => {
  let status = 0;
  let headers: Record<string, string> = {};
  let body = "";
  const response = {
    writeHead: (code: number, fields: Record<string, string>) => {
      status = code;
      headers = fields;
    },
    end: (text: string) => {
      body = text;
    },
  };
  const reason = 'it said <script>alert("1")</script> & ended';
  sendWaitingPage(response as unknown as http.ServerResponse, { reason, retryAfterSec: 2 });
  assert.equal(status, 503);
  assert.match(headers["Content-Security-Policy"]!, /default-src 'none'.*frame-ancestors 'self'/);
  assert.equal(headers["Cache-Control"], "no-store");
  assert.match(body, /<meta http-equiv="refresh" content="2">/);
  assert.doesNotMatch(body, /<script|"1"/);
  assert.match(body, /it said &#60;script&#62;alert\(&#34;1&#34;\)&#60;\/script&#62; &#38; ended\./);
});
