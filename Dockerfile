# syntax=docker/dockerfile:1.7

# The pinned tools, each from our own module: its go.sum checks every byte of the sources.
FROM golang:1.26.8-bookworm AS tools
ENV CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=readonly
WORKDIR /src
COPY tools/go/restic/ restic/
RUN cd restic && go build -trimpath -buildvcs=false -ldflags "-s -w" -o /out/restic github.com/restic/restic/cmd/restic
COPY tools/go/temporal/ temporal/
RUN cd temporal && go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/temporalio/cli/temporalcli.Version=1.5.1" -o /out/temporal github.com/temporalio/cli/cmd/temporal
COPY tools/go/versitygw/ versitygw/
RUN cd versitygw && go build -trimpath -buildvcs=false -ldflags "-s -w -X main.Version=1.8.0" -o /out/versitygw github.com/versity/versitygw/cmd/versitygw

FROM node:20.20.2-bookworm-slim AS packages
WORKDIR /opt/holdfast
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:20.20.2-bookworm-slim
# PostgreSQL is here for its programs: createcluster.conf keeps Debian from making a database of its own.
RUN mkdir -p /etc/postgresql-common \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update \
 && apt-get install --yes --no-install-recommends \
      attr ca-certificates openssh-client postgresql rclone rsync sqlite3 tini util-linux zstd \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 holdfast \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/holdfast --shell /usr/sbin/nologin holdfast \
 && install --directory --owner=holdfast --group=holdfast --mode=0700 /var/lib/holdfast \
 && ln -s /opt/holdfast/cli/holdfast.mjs /usr/local/bin/holdfast
COPY --from=tools /out/ /usr/local/bin/
WORKDIR /opt/holdfast
COPY --from=packages /opt/holdfast/node_modules/ node_modules/
COPY . .
# The first start keeps JavaScript made of the sources.
RUN node cli/holdfast.mjs --version
# From here on nothing under /opt/holdfast is written to. What is made at run time lies beside the data, in a volume.
ENV NODE_ENV=production HOME=/var/lib/holdfast HOLDFAST_CONFIG=/etc/holdfast/holdfast.yaml
VOLUME /var/lib/holdfast
USER holdfast
HEALTHCHECK --interval=10s --timeout=5s --start-period=1m --retries=3 \
  CMD ["node", "/opt/holdfast/deploy/health.mjs", "worker"]
ENTRYPOINT ["/usr/bin/tini", "--", "holdfast"]
# The API, from the same image: `up --only api`.
CMD ["up", "--only", "worker"]
