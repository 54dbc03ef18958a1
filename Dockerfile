# The service, installed from its wheel. docs/deployment.md tells how it is run.

FROM python:3.12.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements-build.txt requirements.txt ./
RUN python -m venv tools \
 && tools/bin/python -m pip install --require-hashes --only-binary=:all: -r requirements-build.txt
RUN python -m venv /opt/afterbell \
 && /opt/afterbell/bin/python -m pip install --require-hashes --only-binary=:all: -r requirements.txt
COPY pyproject.toml README.md ./
COPY collectors collectors
COPY sql sql
COPY service service
RUN tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && /opt/afterbell/bin/python -m pip install --no-deps wheels/*.whl \
 && /opt/afterbell/bin/python -m pip check \
 && /opt/afterbell/bin/python -m pip uninstall --yes pip

FROM python:3.12.13-slim-bookworm
RUN groupadd --gid 10001 afterbell \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/afterbell --shell /usr/sbin/nologin afterbell \
 && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/afterbell /srv/packages
COPY --from=build /opt/afterbell /opt/afterbell
ENV PATH=/opt/afterbell/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/afterbell
EXPOSE 8080
# Not afterbell itself: that would read every module of the service each time.
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=5); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["afterbell"]
CMD ["serve"]
