"""Where backups are kept: a folder, or a bucket of S3 or of what speaks like it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import urllib3
from django.conf import settings

from config.backups.manifest import SUFFIX, Manifest, Refused


class Storage(Protocol):
    def put(self, path: Path, name: str) -> None: ...
    def get(self, name: str, path: Path) -> None: ...
    def names(self) -> Iterator[str]: ...
    def remove(self, name: str) -> None: ...


class Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, path: Path, name: str) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._path / f".{name}"
        with path.open("rb") as source, partial.open("wb") as target:
            os.fchmod(target.fileno(), 0o600)
            while block := source.read(1 << 20):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(self._path / name)

    def get(self, name: str, path: Path) -> None:
        try:
            path.write_bytes((self._path / name).read_bytes())
        except OSError as error:
            raise Refused(f"{name} can't be read from {self._path}: {error.strerror}.") from error

    def names(self) -> Iterator[str]:
        if self._path.exists():
            yield from sorted(path.name for path in self._path.iterdir() if path.is_file())

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)


class Bucket:
    """s3://bucket/prefix?endpoint=https://host&region=eu-central-1"""

    def __init__(self, url: str) -> None:
        from minio import Minio  # slow to load, and few need it

        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        endpoint = urlsplit(asked.get("endpoint", "https://s3.amazonaws.com"))
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        self._client = Minio(
            endpoint.netloc,
            access_key=settings.BACKUPS["s3_key"] or None,
            secret_key=settings.BACKUPS["s3_secret"] or None,
            secure=endpoint.scheme == "https",
            region=asked.get("region", "us-east-1"),
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=10, read=60), retries=urllib3.Retry(3)
            ),
        )

    def put(self, path: Path, name: str) -> None:
        with _said(self._bucket):
            self._client.fput_object(self._bucket, self._key(name), str(path))

    def get(self, name: str, path: Path) -> None:
        with _said(self._bucket):
            self._client.fget_object(self._bucket, self._key(name), str(path))

    def names(self) -> Iterator[str]:
        prefix = f"{self._prefix}/" if self._prefix else ""
        with _said(self._bucket):
            for each in self._client.list_objects(self._bucket, prefix=prefix):
                yield str(each.object_name).removeprefix(prefix)

    def remove(self, name: str) -> None:
        with _said(self._bucket):
            self._client.remove_object(self._bucket, self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


class _said:  # reads as a function, as contextlib's do
    """Turn what the storage objects to into a sentence."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        from minio.error import MinioException

        if isinstance(error, MinioException | urllib3.exceptions.HTTPError | ValueError):
            raise Refused(f"The bucket {self._bucket} can't be used: {error}") from error


def storage(url: str = "") -> Storage:
    url = url or settings.BACKUPS["url"]
    return Bucket(url) if url.startswith("s3://") else Folder(Path(url.removeprefix("file://")))


def manifests(kept: Storage) -> list[str]:
    """Return the names of finished backups, oldest first: the manifest is written last."""
    return sorted(name for name in kept.names() if name.endswith(SUFFIX))


def read(kept: Storage, name: str, folder: Path) -> Manifest:
    path = folder / "manifest"
    kept.get(name if name.endswith(SUFFIX) else f"{name}{SUFFIX}", path)
    return Manifest.read(path.read_text())
