import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A self-signed certificate for localhost and 127.0.0.1, and its key, as files. */
export class TestCertificate implements AsyncDisposable {
  readonly cert: string;
  readonly key: string;
  readonly pem: string;
  readonly #folder: string;

  private constructor(folder: string, pem: string) {
    this.#folder = folder;
    this.cert = join(folder, "cert.pem");
    this.key = join(folder, "key.pem");
    this.pem = pem;
  }

  /** Makes one with the openssl command line (Node has no API for it); a string says why that is not possible. */
  static async make(): Promise<TestCertificate | string> {
    const folder = await mkdtemp(join(tmpdir(), "clawkit-tls-"));
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    args.push("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    args.push("-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem"));
    try {
      await promisify(execFile)("openssl", args);
      return new TestCertificate(folder, await readFile(join(folder, "cert.pem"), "utf8"));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      return `no certificate, as openssl failed: ${(error as Error).message.split("\n", 1)[0]}`;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
