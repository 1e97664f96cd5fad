# One image for every role: `plantroom run --role ingest`, `engine,jobs`, `web`. Not root, nothing written outside /var/lib/plantroom.
# Pin the base by digest in production: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
# For both kinds of machine: docker buildx build --platform linux/amd64,linux/arm64 -t NAME --push .
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN python -m venv /opt/plantroom
COPY requirements/ requirements/
# The program's dependencies and its extras for PostgreSQL, certificates, sign-in by a provider and reports as PDF: each in
# the version the tests ran with, and only files whose hash is written down.
RUN /opt/plantroom/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements/server.txt
COPY pyproject.toml README.md ./
COPY facility/ facility/
COPY ingest/ ingest/
COPY rules/ rules/
COPY ticketing/ ticketing/
COPY simulators/ simulators/
COPY dashboards/ dashboards/
COPY plantroom/ plantroom/
RUN /opt/plantroom/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 plantroom \
    && useradd --uid 10001 --gid plantroom --home-dir /var/lib/plantroom --shell /usr/sbin/nologin plantroom \
    && install -d -o plantroom -g plantroom -m 750 /var/lib/plantroom
COPY --from=build /opt/plantroom /opt/plantroom
ENV PATH=/opt/plantroom/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PLANTROOM_VAR=/var/lib/plantroom
WORKDIR /var/lib/plantroom
USER 10001:10001
VOLUME /var/lib/plantroom
EXPOSE 8600
STOPSIGNAL SIGTERM
ENTRYPOINT ["plantroom"]
CMD ["run"]
