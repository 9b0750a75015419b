import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFilesLimit } from "../../lib/limits.ts";
import { programVersion } from "../../lib/machine.ts";
import type { ProxyEntry } from "./proxy.ts";
import { runServer } from "./run-server.ts";

export const nginx: ProxyEntry = {
  name: "nginx",
  title: "nginx",
  isPeer: true,
  version() {
    const version = programVersion("nginx", "-v");
    return version ? { text: version } : { missing: "nginx is not installed (apt-get install nginx)" };
  },
  start: (port, backendPort, signal) =>
    runServer({ name: "nginx", port, signal }, (folder) => {
      const file = join(folder, "nginx.conf");
      writeFileSync(file, config(folder, port, backendPort));
      return { command: "nginx", args: ["-p", folder, "-c", file, "-e", "stderr"] };
    }),
};

/** One worker; everything that bears on speed is nginx's default. Its files stay in our folder. */
function config(folder: string, port: number, backendPort: number): string {
  const connections = Math.min(16_000, openFilesLimit() - 100);
  // a worker that drops to another user can't be inspected by it, nor enter our folder
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `${user}
daemon off;
pid ${folder}/nginx.pid;
error_log stderr crit;
worker_processes 1;
worker_rlimit_nofile ${connections + 100};
events { worker_connections ${connections}; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://127.0.0.1:${backendPort};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`;
}
