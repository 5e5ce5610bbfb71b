# Souk's production image: the API by default, the worker with `node dist/worker.js`.
# Redis and PostgreSQL are not in it: set REDIS_URL and DATABASE_URL. See compose.yaml.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
# The transpiler builds and then has nothing to do in production.
RUN node scripts/build.mjs && npm uninstall --no-save --omit=dev esbuild

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 WORKER_PORT=4001
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Run by nobody unless PERSISTED_DOCUMENTS_FILE names it.
COPY persisted-documents.json ./
USER node
EXPOSE 4000 4001
# Node is what the image has; it asks what an orchestrator would ask. An API listens on PORT, a worker on WORKER_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "Promise.any([process.env.PORT, process.env.WORKER_PORT].map((port) => fetch(`http://127.0.0.1:${port}/livez`))).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1, so SIGTERM reaches it and drains.
CMD ["node", "dist/main.js", "--api"]
