# The whole system in one container: API, dashboard and workers. Databases are given by URL (see compose.yaml).
FROM node:24-slim AS build
WORKDIR /app
COPY . .
# Models made in a checkout are their owner's alone; whoever runs in the image must read those that are shipped.
RUN chmod -R a+rX models
# Everything once, to build the dashboard (npm's prepare script); then only what runs it, and only this platform's binaries.
RUN npm ci --omit=dev --no-audit --no-fund \
  && npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && cd node_modules/onnxruntime-node/bin/napi-v* \
  && find . -mindepth 2 -maxdepth 2 ! -path "./linux/$(node -p process.arch)" -exec rm -rf {} +

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data LOG_FORMAT=json
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/core ./core
COPY --from=build /app/functions ./functions
COPY --from=build /app/models ./models
COPY --from=build /app/web/dist ./web/dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "functions/local.ts"]
