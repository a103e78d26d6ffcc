"""What the office does, as functions: each takes the session first, flushes and never commits."""
