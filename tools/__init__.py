"""Small programs behind `make` and `run.py`; none of them is needed to serve a request."""
