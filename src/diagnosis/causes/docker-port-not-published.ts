import type { Cause } from "../types.ts";

export const dockerPortNotPublished: Cause = {
  id: "docker-port-not-published",
  title: "The gateway's container runs, and its port is not published on this machine",
  confirmedBy: [["container-not-published", "connect-refused"]],
  seen: 1,
  remedies: [
    {
      text: "Publish the port (EXPOSE in an image does not) and make the container anew.",
      commands: ['ports: ["{port}:{port}"]   # in docker-compose.yml', "docker compose up -d {service}"],
      risk: "disruptive",
    },
  ],
};
