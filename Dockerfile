# One image for web and command line. PIP_INDEX_URL: the site's own package mirror, where it has one.
FROM python:3.11-slim
ARG PIP_INDEX_URL
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 FAWEN_DATA_DIR=/data
WORKDIR /app
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY knowledge knowledge
COPY admin admin
RUN pip install --no-build-isolation --no-deps . \
    && useradd --system --uid 10001 fawen && mkdir /data && chown fawen /data
USER fawen
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["sh", "-c", "fawen migrate && exec fawen serve --host 0.0.0.0"]
