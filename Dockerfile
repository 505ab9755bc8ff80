# One image for web, worker, beat and migrate: docker-compose.yml gives each its command.
# 3.11, as in CI: the lock file then installs the Django LTS that the suite ran on.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    EVENSTOCK_DATA_DIR=/data \
    EVENSTOCK_FOLDERS=/data/till \
    GRANIAN_HOST=0.0.0.0 \
    GRANIAN_WORKERS=2
# A fixed number, so that the owner of the till's folder can be set from outside (docs/operations.md).
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin evenstock \
    && install --directory --owner evenstock --group evenstock /data /data/till
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Settings want these to be there; none of them is kept in the image, and nothing is connected to.
RUN EVENSTOCK_SECRET_KEY=build EVENSTOCK_SALT_KEYS=build EVENSTOCK_HOSTS=build.invalid \
    DATABASE_URL=sqlite://:memory: REDIS_URL=redis://build.invalid \
    python manage.py collectstatic --noinput
USER evenstock
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# A worker that dies is replaced; the number of workers is GRANIAN_WORKERS.
CMD ["python", "-m", "config.web", "--port", "8000"]
