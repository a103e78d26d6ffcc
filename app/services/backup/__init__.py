"""A backup is one encrypted file: every row and every file of one moment, and their sums.

It is a tar of JSON lines and files inside age (https://age-encryption.org): the panel can restore
it into SQLite or PostgreSQL, and a person with the key can read it with standard programs when
there is no panel any more.
"""

from app.services.backup.making import BackupError, Encrypted, Made, make_backup, recipient
from app.services.backup.reading import Contents, check_backup, decrypted, identities_of
from app.services.backup.restoring import restore_files, restore_keys, restore_rows

__all__ = [
    "BackupError",
    "Contents",
    "Encrypted",
    "Made",
    "check_backup",
    "decrypted",
    "identities_of",
    "make_backup",
    "recipient",
    "restore_files",
    "restore_keys",
    "restore_rows",
]
