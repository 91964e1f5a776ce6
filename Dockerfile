# One app with the backends that it needs and no other:
#   docker build --build-arg APP=api --build-arg BACKEND=postgres -t ps-api .
# `pnpm verify:install` runs the RUN lines of the first stage, and starts what they make by the CMD of the second.
FROM node:22-slim AS build
ARG APP=api
ARG BACKEND=postgres
WORKDIR /source
COPY . .
RUN npx --yes pnpm@12 install --frozen-lockfile
RUN npx --yes pnpm@12 deploy:app "$APP" $BACKEND --to /app

FROM node:22-slim
ENV NODE_ENV=production
ENV HOST=0.0.0.0
ENV API_DATA_DIR=/data
ENV ENGINE_DATA_DIR=/data
WORKDIR /app
RUN install --directory --owner=node --group=node /data
COPY --from=build /app ./
USER node
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=10s --start-period=20s CMD ["node", "dist/health.js"]
CMD ["node", "dist/main.js"]
