# syntax=docker/dockerfile:1

# Plinth as an image: the built server and what it needs at run time.
#   docker build -t plinth .
# Without the embedded PostgreSQL, for a DATABASE_URL only, it is 60 MB smaller:
#   docker build -t plinth --build-arg OMIT="--omit=dev --omit=optional" .

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/embedded-postgres/package.json libs/embedded-postgres/
COPY libs/expression/package.json libs/expression/
COPY libs/query/package.json libs/query/
COPY libs/schema/package.json libs/schema/

FROM packages AS build
RUN npm ci
COPY tsconfig.base.json tsconfig.build.json ./
COPY libs libs
COPY src src
RUN npm run build

FROM packages AS dependencies
ARG OMIT="--omit=dev"
RUN npm ci $OMIT

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    PLINTH_DATA_DIR=/var/lib/plinth \
    PLINTH_LOG_FORMAT=json
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /app/libs/embedded-postgres/dist libs/embedded-postgres/dist
COPY --from=build /app/libs/expression/dist libs/expression/dist
COPY --from=build /app/libs/query/dist libs/query/dist
COPY --from=build /app/libs/schema/dist libs/schema/dist
COPY --from=build /app/dist dist
COPY deploy/docker/healthcheck.mjs ./
# The only folder that Plinth writes to; with DATABASE_URL it writes to none.
RUN install -d -m 700 -o 1000 -g 1000 /var/lib/plinth
VOLUME ["/var/lib/plinth"]
# The user `node` of the base image; by number, so that Kubernetes sees that it is not root.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["node", "healthcheck.mjs"]
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["start"]
