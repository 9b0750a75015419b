# openclaw/gateway: the supervisor, its edge and the built-in gateway. How to run it: docs/containers.md.
# Written for BuildKit and for the builder before it.

FROM node:24.21.0-bookworm-slim AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends tini
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# not `npm ci`: the lockfile names the native parts of the tools for some platforms only
RUN npm install --no-save --ignore-scripts
COPY . .
RUN npm pack --silent && mkdir /package && tar -xzf clawkit-*.tgz -C /package --strip-components=1

# The same base without what only a build needs: npm is most of what image scanners complain about.
FROM node:24.21.0-bookworm-slim AS root
RUN rm -rf /opt/* /usr/local/include /usr/local/share /usr/local/lib/node_modules \
      /usr/local/bin/np[mx] /usr/local/bin/corepack /usr/local/bin/yarn* /usr/share/doc /usr/share/man \
  && mkdir -m 0700 /home/node/.clawkit \
  && chown node:node /home/node/.clawkit
COPY --from=build /usr/bin/tini /usr/bin/tini
COPY --from=build /package /opt/clawkit
RUN for name in clawkit openclaw; do ln -s /opt/clawkit/dist/$name.js /usr/local/bin/$name; done

# One layer: what was removed above is not in the image.
FROM scratch
COPY --from=root / /
# A container is reached from outside it: without a gateway.bind in the config it binds every address.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/home/node \
    NODE_ENV=production \
    CLAWKIT_CONTAINER=1
USER node
WORKDIR /home/node
VOLUME /home/node/.clawkit
EXPOSE 18789
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "/opt/clawkit/dist/healthcheck.js"]
ENTRYPOINT ["tini", "--"]
CMD ["clawkit", "gateway", "run"]
