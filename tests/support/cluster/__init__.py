"""Several servers on this machine, from Debian's packages, each in a network namespace of its own."""
