"""The practice's web page and the thin server that keeps its token."""
