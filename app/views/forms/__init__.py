"""The forms of the screens, by subject."""
