# syntax=docker/dockerfile:1
# The chat service, for a PostgreSQL that runs elsewhere (DATABASE_URL).

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
# The environment has no pip of its own, so none reaches the final stage with it. The one beside it
# knows dependency groups.
RUN python -m venv --without-pip /opt/colorless && python -m venv /opt/pip
# The secret is optional: a pip.conf for a network whose packages come from a mirror.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    /opt/pip/bin/pip install --no-cache-dir 'pip>=25.1'
COPY pyproject.toml README.md LICENSE ./
COPY colorless colorless
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    /opt/pip/bin/pip --python /opt/colorless/bin/python install --no-cache-dir '.[all]' --group service
COPY gunicorn.conf.py /app/
COPY service /app/service
RUN python -m compileall -q /app

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app
COPY --from=build /opt/colorless /opt/colorless
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/colorless/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    LOG_FORMAT=json
USER app
EXPOSE 8000
# Whether the process lives; that PostgreSQL is away is no reason to restart it (/readyz tells that).
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/livez', timeout=2)"]
# gunicorn is process 1: it gets SIGTERM itself, and drains.
CMD ["gunicorn", "--config", "gunicorn.conf.py"]
