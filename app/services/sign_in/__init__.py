"""Signing in: sessions, known devices, slowing down wrong tries, the second factor (ADR 0026)."""
