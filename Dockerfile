# syntax=docker/dockerfile:1
# The image, for the platform that is asked for, compiled on the one that builds: docs/image.md.
FROM --platform=$BUILDPLATFORM debian:12-slim AS debian
WORKDIR /source
COPY scripts/install-dependencies scripts/image-files scripts/

FROM debian AS base
ARG TARGETARCH
RUN scripts/image-files base /image "$TARGETARCH" \
 && mkdir /airbyte

FROM debian AS build
ARG TARGETARCH
RUN scripts/install-dependencies --architecture "$TARGETARCH" build
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY proto proto
COPY spec spec
COPY src src
RUN cmake --preset release --toolchain "cmake/toolchains/$TARGETARCH.cmake" -DSOURCE_VITESS_TESTS=OFF \
 && cmake --build --preset release --parallel --target source-vitess-compact \
 && scripts/image-files program build/release/src/source-vitess-compact /image "$TARGETARCH"

FROM scratch
COPY --from=base /image /
COPY LICENSE /usr/share/doc/source-vitess/copyright
COPY --from=build /image/lib /lib
COPY --from=build /image/usr /usr
COPY --from=build /image/var /var
COPY --from=base --chown=1000:1000 /airbyte /airbyte
COPY --from=build /image/airbyte/source-vitess /airbyte/
WORKDIR /airbyte
# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
ENV PATH="/bin:/airbyte" \
    AIRBYTE_ENTRYPOINT="/airbyte/source-vitess"
ENTRYPOINT ["/airbyte/source-vitess"]
LABEL io.airbyte.name="source-vitess" \
      io.airbyte.version="0.1.0" \
      org.opencontainers.image.title="source-vitess" \
      org.opencontainers.image.description="Moves tables of Vitess and their changes into data warehouses" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
