# syntax=docker/dockerfile:1
FROM debian:12-slim AS build
WORKDIR /source
COPY scripts/install-dependencies scripts/
RUN scripts/install-dependencies build
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY proto proto
COPY spec spec
COPY src src
RUN cmake --preset release -DSOURCE_VITESS_TESTS=OFF \
 && cmake --build --preset release --parallel --target source-vitess \
 && strip --strip-all -o /source-vitess build/release/src/source-vitess

FROM debian:12-slim
RUN --mount=type=bind,from=build,source=/source/scripts,target=/tmp/scripts \
    /tmp/scripts/install-dependencies runtime \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
 && useradd --uid 1000 --user-group --no-create-home --home-dir /airbyte --shell /bin/sh airbyte \
 && install --directory --owner airbyte --group airbyte /airbyte
COPY --from=build /source-vitess /airbyte/source-vitess
WORKDIR /airbyte
# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
ENV AIRBYTE_ENTRYPOINT="/airbyte/source-vitess"
ENTRYPOINT ["/airbyte/source-vitess"]
LABEL io.airbyte.name="source-vitess" \
      io.airbyte.version="0.1.0"
