"""Bring a backup back: everything of it, or nothing."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from config.backups.manifest import Content, Manifest, Progress, Refused, checksum
from config.backups.storage import Storage, manifests, read
from config.backups.taking import engine

LATEST = "latest"
#: What `migrate` writes by itself.
FRESH = {"auth_permission", "django_content_type", "django_migrations"}


def restore(
    kept: Storage, name: str, *, identity: Path | None, is_forced: bool, progress: Progress
) -> Manifest:
    """Replace the database by a backup; Refused says why not, and then nothing was changed."""
    if name == LATEST:
        name = next(reversed(manifests(kept)), "")
        if not name:
            raise Refused("There is no backup there.")
    with TemporaryDirectory(prefix="mesto-restore-") as folder:
        manifest = read(kept, name, Path(folder))
        _fits(manifest)
        if not is_forced:
            _is_empty()
        path = Path(folder) / "dump"
        kept.get(manifest.name, path)
        if checksum(path) != manifest.sha256:
            raise Refused("The backup is damaged: its checksum is not the one in its manifest.")
        if manifest.is_encrypted:
            path = _decrypted(path, identity)
        engine().load(path, manifest, progress)
    return manifest


def newer_than(manifest: Manifest) -> int:
    """Return how many migrations `manage.py migrate` has to do after this backup."""
    return len(_known() - set(manifest.content.migrations))


def _known() -> set[str]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {f"{app}.{name}" for app, name in loader.disk_migrations}


def _fits(manifest: Manifest) -> None:
    if manifest.engine != connection.vendor:
        raise Refused(
            f"The backup is of {manifest.engine}, and DATABASE_URL is {connection.vendor}."
        )
    if unknown := sorted(set(manifest.content.migrations) - _known()):
        raise Refused(
            f"The backup is of a newer release, with {unknown[0]}: restore it with that release."
        )


def _is_empty() -> None:
    with connection.cursor() as cursor:
        content = Content.of(cursor, engine().tables())
    if filled := sorted(
        name for name, rows in content.counts.items() if rows and name not in FRESH
    ):
        raise Refused(
            f"The database isn't empty ({', '.join(filled[:3])}…): --force replaces all of it."
        )


def _decrypted(path: Path, identity: Path | None) -> Path:
    import pyrage

    if identity is None:
        raise Refused("The backup is encrypted: --identity FILE names the age key for it.")
    try:
        lines = identity.read_text().splitlines()
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line[:4] == "AGE-"]
        pyrage.decrypt_file(str(path), str(path.with_suffix(".plain")), keys)
    except OSError as error:
        raise Refused(f"{identity} can't be read: {error.strerror}.") from error
    except (pyrage.IdentityError, pyrage.DecryptError) as error:
        raise Refused(f"The age key doesn't open the backup: {error}.") from error
    return path.with_suffix(".plain")
