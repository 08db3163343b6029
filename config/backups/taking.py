"""Take a backup: dump, encrypt, put away, forget the oldest."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from django.conf import settings
from django.db import connection

from config import release
from config.backups import postgresql, sqlite
from config.backups.manifest import SUFFIX, Manifest, Progress, Refused, checksum
from config.backups.storage import Storage, manifests, read


def engine() -> ModuleType:
    return sqlite if connection.vendor == "sqlite" else postgresql


def take(kept: Storage, *, now: datetime, progress: Progress) -> Manifest:
    """Put a backup of the database away, and forget all but the newest BACKUP_KEEP."""
    recipient = settings.BACKUPS["recipient"]
    with TemporaryDirectory(prefix="mesto-backup-") as folder:
        path = Path(folder) / "dump"
        content = engine().dump(path, progress)
        if recipient:
            path = _encrypted(path, recipient)
        manifest = Manifest(
            name=f"mesto-{now:%Y%m%dT%H%M%S.%fZ}.dump{'.age' if recipient else ''}",
            made_at=now.isoformat(),
            engine=connection.vendor,
            server=engine().server_version(),
            release=release.digest(settings.BASE_DIR),
            content=content,
            bytes=path.stat().st_size,
            sha256=checksum(path),
            is_encrypted=bool(recipient),
        )
        kept.put(path, manifest.name)
        beside = Path(folder) / "manifest"
        beside.write_text(manifest.write())
        kept.put(beside, manifest.name + SUFFIX)  # last: without it there is no backup
    rotate(kept)
    return manifest


def rotate(kept: Storage) -> None:
    """Forget the oldest; 0 keeps all. The manifest goes first: what it names is whole."""
    keep = settings.BACKUPS["keep"]
    for name in manifests(kept)[:-keep] if keep else []:
        kept.remove(name)
        kept.remove(name.removesuffix(SUFFIX))


def _encrypted(path: Path, recipient: str) -> Path:
    import pyrage

    sealed = path.with_suffix(".age")
    try:
        pyrage.encrypt_file(str(path), str(sealed), [pyrage.x25519.Recipient.from_str(recipient)])
    except (pyrage.RecipientError, pyrage.EncryptError) as error:
        raise Refused(f"BACKUP_AGE_RECIPIENT can't be used: {error}.") from error
    path.unlink()
    return sealed


def newest(kept: Storage) -> Manifest | None:
    names = manifests(kept)
    if not names:
        return None
    with TemporaryDirectory(prefix="mesto-backup-") as folder:
        return read(kept, names[-1], Path(folder))
