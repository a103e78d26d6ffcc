"""The pure core: the SOP as compiled data, its guards, its clock, identity checks.

Nothing here knows Flask, SQLAlchemy or the present moment: callers pass facts and
instants in. import-linter keeps it that way.
"""
