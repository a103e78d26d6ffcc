"""Lists as CSV (being written)."""

EXPORT_ROWS = 10_000


def csv_response(filename, header, rows):  # noqa
    """Placeholder."""
