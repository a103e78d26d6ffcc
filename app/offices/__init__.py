"""Many offices on shared servers: each has its own database, roles, keys, folder, user and door.

Nothing is shared but the code, the machine's programs and their logs. See ADR 0036.
"""
