# syntax=docker/dockerfile:1
# The console and the packages are made in the first stage; the second holds what runs: no compiler, no npm cache, no root.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY console console
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 # The image has a Node of its own; the ones in the packages are for machines with an older one.
 && rm -rf node_modules/node-linux-* node_modules/.cache

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    FENGHUO_DATA=/data \
    FENGHUO_HTTP_HOST=0.0.0.0 \
    FENGHUO_MQTT_HOST=0.0.0.0
RUN groupadd --gid 10001 fenghuo \
 && useradd --uid 10001 --gid fenghuo --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fenghuo \
 && install -d -m 0700 -o fenghuo -g fenghuo /data /backup \
 # An empty volume takes over the owner of the folder it is mounted on. /broker is for what Mosquitto reads, whose user writes it.
 && install -d -m 0711 -o fenghuo -g fenghuo /secrets \
 && install -d -m 0700 -o 1883 -g 1883 /broker \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /opt/yarn*
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/console/dist console/dist
COPY bin bin
COPY src src
COPY simulators simulators
COPY config /plant
USER 10001:10001
EXPOSE 8080 1883 8883
# Alive as long as the process answers, however its parts are: restarting does not mend a full disk. With TLS or without; on loopback
# nobody needs to prove who he is. (Where http.tls requires certificates of clients, let the orchestrator look at the port instead.)
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["node", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; const at = '://127.0.0.1:' + (process.env.FENGHUO_HTTP_PORT || 8080) + '/healthz'; Promise.any(['http', 'https'].map((scheme) => fetch(scheme + at))).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: signals reach Node, which drains and exits 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/fenghuo"]
CMD ["serve", "--config", "/plant/fenghuo.yaml"]
