#!/bin/sh
# Print the first Python that is new enough for the project, or say in one line that there is none.
for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        command -v "$candidate"
        exit 0
    fi
done
echo "aduan: Python 3.11 or newer is needed (Debian, Ubuntu: sudo apt-get install python3)." >&2
exit 1
